package cpu

import (
	"github.com/gophersnake/gophersnake/internal/device"
	"github.com/gophersnake/gophersnake/internal/kernel/fused"
	"github.com/gophersnake/gophersnake/internal/kernel/gemm"
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
	x := d.recurrentInput(s.L, 4*s.H, s.X, s.In)
	defer x.release()
	d.batches(s.B, 4*s.B*s.L*s.H*s.H, func(lo, hi int) {
		rows, steps := hi-lo, x.steps(hi-lo)
		tmp := d.free.get(rows * (2 + 4*steps) * s.H)
		defer d.free.put(tmp)
		h, c, sums := tmp[:rows*s.H], tmp[rows*s.H:rows*2*s.H], tmp[rows*2*s.H:]
		loadRows(s.H0, lo, hi, s.H, h)
		loadRows(s.C0, lo, hi, s.H, c)
		for t := range s.L {
			if t%steps == 0 {
				x.load(lo, hi, t, min(t+steps, s.L), sums)
			}
			gates := sums[t%steps*rows*4*s.H:][:rows*4*s.H]
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
		gates = s.Saved.F32[m*4*n:][:4*n]
	}
	fused.LSTM(sum, gates, c, s.C.F32[m*n:], h, s.Out.F32[m*n:])
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
	if dx.Same(s.Saved) {
		dx = device.Buf{} // s is all it gets
	}
	d.batches(s.B, 4*s.B*s.L*s.H*s.H, func(lo, hi int) {
		rows := hi - lo
		tmp := d.free.getZero((rows*6 + 5) * s.H)
		defer d.free.put(tmp)
		x, c := tmp[:rows*s.H], tmp[rows*s.H:rows*2*s.H]
		gates, none := tmp[rows*2*s.H:rows*6*s.H], tmp[rows*6*s.H:]
		for t := s.L - 1; t >= 0; t-- {
			for b := range rows {
				s := lstmStep{s, lo + b, t}
				m := s.b*s.L + t
				saved := s.Saved.F32[m*4*s.H:] // s takes its place
				fused.LSTMGrad(x[b*s.H:][:s.H], dh.F32[m*s.H:], saved, s.C.F32[m*s.H:], s.before(none), c[b*s.H:],
					gates[b*4*s.H:], saved, wanted(dx, m*4*s.H, none[s.H:]))
			}
			gemm.MulPacked(rows, gates, 4*s.H, w, 0, x, s.H)
		}
	})
	if !dw.IsNil() {
		d.recurrentWeightGrad(s.B, s.L, 4*s.H, s.H, s.Saved.F32, 4*s.H, s.Out, s.H0, dw)
	}
}

// before returns c_{t−1}, zeros if it is nothing else.
func (s lstmStep) before(zeros []float32) []float32 {
	switch {
	case s.t > 0:
		return s.C.F32[(s.b*s.L+s.t-1)*s.H:]
	case s.C0.IsNil():
		return zeros
	}
	return s.C0.F32[s.b*s.H:]
}
