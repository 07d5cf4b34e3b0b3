//go:build amd64 && !noasm

package fused

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/gophersnake/gophersnake/internal/kernel/ceiling"
)

// machine is what the machine can do, measured as far as benchmarks ask.
var machine = sync.OnceValue(ceiling.New)

// report reports the time of an element, and w with its share of the ceiling, of the
// fastest run of f.
func report(b *testing.B, elements int, w ceiling.Work, f func()) {
	b.Helper()
	seconds := ceiling.Fastest(b.Loop, f)
	b.ReportMetric(1e9*seconds/float64(elements), "ns/element")
	machine().Report(b, w, seconds)
}

// moved are the float32 that a kernel reads and writes for each element of its state;
// the reported share of the ceiling counts nothing else, not exp's arithmetic.
var moved = map[string]struct{ reads, writes int }{
	"ExpSum":    {1, 1},
	"ScoreGrad": {4, 2},
	"LSTM":      {5, 8},
	"LSTMGrad":  {13, 13},
	"GRU":       {5, 6},
	"GRUGrad":   {10, 10},
	"Elman":     {1, 2},
	"ElmanGrad": {4, 3},
}

// BenchmarkRows runs the cells and attention's pieces, forward and gradient, on rows of
// a small and of a great state.
func BenchmarkRows(b *testing.B) {
	for _, n := range []int{64, 1024} {
		for _, k := range kernels() {
			m, ok := moved[k.name]
			if !ok {
				continue // in place: the same kernel
			}
			b.Run(fmt.Sprintf("%s/n=%d", k.name, n), func(b *testing.B) {
				_, s := k.slices(rand.New(rand.NewPCG(1, 2)), n)
				width := 0
				for i, x := range s {
					width += k.widths[i]
					steady(x)
				}
				report(b, n, ceiling.Work{Workers: 1, Reads: float64(4 * n * m.reads), Writes: float64(4 * n * m.writes),
					Set: float64(4 * n * width)}, func() { k.fused(n, s) })
			})
		}
	}
}

// steady fills x with ones: run again and again in place, exp(x − 1) stays 1, and
// what is multiplied by gates does not grow.
func steady(x []float32) {
	for i := range x {
		x[i] = 1
	}
}

// BenchmarkConv walks along time in pieces of a few steps that fetch the next, as the
// CPU device does, over arrays that lie in the second cache and beyond the third.
func BenchmarkConv(b *testing.B) {
	if !HasConv() {
		b.Skip("no AVX2")
	}
	const channels, piece = 512, 32
	for _, steps := range []int{64, 16384} {
		n := channels * steps
		r := rand.New(rand.NewPCG(3, 4))
		w, bias, x, dy := normal(r, channels*Taps), normal(r, channels), normal(r, n), normal(r, n)
		y, dx := make([]float32, n), make([]float32, n)
		c := NewConv(channels, w, bias, make([]float32, ConvState(channels)))
		work := func(products, reads, writes, arrays int) ceiling.Work {
			return ceiling.Work{Workers: 1, FLOPs: float64(2 * products * n), Reads: float64(4 * n * reads),
				Writes: float64(4 * n * writes), Set: float64(4 * n * arrays)}
		}
		for _, k := range []struct {
			name string
			work ceiling.Work
			f    func(lo int) // of the piece whose elements begin at lo
		}{
			{"forward", work(Taps, 1, 1, 2),
				func(lo int) { c.Forward(false, piece, channels, piece*channels, y[lo:], x[lo:]) }},
			{"SiLU", work(Taps, 1, 1, 2),
				func(lo int) { c.Forward(true, piece, channels, piece*channels, y[lo:], x[lo:]) }},
			{"gradient", work(3*Taps, 3, 1, 3),
				func(lo int) { c.Gradient(piece, channels, piece*channels, dx[lo:], dy[lo:], x[lo:]) }},
			{"gradient of w", work(2*Taps, 2, 0, 2),
				func(lo int) { c.Gradient(piece, channels, piece*channels, nil, dy[lo:], x[lo:]) }},
		} {
			b.Run(fmt.Sprintf("%s/steps=%d", k.name, steps), func(b *testing.B) {
				report(b, n, k.work, func() {
					for lo := 0; lo < n; lo += piece * channels {
						k.f(lo)
					}
				})
			})
		}
	}
}

func normal(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}
