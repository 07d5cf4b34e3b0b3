package scan

import (
	"fmt"
	"math"
	"math/cmplx"
	"math/rand/v2"
	"testing"
)

// naiveComplex is the complex selective scan in complex128, written from the
// formula; the real arrays are those of the naive twin.
type naiveComplex struct {
	naive
	a, bm, cm, h0 []complex128
}

type complexTrace struct {
	trace
	hT, da, dbm, dcm, dh0 []complex128
}

// complexReference is the naive twin of s.
func complexReference(s *Selective) *naiveComplex {
	return &naiveComplex{*reference(s), join(s.A, s.Im.A), join(s.Bm, s.Im.Bm), join(s.Cm, s.Im.Cm), join(s.H0, s.Im.H0)}
}

// run computes the outputs and the gradients of Σ y·dy + Re Σ hT·conj(dhT).
func (s *naiveComplex) run(dy []float64, dhT []complex128) (tr complexTrace) {
	tr.y, tr.hT = make([]float64, len(s.u)), make([]complex128, s.B*s.D*s.N)
	tr.du, tr.ddelta, tr.dz = make([]float64, len(s.u)), make([]float64, len(s.u)), make([]float64, len(s.u))
	tr.dbias, tr.ddskip = make([]float64, s.D), make([]float64, s.D)
	tr.da, tr.dbm, tr.dcm = make([]complex128, len(s.a)), make([]complex128, len(s.bm)), make([]complex128, len(s.cm))
	tr.dh0 = make([]complex128, len(tr.hT))
	for b := range s.B {
		for d := range s.D {
			h, ungated := s.channel(&tr, b, d)
			if dy != nil {
				s.channelBack(&tr, b, d, h, ungated, dy, dhT)
			}
		}
	}
	return tr
}

func (s *naiveComplex) channel(tr *complexTrace, b, d int) (h [][]complex128, ungated []float64) {
	h, ungated = make([][]complex128, s.L+1), make([]float64, s.L)
	h[0] = make([]complex128, s.N)
	if s.h0 != nil {
		copy(h[0], s.h0[(b*s.D+d)*s.N:])
	}
	for t := range s.L {
		at := (b*s.L+t)*s.D + d
		_, dt := s.step(b, t, d)
		h[t+1] = make([]complex128, s.N)
		var sum complex128
		for n := range s.N {
			abar := cmplx.Exp(complex(dt, 0) * s.a[d*s.N+n])
			h[t+1][n] = abar*h[t][n] + complex(dt*s.u[at], 0)*s.bm[s.index(s.constB, b, t, d, n)]
			sum += s.cm[s.index(s.constC, b, t, d, n)] * h[t+1][n]
		}
		ungated[t] = 2 * real(sum)
		if s.dskip != nil {
			ungated[t] += s.dskip[d] * s.u[at]
		}
		tr.y[at] = ungated[t]
		if s.z != nil {
			tr.y[at] *= s.z[at] * logistic(s.z[at])
		}
	}
	copy(tr.hT[(b*s.D+d)*s.N:], h[s.L])
	return h, ungated
}

func (s *naiveComplex) channelBack(tr *complexTrace, b, d int, h [][]complex128, ungated, dy []float64, dhT []complex128) {
	x := make([]complex128, s.N)
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
			abar := cmplx.Exp(complex(dt, 0) * s.a[ia])
			x[n] += complex(2*g, 0) * cmplx.Conj(s.cm[ic])
			tr.dcm[ic] += complex(2*g, 0) * cmplx.Conj(h[t+1][n])
			tr.dbm[ib] += x[n] * complex(dt*s.u[at], 0)
			xb := real(x[n] * cmplx.Conj(s.bm[ib]))
			tr.du[at] += xb * dt
			da := x[n] * cmplx.Conj(abar*h[t][n])
			ddt += xb*s.u[at] + real(cmplx.Conj(s.a[ia])*da)
			tr.da[ia] += complex(dt, 0) * da
			x[n] *= cmplx.Conj(abar)
		}
		if s.softplus {
			ddt *= logistic(pre)
		}
		tr.ddelta[at] = ddt
		tr.dbias[d] += ddt
	}
	copy(tr.dh0[(b*s.D+d)*s.N:], x)
}

// complexProblem adds imaginary parts to problem; B and C stay real on demand.
func complexProblem(r *rand.Rand, s Shape, o options, realB, realC bool) (*Selective, *SelectiveGrad) {
	p, g := problem(r, s, o)
	twin := func(x []float32) []float32 {
		if x == nil {
			return nil
		}
		return normal(r, len(x))
	}
	ones := func(x []float32) []float32 { return filled(len(x), 1) }
	p.Checkpoints = filled(2*len(p.Checkpoints), nan)
	p.Im = &Imaginary{A: twin(p.A), Bm: twin(p.Bm), Cm: twin(p.Cm), H0: twin(p.H0), HT: filled(len(p.HT), nan)}
	for i := range p.Im.A { // S4D-Lin has phases of π n
		p.Im.A[i] *= 3
	}
	g.Im = ImaginaryGrad{DHT: twin(g.DHT), DA: ones(p.A), DBm: ones(p.Bm), DCm: ones(p.Cm), DH0: ones(g.DH0)}
	if realB {
		p.Im.Bm, g.Im.DBm = nil, nil
	}
	if realC {
		p.Im.Cm, g.Im.DCm = nil, nil
	}
	return p, g
}

// phaseTolerance: a phase ΔA of 30 radians in float32 is off by 4e-6, and the
// gradients multiply that by A again.
const phaseTolerance = 1e-4

func checkComplex(t *testing.T, p *Selective, g *SelectiveGrad, run Runner) {
	t.Helper()
	want := complexReference(p).run(wide(g.DY), join(g.DHT, g.Im.DHT))
	p.Forward(run)
	p.Backward(run, g)
	near(t, "Y", p.Y, want.y, phaseTolerance)
	re, im := planes(want.hT)
	near(t, "HT", p.HT, re, phaseTolerance)
	near(t, "Im.HT", p.Im.HT, im, phaseTolerance)
	plus := func(x []float64) []float64 {
		for i := range x {
			x[i]++
		}
		return x
	}
	for _, c := range []struct {
		name string
		got  []float32
		want []float64
	}{{"DU", g.DU, want.du}, {"DDelta", g.DDelta, want.ddelta}, {"DDskip", g.DDskip, want.ddskip}, {"DZ", g.DZ, want.dz}, {"DDeltaBias", g.DDeltaBias, want.dbias}} {
		if c.got != nil {
			near(t, c.name, c.got, plus(c.want), max(allowed(c.name, want.trace), phaseTolerance))
		}
	}
	for _, c := range []struct {
		name   string
		re, im []float32
		want   []complex128
	}{{"DA", g.DA, g.Im.DA, want.da}, {"DBm", g.DBm, g.Im.DBm, want.dbm}, {"DCm", g.DCm, g.Im.DCm, want.dcm}, {"DH0", g.DH0, g.Im.DH0, want.dh0}} {
		re, im := planes(c.want)
		near(t, c.name, c.re, plus(re), phaseTolerance)
		if c.im != nil {
			near(t, "Im."+c.name, c.im, plus(im), phaseTolerance)
		}
	}
}

// TestComplexOptions walks all modes and shapes around the chunk and group.
func TestComplexOptions(t *testing.T) {
	eachEngine(t, func(t *testing.T, pureGo bool) {
		r := rand.New(rand.NewPCG(51, 52))
		for i := range 1 << 10 {
			bit := func(k int) bool { return i>>k&1 != 0 }
			o := options{softplus: bit(0), constB: bit(1), constC: bit(2), static: bit(3), noBias: bit(4), noSkip: bit(5), noGate: bit(6), noH0: bit(7)}
			s := Shape{1 + i%2, []int{1, 2, 31, 32, 33, 65}[r.IntN(6)], []int{1, 7, 8, 9}[r.IntN(4)], []int{1, 2, 5}[r.IntN(3)]}
			p, g := complexProblem(r, s, o, bit(8), bit(9))
			p.pureGo = pureGo
			checkComplex(t, p, g, nil)
			if t.Failed() {
				t.Fatalf("at %+v %v, real B %v, real C %v", s, o, bit(8), bit(9))
			}
		}
	})
}

// TestComplexSteps: one step at a time, HT feeding H0, is the whole scan.
func TestComplexSteps(t *testing.T) {
	s := Shape{1, 40, 9, 3}
	p, _ := complexProblem(rand.New(rand.NewPCG(53, 54)), s, options{softplus: true}, false, false)
	p.Forward(nil)
	q, im := *p, *p.Im
	q.Im = &im
	q.L, q.Checkpoints = 1, nil
	q.HT, im.HT = append([]float32(nil), p.H0...), append([]float32(nil), p.Im.H0...)
	q.H0, im.H0 = q.HT, im.HT
	for i := range s.L {
		at := func(x []float32, n int) []float32 { return x[i*n : i*n+n] }
		q.U, q.Delta, q.Z = at(p.U, s.D), at(p.Delta, s.D), at(p.Z, s.D)
		q.Bm, q.Cm, im.Bm, im.Cm = at(p.Bm, s.N), at(p.Cm, s.N), at(p.Im.Bm, s.N), at(p.Im.Cm, s.N)
		q.Y = filled(s.D, nan)
		q.Forward(nil)
		near(t, fmt.Sprintf("y at step %d", i), q.Y, wide(at(p.Y, s.D)), 1e-6)
	}
	near(t, "Im.HT", im.HT, wide(p.Im.HT), 1e-6)
}

func TestComplexWorkers(t *testing.T) {
	var want *Selective
	var wantGrad *SelectiveGrad
	for _, n := range []int{1, 2, 3, 8} {
		p, g := complexProblem(rand.New(rand.NewPCG(55, 56)), Shape{1, 70, 700, 8}, options{softplus: true}, false, false)
		if p.blocks() < 2 {
			t.Fatal("want a shape with several blocks")
		}
		p.Forward(workers(n))
		p.Backward(workers(n), g)
		if want == nil {
			want, wantGrad = p, g
			checkComplex(t, p, func() *SelectiveGrad {
				_, g := complexProblem(rand.New(rand.NewPCG(55, 56)), p.Shape, options{softplus: true}, false, false)
				return g
			}(), nil)
			continue
		}
		for i, pair := range [][2][]float32{{p.Y, want.Y}, {p.Im.HT, want.Im.HT}, {g.DU, wantGrad.DU}, {g.DDelta, wantGrad.DDelta},
			{g.Im.DA, wantGrad.Im.DA}, {g.DBm, wantGrad.DBm}, {g.Im.DBm, wantGrad.Im.DBm}, {g.Im.DCm, wantGrad.Im.DCm}} {
			sameBits(t, fmt.Sprintf("%d workers, array %d", n, i), pair[0], pair[1])
		}
	}
}

// project is Σ y·dy + Re Σ hT·conj(dhT).
func (s *naiveComplex) project(dy []float64, dhT []complex128) (sum float64) {
	out := s.run(nil, nil)
	for i, v := range out.y {
		sum += v * dy[i]
	}
	for i, v := range out.hT {
		sum += real(v * cmplx.Conj(dhT[i]))
	}
	return sum
}

// TestNaiveComplexGradient checks the specification's backward by central
// differences along the real and imaginary axes.
func TestNaiveComplexGradient(t *testing.T) {
	const h = 1e-5 // cube root of float64's epsilon
	checked := 0
	agree := func(name string, up, down, got float64) {
		if diff := (up - down) / (2 * h); math.Abs(diff-got) > 1e-6*(1+math.Abs(diff)) {
			t.Errorf("d%s = %g, differences give %g", name, got, diff)
		}
		checked++
	}
	for i := range 4 {
		o := options{softplus: i&1 != 0, constB: i&2 != 0, constC: i&2 != 0}
		p, g := complexProblem(rand.New(rand.NewPCG(57, uint64(i))), Shape{2, 4, 2, 2}, o, false, false)
		ref, dy, dhT := complexReference(p), wide(g.DY), join(g.DHT, g.Im.DHT)
		tr := ref.run(dy, dhT)
		for name, c := range map[string][2][]float64{"u": {ref.u, tr.du}, "delta": {ref.delta, tr.ddelta}, "bias": {ref.bias, tr.dbias}, "z": {ref.z, tr.dz}} {
			for j, x := range c[0] {
				c[0][j] = x + h
				up := ref.project(dy, dhT)
				c[0][j] = x - h
				agree(name, up, ref.project(dy, dhT), c[1][j])
				c[0][j] = x
			}
		}
		for name, c := range map[string][2][]complex128{"a": {ref.a, tr.da}, "bm": {ref.bm, tr.dbm}, "cm": {ref.cm, tr.dcm}, "h0": {ref.h0, tr.dh0}} {
			for j, x := range c[0] {
				for _, dir := range []complex128{1, 1i} {
					c[0][j] = x + h*dir
					up := ref.project(dy, dhT)
					c[0][j] = x - h*dir
					agree(name, up, ref.project(dy, dhT), real(c[1][j]*cmplx.Conj(dir)))
					c[0][j] = x
				}
			}
		}
	}
	if checked == 0 {
		t.Fatal("nothing was checked")
	}
}
