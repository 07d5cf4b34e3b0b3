package initializer

import (
	"math"
	"sort"
	"testing"
)

// ksCritical is the Kolmogorov–Smirnov bound on √n·sup|F_n − F| at alpha = 0.001 (asymptotic; n is 20 000 and more
// here). The seeds are fixed, so a test that passes once passes always; alpha says how surprising the draw may be.
const ksCritical = 1.9495

// testKS checks sample against the continuous distribution function cdf.
func testKS(t *testing.T, name string, sample []float64, cdf func(float64) float64) {
	t.Helper()
	x := append([]float64(nil), sample...)
	sort.Float64s(x)
	n := float64(len(x))
	sup := 0.0
	for i, v := range x {
		f := cdf(v)
		sup = max(sup, math.Abs(f-float64(i)/n), math.Abs(float64(i+1)/n-f))
	}
	if d := sup * math.Sqrt(n); !(d < ksCritical) {
		t.Errorf("%s: KS statistic √n·D = %.3f, want < %g (alpha 0.001, n = %d)", name, d, ksCritical, len(x))
	}
}

func uniformCDF(lo, hi float64) func(float64) float64 {
	return func(x float64) float64 { return math.Min(1, math.Max(0, (x-lo)/(hi-lo))) }
}

func normalCDF(std float64) func(float64) float64 {
	return func(x float64) float64 { return 0.5 * math.Erfc(-x/(std*math.Sqrt2)) }
}

func within(t *testing.T, name string, got, want, rel float64) {
	t.Helper()
	if !(math.Abs(got-want) <= rel*math.Abs(want)) {
		t.Errorf("%s is %.6g, want %.6g within %g relative", name, got, want, rel)
	}
}

// softplus is ln(1+eˣ). Above 37 the difference from x is below half an ulp. (The official kernels pass x through
// above 20 already, which is up to 2e-9 off: fine in float32, too coarse to test an inverse.)
func softplus(x float64) float64 {
	if x > 37 {
		return x
	}
	return math.Log1p(math.Exp(x))
}

func mapped(x []float64, f func(float64) float64) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = f(v)
	}
	return y
}

func variance(x []float64) float64 {
	var s, ss float64
	for _, v := range x {
		s += v
		ss += v * v
	}
	n := float64(len(x))
	return ss/n - (s/n)*(s/n)
}

func wantPanic(t *testing.T, want string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if got := recover(); got != want {
			t.Errorf("panic is %v, want %q", got, want)
		}
	}()
	f()
}
