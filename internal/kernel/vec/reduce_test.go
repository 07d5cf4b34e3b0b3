package vec

import (
	"math"
	"math/rand/v2"
	"testing"
)

// sumError bounds the error of a float32 sum of terms with magnitudes adding
// up to size: a term goes through at most 128 + 6 additions and a product,
// each with a relative error of 2⁻²⁴; rounding errors are random, so 4·√134
// ≈ 46 of them is far out.
func sumError(size float64) float64 { return 46 * 0x1p-24 * size }

var lengths = []int{0, 1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 1000, 4095, 4096, 4097, 12345, 100003}

func TestReductionsAgainstFloat64(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, n := range lengths {
		a, b, c := random(rng, n), random(rng, n), random(rng, n)
		for name, r := range map[string]struct {
			got  float32
			term func(i int) float64
		}{
			"Sum":        {Sum(a), func(i int) float64 { return float64(a[i]) }},
			"SumSquares": {SumSquares(a), func(i int) float64 { return float64(a[i]) * float64(a[i]) }},
			"Dot":        {Dot(a, b), func(i int) float64 { return float64(a[i]) * float64(b[i]) }},
			"dot3":       {dot3(a, b, c), func(i int) float64 { return float64(a[i]) * float64(b[i]) * float64(c[i]) }},
		} {
			want, size := 0.0, 0.0
			for i := range n {
				want += r.term(i)
				size += math.Abs(r.term(i))
			}
			if !(math.Abs(float64(r.got)-want) <= sumError(size)) {
				t.Errorf("%s of %d: %v, want %v ± %v", name, n, r.got, want, sumError(size))
			}
		}
	}
}

// The order of Sum is the documented one, bit by bit, in both kinds of kernel
// (there is no product whose rounding could differ).
func TestSumOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for n := range 200 {
		x := random(rng, n)
		if got, want := Sum(x), sumGo(x); got != want {
			t.Errorf("Sum of %d is %v, want %v", n, got, want)
		}
	}
}

func TestReductionsPropagateNaN(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for _, n := range lengths[1:] {
		x, y := random(rng, n), random(rng, n)
		x[rng.IntN(n)] = nan
		for name, got := range map[string]float32{"Sum": Sum(x), "SumSquares": SumSquares(x), "Dot": Dot(y, x), "Max": Max(x)} {
			if got == got {
				t.Errorf("%s of %d values with a NaN is %v", name, n, got)
			}
		}
	}
}

func TestMax(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for _, n := range lengths[1:] {
		x := random(rng, n)
		for i := range x {
			x[i] -= 100 // zeros of a mask must not win
		}
		at := rng.IntN(n)
		x[at] = -1
		if got := Max(x); got != -1 {
			t.Errorf("Max of %d with -1 at %d is %v", n, at, got)
		}
	}
	infinity := float32(math.Inf(-1))
	if got := Max([]float32{infinity, infinity}); got != infinity {
		t.Errorf("Max of -Inf is %v", got)
	}
}

func TestMaxPanicsOnNothing(t *testing.T) {
	defer func() {
		if got, want := recover(), "vec: Max: len(x) is 0, want at least 1"; got != want {
			t.Errorf("panic is %v, want %q", got, want)
		}
	}()
	Max(nil)
}
