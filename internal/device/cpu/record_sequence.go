package cpu

import (
	"github.com/gophersnake/gophersnake/internal/device"
	"github.com/gophersnake/gophersnake/internal/kernel/scan"
	"github.com/gophersnake/gophersnake/internal/kernel/vec"
	"github.com/gophersnake/gophersnake/internal/pool"
)

// The operations along time, for one step each.

// oneStep reports whether l is 1 and refuses the operation otherwise.
func (r *recording) oneStep(name string, l int) bool {
	if l != 1 {
		r.refuse("%s of %d steps", name, l)
	}
	return l == 1
}

// Conv1D implements device.Device.
func (r *recording) Conv1D(p *device.Conv1D) {
	r.Device.Conv1D(p)
	if !r.oneStep("a convolution", p.L) {
		return
	}
	k := &convStep{Conv1D: *p, w: make([]float32, p.K*p.D), bias: make([]float32, p.D)}
	reads, writes := []device.Buf{p.X, p.W, p.Bias, p.State}, []device.Buf{p.Y, p.StateOut}
	r.note(reads, writes, func(*compiler) func() {
		copy(k.bias, p.Bias.F32)
		for j := range p.K {
			for i := range p.D {
				k.w[j*p.D+i] = p.W.F32[i*p.K+j]
			}
		}
		return k.run
	})
}

// convStep is a convolution of one step, its weight turned into K rows.
type convStep struct {
	device.Conv1D
	w, bias []float32
}

func (c *convStep) run() {
	for b := range c.B {
		x, y := c.X.F32[b*c.D:][:c.D], c.Y.F32[b*c.D:][:c.D]
		copy(y, c.bias)
		before := c.K - 1
		if !c.State.IsNil() {
			for j := range before {
				vec.MulAdd(y, c.w[j*c.D:][:c.D], c.State.F32[(b*before+j)*c.D:][:c.D])
			}
		}
		vec.MulAdd(y, c.w[before*c.D:][:c.D], x)
		if c.SiLU {
			vec.SiLU(y, y)
		}
		if !c.StateOut.IsNil() {
			c.shift(b, x)
		}
	}
}

// shift drops the oldest input of batch row b and adds x.
func (c *convStep) shift(b int, x []float32) {
	n := (c.K - 1) * c.D
	next := c.StateOut.F32[b*n:][:n]
	if c.State.IsNil() {
		clear(next)
	} else {
		copy(next, c.State.F32[b*n+c.D:][:n-c.D])
	}
	copy(next[n-c.D:], x)
}

// SelectiveScan implements device.Device.
func (r *recording) SelectiveScan(s *device.SelectiveScan) {
	now := *s // the caller forgets HT afterwards
	r.Device.SelectiveScan(s)
	if !r.oneStep("a selective scan", s.L) {
		return
	}
	reads := []device.Buf{s.U, s.Delta, s.DeltaBias, s.A, s.AIm, s.Bm, s.BIm, s.Cm, s.CIm, s.Dskip, s.Z, s.H0, s.H0Im}
	r.note(reads, []device.Buf{s.Y, s.HT, s.HTIm}, func(c *compiler) func() {
		if !now.AIm.IsNil() || now.HT.IsNil() {
			return func() { c.d.SelectiveScan(&now) }
		}
		t := scan.NewStepper(selective(&now, nil))
		if now.B == 1 || c.d.workers == 1 || now.B*now.D*now.N < minShared/8 {
			return func() {
				for b := range now.B {
					t.Step(b)
				}
			}
		}
		step := t.Step
		return func() { pool.Run(c.d.workers, now.B, step) }
	})
}

// LinearScan implements device.Device.
func (r *recording) LinearScan(s *device.LinearScan) {
	r.Device.LinearScan(s)
	if !r.oneStep("a linear scan", s.L) {
		return
	}
	r.note([]device.Buf{s.A, s.AIm, s.X, s.XIm, s.H0, s.H0Im}, []device.Buf{s.H, s.HIm}, func(*compiler) func() {
		t := scan.NewLinearStepper(linear(s, nil))
		return func() {
			for b := range s.B {
				t.Step(b)
			}
		}
	})
}

// Elman implements device.Device.
func (r *recording) Elman(e *device.Elman) {
	r.Device.Elman(e)
	if !r.oneStep("an Elman recurrence", e.L) {
		return
	}
	r.recurrence(e.B, e.H, e.H, e.W, e.H0, []device.Buf{e.X, e.W, e.H0}, []device.Buf{e.Out}, func(b int, wh, _ []float32) {
		h := e.Out.F32[b*e.H:][:e.H]
		vec.Add(h, e.X.F32[b*e.H:][:e.H], wh)
		if !e.Linear {
			vec.Tanh(h, h)
		}
	})
}

// GRU implements device.Device.
func (r *recording) GRU(g *device.GRU) {
	r.Device.GRU(g)
	if !r.oneStep("a GRU", g.L) {
		return
	}
	gates, unsaved := make([]float32, 3*g.H), make([]float32, 4*g.H)
	r.recurrence(g.B, 3*g.H, g.H, g.W, g.H0, []device.Buf{g.X, g.W, g.Bias, g.H0}, []device.Buf{g.Out}, func(b int, wh, h []float32) {
		s := gruStep{g, b, 0}
		s.load(gates)
		vec.AddTo(gates, wh)
		s.finish(gates, unsaved, h)
	})
}

// LSTM implements device.Device.
func (r *recording) LSTM(s *device.LSTM) {
	r.Device.LSTM(s)
	if !r.oneStep("an LSTM", s.L) {
		return
	}
	gates, c := make([]float32, 4*s.H), make([]float32, s.H)
	r.recurrence(s.B, 4*s.H, s.H, s.W, s.H0, []device.Buf{s.X, s.W, s.H0, s.C0}, []device.Buf{s.Out, s.C}, func(b int, wh, h []float32) {
		vec.Add(gates, s.X.F32[b*4*s.H:][:4*s.H], wh)
		loadRows(s.C0, b, b+1, s.H, c)
		lstmStep{s, b, 0}.finish(gates, c, h)
	})
}

// recurrence notes one step of a dense recurrence: w (out,in) times the states
// h0 (B,in), then finish for each batch row b with its product and a copy of its
// state.
func (r *recording) recurrence(batch, out, in int, w, h0 device.Buf, reads, writes []device.Buf, finish func(b int, wh, h []float32)) {
	h, wh := make([]float32, batch*in), make([]float32, batch*out)
	r.note(reads, writes, func(c *compiler) func() {
		p := c.product(c.matrix(out, in, w), batch, in, h, nil, wh)
		return func() {
			loadRows(h0, 0, batch, in, h)
			p.run()
			for b := range batch {
				finish(b, wh[b*out:][:out], h[b*in:][:in])
			}
		}
	})
}

// Rotary implements device.Device: its angles follow the position.
func (r *recording) Rotary(p device.Rotary, x, y device.Buf, inverse, add bool) {
	r.Device.Rotary(p, x, y, inverse, add)
	r.refuse("a rotation by the position")
}

// Attention implements device.Device: it reads more with every step.
func (r *recording) Attention(a *device.Attention) {
	r.Device.Attention(a)
	r.refuse("attention")
}

// MeanPool implements device.Device.
func (r *recording) MeanPool(b, l, d int, x, y device.Buf) {
	r.Device.MeanPool(b, l, d, x, y)
	r.refuse("a mean over time")
}
