package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// exp2Regs are the constants of exp2 that stay in registers in the scan loops,
// as many as fit beside four states; the clamps are read from memory.
type exp2Regs struct{ magic, eighths, e1, e2, e3 reg.VecVirtual }

func loadExp2Regs() exp2Regs {
	return exp2Regs{loaded(table.eighthMagic), loaded(table.eighths), loaded(table.e1), loaded(table.e2), loaded(table.e3)}
}

// exp2 is 2^(dt·a); see package spec. A NaN goes through f to the result.
func exp2(r exp2Regs, dt reg.VecVirtual, a Op) reg.VecVirtual {
	f, k, p := YMM(), YMM(), YMM()
	VMULPS(a, dt, f)
	VADDPS(r.magic, f, k)
	VSUBPS(r.magic, k, p)
	VSUBPS(p, f, f)
	VPMAXSD(table.minEighth, k, k)
	VPMINSD(table.maxEighth, k, k)
	VPERMPS(r.eighths, k, p)
	VPSLLD(Imm(20), k, k)
	VPADDD(p, k, k) // 2^(k/8)
	VMOVAPS(r.e3, p)
	VFMADD213PS(r.e2, f, p)
	VFMADD213PS(r.e1, f, p)
	VMULPS(k, f, f)
	VFMADD231PS(f, p, k)
	return k
}

// expNegAbs is e^-|x|.
func expNegAbs(x reg.VecVirtual) reg.VecVirtual {
	v, t, k, p := YMM(), YMM(), YMM(), YMM()
	lo := loaded(table.minExp)
	VORPS(table.sign, x, v)
	VMAXPS(v, lo, v)
	VMOVUPS(table.magic, t)
	VFMADD231PS(table.log2e, v, t)
	VSUBPS(table.magic, t, k)
	VFNMADD231PS(table.ln2Hi, k, v)
	VFNMADD231PS(table.ln2Lo, k, v)
	VMOVUPS(table.exp[0], p)
	for _, c := range table.exp[1:] {
		VFMADD213PS(c, v, p)
	}
	sq := YMM()
	VMULPS(v, v, sq)
	VADDPS(table.one, v, v)
	VFMADD213PS(v, sq, p)
	VPSLLD(Imm(23), t, t)
	VPADDD(t, p, p)
	return p
}

// softplus is max(x, 0) + log1p(w) with w = e^-|x|.
func softplus(x, w reg.VecVirtual) reg.VecVirtual {
	s, q, p, zero := YMM(), YMM(), YMM(), zeroed()
	VADDPS(table.two, w, s)
	VDIVPS(s, w, s)
	VMULPS(s, s, q)
	VMOVUPS(table.atanh[0], p)
	for _, c := range table.atanh[1:] {
		VFMADD213PS(c, q, p)
	}
	VADDPS(s, s, s)
	VMAXPS(x, zero, q)
	VFMADD213PS(q, s, p)
	return p
}

// sigmoid is σ(x) with w = e^-|x|: 1/(1+w), or w/(1+w) for negative x.
func sigmoid(x, w reg.VecVirtual) reg.VecVirtual {
	r, neg := loaded(table.one), YMM()
	VADDPS(r, w, neg)
	VDIVPS(neg, r, r)
	VMULPS(w, r, neg)
	VBLENDVPS(x, neg, r, r)
	return r
}
