package cpu

import (
	"github.com/gophersnake/gophersnake/internal/device"
	"github.com/gophersnake/gophersnake/internal/kernel/fused"
	"github.com/gophersnake/gophersnake/internal/kernel/gemm"
	"github.com/gophersnake/gophersnake/internal/kernel/vec"
)

// GRU is the gated recurrent unit, for the whole sequence:
//
//	r, z = σ(x + W h + b);  q = W_n h + b_n;  n = tanh(x_n + r ⊙ q)
//	h' = n + z ⊙ (h − n)
func (d *Device) GRU(g *device.GRU) {
	w := d.recurrentWeight(g.B, g.L, 3*g.H, g.H, g.W)
	defer w.release()
	d.batches(g.B, 3*g.B*g.L*g.H*g.H, func(lo, hi int) {
		rows := hi - lo
		tmp := d.free.get((rows*4 + 4) * g.H)
		defer d.free.put(tmp)
		h, gates, unsaved := tmp[:rows*g.H], tmp[rows*g.H:rows*4*g.H], tmp[rows*4*g.H:]
		loadRows(g.H0, lo, hi, g.H, h)
		for t := range g.L {
			for b := range rows {
				g := gruStep{g, lo + b, t}
				g.load(gates[b*3*g.H:][:3*g.H])
			}
			w.addTo(gates, rows, h)
			for b := range rows {
				g := gruStep{g, lo + b, t}
				g.finish(gates[b*3*g.H:], unsaved, h[b*g.H:][:g.H])
			}
		}
	})
}

// gruStep is a GRU at batch b and time t.
type gruStep struct {
	*device.GRU
	b, t int
}

// load sets the gates to what is known before h is: x + b for r and z, b for
// q, to which x joins later.
func (g gruStep) load(gates []float32) {
	x := g.X.F32[(g.b*g.L+g.t)*3*g.H:][:2*g.H]
	if g.Bias.IsNil() {
		copy(gates, x)
		clear(gates[2*g.H:])
		return
	}
	vec.Add(gates[:2*g.H], x, g.Bias.F32[:2*g.H])
	copy(gates[2*g.H:], g.Bias.F32[2*g.H:3*g.H])
}

// finish computes the gates' functions and the next state, and stores what is
// wanted. unsaved (4H) is scratch.
func (g gruStep) finish(gates, unsaved, h []float32) {
	m := g.b*g.L + g.t
	fused.GRU(gates, g.X.F32[(m*3+2)*g.H:], wanted(g.Saved, m*4*g.H, unsaved), h, g.Out.F32[m*g.H:])
}

// GRUGrad goes back through time. With X = dL/dh_t and h = h_{t−1},
//
//	a = X (1−z)(1−n²);  s_r = a q r(1−r);  s_z = X (h−n) z(1−z);  s_n = a r
//	dx = (s_r, s_z, a);  db = Σ s;  dW = Σ s hᵀ;  X_{t−1} = dh_{t−1} + z X + Wᵀ s
func (d *Device) GRUGrad(g *device.GRU, dh, dx, dw, dbias device.Buf) {
	w := d.packs.get()
	defer d.packs.put(w)
	gemm.Pack(false, 3*g.H, g.H, g.W.F32, g.H, w)
	d.batches(g.B, 3*g.B*g.L*g.H*g.H, func(lo, hi int) {
		rows := hi - lo
		tmp := d.free.getZero((rows*4 + 4) * g.H)
		defer d.free.put(tmp)
		x, gates, none := tmp[:rows*g.H], tmp[rows*g.H:rows*4*g.H], tmp[rows*4*g.H:]
		for t := g.L - 1; t >= 0; t-- {
			for b := range rows {
				g := gruStep{g, lo + b, t}
				m := g.b*g.L + t
				saved := g.Saved.F32[m*4*g.H:] // s takes its place
				fused.GRUGrad(x[b*g.H:][:g.H], dh.F32[m*g.H:], saved, g.before(none),
					gates[b*3*g.H:], saved, wanted(dx, m*3*g.H, none[g.H:]))
			}
			gemm.MulPacked(rows, gates, 3*g.H, w, 1, x, g.H)
		}
	})
	if !dbias.IsNil() {
		d.sumRows(g.B*g.L, 3*g.H, g.Saved.F32, 4*g.H, dbias.F32)
	}
	if !dw.IsNil() {
		d.recurrentWeightGrad(g.B, g.L, 3*g.H, g.H, g.Saved.F32, 4*g.H, g.Out, g.H0, dw)
	}
}

// before returns h_{t−1}, zeros if it is nothing else.
func (g gruStep) before(zeros []float32) []float32 {
	switch {
	case g.t > 0:
		return g.Out.F32[(g.b*g.L+g.t-1)*g.H:]
	case g.H0.IsNil():
		return zeros
	}
	return g.H0.F32[g.b*g.H:]
}
