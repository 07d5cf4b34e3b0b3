package cpu

import (
	"github.com/gophersnake/gophersnake/internal/device"
	"github.com/gophersnake/gophersnake/internal/kernel/gemm"
	"github.com/gophersnake/gophersnake/internal/kernel/vec"
)

// lstmStep is an LSTM at batch b and time t.
type lstmStep struct {
	*device.LSTM
	b, t int
}

// LSTM is the long short-term memory, for the whole sequence:
//
//	i,f,o = σ(x + W h);  g = tanh(x_g + W_g h)
//	c' = f ⊙ c + i ⊙ g;  h' = o ⊙ tanh(c')
func (d *Device) LSTM(s *device.LSTM) {
	w := d.recurrentWeight(s.B, s.L, 4*s.H, s.H, s.W)
	defer w.release()
	d.batches(s.B, 4*s.B*s.L*s.H*s.H, func(lo, hi int) {
		rows := hi - lo
		tmp := d.free.get(rows * 6 * s.H)
		defer d.free.put(tmp)
		h, c, gates := tmp[:rows*s.H], tmp[rows*s.H:rows*2*s.H], tmp[rows*2*s.H:]
		loadRows(s.H0, lo, hi, s.H, h)
		loadRows(s.C0, lo, hi, s.H, c)
		for t := range s.L {
			for b := range rows {
				copy(gates[b*4*s.H:][:4*s.H], s.X.F32[((lo+b)*s.L+t)*4*s.H:])
			}
			w.addTo(gates, rows, h)
			for b := range rows {
				s := lstmStep{s, lo + b, t}
				s.finish(gates[b*4*s.H:][:4*s.H], c[b*s.H:][:s.H], h[b*s.H:][:s.H])
			}
		}
	})
}

// finish computes the gates' functions and the next states, and stores what is
// wanted.
func (s lstmStep) finish(gates, c, h []float32) {
	n, m, sum := s.H, s.b*s.L+s.t, gates
	if !s.Saved.IsNil() {
		gates = s.Saved.F32[m*4*n:][:4*n] // computed where they are kept
	}
	i, f, g, o := gates[:n], gates[n:2*n], gates[2*n:3*n], gates[3*n:]
	vec.Sigmoid(gates[:2*n], sum[:2*n])
	vec.Tanh(g, sum[2*n:3*n])
	vec.Sigmoid(o, sum[3*n:])
	vec.Mul(c, c, f)
	vec.MulAdd(c, i, g)
	vec.Tanh(h, c)
	vec.Mul(h, h, o)
	copy(s.C.F32[m*n:], c)
	copy(s.Out.F32[m*n:], h)
}

// LSTMGrad goes back through time. With X = dL/dh_t, C = dL/dc_t, c = c_{t−1}
// and t = tanh(c_t),
//
//	C = f_{t+1} C_{t+1} + X o (1−t²);  s_o = X t o(1−o)
//	s_i = C g i(1−i);  s_f = C c f(1−f);  s_g = C i (1−g²)
//	dx = s;  dW = Σ s h_{t−1}ᵀ;  X_{t−1} = dh_{t−1} + Wᵀ s
func (d *Device) LSTMGrad(s *device.LSTM, dh, dx, dw device.Buf) {
	w := d.packs.get()
	defer d.packs.put(w)
	gemm.Pack(false, 4*s.H, s.H, s.W.F32, s.H, w)
	grads := d.free.get(s.B * s.L * 4 * s.H)
	defer d.free.put(grads)
	d.batches(s.B, 4*s.B*s.L*s.H*s.H, func(lo, hi int) {
		rows := hi - lo
		tmp := d.free.get((rows*6 + 2) * s.H)
		defer d.free.put(tmp)
		x, c := tmp[:rows*s.H], tmp[rows*s.H:rows*2*s.H]
		gates, more := tmp[rows*2*s.H:rows*6*s.H], tmp[rows*6*s.H:]
		clear(x)
		clear(c)
		for t := s.L - 1; t >= 0; t-- {
			for b := range rows {
				s := lstmStep{s, lo + b, t}
				m := s.b*s.L + t
				x, gates := x[b*s.H:][:s.H], gates[b*4*s.H:][:4*s.H]
				vec.AddTo(x, dh.F32[m*s.H:][:s.H])
				s.grad(x, c[b*s.H:][:s.H], gates, more)
				copy(grads[m*4*s.H:], gates)
			}
			gemm.MulPacked(rows, gates, 4*s.H, w, 0, x, s.H)
		}
	})
	d.addFlat(dx, grads)
	if !dw.IsNil() {
		d.recurrentWeightGrad(s.B, s.L, 4*s.H, s.H, grads, s.Out, s.H0, dw)
	}
}

// grad takes X and f_{t+1} C_{t+1}, in c, to the gates' gradients s, and turns
// c into f_t C_t. tmp (2H) is scratch.
func (s lstmStep) grad(x, c, grads, tmp []float32) {
	n, m := s.H, s.b*s.L+s.t
	saved := s.Saved.F32[m*4*n:][:4*n]
	i, f, g, o := saved[:n], saved[n:2*n], saved[2*n:3*n], saved[3*n:]
	clear(grads)
	tc, u := tmp[:n], tmp[n:2*n]
	vec.Tanh(tc, s.C.F32[m*n:][:n])
	vec.Mul(u, x, o)
	vec.TanhGrad(c, tc, u)
	vec.Mul(u, x, tc)
	vec.SigmoidGrad(grads[3*n:], o, u)
	vec.Mul(u, c, g)
	vec.SigmoidGrad(grads[:n], i, u)
	vec.Mul(u, c, i)
	vec.TanhGrad(grads[2*n:3*n], g, u)
	switch {
	case s.t > 0:
		vec.Mul(u, c, s.C.F32[(m-1)*n:][:n])
	case s.C0.IsNil():
		clear(u)
	default:
		vec.Mul(u, c, s.C0.F32[s.b*n:][:n])
	}
	vec.SigmoidGrad(grads[n:2*n], f, u)
	vec.Mul(c, c, f)
}
