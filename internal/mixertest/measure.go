package mixertest

import (
	"maps"
	"math"
	"slices"
	"testing"

	"github.com/gophersnake/gophersnake/internal/golden"
	"github.com/gophersnake/gophersnake/pkg/nn"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

const (
	// DiffTol bounds the error of a gradient: a central difference with step
	// ε^(1/3) is good to about ε^(2/3) = 2e-11 times third derivatives of size
	// up to 1e3; the project promises 1e-6.
	DiffTol = 1e-6
	// ForwardTol and GradTol are what the project promises for cpu against
	// reference.
	ForwardTol, GradTol = 1e-5, 1e-4
)

// StepTol bounds what one sum in two orders makes of the same sequence: at
// float64 and at float32, amplified by the memory of a layer over 65 steps.
func StepTol(d *tensor.Device) float64 {
	if d.Name() == "reference" {
		return 1e-12
	}
	return 1e-5
}

// RelErr is golden.RelErr, but +Inf also where want is all 0: a result or a
// gradient that nothing moves proves nothing.
func RelErr(got, want []float64) float64 {
	if !slices.ContainsFunc(want, func(v float64) bool { return v != 0 }) {
		return math.Inf(1)
	}
	return golden.RelErr(got, want)
}

// Worst collects the largest error of each kind, logged under go test -v.
type Worst map[string]float64

// Note keeps e if it is the largest of its kind.
func (w Worst) Note(kind string, e float64) { w[kind] = max(w[kind], e) }

// Log logs the largest errors.
func (w Worst) Log(t testing.TB) {
	t.Helper()
	for _, kind := range slices.Sorted(maps.Keys(w)) {
		t.Logf("largest error, %s: %.3g", kind, w[kind])
	}
}

// Gradient compares the gradients of f on reference with central differences,
// in at most perTensor elements of each of wrt (0: all), and returns the largest
// error. It fails above DiffTol, and when another number of elements was tried.
func Gradient(t testing.TB, name string, f func(tp *tensor.Tape) *tensor.Tensor, wrt []*tensor.Tensor, perTensor int) float64 {
	t.Helper()
	total := 0
	for _, x := range wrt {
		n := x.Len()
		if perTensor > 0 {
			n = min(perTensor, n)
		}
		total += n
	}
	rep, err := tensor.GradCheck(tensor.Reference(), f, wrt, perTensor)
	if err != nil {
		t.Fatal(err)
	}
	if rep.Checked != total || !(rep.MaxError <= DiffTol) {
		t.Errorf("%s: checked %d of %d elements, largest error %.3g > %g: %s", name, rep.Checked, total, rep.MaxError, DiffTol, rep.Where)
	}
	return rep.MaxError
}

// Evaluation is a forward and a backward pass: y and the gradients of Σ y ⊙ dy
// for a fixed random dy.
type Evaluation struct {
	Y     []float64
	Grads map[string][]float64
}

// Evaluate runs f on d; wrt names what to differentiate by.
func Evaluate(d *tensor.Device, f func(tp *tensor.Tape) *tensor.Tensor, wrt map[string]*tensor.Tensor) Evaluation {
	tp := NewTape(d)
	y := f(tp).Retain()
	tp.Backward(tp.Sum(tp.Mul(y, tensor.From(d, Noise(9, y.Len()), y.Shape()...))))
	e := Evaluation{Y: y.Data(), Grads: map[string][]float64{}}
	for name, x := range wrt {
		e.Grads[name] = x.Grad()
	}
	return e
}

// ByName returns the parameters as a map for Evaluate.
func ByName(params []*tensor.Param) map[string]*tensor.Tensor {
	m := map[string]*tensor.Tensor{}
	for _, p := range params {
		m[p.Name] = p.Tensor
	}
	return m
}

// Equal says whether the bits of e and o are the same.
func (e Evaluation) Equal(o Evaluation) bool {
	return slices.Equal(e.Y, o.Y) && maps.EqualFunc(e.Grads, o.Grads, slices.Equal[[]float64])
}

// Compare holds cpu's evaluation against reference's and returns the largest
// errors. It fails for what is all 0: a parameter without influence.
func Compare(t testing.TB, got, want Evaluation) (forward, grad float64) {
	t.Helper()
	if forward = RelErr(got.Y, want.Y); !(forward <= ForwardTol) {
		t.Errorf("output: relative error %.3g > %g", forward, ForwardTol)
	}
	for name, g := range want.Grads {
		e := RelErr(got.Grads[name], g)
		if grad = max(grad, e); !(e <= GradTol) {
			t.Errorf("gradient of %s: relative error %.3g > %g", name, e, GradTol)
		}
	}
	return forward, grad
}

// Superposition returns how far f(u+v) is from f(u) + f(v) over l steps; with
// biases of 0 it is round-off for a linear m.
func Superposition(m nn.Mixer, d, l int) float64 {
	dev := tensor.Reference()
	f := func(x []float64) []float64 { return Forward(m, dev, x, 1, l, nil) }
	u, v := Noise(41, l*d), Noise(42, l*d)
	return golden.RelErr(sum(f(u), f(v)), f(sum(u, v)))
}

func sum(a, b []float64) []float64 {
	out := slices.Clone(a)
	for i, v := range b {
		out[i] += v
	}
	return out
}
