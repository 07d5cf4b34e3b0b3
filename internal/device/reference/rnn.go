package reference

import (
	"math"

	"github.com/gophersnake/gophersnake/internal/device"
)

// product returns W v for rows lo to lo+n of W (·,len(v)).
func product(w device.Buf, lo, n int, v []float64) []float64 {
	y := make([]float64, n)
	for i := range y {
		for j := range v {
			y[i] += w.F64[(lo+i)*len(v)+j] * v[j]
		}
	}
	return y
}

// productGrad takes da = dL/d(W v) back: it adds dW += da vᵀ and dv += Wᵀ da.
func productGrad(w device.Buf, v, da []float64, dw device.Buf, dv []float64) {
	for i := range da {
		for j := range v {
			add(dw, i*len(v)+j, da[i]*v[j])
			dv[j] += w.F64[i*len(v)+j] * da[i]
		}
	}
}

// before returns the state before step t of batch b: row t−1 of out (B,L,H), or
// of the initial state s0 (B,H) for t = 0.
func before(out, s0 device.Buf, b, t, l, h int) []float64 {
	if t == 0 {
		return row(s0, b*h, h)
	}
	return row(out, (b*l+t-1)*h, h)
}

// Elman is the dense recurrence (Elman 1990), or without tanh if Linear:
//
//	h_t = tanh( W h_{t−1} + x_t )
//
// for x, h (B,L,H), W (H,H), h_{−1} (B,H).
func (*Device) Elman(e *device.Elman) {
	for b := range e.B {
		for t := range e.L {
			wh := product(e.W, 0, e.H, before(e.Out, e.H0, b, t, e.L, e.H))
			for i := range e.H {
				j := (b*e.L+t)*e.H + i
				a := wh[i] + e.X.F64[j]
				if !e.Linear {
					a = math.Tanh(a)
				}
				e.Out.F64[j] = a
			}
		}
	}
}

// ElmanGrad adds the gradients of Elman by back-propagation through time. With
// X_t = dL/dh_t and a_t the argument of tanh,
//
//	X_t = dh_t + Wᵀ da_{t+1},  da_t = X_t ⊙ (1 − h_t²)   (da_t = X_t if Linear)
//	dx_t = da_t,  dW = Σ da_t h_{t−1}ᵀ
func (*Device) ElmanGrad(e *device.Elman, dh, dx, dw device.Buf) {
	for b := range e.B {
		carry := make([]float64, e.H) // Wᵀ da_{t+1}
		for t := e.L - 1; t >= 0; t-- {
			da := make([]float64, e.H)
			for i := range da {
				j := (b*e.L+t)*e.H + i
				da[i] = dh.F64[j] + carry[i]
				if !e.Linear {
					da[i] *= 1 - e.Out.F64[j]*e.Out.F64[j]
				}
				add(dx, j, da[i])
			}
			clear(carry)
			productGrad(e.W, before(e.Out, e.H0, b, t, e.L, e.H), da, dw, carry)
		}
	}
}

// GRU is the gated recurrent unit (Cho et al., in the form of torch.nn.GRU,
// where r multiplies W_n h + b_n and not h); gates in the order r, z, n:
//
//	r = σ(x_r + W_r h + b_r),  z = σ(x_z + W_z h + b_z)
//	q = W_n h + b_n,  n = tanh(x_n + r ⊙ q),  h' = (1−z) ⊙ n + z ⊙ h
//
// for x (B,L,3H), W (3H,H), b (3H), h (B,L,H). Saved is r, z, n, q.
func (*Device) GRU(g *device.GRU) {
	for b := range g.B {
		for t := range g.L {
			h := before(g.Out, g.H0, b, t, g.L, g.H)
			wh := product(g.W, 0, 3*g.H, h)
			m := b*g.L + t
			for i := range g.H {
				x := g.X.F64[3*g.H*m:]
				r := sigmoid(x[i] + wh[i] + at(g.Bias, i))
				z := sigmoid(x[g.H+i] + wh[g.H+i] + at(g.Bias, g.H+i))
				q := wh[2*g.H+i] + at(g.Bias, 2*g.H+i)
				n := math.Tanh(x[2*g.H+i] + r*q)
				g.Out.F64[m*g.H+i] = (1-z)*n + z*h[i]
				for k, v := range []float64{r, z, n, q} {
					set(g.Saved, (4*m+k)*g.H+i, v)
				}
			}
		}
	}
}

// GRUGrad adds the gradients of GRU. With X_t = dL/dh_t, a the arguments of the
// gates' functions and h = h_{t−1}:
//
//	da_n = X (1−z)(1−n²),  da_r = da_n q r(1−r),  da_z = X (h − n) z(1−z),  dq = da_n r
//	dx = (da_r, da_z, da_n),  s = (da_r, da_z, dq),  db = s,  dW = s hᵀ
//	X_{t−1} = dh_{t−1} + z X + Wᵀ s
func (*Device) GRUGrad(g *device.GRU, dh, dx, dw, dbias device.Buf) {
	for b := range g.B {
		carry := make([]float64, g.H) // z X + Wᵀ s of step t+1
		for t := g.L - 1; t >= 0; t-- {
			h := before(g.Out, g.H0, b, t, g.L, g.H)
			s := make([]float64, 3*g.H)
			m := b*g.L + t
			saved := g.Saved.F64[4*g.H*m:]
			for i := range g.H {
				r, z, n, q := saved[i], saved[g.H+i], saved[2*g.H+i], saved[3*g.H+i]
				x := dh.F64[m*g.H+i] + carry[i]
				dan := x * (1 - z) * (1 - n*n)
				s[i] = dan * q * r * (1 - r)
				s[g.H+i] = x * (h[i] - n) * z * (1 - z)
				s[2*g.H+i] = dan * r
				add(dx, 3*g.H*m+i, s[i])
				add(dx, 3*g.H*m+g.H+i, s[g.H+i])
				add(dx, 3*g.H*m+2*g.H+i, dan)
				carry[i] = z * x
			}
			for i := range s {
				add(dbias, i, s[i])
			}
			productGrad(g.W, h, s, dw, carry)
		}
	}
}

// projected returns the input X (m,n) = U Wᵀ + b of a recurrence.
func (d *Device) projected(m, n int, in *device.Projection) device.Buf {
	x := d.Alloc(m * n)
	d.MatMul(false, true, m, n, in.D, in.U, in.W, in.Bias, x, false)
	return x
}

// LSTM is the long short-term memory (Hochreiter & Schmidhuber with the forget
// gate of Gers et al. 2000, in the form of torch.nn.LSTM); gates in the order
// i, f, g, o:
//
//	i,f,o = σ(x + W h),  g = tanh(x_g + W_g h)
//	c' = f ⊙ c + i ⊙ g,  h' = o ⊙ tanh(c')
//
// for x (B,L,4H), W (4H,H), c, h (B,L,H). Saved is i, f, g, o.
func (d *Device) LSTM(s *device.LSTM) {
	x := s.X
	if s.In != nil {
		x = d.projected(s.B*s.L, 4*s.H, s.In)
	}
	for b := range s.B {
		for t := range s.L {
			wh := product(s.W, 0, 4*s.H, before(s.Out, s.H0, b, t, s.L, s.H))
			c := before(s.C, s.C0, b, t, s.L, s.H)
			m := b*s.L + t
			for j := range s.H {
				x := x.F64[4*s.H*m:]
				i := sigmoid(x[j] + wh[j])
				f := sigmoid(x[s.H+j] + wh[s.H+j])
				g := math.Tanh(x[2*s.H+j] + wh[2*s.H+j])
				o := sigmoid(x[3*s.H+j] + wh[3*s.H+j])
				s.C.F64[m*s.H+j] = f*c[j] + i*g
				s.Out.F64[m*s.H+j] = o * math.Tanh(s.C.F64[m*s.H+j])
				for k, v := range []float64{i, f, g, o} {
					set(s.Saved, (4*m+k)*s.H+j, v)
				}
			}
		}
	}
}

// LSTMGrad adds the gradients of LSTM. With X = dL/dh_t, C = dL/dc_t, c_t the
// new cell, c = c_{t−1} and a the arguments of the gates' functions:
//
//	C    = f_{t+1} C_{t+1} + X o (1 − tanh²c_t)
//	da_i = C g i(1−i),  da_f = C c f(1−f),  da_g = C i (1−g²),  da_o = X tanh(c_t) o(1−o)
//	dx = da,  dW = da h_{t−1}ᵀ,  X_{t−1} = dh_{t−1} + Wᵀ da
func (*Device) LSTMGrad(s *device.LSTM, dh, dx, dw device.Buf) {
	for b := range s.B {
		carryH := make([]float64, s.H) // Wᵀ da of step t+1
		carryC := make([]float64, s.H) // f_{t+1} C_{t+1}
		for t := s.L - 1; t >= 0; t-- {
			c := before(s.C, s.C0, b, t, s.L, s.H)
			da := make([]float64, 4*s.H)
			m := b*s.L + t
			saved := s.Saved.F64[4*s.H*m:]
			for j := range s.H {
				i, f, g, o := saved[j], saved[s.H+j], saved[2*s.H+j], saved[3*s.H+j]
				tc := math.Tanh(s.C.F64[m*s.H+j])
				x := dh.F64[m*s.H+j] + carryH[j]
				dc := carryC[j] + x*o*(1-tc*tc)
				da[j] = dc * g * i * (1 - i)
				da[s.H+j] = dc * c[j] * f * (1 - f)
				da[2*s.H+j] = dc * i * (1 - g*g)
				da[3*s.H+j] = x * tc * o * (1 - o)
				carryC[j] = dc * f
			}
			if dx.Same(s.Saved) {
				clear(saved[:4*s.H])
			}
			for j := range da {
				add(dx, 4*s.H*m+j, da[j])
			}
			clear(carryH)
			productGrad(s.W, before(s.Out, s.H0, b, t, s.L, s.H), da, dw, carryH)
		}
	}
}
