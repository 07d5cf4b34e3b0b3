//go:build linux && amd64 && !noasm

package scan

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// processorTime is what this thread has used, in ns: a shared machine takes its
// processor away for longer than most runs last.
func processorTime() float64 {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t) // cannot fail: the clock exists
	return float64(t.Nano())
}

// cycles is the clock in GHz: a chain of multiplications of 3 cycles each.
func cycles() float64 {
	const n = 1 << 20
	fastest, x := math.Inf(1), uint64(3)
	for range 20 {
		start := processorTime()
		for range n {
			x *= x
		}
		fastest = min(fastest, processorTime()-start)
	}
	if x == 0 { // never: x is odd; keeps the loop
		return 0
	}
	return 3 * n / fastest
}

// BenchmarkISA runs the same scan with AVX-512 and AVX2 in turn, on one core,
// and reports for both the fastest run and what fraction of its speed the floor
// allows, and the median of the turns' ratios.
func BenchmarkISA(b *testing.B) {
	gated := options{softplus: true, noH0: true}
	for _, s := range []Shape{{8, 1024, 256, 16}, {8, 1024, 256, 4}, {8, 1024, 256, 2}, {8, 1024, 256, 1}, {8, 256, 128, 16},
		{4, 256, 128, 64}, {1, 32, 16, 16}, {1, 32, 16, 4}, {1, 32, 8, 16}} {
		p, g := problem(rand.New(rand.NewPCG(1, 1)), s, gated)
		p.Alloc = steadyAlloc()
		name := fmt.Sprintf("B%dL%dD%dN%d/", s.B, s.L, s.D, s.N)
		b.Run(name+"forward", func(b *testing.B) { inTurn(b, s, forwardProducts, func() { p.Forward(nil) }) })
		b.Run(name+"backward", func(b *testing.B) { inTurn(b, s, backwardProducts, func() { p.Backward(nil, g) }) })
	}
	s := Shape{4, 256, 128, 16}
	p, g := complexProblem(rand.New(rand.NewPCG(1, 1)), s, gated, false, false)
	p.Alloc = steadyAlloc()
	b.Run("complex/forward", func(b *testing.B) { inTurn(b, s, 0, func() { p.Forward(nil) }) })
	b.Run("complex/backward", func(b *testing.B) { inTurn(b, s, 0, func() { p.Backward(nil, g) }) })
	for _, s := range []Shape{{8, 1024, 256, 1}, {1, 64, 256, 1}, {1, 32, 24, 1}} {
		eachLinear(func(isComplex, constA, h0 bool) {
			if h0 || constA != isComplex { // LRU's and minGRU's
				return
			}
			p, g := linearProblem(rand.New(rand.NewPCG(1, 1)), s.B, s.L, s.D, isComplex, constA, h0)
			p.Alloc = steadyAlloc()
			name := fmt.Sprintf("linear/B%dL%dD%d/complex=%v/", s.B, s.L, s.D, isComplex)
			b.Run(name+"forward", func(b *testing.B) { inTurn(b, s, 0, func() { p.Forward(nil) }) })
			b.Run(name+"backward", func(b *testing.B) { inTurn(b, s, 0, func() { p.Backward(nil, g) }) })
		})
	}
}

// inTurn times f, which makes products of each state element (0: unknown).
func inTurn(b *testing.B, s Shape, products float64, f func()) {
	needAVX512(b)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	n := float64(s.B * s.L * s.D * s.N)
	bundle := max(1, int(200_000/n)) // enough to make reading the clock cost nothing
	run := func() float64 {
		start := processorTime()
		for range bundle {
			f()
		}
		return (processorTime() - start) / float64(bundle) / n
	}
	var wide, narrow, ratio []float64
	run()
	for b.Loop() {
		w := run()
		withAVX2(func() { narrow = append(narrow, run()) })
		wide, ratio = append(wide, w), append(ratio, narrow[len(narrow)-1]/w)
	}
	slices.Sort(ratio)
	b.ReportMetric(slices.Min(wide), "avx512-ns/element")
	b.ReportMetric(slices.Min(narrow), "avx2-ns/element")
	b.ReportMetric(ratio[len(ratio)/2], "median-ratio")
	if products > 0 {
		perCycle := 2 * cycles()
		b.ReportMetric(products/16/perCycle/slices.Min(wide), "avx512-of-floor")
		b.ReportMetric(products/8/perCycle/slices.Min(narrow), "avx2-of-floor")
	}
	b.ReportMetric(0, "ns/op")
}
