package reference

import (
	"math"

	"github.com/gophersnake/gophersnake/internal/device"
)

// conv1D adds the two helpers of a convolution to its description.
type conv1D struct{ *device.Conv1D }

// input returns x[b,t,d], which for −K < t < 0 comes from the state.
func (c conv1D) input(b, t, d int) float64 {
	if t < 0 {
		return at(c.State, (b*(c.K-1)+c.K-1+t)*c.D+d)
	}
	return c.X.F64[(b*c.L+t)*c.D+d]
}

// sum returns the convolution before f: bias[d] + Σ_j w[d,j] x[b,t−K+1+j,d].
func (c conv1D) sum(b, t, d int) float64 {
	s := at(c.Bias, d)
	for j := range c.K {
		s += c.W.F64[d*c.K+j] * c.input(b, t-c.K+1+j, d)
	}
	return s
}

// Conv1D is the causal depthwise convolution of Mamba's block (conv1d in
// mamba_simple.py, left padding K−1), f = SiLU or the identity:
//
//	y[b,t,d] = f( bias[d] + Σ_j w[d,j] x[b,t−K+1+j,d] )
//
// Y and StateOut are written last, so they may share memory with X and State.
func (*Device) Conv1D(p *device.Conv1D) {
	c := conv1D{p}
	y := make([]float64, c.B*c.L*c.D)
	state := make([]float64, c.B*(c.K-1)*c.D)
	for b := range c.B {
		for d := range c.D {
			for t := range c.L {
				v := c.sum(b, t, d)
				if c.SiLU {
					v = silu(v)
				}
				y[(b*c.L+t)*c.D+d] = v
			}
			for j := range c.K - 1 {
				state[(b*(c.K-1)+j)*c.D+d] = c.input(b, c.L-c.K+1+j, d)
			}
		}
	}
	copy(c.Y.F64, y)
	copy(c.StateOut.F64, state)
}

// Conv1DGrad adds the gradients of Conv1D. With s the sum before f, which is
// computed again, and g = dy f'(s),
//
//	dx[b,t−K+1+j,d] += w[d,j] g[b,t,d],  dw[d,j] += g[b,t,d] x[b,t−K+1+j,d],  dbias[d] += g[b,t,d]
//
// The state gets no gradient.
func (*Device) Conv1DGrad(p *device.Conv1D, dy, dx, dw, dbias device.Buf) {
	c := conv1D{p}
	for b := range c.B {
		for t := range c.L {
			for d := range c.D {
				g := dy.F64[(b*c.L+t)*c.D+d]
				if c.SiLU {
					g *= dsilu(c.sum(b, t, d))
				}
				add(dbias, d, g)
				for j := range c.K {
					s := t - c.K + 1 + j
					add(dw, d*c.K+j, g*c.input(b, s, d))
					if s >= 0 {
						add(dx, (b*c.L+s)*c.D+d, g*c.W.F64[d*c.K+j])
					}
				}
			}
		}
	}
}

// Rotary rotates the pair (x_i, x_{i+Dh/2}) of each head at time t by the angle
// θ = (offset + t)·base^(−2i/Dh) (RoPE, Su et al. eq. 15, paired as in
// GPT-NeoX), or by −θ if inverse:
//
//	y_i        = x_i cos θ − x_{i+Dh/2} sin θ
//	y_{i+Dh/2} = x_i sin θ + x_{i+Dh/2} cos θ
//
// If sum, y += instead of y =. A rotation's transpose is its inverse, so the
// gradient is Rotary(r, dy, dx, !inverse, true). Dh is even.
func (*Device) Rotary(r device.Rotary, x, y device.Buf, inverse, sum bool) {
	half := r.Dh / 2
	for head := range r.B * r.L * r.H { // (b, t, h) in order
		t := head / r.H % r.L
		for i := range half {
			theta := float64(r.Offset+t) * math.Pow(r.Base, -2*float64(i)/float64(r.Dh))
			if inverse {
				theta = -theta
			}
			sin, cos := math.Sincos(theta)
			p, q := head*r.Dh+i, head*r.Dh+i+half
			yp := x.F64[p]*cos - x.F64[q]*sin
			yq := x.F64[p]*sin + x.F64[q]*cos
			if sum {
				yp += y.F64[p]
				yq += y.F64[q]
			}
			y.F64[p], y.F64[q] = yp, yq
		}
	}
}

// attention adds its index arithmetic to the description of an attention.
type attention struct{ *device.Attention }

// seen returns how many keys query t sees: 0 to t + Lk − Lq.
func (a attention) seen(t int) int { return t + a.Lk - a.Lq + 1 }

// query returns where q (and y) of batch b, time t, head h start.
func (a attention) query(b, t, h int) int { return ((b*a.Lq+t)*a.H + h) * a.Dh }

// key returns where k (and v) of batch b, time s, head h start.
func (a attention) key(b, s, h int) int { return b*a.KVStride + (s*a.H+h)*a.Dh }

// scores returns q_t·k_s/√Dh for the keys that query t sees.
func (a attention) scores(b, t, h int) []float64 {
	e := make([]float64, a.seen(t))
	q := a.query(b, t, h)
	for s := range e {
		k := a.key(b, s, h)
		for i := range a.Dh {
			e[s] += a.Q.F64[q+i] * a.K.F64[k+i] / math.Sqrt(float64(a.Dh))
		}
	}
	return e
}

// Attention is causal softmax attention (Vaswani et al., eq. 1), per head:
//
//	e_ts = q_t·k_s/√Dh,  lse_t = log Σ_s exp(e_ts),  p_ts = exp(e_ts − lse_t)
//	y_t  = Σ_s p_ts v_s                              over s ≤ t + Lk − Lq
func (*Device) Attention(p *device.Attention) {
	a := attention{p}
	for b := range a.B {
		for h := range a.H {
			for t := range a.Lq {
				e := a.scores(b, t, h)
				top, logSum := logSumExp(e)
				lse := top + logSum
				y := make([]float64, a.Dh)
				for s := range e {
					v := a.key(b, s, h)
					for i := range y {
						y[i] += math.Exp(e[s]-lse) * a.V.F64[v+i]
					}
				}
				copy(a.Y.F64[a.query(b, t, h):], y)
				set(a.LSE, (b*a.H+h)*a.Lq+t, lse)
			}
		}
	}
}

// AttentionGrad adds the gradients of Attention; dk and dv have the batch
// stride KVStride of k and v:
//
//	dv_s += p_ts dy_t,  dp_ts = dy_t·v_s,  de_ts = p_ts (dp_ts − Σ_r p_tr dp_tr)
//	dq_t += Σ_s de_ts k_s/√Dh,  dk_s += de_ts q_t/√Dh
func (*Device) AttentionGrad(p *device.Attention, dy, dq, dk, dv device.Buf) {
	a := attention{p}
	for b := range a.B {
		for h := range a.H {
			for t := range a.Lq {
				a.gradOfQuery(b, h, t, dy, dq, dk, dv)
			}
		}
	}
}

// gradOfQuery adds what query t of head h contributes.
func (a attention) gradOfQuery(b, h, t int, dy, dq, dk, dv device.Buf) {
	e := a.scores(b, t, h)
	q, lse := a.query(b, t, h), a.LSE.F64[(b*a.H+h)*a.Lq+t]
	pt, dp := make([]float64, len(e)), make([]float64, len(e))
	mean := 0.0 // Σ_r p_tr dp_tr
	for s := range e {
		pt[s] = math.Exp(e[s] - lse)
		v := a.key(b, s, h)
		for i := range a.Dh {
			dp[s] += dy.F64[q+i] * a.V.F64[v+i]
			add(dv, v+i, pt[s]*dy.F64[q+i])
		}
		mean += pt[s] * dp[s]
	}
	for s := range e {
		de := pt[s] * (dp[s] - mean) / math.Sqrt(float64(a.Dh))
		k := a.key(b, s, h)
		for i := range a.Dh {
			add(dq, q+i, de*a.K.F64[k+i])
			add(dk, k+i, de*a.Q.F64[q+i])
		}
	}
}

// MeanPool averages over time: y[b,d] = Σ_t x[b,t,d] / L for x (b,l,d), y (b,d).
func (*Device) MeanPool(b, l, d int, x, y device.Buf) {
	for i := range b {
		for j := range d {
			s := 0.0
			for t := range l {
				s += x.F64[(i*l+t)*d+j]
			}
			y.F64[i*d+j] = s / float64(l)
		}
	}
}

// MeanPoolGrad adds dx[b,t,d] += dy[b,d] / L.
func (*Device) MeanPoolGrad(b, l, d int, dy, dx device.Buf) {
	for i := range b {
		for t := range l {
			for j := range d {
				add(dx, (i*l+t)*d+j, dy.F64[i*d+j]/float64(l))
			}
		}
	}
}
