package tensor_test

import (
	"fmt"

	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// selectiveLinearCases is every switch of the scan by itself, with and without
// the gate that lets the gradient compute y again.
func selectiveLinearCases() []opCase {
	var cs []opCase
	for i := range 16 {
		m := selective{b: 2, l: 5, d: 3, n: 2, softplus: true, bias: true}
		m.z, m.complex, m.skip, m.states = i&1 != 0, i&2 != 0, i&4 != 0, i&8 != 0
		cs = append(cs, m.linearCase(4))
	}
	long := selective{b: 3, l: 70, d: 19, n: 5, z: true, softplus: true, bias: true, skip: true}
	grouped := selective{b: 2, l: 5, d: 6, n: 2, z: true, groups: 2}
	return append(cs, long.linearCase(9), grouped.linearCase(1))
}

// linearCase is the setting's scan, its result through a matrix of width rows.
func (m selective) linearCase(width int) opCase {
	return opCase{op: "SelectiveScanLinear", mode: fmt.Sprintf("%v to %d", m, width),
		in:  append(m.inputs(), in("w", gauss(1), width, m.d)),
		run: one(func(r *run) *tensor.Tensor { return r.tp.SelectiveScanLinear(m.settings(r), r.v("w")) })}
}

func addBranchCases() []opCase {
	var cs []opCase
	for _, p := range []float64{0, 0.4} {
		cs = append(cs, opCase{op: "AddBranch", mode: fmt.Sprintf("p=%g", p),
			in: []input{in("x", gauss(1), 5, 7), in("branch", gauss(1), 5, 7)},
			run: one(func(r *run) *tensor.Tensor {
				r.tp.SetSeed(5)
				return r.tp.AddBranch(p, r.v("x"), r.v("branch"))
			})})
	}
	return cs
}

// residualCases has batches of one piece, of equal pieces and of unequal ones.
func residualCases() []opCase {
	var cs []opCase
	for _, s := range [][2]int{{2, 3}, {2, 1024}, {5, 513}} {
		for _, p := range []float64{0, 0.4} {
			b, l := s[0], s[1]
			cs = append(cs, opCase{op: "Residual", mode: fmt.Sprintf("B=%d L=%d p=%g", b, l, p),
				in: []input{in("x", gauss(1), b, l, 2), in("w", gauss(1), 3, 2), in("v", gauss(1), 2, 3)},
				run: one(func(r *run) *tensor.Tensor {
					r.tp.SetSeed(5)
					tensor.SmallPieces(r.tp)
					return r.tp.Residual(p, r.v("x"), func(tp *tensor.Tape, x *tensor.Tensor) *tensor.Tensor {
						h := tp.Kept().Linear(x, r.v("w"), nil)
						return tp.Linear(tp.Map(tensor.Tanh, h), r.v("v"), nil)
					})
				})})
		}
	}
	return cs
}
