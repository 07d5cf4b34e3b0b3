package scan

import (
	"fmt"
	"math"
	"math/cmplx"
	"math/rand/v2"
	"testing"
)

// planes splits complex numbers.
func planes(x []complex128) (re, im []float64) {
	re, im = make([]float64, len(x)), make([]float64, len(x))
	for i, v := range x {
		re[i], im[i] = real(v), imag(v)
	}
	return re, im
}

// join makes complex numbers of two planes; a nil im is zero, a nil re nil.
func join(re, im []float32) []complex128 {
	if re == nil {
		return nil
	}
	x := make([]complex128, len(re))
	for i := range x {
		x[i] = complex(float64(re[i]), 0)
		if im != nil {
			x[i] += complex(0, float64(im[i]))
		}
	}
	return x
}

// linearTrace is the naive recurrence in complex128: the specification.
type linearTrace struct{ h, dx, da, dh0 []complex128 }

func naiveLinear(l *Linear, a, x, h0, dh []complex128) (tr linearTrace) {
	tr.h, tr.dx = make([]complex128, len(x)), make([]complex128, len(x))
	tr.da, tr.dh0 = make([]complex128, len(a)), make([]complex128, l.B*l.D)
	for b := range l.B {
		for d := range l.D {
			at := func(t int) int { return (b*l.L+t)*l.D + d }
			aAt := func(t int) int {
				if l.ConstA {
					return d
				}
				return at(t)
			}
			prev := func(t int) complex128 {
				switch {
				case t > 0:
					return tr.h[at(t-1)]
				case h0 != nil:
					return h0[b*l.D+d]
				}
				return 0
			}
			for t := range l.L {
				tr.h[at(t)] = a[aAt(t)]*prev(t) + x[at(t)]
			}
			var carry complex128
			for t := l.L - 1; t >= 0; t-- {
				adj := dh[at(t)] + carry
				tr.dx[at(t)] = adj
				tr.da[aAt(t)] += adj * cmplx.Conj(prev(t))
				carry = cmplx.Conj(a[aAt(t)]) * adj
			}
			tr.dh0[b*l.D+d] = carry
		}
	}
	return tr
}

// linearProblem has random inputs with |a| < 1, NaN in H, gradients at one.
func linearProblem(r *rand.Rand, b, l, d int, isComplex, constA, h0 bool) (*Linear, *LinearGrad) {
	na := b * l * d
	if constA {
		na = d
	}
	plane := func(n int) []float32 { return normal(r, n) }
	p := &Linear{B: b, L: l, D: d, ConstA: constA, A: plane(na), X: plane(b * l * d), H: filled(b*l*d, nan)}
	g := &LinearGrad{DH: plane(b * l * d), DX: filled(b*l*d, 1), DA: filled(na, 1), DH0: filled(b*d, 1)}
	if isComplex {
		p.AIm, p.XIm, p.HIm = plane(na), plane(b*l*d), filled(b*l*d, nan)
		g.DHIm, g.DXIm, g.DAIm, g.DH0Im = plane(b*l*d), filled(b*l*d, 1), filled(na, 1), filled(b*d, 1)
	}
	for i := range p.A {
		f := 1 / (1 + abs32(p.A[i]))
		p.A[i] *= f
		if isComplex {
			p.A[i] *= .7
			p.AIm[i] *= .7 / (1 + abs32(p.AIm[i]))
		}
	}
	if h0 {
		p.H0 = plane(b * d)
		if isComplex {
			p.H0Im = plane(b * d)
		}
	}
	return p, g
}

func checkLinear(t *testing.T, p *Linear, g *LinearGrad, run Runner) {
	t.Helper()
	want := naiveLinear(p, join(p.A, p.AIm), join(p.X, p.XIm), join(p.H0, p.H0Im), join(g.DH, g.DHIm))
	p.Forward(run)
	p.Backward(run, g)
	for _, c := range []struct {
		name   string
		re, im []float32
		want   []complex128
		start  complex128
	}{{"H", p.H, p.HIm, want.h, 0}, {"DX", g.DX, g.DXIm, want.dx, 1 + 1i}, {"DA", g.DA, g.DAIm, want.da, 1 + 1i}, {"DH0", g.DH0, g.DH0Im, want.dh0, 1 + 1i}} {
		for i := range c.want {
			c.want[i] += c.start
		}
		re, im := planes(c.want)
		tol := stepTolerance
		if c.name == "DA" {
			tol = paramTolerance
		}
		if c.re != nil {
			near(t, c.name, c.re, re, tol)
		}
		if c.im != nil {
			near(t, c.name+"Im", c.im, im, tol)
		}
	}
}

// eachLinear walks real and complex, constant and varying, with and without H0.
func eachLinear(f func(isComplex, constA, h0 bool)) {
	for i := range 8 {
		f(i&1 != 0, i&2 != 0, i&4 != 0)
	}
}

func TestLinearShapes(t *testing.T) {
	eachEngine(t, func(t *testing.T, pureGo bool) {
		r := rand.New(rand.NewPCG(31, 32))
		eachLinear(func(isComplex, constA, h0 bool) {
			for _, l := range []int{1, 2, 15, 16, 17, 63, 64, 65, 100} {
				for _, d := range []int{1, 3, 7, 8, 9, 24, 31, 33, 71} {
					p, g := linearProblem(r, 1+r.IntN(3), l, d, isComplex, constA, h0)
					p.pureGo = pureGo
					checkLinear(t, p, g, nil)
					if t.Failed() {
						t.Fatalf("at B=%d L=%d D=%d complex=%v constA=%v h0=%v", p.B, l, d, isComplex, constA, h0)
					}
				}
			}
		})
	})
}

// TestLinearUnwanted: leaving gradients out changes nothing else.
func TestLinearUnwanted(t *testing.T) {
	eachEngine(t, func(t *testing.T, pureGo bool) {
		eachLinear(func(isComplex, constA, h0 bool) {
			for skip := range 3 {
				p, g := linearProblem(rand.New(rand.NewPCG(33, 34)), 2, 9, 21, isComplex, constA, h0)
				p.pureGo = pureGo
				pairs := [][2]*[]float32{{&g.DX, &g.DXIm}, {&g.DA, &g.DAIm}, {&g.DH0, &g.DH0Im}}
				*pairs[skip][0], *pairs[skip][1] = nil, nil
				checkLinear(t, p, g, nil)
			}
		})
	})
}

func TestLinearWorkers(t *testing.T) {
	eachEngine(t, func(t *testing.T, pureGo bool) {
		eachLinear(func(isComplex, constA, h0 bool) {
			var want *Linear
			var wantGrad *LinearGrad
			for _, n := range []int{1, 2, 3, 8} {
				p, g := linearProblem(rand.New(rand.NewPCG(35, 36)), 2, 1000, 300, isComplex, constA, h0)
				p.pureGo = pureGo
				if p.shape().blocks() < 2 {
					t.Fatal("want a shape with several blocks")
				}
				p.Forward(workers(n))
				p.Backward(workers(n), g)
				if want == nil {
					want, wantGrad = p, g
					continue
				}
				sameBits(t, "H", p.H, want.H)
				sameBits(t, "DX", g.DX, wantGrad.DX)
				sameBits(t, "DA", g.DA, wantGrad.DA)
				sameBits(t, "DAIm", g.DAIm, wantGrad.DAIm)
				sameBits(t, "DH0", g.DH0, wantGrad.DH0)
			}
		})
	})
}

// TestLinearInPlace: H may be X, and one step at a time is the whole scan.
func TestLinearInPlace(t *testing.T) {
	eachEngine(t, func(t *testing.T, pureGo bool) {
		eachLinear(func(isComplex, constA, h0 bool) {
			p, _ := linearProblem(rand.New(rand.NewPCG(37, 38)), 1, 20, 13, isComplex, constA, h0)
			p.pureGo = pureGo
			p.Forward(nil)
			q := *p
			q.X, q.XIm = append([]float32(nil), p.X...), append([]float32(nil), p.XIm...)
			q.H, q.HIm = q.X, q.XIm
			q.Forward(nil)
			sameBits(t, "H in place", q.H, p.H)
			sameBits(t, "HIm in place", q.HIm, p.HIm)

			step := *p
			step.L = 1
			for i := range p.L {
				at := func(x []float32) []float32 {
					if x == nil {
						return nil
					}
					return x[i*p.D:][:p.D]
				}
				step.X, step.XIm, step.H, step.HIm = at(p.X), at(p.XIm), filled(p.D, nan), nil
				if isComplex {
					step.HIm = filled(p.D, nan)
				}
				if !constA {
					step.A, step.AIm = at(p.A), at(p.AIm)
				}
				step.Forward(nil)
				sameBits(t, fmt.Sprintf("step %d", i), step.H, at(p.H))
				step.H0, step.H0Im = step.H, step.HIm
			}
		})
	})
}

// TestNaiveLinearGradient checks the specification's backward by central
// differences of Re(Σ h conj(dh)).
func TestNaiveLinearGradient(t *testing.T) {
	checked := 0
	for i := range 2 {
		p, g := linearProblem(rand.New(rand.NewPCG(39, 40)), 2, 4, 3, true, i == 0, true)
		a, x, h0, dh := join(p.A, p.AIm), join(p.X, p.XIm), join(p.H0, p.H0Im), join(g.DH, g.DHIm)
		tr := naiveLinear(p, a, x, h0, dh)
		loss := func() (sum float64) {
			for i, v := range naiveLinear(p, a, x, h0, dh).h {
				sum += real(v * cmplx.Conj(dh[i]))
			}
			return sum
		}
		for name, c := range map[string][2][]complex128{"a": {a, tr.da}, "x": {x, tr.dx}, "h0": {h0, tr.dh0}} {
			for j := range c[0] {
				for _, dir := range []complex128{1e-5, 1e-5i} {
					v := c[0][j]
					c[0][j] = v + dir
					up := loss()
					c[0][j] = v - dir
					diff := (up - loss()) / 2e-5
					c[0][j] = v
					if got := real(c[1][j] * cmplx.Conj(dir/1e-5)); math.Abs(diff-got) > 1e-7*(1+math.Abs(diff)) {
						t.Errorf("d%s[%d] along %v = %g, differences give %g", name, j, dir, got, diff)
					}
					checked++
				}
			}
		}
	}
	if checked == 0 {
		t.Fatal("nothing was checked")
	}
}

func TestLinearPanics(t *testing.T) {
	for want, spoil := range map[string]func(p *Linear, g *LinearGrad){
		"scan: Linear.Forward: XIm has 0 values, want (B, L, D) = 24 at B=2 L=4 D=3 N=1":   func(p *Linear, _ *LinearGrad) { p.XIm = nil },
		"scan: Linear.Forward: A has 23 values, want (B, L, D) = 24 at B=2 L=4 D=3 N=1":    func(p *Linear, _ *LinearGrad) { p.A = p.A[1:] },
		"scan: Linear.Forward: H0Im has 0 values, want (B, D) = 6 at B=2 L=4 D=3 N=1":      func(p *Linear, _ *LinearGrad) { p.H0Im = nil },
		"scan: Linear.Forward: XIm given but AIm is nil (real recurrence)":                 func(p *Linear, _ *LinearGrad) { p.AIm = nil },
		"scan: Linear.Backward: DXIm has 0 values, want (B, L, D) = 24 at B=2 L=4 D=3 N=1": func(_ *Linear, g *LinearGrad) { g.DXIm = nil },
	} {
		p, g := linearProblem(rand.New(rand.NewPCG(41, 42)), 2, 4, 3, true, false, true)
		spoil(p, g)
		func() {
			defer func() {
				if got := recover(); got != want {
					t.Errorf("panic %v, want %s", got, want)
				}
			}()
			p.Forward(nil)
			p.Backward(nil, g)
		}()
	}
}
