package vec

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// BenchmarkKernels reports the time for an element and the memory traffic of
// every function, in the first cache (4 KB a slice) and in memory (16 MB).
func BenchmarkKernels(b *testing.B) {
	for _, n := range []int{1 << 10, 1 << 22} {
		for _, k := range kernels() {
			b.Run(fmt.Sprintf("%s/n=%d", k.name, n), func(b *testing.B) {
				s := k.slicesFor(rand.New(rand.NewPCG(1, 2)), n)
				streams := k.args + k.outs
				if k.adds {
					streams += k.outs
				}
				report(b, n, streams, func() { k.run(s) })
			})
		}
	}
}

// report runs f and reports ns per element and GB/s, for the given number of
// float32 streams of n elements, of its fastest run: on a machine shared with
// others the mean says more about them. Short functions are timed in bundles
// of at least 20 µs, against which reading the clock costs nothing.
func report(b *testing.B, n, streams int, f func()) {
	b.Helper()
	bundle := 1
	for timed(bundle, f) < 20*time.Microsecond {
		bundle *= 2
	}
	best := time.Hour
	for b.Loop() {
		best = min(best, timed(bundle, f))
	}
	elements := float64(bundle) * float64(n)
	b.ReportMetric(float64(best.Nanoseconds())/elements, "ns/element")
	b.ReportMetric(4*float64(streams)*elements/float64(best.Nanoseconds()), "GB/s")
}

func timed(runs int, f func()) time.Duration {
	start := time.Now()
	for range runs {
		f()
	}
	return time.Since(start)
}

func BenchmarkReductions(b *testing.B) {
	for _, n := range []int{64, 1 << 10, 1 << 22} {
		rng := rand.New(rand.NewPCG(1, 2))
		x, y := random(rng, n), random(rng, n)
		for name, f := range map[string]struct {
			streams int
			run     func()
		}{
			"Sum":        {1, func() { Sum(x) }},
			"SumSquares": {1, func() { SumSquares(x) }},
			"Dot":        {2, func() { Dot(x, y) }},
			"Max":        {1, func() { Max(x) }},
		} {
			b.Run(fmt.Sprintf("%s/n=%d", name, n), func(b *testing.B) { report(b, n, f.streams, f.run) })
		}
	}
}

func BenchmarkRows(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{64, 256, 1024} {
		x, y, w := random(rng, n), random(rng, n), random(rng, n)
		dx, dw := random(rng, n), random(rng, n)
		b.Run(fmt.Sprintf("RMSNormRow/n=%d", n), func(b *testing.B) {
			report(b, n, 3, func() { RMSNormRow(y, x, w, 1e-5) })
		})
		b.Run(fmt.Sprintf("RMSNormRowGrad/n=%d", n), func(b *testing.B) {
			report(b, n, 7, func() { RMSNormRowGrad(dx, dw, x, w, y, 1e-3) })
		})
		b.Run(fmt.Sprintf("SoftmaxRow/n=%d", n), func(b *testing.B) {
			report(b, n, 2, func() { SoftmaxRow(y, x) })
		})
		b.Run(fmt.Sprintf("SoftmaxRowGrad/n=%d", n), func(b *testing.B) {
			report(b, n, 4, func() { SoftmaxRowGrad(dx, y, x) })
		})
	}
}

func BenchmarkAdamW(b *testing.B) {
	for _, n := range []int{1 << 10, 1 << 22} {
		rng := rand.New(rand.NewPCG(1, 2))
		w, g, m, v := random(rng, n), random(rng, n), make([]float32, n), make([]float32, n)
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			report(b, n, 7, func() { AdamW(w, g, m, v, 1e-3, 0.9, 0.999, 1e-8, 0.1, 0.1, 0.001, 1) })
		})
	}
}
