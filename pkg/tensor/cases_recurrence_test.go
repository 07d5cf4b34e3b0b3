package tensor_test

import (
	"fmt"

	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// scanSizes are B, L, D: length 1, no powers of two, several blocks.
var scanSizes = [][3]int{{1, 1, 1}, {2, 1, 3}, {2, 7, 3}, {1, 2, 9}, {3, 65, 17}, {2, 130, 40}}

// declareZero lists the coefficients that meet no state when L = 1.
func declareZero(l int, state bool, names ...string) []string {
	if l > 1 || state {
		return nil
	}
	return names
}

func scanCases() []opCase {
	var cs []opCase
	for _, s := range scanSizes {
		for i := range 4 {
			b, l, d := s[0], s[1], s[2]
			varying, state := i&1 != 0, i&2 != 0
			inputs := []input{in("x", gauss(1), b, l, d)}
			if varying {
				inputs = append(inputs, in("a", uniform(-0.99, 0.99), b, l, d))
			} else {
				inputs = append(inputs, in("a", uniform(-0.99, 0.99), d))
			}
			if state {
				inputs = append(inputs, fixed("h", gauss(1), b, d))
			}
			cs = append(cs, opCase{op: "Scan", mode: fmt.Sprintf("%v varying=%t state=%t", s, varying, state), in: inputs,
				zero: declareZero(l, state, "a"),
				run:  one(func(r *run) *tensor.Tensor { return r.tp.Scan(r.v("a"), r.v("x"), r.state("h")) })})
		}
	}
	long := []input{in("x", gauss(1), 1, 300, 2), in("a", listed(1, 0), 2)}
	return append(cs, opCase{op: "Scan", mode: "a = 1 and 0, 300 steps", in: long,
		run: one(func(r *run) *tensor.Tensor { return r.tp.Scan(r.v("a"), r.v("x"), nil) })})
}

func complexScanCases() []opCase {
	var cs []opCase
	for _, s := range scanSizes {
		for i := range 4 {
			b, l, d := s[0], s[1], s[2]
			varying, state := i&1 != 0, i&2 != 0
			a := []int{d}
			if varying {
				a = []int{b, l, d}
			}
			inputs := []input{in("xRe", gauss(1), b, l, d), in("xIm", gauss(1), b, l, d),
				in("aRe", uniform(-0.69, 0.69), a...), in("aIm", uniform(-0.69, 0.69), a...)} // |a| < 0.98
			if state {
				inputs = append(inputs, fixed("hRe", gauss(1), b, d), fixed("hIm", gauss(1), b, d))
			}
			scan := func(r *run) (*tensor.Tensor, *tensor.Tensor) {
				return r.tp.ComplexScan(r.v("aRe"), r.v("aIm"), r.v("xRe"), r.v("xIm"), r.state("hRe"), r.state("hIm"))
			}
			c := opCase{op: "ComplexScan", mode: fmt.Sprintf("%v varying=%t state=%t", s, varying, state), in: inputs,
				zero: declareZero(l, state, "aRe", "aIm"),
				run: func(r *run) []*tensor.Tensor {
					re, im := scan(r)
					return []*tensor.Tensor{re, im}
				}}
			cs = append(cs, c)
			if l == 7 {
				c.mode += " only the imaginary part used"
				c.run = one(func(r *run) *tensor.Tensor { _, im := scan(r); return im })
				cs = append(cs, c)
			}
		}
	}
	return cs
}

// recurrentSizes are B, L, H.
var recurrentSizes = [][3]int{{1, 1, 1}, {2, 1, 3}, {2, 7, 3}, {1, 2, 9}, {3, 17, 33}}

func elmanCases() []opCase {
	var cs []opCase
	for _, s := range recurrentSizes {
		for i := range 4 {
			b, l, h := s[0], s[1], s[2]
			linear, state := i&1 != 0, i&2 != 0
			inputs := []input{in("x", gauss(1), b, l, h), in("w", uniform(-0.9/float64(h), 0.9/float64(h)), h, h)}
			if state {
				inputs = append(inputs, fixed("h", gauss(1), b, h))
			}
			cs = append(cs, opCase{op: "Elman", mode: fmt.Sprintf("%v linear=%t state=%t", s, linear, state), in: inputs,
				zero: declareZero(l, state, "w"),
				run:  one(func(r *run) *tensor.Tensor { return r.tp.Elman(r.v("x"), r.v("w"), linear, r.state("h")) })})
		}
	}
	return cs
}

func gatedCases() []opCase {
	var cs []opCase
	gru := func(mode string, x dist, b, l, h int, bias, state bool) {
		inputs := []input{in("x", x, b, l, 3*h), in("w", gauss(0.5), 3*h, h)}
		if bias {
			inputs = append(inputs, in("bias", gauss(0.5), 3*h))
		}
		if state {
			inputs = append(inputs, fixed("h", gauss(1), b, h))
		}
		cs = append(cs, opCase{op: "GRU", mode: fmt.Sprintf("%s B=%d L=%d H=%d bias=%t state=%t", mode, b, l, h, bias, state), in: inputs,
			zero: declareZero(l, state, "w"),
			run:  one(func(r *run) *tensor.Tensor { return r.tp.GRU(r.v("x"), r.v("w"), r.v("bias"), r.state("h")) })})
	}
	lstm := func(mode string, x dist, b, l, h int, state bool) {
		inputs := []input{in("x", x, b, l, 4*h), in("w", gauss(0.5), 4*h, h)}
		if state {
			inputs = append(inputs, fixed("h", gauss(1), b, h), fixed("c", gauss(1), b, h))
		}
		cs = append(cs, opCase{op: "LSTM", mode: fmt.Sprintf("%s B=%d L=%d H=%d state=%t", mode, b, l, h, state), in: inputs,
			zero: declareZero(l, state, "w"),
			run:  one(func(r *run) *tensor.Tensor { return r.tp.LSTM(r.v("x"), r.v("w"), r.state("h"), r.state("c")) })})
	}
	for _, s := range recurrentSizes {
		for _, state := range []bool{false, true} {
			gru("", gauss(1), s[0], s[1], s[2], true, state)
			gru("", gauss(1), s[0], s[1], s[2], false, state)
			lstm("", gauss(1), s[0], s[1], s[2], state)
			cs = append(cs, projectedLSTMCase(s[0], s[1], s[2], state))
		}
	}
	n := len(cs)
	gru("saturated", away(6, 20), 2, 5, 3, true, true)
	lstm("saturated", away(6, 20), 2, 5, 3, true)
	for i := n; i < len(cs); i++ {
		cs[i].grad = 1e-2
		cs[i].why = "s(1−s) of a gate s within 1e-4 of 1, kept in steps of 6e-8, has three digits"
	}
	return cs
}

func projectedLSTMCase(b, l, h int, state bool) opCase {
	const d = 5
	inputs := []input{in("u", gauss(1), b, l, d), in("wIn", gauss(0.5), 4*h, d), in("w", gauss(0.5), 4*h, h)}
	if state {
		inputs = append(inputs, in("bias", gauss(0.5), 4*h), fixed("h", gauss(1), b, h), fixed("c", gauss(1), b, h))
	}
	return opCase{op: "ProjectedLSTM", mode: fmt.Sprintf("B=%d L=%d H=%d bias, state=%t", b, l, h, state), in: inputs,
		zero: declareZero(l, state, "w"),
		run: one(func(r *run) *tensor.Tensor {
			return r.tp.ProjectedLSTM(r.v("u"), r.v("wIn"), r.v("bias"), r.v("w"), r.state("h"), r.state("c"))
		})}
}
