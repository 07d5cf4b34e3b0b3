//go:build amd64 && !noasm

package gemm

import (
	"fmt"
	"sort"
	"sync"
	"testing"
	"time"

	"github.com/gophersnake/gophersnake/internal/kernel/isa"
)

// As in a training step, where each product has operands of its own, the first
// coldShapes shapes are also measured by turns over as many operands as have
// coldFloats floats, 24 MB.
const (
	coldShapes = 12
	coldFloats = 6 << 20
)

// BenchmarkISA measures every shape with AVX-512 and with AVX2 by turns, so
// that both meet the same load, and reports for each GFLOP/s of the fastest
// run, its share of the ceiling, and how many times as fast AVX-512 was, by
// the medians.
func BenchmarkISA(b *testing.B) {
	if !isa.UseAVX512 {
		b.Skip("the processor has no AVX-512")
	}
	for _, s := range benchShapes {
		for _, workers := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/workers=%d", s.name, workers), func(b *testing.B) {
				p := s.product()
				compareISA(b, workers, s.m, s.n, s.k, func() {
					Gemm(workers, s.transA, s.transB, s.m, s.n, s.k, p.a, p.lda, p.b, p.ldb, 0, p.c, p.ldc)
				})
			})
		}
	}
	for _, s := range benchShapes[:coldShapes] {
		b.Run(s.name+"/cold", func(b *testing.B) {
			floats := s.m*s.k + s.k*s.n + s.m*s.n
			products := make([]*product, coldFloats/floats|1)
			for i := range products {
				products[i] = s.product()
			}
			next := 0
			compareISA(b, 1, s.m, s.n, s.k, func() {
				p := products[next%len(products)]
				next++
				Gemm(1, s.transA, s.transB, s.m, s.n, s.k, p.a, p.lda, p.b, p.ldb, 0, p.c, p.ldc)
			})
		})
	}
	for _, s := range packedShapes {
		m, n, k := s[0], s[1], s[2]
		b.Run(fmt.Sprintf("packed m=%d n=%d k=%d", m, n, k), func(b *testing.B) {
			var packed Packed
			Pack(true, k, n, ones(k*n), k, &packed)
			x, c := ones(m*k), ones(m*n)
			compareISA(b, 1, m, n, k, func() { MulPacked(m, x, k, &packed, 0, c, n) })
		})
	}
}

// compareISA runs f with either instruction set by turns.
func compareISA(b *testing.B, workers, m, n, k int, f func()) {
	b.Helper()
	flops := 2 * float64(m) * float64(n) * float64(k)
	bundle := bundleOf(f)
	var times [2][]time.Duration
	for b.Loop() {
		times[0] = append(times[0], timed(bundle, f))
		without512(func() { times[1] = append(times[1], timed(bundle, f)) })
	}
	for i, name := range []string{"avx512", "avx2"} {
		sort.Slice(times[i], func(x, y int) bool { return times[i][x] < times[i][y] })
		speed := flops * float64(bundle) / float64(times[i][0].Nanoseconds())
		b.ReportMetric(speed, name+"-GFLOP/s")
		b.ReportMetric(speed/(ceilings()[i]*float64(workers))*100, name+"-%ceiling")
	}
	half := len(times[0]) / 2
	b.ReportMetric(float64(times[1][half])/float64(times[0][half]), "median-ratio")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkCeiling is a loop of independent multiply-adds: what one core can
// compute at most.
func BenchmarkCeiling(b *testing.B) {
	for i, name := range []string{"avx512", "avx2"} {
		if i == 0 && !isa.UseAVX512 {
			continue
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
			}
			b.ReportMetric(ceilings()[i], "GFLOP/s")
		})
	}
}

// ceilings returns the GFLOP/s of independent multiply-adds on one core: with
// AVX-512, 0 without it, and with AVX2.
var ceilings = sync.OnceValue(func() (c [2]float64) {
	const n, chains = 20_000, 12
	if isa.UseAVX512 {
		c[0] = 2 * 16 * chains * n / best(100, func() { avx512ceiling(n) })
	}
	c[1] = 2 * 8 * chains * n / best(100, func() { ceiling(n) })
	return c
})

// best returns the nanoseconds of the fastest of some runs of f.
func best(runs int, f func()) float64 {
	t := time.Hour
	for range runs {
		t = min(t, timed(1, f))
	}
	return float64(t.Nanoseconds())
}

// bundleOf returns how many runs of f make a bundle.
func bundleOf(f func()) int {
	bundle := 1
	for timed(bundle, f) < 20*time.Microsecond {
		bundle *= 2
	}
	return bundle
}

func timed(runs int, f func()) time.Duration {
	start := time.Now()
	for range runs {
		f()
	}
	return time.Since(start)
}
