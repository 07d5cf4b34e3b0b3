package tensor_test

import (
	"slices"
	"testing"

	"github.com/gophersnake/gophersnake/internal/mixertest"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

func TestBackwardRefuses(t *testing.T) {
	for _, d := range mixertest.Devices(t) {
		x := tensor.Variable(d, []float64{1, 2}, 2)
		c := tensor.From(d, []float64{1, 2}, 2)
		tp := tensor.NewTape(d)
		mixertest.MustPanic(t, "two elements", func() { tp.Backward(tp.Map(tensor.Exp, x)) }, "tensor: Backward: loss is (2)", "want one element")
		mixertest.MustPanic(t, "constants", func() { tp.Backward(tp.Sum(c)) }, "tensor: Backward", "needs a gradient")
		mixertest.MustPanic(t, "a leaf", func() { tp.Backward(tensor.Variable(d, []float64{1}, 1)) }, "tensor: Backward", "tape")
		mixertest.MustPanic(t, "of another tape", func() { tensor.NewTape(d).Backward(tp.Sum(x)) }, "tensor: Backward", "tape")
		loss := tp.Sum(x)
		tp.Backward(loss)
		mixertest.MustPanic(t, "twice", func() { tp.Backward(loss) }, "tensor: Backward", "no longer on this tape")
		tp.Sum(x)
		mixertest.MustPanic(t, "twice, something recorded since", func() { tp.Backward(loss) }, "tensor: Backward", "no longer on this tape")
		tp.Reset()
		loss = tp.Sum(x)
		tp.Reset()
		mixertest.MustPanic(t, "after Reset", func() { tp.Backward(loss) }, "tensor: Backward", "no longer on this tape")
		tp.SetGrad(false)
		mixertest.MustPanic(t, "with gradients off", func() { tp.Backward(tp.Sum(x)) }, "tensor: Backward", "needs a gradient")
		if got := x.Grad(); !slices.Equal(got, []float64{1, 1}) {
			t.Errorf("%s: the refused calls left gradient %v, want that of the only one, 1, 1", d, got)
		}
	}
}

func TestSecondLossOnOneTape(t *testing.T) {
	for _, d := range mixertest.Devices(t) {
		x := tensor.Variable(d, []float64{3}, 1)
		tp := tensor.NewTape(d)
		tp.Poison(true)
		tp.Backward(tp.Sum(tp.Map(tensor.Square, x)))
		tp.Backward(tp.Sum(tp.Scale(10, x)))
		if got := x.Grad()[0]; got != 16 {
			t.Errorf("%s: gradient %v, want 6 + 10", d, got)
		}
	}
}

func TestReadingReleasedTensorPanics(t *testing.T) {
	const hint = "call Retain when it is made"
	for _, d := range mixertest.Devices(t) {
		x := tensor.Variable(d, []float64{1, 2}, 2)
		tp := tensor.NewTape(d)
		y := tp.Map(tensor.Square, x)
		view := y.Reshape(2, 1)
		loss := tp.Sum(y)
		tp.Backward(loss)
		if got := loss.Item(); got != 5 {
			t.Errorf("%s: loss %v after Backward, want 5: it is retained", d, got)
		}
		uses := map[string]func(){
			"Data": func() { y.Data() }, "Grad": func() { y.Grad() }, "Item": func() { y.Reshape(2).Rows(0, 1).Item() },
			"SetData": func() { y.SetData([]float64{1, 2}) }, "Zero": func() { y.Zero() }, "CopyFrom": func() { y.CopyFrom(x) },
			"a view's Data": func() { view.Data() }, "Sum": func() { tp.Sum(y) }, "Linear": func() { tp.Linear(x, view, nil) },
		}
		for name, use := range uses {
			mixertest.MustPanic(t, d.Name()+" "+name, use, "tensor: ", "given back by Backward or Reset", hint)
		}
		mixertest.MustPanic(t, "source of CopyFrom", func() { x.CopyFrom(y) }, "tensor: CopyFrom", hint)
		tp.Reset()
		mixertest.MustPanic(t, "loss after Reset", func() { loss.Item() }, "tensor: Data", hint)
	}
}

func TestRetain(t *testing.T) {
	for _, d := range mixertest.Devices(t) {
		x := tensor.Variable(d, []float64{1, 2}, 2)
		tp := tensor.NewTape(d)
		tp.Poison(true)
		y := tp.Map(tensor.Square, x).Retain()
		z := tp.Map(tensor.Square, y)
		z.Reshape(2, 1).Retain() // of a view: of what it views
		tp.Backward(tp.Sum(tp.Add(z, tp.Sub(y, z))))
		for i, want := range [][]float64{{1, 4}, {1, 16}} {
			if got := []*tensor.Tensor{y, z}[i].Data(); !slices.Equal(got, want) {
				t.Errorf("%s: retained %v, want %v", d, got, want)
			}
		}
		if got, want := y.Grad(), []float64{1, 1}; !slices.Equal(got, want) {
			t.Errorf("%s: gradient of a retained tensor %v, want %v", d, got, want)
		}
		tp.Map(tensor.Exp, x) // takes memory again, not that of y
		if got := y.Data(); !slices.Equal(got, []float64{1, 4}) {
			t.Errorf("%s: a later operation overwrote a retained tensor: %v", d, got)
		}
		tp.Reset()
		mixertest.MustPanic(t, "after Reset", func() { y.Data() }, "given back")
	}
}

func TestGradientsAddUp(t *testing.T) {
	for _, d := range mixertest.Devices(t) {
		p := tensor.NewParam(d, "p", tensor.Decay, []float64{3, -1}, 2)
		free := tensor.NewParam(d, "unused", tensor.Decay, []float64{1}, 1)
		params := []*tensor.Param{p, free}
		if got := tensor.SumSquaresGrad(params); got != 0 {
			t.Errorf("%s: norm² %v before any gradient, want 0", d, got)
		}
		step := func(tp *tensor.Tape) { tp.Backward(tp.Sum(tp.Map(tensor.Square, p.Tensor))) }
		tp := tensor.NewTape(d)
		for i, run := range []func(){
			func() { step(tp) }, func() { tp.Reset(); step(tp) }, func() { step(tensor.NewTape(d)) },
		} {
			run()
			k := float64(2 * (i + 1))
			if got, want := p.Grad(), []float64{3 * k, -k}; !slices.Equal(got, want) {
				t.Errorf("%s: after %d steps the gradient is %v, want %v", d, i+1, got, want)
			}
		}
		if got := tensor.SumSquaresGrad(params); got != 18*18+6*6 {
			t.Errorf("%s: norm² %v, want 360", d, got)
		}
		tensor.ZeroGrad(params)
		if got := p.Grad(); !slices.Equal(got, []float64{0, 0}) {
			t.Errorf("%s: gradient %v after ZeroGrad", d, got)
		}
		step(tp)
		if got := p.Grad(); !slices.Equal(got, []float64{6, -2}) {
			t.Errorf("%s: gradient %v in the step after ZeroGrad, want 6, -2", d, got)
		}
		if got := free.Grad(); !slices.Equal(got, []float64{0}) {
			t.Errorf("%s: gradient %v of a parameter that was not used, want 0", d, got)
		}
	}
}

func TestReset(t *testing.T) {
	for _, d := range mixertest.Devices(t) {
		x := tensor.Variable(d, []float64{1, 2}, 2)
		tp := tensor.NewTape(d)
		for i := range 3 {
			y := tp.Map(tensor.Exp, x)
			held := tp.Bytes()
			tp.Reset()
			mixertest.MustPanic(t, "a tensor of before", func() { y.Data() }, "given back")
			if tp.Bytes() != held || held == 0 {
				t.Errorf("%s: round %d: %d bytes after Reset, %d before, want the same", d, i, tp.Bytes(), held)
			}
		}
		if got := x.Data(); !slices.Equal(got, []float64{1, 2}) {
			t.Errorf("%s: Reset changed a variable to %v", d, got)
		}
	}
}

func TestSetGrad(t *testing.T) {
	for _, d := range mixertest.Devices(t) {
		x := tensor.Variable(d, []float64{1, 2}, 2)
		tp := tensor.NewTape(d)
		tp.SetGrad(false)
		y := tp.Map(tensor.Square, x)
		if y.NeedsGrad() || y.Grad() != nil {
			t.Errorf("%s: a result needs a gradient with gradients off", d)
		}
		tp.SetGrad(true)
		tp.Backward(tp.Sum(tp.Mul(y, x))) // y counts as a constant
		if got := x.Grad(); !slices.Equal(got, []float64{1, 4}) {
			t.Errorf("%s: gradient %v, want y = 1, 4", d, got)
		}
	}
}

// firstCases is one case of each operation.
func firstCases() []opCase {
	var first []opCase
	seen := map[string]bool{}
	for _, c := range cases() {
		if !seen[c.op] {
			first = append(first, c)
		}
		seen[c.op] = true
	}
	return first
}

// panicName is what an operation calls itself.
func panicName(op string) string { return "tensor: " + op + ":" }

func TestOperationsRefuseOtherDevices(t *testing.T) {
	for _, c := range firstCases() {
		r := newRun(c, tensor.Reference())
		r.tp = tensor.NewTape(tensor.CPU(1))
		mixertest.MustPanic(t, c.op, func() { c.run(r) }, panicName(c.op), "is on reference", "want cpu")
		if r.tp.Bytes() != 0 {
			t.Errorf("%s: took %d bytes before it refused", c.op, r.tp.Bytes())
		}
	}
}

func TestOperationsRefuseReleasedInputs(t *testing.T) {
	for _, c := range firstCases() {
		r := newRun(c, tensor.Reference())
		r.tp = tensor.NewTape(tensor.Reference())
		for name, x := range r.in {
			r.in[name] = r.tp.Scale(1, x)
		}
		r.tp.Reset()
		if c.op == "Argmax" || c.op == "StoreSteps" || c.op == "AttentionCached" {
			r.tp.SetGrad(false)
		}
		mixertest.MustPanic(t, c.op, func() { c.run(r) }, panicName(c.op), "given back by Backward or Reset")
	}
}
