package mixertest

import (
	"maps"
	"slices"
	"testing"

	"github.com/gophersnake/gophersnake/internal/golden"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// Vector is one case of testdata/torch and what computes it here.
type Vector struct {
	Case golden.Case
	Run  func(tp *tensor.Tape) *tensor.Tensor
	// Params are set to the inputs of their names, which the case must hold.
	Params []*tensor.Param
	// Vars are the other inputs, by the case's names.
	Vars map[string]*tensor.Tensor
	// Tol bounds the error of "out" and of the gradient of each input.
	Tol func(name string) float64
}

// Check compares the output and the gradients of Params and Vars, relative to
// the largest element of each, and returns the largest error.
func (v Vector) Check(t testing.TB) (worst float64) {
	t.Helper()
	c, vars := v.Case, v.variables(t)
	if len(vars) == 0 {
		t.Fatalf("%s: no variables", c.Name)
	}
	dev := vars[slices.Min(slices.Collect(maps.Keys(vars)))].Device()
	tp := NewTape(dev)
	out := v.Run(tp).Retain()
	tp.Backward(tp.Sum(tp.Mul(out, tensor.From(dev, c.Inputs["dy"].Data, out.Shape()...))))
	zero, _ := c.Meta["zero_grads"].([]any)
	compare := func(name string, got, want []float64) {
		e := golden.RelErr(got, want)
		if slices.Contains(zero, any(name)) { // no size to be relative to: absolute
			e = golden.RelErr(append(got, 1), append(want, 1))
		}
		if !(e <= v.Tol(name)) {
			t.Errorf("%s %s: %s: relative error %.3g > %g", dev.Name(), c.Name, name, e, v.Tol(name))
		}
		worst = max(worst, e)
	}
	compare("out", out.Data(), c.Outputs["out"].Data)
	for name, x := range vars {
		compare(name, x.Grad(), c.Grads[name].Data)
	}
	return worst
}

// variables sets the parameters and returns them together with Vars.
func (v Vector) variables(t testing.TB) map[string]*tensor.Tensor {
	t.Helper()
	vars := ByName(v.Params)
	maps.Copy(vars, v.Vars)
	for _, p := range v.Params {
		in, ok := v.Case.Inputs[p.Name]
		if !ok || len(in.Data) != p.Len() {
			t.Fatalf("%s: no input %s of %d elements", v.Case.Name, p.Name, p.Len())
		}
		p.SetData(in.Data)
	}
	return vars
}
