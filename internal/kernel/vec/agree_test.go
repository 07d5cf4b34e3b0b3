//go:build amd64 && !noasm

package vec

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gophersnake/gophersnake/internal/kernel/isa"
)

// inGo runs f with the plain Go kernels.
func inGo(f func()) {
	old := isa.UseAVX2
	isa.UseAVX2 = false
	defer func() { isa.UseAVX2 = old }()
	f()
}

// Assembly and plain Go, for every function and every kind of argument. Both
// are within k.tol of the truth, so they are within twice that of each other.
func TestAssemblyAgreesWithGo(t *testing.T) {
	if !isa.UseAVX2 {
		t.Skip("no AVX2")
	}
	x := arguments()
	for _, k := range unaries() {
		a, b := make([]float32, len(x)), make([]float32, len(x))
		k.run([][]float32{a, x})
		inGo(func() { k.run([][]float32{b, x}) })
		for i, v := range x {
			if !near(a[i], float64(b[i]), 2*k.tol, 2*k.abs) {
				t.Errorf("%s(%v) is %v, in Go %v", k.name, v, a[i], b[i])
				break
			}
		}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for _, k := range kernels() {
		a := k.slicesFor(rng, 205)
		b := clone(a)
		before := clone(a)
		k.run(a)
		inGo(func() { k.run(b) })
		for j := range k.outs {
			for i := range a[j] {
				size := math.Max(1, math.Abs(float64(a[j][i])))
				for s := range before {
					if v := math.Abs(float64(before[s][i])); v > 1 {
						size *= v // bounds every intermediate product
					}
				}
				if !near(a[j][i], float64(b[j][i]), 0, 2*k.tol*size) {
					t.Errorf("%s: element %d of result %d is %v, in Go %v", k.name, i, j, a[j][i], b[j][i])
				}
			}
		}
	}
}

func TestReductionsAgreeWithGo(t *testing.T) {
	if !isa.UseAVX2 {
		t.Skip("no AVX2")
	}
	rng := rand.New(rand.NewPCG(3, 4))
	for _, n := range lengths {
		a, b := random(rng, n), random(rng, n)
		got := []float32{Sum(a), SumSquares(a), Dot(a, b)}
		var want []float32
		inGo(func() { want = []float32{Sum(a), SumSquares(a), Dot(a, b)} })
		for i := range got {
			// One rounding more for each product, of at most 9·16 in size.
			if tol := 0x1p-23 * 144 * math.Sqrt(float64(n)+1) * 4; math.Abs(float64(got[i])-float64(want[i])) > tol {
				t.Errorf("n %d: reduction %d is %v, in Go %v", n, i, got[i], want[i])
			}
		}
	}
}
