package nn_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/gophersnake/gophersnake/pkg/nn"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

const (
	// A central difference with step ε^(1/3) is good to about ε^(2/3) = 2e-11
	// times third derivatives of size up to 1e3; the project promises 1e-6.
	diffTol = 1e-6
	// The project's promise for cpu against reference.
	forwardTol, gradTol = 1e-5, 1e-4
	// One sum in two orders: float64 and float32, over a memory of some steps.
	stepTolReference, stepTolCPU = 1e-12, 1e-5
)

// devices opens every device.
func devices(t *testing.T) []*tensor.Device {
	t.Helper()
	var all []*tensor.Device
	for _, name := range tensor.DeviceNames() {
		d, err := tensor.OpenDevice(name, 2)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, d)
	}
	return all
}

func stepTol(d *tensor.Device) float64 {
	if d.Name() == "reference" {
		return stepTolReference
	}
	return stepTolCPU
}

// leaky is a mixer with a memory: h_t = a ⊙ h_{t−1} + x_t.
type leaky struct{ a *tensor.Param }

func newLeaky(b *nn.Builder, width int) (nn.Mixer, error) {
	a := make([]float64, width)
	for i := range a {
		a[i] = 0.2 + 0.6*b.Rand.Float64()
	}
	return &leaky{b.Param("a", tensor.Recurrent, a, width)}, nil
}

func (*leaky) Name() string { return "leaky" }

func (m *leaky) Forward(tp *tensor.Tape, x *tensor.Tensor, s *nn.State) *tensor.Tensor {
	y := tp.Scan(m.a.Tensor, x, s.Get("h"))
	s.Advance(x.Dim(1))
	return y
}

func (m *leaky) NewState(batch int) *nn.State {
	s := nn.NewState()
	s.Set("h", tensor.New(m.a.Device(), batch, m.a.Len()))
	return s
}

// gatedLeaky applies the gate itself.
type gatedLeaky struct {
	*leaky
	calls int
}

func (m *gatedLeaky) ForwardGated(tp *tensor.Tape, x, z *tensor.Tensor, s *nn.State) *tensor.Tensor {
	m.calls++
	return tp.SiLUMul(m.Forward(tp, x, s), z)
}

func newGatedLeaky(b *nn.Builder, width int) (nn.Mixer, error) {
	m, err := newLeaky(b, width)
	return &gatedLeaky{leaky: m.(*leaky)}, err
}

func newAttention(b *nn.Builder, width int) (nn.Mixer, error) { return nn.NewAttention(b, width, 2) }

func newIdentity(*nn.Builder, int) (nn.Mixer, error) { return nn.Identity{}, nil }

// random returns n float32-representable numbers.
func random(seed uint64, n int) []float64 {
	rng := rand.New(rand.NewPCG(seed, 9))
	x := make([]float64, n)
	for i := range x {
		x[i] = float64(float32(rng.NormFloat64()))
	}
	return x
}

// perturb moves every parameter off its start, where ones and zeros could hide
// an error, to the same float32 numbers on every device.
func perturb(params []*tensor.Param) {
	for i, p := range params {
		noise, data := random(uint64(i), p.Len()), p.Data()
		for j := range data {
			// Rounded to 2⁻¹²: float32 and float64 starts give the same number.
			data[j] = math.Round((data[j]+0.1*noise[j])*4096) / 4096
		}
		p.SetData(data)
	}
}

// relErr returns max|got−want| / max|want|, +Inf when there is nothing to
// compare, all is 0, or something is NaN.
func relErr(got, want []float64) float64 {
	diff, size := 0.0, 0.0
	for i, w := range want {
		d := math.Abs(got[i] - w)
		if math.IsNaN(d) {
			return math.Inf(1)
		}
		diff, size = max(diff, d), max(size, math.Abs(w))
	}
	if len(got) != len(want) || size == 0 {
		return math.Inf(1)
	}
	return diff / size
}

// checkGradient compares the gradients of f with central differences, in at
// most perTensor elements of each parameter (0: all) and of the others.
func checkGradient(t *testing.T, f func(tp *tensor.Tape) *tensor.Tensor, params []*tensor.Param, others []*tensor.Tensor, perTensor int) float64 {
	t.Helper()
	wrt := slices.Clone(others)
	for _, p := range params {
		wrt = append(wrt, p.Tensor)
	}
	rep, err := tensor.GradCheck(tensor.Reference(), f, wrt, perTensor)
	if err != nil {
		t.Fatal(err)
	}
	if !(rep.MaxError <= diffTol) {
		t.Errorf("gradient error %.2g in %d elements, want <= %g: %s", rep.MaxError, rep.Checked, diffTol, rep.Where)
	}
	return rep.MaxError
}

// evaluation is an output and the gradients of Σ y ⊙ dy.
type evaluation struct {
	y     []float64
	grads map[string][]float64
}

func evaluate(d *tensor.Device, f func(tp *tensor.Tape) *tensor.Tensor, params []*tensor.Param) evaluation {
	tp := tensor.NewTape(d)
	tp.Poison(true)
	y := f(tp)
	e := evaluation{y: y.Data(), grads: map[string][]float64{}}
	tp.Backward(tp.Sum(tp.Mul(y, tensor.From(d, random(77, y.Len()), y.Shape()...))))
	for _, p := range params {
		e.grads[p.Name] = p.Grad()
	}
	return e
}

// compare holds cpu against reference.
func compare(t *testing.T, got, want evaluation) (forward, grad float64) {
	t.Helper()
	if forward = relErr(got.y, want.y); !(forward <= forwardTol) {
		t.Errorf("forward error %.2g, want <= %g", forward, forwardTol)
	}
	for name, g := range want.grads {
		e := relErr(got.grads[name], g)
		if grad = max(grad, e); !(e <= gradTol) {
			t.Errorf("gradient of %s: error %.2g, want <= %g", name, e, gradTol)
		}
	}
	return forward, grad
}

// steps cuts x (B,L,D) at the given points and runs f on the stretches, one
// after the other; it returns the joined outputs (B,L,·).
func steps(d *tensor.Device, x []float64, b, l, w int, cuts []int, f func(tp *tensor.Tape, x *tensor.Tensor) *tensor.Tensor) []float64 {
	tp := tensor.NewTape(d)
	tp.SetGrad(false)
	tp.Poison(true)
	rows := make([][]float64, b)
	lo := 0
	for _, hi := range append(slices.Clone(cuts), l) {
		var part []float64
		for i := range b {
			part = append(part, x[(i*l+lo)*w:(i*l+hi)*w]...)
		}
		y := f(tp, tensor.From(d, part, b, hi-lo, w)).Data()
		for i := range b {
			n := len(y) / b
			rows[i] = append(rows[i], y[i*n:(i+1)*n]...)
		}
		tp.Reset()
		lo = hi
	}
	return slices.Concat(rows...)
}

// oneByOne are the cuts of length l into single steps.
func oneByOne(l int) []int {
	var cuts []int
	for i := 1; i < l; i++ {
		cuts = append(cuts, i)
	}
	return cuts
}

// mustPanic fails unless f panics with a text that holds every part.
func mustPanic(t *testing.T, what string, f func(), parts ...string) {
	t.Helper()
	defer func() {
		t.Helper()
		p := recover()
		for _, s := range parts {
			if p == nil || !strings.Contains(fmt.Sprint(p), s) {
				t.Errorf("%s: panic %v, want one with %q", what, p, s)
			}
		}
	}()
	f()
}

// wantErrors fails unless err is made of exactly one error for each text.
func wantErrors(t *testing.T, err error, texts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %q", texts)
	}
	if n := countErrors(err); n != len(texts) {
		t.Errorf("%d errors, want %d: %v", n, len(texts), err)
	}
	for _, s := range texts {
		if !strings.Contains(err.Error(), s) {
			t.Errorf("error %q, want one with %q", err, s)
		}
	}
}

// countErrors counts the leaves of joined errors.
func countErrors(err error) int {
	var joined interface{ Unwrap() []error }
	if !errors.As(err, &joined) {
		return 1
	}
	n := 0
	for _, e := range joined.Unwrap() {
		n += countErrors(e)
	}
	return n
}
