package reference

import (
	"math/cmplx"

	"github.com/gophersnake/gophersnake/internal/device"
)

// linearScan adds its index arithmetic to the description of a scan. Real
// numbers are computed as complex ones with imaginary part 0.
type linearScan struct{ *device.LinearScan }

// index returns where (b,t,d) lies in x and h.
func (s linearScan) index(b, t, d int) int { return (b*s.L+t)*s.D + d }

// indexA returns where a of (b,t,d) lies.
func (s linearScan) indexA(b, t, d int) int {
	if s.Varying {
		return s.index(b, t, d)
	}
	return d
}

// h returns h_t, and the state before the first step for t = −1.
func (s linearScan) h(b, t, d int) complex128 {
	if t < 0 {
		return atC(s.H0, s.H0Im, b*s.D+d)
	}
	return atC(s.H, s.HIm, s.index(b, t, d))
}

// LinearScan is the diagonal linear recurrence (LRU §3.2, with x_t = γ ⊙ B u_t):
//
//	h_t = a_t ⊙ h_{t−1} + x_t
//
// for x, h (B,L,D), h_{−1} (B,D), a (D) or, if Varying, (B,L,D); complex when
// the buffers of imaginary parts are set.
func (*Device) LinearScan(p *device.LinearScan) {
	s := linearScan{p}
	for b := range s.B {
		for d := range s.D {
			h := s.h(b, -1, d)
			for t := range s.L {
				i := s.index(b, t, d)
				h = atC(s.A, s.AIm, s.indexA(b, t, d))*h + atC(s.X, s.XIm, i)
				setC(s.H, s.HIm, i, h)
			}
		}
	}
}

// LinearScanGrad adds the gradients of LinearScan. With X_t = dL/dh_t,
//
//	X_t = dh_t + conj(a_{t+1}) X_{t+1},  dx_t = X_t,  da_t = X_t conj(h_{t−1})
//
// and da = Σ_b,t da_t when a is constant. The state h_{−1} gets no gradient.
func (*Device) LinearScanGrad(p *device.LinearScan, g *device.LinearScanGrad) {
	s := linearScan{p}
	for b := range s.B {
		for d := range s.D {
			carry := complex128(0) // conj(a_{t+1}) X_{t+1}
			for t := s.L - 1; t >= 0; t-- {
				i, j := s.index(b, t, d), s.indexA(b, t, d)
				x := atC(g.DH, g.DHIm, i) + carry
				addC(g.DX, g.DXIm, i, x)
				addC(g.DA, g.DAIm, j, x*cmplx.Conj(s.h(b, t-1, d)))
				carry = cmplx.Conj(atC(s.A, s.AIm, j)) * x
			}
		}
	}
}
