package main

import (
	"github.com/gophersnake/gophersnake/internal/kernel/arm64/asm"
	"github.com/gophersnake/gophersnake/internal/kernel/vec/coef"
)

const mantissa = 23 // bits

var (
	signBit = asm.Repeat(0x80000000)
	oneBits = asm.Float(1)
)

// holdExp keeps the constants of exp in registers.
func (l *loop) holdExp() {
	l.holdFloats(coef.Log2E, coef.Round, coef.Ln2Hi, coef.Ln2Lo, coef.ExpMin, coef.Exp6, 1)
	l.Hold(signBit)
}

// reduce splits x, within coef.ExpMin and coef.ExpMax, into n and r with
// x = n·ln 2 + r. It changes x into r and returns n, in the low bits of a
// float of size coef.Round.
func (l *loop) reduce(x asm.Vec) (n asm.Vec) {
	n, whole := l.ConstCopy(asm.Float(coef.Round)), l.Vec()
	l.FMulAdd(n, x, l.float(coef.Log2E))
	l.FSub(whole, n, l.float(coef.Round))
	l.FMulSub(x, whole, l.float(coef.Ln2Hi))
	l.FMulSub(x, whole, l.float(coef.Ln2Lo))
	return n
}

// expTail returns (exp(r) - 1 - r) / r².
func (l *loop) expTail(r asm.Vec) asm.Vec {
	return l.horner(r, coef.Exp2, coef.Exp3, coef.Exp4, coef.Exp5, coef.Exp6)
}

// exp returns exp(x) and destroys x, which must not be above coef.ExpMax. 2ⁿ
// is multiplied in two halves, so that the result may overflow or be
// denormal.
func (l *loop) exp(x asm.Vec) asm.Vec {
	l.FMax(x, x, l.float(coef.ExpMin))
	n := l.reduce(x)
	p := l.horner(x, 1, 1, coef.Exp2, coef.Exp3, coef.Exp4, coef.Exp5, coef.Exp6)
	l.ShiftRight(x, n, 1) // x is free: it takes floor(n/2), n the rest
	l.Minus(n, n, x)
	for _, half := range []asm.Vec{x, n} {
		l.power(half)
		l.FMul(p, p, half)
	}
	return p
}

// power turns integers in the low bits, -126 … 127, into powers of two.
func (l *loop) power(n asm.Vec) {
	l.ShiftLeft(n, n, mantissa)
	l.Plus(n, n, l.Const(oneBits))
}

// expMinus returns exp(-|x|) and keeps x.
func (l *loop) expMinus(x asm.Vec) asm.Vec {
	e := l.Vec()
	l.Or(e, x, l.Const(signBit))
	return l.exp(e)
}

// signed returns x where s has its sign bit set, and y elsewhere.
func (l *loop) signed(s, x, y asm.Vec) asm.Vec {
	r, mask := l.Copy(y), l.Vec()
	l.ShiftRight(mask, s, 31)
	l.Take(r, x, mask)
	return r
}

// sigmoidParts returns sigmoid(x) = upper / lower for e = exp(-|x|): upper is
// 1 for x >= 0 and e below, lower is 1 + e. Both are accurate for any x.
func (l *loop) sigmoidParts(x, e asm.Vec) (upper, lower asm.Vec) {
	upper = l.signed(x, e, l.float(1))
	l.FAdd(e, e, l.float(1))
	return upper, e
}

// sigmoid returns sigmoid(x).
func (l *loop) sigmoid(x asm.Vec) asm.Vec {
	s, d := l.sigmoidParts(x, l.expMinus(x))
	l.FDiv(s, s, d)
	return s
}

// silu returns x·sigmoid(x).
func (l *loop) silu(x asm.Vec) asm.Vec {
	s, d := l.sigmoidParts(x, l.expMinus(x))
	l.FMul(s, s, x)
	l.FDiv(s, s, d)
	return s
}

// sigmoidSlope returns sigmoid(x) and its derivative e/(1+e)² for e =
// exp(-|x|), which is destroyed.
func (l *loop) sigmoidSlope(x, e asm.Vec) (s, slope asm.Vec) {
	one, inverse := l.float(1), l.Vec()
	l.FAdd(inverse, e, one)
	l.FDiv(inverse, one, inverse)
	s = l.signed(x, e, one)
	l.FMul(s, s, inverse)
	l.FMul(e, e, inverse)
	l.FMul(e, e, inverse)
	return s, e
}

// log1p returns log(1+e) for 0 <= e <= 1 and destroys e.
func (l *loop) log1p(e asm.Vec) asm.Vec {
	square := l.Vec()
	l.FDiv(e, e, l.horner(e, 1, .5))
	l.FMul(square, e, e)
	p := l.horner(square, 1, coef.Log1, coef.Log2, coef.Log3, coef.Log4)
	l.FMul(p, p, e)
	return p
}

// tanh returns tanh(x) = sign(x)·u/(u+2), where u = exp(2|x|) - 1 is
// 2ⁿ·(exp(r)-1) + (2ⁿ-1), accurate also for small x.
func (l *loop) tanh(x asm.Vec) asm.Vec {
	y, u, d := l.Vec(), l.Vec(), l.Vec()
	l.FAbs(y, x)
	l.FAdd(y, y, y)
	l.FMin(y, y, l.float(coef.TanhMax))
	n, tail := l.reduce(y), l.expTail(y)
	l.FMul(tail, tail, y)
	l.FMulAdd(y, tail, y) // exp(r) - 1
	l.power(n)
	l.FSub(u, n, l.float(1))
	l.FMulAdd(u, y, n)
	l.FAdd(d, u, l.float(2))
	l.FDiv(u, u, d)
	l.And(d, x, l.Const(signBit))
	l.Or(u, u, d)
	return u
}

// cut returns x limited to ±limit; NaN stays NaN.
func (l *loop) cut(x asm.Vec, limit float32) asm.Vec {
	v := l.Vec()
	l.FMin(v, x, l.float(limit))
	l.FMax(v, v, l.float(-limit))
	return v
}

// geluArgument returns v(x) = x·(GELU1 + GELU3·x²) with x cut off where it no
// longer matters, and dv/dx.
func (l *loop) geluArgument(x asm.Vec) (v, dv asm.Vec) {
	v, square := l.cut(x, coef.GELUMax), l.Vec()
	l.FMul(square, v, v)
	dv = l.horner(square, coef.GELU1, 3*coef.GELU3)
	l.FMul(v, v, l.horner(square, coef.GELU1, coef.GELU3))
	return v, dv
}

// normal returns Φ(-|x|) and exp(-x²/2), with |x| cut off where both are 0.
func (l *loop) normal(x asm.Vec) (tail, e asm.Vec) {
	a, square, half, lost := l.Vec(), l.Vec(), l.Vec(), l.Vec()
	l.FAbs(a, x)
	l.FMin(a, a, l.float(coef.NormalMax))
	// a² is rounded; half of what is lost goes into the exponential later.
	l.FMul(square, a, a)
	l.FNeg(lost, square)
	l.FMulAdd(lost, a, a)
	l.FMul(lost, lost, l.float(.5))
	l.FMul(half, square, l.float(-.5))
	e = l.exp(half)
	l.FMulSub(e, e, lost)
	t := l.Vec()
	l.FDiv(t, l.float(1), l.horner(a, 1, coef.NormalScale))
	tail = l.horner(t, coef.Normal[:]...)
	l.FMul(tail, tail, t)
	l.FMul(tail, tail, e)
	return tail, e
}

// normalUpTo returns Φ(x) for tail = Φ(-|x|).
func (l *loop) normalUpTo(x, tail asm.Vec) asm.Vec {
	rest := l.Vec()
	l.FSub(rest, l.float(1), tail)
	return l.signed(x, tail, rest)
}
