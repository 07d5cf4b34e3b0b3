package tensor_test

import (
	"fmt"
	"math"

	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// domains are the inputs of a function where the standard ones do not do.
var domains = map[tensor.Func]dist{
	tensor.Log: uniform(0.1, 20), tensor.Recip: away(0.3, 4),
	tensor.ReLU: away(0.01, 3), tensor.MinG: away(0.01, 3), // kinks at 0
}

// extremes are inputs at which float32 overflows, underflows or saturates in a
// careless formula.
var extremes = map[tensor.Func][]float64{
	tensor.Tanh: {1e4, -1e4, 20, -20, 1e-6}, tensor.Sigmoid: {1e4, -1e4, 88, -88, 104, -104, 0},
	tensor.SiLU: {1e4, -1e4, 88, -88, 104, -104, 0}, tensor.GELU: {1e4, -1e4, 13, -13, 0},
	tensor.GELUTanh: {1e4, -1e4, 13, -13, 0}, tensor.Softplus: {1e4, -1e4, 19.9, 20.1, -88, -104, 0},
	tensor.ReLU: {1e30, -1e30}, tensor.Exp: {80, -80, -104, 0, 88}, tensor.Log: {1e-37, 1e37, 1},
	tensor.Neg: {1e38, -1e38}, tensor.Square: {1e18, -1e-18}, tensor.Sin: {100, -100, 0}, tensor.Cos: {100, -100, 0},
	tensor.Recip: {1e18, -1e-18, 1}, tensor.MinG: {1e4, -1e4, 88, -104},
}

func mapCases() []opCase {
	var cs []opCase
	for _, f := range tensor.Funcs() {
		d := domains[f]
		if d == nil {
			d = gauss(2)
		}
		apply := one(func(r *run) *tensor.Tensor { return r.tp.Map(f, r.v("x")) })
		for _, shape := range [][]int{{1}, {2, 3, 5}, {3, 65, 97}} {
			cs = append(cs, opCase{op: "Map", mode: fmt.Sprintf("%s %v", f, shape), in: []input{in("x", d, shape...)}, run: apply})
		}
		cs = append(cs, opCase{op: "Map", mode: string(f) + " extreme", in: []input{in("x", listed(extremes[f]...), len(extremes[f]))},
			noDiff: "the values span more than the 53 bits of a difference", run: apply})
	}
	return cs
}

func pointwiseCases() []opCase {
	binary := map[string]func(tp *tensor.Tape, a, b *tensor.Tensor) *tensor.Tensor{
		"Add": (*tensor.Tape).Add, "Sub": (*tensor.Tape).Sub, "Mul": (*tensor.Tape).Mul, "SiLUMul": (*tensor.Tape).SiLUMul,
	}
	var cs []opCase
	for _, op := range []string{"Add", "Sub", "Mul", "SiLUMul"} {
		f := one(func(r *run) *tensor.Tensor { return binary[op](r.tp, r.v("a"), r.v("b")) })
		for _, shape := range [][]int{{1}, {3, 7}, {2, 3, 5}, {3, 65, 97}} {
			cs = append(cs, opCase{op: op, mode: fmt.Sprint(shape), in: []input{in("a", gauss(1), shape...), in("b", gauss(2), shape...)}, run: f})
		}
		cs = append(cs,
			opCase{op: op, mode: "only a has a gradient", in: []input{in("a", gauss(1), 5), fixed("b", gauss(2), 5)}, run: f},
			opCase{op: op, mode: "only b has a gradient", in: []input{fixed("a", gauss(1), 5), in("b", gauss(2), 5)}, run: f})
	}
	cs = append(cs, opCase{op: "SiLUMul", mode: "saturated gate", in: []input{in("a", gauss(1), 6), in("b", listed(1e4, -1e4, 88, -88, 104, -104), 6)},
		noDiff: "the gate spans 1e4 to 1e-43",
		run:    one(func(r *run) *tensor.Tensor { return r.tp.SiLUMul(r.v("a"), r.v("b")) })})
	unary := func(op, mode string, x input, f func(r *run) *tensor.Tensor) {
		cs = append(cs, opCase{op: op, mode: mode, in: []input{x}, run: one(f)})
	}
	for _, shape := range [][]int{{1}, {2, 3, 5}, {3, 65, 97}} {
		mode, x := fmt.Sprint(shape), in("x", gauss(1), shape...)
		unary("Scale", mode, x, func(r *run) *tensor.Tensor { return r.tp.Scale(-1.75, r.v("x")) })
		unary("Sum", mode, in("x", uniform(-1, 2), shape...), func(r *run) *tensor.Tensor { return r.tp.Sum(r.v("x")) })
		unary("Mean", mode, in("x", uniform(-1, 2), shape...), func(r *run) *tensor.Tensor { return r.tp.Mean(r.v("x")) })
	}
	zero := opCase{op: "Scale", mode: "by 0", in: []input{in("x", gauss(1), 5)}, zero: []string{"out 0", "x"},
		run: one(func(r *run) *tensor.Tensor { return r.tp.Scale(0, r.v("x")) })}
	return append(cs, zero)
}

func rowCases() []opCase {
	var cs []opCase
	for _, shape := range [][]int{{1}, {7}, {2, 3, 5}, {3, 65, 97}, {700, 3}} {
		n := shape[len(shape)-1]
		inputs := []input{in("x", gauss(1), shape...), in("row", gauss(1), n)}
		cs = append(cs,
			opCase{op: "AddRow", mode: fmt.Sprint(shape), in: inputs,
				run: one(func(r *run) *tensor.Tensor { return r.tp.AddRow(r.v("x"), r.v("row")) })},
			opCase{op: "MulRow", mode: fmt.Sprint(shape), in: inputs,
				run: one(func(r *run) *tensor.Tensor { return r.tp.MulRow(r.v("x"), r.v("row")) })})
	}
	inputs := []input{fixed("x", gauss(1), 3, 5), in("row", gauss(1), 5)}
	return append(cs,
		opCase{op: "AddRow", mode: "only row has a gradient", in: inputs, run: one(func(r *run) *tensor.Tensor { return r.tp.AddRow(r.v("x"), r.v("row")) })},
		opCase{op: "MulRow", mode: "only row has a gradient", in: inputs, run: one(func(r *run) *tensor.Tensor { return r.tp.MulRow(r.v("x"), r.v("row")) })})
}

func dropoutCases() []opCase {
	var cs []opCase
	for _, p := range []float64{0, 0.1, 0.5, 0.9} {
		cs = append(cs, opCase{op: "Dropout", mode: fmt.Sprintf("p=%g", p), in: []input{in("x", gauss(1), 3, 65, 97)},
			run: one(func(r *run) *tensor.Tensor { r.tp.SetSeed(11); return r.tp.Dropout(p, r.v("x")) })})
	}
	return append(cs,
		opCase{op: "Dropout", mode: "twice", in: []input{in("x", gauss(1), 17)}, run: func(r *run) []*tensor.Tensor {
			r.tp.SetSeed(12)
			return []*tensor.Tensor{r.tp.Dropout(0.3, r.v("x")), r.tp.Dropout(0.3, r.v("x"))}
		}},
		opCase{op: "Dropout", mode: "training off", in: []input{in("x", gauss(1), 17)}, run: one(func(r *run) *tensor.Tensor {
			r.tp.SetTraining(false)
			return r.tp.Dropout(0.5, r.v("x"))
		})})
}

// hypot is a user's operation with two outputs, one of which may be unused:
// √(a²+b²) and a·b.
var hypot = tensor.Function{
	Name: "hypot",
	Forward: func(in, out [][]float64) {
		for i := range out[0] {
			out[0][i] = math.Hypot(in[0][i], in[1][i])
			out[1][i] = in[0][i] * in[1][i]
		}
	},
	Backward: func(in, out, dout, din [][]float64) {
		for side := range din {
			if din[side] == nil {
				continue
			}
			for i := range din[side] {
				din[side][i] += dout[0][i]*in[side][i]/out[0][i] + dout[1][i]*in[1-side][i]
			}
		}
	},
}

func applyCases() []opCase {
	apply := func(r *run, a, b *tensor.Tensor) []*tensor.Tensor {
		return r.tp.Apply(hypot, [][]int{a.Shape(), a.Shape()}, a, b)
	}
	two := []input{in("a", away(0.5, 2), 2, 3), in("b", away(0.5, 2), 2, 3)}
	return []opCase{
		{op: "Apply", mode: "two outputs", in: two, run: func(r *run) []*tensor.Tensor { return apply(r, r.v("a"), r.v("b")) }},
		{op: "Apply", mode: "second output unused", in: two, run: func(r *run) []*tensor.Tensor { return apply(r, r.v("a"), r.v("b"))[:1] }},
		{op: "Apply", mode: "b without gradient", in: []input{two[0], fixed("b", away(0.5, 2), 2, 3)},
			run: func(r *run) []*tensor.Tensor { return apply(r, r.v("a"), r.v("b")) }},
		{op: "Apply", mode: "one tensor twice", in: two[:1], run: func(r *run) []*tensor.Tensor { return apply(r, r.v("a"), r.v("a")) }},
		{op: "Apply", mode: "in the middle", in: two, run: one(func(r *run) *tensor.Tensor {
			x := r.tp.Map(tensor.Exp, r.v("a"))
			y := apply(r, x, r.tp.Map(tensor.Exp, r.v("b")))
			return r.tp.Mul(r.tp.Add(y[0], y[1]), x)
		})},
	}
}
