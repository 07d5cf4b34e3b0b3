package rnn

import (
	"maps"
	"slices"
	"testing"

	"github.com/gophersnake/gophersnake/internal/golden"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// As conform_test.go, this file is the same in pkg/rnn and pkg/ssm but for the
// package clause: how a layer is held to PyTorch's vectors.

// checkVector runs a layer on one case of testdata/torch, which must hold every
// parameter under its name, and compares the output and the gradients of the
// parameters and of extra.
func checkVector(t *testing.T, c golden.Case, params []*tensor.Param, run func(tp *tensor.Tape) *tensor.Tensor, extra map[string]*tensor.Tensor, tol func(name string) float64) {
	t.Helper()
	vars := maps.Clone(extra)
	for _, p := range params {
		in, ok := c.Inputs[p.Name]
		if !ok || len(in.Data) != p.Len() {
			t.Fatalf("%s: no input %s of %d elements", c.Name, p.Name, p.Len())
		}
		p.SetData(in.Data)
		vars[p.Name] = p.Tensor
	}
	checkOperation(t, c, run, vars, tol)
}

// checkOperation runs a case and compares the output and the gradients of vars,
// relative to the largest element of each.
func checkOperation(t *testing.T, c golden.Case, run func(tp *tensor.Tape) *tensor.Tensor, vars map[string]*tensor.Tensor, tol func(name string) float64) {
	t.Helper()
	dev := vars[slices.Min(slices.Collect(maps.Keys(vars)))].Device()
	tp := newTape(dev)
	out := run(tp).Retain()
	tp.Backward(tp.Sum(tp.Mul(out, tensor.From(dev, c.Inputs["dy"].Data, out.Shape()...))))
	zero, _ := c.Meta["zero_grads"].([]any)
	compare := func(name string, got, want []float64) {
		e := golden.RelErr(got, want)
		if slices.Contains(zero, any(name)) { // no size to be relative to: absolute
			e = golden.RelErr(append(got, 1), append(want, 1))
		}
		if !(e <= tol(name)) {
			t.Errorf("%s %s: %s: relative error %.3g > %g", dev.Name(), c.Name, name, e, tol(name))
		}
		record(t, "torch "+dev.Name(), e)
	}
	compare("out", out.Data(), c.Outputs["out"].Data)
	for name, v := range vars {
		compare(name, v.Grad(), c.Grads[name].Data)
	}
}
