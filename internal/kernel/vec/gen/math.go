package main

import (
	"github.com/mmcloughlin/avo/operand"

	"github.com/gophersnake/gophersnake/internal/kernel/vec/coef"
)

const (
	signBit   = 0x80000000
	magnitude = 0x7fffffff
	oneBits   = 0x3f800000 // float32(1)
	mantissa  = 23         // bits
)

// reduce splits x, within coef.ExpMin and coef.ExpMax, into n and r with
// x = n·ln 2 + r. It changes x into r and returns n, in the low bits of a
// float of size coef.Round.
func (l *loop) reduce(x vecs) (n vecs) {
	t := l.constant(coef.Log2E)
	l.horner(t, x, l.float(coef.Round))
	whole := l.difference(t, l.float(coef.Round))
	l.subMul(x, whole, l.float(coef.Ln2Hi))
	l.subMul(x, whole, l.float(coef.Ln2Lo))
	return t
}

// expTail returns (exp(r) - 1 - r) / r².
func (l *loop) expTail(r vecs) vecs {
	p := l.constant(coef.Exp6)
	for _, c := range []float32{coef.Exp5, coef.Exp4, coef.Exp3, coef.Exp2} {
		l.horner(p, r, l.float(c))
	}
	return p
}

// exp returns exp(x) and destroys x, which must not be above coef.ExpMax. 2ⁿ
// is multiplied in two halves, so that the result may overflow or be
// denormal.
func (l *loop) exp(x vecs) vecs {
	l.least(x, l.float(coef.ExpMin))
	n := l.reduce(x)
	p := l.expTail(x)
	l.horner(p, x, l.float(1))
	l.horner(p, x, l.float(1))
	for i := range p { // x is free: it takes floor(n/2), n the rest
		l.VPSRLD(operand.Imm(1), n[i], x[i])
		l.VPSUBD(x[i], n[i], n[i])
	}
	for _, half := range []vecs{x, n} {
		l.power(half)
		l.mul(p, half)
	}
	return p
}

// power turns integers in the low bits, -126 … 127, into powers of two.
func (l *loop) power(n vecs) {
	for i := range n {
		l.VPSLLD(operand.Imm(mantissa), n[i], n[i])
	}
	for i := range n {
		l.form(l.word(oneBits), l.VPADDD, l.VPADDD_BCST)(l.word(oneBits), n[i], n[i])
	}
}

// expMinus returns exp(-|x|) and keeps x.
func (l *loop) expMinus(x vecs) vecs {
	e := l.fresh()
	for i := range e {
		l.form(l.word(signBit), l.VORPS, l.VORPS_BCST)(l.word(signBit), x[i], e[i])
	}
	return l.exp(e)
}

// sigmoidParts returns sigmoid(x) = upper / lower for e = exp(-|x|): upper is
// 1 for x >= 0 and e below, lower is 1 + e. Both are accurate for any x.
func (l *loop) sigmoidParts(x, e vecs) (upper, lower vecs) {
	one := l.all(l.float(1))
	upper = l.fresh()
	for i := range x {
		l.signed(x[i], e[i], one[i], upper[i])
	}
	l.add(e, one)
	return upper, e
}

// sigmoidSlope returns sigmoid(x) and its derivative e/(1+e)² for e =
// exp(-|x|), which is destroyed.
func (l *loop) sigmoidSlope(x, e vecs) (s, slope vecs) {
	one := l.all(l.float(1))
	inverse := l.sum(e, one)
	for i := range inverse {
		l.VDIVPS(inverse[i], one[i], inverse[i])
	}
	s = l.fresh()
	for i := range x {
		l.signed(x[i], e[i], one[i], s[i])
	}
	l.mul(s, inverse)
	l.mul(e, inverse)
	l.mul(e, inverse)
	return s, e
}

// log1p returns log(1+e) for 0 <= e <= 1 and destroys e.
func (l *loop) log1p(e vecs) vecs {
	d := l.constant(0.5)
	l.horner(d, e, l.float(1))
	l.div(e, d)
	square := l.product(e, e)
	p := l.constant(coef.Log4)
	for _, c := range []float32{coef.Log3, coef.Log2, coef.Log1, 1} {
		l.horner(p, square, l.float(c))
	}
	l.mul(p, e)
	return p
}

// tanh returns tanh(x) = sign(x)·u/(u+2), where u = exp(2|x|) - 1 is
// 2ⁿ·(exp(r)-1) + (2ⁿ-1), accurate also for small x.
func (l *loop) tanh(x vecs) vecs {
	y := l.fresh()
	for i := range y {
		l.form(l.word(magnitude), l.VANDPS, l.VANDPS_BCST)(l.word(magnitude), x[i], y[i])
	}
	l.add(y, y)
	l.most(y, l.float(coef.TanhMax))
	n := l.reduce(y)
	u := l.expTail(y)
	l.mul(u, y)
	l.horner(u, y, y) // exp(r) - 1
	l.power(n)
	less := l.difference(n, l.float(1))
	l.horner(u, n, less)
	d := l.sum(u, l.float(2))
	l.div(u, d)
	for i := range d {
		l.form(l.word(signBit), l.VANDPS, l.VANDPS_BCST)(l.word(signBit), x[i], d[i])
	}
	l.or(u, d)
	return u
}

// geluArgument returns v(x) = x·(GELU1 + GELU3·x²) with x cut off where it no
// longer matters, and dv/dx if slope is set.
func (l *loop) geluArgument(x vecs, slope bool) (v, dv vecs) {
	v = l.copy(x)
	l.most(v, l.float(coef.GELUMax))
	l.least(v, l.float(-coef.GELUMax))
	square, p := l.product(v, v), l.constant(coef.GELU3)
	l.horner(p, square, l.float(coef.GELU1))
	if slope {
		dv = l.constant(3 * coef.GELU3)
		l.horner(dv, square, l.float(coef.GELU1))
	}
	l.mul(v, p)
	return v, dv
}

// normal returns Φ(-|x|) and exp(-x²/2), with |x| cut off where both are 0.
func (l *loop) normal(x vecs) (tail, e vecs) {
	a := l.fresh()
	for i := range a {
		l.form(l.word(magnitude), l.VANDPS, l.VANDPS_BCST)(l.word(magnitude), x[i], a[i])
	}
	l.most(a, l.float(coef.NormalMax))
	// a² is rounded; half of what is lost goes into the exponential later.
	square := l.product(a, a)
	lost := l.copy(a)
	for i := range lost {
		l.VFMSUB213PS(square[i], a[i], lost[i])
	}
	l.mul(lost, l.float(0.5))
	l.mul(square, l.float(-0.5))
	e = l.exp(square)
	l.subMul(e, e, lost)
	d := l.constant(coef.NormalScale)
	l.horner(d, a, l.float(1))
	t := l.constant(1)
	l.div(t, d)
	tail = l.constant(coef.Normal[len(coef.Normal)-1])
	for i := len(coef.Normal) - 2; i >= 0; i-- {
		l.horner(tail, t, l.float(coef.Normal[i]))
	}
	l.mul(tail, t)
	l.mul(tail, e)
	return tail, e
}

// normalUpTo returns Φ(x) for tail = Φ(-|x|).
func (l *loop) normalUpTo(x, tail vecs) vecs {
	p := l.difference(l.all(l.float(1)), tail)
	for i := range p {
		l.signed(x[i], tail[i], p[i], p[i])
	}
	return p
}
