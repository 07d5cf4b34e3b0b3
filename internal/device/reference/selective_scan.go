package reference

import (
	"math/cmplx"

	"github.com/gophersnake/gophersnake/internal/device"
)

// selectiveScan adds its index arithmetic to the description of a scan. Real
// numbers are computed as complex ones with imaginary part 0.
type selectiveScan struct{ *device.SelectiveScan }

// index returns where (b,t,d) lies in u, delta, z and y.
func (s selectiveScan) index(b, t, d int) int { return (b*s.L+t)*s.D + d }

// indexBC returns where B or C of (b,t,d,n) lies.
func (s selectiveScan) indexBC(varying bool, b, t, d, n int) int {
	if varying {
		return (b*s.L+t)*s.N + n
	}
	return d*s.N + n
}

// bt and ct return B_t[n] and C_t[n] as channel d sees them.
func (s selectiveScan) bt(b, t, d, n int) complex128 {
	return atC(s.Bm, s.BIm, s.indexBC(s.BVarying, b, t, d, n))
}

func (s selectiveScan) ct(b, t, d, n int) complex128 {
	return atC(s.Cm, s.CIm, s.indexBC(s.CVarying, b, t, d, n))
}

// weight is the factor before Re Σ_n C h: 2 if complex, where each state stands
// for itself and its conjugate, otherwise 1.
func (s selectiveScan) weight() float64 {
	if s.AIm.IsNil() {
		return 1
	}
	return 2
}

// delta returns Δ_t and dΔ_t/d(delta_t + DeltaBias).
func (s selectiveScan) delta(b, t, d int) (delta, slope float64) {
	pre := at(s.Delta, s.index(b, t, d)) + at(s.DeltaBias, d)
	if s.Softplus {
		return softplus(pre), dsoftplus(pre)
	}
	return pre, 1
}

// abar returns Ā = exp(Δ A) and dĀ/d(Δ A), or, if Signed, 2 exp(Δ A) − 1, which
// reaches from −1 to 1 (Grazzi et al., eq. 6).
func (s selectiveScan) abar(delta float64, a complex128) (abar, slope complex128) {
	e := cmplx.Exp(times(delta, a))
	if s.Signed {
		return 2*e - 1, 2 * e
	}
	return e, e
}

// times is the product of a real and a complex number.
func times(r float64, c complex128) complex128 { return complex(r*real(c), r*imag(c)) }

// inner is Re(x conj(y)), the product of x and y as vectors of the plane.
func inner(x, y complex128) float64 { return real(x)*real(y) + imag(x)*imag(y) }

// output returns y_t before the gate: Re Σ_n C_t[n] h[n] (twice that if
// complex) + Dskip u_t.
func (s selectiveScan) output(b, t, d int, h []complex128) float64 {
	y := 0.0
	for n := range s.N {
		y += s.weight() * real(s.ct(b, t, d, n)*h[n])
	}
	return y + at(s.Dskip, d)*s.U.F64[s.index(b, t, d)]
}

// indexSaved returns where h_t of channel (b,d) starts in Saved, t ≥ −1. The
// real parts (B,D,L+1,N) come first, then, if complex, the imaginary parts.
func (s selectiveScan) indexSaved(b, t, d int) int { return ((b*s.D+d)*(s.L+1) + t + 1) * s.N }

// saved returns the two halves of Saved.
func (s selectiveScan) saved() (re, im device.Buf) {
	n := s.B * s.D * (s.L + 1) * s.N
	if s.AIm.IsNil() {
		return s.Saved, device.Buf{}
	}
	return s.Saved.Slice(0, n), s.Saved.Slice(n, 2*n)
}

// save keeps h_t of channel (b,d), if it is wanted.
func (s selectiveScan) save(b, t, d int, h []complex128) {
	re, im := s.saved()
	for n := range h {
		setC(re, im, s.indexSaved(b, t, d)+n, h[n])
	}
}

// load returns h_t of channel (b,d).
func (s selectiveScan) load(b, t, d int) []complex128 {
	re, im := s.saved()
	h := make([]complex128, s.N)
	for n := range h {
		h[n] = atC(re, im, s.indexSaved(b, t, d)+n)
	}
	return h
}

// SelectiveScanSaved returns the size of Saved: all states h_{−1} … h_{L−1}.
func (*Device) SelectiveScanSaved(s *device.SelectiveScan) int {
	n := s.B * s.D * (s.L + 1) * s.N
	if !s.AIm.IsNil() {
		n *= 2
	}
	return n
}

// SelectiveScan is the recurrence of S6 (Mamba §3.2, algorithm 2, with the
// discretisation of the official selective_scan_ref: exact for A, Euler for B):
//
//	Δ_t = softplus(delta_t + DeltaBias)
//	h_t = exp(Δ_t A) h_{t−1} + Δ_t B_t u_t
//	y_t = ( Re Σ_n C_t[n] h_t[n] + Dskip u_t ) SiLU(z_t)
//
// for each b and d, with the switches of device.SelectiveScan: Σ_n doubled when
// A is complex, Ā = 2 exp(Δ A) − 1 if Signed, softplus only if Softplus, no
// gate without z. Channels do not meet, so HT may be H0 and Y may be U.
func (*Device) SelectiveScan(p *device.SelectiveScan) {
	s := selectiveScan{p}
	h := make([]complex128, s.N)
	for b := range s.B {
		for d := range s.D {
			for n := range h {
				h[n] = atC(s.H0, s.H0Im, (b*s.D+d)*s.N+n)
			}
			s.save(b, -1, d, h)
			for t := range s.L {
				s.step(b, t, d, h)
				s.save(b, t, d, h)
				y := s.output(b, t, d, h)
				if !s.Z.IsNil() {
					y *= silu(s.Z.F64[s.index(b, t, d)])
				}
				s.Y.F64[s.index(b, t, d)] = y
			}
			for n := range h {
				setC(s.HT, s.HTIm, (b*s.D+d)*s.N+n, h[n])
			}
		}
	}
}

// step turns h_{t−1} into h_t.
func (s selectiveScan) step(b, t, d int, h []complex128) {
	delta, _ := s.delta(b, t, d)
	u := s.U.F64[s.index(b, t, d)]
	for n := range h {
		abar, _ := s.abar(delta, atC(s.A, s.AIm, d*s.N+n))
		h[n] = abar*h[n] + times(delta*u, s.bt(b, t, d, n))
	}
}

// SelectiveScanGrad adds the gradients of SelectiveScan. The states come from
// Saved; H0 gets no gradient. With w = 1 (2 if complex), y the output before
// the gate, g_t = dy_t SiLU(z_t) and X_t = dL/dh_t:
//
//	dz_t = dy_t y_t SiLU'(z_t),  dDskip = Σ g_t u_t
//	X_t  = w g_t conj(C_t) + conj(Ā_{t+1}) X_{t+1},  dC_t = w g_t conj(h_t)
//
// and the rest as in gradOfStep.
func (*Device) SelectiveScanGrad(p *device.SelectiveScan, g *device.SelectiveScanGrad) {
	s := selectiveScan{p}
	for b := range s.B {
		for d := range s.D {
			carry := make([]complex128, s.N) // conj(Ā_{t+1}) X_{t+1}
			for t := s.L - 1; t >= 0; t-- {
				i := s.index(b, t, d)
				h, dy := s.load(b, t, d), g.DY.F64[i]
				if !s.Z.IsNil() {
					y := s.output(b, t, d, h)
					set(g.Y, i, y*silu(s.Z.F64[i]))
					add(g.DZ, i, dy*y*dsilu(s.Z.F64[i]))
					dy *= silu(s.Z.F64[i])
				}
				add(g.DDskip, d, dy*s.U.F64[i])
				add(g.DU, i, dy*at(s.Dskip, d))
				x := carry
				for n := range x {
					x[n] += times(s.weight()*dy, cmplx.Conj(s.ct(b, t, d, n)))
					j := s.indexBC(s.CVarying, b, t, d, n)
					addC(g.DC, g.DCIm, j, times(s.weight()*dy, cmplx.Conj(h[n])))
				}
				carry = s.gradOfStep(b, t, d, x, g)
			}
		}
	}
}

// gradOfStep takes X_t = dL/dh_t back through h_t = Ā h_{t−1} + Δ B u. With
// G = dL/d(Δ A) = X_t conj(h_{t−1}) conj(dĀ/d(Δ A)):
//
//	dA += Δ G,  dB += Δ u X_t,  du += Δ Re(X_t conj(B))
//	dΔ  = Σ_n Re(G conj(A)) + u Re(X_t conj(B))
//	d(delta + DeltaBias) = dΔ softplus'(delta + DeltaBias)
//
// It returns conj(Ā) X_t.
func (s selectiveScan) gradOfStep(b, t, d int, x []complex128, g *device.SelectiveScanGrad) []complex128 {
	i := s.index(b, t, d)
	u := s.U.F64[i]
	h := s.load(b, t-1, d)
	delta, slope := s.delta(b, t, d)
	dDelta := 0.0
	carry := make([]complex128, s.N)
	for n := range x {
		a, bt := atC(s.A, s.AIm, d*s.N+n), s.bt(b, t, d, n)
		abar, dAbar := s.abar(delta, a)
		dDeltaA := x[n] * cmplx.Conj(h[n]) * cmplx.Conj(dAbar)
		addC(g.DA, g.DAIm, d*s.N+n, times(delta, dDeltaA))
		addC(g.DB, g.DBIm, s.indexBC(s.BVarying, b, t, d, n), times(delta*u, x[n]))
		add(g.DU, i, delta*inner(x[n], bt))
		dDelta += inner(dDeltaA, a) + u*inner(x[n], bt)
		carry[n] = cmplx.Conj(abar) * x[n]
	}
	add(g.DDelta, i, dDelta*slope)
	add(g.DDeltaBias, d, dDelta*slope)
	return carry
}
