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
				streams := k.args + k.outs
				if k.adds {
					streams += k.outs
				}
				inTurn(b, n, streams, func() { k.run(s) })
			})
		}
		for name, streams := range map[string]int{"AdamW": 7, "SoftmaxRow": 2, "SoftmaxRowGrad": 4, "RMSNormRow": 3, "RMSNormRowGrad": 7} {
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
// the median ratio of the turns, and the memory traffic with AVX-512.
func inTurn(b *testing.B, n, streams int, f func()) {
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
	b.ReportMetric(4*float64(streams)/slices.Min(wide), "avx512-GB/s")
	b.ReportMetric(0, "ns/op")
}
