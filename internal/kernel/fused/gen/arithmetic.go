package main

import (
	"log"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// constant returns new registers filled with a constant, zeros new registers
// of zeros.
func (l *loop) constant(c float32) vecs {
	v := l.fresh()
	for i := range v {
		l.VMOVUPS(l.float(c), v[i])
	}
	return v
}

func (l *loop) zeros() vecs {
	v := make(vecs, l.width)
	for i := range v {
		v[i] = l.zero()
	}
	return v
}

// op returns the right operand of an instruction for vector i: a constant in
// memory, one register, or one register for each vector.
func op(x any, i int) operand.Op {
	switch x := x.(type) {
	case vecs:
		return x[i]
	case reg.VecVirtual:
		return x
	case operand.Mem:
		return x
	}
	log.Fatalf("gen: %T is no operand", x)
	return nil
}

// The arithmetic, in place: the first argument is changed.

func (l *loop) add(v vecs, x any) { // v += x
	for i := range v {
		l.VADDPS(op(x, i), v[i], v[i])
	}
}

func (l *loop) sub(v vecs, x any) { // v -= x
	for i := range v {
		l.VSUBPS(op(x, i), v[i], v[i])
	}
}

func (l *loop) mul(v vecs, x any) { // v *= x
	for i := range v {
		l.VMULPS(op(x, i), v[i], v[i])
	}
}

func (l *loop) div(v vecs, x any) { // v /= x
	for i := range v {
		l.VDIVPS(op(x, i), v[i], v[i])
	}
}

func (l *loop) horner(v, x vecs, c any) { // v = v·x + c
	for i := range v {
		l.VFMADD213PS(op(c, i), x[i], v[i])
	}
}

func (l *loop) addMul(v, x vecs, y any) { // v += x·y
	for i := range v {
		l.VFMADD231PS(op(y, i), x[i], v[i])
	}
}

func (l *loop) subMul(v, x vecs, y any) { // v -= x·y
	for i := range v {
		l.VFNMADD231PS(op(y, i), x[i], v[i])
	}
}

// product returns x·y in new registers, sum x+y, difference x-y.
func (l *loop) product(x vecs, y any) vecs {
	v := l.fresh()
	for i := range v {
		l.VMULPS(op(y, i), x[i], v[i])
	}
	return v
}

func (l *loop) sum(x vecs, y any) vecs {
	v := l.fresh()
	for i := range v {
		l.VADDPS(op(y, i), x[i], v[i])
	}
	return v
}

func (l *loop) difference(x vecs, y any) vecs {
	v := l.fresh()
	for i := range v {
		l.VSUBPS(op(y, i), x[i], v[i])
	}
	return v
}

// most caps v at limit and least floors it; NaN stays NaN, which is why v is
// the instruction's second source.
func (l *loop) most(v vecs, limit float32) {
	bound := l.vector()
	l.VMOVUPS(l.float(limit), bound)
	for i := range v {
		l.VMINPS(v[i], bound, v[i])
	}
}

func (l *loop) least(v vecs, limit float32) {
	bound := l.vector()
	l.VMOVUPS(l.float(limit), bound)
	for i := range v {
		l.VMAXPS(v[i], bound, v[i])
	}
}

// negativeOf returns e where x is negative, 1 elsewhere.
func (l *loop) negativeOf(x, e vecs) vecs {
	v := l.constant(1)
	for i := range v {
		if l.wide() {
			negative := l.K()
			l.VPMOVD2M(x[i], negative)
			l.VMOVAPS(e[i], negative, v[i])
		} else {
			l.VBLENDVPS(x[i], e[i], v[i], v[i])
		}
	}
	return v
}
