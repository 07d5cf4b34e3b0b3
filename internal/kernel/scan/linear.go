package scan

import "github.com/gophersnake/gophersnake/internal/kernel/scan/spec"

// Linear is the elementwise linear recurrence
//
//	h_t = a_t ⊙ h_{t-1} + x_t,  h_{-1} = H0 or zero
//
// over D channels: the inner loop of LRU (complex, constant a) and of minGRU
// and its kin (real, a of each step). Complex numbers are two planes; the
// recurrence is complex when AIm is not nil, and then every other Im buffer
// must be given where its real plane is. H may be X (and HIm XIm).
type Linear struct {
	B, L, D int

	ConstA bool // A is (D), the same at every step, else (B, L, D)

	A, AIm   []float32 // (B, L, D) or (D)
	X, XIm   []float32 // (B, L, D)
	H0, H0Im []float32 // (B, D), may be nil: zero
	H, HIm   []float32 // (B, L, D), overwritten by Forward, read by Backward

	// Alloc is as in Selective.
	Alloc func(n int) []float32

	pureGo bool
}

// LinearGrad holds the gradients of a Linear recurrence: for complex planes
// the derivatives with respect to the real and to the imaginary part. DH is
// read; all the others are added to (+=), and nil means not wanted. No buffer
// may overlap another.
type LinearGrad struct {
	DH, DHIm   []float32 // (B, L, D)
	DX, DXIm   []float32 // (B, L, D)
	DA, DAIm   []float32 // (B, L, D) or (D)
	DH0, DH0Im []float32 // (B, D)
}

// strided is a row for each step: row t starts at v[off+t*step]. A step of 0
// is the same row always; a negative step walks back in time.
type strided struct {
	v         []float32
	off, step int
}

func (r strided) row(t, n int) []float32 { return r.v[r.off+t*r.step:][:n] }

// linearRows are the rows of one forward run.
type linearRows struct{ a, prev, x, h strided }

// linearBackRows are the rows of one backward run. carry, a_t X_t in and out,
// has step 0, and so have da for a constant a and whatever is not wanted.
type linearBackRows struct{ a, prev, dh, dx, da, carry strided }

func (l *Linear) shape() Shape { return Shape{l.B, l.L, l.D, 1} }

func (l *Linear) complex() bool { return l.AIm != nil }

func (l *Linear) bd() dims { return dims{"(B, D)", l.B * l.D} }

func (l *Linear) aDims() dims {
	if l.ConstA {
		return l.shape().dOnly()
	}
	return l.shape().bld()
}

// wantPair checks the real plane and, in complex mode, the imaginary one.
func (l *Linear) wantPair(who, name string, re, im []float32, d dims, mayBeNil bool) {
	s := l.shape()
	s.want(who, name, re, d, mayBeNil)
	switch {
	case l.complex() && (re != nil || im != nil):
		s.want(who, name, re, d, false)
		s.want(who, name+"Im", im, d, false)
	case !l.complex() && im != nil:
		panic("scan: " + who + ": " + name + "Im given but AIm is nil (real recurrence)")
	}
}

func (l *Linear) check(who string) {
	who = "Linear." + who
	l.shape().check(who)
	bld := l.shape().bld()
	l.wantPair(who, "A", l.A, l.AIm, l.aDims(), false)
	l.wantPair(who, "X", l.X, l.XIm, bld, false)
	l.wantPair(who, "H0", l.H0, l.H0Im, l.bd(), true)
	l.wantPair(who, "H", l.H, l.HIm, bld, false)
}

func (l *Linear) checkGrad(g *LinearGrad) {
	const who = "Linear.Backward"
	bld := l.shape().bld()
	l.wantPair(who, "DH", g.DH, g.DHIm, bld, false)
	l.wantPair(who, "DX", g.DX, g.DXIm, bld, true)
	l.wantPair(who, "DA", g.DA, g.DAIm, l.aDims(), true)
	l.wantPair(who, "DH0", g.DH0, g.DH0Im, l.bd(), true)
}

// span is the channels lo … hi−1 of batch row b: what one task works on.
type span struct{ b, lo, hi int }

func (l *Linear) span(i int) span {
	s := l.shape()
	b, block := s.task(i)
	lo, hi := split(s.groups(), s.blocks(), block)
	return span{b, lo * lanes, min(hi*lanes, l.D)}
}

// rows is x, shaped (B, L, D), from step t on.
func (l *Linear) rows(x []float32, sp span, t int) strided {
	return strided{x, (sp.b*l.L+t)*l.D + sp.lo, l.D}
}

// aRows is a, (D) or (B, L, D), from step t on.
func (l *Linear) aRows(a []float32, sp span, t int) strided {
	if l.ConstA {
		return strided{a, sp.lo, 0}
	}
	return l.rows(a, sp, t)
}

// first is the state before the first step: H0 or zero.
func (l *Linear) first(h0, zero []float32, sp span) strided {
	if h0 == nil {
		return strided{zero, 0, 0}
	}
	return strided{h0, sp.b*l.D + sp.lo, 0}
}

// Forward computes H. It panics when a buffer's length does not fit.
func (l *Linear) Forward(run Runner) {
	l.check("Forward")
	var zero []float32
	scratch(l.Alloc, func(ar *arena) { zero = ar.take(l.D) })
	clear(zero)
	run.do(l.shape().tasks(), func(i int) {
		sp := l.span(i)
		l.forwardSpan(sp, 0, 1, l.first(l.H0, zero, sp), l.first(l.H0Im, zero, sp))
		if l.L > 1 {
			l.forwardSpan(sp, 1, l.L-1, l.rows(l.H, sp, 0), l.rows(l.HIm, sp, 0))
		}
	})
}

// forwardSpan runs some steps from step t on; re and im are the rows before.
func (l *Linear) forwardSpan(sp span, t, steps int, re, im strided) {
	e, n := engineFor(l.pureGo, spec.Halves), sp.hi-sp.lo
	r := linearRows{l.aRows(l.A, sp, t), re, l.rows(l.X, sp, t), l.rows(l.H, sp, t)}
	if !l.complex() {
		e.linear(steps, n, r)
		return
	}
	e.linearComplex(steps, n, r, linearRows{l.aRows(l.AIm, sp, t), im, l.rows(l.XIm, sp, t), l.rows(l.HIm, sp, t)})
}

// linearScratch is what one plane of one task of Backward works on: the carry,
// its sum of da for a constant a, and a row for what is not wanted.
type linearScratch struct{ carry, da, junk []float32 }

func (l *Linear) layBackward(ar *arena) (f [2]linearScratch) {
	widest := l.shape().widest() * lanes
	for i := range f {
		f[i] = linearScratch{ar.take(widest), ar.take(widest), ar.take(widest)}
	}
	return f
}

// Backward adds the gradients of Σ H·DH to g. It reads A, H0 and the H that
// Forward wrote, not X. It panics when a buffer's length does not fit.
func (l *Linear) Backward(run Runner, g *LinearGrad) {
	l.check("Backward")
	l.checkGrad(g)
	var (
		zero []float32
		each pieces
	)
	tasks := l.shape().tasks()
	scratch(l.Alloc, func(ar *arena) {
		var one arena
		l.layBackward(&one)
		zero, each = ar.take(l.D), ar.pieces(tasks, one.off)
	})
	clear(zero)
	run.do(tasks, func(i int) {
		ar := each.of(i)
		f := l.layBackward(&ar)
		clear(ar.buf[:ar.off])
		l.backwardTask(g, zero, f, l.span(i))
	})
	if !l.ConstA || g.DA == nil {
		return
	}
	for i := range tasks { // in row order: the sum does not depend on the workers
		ar := each.of(i)
		sp, f := l.span(i), l.layBackward(&ar)
		addTo(g.DA[sp.lo:sp.hi], f[0].da[:sp.hi-sp.lo])
		if l.complex() {
			addTo(g.DAIm[sp.lo:sp.hi], f[1].da[:sp.hi-sp.lo])
		}
	}
}

// backwardTask runs the span from its last step to its first: steps L−1 … 1,
// whose h_{t−1} is in H, then step 0.
func (l *Linear) backwardTask(g *LinearGrad, zero []float32, f [2]linearScratch, sp span) {
	n := sp.hi - sp.lo
	if t := l.L - 1; t > 0 {
		l.backwardSpan(g, f, sp, t, t, back(l.rows(l.H, sp, t-1)), back(l.rows(l.HIm, sp, t-1)))
	}
	l.backwardSpan(g, f, sp, 0, 1, l.first(l.H0, zero, sp), l.first(l.H0Im, zero, sp))
	if g.DH0 == nil {
		return
	}
	addTo(g.DH0[sp.b*l.D+sp.lo:][:n], f[0].carry[:n])
	if l.complex() {
		addTo(g.DH0Im[sp.b*l.D+sp.lo:][:n], f[1].carry[:n])
	}
}

// backwardSpan runs some steps back from step t; re and im are the rows h_{t−1}.
func (l *Linear) backwardSpan(g *LinearGrad, f [2]linearScratch, sp span, t, steps int, re, im strided) {
	e, n := engineFor(l.pureGo, spec.Halves), sp.hi-sp.lo
	rows := func(f *linearScratch, prev strided, a, dh, dx, da []float32) linearBackRows {
		v := linearBackRows{
			a: back(l.aRows(a, sp, t)), prev: prev, dh: back(l.rows(dh, sp, t)),
			dx: strided{v: f.junk}, da: strided{v: f.junk}, carry: strided{v: f.carry},
		}
		if dx != nil {
			v.dx = back(l.rows(dx, sp, t))
		}
		switch {
		case da == nil:
		case l.ConstA:
			v.da = strided{v: f.da}
		default:
			v.da = back(l.rows(da, sp, t))
		}
		return v
	}
	r := rows(&f[0], re, l.A, g.DH, g.DX, g.DA)
	if !l.complex() {
		e.linearBack(steps, n, r)
		return
	}
	e.linearComplexBack(steps, n, r, rows(&f[1], im, l.AIm, g.DHIm, g.DXIm, g.DAIm))
}

// back is r walking the other way.
func back(r strided) strided {
	r.step = -r.step
	return r
}
