//go:build amd64 && !noasm

package gemm

import (
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/gophersnake/gophersnake/internal/kernel/isa"
)

// without512 runs f as on a processor without AVX-512.
func without512(f func()) {
	saved := isa.UseAVX512
	isa.UseAVX512 = false
	defer func() { isa.UseAVX512 = saved }()
	f()
}

// wideShapes has every height of a last tile with every way to split the
// columns, k blocked, sliced and short.
func wideShapes() [][3]int {
	list := shapes()
	for m := 1; m <= 25; m++ {
		for _, n := range []int{8, 9, 16, 17, 24, 25, 31, 32, 33, 40, 41, 48, 57, 64, 100, 128, 200, 300} {
			list = append(list, [3]int{m, n, 1 + (m*7+n*3)%23})
		}
	}
	for _, k := range []int{1, 2, 3, 4, 5, 6, 7, 8, 255, 256, 257, 300, 512, 700, 1100} {
		list = append(list, [3]int{29, 73, k}, [3]int{12, 32, k}, [3]int{130, 61, k})
	}
	// What reads B where it lies, as it is or turned, and what nearly does.
	for _, m := range []int{1, 5, 12, 18, 40, 144, 145} {
		list = append(list, [3]int{m, 64, 1100}, [3]int{64, m, 1100})
	}
	list = append(list, [3]int{256, 8, 1500}, [3]int{96, 16, 1031}, [3]int{96, 17, 1031}, [3]int{40, 32, 1024})
	return append(list, [3]int{128, 128, 2048}, [3]int{96, 40, 3000}, [3]int{256, 24, 2500}, [3]int{200, 300, 600}, [3]int{30, 2200, 20})
}

func TestAVX512SameBitsAsAVX2(t *testing.T) {
	if !isa.UseAVX512 {
		t.Skip("the processor has no AVX-512")
	}
	rng := rand.New(rand.NewPCG(11, 12))
	for _, s := range wideShapes() {
		for q := range 16 {
			p := newProduct(rng, q&1 != 0, q&2 != 0, s[0], s[1], s[2], float32(q>>2&1), q&8 != 0)
			var want []float32
			without512(func() { want = p.compute(1) })
			for workers := 1; workers <= 2; workers++ {
				sameBits(t, p.String(), p.compute(workers), want)
			}
		}
	}
}

// What was packed with one instruction set may be used with the other.
func TestAVX512MulPackedSameBitsAsAVX2(t *testing.T) {
	if !isa.UseAVX512 {
		t.Skip("the processor has no AVX-512")
	}
	rng := rand.New(rand.NewPCG(13, 14))
	for m := 1; m <= 27; m++ {
		for _, n := range []int{5, 16, 31, 40, 64, 129, 192, 300} {
			p := newProduct(rng, false, m%2 == 0, m, n, 1+(37*m+n)%400, float32(m/2%2), false)
			multiply := func(packed *Packed) []float32 {
				c := append([]float32(nil), p.c...)
				MulPacked(p.m, p.a, p.lda, packed, p.beta, c, p.ldc)
				return c
			}
			var here, there Packed
			Pack(p.transB, p.k, p.n, p.b, p.ldb, &here)
			var want []float32
			without512(func() {
				Pack(p.transB, p.k, p.n, p.b, p.ldb, &there)
				want = multiply(&here)
			})
			sameBits(t, p.String(), multiply(&there), want)
		}
	}
}

// A slice's rows are shared out where there are more workers than slices.
func TestAVX512SameBitsWithManyWorkers(t *testing.T) {
	if !isa.UseAVX512 {
		t.Skip("the processor has no AVX-512")
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(8))
	rng := rand.New(rand.NewPCG(15, 16))
	for _, s := range [][3]int{{130, 96, 1100}, {250, 24, 1030}, {300, 64, 1100}, {290, 300, 1200}, {64, 8, 1024}} {
		p := newProduct(rng, true, false, s[0], s[1], s[2], 1, false)
		want := p.compute(1)
		for _, workers := range []int{2, 5, 8} {
			sameBits(t, p.String(), p.compute(workers), want)
		}
	}
}
