package rnn

import (
	"math"
	"math/cmplx"
	"slices"
	"strings"
	"testing"

	"github.com/gophersnake/gophersnake/internal/golden"
	"github.com/gophersnake/gophersnake/internal/mixertest"
	"github.com/gophersnake/gophersnake/pkg/nn"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// TestOneChange: the tanh and the linear arm have the same parameters of the
// same start, and the linear one is linear.
func TestOneChange(t *testing.T) {
	for _, a := range AInits() {
		var arms [2][]*tensor.Param
		var mixers [2]nn.Mixer
		for i, f := range Nonlinearities() {
			b := nn.NewBuilder(tensor.Reference(), 4)
			m, err := NewDense(b, DenseConfig{D: 3, N: 5, Nonlinearity: f, A: a})
			if err != nil {
				t.Fatal(err)
			}
			arms[i], mixers[i] = b.Params(), m
		}
		for i, p := range arms[0] {
			q := arms[1][i]
			if p.Name != q.Name || p.Group != q.Group || !slices.Equal(p.Data(), q.Data()) {
				t.Errorf("%s: %s differs between the arms", a, p.Name)
			}
		}
		for i, f := range Nonlinearities() {
			e := mixertest.Superposition(mixers[i], 3, 20)
			if linear := e < 1e-12; linear != (f == None) {
				t.Errorf("%s: superposition is broken by %.3g", f, e)
			}
		}
	}
}

// TestEigenvalues: an orthogonal A has all |λ| = 1; those of the other starts
// lie in a disk of radius about 1, some near its rim.
func TestEigenvalues(t *testing.T) {
	for _, a := range AInits() {
		cfg := DefaultDenseConfig()
		cfg.A = a
		m, err := NewDense(nn.NewBuilder(tensor.Reference(), 1), cfg)
		if err != nil {
			t.Fatal(err)
		}
		lambda, err := m.Eigenvalues()
		if err != nil {
			t.Fatal(err)
		}
		if len(lambda) != cfg.N {
			t.Fatalf("%s: %d eigenvalues, want %d", a, len(lambda), cfg.N)
		}
		lo, hi := math.Inf(1), 0.0
		for _, l := range lambda {
			lo, hi = min(lo, cmplx.Abs(l)), max(hi, cmplx.Abs(l))
		}
		// N = 64: the largest |λ| of a Ginibre matrix is 1 ± about 0.1.
		if hi < 0.85 || hi > 1.2 || (a == Orthogonal) != (lo > 1-1e-12) {
			t.Errorf("%s: |λ| from %.6g to %.6g", a, lo, hi)
		}
	}
	m, _ := NewDense(nn.NewBuilder(tensor.Reference(), 1), DefaultDenseConfig())
	m.a.SetData(slices.Repeat([]float64{math.NaN()}, m.a.Len()))
	if _, err := m.Eigenvalues(); err == nil || !strings.Contains(err.Error(), "NaN") {
		t.Errorf("eigenvalues of NaN: %v", err)
	}
}

// TestForgetBias: it moves the forget gate and nothing else.
func TestForgetBias(t *testing.T) {
	bias := func(forget float64) []float64 {
		b := nn.NewBuilder(tensor.Reference(), 1)
		if _, err := NewLSTM(b, LSTMConfig{D: 3, H: 2, ForgetBias: forget}); err != nil {
			t.Fatal(err)
		}
		return b.Params()[2].Data()
	}
	zero, one := bias(0), bias(1)
	for i := range zero {
		want := 0.0
		if i == 2 || i == 3 { // rows i, f, g, o of H = 2 each
			want = 1
		}
		if got := one[i] - zero[i]; math.Abs(got-want) > 1e-15 {
			t.Errorf("bias %d moved by %g, want %g", i, got, want)
		}
	}
}

// logSigmoid and logG are exact far from 0.
func logSigmoid(v float64) float64 {
	if v < 0 {
		return v - math.Log1p(math.Exp(v))
	}
	return -math.Log1p(math.Exp(-v))
}

func logG(v float64) float64 {
	if v >= 0 {
		return math.Log(v + 0.5)
	}
	return logSigmoid(v)
}

// logSpace is the paper's parallel scan in log space (arXiv 2410.01201, App. B):
// with a* the running sum of ln keep,
//
//	ln h_t = a*_t + ln Σ_{s≤t} exp(ln take_s + ln g(hidden_s) − a*_s)
func logSpace(logKeep, logTake, hidden []float64) []float64 {
	out := make([]float64, len(hidden))
	sum, acc := 0.0, math.Inf(-1)
	for t := range out {
		sum += logKeep[t]
		v := logTake[t] + logG(hidden[t]) - sum
		acc = max(acc, v) + math.Log1p(math.Exp(-math.Abs(acc-v)))
		out[t] = math.Exp(sum + acc)
	}
	return out
}

// TestLogSpace holds minGRU and minLSTM to the paper's form in log space, gates
// far into saturation included.
func TestLogSpace(t *testing.T) {
	const l = 65
	dev := tensor.Reference()
	// The exponents are differences of running sums of size up to 65·scale, each
	// good to 1e-16 of that: 1e-12 for scale 1; and Softplus passes x > 20
	// through, where it is short of ln(1+eˣ) by up to 2e-9.
	for scale, tol := range map[float64]float64{1: 1e-12, 8: 1e-8} {
		vector := func(seed uint64) []float64 {
			x := mixertest.Noise(seed, l)
			for i := range x {
				x[i] *= scale
			}
			return x
		}
		k, k2, hidden := vector(71), vector(72), vector(73)
		tensorOf := func(x []float64) *tensor.Tensor { return tensor.From(dev, x, 1, l, 1) }
		keep, take := make([]float64, l), make([]float64, l)
		for i, v := range k {
			keep[i], take[i] = logSigmoid(-v), logSigmoid(v)
		}
		got := minGRU(mixertest.NewTape(dev), tensorOf(k), tensorOf(hidden), nil).Data()
		if e := golden.RelErr(got, logSpace(keep, take, hidden)); e > tol {
			t.Errorf("minGRU, scale %g: differs from log space by %.3g > %g", scale, e, tol)
		}
		for i := range k {
			d := logSigmoid(k[i]) - logSigmoid(k2[i])
			keep[i], take[i] = logSigmoid(d), logSigmoid(-d)
		}
		got = minLSTM(mixertest.NewTape(dev), tensorOf(k), tensorOf(k2), tensorOf(hidden), nil).Data()
		if e := golden.RelErr(got, logSpace(keep, take, hidden)); e > tol {
			t.Errorf("minLSTM, scale %g: differs from log space by %.3g > %g", scale, e, tol)
		}
	}
}

// TestMinLSTMFinite: gates that both underflow leave their quotient finite.
func TestMinLSTMFinite(t *testing.T) {
	for _, dev := range mixertest.Devices(t) {
		one := func(v float64) *tensor.Tensor { return tensor.From(dev, []float64{v, v, v}, 1, 3, 1) }
		for _, v := range []float64{-1e4, 1e4} {
			h := minLSTM(mixertest.NewTape(dev), one(v), one(v), one(1), nil).Data()
			for i, want := range []float64{0.75, 1.125, 1.3125} { // f = i: h ← (h + 1.5)/2
				if math.Abs(h[i]-want) > 1e-6 {
					t.Errorf("%s, gates at %g: h[%d] is %g, want %g", dev.Name(), v, i, h[i], want)
				}
			}
		}
	}
}
