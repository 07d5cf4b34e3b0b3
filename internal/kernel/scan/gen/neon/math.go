package main

import (
	"github.com/gophersnake/gophersnake/internal/kernel/arm64/asm"
	"github.com/gophersnake/gophersnake/internal/kernel/scan/spec"
)

// holdExp2 holds the constants of exp2; those that a copy is made of anyway
// are read from memory instead, unless there is room for them.
func (k *kernel) holdExp2(room bool) {
	k.Hold(eighthMagic, minEighth, maxEighth, seven, fourBytes, byteOrder, e3)
	if room {
		k.Hold(e1, e2)
	}
	k.eighths[0], k.eighths[1] = k.HoldTable([4]uint32(spec.Eighths[:4]), [4]uint32(spec.Eighths[4:]))
}

// exp2 is 2^(dt·a); see package spec. A NaN goes through f to the result.
func (k *kernel) exp2(dt, a asm.Vec) asm.Vec {
	f, t, p := k.Vec(), k.Vec(), k.Vec()
	k.FMul(f, dt, a)
	k.FAdd(t, f, k.Const(eighthMagic))
	k.FSub(p, t, k.Const(eighthMagic))
	k.FSub(f, f, p)
	k.Max(t, t, k.Const(minEighth))
	k.Min(t, t, k.Const(maxEighth))
	index := k.Vec()
	k.And(index, t, k.Const(seven))
	k.Mul(index, index, k.Const(fourBytes))
	k.Plus(index, index, k.Const(byteOrder))
	k.Lookup(index, k.eighths[0], k.eighths[1], index)
	k.ShiftLeft(t, t, 20)
	k.Plus(t, t, index) // 2^(k/8)
	q := k.horner([][4]uint32{e2, e1}, k.Const(e3), f)
	k.FMul(f, f, t)
	k.FMulAdd(t, f, q)
	return t
}

// horner is the polynomial in x that goes on from its value p so far.
func (k *kernel) horner(coefficients [][4]uint32, p, x asm.Vec) asm.Vec {
	for _, c := range coefficients {
		next := k.ConstCopy(c)
		k.FMulAdd(next, p, x)
		p = next
	}
	return p
}

// holdExpNegAbs holds the constants of expNegAbs and sigmoid.
func (k *kernel) holdExpNegAbs() {
	k.Hold(minExp, sign, roundMagic, log2e, ln2Hi, ln2Lo, one)
	k.Hold(floats(spec.ExpPoly[:])...)
}

// expNegAbs is e^-|x|.
func (k *kernel) expNegAbs(x asm.Vec) asm.Vec {
	v, n, square := k.Vec(), k.Vec(), k.Vec()
	k.Or(v, x, k.Const(sign))
	k.FMax(v, v, k.Const(minExp))
	t := k.ConstCopy(roundMagic)
	k.FMulAdd(t, v, k.Const(log2e))
	k.FSub(n, t, k.Const(roundMagic))
	k.FMulSub(v, n, k.Const(ln2Hi))
	k.FMulSub(v, n, k.Const(ln2Lo))
	c := floats(spec.ExpPoly[:])
	p := k.horner(c[1:], k.Const(c[0]), v)
	k.FMul(square, v, v)
	k.FAdd(v, v, k.Const(one))
	k.FMulAdd(v, p, square)
	k.ShiftLeft(t, t, 23)
	k.Plus(v, v, t)
	return v
}

// softplus is max(x, 0) + log1p(w) with w = e^-|x|.
func (k *kernel) softplus(x, w asm.Vec) asm.Vec {
	s, q, y := k.Vec(), k.Vec(), k.Vec()
	k.FAdd(s, w, k.Const(two))
	k.FDiv(s, w, s)
	k.FMul(q, s, s)
	c := floats(spec.AtanhPoly[:])
	p := k.horner(c[1:], k.Const(c[0]), q)
	k.FAdd(s, s, s)
	k.FMax(y, x, k.Const(zero))
	k.FMulAdd(y, s, p)
	return y
}

// sigmoid is σ(x) with w = e^-|x|: 1/(1+w), or w/(1+w) for negative x.
func (k *kernel) sigmoid(x, w asm.Vec) asm.Vec {
	r, negative, d := k.ConstCopy(one), k.Vec(), k.Vec()
	k.ShiftRight(negative, x, 31)
	k.Take(r, w, negative)
	k.FAdd(d, w, k.Const(one))
	k.FDiv(r, r, d)
	return r
}
