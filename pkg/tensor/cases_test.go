package tensor_test

import (
	"fmt"
	"math/rand/v2"

	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// cases is the whole table of the conformance suite.
func cases() []opCase {
	var all []opCase
	for _, family := range [][]opCase{
		denseCases(), shapeCases(), lossCases(), normCases(),
		mapCases(), pointwiseCases(), rowCases(), dropoutCases(), applyCases(),
		convCases(), attentionCases(), timeCases(), viewCases(), reuseCases(),
		scanCases(), complexScanCases(), elmanCases(), gatedCases(),
		selectiveModeCases(), selectiveGroupCases(), selectiveSizeCases(), selectiveExtremeCases(), selectiveOfficialCases(), selectiveLinearCases(), addBranchCases(), residualCases(),
	} {
		all = append(all, family...)
	}
	return all
}

// one wraps an operation with a single result.
func one(f func(r *run) *tensor.Tensor) func(r *run) []*tensor.Tensor {
	return func(r *run) []*tensor.Tensor { return []*tensor.Tensor{f(r)} }
}

func denseCases() []opCase {
	var cs []opCase
	for _, s := range [][3]int{{1, 1, 1}, {2, 3, 5}, {7, 1, 9}, {1, 17, 1}, {5, 8, 13}, {130, 67, 33}} {
		for i := range 4 {
			ta, tb := i&1 != 0, i&2 != 0
			m, n, k := s[0], s[1], s[2]
			a, b := []int{m, k}, []int{k, n}
			if ta {
				a = []int{k, m}
			}
			if tb {
				b = []int{n, k}
			}
			cs = append(cs, opCase{op: "MatMul", mode: fmt.Sprintf("%d,%d,%d transA=%t transB=%t", m, n, k, ta, tb),
				in:  []input{in("a", gauss(1), a...), in("b", gauss(1), b...)},
				run: one(func(r *run) *tensor.Tensor { return r.tp.MatMul(r.v("a"), r.v("b"), ta, tb) })})
		}
	}
	cs = append(cs,
		opCase{op: "MatMul", mode: "1e15 by 1e-15", in: []input{in("a", gauss(1e15), 3, 4), in("b", gauss(1e-15), 4, 5)},
			noDiff: "an absolute step of 5e-6 in b changes the loss by 1e10, which leaves no digits",
			run:    one(func(r *run) *tensor.Tensor { return r.tp.MatMul(r.v("a"), r.v("b"), false, false) })},
		opCase{op: "MatMul", mode: "square with its transpose", in: []input{in("a", gauss(1), 5, 5)},
			run: one(func(r *run) *tensor.Tensor { return r.tp.MatMul(r.v("a"), r.v("a"), false, true) })},
		opCase{op: "MatMul", mode: "only b has a gradient", in: []input{fixed("a", gauss(1), 3, 4), in("b", gauss(1), 4, 5)},
			run: one(func(r *run) *tensor.Tensor { return r.tp.MatMul(r.v("a"), r.v("b"), false, false) })})
	return append(cs, linearCases()...)
}

func linearCases() []opCase {
	var cs []opCase
	for _, s := range []struct{ lead, io []int }{
		{[]int{1}, []int{1, 1}}, {nil, []int{3, 2}}, {[]int{2, 3}, []int{7, 5}}, {[]int{3, 65}, []int{33, 19}}, {[]int{2, 2, 2}, []int{5, 16}},
	} {
		for _, bias := range []bool{true, false} {
			x := append(append([]int(nil), s.lead...), s.io[0])
			inputs := []input{in("x", gauss(1), x...), in("w", gauss(1), s.io[1], s.io[0])}
			if bias {
				inputs = append(inputs, in("bias", gauss(1), s.io[1]))
			}
			cs = append(cs, opCase{op: "Linear", mode: fmt.Sprintf("x=%v out=%d bias=%t", x, s.io[1], bias), in: inputs,
				run: one(func(r *run) *tensor.Tensor { return r.tp.Linear(r.v("x"), r.v("w"), r.v("bias")) })})
		}
	}
	return cs
}

func shapeCases() []opCase {
	tokens := []int32{3, 0, 6, 3, 3, 1}
	many := make([]int32, 700)
	for i := range many {
		many[i] = int32(i * i % 11)
	}
	split := func(mode string, x input, sizes ...int) opCase {
		return opCase{op: "Split", mode: mode, in: []input{x}, run: func(r *run) []*tensor.Tensor { return r.tp.Split(r.v("x"), sizes...) }}
	}
	concat := func(mode string, parts ...input) opCase {
		return opCase{op: "Concat", mode: mode, in: parts, run: one(func(r *run) *tensor.Tensor {
			var ts []*tensor.Tensor
			for _, p := range parts {
				ts = append(ts, r.v(p.name))
			}
			return r.tp.Concat(ts...)
		})}
	}
	return []opCase{
		{op: "Embedding", mode: "(2,3) with repeats", in: []input{in("w", gauss(1), 7, 5)},
			run: one(func(r *run) *tensor.Tensor { return r.tp.Embedding(tokens, r.v("w"), 2, 3) })},
		{op: "Embedding", mode: "one token of one", in: []input{in("w", gauss(1), 1, 1)},
			run: one(func(r *run) *tensor.Tensor { return r.tp.Embedding([]int32{0}, r.v("w"), 1) })},
		{op: "Embedding", mode: "700 tokens", in: []input{in("w", gauss(1), 11, 33)},
			run: one(func(r *run) *tensor.Tensor { return r.tp.Embedding(many, r.v("w"), 7, 100) })},
		split("(2,3,9) to 2,3,4", in("x", gauss(1), 2, 3, 9), 2, 3, 4),
		split("one part", in("x", gauss(1), 3, 5), 5),
		split("(1) to 1", in("x", gauss(1), 1), 1),
		concat("3 parts of 3 axes", in("a", gauss(1), 2, 3, 1), in("b", gauss(1), 2, 3, 4), in("c", gauss(1), 2, 3, 2)),
		concat("one part", in("a", gauss(1), 2, 3)),
		concat("one axis", in("a", gauss(1), 2), in("b", gauss(1), 5)),
	}
}

func lossCases() []opCase {
	xent := func(mode string, x input, targets ...int32) opCase {
		return opCase{op: "CrossEntropy", mode: mode, in: []input{x},
			run: one(func(r *run) *tensor.Tensor { return r.tp.CrossEntropy(r.v("x"), targets) })}
	}
	many := make([]int32, 3*65)
	for i := range many {
		many[i] = int32(i*7%105) - 4
	}
	extreme := xent("logits to 1e4", in("x", listed(1e4, -1e4, 3, 0, -88, 104, 1e-4), 6, 7), 0, 1, 2, tensor.Ignore, 5, 6)
	extreme.noDiff = "a step of ε^(1/3)·1e4 jumps over the soft maximum"
	ignored := xent("no row scored", in("x", gauss(1), 2, 3), -1, tensor.Ignore)
	ignored.zero = []string{"out 0", "x"}
	single := xent("one class", in("x", gauss(1), 2, 1), 0, 0)
	single.zero = []string{"out 0", "x"}
	target := make([]float64, 3*65*33)
	for i := range target {
		target[i] = float64(i%17) / 16
	}
	mse := func(mode string, n int, shape ...int) opCase {
		return opCase{op: "MSE", mode: mode, in: []input{in("x", gauss(1), shape...)},
			run: one(func(r *run) *tensor.Tensor { return r.tp.MSE(r.v("x"), target[:n]) })}
	}
	return []opCase{
		xent("(2,3,5) two rows not scored", in("x", gauss(3), 2, 3, 5), 1, -100, 0, 4, -1, 4),
		xent("(195,101)", in("x", gauss(2), 3, 65, 101), many...),
		extreme, ignored, single,
		mse("(2,3,5)", 30, 2, 3, 5), mse("one", 1, 1), mse("(3,65,33)", 3*65*33, 3, 65, 33),
		{op: "Argmax", mode: "ties and infinities", noGrad: "the result is an index",
			in: []input{fixed("x", listed(1, 3, 3, -1e30, -1e30, 1e30, -5, -5, -5), 3, 3)},
			run: func(r *run) []*tensor.Tensor {
				r.keep("index", floats(r.tp.Argmax(r.v("x"))))
				return nil
			}},
		{op: "Argmax", mode: "(3,65,33)", noGrad: "the result is an index", in: []input{fixed("x", gauss(1), 3, 65, 33)},
			run: func(r *run) []*tensor.Tensor {
				r.keep("index", floats(r.tp.Argmax(r.v("x"))))
				return nil
			}},
	}
}

func floats(x []int32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

func normCases() []opCase {
	var cs []opCase
	add := func(mode string, x dist, shape ...int) {
		n := shape[len(shape)-1]
		weights := []input{in("x", x, shape...), in("w", gauss(1), n)}
		cs = append(cs,
			opCase{op: "RMSNorm", mode: mode, in: weights,
				run: one(func(r *run) *tensor.Tensor { return r.tp.RMSNorm(r.v("x"), r.v("w"), 1e-5) })},
			opCase{op: "LayerNorm", mode: mode, in: append([]input{in("b", gauss(1), n)}, weights...),
				run: one(func(r *run) *tensor.Tensor { return r.tp.LayerNorm(r.v("x"), r.v("w"), r.v("b"), 1e-5) })})
	}
	add("(7)", gauss(1), 7)
	add("(2,3,5)", gauss(1), 2, 3, 5)
	add("(2,65,33)", gauss(1), 2, 65, 33)
	add("(3,700)", gauss(1), 3, 700)
	add("(500,16)", gauss(1), 500, 16)
	add("offset 30", func() dist { g := gauss(1); return func(r *rand.Rand) float64 { return 30 + g(r) } }(), 4, 6)
	add("large", gauss(1e5), 4, 6)
	cs = append(cs,
		opCase{op: "RMSNorm", mode: "one channel", in: []input{in("x", away(0.001, 0.01), 3, 1), in("w", gauss(1), 1)},
			run: one(func(r *run) *tensor.Tensor { return r.tp.RMSNorm(r.v("x"), r.v("w"), 1e-5) })},
		opCase{op: "RMSNorm", mode: "zeros", in: []input{in("x", listed(0), 3, 5), in("w", gauss(1), 5)}, zero: []string{"out 0", "w"},
			run: one(func(r *run) *tensor.Tensor { return r.tp.RMSNorm(r.v("x"), r.v("w"), 1e-5) })},
		opCase{op: "LayerNorm", mode: "one channel", in: []input{in("x", gauss(1), 3, 1), in("w", gauss(1), 1), in("b", gauss(1), 1)},
			zero: []string{"x", "w"}, grad: 1e-4, why: "0 is a difference of terms of size 1/√eps = 316", run: one(func(r *run) *tensor.Tensor { return r.tp.LayerNorm(r.v("x"), r.v("w"), r.v("b"), 1e-5) })})
	return cs
}
