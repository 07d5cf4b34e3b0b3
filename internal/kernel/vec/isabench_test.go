//go:build linux && amd64 && !noasm

package vec

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gophersnake/gophersnake/internal/kernel/isa"
)

// BenchmarkISA runs every function with AVX-512 and AVX2 in turn: a few
// elements, the first cache and memory.
func BenchmarkISA(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{24, 1 << 10, 1 << 22} {
		for _, k := range kernels() {
			b.Run(fmt.Sprintf("%s/n=%d", k.name, n), func(b *testing.B) {
				s := k.slicesFor(rng, n)
				inTurn(b, n, k.traffic(), func() { k.run(s) })
			})
		}
		for name, streams := range map[string]traffic{"AdamW": {4, 3, 4}, "SoftmaxRow": {1, 1, 2},
			"SoftmaxRowGrad": {3, 1, 3}, "RMSNormRow": {2, 1, 3}, "RMSNormRowGrad": {5, 2, 5}} {
			f := steps()[name]
			b.Run(fmt.Sprintf("%s/n=%d", name, n), func(b *testing.B) {
				s := make([][]float32, 5)
				for i := range s {
					s[i] = make([]float32, n)
					for j := range s[i] {
						s[i][j] = rng.Float32() // positive: the second moment
					}
				}
				inTurn(b, n, streams, func() { f(s) })
			})
		}
	}
}

// processorTime is what this thread has used, in ns: a shared machine takes its
// processor away for longer than most runs last.
func processorTime() float64 {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t) // cannot fail: the clock exists
	return float64(t.Nano())
}

// inTurn reports ns an element of the fastest run with each instruction set,
// the median ratio of the turns, and the memory traffic with AVX-512 with its
// share of the ceiling.
func inTurn(b *testing.B, n int, streams traffic, f func()) {
	if !isa.UseAVX512 {
		b.Skip("no AVX-512")
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	bundle := max(1, 1<<16/n)
	run := func() float64 {
		start := processorTime()
		for range bundle {
			f()
		}
		return (processorTime() - start) / float64(bundle) / float64(n)
	}
	var wide, narrow, ratio []float64
	run()
	for b.Loop() {
		w := run()
		inAVX2(func() { narrow = append(narrow, run()) })
		wide, ratio = append(wide, w), append(ratio, narrow[len(narrow)-1]/w)
	}
	slices.Sort(ratio)
	b.ReportMetric(slices.Min(wide), "avx512-ns/element")
	b.ReportMetric(slices.Min(narrow), "avx2-ns/element")
	b.ReportMetric(ratio[len(ratio)/2], "median-ratio")
	machine().Report(b, streams.of(n), slices.Min(wide)*float64(n)*1e-9)
	b.ReportMetric(0, "ns/op")
}
