package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// exp2Regs are the constants of exp2 that stay in registers in the scan loops,
// as many as fit beside four states; the clamps are read from memory.
type exp2Regs struct {
	magic, eighths, e1, e2, e3 reg.VecVirtual
	near                       bool // use exp2Near
}

func (r exp2Regs) exp2(dt reg.VecVirtual, a Op) reg.VecVirtual {
	if r.near {
		return exp2Near(r, dt, a)
	}
	return exp2(r, dt, a)
}

func loadExp2Regs() exp2Regs {
	hold(table.minEighth, table.maxEighth)
	if wide {
		hold(table.eighthMagic, table.eighths, table.e1, table.e2, table.e3)
		return exp2Regs{held[table.eighthMagic], held[table.eighths], held[table.e1], held[table.e2], held[table.e3], false}
	}
	return exp2Regs{loaded(table.eighthMagic), loaded(table.eighths), loaded(table.e1), loaded(table.e2), loaded(table.e3), false}
}

// exp2 is 2^(dt·a); see package spec. A NaN goes through f to the result.
func exp2(r exp2Regs, dt reg.VecVirtual, a Op) reg.VecVirtual {
	f, k, p := vec(), vec(), vec()
	VMULPS(a, dt, f)
	VADDPS(r.magic, f, k)
	VSUBPS(r.magic, k, p)
	VSUBPS(p, f, f)
	VPMAXSD(c(table.minEighth), k, k)
	VPMINSD(c(table.maxEighth), k, k)
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

// exp2Near is exp2 where |dt·a| is at most spec.NearExp2, with the same bits
// there: nothing needs a clamp, and VREDUCEPS takes the eighths away exactly.
func exp2Near(r exp2Regs, dt reg.VecVirtual, a Op) reg.VecVirtual {
	f, k, p := ZMM(), ZMM(), ZMM()
	VMULPS(a, dt, f)
	VADDPS(r.magic, f, k)
	VREDUCEPS(Imm(0x38), f, f) // 3 bits of fraction, to nearest even
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
	v, t, k, p := vec(), vec(), vec(), vec()
	lo := inRegister(table.minExp)
	VORPS(c(table.sign), x, v)
	VMAXPS(v, lo, v)
	VMOVUPS(c(table.magic), t)
	VFMADD231PS(c(table.log2e), v, t)
	VSUBPS(c(table.magic), t, k)
	VFNMADD231PS(c(table.ln2Hi), k, v)
	VFNMADD231PS(c(table.ln2Lo), k, v)
	VMOVUPS(c(table.exp[0]), p)
	for _, m := range table.exp[1:] {
		VFMADD213PS(c(m), v, p)
	}
	sq := vec()
	VMULPS(v, v, sq)
	VADDPS(c(table.one), v, v)
	VFMADD213PS(v, sq, p)
	VPSLLD(Imm(23), t, t)
	VPADDD(t, p, p)
	return p
}

// softplus is max(x, 0) + log1p(w) with w = e^-|x|.
func softplus(x, w reg.VecVirtual) reg.VecVirtual {
	s, q, p, zero := vec(), vec(), vec(), zeroed()
	VADDPS(c(table.two), w, s)
	VDIVPS(s, w, s)
	VMULPS(s, s, q)
	VMOVUPS(c(table.atanh[0]), p)
	for _, m := range table.atanh[1:] {
		VFMADD213PS(c(m), q, p)
	}
	VADDPS(s, s, s)
	VMAXPS(x, zero, q)
	VFMADD213PS(q, s, p)
	return p
}

// sigmoid is σ(x) with w = e^-|x|: 1/(1+w), or w/(1+w) for negative x.
func sigmoid(x, w reg.VecVirtual) reg.VecVirtual {
	r, neg := loaded(c(table.one)), vec()
	VADDPS(r, w, neg)
	VDIVPS(neg, r, r)
	if wide {
		negative := K()
		VPMOVD2M(x, negative)
		VMULPS(w, r, negative, r)
		return r
	}
	VMULPS(w, r, neg)
	VBLENDVPS(x, neg, r, r)
	return r
}
