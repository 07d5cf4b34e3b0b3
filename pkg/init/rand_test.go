package initializer

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
)

// The first numbers of a stream never change: every logged run hangs on them.
func TestNewRandGolden(t *testing.T) {
	for _, c := range []struct {
		seed   uint64
		stream string
		want   uint64
	}{{0, "", goldenEmpty}, {1, "params", goldenParams}, {math.MaxUint64, "data", goldenData}} {
		if got := NewRand(c.seed, c.stream).Uint64(); got != c.want {
			t.Errorf("NewRand(%d, %q) starts with %#x, want %#x", c.seed, c.stream, got, c.want)
		}
	}
}

// From the definition with another tool: testdata/streams.py takes SHA-256 and then the PCG-DXSM step by itself.
const (
	goldenEmpty  = 0x0f59c9aafe0e086d
	goldenParams = 0x8d2731f158a6b81d
	goldenData   = 0x0f93dae91a246e76
)

func TestStreamsAreIndependent(t *testing.T) {
	const n = 20_000
	draws := func(seed uint64, stream string) []float64 { return Normal(NewRand(seed, stream), n, 1) }
	streams := [][]float64{
		draws(1, "params"), draws(1, "data"), draws(1, "dropout"), draws(2, "params"), draws(1, "params2"),
	}
	for i, a := range streams {
		for j, b := range streams[:i] {
			dot := 0.0
			for k := range a {
				dot += a[k] * b[k]
			}
			if z := dot / math.Sqrt(n); math.Abs(z) > 4 { // standard normal when independent
				t.Errorf("streams %d and %d correlate: z = %.2f", i, j, z)
			}
		}
	}
}

// every function that draws, with arguments of one size.
var drawing = map[string]func(*rand.Rand) []float64{
	"Ring":           func(r *rand.Rand) []float64 { a, b := Ring(r, 9, 0, 1, 1); return append(a, b...) },
	"RingExp":        func(r *rand.Rand) []float64 { a, b := RingExp(r, 9, 0, 1, 1); return append(a, b...) },
	"RingReIm":       func(r *rand.Rand) []float64 { a, b := RingReIm(r, 9, 0, 1, 1); return append(a, b...) },
	"ALogRandom":     func(r *rand.Rand) []float64 { return ALogRandom(r, 3, 4) },
	"DeltaBias":      func(r *rand.Rand) []float64 { return DeltaBias(r, 9, 1e-3, 0.1, 1e-4) },
	"LogStep":        func(r *rand.Rand) []float64 { return LogStep(r, 9, 1e-3, 0.1) },
	"DeltaWeight":    func(r *rand.Rand) []float64 { return DeltaWeight(r, 5, 2, 1) },
	"Normal":         func(r *rand.Rand) []float64 { return Normal(r, 9, 1) },
	"Uniform":        func(r *rand.Rand) []float64 { return Uniform(r, 9, 0, 1) },
	"GlorotUniform":  func(r *rand.Rand) []float64 { return GlorotUniform(r, 3, 4) },
	"GlorotNormal":   func(r *rand.Rand) []float64 { return GlorotNormal(r, 3, 4) },
	"KaimingUniform": func(r *rand.Rand) []float64 { return KaimingUniform(r, 3, 4, 1) },
	"TorchLinear":    func(r *rand.Rand) []float64 { return TorchLinear(r, 3, 4) },
	"TorchBias":      func(r *rand.Rand) []float64 { return TorchBias(r, 9, 4) },
	"TorchResidual":  func(r *rand.Rand) []float64 { return TorchResidual(r, 3, 4, 2) },
	"Ginibre":        func(r *rand.Rand) []float64 { return Ginibre(r, 4, 1) },
	// 300: large enough for gonum's parallel matrix product.
	"Orthogonal": func(r *rand.Rand) []float64 { return Orthogonal(r, 300, 300, 1) },
}

func TestSameSeedSameBits(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	legs := func() []float64 { _, im := HiPPOLegS(96); return im }
	var firstLegs []float64
	first := map[string][]float64{}
	for _, procs := range []int{1, 2, 8} {
		runtime.GOMAXPROCS(procs)
		for name, f := range drawing {
			x := f(NewRand(1, "same"))
			for i, v := range x {
				if math.IsNaN(v) || math.IsInf(v, 0) {
					t.Errorf("%s: value %d is %g", name, i, v)
				}
			}
			if first[name] == nil {
				first[name] = x
			}
			if !slices.Equal(x, first[name]) {
				t.Errorf("%s: other bits with GOMAXPROCS %d", name, procs)
			}
			if slices.Equal(x, f(NewRand(2, "same"))) {
				t.Errorf("%s: seeds 1 and 2 give the same values", name)
			}
		}
		if im := legs(); firstLegs == nil {
			firstLegs = im
		} else if !slices.Equal(im, firstLegs) {
			t.Errorf("HiPPOLegS: other bits with GOMAXPROCS %d", procs)
		}
	}
}

func TestConstant(t *testing.T) {
	if x := Constant(2, 0.5); !slices.Equal(x, []float64{0.5, 0.5}) {
		t.Errorf("Constant(2, 0.5) = %v", x)
	}
	wantPanic(t, "initializer: Constant: n is -1, want >= 0", func() { Constant(-1, 0) })
}
