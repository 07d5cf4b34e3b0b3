package ssm

import (
	"fmt"
	"math"
	"math/bits"
	"math/cmplx"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/gophersnake/gophersnake/internal/mixertest"
)

// oddLengths are the lengths of accelerated-scan's tests as far as they run in
// a blink, and what lies around powers of two.
var oddLengths = []int{0, 1, 2, 3, 4, 5, 7, 8, 9, 31, 63, 64, 65, 100, 255, 256, 257, 512, 1000, 1023, 1024, 1025, 8000, 16323}

func drawScan(n int, radius float64) (a, b []float64) {
	rng := rand.New(rand.NewPCG(uint64(n), 3407))
	a, b = make([]float64, n), make([]float64, n)
	for i := range a {
		a[i], b[i] = radius*(2*rng.Float64()-1), rng.NormFloat64()
	}
	return a, b
}

// relative is |got − want| over the largest of want; the sums are formed in
// another order, so equal bits cannot be asked for.
func relative(got, want []float64) float64 {
	worst, size := 0.0, 1e-300
	for i := range want {
		worst, size = max(worst, math.Abs(got[i]-want[i])), max(size, math.Abs(want[i]))
	}
	return worst / size
}

func TestScanAlgorithmsAgree(t *testing.T) {
	for _, n := range oddLengths {
		a, b := drawScan(n, 1)
		want := make([]float64, n)
		h := 0.0
		for i := range want {
			h = a[i]*h + b[i]
			want[i] = h
		}
		for _, alg := range Algorithms() {
			got, _ := Scan(alg, a, b)
			if len(got) != n {
				t.Fatalf("%s n=%d: %d results", alg, n, len(got))
			}
			if e := relative(got, want); e > 1e-13 {
				t.Errorf("%s n=%d: relative error %.3g", alg, n, e)
			}
		}
	}
}

func TestScanComplexAgrees(t *testing.T) {
	for _, n := range oddLengths {
		rng := rand.New(rand.NewPCG(uint64(n), 4))
		a, b, want := make([]complex128, n), make([]complex128, n), make([]complex128, n)
		h := complex128(0)
		size := 1e-300
		for i := range a {
			a[i] = cmplx.Rect(0.99+0.01*rng.Float64(), 2*math.Pi*rng.Float64())
			b[i] = complex(rng.NormFloat64(), rng.NormFloat64())
			h = a[i]*h + b[i]
			want[i], size = h, max(size, cmplx.Abs(h))
		}
		for _, alg := range Algorithms() {
			got, cost := ScanComplex(alg, a, b)
			_, realCost := Scan(alg, make([]float64, n), make([]float64, n))
			if cost != realCost {
				t.Errorf("%s n=%d: cost %v over ℂ, %v over ℝ", alg, n, cost, realCost)
			}
			for i := range want {
				if e := cmplx.Abs(got[i]-want[i]) / size; e > 1e-13 {
					t.Fatalf("%s n=%d: relative error %.3g at %d", alg, n, e, i)
				}
			}
		}
	}
}

// TestScanCost: the counted work and depth are exact.
func TestScanCost(t *testing.T) {
	for _, n := range oddLengths[1:] {
		a, b := drawScan(n, 1)
		rounds := bits.Len(uint(n - 1)) // ⌈log₂ n⌉
		steele := 0
		for reach := 1; reach < n; reach *= 2 {
			steele += n - reach
		}
		if n == 1<<rounds && steele != n*rounds-n+1 {
			t.Fatalf("n=%d: Σ(n − reach) is %d, want n·log₂ n − n + 1", n, steele)
		}
		chunks := (n + ChunkLen - 1) / ChunkLen
		inChunks := Cost{n - 1, n - 1}
		if chunks > 1 {
			inChunks = Cost{(n - chunks) + (chunks - 2) + (n - ChunkLen), (ChunkLen - 1) + (chunks - 2) + 1}
		}
		want := map[Algorithm]Cost{
			AlgSequential:   {n - 1, n - 1},
			AlgHillisSteele: {steele, rounds},
			AlgBlelloch:     {2 * (n - 1), 2 * rounds},
			AlgChunked:      inChunks,
		}
		for _, alg := range Algorithms() {
			if _, got := Scan(alg, a, b); got != want[alg] {
				t.Errorf("%s n=%d: cost %+v, want %+v", alg, n, got, want[alg])
			}
		}
	}
}

func TestScanNamedFunctions(t *testing.T) {
	a, b := drawScan(77, 1)
	for alg, f := range map[Algorithm]func(a, b []float64) ([]float64, Cost){
		AlgSequential: Sequential, AlgHillisSteele: HillisSteele, AlgBlelloch: Blelloch,
		AlgChunked: func(a, b []float64) ([]float64, Cost) { return Chunked(a, b, ChunkLen) },
	} {
		h, c := f(a, b)
		want, wantCost := Scan(alg, a, b)
		if !slices.Equal(h, want) || c != wantCost {
			t.Errorf("%s: the function and Scan differ", alg)
		}
	}
}

// The chunk length decides the bits, the number of cores does not; and inputs
// stay as they are.
func TestChunkedDeterministic(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	a, b := drawScan(16323, 1)
	a0, b0 := slices.Clone(a), slices.Clone(b)
	want, wantCost := Chunked(a, b, 100)
	for _, p := range []int{1, 2, 8} {
		runtime.GOMAXPROCS(p)
		if got, c := Chunked(a, b, 100); !slices.Equal(got, want) || c != wantCost {
			t.Errorf("GOMAXPROCS=%d: other bits or another cost", p)
		}
	}
	if !slices.Equal(a, a0) || !slices.Equal(b, b0) {
		t.Error("the inputs were changed")
	}
}

func TestScanPanics(t *testing.T) {
	for want, f := range map[string]func(){
		`algorithm "quick", want one of`: func() { Scan("quick", nil, nil) },
		"b has 2 elements, want 3":       func() { Scan(AlgBlelloch, make([]float64, 3), make([]float64, 2)) },
		"chunk is 0":                     func() { Chunked(nil, nil, 0) },
	} {
		mixertest.MustPanic(t, "a bad scan", f, want)
	}
}

// A NaN or an overflow stays where it belongs: after t, never before.
func TestScanNaNIsCausal(t *testing.T) {
	a, b := drawScan(600, 1)
	b[300] = math.NaN()
	for _, alg := range Algorithms() {
		h, _ := Scan(alg, a, b)
		for i, v := range h {
			if math.IsNaN(v) != (i >= 300) {
				t.Fatalf("%s: h[%d] is %v", alg, i, v)
			}
		}
	}
}

func BenchmarkScan(b *testing.B) {
	for _, n := range []int{1 << 10, 1 << 16} {
		x, y := drawScan(n, 1)
		for _, alg := range Algorithms() {
			b.Run(fmt.Sprintf("%s/n=%d", alg, n), func(b *testing.B) {
				for b.Loop() {
					Scan(alg, x, y)
				}
			})
		}
	}
}
