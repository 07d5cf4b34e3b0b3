package reference

import (
	"math"
	"slices"
	"testing"

	"github.com/gophersnake/gophersnake/internal/device"
)

// near compares hand-computed numbers; 1e-14 is some units in the last place.
func near(t *testing.T, name string, got device.Buf, want ...float64) {
	t.Helper()
	if len(got.F64) != len(want) {
		t.Errorf("%s: %v, want %v", name, got.F64, want)
		return
	}
	for i, w := range want {
		if got.F64[i] != w && !(math.Abs(got.F64[i]-w) <= 1e-14*max(1, math.Abs(w))) {
			t.Errorf("%s[%d]: %.17g, want %.17g", name, i, got.F64[i], w)
		}
	}
}

// b returns a buffer of the given numbers.
func b(x ...float64) device.Buf { return buf(x) }

// nans returns n NaNs: an output that must be overwritten.
func nans(n int) device.Buf { return buf(constant(n, math.NaN())) }

func TestMemory(t *testing.T) {
	x := dev.Alloc(3)
	for _, v := range x.F64 {
		if !math.IsNaN(v) {
			t.Errorf("Alloc holds %v, want NaN", v)
		}
	}
	if e := dev.Alloc(0); e.IsNil() || e.Len() != 0 {
		t.Error("Alloc(0) is the nil Buf")
	}
	dev.Zero(x)
	near(t, "Zero", x, 0, 0, 0)
	dev.Fill(x, 2)
	near(t, "Fill", x, 2, 2, 2)
	dev.Upload(x, []float64{1, 2, 3})
	y, z := nans(3), make([]float64, 3)
	dev.Copy(y, x)
	dev.Download(z, y)
	near(t, "Upload, Copy, Download", buf(z), 1, 2, 3)
	src, dst := b(0, 1, 2, 3, 4, 5), b(10, 10, 10, 10, 10, 10, 10)
	dev.CopyBlock(2, 2, src, 1, 3, dst, 0, 4, false)
	near(t, "CopyBlock", dst, 1, 2, 10, 10, 4, 5, 10)
	dev.CopyBlock(2, 2, src, 1, 3, dst, 1, 3, true)
	near(t, "CopyBlock, add", dst, 1, 3, 12, 10, 8, 10, 10)
	if New().Name() != "reference" {
		t.Error("Name")
	}
}

func TestDense(t *testing.T) {
	// A = (1 2 3; 4 5 6), B = (1 0; 2 1; 0 3): A B = (5 11; 14 23).
	a, at, bm, bt := b(1, 2, 3, 4, 5, 6), b(1, 4, 2, 5, 3, 6), b(1, 0, 2, 1, 0, 3), b(1, 2, 0, 0, 1, 3)
	for i := range 4 {
		ta, tb := i&1 != 0, i&2 != 0
		x, y := a, bm
		if ta {
			x = at
		}
		if tb {
			y = bt
		}
		c := nans(4)
		dev.MatMul(ta, tb, 2, 2, 3, x, y, device.Buf{}, c, false)
		near(t, "MatMul", c, 5, 11, 14, 23)
		dev.MatMul(ta, tb, 2, 2, 3, x, y, b(100, 200), c, true)
		near(t, "MatMul, bias, add", c, 110, 222, 128, 246)
	}
	s := b(1, 1, 1)
	dev.SumRows(2, 3, a, s)
	near(t, "SumRows", s, 6, 8, 10)
	y := nans(4)
	dev.Embedding([]int32{2, 0}, 2, bm, y)
	near(t, "Embedding", y, 0, 3, 1, 0)
}

func TestApplyKnown(t *testing.T) {
	const phi1 = 0.8413447460685429 // Φ(1)
	inf := math.Inf(1)
	for _, c := range []struct {
		f       device.Func
		x, want float64
	}{
		{device.Tanh, 1, 0.7615941559557649}, {device.Tanh, -1000, -1},
		{device.Sigmoid, 0, 0.5}, {device.Sigmoid, 1, 0.7310585786300049}, {device.Sigmoid, 1000, 1}, {device.Sigmoid, -1000, 0},
		{device.SiLU, 1, 0.7310585786300049}, {device.SiLU, 1000, 1000}, {device.SiLU, -1000, 0},
		{device.GELU, 1, phi1}, {device.GELU, -1, phi1 - 1}, {device.GELU, 100, 100}, {device.GELU, -100, 0},
		{device.GELUTanh, 1, 0.8411919906082768}, {device.GELUTanh, 100, 100}, {device.GELUTanh, -100, 0},
		{device.Softplus, 0, math.Ln2}, {device.Softplus, 1000, 1000}, {device.Softplus, -1000, 0}, {device.Softplus, 20.5, 20.5},
		{device.ReLU, 2, 2}, {device.ReLU, -2, 0}, {device.Exp, 1, math.E}, {device.Log, math.E, 1}, {device.Log, 0, -inf},
		{device.Neg, 2, -2}, {device.Square, -3, 9}, {device.Sin, math.Pi / 2, 1}, {device.Cos, 0, 1}, {device.Recip, 4, 0.25},
		{device.MinG, 0, 0.5}, {device.MinG, 2, 2.5}, {device.MinG, -1, 1 - 0.7310585786300049},
	} {
		y := nans(1)
		dev.Apply(c.f, b(c.x), y)
		near(t, string(c.f), y, c.want)
	}
	// Relative, not absolute, accuracy in the tail: softplus(−50) = e⁻⁵⁰.
	y := nans(1)
	dev.Apply(device.Softplus, b(-50), y)
	if got := y.F64[0] / math.Exp(-50); math.Abs(got-1) > 1e-14 {
		t.Errorf("softplus(-50) is %v e^-50", got)
	}
}

// TestExtreme: no NaN in value or slope where the function is finite.
func TestExtreme(t *testing.T) {
	for _, f := range []device.Func{device.Tanh, device.Sigmoid, device.SiLU, device.GELU, device.GELUTanh, device.Softplus, device.ReLU, device.MinG} {
		x := b(-1e30, -1e4, -745, -40, -1e-300, 0, 1e-300, 19.999, 20, 40, 710, 1e4, 1e30)
		y, dx := nans(x.Len()), zeros(x)
		dev.Apply(f, x, y)
		dev.ApplyGrad(f, x, y, buf(constant(x.Len(), 1)), dx)
		for i := range x.F64 {
			if v := y.F64[i] + dx.F64[i]; math.IsNaN(v) || math.IsInf(v, 0) {
				t.Errorf("%s(%g) = %g, slope %g", f, x.F64[i], y.F64[i], dx.F64[i])
			}
		}
	}
}

func TestApplyUnknown(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("an unknown function does not panic")
		}
	}()
	dev.Apply("nope", b(1), b(1))
}

func TestPointwiseKnown(t *testing.T) {
	x, z, y := b(1, 2, 3), b(4, 5, 6), nans(3)
	dev.Add(x, z, y)
	near(t, "Add", y, 5, 7, 9)
	dev.Sub(x, z, y)
	near(t, "Sub", y, -3, -3, -3)
	dev.Mul(x, z, y)
	near(t, "Mul", y, 4, 10, 18)
	dev.Scale(2, x, y)
	near(t, "Scale", y, 2, 4, 6)
	dev.Axpy(3, x, y)
	near(t, "Axpy", y, 5, 10, 15)
	m := b(1, 2, 3, 4, 5, 6)
	y = nans(6)
	dev.AddRow(2, 3, m, x, y)
	near(t, "AddRow", y, 2, 4, 6, 5, 7, 9)
	dev.MulRow(2, 3, m, x, y)
	near(t, "MulRow", y, 1, 4, 9, 4, 10, 18)
	dev.SiLUMul(b(2, 2), b(0, 1), y.Slice(0, 2))
	near(t, "SiLUMul", y.Slice(0, 2), 0, 2*0.7310585786300049)
	dev.Sum(m, y.Slice(0, 1))
	near(t, "Sum", y.Slice(0, 1), 21)
	near(t, "SumSquares", b(dev.SumSquares(x)), 14)
}

func TestDropout(t *testing.T) {
	const n = 10000
	for _, p := range []float64{0, 0.25, 1} {
		x, y, again := buf(constant(n, 3)), nans(n), nans(n)
		dev.Dropout(p, 5, x, y)
		dev.Dropout(p, 5, x, again)
		if !slices.Equal(y.F64, again.F64) {
			t.Error("the mask changes from call to call")
		}
		kept := 0
		for i, v := range y.F64 {
			want := 0.0
			if device.Keep(5, i, p) {
				want = 3 / (1 - p)
				kept++
			}
			if v != want {
				t.Fatalf("y[%d] = %v, want %v", i, v, want)
			}
		}
		// Five standard deviations of a binomial.
		if sd := math.Sqrt(n * p * (1 - p)); math.Abs(float64(kept)-n*(1-p)) > 5*sd {
			t.Errorf("p = %v keeps %d of %d", p, kept, n)
		}
	}
}

func TestNormKnown(t *testing.T) {
	y, mean, rstd := nans(2), nans(1), nans(1)
	dev.RMSNorm(1, 2, 0, b(3, 4), b(1, 2), y, rstd)
	near(t, "RMSNorm", y, 3/math.Sqrt(12.5), 8/math.Sqrt(12.5))
	near(t, "RMSNorm rstd", rstd, 1/math.Sqrt(12.5))
	dev.LayerNorm(1, 2, 0, b(3, 7), b(1, 2), b(10, 20), y, mean, rstd)
	near(t, "LayerNorm", y, 9, 22)
	near(t, "LayerNorm mean", mean, 5)
	near(t, "LayerNorm rstd", rstd, 0.5)
	dev.RMSNorm(1, 2, 1e-5, b(0, 0), b(1, 2), y, device.Buf{})
	near(t, "RMSNorm of zeros", y, 0, 0)
}

func TestSequenceKnown(t *testing.T) {
	y := nans(3)
	c := device.Conv1D{B: 1, L: 3, D: 1, K: 2, X: b(1, 2, 3), W: b(10, 1), Y: y}
	dev.Conv1D(&c)
	near(t, "Conv1D", y, 1, 12, 23)
	c.State, c.Bias = b(5), b(100)
	dev.Conv1D(&c)
	near(t, "Conv1D, state, bias", y, 151, 112, 123)

	y = nans(4)
	r := device.Rotary{B: 1, L: 2, H: 1, Dh: 2, Offset: 0, Base: 10000}
	dev.Rotary(r, b(1, 0, 1, 0), y, false, false) // one radian per step
	near(t, "Rotary", y, 1, 0, math.Cos(1), math.Sin(1))
	dev.Rotary(r, y, y, true, false)
	near(t, "Rotary back, in place", y, 1, 0, 1, 0)

	// Equal scores: each query gets the mean of the values that it sees.
	a := device.Attention{B: 1, Lq: 2, Lk: 3, H: 1, Dh: 1, Q: b(0, 0), K: b(1, 2, 3), V: b(1, 3, 8), KVStride: 3, Y: nans(2), LSE: nans(2)}
	dev.Attention(&a)
	near(t, "Attention", a.Y, 2, 4)
	near(t, "Attention LSE", a.LSE, math.Log(2), math.Log(3))
	a.Q = b(1e5, -1e5) // all weight on the largest, or on the smallest, key; no overflow
	dev.Attention(&a)
	near(t, "Attention, hard", a.Y, 3, 1)

	y = nans(2)
	dev.MeanPool(1, 3, 2, b(1, 2, 3, 4, 5, 6), y)
	near(t, "MeanPool", y, 3, 4)
}

func TestScansKnown(t *testing.T) {
	s := device.LinearScan{B: 1, L: 3, D: 1, A: b(0.5), X: b(1, 1, 1), H: nans(3)}
	dev.LinearScan(&s)
	near(t, "LinearScan", s.H, 1, 1.5, 1.75)
	s = device.LinearScan{B: 1, L: 3, D: 1, A: b(0), AIm: b(1), X: b(1, 0, 0), XIm: b(0, 0, 0), H: nans(3), HIm: nans(3)}
	dev.LinearScan(&s) // a quarter turn per step
	near(t, "LinearScan, complex", s.H, 1, 0, -1)
	near(t, "LinearScan, complex, imaginary", s.HIm, 0, 1, 0)

	m := device.SelectiveScan{B: 1, L: 3, D: 1, N: 1, U: b(1, 1, 1), DeltaBias: b(1), A: b(-math.Ln2), Bm: b(1), Cm: b(2), Y: nans(3), HT: nans(1)}
	dev.SelectiveScan(&m)
	near(t, "SelectiveScan", m.Y, 2, 3, 3.5)
	near(t, "SelectiveScan state", m.HT, 1.75)
	m.Dskip, m.Z = b(10), b(0, 1, 1000)
	dev.SelectiveScan(&m)
	near(t, "SelectiveScan, skip, gate", m.Y, 0, 13*0.7310585786300049, 13500)
	m.Dskip, m.Z, m.Signed, m.A = device.Buf{}, device.Buf{}, true, b(-math.Log(4))
	dev.SelectiveScan(&m) // Ā = 2/4 − 1 = −1/2
	near(t, "SelectiveScan, signed", m.Y, 2, 1, 1.5)
	m = device.SelectiveScan{B: 1, L: 3, D: 1, N: 1, U: b(1, 0, 0), DeltaBias: b(1), A: b(0), AIm: b(math.Pi / 2), Bm: b(1), Cm: b(0), CIm: b(1),
		Y: nans(3), HT: nans(1), HTIm: nans(1)}
	dev.SelectiveScan(&m) // h = 1, i, −1; y = 2 Re(i h)
	near(t, "SelectiveScan, complex", m.Y, 0, -2, 0)
	near(t, "SelectiveScan, complex state", m.HT, -1)
}

// TestTheorem1 is Mamba's theorem 1 for the Euler B of the released code:
// with N = 1, A = −1, B = C = 1, h_t = (1 − σ(x)) h_{t−1} + softplus(x) u_t.
func TestTheorem1(t *testing.T) {
	x, u := []float64{-3, 0, 2, 0.5}, []float64{1, -2, 0.5, 3}
	s := device.SelectiveScan{B: 1, L: 4, D: 1, N: 1, Softplus: true, U: buf(u), Delta: buf(x), A: b(-1), Bm: b(1), Cm: b(1), Y: nans(4)}
	dev.SelectiveScan(&s)
	h, want := 0.0, []float64{}
	for t := range x {
		h = (1-sigmoid(x[t]))*h + softplus(x[t])*u[t]
		want = append(want, h)
	}
	near(t, "h", s.Y, want...)
}

func TestRecurrentKnown(t *testing.T) {
	e := device.Elman{B: 1, L: 2, H: 1, Linear: true, X: b(1, 1), W: b(3), H0: b(2), Out: nans(2)}
	dev.Elman(&e)
	near(t, "Elman, linear", e.Out, 7, 22)
	e.Linear = false
	dev.Elman(&e)
	near(t, "Elman", e.Out, math.Tanh(7), math.Tanh(3*math.Tanh(7)+1))
	// Nothing known: every gate is ½ and the candidate 0.
	g := device.GRU{B: 1, L: 2, H: 1, X: b(0, 0, 0, 0, 0, 0), W: b(0, 0, 0), H0: b(8), Out: nans(2)}
	dev.GRU(&g)
	near(t, "GRU", g.Out, 4, 2)
	// r closed (−1000) hides W h + b from n: n = tanh(x_n) = 0; z open: h' = n.
	g.X, g.Bias, g.L, g.Out = b(-1000, -1000, 0), b(0, 0, 5), 1, nans(1)
	dev.GRU(&g)
	near(t, "GRU, reset", g.Out, 0)
	s := device.LSTM{B: 1, L: 2, H: 1, X: b(0, 0, 0, 0, 0, 0, 0, 0), W: b(0, 0, 0, 0), C0: b(4), Out: nans(2), C: nans(2)}
	dev.LSTM(&s)
	near(t, "LSTM cell", s.C, 2, 1)
	near(t, "LSTM", s.Out, math.Tanh(2)/2, math.Tanh(1)/2)
}

func TestLossKnown(t *testing.T) {
	lse, loss := nans(2), nans(1)
	dev.CrossEntropy(2, 3, b(7, 7, 7, 1, 2, 3), []int32{1, -1}, lse, loss)
	near(t, "uniform", loss, math.Log(3))
	near(t, "lse of the scored row", lse.Slice(0, 1), 7+math.Log(3))
	dx := b(1, 1, 1, 1, 1, 1)
	dev.CrossEntropyGrad(2, 3, b(7, 7, 7, 1, 2, 3), []int32{1, -1}, lse, b(3), dx)
	near(t, "gradient", dx, 2, -1, 2, 1, 1, 1)
	dev.CrossEntropy(2, 3, b(7, 7, 7, 1, 2, 3), []int32{-1, -100}, lse, loss)
	near(t, "no scored row", loss, 0)
	dx = b(1, 1, 1, 1, 1, 1)
	dev.CrossEntropyGrad(2, 3, b(7, 7, 7, 1, 2, 3), []int32{-1, -100}, lse, b(3), dx)
	near(t, "no scored row, gradient", dx, 1, 1, 1, 1, 1, 1)
	dev.CrossEntropy(2, 2, b(1e300, -1e300, -1e4, -1e4), []int32{0, 1}, lse, loss)
	near(t, "extreme", loss, math.Ln2/2)
	dev.CrossEntropy(1, 2, b(math.Inf(-1), 3), []int32{1}, lse.Slice(0, 1), loss)
	near(t, "an excluded class", loss, 0)

	nan := math.NaN()
	got := dev.Argmax(5, 3, b(1, 3, 3, nan, -1, -2, 2, nan, 1, nan, nan, nan, nan, math.Inf(-1), nan))
	if want := []int32{1, 1, 0, 0, 1}; !slices.Equal(got, want) {
		t.Errorf("Argmax %v, want %v", got, want)
	}
}

func TestOptimKnown(t *testing.T) {
	w, m, v, g := b(1, 1), b(0, 0), b(0, 0), b(2, -2)
	h := device.AdamW{LR: 0.1, Beta1: 0.5, Beta2: 0.75, Decay: 0.5, C1: 0.5, C2: 0.25, GradScale: 0.5}
	dev.AdamW(h, w, g, m, v) // the first step moves by LR·sign(g)
	near(t, "AdamW w", w, 0.95-0.1, 0.95+0.1)
	near(t, "AdamW m", m, 0.5, -0.5)
	near(t, "AdamW v", v, 0.25, 0.25)
	near(t, "AdamW leaves g", g, 2, -2)
	w, m = b(1), b(4)
	dev.SGD(0.1, 0.5, 0.25, 2, w, b(3), m) // buf = 2 + 6 + 0.25
	near(t, "SGD buf", m, 8.25)
	near(t, "SGD w", w, 1-0.825)
	w = b(1)
	dev.SGD(0.1, 0, 0, 1, w, b(3), device.Buf{})
	near(t, "SGD, no momentum", w, 1-0.1*3)
}
