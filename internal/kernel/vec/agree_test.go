//go:build amd64 && !noasm

package vec

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gophersnake/gophersnake/internal/kernel/isa"
)

// inGo runs f with the plain Go kernels.
func inGo(f func()) {
	defer func(avx2, avx512 bool) { isa.UseAVX2, isa.UseAVX512 = avx2, avx512 }(isa.UseAVX2, isa.UseAVX512)
	isa.UseAVX2, isa.UseAVX512 = false, false
	f()
}

// inAVX2 runs f with the AVX2 kernels.
func inAVX2(f func()) {
	defer func(old bool) { isa.UseAVX512 = old }(isa.UseAVX512)
	isa.UseAVX512 = false
	f()
}

func sameBits(t *testing.T, name string, got, want []float32) {
	t.Helper()
	for i := range want {
		if a, b := math.Float32bits(got[i]), math.Float32bits(want[i]); a != b {
			t.Fatalf("%s: element %d is %v (%x), with AVX2 %v (%x)", name, i, got[i], a, want[i], b)
		}
	}
}

// agree runs f, which changes slices like s, with both instruction sets.
func agree(t *testing.T, name string, s [][]float32, f func(s [][]float32)) {
	t.Helper()
	want := clone(s)
	f(s)
	inAVX2(func() { f(want) })
	for i := range s {
		sameBits(t, name, s[i], want[i])
	}
}

// steps are the functions that are not elementwise or take scalars.
func steps() map[string]func(s [][]float32) {
	return map[string]func(s [][]float32){
		"AdamW":          func(s [][]float32) { AdamW(s[0], s[1], s[2], s[3], 1e-3, 0.9, 0.999, 1e-8, 0.1, 0.1, 0.001, 0.7) },
		"SoftmaxRow":     func(s [][]float32) { s[2][0], s[2][1] = SoftmaxRow(s[0], s[1]) },
		"SoftmaxRowGrad": func(s [][]float32) { SoftmaxRowGrad(s[0], s[1], s[2]) },
		"RMSNormRow":     func(s [][]float32) { s[3][0] = RMSNormRow(s[0], s[1], s[2], 1e-5) },
		"RMSNormRowGrad": func(s [][]float32) { RMSNormRowGrad(s[0], s[1], s[2], s[3], s[4], 0.3) },
		"reductions": func(s [][]float32) {
			s[2][0], s[2][1], s[3][0], s[3][1] = Sum(s[0]), SumSquares(s[0]), Dot(s[0], s[1]), Max(s[0])
		},
	}
}

// AVX-512 and AVX2 have the same bits for all kinds of arguments and all
// lengths about those of a register.
func TestAVX512AgreesWithAVX2(t *testing.T) {
	if !isa.UseAVX512 {
		t.Skip("no AVX-512")
	}
	x := arguments()
	rng := rand.New(rand.NewPCG(5, 6))
	shuffled := func() []float32 {
		y := append([]float32(nil), x...)
		rng.Shuffle(len(y), func(i, j int) { y[i], y[j] = y[j], y[i] })
		return y
	}
	for _, k := range kernels() {
		s := [][]float32{x}
		for len(s) < k.outs+k.args {
			s = append(s, shuffled())
		}
		if k.outs == 1 {
			s[0], s[1] = s[1], s[0]
		}
		agree(t, k.name+" of all kinds", clone(s), k.run)
		for n := range 200 {
			agree(t, fmt.Sprintf("%s, %d elements", k.name, n), k.slicesFor(rng, n), k.run)
		}
	}
	for name, f := range steps() {
		for n := 2; n < 200; n++ {
			s := make([][]float32, 5)
			for i := range s {
				s[i] = random(rng, n)
			}
			if name == "AdamW" {
				for i, v := range s[3] {
					s[3][i] = v * v
				}
			}
			agree(t, fmt.Sprintf("%s, %d elements", name, n), s, f)
		}
		agree(t, name+" of all kinds", [][]float32{shuffled(), shuffled(), shuffled(), shuffled(), shuffled()}, f)
	}
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
