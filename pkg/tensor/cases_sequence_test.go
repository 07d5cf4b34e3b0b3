package tensor_test

import (
	"fmt"

	"github.com/gophersnake/gophersnake/pkg/tensor"
)

func convCases() []opCase {
	var cs []opCase
	for i, s := range [][4]int{{1, 1, 1, 1}, {2, 7, 3, 4}, {2, 2, 5, 4}, {1, 1, 9, 4}, {3, 5, 2, 2}, {2, 4, 3, 7}, {2, 65, 33, 4}, {5, 100, 64, 3}} {
		for j := range 4 {
			b, l, d, k := s[0], s[1], s[2], s[3]
			silu, state := j&1 != 0, j&2 != 0
			inputs := []input{in("x", gauss(1), b, l, d), in("w", gauss(1), d, k)}
			if (i+j)%3 != 0 {
				inputs = append(inputs, in("bias", gauss(1), d))
			}
			if state && k > 1 {
				inputs = append(inputs, fixed("h", gauss(1), b, k-1, d))
			}
			cs = append(cs, opCase{op: "Conv1D", mode: fmt.Sprintf("B=%d L=%d D=%d K=%d silu=%t state=%t bias=%t", b, l, d, k, silu, state, (i+j)%3 != 0), in: inputs,
				run: one(func(r *run) *tensor.Tensor { return r.tp.Conv1D(r.v("x"), r.v("w"), r.v("bias"), silu, r.state("h")) })})
		}
	}
	return cs
}

func attentionCases() []opCase {
	var cs []opCase
	for _, s := range [][5]int{{1, 1, 1, 1, 2}, {2, 5, 5, 2, 4}, {2, 3, 7, 1, 3}, {1, 65, 65, 3, 5}, {2, 33, 70, 2, 16}, {1, 1, 9, 2, 8}} {
		b, lq, lk, h, dh := s[0], s[1], s[2], s[3], s[4]
		c := opCase{op: "Attention", mode: fmt.Sprintf("B=%d Lq=%d Lk=%d H=%d Dh=%d", b, lq, lk, h, dh),
			in:  []input{in("q", gauss(1), b, lq, h*dh), in("k", gauss(1), b, lk, h*dh), in("v", gauss(1), b, lk, h*dh)},
			run: one(func(r *run) *tensor.Tensor { return r.tp.Attention(r.v("q"), r.v("k"), r.v("v"), h) })}
		if lk == 1 { // one key has all the weight
			c.zero = []string{"q", "k"}
		}
		cs = append(cs, c)
		cs = append(cs, opCase{op: "AttentionCached", mode: c.mode, in: c.in, noGrad: "caches carry none",
			run: one(func(r *run) *tensor.Tensor {
				return r.tp.AttentionCached(r.v("q"), r.v("k"), r.v("v"), max(lq, lk-2), h)
			})})
	}
	attend := one(func(r *run) *tensor.Tensor { return r.tp.Attention(r.v("q"), r.v("k"), r.v("v"), 1) })
	large := opCase{op: "Attention", mode: "scores to 20", in: []input{in("q", gauss(3), 1, 9, 8), in("k", gauss(3), 1, 9, 8), in("v", gauss(1), 1, 9, 8)}, run: attend}
	huge := opCase{op: "Attention", mode: "scores to 500", in: []input{in("q", gauss(20), 1, 9, 8), in("k", gauss(20), 1, 9, 8), in("v", gauss(1), 1, 9, 8)},
		noGrad: "one key has all the weight, so gradients are differences of equal numbers", run: attend}
	shared := opCase{op: "Attention", mode: "q = k = v", in: []input{in("x", gauss(1), 2, 5, 6)},
		run: one(func(r *run) *tensor.Tensor { return r.tp.Attention(r.v("x"), r.v("x"), r.v("x"), 3) })}
	return append(append(cs, large, huge, shared), rotaryCases()...)
}

func rotaryCases() []opCase {
	var cs []opCase
	for _, s := range [][5]int{{1, 1, 1, 2, 0}, {2, 5, 3, 4, 0}, {2, 7, 1, 6, 13}, {2, 65, 2, 34, 1000}} {
		b, l, h, dh, offset := s[0], s[1], s[2], s[3], s[4]
		cs = append(cs, opCase{op: "Rotary", mode: fmt.Sprintf("B=%d L=%d H=%d Dh=%d offset=%d", b, l, h, dh, offset),
			in:  []input{in("x", gauss(1), b, l, h*dh)},
			run: one(func(r *run) *tensor.Tensor { return r.tp.Rotary(r.v("x"), h, offset) })})
	}
	return cs
}

func timeCases() []opCase {
	var cs []opCase
	for _, s := range [][4]int{{1, 1, 1, 0}, {2, 5, 3, 2}, {2, 5, 3, -1}, {3, 65, 33, -65}} {
		x := in("x", gauss(1), s[0], s[1], s[2])
		mode := fmt.Sprint(s[:3])
		cs = append(cs, opCase{op: "SelectTime", mode: fmt.Sprintf("%s step %d", mode, s[3]), in: []input{x},
			run: one(func(r *run) *tensor.Tensor { return r.tp.SelectTime(r.v("x"), s[3]) })})
		if s[3] >= 0 || s[1] == 65 {
			cs = append(cs, opCase{op: "MeanPool", mode: mode, in: []input{x},
				run: one(func(r *run) *tensor.Tensor { return r.tp.MeanPool(r.v("x")) })})
		}
	}
	for at := range 3 {
		cs = append(cs, opCase{op: "StoreSteps", mode: fmt.Sprintf("at %d", at), noGrad: "a cache carries none",
			in: []input{fixed("x", gauss(1), 2, 3, 5), fixed("cache", gauss(1), 2, 5, 5)},
			run: func(r *run) []*tensor.Tensor {
				r.tp.StoreSteps(r.v("x"), r.state("cache"), at)
				return nil
			}})
	}
	return cs
}

// viewCases pass views to operations, so that gradients arrive in a part of the
// memory of what is viewed.
func viewCases() []opCase {
	w := []input{in("x", gauss(1), 2, 3, 4), in("w", gauss(1), 6, 4)}
	return []opCase{
		{op: "Linear", mode: "rows of a weight, the rest unused", in: w,
			run: one(func(r *run) *tensor.Tensor { return r.tp.Linear(r.v("x"), r.v("w").Rows(1, 4), nil) })},
		{op: "Linear", mode: "overlapping rows of a weight", in: w, run: func(r *run) []*tensor.Tensor {
			return []*tensor.Tensor{r.tp.Linear(r.v("x"), r.v("w").Rows(0, 4), nil), r.tp.Linear(r.v("x"), r.v("w").Rows(2, 6), nil)}
		}},
		{op: "Linear", mode: "a weight and its rows", in: w, run: func(r *run) []*tensor.Tensor {
			return []*tensor.Tensor{r.tp.Linear(r.v("x"), r.v("w"), nil), r.tp.Linear(r.v("x"), r.v("w").Rows(5, 6), nil)}
		}},
		{op: "MatMul", mode: "reshaped leaf and intermediate", in: w, run: one(func(r *run) *tensor.Tensor {
			x := r.tp.Map(tensor.Tanh, r.v("x")).Reshape(6, -1)
			return r.tp.MatMul(x, r.v("w").Reshape(4, 6), false, false)
		})},
		{op: "Add", mode: "reshaped intermediate with itself", in: w[:1], run: one(func(r *run) *tensor.Tensor {
			x := r.tp.Scale(3, r.v("x"))
			return r.tp.Add(x.Reshape(24), x.Reshape(-1))
		})},
		{op: "Mul", mode: "rows of an intermediate", in: w[1:], run: one(func(r *run) *tensor.Tensor {
			x := r.tp.Map(tensor.Square, r.v("w"))
			return r.tp.Mul(x.Rows(0, 3), x.Rows(2, 5))
		})},
		{op: "Map", mode: "rows of rows, reshaped", in: w[1:], run: one(func(r *run) *tensor.Tensor {
			return r.tp.Map(tensor.Exp, r.v("w").Rows(1, 6).Rows(1, 3).Reshape(2, 2, 2).Rows(1, 2))
		})},
		{op: "Sub", mode: "rows of a leaf and all of it", in: w[1:], run: func(r *run) []*tensor.Tensor {
			x := r.v("w")
			return []*tensor.Tensor{r.tp.Sub(x.Rows(0, 2), x.Rows(4, 6)), r.tp.Map(tensor.Sin, x)}
		}},
	}
}

// reuseCases use tensors more than once, or not at all.
func reuseCases() []opCase {
	x := in("x", gauss(1), 2, 6)
	return []opCase{
		{op: "Add", mode: "x + x", in: []input{x}, run: one(func(r *run) *tensor.Tensor { return r.tp.Add(r.v("x"), r.v("x")) })},
		{op: "Sub", mode: "x − x", in: []input{x}, zero: []string{"out 0", "x"}, run: one(func(r *run) *tensor.Tensor { return r.tp.Sub(r.v("x"), r.v("x")) })},
		{op: "Mul", mode: "x ⊙ x", in: []input{x}, run: one(func(r *run) *tensor.Tensor { return r.tp.Mul(r.v("x"), r.v("x")) })},
		{op: "SiLUMul", mode: "x by itself", in: []input{x}, run: one(func(r *run) *tensor.Tensor { return r.tp.SiLUMul(r.v("x"), r.v("x")) })},
		{op: "Add", mode: "intermediate + itself, used again", in: []input{x}, run: one(func(r *run) *tensor.Tensor {
			y := r.tp.Map(tensor.Tanh, r.v("x"))
			z := r.tp.Add(y, y)
			return r.tp.Mul(r.tp.Add(z, y), z)
		})},
		{op: "Add", mode: "residual chain", in: []input{x}, run: one(func(r *run) *tensor.Tensor {
			y := r.v("x")
			for range 3 {
				y = r.tp.Add(y, r.tp.Map(tensor.Tanh, y))
			}
			return y
		})},
		{op: "Sub", mode: "retained intermediates", in: []input{x}, run: one(func(r *run) *tensor.Tensor {
			y := r.tp.Map(tensor.Square, r.v("x")).Retain()
			z := r.tp.Sub(y, r.tp.Scale(2, y)).Retain()
			return r.tp.AddRow(z, r.tp.SelectTime(y.Reshape(1, 2, 6), 0).Reshape(6))
		})},
		{op: "Split", mode: "an unused part", in: []input{x}, run: one(func(r *run) *tensor.Tensor {
			p := r.tp.Split(r.tp.Map(tensor.Exp, r.v("x")), 1, 3, 2)
			return r.tp.Concat(p[2], p[0])
		})},
		{op: "Split", mode: "a part used twice, a branch to nowhere", in: []input{x}, run: one(func(r *run) *tensor.Tensor {
			p := r.tp.Split(r.v("x"), 3, 3)
			r.tp.Map(tensor.Exp, p[1])
			return r.tp.Mul(p[0], p[0])
		})},
		{op: "Concat", mode: "a part twice", in: []input{x}, run: one(func(r *run) *tensor.Tensor { return r.tp.Concat(r.v("x"), r.v("x")) })},
	}
}
