package scan

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/gophersnake/gophersnake/internal/kernel/ceiling"
)

// machine is what the machine can do, measured as far as benchmarks ask.
var machine = sync.OnceValue(ceiling.New)

// Multiplications and fused ones of a state element, of which a core starts two
// vectors in each cycle: exp has 5, the recurrence 2, and y, dB, dC, X, Sx, Ā X,
// S, Sd and dA one each. They are the floor of a scan's time. In a complex one
// the products are, y's apart, 4 for each of these; sine and cosine do not count.
const (
	forwardProducts  = 8
	backwardProducts = 16
	complexForward   = 5 + 2*4 + 2
	complexBackward  = 5 + 2*4 + 9*4
)

// work is what a scan does: products of every state element, and so many arrays
// (B,L,D) read and written.
func work(s Shape, workers int, products, reads, writes float64) ceiling.Work {
	array := 4 * float64(s.B*s.L*s.D)
	return ceiling.Work{Workers: workers, FLOPs: 2 * products * float64(s.B*s.L) * float64(s.D*s.N),
		Reads: reads * array, Writes: writes * array}
}

// benchShapes are the shapes whose speed is quoted.
var benchShapes = []Shape{{8, 1024, 256, 16}, {16, 24, 32, 8}, {1, 1024, 256, 16}, {4, 256, 128, 64}}

// perElement reports ns for each of the B·L·D·N state elements, mean and
// fastest run (the machine may be shared), GFLOP/s and GB/s of w with the share of
// the ceiling, and how many times faster than slow, the portable engine on one
// worker, fastest run against fastest run.
func perElement(b *testing.B, s Shape, w ceiling.Work, run, slow func()) {
	best := func(n int, f func()) time.Duration {
		d := time.Hour
		for range n {
			start := time.Now()
			f()
			d = min(d, time.Since(start))
		}
		return d
	}
	run()
	goTime, fastest := best(3, slow), time.Hour
	for b.Loop() {
		fastest = min(fastest, best(1, run))
	}
	n := float64(s.B * s.L * s.D * s.N)
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/element")
	b.ReportMetric(float64(fastest.Nanoseconds())/n, "min-ns/element")
	b.ReportMetric(float64(goTime)/float64(fastest), "x-go")
	machine().Report(b, w, fastest.Seconds())
	b.ReportMetric(0, "ns/op")
}

// steadyAlloc hands out one buffer again and again.
func steadyAlloc() func(n int) []float32 {
	var buf []float32
	return func(n int) []float32 {
		if len(buf) < n {
			buf = make([]float32, n)
		}
		return buf[:n]
	}
}

// benchmarkSelective reports f, which makes products of each state element and
// reads and writes so many arrays.
func benchmarkSelective(b *testing.B, o options, products, reads, writes float64,
	f func(p *Selective, g *SelectiveGrad, run Runner)) {
	for _, s := range benchShapes {
		for _, n := range []int{1, 2} {
			b.Run(fmt.Sprintf("B%dL%dD%dN%d/workers%d", s.B, s.L, s.D, s.N, n), func(b *testing.B) {
				p, g := problem(rand.New(rand.NewPCG(1, 1)), s, o)
				p.Alloc = steadyAlloc()
				p.Forward(nil)
				slow := *p
				slow.pureGo = true
				perElement(b, s, work(s, n, products, reads, writes), func() { f(p, g, workers(n)) }, func() { f(&slow, g, nil) })
			})
		}
	}
}

func forward(p *Selective, _ *SelectiveGrad, run Runner) { p.Forward(run) }

func backward(p *Selective, g *SelectiveGrad, run Runner) { p.Backward(run, g) }

func BenchmarkSelectiveForward(b *testing.B) {
	benchmarkSelective(b, options{softplus: true, noGate: true, noH0: true}, forwardProducts, 2, 1, forward)
}

func BenchmarkSelectiveBackward(b *testing.B) {
	benchmarkSelective(b, options{softplus: true, noGate: true, noH0: true}, backwardProducts, 3, 2, backward)
}

func BenchmarkSelectiveForwardGated(b *testing.B) {
	benchmarkSelective(b, options{softplus: true, noH0: true}, forwardProducts, 3, 1, forward)
}

func BenchmarkSelectiveBackwardGated(b *testing.B) {
	benchmarkSelective(b, options{softplus: true, noH0: true}, backwardProducts, 4, 3, backward)
}

// BenchmarkSelectiveStep is one step of generation.
func BenchmarkSelectiveStep(b *testing.B) {
	for _, s := range []Shape{{1, 1, 256, 16}, {1, 1, 1536, 16}, {16, 1, 256, 16}} {
		b.Run(fmt.Sprintf("B%dD%dN%d", s.B, s.D, s.N), func(b *testing.B) {
			p, _ := problem(rand.New(rand.NewPCG(1, 1)), s, options{softplus: true})
			p.Alloc, p.Checkpoints, p.HT = steadyAlloc(), nil, p.H0
			slow := *p
			slow.pureGo = true
			w := work(s, 1, forwardProducts, float64(2*s.N), float64(s.N))
			perElement(b, s, w, func() { p.Forward(nil) }, func() { slow.Forward(nil) })
		})
	}
}

// BenchmarkComplex is the complex scan.
func BenchmarkComplex(b *testing.B) {
	s := Shape{4, 256, 128, 16}
	for _, static := range []bool{false, true} {
		p, g := complexProblem(rand.New(rand.NewPCG(1, 1)), s, options{softplus: true, noH0: true, static: static}, false, false)
		p.Alloc = steadyAlloc()
		slow := *p
		slow.pureGo = true
		name := fmt.Sprintf("static=%v/", static)
		b.Run(name+"forward", func(b *testing.B) {
			perElement(b, s, work(s, 1, complexForward, 3, 1), func() { p.Forward(nil) }, func() { slow.Forward(nil) })
		})
		b.Run(name+"backward", func(b *testing.B) {
			perElement(b, s, work(s, 1, complexBackward, 4, 3), func() { p.Backward(nil, g) }, func() { slow.Backward(nil, g) })
		})
	}
}

func BenchmarkLinear(b *testing.B) {
	for _, s := range []Shape{{8, 1024, 256, 1}, {16, 24, 32, 1}} {
		eachLinear(func(isComplex, constA, h0 bool) {
			if h0 {
				return
			}
			p, g := linearProblem(rand.New(rand.NewPCG(1, 1)), s.B, s.L, s.D, isComplex, constA, h0)
			p.Alloc = steadyAlloc()
			slow := *p
			slow.pureGo = true
			parts, a := 1.0, 0.0 // of a number; arrays of coefficients
			if isComplex {
				parts = 2
			}
			if !constA {
				a = 1
			}
			name := fmt.Sprintf("B%dL%dD%d/complex=%v/constA=%v/", s.B, s.L, s.D, isComplex, constA)
			b.Run(name+"forward", func(b *testing.B) {
				w := work(s, 1, parts*parts, parts*(1+a), parts)
				perElement(b, s, w, func() { p.Forward(nil) }, func() { slow.Forward(nil) })
			})
			b.Run(name+"backward", func(b *testing.B) {
				w := work(s, 1, 2*parts*parts, parts*(2+a), parts*(1+a))
				perElement(b, s, w, func() { p.Backward(nil, g) }, func() { slow.Backward(nil, g) })
			})
		})
	}
}
