package vec

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/gophersnake/gophersnake/internal/kernel/ceiling"
)

// machine is what the machine can do, measured as far as benchmarks ask.
var machine = sync.OnceValue(ceiling.New)

// traffic is the float32 streams of a function: what it reads, what it writes, and
// in how many arrays.
type traffic struct{ reads, writes, arrays int }

// of is the work on n elements.
func (t traffic) of(n int) ceiling.Work {
	return ceiling.Work{Workers: 1, Reads: 4 * float64(t.reads*n), Writes: 4 * float64(t.writes*n), Set: 4 * float64(t.arrays*n)}
}

// BenchmarkKernels reports the time for an element and the memory traffic of
// every function, in the first cache (4 KB a slice) and in memory (16 MB).
func BenchmarkKernels(b *testing.B) {
	for _, n := range []int{1 << 10, 1 << 22} {
		for _, k := range kernels() {
			b.Run(fmt.Sprintf("%s/n=%d", k.name, n), func(b *testing.B) {
				s := k.slicesFor(rand.New(rand.NewPCG(1, 2)), n)
				report(b, n, k.traffic(), func() { k.run(s) })
			})
		}
	}
}

// traffic is what the kernel reads and writes.
func (k kernel) traffic() traffic {
	t := traffic{k.args, k.outs, k.args + k.outs}
	if k.adds {
		t.reads += k.outs
	}
	return t
}

// report reports ns per element, and GB/s and the share of the ceiling for its
// streams of n elements, of the fastest run of f.
func report(b *testing.B, n int, streams traffic, f func()) {
	b.Helper()
	seconds := ceiling.Fastest(b.Loop, f)
	b.ReportMetric(1e9*seconds/float64(n), "ns/element")
	machine().Report(b, streams.of(n), seconds)
}

func BenchmarkReductions(b *testing.B) {
	for _, n := range []int{64, 1 << 10, 1 << 22} {
		rng := rand.New(rand.NewPCG(1, 2))
		x, y := random(rng, n), random(rng, n)
		for name, f := range map[string]struct {
			streams traffic
			run     func()
		}{
			"Sum":        {traffic{1, 0, 1}, func() { Sum(x) }},
			"SumSquares": {traffic{1, 0, 1}, func() { SumSquares(x) }},
			"Dot":        {traffic{2, 0, 2}, func() { Dot(x, y) }},
			"Max":        {traffic{1, 0, 1}, func() { Max(x) }},
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
			report(b, n, traffic{2, 1, 3}, func() { RMSNormRow(y, x, w, 1e-5) })
		})
		b.Run(fmt.Sprintf("RMSNormRowGrad/n=%d", n), func(b *testing.B) {
			report(b, n, traffic{5, 2, 5}, func() { RMSNormRowGrad(dx, dw, x, w, y, 1e-3) })
		})
		b.Run(fmt.Sprintf("SoftmaxRow/n=%d", n), func(b *testing.B) {
			report(b, n, traffic{1, 1, 2}, func() { SoftmaxRow(y, x) })
		})
		b.Run(fmt.Sprintf("SoftmaxRowGrad/n=%d", n), func(b *testing.B) {
			report(b, n, traffic{3, 1, 3}, func() { SoftmaxRowGrad(dx, y, x) })
		})
	}
}

func BenchmarkAdamW(b *testing.B) {
	for _, n := range []int{1 << 10, 1 << 22} {
		rng := rand.New(rand.NewPCG(1, 2))
		w, g, m, v := random(rng, n), random(rng, n), make([]float32, n), make([]float32, n)
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			report(b, n, traffic{4, 3, 4}, func() { AdamW(w, g, m, v, 1e-3, 0.9, 0.999, 1e-8, 0.1, 0.1, 0.001, 1) })
		})
	}
}
