//go:build arm64 && !noasm

package vec

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The compiler for arm64 fuses the multiply-adds of the plain Go reductions,
// which have the same order: the bits are the same for every length.
func TestNEONReductionsSameBitsAsGo(t *testing.T) {
	r := rand.New(rand.NewPCG(41, 42))
	for n := range 200 {
		var x [3][]float32
		for i := range x {
			x[i] = make([]float32, n)
			for j := range x[i] {
				x[i][j] = float32(r.NormFloat64())
			}
		}
		a, b, c := x[0], x[1], x[2]
		for name, pair := range map[string][2]float32{
			"Sum":        {neonSum(a), sumGo(a)},
			"SumSquares": {neonSumSquares(a), dotGo(a, a)},
			"Dot":        {neonDot(a, b), dotGo(a, b)},
			"dot3":       {neonDot3(a, b, c), dot3Go(a, b, c)},
		} {
			if math.Float32bits(pair[0]) != math.Float32bits(pair[1]) {
				t.Errorf("%s of %d: %v, in Go %v", name, n, pair[0], pair[1])
			}
		}
	}
}

// Each function's kernel and its plain Go version have the same formulas: they
// differ by what the compiler fuses otherwise, 4 units in the last place at most.
func TestNEONFunctionsAgreeWithGo(t *testing.T) {
	for name, f := range map[string]struct {
		kernel func(dst, x []float32)
		plain  func(x float32) float32
	}{
		"Exp": {neonExp, exp32}, "Sigmoid": {neonSigmoid, sigmoid32}, "SiLU": {neonSilu, silu32},
		"Softplus": {neonSoftplus, softplus32}, "Tanh": {neonTanh, tanh32}, "GELU": {neonGelu, gelu32},
		"GELUExact": {neonGeluExact, geluExact32},
	} {
		const n = 20_011
		x, y := make([]float32, n), make([]float32, n)
		for i := range x {
			x[i] = 200 * (float32(i)/n - .5)
		}
		f.kernel(y, x)
		worst, at := uint32(0), 0
		for i, v := range x {
			got, want := math.Float32bits(y[i]), math.Float32bits(f.plain(v))
			if d := max(got, want) - min(got, want); d > worst {
				worst, at = d, i
			}
		}
		t.Logf("%s: %d units", name, worst)
		if worst > 4 {
			t.Errorf("%s(%v) is %v, in Go %v", name, x[at], y[at], f.plain(x[at]))
		}
	}
}
