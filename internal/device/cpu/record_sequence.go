package cpu

import (
	"github.com/gophersnake/gophersnake/internal/device"
	"github.com/gophersnake/gophersnake/internal/kernel/scan"
	"github.com/gophersnake/gophersnake/internal/kernel/vec"
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
func (r *recording) Conv1D(now *device.Conv1D) {
	p := *now // the caller forgets StateOut afterwards
	r.Device.Conv1D(now)
	if !r.oneStep("a convolution", p.L) {
		return
	}
	before := p.B * (p.K - 1)
	r.note(op{reads: join(by(p.B, p.X), whole(p.W, p.Bias), by(before, p.State)),
		writes: join(by(p.B, p.Y), by(before, p.StateOut)), units: p.D, work: p.B * p.D * p.K,
		step: func(c *compiler, lo, hi int) func() {
			k := &convStep{Conv1D: p, lo: lo, hi: hi, bias: make([]float32, hi-lo)}
			k.X, k.W, k.Bias, k.State = c.in(p.X), c.in(p.W), c.in(p.Bias), c.in(p.State)
			k.load()
			if c.constant(p.W) && c.constant(p.Bias) {
				return k.run
			}
			return func() { k.load(); k.run() }
		}})
}

// convStep is a convolution of one step for channels lo … hi−1, its weight turned
// into K rows.
type convStep struct {
	device.Conv1D
	lo, hi  int
	w, bias []float32
}

// load takes the weight and bias.
func (c *convStep) load() {
	n := c.hi - c.lo
	if c.w == nil {
		c.w = make([]float32, c.K*n)
	}
	if !c.Bias.IsNil() {
		copy(c.bias, c.Bias.F32[c.lo:])
	}
	for j := range c.K {
		for i := range n {
			c.w[j*n+i] = c.W.F32[(c.lo+i)*c.K+j]
		}
	}
}

func (c *convStep) run() {
	n, before := c.hi-c.lo, c.K-1
	for b := range c.B {
		x, y := c.X.F32[b*c.D+c.lo:][:n], c.Y.F32[b*c.D+c.lo:][:n]
		copy(y, c.bias)
		if !c.State.IsNil() {
			for j := range before {
				vec.MulAdd(y, c.w[j*n:][:n], c.State.F32[(b*before+j)*c.D+c.lo:][:n])
			}
		}
		vec.MulAdd(y, c.w[before*n:][:n], x)
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
	before := c.K - 1
	for j := range before {
		next := c.StateOut.F32[(b*before+j)*c.D+c.lo:][:len(x)]
		switch {
		case j == before-1:
			copy(next, x)
		case c.State.IsNil():
			clear(next)
		default:
			copy(next, c.State.F32[(b*before+j+1)*c.D+c.lo:])
		}
	}
}

// SelectiveScan implements device.Device.
func (r *recording) SelectiveScan(s *device.SelectiveScan) {
	now := *s // the caller forgets HT afterwards
	r.Device.SelectiveScan(s)
	if !r.oneStep("a selective scan", s.L) {
		return
	}
	operand := func(varying bool, re, im device.Buf) []touch {
		if varying {
			return whole(re, im)
		}
		return by(1, re, im)
	}
	r.note(op{
		reads: join(by(s.B, s.U, s.Delta, s.Z, s.H0, s.H0Im), by(1, s.DeltaBias, s.A, s.AIm, s.Dskip),
			operand(s.BVarying, s.Bm, s.BIm), operand(s.CVarying, s.Cm, s.CIm)),
		writes: by(s.B, s.Y, s.HT, s.HTIm), units: s.D, work: 4 * s.B * s.D * s.N,
		step: func(c *compiler, lo, hi int) func() { return c.selectiveStep(now, lo, hi) }})
}

// selectiveStep is channels lo … hi−1 of a selective scan.
func (c *compiler) selectiveStep(s device.SelectiveScan, lo, hi int) func() {
	for _, b := range []*device.Buf{&s.U, &s.Delta, &s.DeltaBias, &s.A, &s.AIm, &s.Bm, &s.BIm, &s.Cm, &s.CIm,
		&s.Dskip, &s.Z, &s.H0, &s.H0Im} {
		*b = c.in(*b)
	}
	if s.HT.IsNil() {
		s.HT = c.d.Alloc(s.B * s.D * s.N)
		if !s.AIm.IsNil() {
			s.HTIm = c.d.Alloc(s.B * s.D * s.N)
		}
	}
	t, same := scan.NewStepper(selective(&s, nil)), true
	kept := []device.Buf{s.DeltaBias, s.A, s.AIm, s.Dskip}
	if !s.BVarying {
		kept = append(kept, s.Bm, s.BIm)
	}
	if !s.CVarying {
		kept = append(kept, s.Cm, s.CIm)
	}
	for _, b := range kept {
		same = same && c.constant(b)
	}
	return func() {
		if !same {
			t.Load()
		}
		for b := range s.B {
			t.Step(b, lo, hi)
		}
	}
}

// LinearScan implements device.Device.
func (r *recording) LinearScan(s *device.LinearScan) {
	r.Device.LinearScan(s)
	if !r.oneStep("a linear scan", s.L) {
		return
	}
	rows := 1
	if s.Varying {
		rows = s.B
	}
	r.note(op{reads: join(by(rows, s.A, s.AIm), by(s.B, s.X, s.XIm, s.H0, s.H0Im)),
		writes: by(s.B, s.H, s.HIm), units: s.D,
		step: func(c *compiler, lo, hi int) func() {
			s := *s
			for _, b := range []*device.Buf{&s.A, &s.AIm, &s.X, &s.XIm, &s.H0, &s.H0Im} {
				*b = c.in(*b)
			}
			t := scan.NewLinearStepper(linear(&s, nil))
			return func() {
				for b := range s.B {
					t.Step(b, lo, hi)
				}
			}
		}})
}

// Elman implements device.Device.
func (r *recording) Elman(e *device.Elman) {
	r.Device.Elman(e)
	if !r.oneStep("an Elman recurrence", e.L) {
		return
	}
	r.recurrence(e.B, e.H, e.H, e.W, e.H0, []device.Buf{e.X}, []device.Buf{e.Out}, func(b int, wh, _ []float32) {
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
	r.recurrence(g.B, 3*g.H, g.H, g.W, g.H0, []device.Buf{g.X, g.Bias}, []device.Buf{g.Out}, func(b int, wh, h []float32) {
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
	reads, writes := []device.Buf{s.X, s.C0}, []device.Buf{s.Out, s.C}
	r.recurrence(s.B, 4*s.H, s.H, s.W, s.H0, reads, writes, func(b int, wh, h []float32) {
		vec.Add(gates, s.X.F32[b*4*s.H:][:4*s.H], wh)
		loadRows(s.C0, b, b+1, s.H, c)
		lstmStep{s, b, 0}.finish(gates, c, h)
	})
}

// recurrence notes one step of a dense recurrence: w (out,in) times the states
// h0 (B,in), then finish for each batch row b with its product and a copy of its
// state.
func (r *recording) recurrence(batch, out, in int, w, h0 device.Buf, reads, writes []device.Buf,
	finish func(b int, wh, h []float32)) {
	h, wh := r.Alloc(batch*in), r.Alloc(batch*out)
	r.note(op{reads: whole(h0), writes: whole(h), copies: true, step: func(c *compiler, _, _ int) func() {
		from, to := c.in(h0), c.out(h).F32
		return func() { loadRows(from, 0, batch, in, to) }
	}})
	r.note(op{reads: join(whole(h), by(1, w)), writes: by(batch, wh), units: out, work: batch * out * in,
		step: func(c *compiler, lo, hi int) func() {
			return c.product(c.matrix(out, in, w), lo, hi, batch, in, c.in(h).F32, nil, wh.F32).run
		}})
	r.plain(append(reads, h, wh), writes, func() {
		for b := range batch {
			finish(b, wh.F32[b*out:][:out], h.F32[b*in:][:in])
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
