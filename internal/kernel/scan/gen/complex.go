package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/gophersnake/gophersnake/internal/kernel/scan/spec"
)

// The complex kernels run one state at a time: two planes of one state are as
// much work as four real states. See ../complex.go for the formulas.

// pair is a complex vector.
type pair struct{ re, im reg.VecVirtual }

func loadPair(re, im Op) pair { return pair{loaded(re), loaded(im)} }

func (p pair) store(re, im Mem) {
	VMOVUPS(p.re, re)
	VMOVUPS(p.im, im)
}

// cosSin is e^(2πi·turns), as the Go function of this name; turns is lost.
func cosSin(turns reg.VecVirtual) pair {
	x, k, n, y, s, c := turns, YMM(), YMM(), YMM(), YMM(), YMM()
	VMULPS(table.four, x, x)
	VADDPS(table.magic, x, k)
	VSUBPS(table.magic, k, n)
	VSUBPS(n, x, x)
	VMULPS(table.halfPi, x, x)
	VMULPS(x, x, y)
	VMOVUPS(table.sin[0], s)
	VFMADD213PS(table.sin[1], y, s)
	VFMADD213PS(table.sin[2], y, s)
	VMULPS(y, s, s)
	VFMADD213PS(x, x, s)
	VMOVUPS(table.cos[0], c)
	for _, m := range []Mem{table.cos[1], table.cos[2], table.minusHalf, table.one} {
		VFMADD213PS(m, y, c)
	}
	return quadrant(k, c, s)
}

// quadrant turns cos and sin of the rest by k quarters: odd k exchanges them;
// bit 1 of k+1 is the sign of cos, bit 1 of k that of sin.
func quadrant(k, c, s reg.VecVirtual) pair {
	odd, cos, sin, sign := YMM(), YMM(), YMM(), YMM()
	VPSLLD(Imm(31), k, odd)
	VBLENDVPS(odd, s, c, cos)
	VBLENDVPS(odd, c, s, sin)
	VPSLLD(Imm(30), k, sign)
	VPAND(table.sign, sign, sign)
	VXORPS(sign, sin, sin)
	VPSLLD(Imm(30), k, sign)
	VPXOR(odd, sign, sign) // bit 31: bit 1 of k, flipped when k is odd
	VPAND(table.sign, sign, sign)
	VXORPS(sign, cos, cos)
	return pair{cos, sin}
}

// complexDecay is exp(dt·a), a packed as log2(e) Re A and Im A / 2π.
func complexDecay(k exp2Regs, dt reg.VecVirtual, a pair) pair {
	turns := YMM()
	VMULPS(a.im, dt, turns)
	p := cosSin(turns)
	r := exp2(k, dt, a.re)
	VMULPS(r, p.re, p.re)
	VMULPS(r, p.im, p.im)
	return p
}

// advance is h = abar h + du b; b is lost.
func advance(h, abar, b pair, du reg.VecVirtual) {
	VMULPS(du, b.re, b.re)
	VMULPS(du, b.im, b.im)
	VFMADD231PS(abar.re, h.re, b.re)
	VFNMADD231PS(abar.im, h.im, b.re)
	VFMADD231PS(abar.re, h.im, b.im)
	VFMADD231PS(abar.im, h.re, b.im)
	VMOVAPS(b.re, h.re)
	VMOVAPS(b.im, h.im)
}

// output is y += 2 Re(c h); c is lost.
func output(y reg.VecVirtual, c, h pair) {
	VMULPS(h.re, c.re, c.re)
	VFNMADD231PS(h.im, c.im, c.re)
	VFMADD231PS(table.two, c.re, y)
}

// arrays are the pointers that a loop over the steps moves, by name; each
// moves by the parameter <name>Step, in bytes.
type arrays map[string]reg.GPVirtual

func loadArrays(names ...string) arrays {
	p := arrays{}
	for _, name := range names {
		p[name] = argument(name)
	}
	return p
}

func (p arrays) move(names []string, op func(by, r Op)) {
	for _, name := range names {
		op(slot(name+"Step"), p[name])
	}
}

// operand is the state's value of B or C at the step.
func (p arrays) operand(constant bool, re, im string) pair {
	return pair{element(constant, p[re], 0), element(constant, p[im], 0)}
}

// planes are the addresses of both planes of a state in a parameter of shape
// (2, states, 8); plane is the bytes of one plane.
func planes(name string, plane reg.GPVirtual) (re, im Mem) {
	p := argument(name)
	return pointer(p, 0), Mem{Base: p, Index: plane, Scale: 1}
}

// eachComplexState emits the loop over the states, and the function's end.
// vectors names the parameters that move by a vector from state to state, bs
// and cs those that move as B and C do.
func eachComplexState(v variant, vectors, bs, cs []string, body func(plane reg.GPVirtual)) {
	Label("states")
	plane := argument("plane")
	body(plane)
	for _, name := range vectors {
		ADDQ(Imm(vector), slot(name))
	}
	for _, name := range bs {
		ADDQ(Imm(uint64(stateBytes(v.constB))), slot(name))
	}
	for _, name := range cs {
		ADDQ(Imm(uint64(stateBytes(v.constC))), slot(name))
	}
	DECQ(slot("states"))
	JNZ(LabelRef("states"))
	finish()
}

func complexForward(v variant) {
	function("Complex"+v.String(),
		"func(steps int, frame *float32, states int, a, h, b, bIm, c, cIm *float32, bStep, bImStep, cStep, cImStep, plane int)",
		"runs h = Ā h + Δu b and field Y += 2 Re(c h) over the chunk, complex; steps and plane in bytes.")
	moving := []string{"b", "bIm", "c", "cIm"}
	k := loadExp2Regs()
	eachComplexState(v, []string{"a", "h"}, moving[:2], moving[2:], func(plane reg.GPVirtual) {
		frame, steps, p := argument("frame"), argument("steps"), loadArrays(moving...)
		a := loadPair(planes("a", plane))
		hRe, hIm := planes("h", plane)
		h := loadPair(hRe, hIm)
		Label("steps")
		dt, du := loaded(field(frame, spec.Dt)), loaded(field(frame, spec.DtU))
		advance(h, complexDecay(k, dt, a), p.operand(v.constB, "b", "bIm"), du)
		y := loaded(field(frame, spec.Y))
		output(y, p.operand(v.constC, "c", "cIm"), h)
		VMOVUPS(y, field(frame, spec.Y))
		p.move(moving, ADDQ)
		ADDQ(U32(rowBytes), frame)
		DECQ(steps)
		JNZ(LabelRef("steps"))
		h.store(hRe, hIm)
	})
}

// tmpPairs is Ā and h_{t−1} of one state and step in bytes.
const tmpPairs = 4 * vector

func complexBackward(v variant) {
	function("ComplexBack"+v.String(),
		"func(steps int, frame *float32, states int, a, h, carry, da, b, bIm, c, cIm, db, dbIm, dc, dcIm *float32, bStep, bImStep, cStep, cImStep, dbStep, dbImStep, dcStep, dcImStep int, tmp *float32, plane int)",
		"is the adjoint of avx2Complex"+v.String()+" over the chunk; steps and plane in bytes.")
	vectors := []string{"a", "h", "carry", "da", "db", "dbIm", "dc", "dcIm"}
	eachComplexState(v, vectors, []string{"b", "bIm"}, []string{"c", "cIm"}, func(plane reg.GPVirtual) {
		moving := []string{"b", "bIm", "c", "cIm", "db", "dbIm", "dc", "dcIm"}
		frame, tmp, p := argument("frame"), argument("tmp"), loadArrays(moving...)
		complexRecompute(v, plane, frame, tmp, p, moving)
		complexReverse(v, plane, frame, tmp, p, moving)
	})
}

// complexRecompute emits the forward half of a state: field Y and dc.
func complexRecompute(v variant, plane, frame, tmp reg.GPVirtual, p arrays, moving []string) {
	k, steps := loadExp2Regs(), argument("steps")
	a, h := loadPair(planes("a", plane)), loadPair(planes("h", plane))
	Label("recompute")
	abar := complexDecay(k, loaded(field(frame, spec.Dt)), a)
	abar.store(pointer(tmp, 0), pointer(tmp, vector))
	h.store(pointer(tmp, 2*vector), pointer(tmp, 3*vector))
	advance(h, abar, p.operand(v.constB, "b", "bIm"), loaded(field(frame, spec.DtU)))
	y := loaded(field(frame, spec.Y))
	output(y, p.operand(v.constC, "c", "cIm"), h)
	VMOVUPS(y, field(frame, spec.Y))
	g := loaded(field(frame, spec.G))
	VADDPS(g, g, g)
	dc := loadPair(pointer(p["dc"], 0), pointer(p["dcIm"], 0))
	VFMADD231PS(g, h.re, dc.re)
	VFNMADD231PS(g, h.im, dc.im)
	dc.store(pointer(p["dc"], 0), pointer(p["dcIm"], 0))
	p.move(moving, ADDQ)
	ADDQ(U32(rowBytes), frame)
	ADDQ(U32(tmpPairs), tmp)
	DECQ(steps)
	JNZ(LabelRef("recompute"))
}

// complexReverse emits the adjoint half of a state, from one step past the last.
func complexReverse(v variant, plane, frame, tmp reg.GPVirtual, p arrays, moving []string) {
	steps := argument("steps")
	carryRe, carryIm := planes("carry", plane)
	daRe, daIm := planes("da", plane)
	x, da, a := loadPair(carryRe, carryIm), loadPair(daRe, daIm), loadPair(planes("a", plane))
	VMULPS(table.turn, a.im, a.im) // both planes as A log2(e), the unit of Sd
	Label("reverse")
	p.move(moving, SUBQ)
	SUBQ(U32(rowBytes), frame)
	SUBQ(U32(tmpPairs), tmp)
	g := loaded(field(frame, spec.G))
	VADDPS(g, g, g)
	c := p.operand(v.constC, "c", "cIm")
	VFMADD231PS(g, c.re, x.re)
	VFNMADD231PS(g, c.im, x.im)
	du := loaded(field(frame, spec.DtU))
	db := loadPair(pointer(p["db"], 0), pointer(p["dbIm"], 0))
	VFMADD231PS(du, x.re, db.re)
	VFMADD231PS(du, x.im, db.im)
	db.store(pointer(p["db"], 0), pointer(p["dbIm"], 0))
	b, sx := p.operand(v.constB, "b", "bIm"), loaded(field(frame, spec.Sx))
	VFMADD231PS(b.re, x.re, sx)
	VFMADD231PS(b.im, x.im, sx)
	VMOVUPS(sx, field(frame, spec.Sx))
	x = conjTimes(loadPair(pointer(tmp, 0), pointer(tmp, vector)), x)
	s := timesConj(x, loadPair(pointer(tmp, 2*vector), pointer(tmp, 3*vector)))
	dt, sd := loaded(field(frame, spec.Dt)), loaded(field(frame, spec.Sd))
	VFMADD231PS(dt, s.re, da.re)
	VFMADD231PS(dt, s.im, da.im)
	VFMADD231PS(a.re, s.re, sd)
	VFMADD231PS(a.im, s.im, sd)
	VMOVUPS(sd, field(frame, spec.Sd))
	DECQ(steps)
	JNZ(LabelRef("reverse"))
	x.store(carryRe, carryIm)
	da.store(daRe, daIm)
}

// conjTimes is x = conj(abar) x, in x's registers.
func conjTimes(abar, x pair) pair {
	im := YMM()
	VMULPS(abar.im, x.re, im)
	VMULPS(abar.re, x.re, x.re)
	VFMADD231PS(abar.im, x.im, x.re)
	VFMSUB132PS(abar.re, im, x.im)
	return x
}

// timesConj is x conj(h); h is lost.
func timesConj(x, h pair) pair {
	s := pair{YMM(), YMM()}
	VMULPS(h.re, x.re, s.re)
	VFMADD231PS(h.im, x.im, s.re)
	VMULPS(h.re, x.im, s.im)
	VFNMADD231PS(h.im, x.re, s.im)
	return s
}
