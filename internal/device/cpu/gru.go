package cpu

import (
	"github.com/gophersnake/gophersnake/internal/device"
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
		tmp := d.free.get(rows * 5 * g.H)
		defer d.free.put(tmp)
		h, gates, n := tmp[:rows*g.H], tmp[rows*g.H:rows*4*g.H], tmp[rows*4*g.H:]
		loadRows(g.H0, lo, hi, g.H, h)
		for t := range g.L {
			for b := range rows {
				g := gruStep{g, lo + b, t}
				g.load(gates[b*3*g.H:][:3*g.H])
			}
			w.addTo(gates, rows, h)
			for b := range rows {
				g := gruStep{g, lo + b, t}
				g.finish(gates[b*3*g.H:][:3*g.H], n[b*g.H:][:g.H], h[b*g.H:][:g.H])
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

// finish computes the gates' functions and the next state, with n as scratch,
// and stores what is wanted.
func (g gruStep) finish(gates, n, h []float32) {
	m, rz, q := g.b*g.L+g.t, gates[:2*g.H], gates[2*g.H:]
	if !g.Saved.IsNil() {
		saved := g.Saved.F32[m*4*g.H:][:4*g.H]
		copy(saved[3*g.H:], q)
		rz, n = saved[:2*g.H], saved[2*g.H:3*g.H] // computed where they are kept
	}
	vec.Sigmoid(rz, gates[:2*g.H])
	copy(n, g.X.F32[(m*3+2)*g.H:][:g.H])
	vec.MulAdd(n, rz[:g.H], q)
	vec.Tanh(n, n)
	vec.Sub(h, h, n)
	vec.Mul(h, h, rz[g.H:])
	vec.AddTo(h, n)
	copy(g.Out.F32[m*g.H:], h)
}

// GRUGrad goes back through time. With X = dL/dh_t and h = h_{t−1},
//
//	a = X (1−z)(1−n²);  s_r = a q r(1−r);  s_z = X (h−n) z(1−z);  s_n = a r
//	dx = (s_r, s_z, a);  db = Σ s;  dW = Σ s hᵀ;  X_{t−1} = dh_{t−1} + z X + Wᵀ s
func (d *Device) GRUGrad(g *device.GRU, dh, dx, dw, dbias device.Buf) {
	w := d.packs.get()
	defer d.packs.put(w)
	gemm.Pack(false, 3*g.H, g.H, g.W.F32, g.H, w)
	s := d.free.get(g.B * g.L * 3 * g.H)
	defer d.free.put(s)
	d.batches(g.B, 3*g.B*g.L*g.H*g.H, func(lo, hi int) {
		rows := hi - lo
		tmp := d.free.get((rows*4 + 3) * g.H)
		defer d.free.put(tmp)
		x, gates, more := tmp[:rows*g.H], tmp[rows*g.H:rows*4*g.H], tmp[rows*4*g.H:]
		clear(x)
		for t := g.L - 1; t >= 0; t-- {
			for b := range rows {
				g := gruStep{g, lo + b, t}
				m := g.b*g.L + t
				x, gates := x[b*g.H:][:g.H], gates[b*3*g.H:][:3*g.H]
				vec.AddTo(x, dh.F32[m*g.H:][:g.H])
				g.grad(x, gates, more[:g.H], more[g.H:], dx)
				copy(s[m*3*g.H:], gates)
			}
			gemm.MulPacked(rows, gates, 3*g.H, w, 1, x, g.H)
		}
	})
	if !dbias.IsNil() {
		d.sumRows(g.B*g.L, 3*g.H, s, dbias.F32)
	}
	if !dw.IsNil() {
		d.recurrentWeightGrad(g.B, g.L, 3*g.H, g.H, s, g.Out, g.H0, dw)
	}
}

// grad takes X to the gates' gradients s, adds dx, and turns X into z X. a and
// tmp (2H) are scratch.
func (g gruStep) grad(x, s, a, tmp []float32, dx device.Buf) {
	n := g.H
	m := g.b*g.L + g.t
	saved := g.Saved.F32[m*4*n:][:4*n]
	r, z, nn, q := saved[:n], saved[n:2*n], saved[2*n:3*n], saved[3*n:]
	clear(s[:2*n])
	clear(a)
	u, zx := tmp[:n], tmp[n:2*n]
	vec.Mul(zx, z, x)
	vec.Sub(u, x, zx)
	vec.TanhGrad(a, nn, u)
	vec.Mul(u, a, q)
	vec.SigmoidGrad(s[:n], r, u)
	switch {
	case g.t > 0:
		vec.Sub(u, g.Out.F32[(m-1)*n:][:n], nn)
	case g.H0.IsNil():
		vec.Scale(u, -1, nn)
	default:
		vec.Sub(u, g.H0.F32[g.b*n:][:n], nn)
	}
	vec.Mul(u, u, x)
	vec.SigmoidGrad(s[n:2*n], z, u)
	vec.Mul(s[2*n:], a, r)
	copy(x, zx)
	if !dx.IsNil() {
		addTo(dx.Slice(m*3*n, (m*3+2)*n), s[:2*n])
		addTo(dx.Slice((m*3+2)*n, (m+1)*3*n), a)
	}
}
