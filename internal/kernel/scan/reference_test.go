package scan

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// naive is the selective scan in float64, written straight from the formula:
// the specification that the kernels are held to. Missing inputs are nil.
type naive struct {
	Shape
	softplus, signed, constB, constC bool

	u, delta, bias, a, bm, cm, dskip, z, h0 []float64
}

// trace is everything that one naive pass computes.
type trace struct {
	y, hT                                            []float64
	du, ddelta, dbias, da, dbm, dcm, ddskip, dz, dh0 []float64
}

func (s *naive) step(b, t, d int) (pre, dt float64) {
	if s.delta != nil {
		pre = s.delta[(b*s.L+t)*s.D+d]
	}
	if s.bias != nil {
		pre += s.bias[d]
	}
	if s.softplus {
		return pre, math.Max(pre, 0) + math.Log1p(math.Exp(-math.Abs(pre)))
	}
	return pre, pre
}

func (s *naive) decay(dt, a float64) float64 {
	if s.signed {
		return 2*math.Exp(dt*a) - 1
	}
	return math.Exp(dt * a)
}

// index of B or C for a step, channel and state.
func (s *naive) index(constant bool, b, t, d, n int) int {
	if constant {
		return d*s.N + n
	}
	return (b*s.L+t)*s.N + n
}

func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// run computes the outputs and, unless dy is nil, the gradients of
// Σ y·dy + Σ hT·dhT; it keeps every state.
func (s *naive) run(dy, dhT []float64) (tr trace) {
	tr.y, tr.hT = make([]float64, len(s.u)), make([]float64, s.B*s.D*s.N)
	if dy != nil {
		tr.du, tr.ddelta, tr.dz = make([]float64, len(s.u)), make([]float64, len(s.u)), make([]float64, len(s.u))
		tr.dbias, tr.ddskip = make([]float64, s.D), make([]float64, s.D)
		tr.da, tr.dh0 = make([]float64, len(s.a)), make([]float64, len(tr.hT))
		tr.dbm, tr.dcm = make([]float64, len(s.bm)), make([]float64, len(s.cm))
	}
	for b := range s.B {
		for d := range s.D {
			h, pre := s.channel(&tr, b, d)
			if dy != nil {
				s.channelBack(&tr, b, d, h, pre, dy, dhT)
			}
		}
	}
	return tr
}

// channel runs one channel forward: all states, h[0] the first, and the output
// before the gate.
func (s *naive) channel(tr *trace, b, d int) (h [][]float64, ungated []float64) {
	h, ungated = make([][]float64, s.L+1), make([]float64, s.L)
	h[0] = make([]float64, s.N)
	if s.h0 != nil {
		copy(h[0], s.h0[(b*s.D+d)*s.N:])
	}
	for t := range s.L {
		at := (b*s.L+t)*s.D + d
		_, dt := s.step(b, t, d)
		h[t+1] = make([]float64, s.N)
		y := 0.
		if s.dskip != nil {
			y = s.dskip[d] * s.u[at]
		}
		for n := range s.N {
			h[t+1][n] = s.decay(dt, s.a[d*s.N+n])*h[t][n] + dt*s.bm[s.index(s.constB, b, t, d, n)]*s.u[at]
			y += s.cm[s.index(s.constC, b, t, d, n)] * h[t+1][n]
		}
		ungated[t], tr.y[at] = y, y
		if s.z != nil {
			tr.y[at] = y * s.z[at] * logistic(s.z[at])
		}
	}
	copy(tr.hT[(b*s.D+d)*s.N:], h[s.L])
	return h, ungated
}

func (s *naive) channelBack(tr *trace, b, d int, h [][]float64, ungated, dy, dhT []float64) {
	x := make([]float64, s.N) // adjoint of h[t+1]
	if dhT != nil {
		copy(x, dhT[(b*s.D+d)*s.N:])
	}
	for t := s.L - 1; t >= 0; t-- {
		at := (b*s.L+t)*s.D + d
		pre, dt := s.step(b, t, d)
		g, ddt := dy[at], 0.
		if s.z != nil {
			sig := logistic(s.z[at])
			tr.dz[at] = g * ungated[t] * sig * (1 + s.z[at]*(1-sig))
			g *= s.z[at] * sig
		}
		tr.ddskip[d] += g * s.u[at]
		if s.dskip != nil {
			tr.du[at] += g * s.dskip[d]
		}
		for n := range s.N {
			ib, ic, ia := s.index(s.constB, b, t, d, n), s.index(s.constC, b, t, d, n), d*s.N+n
			x[n] += g * s.cm[ic]
			tr.dcm[ic] += g * h[t+1][n]
			tr.dbm[ib] += x[n] * dt * s.u[at]
			tr.du[at] += x[n] * dt * s.bm[ib]
			e := math.Exp(dt * s.a[ia])
			if s.signed {
				e *= 2
			}
			ddt += x[n]*s.bm[ib]*s.u[at] + x[n]*h[t][n]*e*s.a[ia]
			tr.da[ia] += x[n] * h[t][n] * e * dt
			x[n] *= s.decay(dt, s.a[ia])
		}
		if s.softplus {
			ddt *= logistic(pre)
		}
		tr.ddelta[at] = ddt
		tr.dbias[d] += ddt
	}
	copy(tr.dh0[(b*s.D+d)*s.N:], x)
}

func wide(x []float32) []float64 {
	if x == nil {
		return nil
	}
	w := make([]float64, len(x))
	for i, v := range x {
		w[i] = float64(v)
	}
	return w
}

// reference is the naive twin of s.
func reference(s *Selective) *naive {
	return &naive{s.Shape, s.Softplus, s.Signed, s.ConstB, s.ConstC,
		wide(s.U), wide(s.Delta), wide(s.DeltaBias), wide(s.A), wide(s.Bm), wide(s.Cm), wide(s.Dskip), wide(s.Z), wide(s.H0)}
}

func normal(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

func filled(n int, v float32) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = v
	}
	return x
}

var nan = float32(math.NaN())

func largest(x []float64) (m float64) {
	for _, v := range x {
		m = math.Max(m, math.Abs(v))
	}
	return m
}

// near reports the largest error of got relative to the largest value of want,
// and fails the test above tol. Sums of many terms cancel, so the array's
// scale, not each value's, is what float32 can promise.
func near(t *testing.T, name string, got []float32, want []float64, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", name, len(got), len(want))
	}
	scale, worst, at := largest(want), 0., 0
	for i, w := range want {
		if e := math.Abs(float64(got[i]) - w); e > worst || math.IsNaN(e) {
			worst, at = e, i
		}
	}
	if !(worst <= tol*scale+1e-30) {
		t.Errorf("%s: [%d] = %g, want %g: error %.2g of the scale %.3g, allowed %.2g",
			name, at, got[at], want[at], worst/scale, scale, tol)
	}
}

// sameBits fails unless the two are equal bit by bit.
func sameBits(t *testing.T, name string, got, want []float32) {
	t.Helper()
	for i := range want {
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
			t.Fatalf("%s: [%d] = %g, want the same bits as %g", name, i, got[i], want[i])
		}
	}
}

// eachEngine runs f with the process's engine and with the portable one.
func eachEngine(t *testing.T, f func(t *testing.T, pureGo bool)) {
	for _, pureGo := range []bool{false, true} {
		name := fmt.Sprintf("%T", engineFor(pureGo, 2))
		t.Run(name, func(t *testing.T) { f(t, pureGo) })
	}
}
