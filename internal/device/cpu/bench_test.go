package cpu_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/gophersnake/gophersnake/internal/device"
	"github.com/gophersnake/gophersnake/internal/device/cpu"
	"github.com/gophersnake/gophersnake/internal/kernel/ceiling"
)

// machine is what the machine can do, measured as far as benchmarks ask.
var machine = sync.OnceValue(ceiling.New)

// benchmark is one operation at one size; one of flops and bytes is set, what
// it computes or at least has to move.
type benchmark struct {
	name         string
	flops, bytes float64
	set          float64 // bytes that are touched, where some are read and written; 0: all
	setup        func(e *env) func()
}

// BenchmarkOps times the operations at the sizes of a Mamba of width 128 on
// 8 × 1024 tokens (inner width 256), and of a tiny one: width 16, 16 × 24.
func BenchmarkOps(b *testing.B) {
	for _, size := range []struct {
		name    string
		b, l, d int
	}{{"d128", 8, 1024, 128}, {"d16", 16, 24, 16}} {
		for _, bench := range benchmarks(size.b, size.l, size.d) {
			for _, workers := range []int{1, 2} {
				b.Run(fmt.Sprintf("%s/%s/workers=%d", size.name, bench.name, workers), func(b *testing.B) {
					bench.run(b, workers)
				})
			}
		}
	}
}

// run reports the speed of the fastest run, and its share of the ceiling: of
// multiply-adds, or of a copy of as many bytes.
func (m benchmark) run(b *testing.B, workers int) {
	f := m.setup(newEnv(cpu.New(workers)))
	f()
	b.ReportAllocs()
	fastest := time.Hour
	for b.Loop() {
		start := time.Now()
		f()
		fastest = min(fastest, time.Since(start))
	}
	if m.flops > 0 || m.bytes > 0 {
		machine().Report(b, ceiling.Work{Workers: workers, FLOPs: m.flops, Reads: m.bytes / 2, Writes: m.bytes / 2, Set: m.set}, fastest.Seconds())
	}
}

func benchmarks(b, l, d int) []benchmark {
	const vocabulary = 256
	m := b * l
	all := []benchmark{
		{"Embedding", 0, 8 * float(m*d), 0, func(e *env) func() {
			t, w, y := e.ints(m, 0, vocabulary), e.in(vocabulary*d), e.in(m*d)
			return func() { e.Embedding(t, d, w, y) }
		}},
		{"EmbeddingGrad", 0, 12 * float(m*d), 8 * float(m*d), func(e *env) func() {
			t, dy, dw := e.ints(m, 0, vocabulary), e.in(m*d), e.in(vocabulary*d)
			return func() { e.EmbeddingGrad(t, d, dy, dw) }
		}},
		{"RMSNorm", 0, 8 * float(m*d), 0, func(e *env) func() {
			x, w, y, r := e.in(m*d), e.in(d), e.in(m*d), e.in(m)
			return func() { e.RMSNorm(m, d, 1e-5, x, w, y, r) }
		}},
		{"RMSNormGrad", 0, 16 * float(m*d), 12 * float(m*d), func(e *env) func() {
			x, w, r, dy, dx, dw := e.in(m*d), e.in(d), e.in(m), e.in(m*d), e.in(m*d), e.in(d)
			return func() { e.RMSNormGrad(m, d, x, w, r, dy, dx, dw) }
		}},
		{"LayerNorm", 0, 8 * float(m*d), 0, func(e *env) func() {
			x, w, c, y, mu, r := e.in(m*d), e.in(d), e.in(d), e.in(m*d), e.in(m), e.in(m)
			return func() { e.LayerNorm(m, d, 1e-5, x, w, c, y, mu, r) }
		}},
		{"Dropout", 0, 8 * float(m*d), 0, func(e *env) func() {
			x, y := e.in(m*d), e.in(m*d)
			return func() { e.Dropout(0.1, 7, x, y) }
		}},
		{"SiLUMul", 0, 12 * float(2*m*d), 0, func(e *env) func() {
			a, z, y := e.in(2*m*d), e.in(2*m*d), e.in(2*m*d)
			return func() { e.SiLUMul(a, z, y) }
		}},
		{"SiLUMulGrad", 0, 28 * float(2*m*d), 20 * float(2*m*d), func(e *env) func() {
			a, z, dy, da, dz := e.in(2*m*d), e.in(2*m*d), e.in(2*m*d), e.in(2*m*d), e.in(2*m*d)
			return func() { e.SiLUMulGrad(a, z, dy, da, dz) }
		}},
		{"Tanh", 0, 8 * float(2*m*d), 0, func(e *env) func() {
			x, y := e.in(2*m*d), e.in(2*m*d)
			return func() { e.Apply(device.Tanh, x, y) }
		}},
		{"SumRows", 0, 4 * float(m*d), 0, func(e *env) func() {
			x, y := e.in(m*d), e.in(d)
			return func() { e.SumRows(m, d, x, y) }
		}},
		{"AdamW", 0, 28 * float(100*d*d), 16 * float(100*d*d), func(e *env) func() {
			w, g, v1, v2 := e.in(100*d*d), e.in(100*d*d), e.in(100*d*d), e.uniform(100*d*d, 0, 1)
			h := device.AdamW{LR: 1e-9, Beta1: 0.9, Beta2: 0.99, Eps: 1e-8, Decay: 0.1, C1: 1, C2: 1, GradScale: 1}
			return func() { e.AdamW(h, w, g, v1, v2) }
		}},
		{"CrossEntropy", 0, 4 * float(m*vocabulary), 0, func(e *env) func() {
			x, t, lse, loss := e.in(m*vocabulary), e.ints(m, 0, vocabulary), e.in(m), e.in(1)
			return func() { e.CrossEntropy(m, vocabulary, x, t, lse, loss) }
		}},
		{"CrossEntropyGrad", 0, 12 * float(m*vocabulary), 8 * float(m*vocabulary), func(e *env) func() {
			x, t, lse, loss, dx := e.in(m*vocabulary), e.ints(m, 0, vocabulary), e.in(m), e.in(1), e.in(m*vocabulary)
			return func() { e.CrossEntropyGrad(m, vocabulary, x, t, lse, loss, dx) }
		}},
		{"MatMul in", 2 * float(m*d*4*d), 0, 0, func(e *env) func() {
			x, w, y := e.in(m*d), e.in(4*d*d), e.in(m*4*d)
			return func() { e.MatMul(false, true, m, 4*d, d, x, w, device.Buf{}, y, false) }
		}},
		{"MatMul dW", 2 * float(m*d*4*d), 0, 0, func(e *env) func() {
			x, w, y := e.in(m*d), e.in(4*d*d), e.in(m*4*d)
			return func() { e.MatMul(true, false, 4*d, d, m, y, x, device.Buf{}, w, true) }
		}},
		{"Step", 0, 0, 0, stepBenchmark(b, d)},
	}
	all = append(all, sequenceBenchmarks(b, l, d)...)
	return append(all, recurrentBenchmarks(b, l, d)...)
}

func float(n int) float64 { return float64(n) }

// stepBenchmark is what one Mamba layer needs to generate one token for each
// of b streams.
func stepBenchmark(b, d int) func(e *env) func() {
	return func(e *env) func() {
		m := selectiveMode{b: b, l: 1, d: 2 * d, n: 16, softplus: true}
		s := m.inputs(e)
		s.Y, s.HT = e.in(b*2*d), s.H0
		c := &device.Conv1D{B: b, L: 1, D: 2 * d, K: 4, SiLU: true, X: e.in(b * 2 * d), W: e.in(8 * d), Bias: e.in(2 * d), Y: e.in(b * 2 * d)}
		c.State = e.in(3 * b * 2 * d)
		c.StateOut = c.State
		x, xz, win, wout := e.in(b*d), e.in(b*4*d), e.in(4*d*d), e.in(2*d*d)
		w, r := e.in(d), e.in(b)
		return func() {
			e.RMSNorm(b, d, 1e-5, x, w, x, r)
			e.MatMul(false, true, b, 4*d, d, x, win, device.Buf{}, xz, false)
			e.Conv1D(c)
			e.SelectiveScan(s)
			e.MatMul(false, true, b, d, 2*d, s.Y, wout, device.Buf{}, x, false)
		}
	}
}

func sequenceBenchmarks(b, l, d int) []benchmark {
	conv := func(e *env) *device.Conv1D {
		n := 2 * b * l * d
		return &device.Conv1D{B: b, L: l, D: 2 * d, K: 4, SiLU: true, X: e.in(n), W: e.in(8 * d), Bias: e.in(2 * d), Y: e.in(n)}
	}
	const heads = 4
	attention := func(e *env) *device.Attention {
		n := b * l * d
		a := &device.Attention{B: b, Lq: l, Lk: l, H: heads, Dh: d / heads, Q: e.in(n), K: e.in(n), V: e.in(n), KVStride: l * d, Y: e.in(n), LSE: e.in(b * heads * l)}
		e.Attention(a)
		return a
	}
	return []benchmark{
		{"Conv1D", 0, 8 * float(2*b*l*d), 0, func(e *env) func() {
			c := conv(e)
			return func() { e.Conv1D(c) }
		}},
		{"Conv1DGrad", 0, 16 * float(2*b*l*d), 12 * float(2*b*l*d), func(e *env) func() {
			c, n := conv(e), 2*b*l*d
			dy, dx, dw, db := e.in(n), e.in(n), e.in(8*d), e.in(2*d)
			return func() { e.Conv1DGrad(c, dy, dx, dw, db) }
		}},
		{"Rotary", 0, 8 * float(b*l*d), 0, func(e *env) func() {
			x, y := e.in(b*l*d), e.in(b*l*d)
			return func() {
				e.Rotary(device.Rotary{B: b, L: l, H: heads, Dh: d / heads, Base: 10000}, x, y, false, false)
			}
		}},
		// Half of the scores count.
		{"Attention", 2 * float(b*l*l*d), 0, 0, func(e *env) func() {
			a := attention(e)
			return func() { e.Attention(a) }
		}},
		{"AttentionGrad", 5 * float(b*l*l*d), 0, 0, func(e *env) func() {
			a, n := attention(e), b*l*d
			dy, dq, dk, dv := e.in(n), e.in(n), e.in(n), e.in(n)
			return func() { e.AttentionGrad(a, dy, dq, dk, dv) }
		}},
		// 8 and 16 multiply-adds of each state element, exp included.
		{"SelectiveScan", 16 * float(b*l*2*d*16), 0, 0, func(e *env) func() {
			s := selectiveMode{b: b, l: l, d: 2 * d, n: 16, softplus: true, noState: true}.forward(e, true)
			return func() { e.SelectiveScan(s) }
		}},
		{"SelectiveScanGrad", 32 * float(b*l*2*d*16), 0, 0, func(e *env) func() {
			m := selectiveMode{b: b, l: l, d: 2 * d, n: 16, softplus: true, noState: true}
			s := m.forward(e, true)
			nu, nb, nc, _ := m.sizes()
			g := &device.SelectiveScanGrad{DY: e.in(nu), DU: e.in(nu), DDelta: e.in(nu), DDeltaBias: e.in(m.d), DA: e.in(m.d * m.n),
				DB: e.in(nb), DC: e.in(nc), DDskip: e.in(m.d), DZ: e.in(nu)}
			return func() { e.SelectiveScanGrad(s, g) }
		}},
		{"LinearScan complex", 0, 16 * float(b*l*d), 0, func(e *env) func() {
			n := b * l * d
			s := &device.LinearScan{B: b, L: l, D: d, A: e.uniform(d, 0, 0.7), AIm: e.uniform(d, 0, 0.7), X: e.in(n), XIm: e.in(n), H: e.in(n), HIm: e.in(n)}
			return func() { e.LinearScan(s) }
		}},
		{"LinearScanGrad complex", 0, 40 * float(b*l*d), 0, func(e *env) func() {
			n := b * l * d
			s := &device.LinearScan{B: b, L: l, D: d, A: e.uniform(d, 0, 0.7), AIm: e.uniform(d, 0, 0.7), H: e.in(n), HIm: e.in(n), X: e.in(n), XIm: e.in(n)}
			g := &device.LinearScanGrad{DH: e.in(n), DHIm: e.in(n), DA: e.in(d), DAIm: e.in(d), DX: e.in(n), DXIm: e.in(n)}
			return func() { e.LinearScanGrad(s, g) }
		}},
	}
}

// recurrentBenchmarks: at most 256 steps, of twice the batch.
func recurrentBenchmarks(b, l, h int) []benchmark {
	if l > 256 {
		b, l = 2*b, 256
	}
	n := b * l * h
	product := 2 * float(n*h) // of one gate
	return []benchmark{
		{"Elman", product, 0, 0, func(e *env) func() {
			s := &device.Elman{B: b, L: l, H: h, X: e.in(n), W: weight(e, 1, h), Out: e.in(n)}
			return func() { e.Elman(s) }
		}},
		{"ElmanGrad", 2 * product, 0, 0, func(e *env) func() {
			s := &device.Elman{B: b, L: l, H: h, X: e.in(n), W: weight(e, 1, h), Out: e.uniform(n, -1, 1)}
			dh, dx, dw := e.in(n), e.in(n), e.in(h*h)
			return func() { e.ElmanGrad(s, dh, dx, dw) }
		}},
		{"GRU", 3 * product, 0, 0, func(e *env) func() {
			s := &device.GRU{B: b, L: l, H: h, X: e.in(3 * n), W: weight(e, 3, h), Bias: e.in(3 * h), Out: e.in(n), Saved: e.in(4 * n)}
			return func() { e.GRU(s) }
		}},
		{"GRUGrad", 6 * product, 0, 0, func(e *env) func() {
			s := &device.GRU{B: b, L: l, H: h, X: e.in(3 * n), W: weight(e, 3, h), Bias: e.in(3 * h), Out: e.in(n), Saved: e.in(4 * n)}
			e.GRU(s)
			dh, dx, dw, db := e.in(n), e.in(3*n), e.in(3*h*h), e.in(3*h)
			saved := s.Saved
			s.Saved = e.Alloc(4 * n)
			return func() {
				e.Copy(s.Saved, saved) // the gradient destroys it
				e.GRUGrad(s, dh, dx, dw, db)
			}
		}},
		{"LSTM", 4 * product, 0, 0, func(e *env) func() {
			s := &device.LSTM{B: b, L: l, H: h, X: e.in(4 * n), W: weight(e, 4, h), Out: e.in(n), C: e.in(n), Saved: e.in(4 * n)}
			return func() { e.LSTM(s) }
		}},
		{"LSTMGrad", 8 * product, 0, 0, func(e *env) func() {
			s := &device.LSTM{B: b, L: l, H: h, X: e.in(4 * n), W: weight(e, 4, h), Out: e.in(n), C: e.in(n), Saved: e.in(4 * n)}
			e.LSTM(s)
			dh, dx, dw := e.in(n), e.in(4*n), e.in(4*h*h)
			saved := s.Saved
			s.Saved = e.Alloc(4 * n)
			return func() {
				e.Copy(s.Saved, saved) // the gradient destroys it
				e.LSTMGrad(s, dh, dx, dw)
			}
		}},
	}
}
