package tensor_test

import (
	"slices"
	"testing"

	"github.com/gophersnake/gophersnake/internal/mixertest"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// TestEqualGroupsAreOneGroup: a scan whose groups all have the same B and C is
// that of one group: outputs, states, and gradients, of B and C as the sum over
// the groups. For G = 1 not a bit may differ.
func TestEqualGroupsAreOneGroup(t *testing.T) {
	for _, d := range mixertest.Devices(t) {
		for _, m := range []selective{
			{softplus: true, bias: true, skip: true, z: true, states: true},
			{signed: true, noDelta: true, constB: true},
			{complex: true, softplus: true, bias: true, skip: true, z: true, states: true},
			{complex: true, realB: true, constC: true, states: true},
		} {
			m.b, m.l, m.d, m.n = 2, 67, 12, 5
			want := m.opCase("").evaluate(d)
			for _, g := range [][2]int{{1, 1}, {2, 2}, {4, 1}, {1, 3}, {12, 12}} { // of B and of C
				for i, got := range m.opCase("").inGroups(g[0], g[1]).evaluate(d) {
					tol := forwardTol
					switch {
					case g == [2]int{1, 1}:
						tol = 0
					case d.Name() == "reference":
						tol = 1e-13 // one sum in two orders
					case got.grad:
						tol = gradTol
					}
					diff, size := relErr(sumGroups(got.values, len(want[i].values), m.n), want[i].values)
					if !(diff <= tol*size) || size == 0 {
						t.Errorf("%s: %v in groups %v: %s is off by %.2g, want <= %g", d, m, g, got.name, diff/size, tol)
					}
				}
			}
		}
	}
}

// inGroups is the case with each B and C that varies with time in equal groups.
func (c opCase) inGroups(groupsB, groupsC int) opCase {
	c.in = slices.Clone(c.in)
	for i, x := range c.in {
		groups := map[string]int{"B": groupsB, "BIm": groupsB, "C": groupsC, "CIm": groupsC}[x.name]
		if groups == 0 || len(x.shape) != 3 {
			continue
		}
		c.in[i].shape, c.in[i].data = slices.Insert(slices.Clone(x.shape), 2, groups), nil
		for row := range slices.Chunk(x.data, x.shape[2]) {
			c.in[i].data = append(c.in[i].data, slices.Repeat(row, groups)...)
		}
	}
	return c
}

// sumGroups adds up the groups of x (·,groups,n), of which size elements remain.
func sumGroups(x []float64, size, n int) []float64 {
	sum := make([]float64, size)
	for i, v := range x {
		sum[i/(len(x)/size*n)*n+i%n] += v
	}
	return sum
}

// TestBackwardGivesGroupsBack: the copies of the groups' channels and states
// are used again by the next step, without Reset.
func TestBackwardGivesGroupsBack(t *testing.T) {
	const rounds = 5
	for _, d := range mixertest.Devices(t) {
		m := selective{b: 2, l: 9, d: 6, n: 3, groups: 2, complex: true, softplus: true, bias: true, skip: true, z: true, states: true}
		r := newRun(m.opCase(""), d)
		r.tp = tensor.NewTape(d)
		round := func() { r.tp.Backward(r.tp.Sum(m.scan(r))) }
		round()
		first := r.tp.Bytes()
		for range rounds {
			round()
		}
		if grown := r.tp.Bytes() - first; first == 0 || grown > rounds*2*8 { // the loss and its gradient are kept
			t.Errorf("%s: %d bytes after one round, %d more after %d others", d, first, grown, rounds)
		}
	}
}
