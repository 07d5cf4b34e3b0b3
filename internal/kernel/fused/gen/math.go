package main

import (
	"github.com/mmcloughlin/avo/operand"

	"github.com/gophersnake/gophersnake/internal/kernel/vec/coef"
)

// The functions of one element, instruction for instruction as in package vec,
// so that the results have the same bits.

const (
	signBit   = 0x80000000
	magnitude = 0x7fffffff
	oneBits   = 0x3f800000 // float32(1)
	mantissa  = 23         // bits
)

// reduce splits x into n and r with x = n·ln 2 + r. It changes x into r and
// returns n twice: in the low bits of a float of size coef.Round, and whole.
func (l *loop) reduce(x vecs) (n, whole vecs) {
	n = l.constant(coef.Log2E)
	l.horner(n, x, l.float(coef.Round))
	whole = l.difference(n, l.float(coef.Round))
	l.subMul(x, whole, l.float(coef.Ln2Hi))
	l.subMul(x, whole, l.float(coef.Ln2Lo))
	return n, whole
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
// is multiplied in two halves, so that the result may overflow or be denormal.
// Only the second of these products is rounded, so AVX-512's one instruction
// for p·2ⁿ gives the same bits.
func (l *loop) exp(x vecs) vecs {
	l.least(x, coef.ExpMin)
	n, whole := l.reduce(x)
	p := l.expTail(x)
	l.horner(p, x, l.float(1))
	l.horner(p, x, l.float(1))
	if l.wide() {
		for i := range p {
			l.VSCALEFPS(whole[i], p[i], p[i])
		}
		return p
	}
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
		l.VPADDD(l.word(oneBits), n[i], n[i])
	}
}

// expMinus returns exp(-|x|) and keeps x.
func (l *loop) expMinus(x vecs) vecs {
	e := l.fresh()
	for i := range e {
		l.VORPS(l.word(signBit), x[i], e[i])
	}
	return l.exp(e)
}

// sigmoidParts returns sigmoid(x) = upper / lower, both accurate for any x.
func (l *loop) sigmoidParts(x vecs) (upper, lower vecs) {
	e := l.expMinus(x)
	upper = l.negativeOf(x, e)
	l.add(e, l.float(1))
	return upper, e
}

func (l *loop) sigmoid(x vecs) vecs {
	upper, lower := l.sigmoidParts(x)
	l.div(upper, lower)
	return upper
}

// silu returns x·sigmoid(x).
func (l *loop) silu(x vecs) vecs {
	upper, lower := l.sigmoidParts(x)
	l.mul(upper, x)
	l.div(upper, lower)
	return upper
}

// siluSlope returns the derivative of silu.
func (l *loop) siluSlope(x vecs) vecs {
	e := l.expMinus(x)
	s, inverse := l.negativeOf(x, e), l.constant(1)
	l.div(inverse, l.sum(e, l.float(1)))
	l.mul(s, inverse)
	l.mul(e, inverse)
	l.mul(e, inverse)
	l.addMul(s, e, x)
	return s
}

// tanh returns tanh(x) = sign(x)·u/(u+2), where u = exp(2|x|) - 1 is
// 2ⁿ·(exp(r)-1) + (2ⁿ-1), accurate also for small x.
func (l *loop) tanh(x vecs) vecs {
	y := l.fresh()
	for i := range y {
		l.VANDPS(l.word(magnitude), x[i], y[i])
	}
	l.add(y, y)
	l.most(y, coef.TanhMax)
	n, _ := l.reduce(y)
	u := l.expTail(y)
	l.mul(u, y)
	l.horner(u, y, y) // exp(r) - 1
	l.power(n)
	less := l.difference(n, l.float(1))
	l.horner(u, n, less)
	d := l.sum(u, l.float(2))
	l.div(u, d)
	for i := range d {
		l.VANDPS(l.word(signBit), x[i], d[i])
		l.VORPS(d[i], u[i], u[i])
	}
	return u
}

// sigmoidGrad returns dy·y·(1-y), tanhGrad dy·(1-y²), each as the sum of that
// and start.
func (l *loop) sigmoidGrad(start, y, dy vecs) vecs {
	slope := l.difference(l.constant(1), y)
	l.mul(slope, y)
	l.addMul(start, slope, dy)
	return start
}

func (l *loop) tanhGrad(start, y, dy vecs) vecs {
	slope := l.constant(1)
	l.subMul(slope, y, y)
	l.addMul(start, slope, dy)
	return start
}
