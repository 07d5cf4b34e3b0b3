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

// holdCosSin holds the constants of cosSin but for its polynomials'.
func holdCosSin() { hold(table.four, table.magic, table.halfPi, table.sign, table.two) }

// start is a fresh register with a constant that need not be held.
func start(m Mem) reg.VecVirtual {
	if !wide {
		return loaded(m)
	}
	r := ZMM()
	VBROADCASTSS(m, r)
	return r
}

// horner is p = p·x + m with a constant that need not be held.
func horner(m Mem, x, p reg.VecVirtual) {
	if wide {
		VFMADD213PS_BCST(m, x, p)
	} else {
		VFMADD213PS(m, x, p)
	}
}

// cosSin is e^(2πi·turns), as the Go function of this name; turns is lost.
func cosSin(turns reg.VecVirtual) pair {
	x, k, n, y := turns, vec(), vec(), vec()
	VMULPS(c(table.four), x, x)
	VADDPS(c(table.magic), x, k)
	VSUBPS(c(table.magic), k, n)
	VSUBPS(n, x, x)
	VMULPS(c(table.halfPi), x, x)
	VMULPS(x, x, y)
	s := start(table.sin[0])
	horner(table.sin[1], y, s)
	horner(table.sin[2], y, s)
	VMULPS(y, s, s)
	VFMADD213PS(x, x, s)
	e := start(table.cos[0])
	for _, m := range []Mem{table.cos[1], table.cos[2], table.minusHalf, table.one} {
		horner(m, y, e)
	}
	if wide {
		return wideQuadrant(k, e, s)
	}
	return quadrant(k, e, s)
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

// wideQuadrant is quadrant with AVX-512; k is lost.
func wideQuadrant(k, c, s reg.VecVirtual) pair {
	odd, cos, sin, sign, mask := K(), ZMM(), ZMM(), ZMM(), inRegister(table.sign)
	VPSLLD(Imm(31), k, sign)
	VPMOVD2M(sign, odd)
	VBLENDMPS(s, c, odd, cos)
	VBLENDMPS(c, s, odd, sin)
	VPSLLD(Imm(30), k, k)
	VPXORD(k, sign, sign) // bit 31: bit 1 of k, flipped when k is odd
	VPANDD(mask, k, k)
	VPANDD(mask, sign, sign)
	VXORPS(k, sin, sin)
	VXORPS(sign, cos, cos)
	return pair{cos, sin}
}

// complexDecay is exp(dt·a), a packed as log2(e) Re A and Im A / 2π.
func complexDecay(k exp2Regs, dt reg.VecVirtual, a pair) pair {
	turns := vec()
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

// output is y += 2 Re(ct h); ct is lost.
func output(y reg.VecVirtual, ct, h pair) {
	VMULPS(h.re, ct.re, ct.re)
	VFNMADD231PS(h.im, ct.im, ct.re)
	VFMADD231PS(c(table.two), ct.re, y)
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
	if wide {
		return pair{wideElement(constant, p[re], 0, p["group"]), wideElement(constant, p[im], 0, p["group"])}
	}
	return pair{element(constant, p[re], 0), element(constant, p[im], 0)}
}

// planes are the addresses of both planes of a state in a parameter of shape
// (2, states, 8); plane is the bytes of one plane.
func planes(name string) (re, im Mem) {
	p, plane := argument(name), argument("plane")
	ADDQ(p, plane)
	return pointer(p, 0), pointer(plane, 0)
}

// loadPlanes is the state's value of such a parameter.
func (p arrays) loadPlanes(name string) pair {
	re, im := planes(name)
	if wide {
		return pair{pairLoaded(re.Base, 0, p["group"]), pairLoaded(im.Base, 0, p["group"])}
	}
	return loadPair(re, im)
}

func (p arrays) storePlanes(x pair, name string) {
	re, im := planes(name)
	if wide {
		pairStored(x.re, re.Base, 0, p["group"])
		pairStored(x.im, im.Base, 0, p["group"])
		return
	}
	x.store(re, im)
}

// eachComplexState emits the loop over the states, and the function's end.
// vectors names the parameters that move by a vector from state to state, bs
// and cs those that move as B and C do.
func eachComplexState(v spec.Variant, vectors, bs, cs []string, body func()) {
	Label("states")
	body()
	for _, name := range vectors {
		ADDQ(Imm(vector), slot(name))
	}
	for _, name := range bs {
		ADDQ(Imm(uint64(stateBytes(v.ConstB))), slot(name))
	}
	for _, name := range cs {
		ADDQ(Imm(uint64(stateBytes(v.ConstC))), slot(name))
	}
	DECQ(slot("states"))
	JNZ(LabelRef("states"))
	finish()
}

// complexes emits the complex kernels.
func complexes() {
	for i := range 4 {
		v := spec.Variant{ConstB: i&1 != 0, ConstC: i&2 != 0}
		complexForward(v)
		complexBackward(v)
	}
}

// complexFunction starts a complex kernel, whose last parameter is, in a wide
// one, the bytes from group to group.
func complexFunction(name, parameters, doc string) {
	if wide {
		function(name, "func("+parameters+", plane, group int)", "is avx2"+name+" of a pair; group is the bytes from group to group.")
		return
	}
	function(name, "func("+parameters+", plane int)", doc)
}

// loadComplexArrays are the moving pointers and, in a wide kernel, group.
func loadComplexArrays(moving []string) arrays {
	p := loadArrays(moving...)
	if wide {
		p["group"] = argument("group")
	}
	return p
}

func complexForward(v spec.Variant) {
	complexFunction("Complex"+v.String(),
		"steps int, frame *float32, states int, a, h, b, bIm, c, cIm *float32, bStep, bImStep, cStep, cImStep",
		"runs h = Ā h + Δu b and field Y += 2 Re(c h) over the chunk, complex; steps and plane in bytes.")
	moving := []string{"b", "bIm", "c", "cIm"}
	k := loadExp2Regs()
	holdCosSin()
	eachComplexState(v, []string{"a", "h"}, moving[:2], moving[2:], func() {
		frame, steps, p := argument("frame"), argument("steps"), loadComplexArrays(moving)
		a, h := p.loadPlanes("a"), p.loadPlanes("h")
		Label("steps")
		dt, du := loaded(field(frame, spec.Dt)), loaded(field(frame, spec.DtU))
		advance(h, complexDecay(k, dt, a), p.operand(v.ConstB, "b", "bIm"), du)
		y := loaded(field(frame, spec.Y))
		output(y, p.operand(v.ConstC, "c", "cIm"), h)
		VMOVUPS(y, field(frame, spec.Y))
		p.move(moving, ADDQ)
		ADDQ(U32(rowBytes()), frame)
		DECQ(steps)
		JNZ(LabelRef("steps"))
		p.storePlanes(h, "h")
	})
}

// registerBytes is the bytes of a register.
func registerBytes() int { return fieldBytes() * spec.Lanes }

// tmpPairs is Ā and h_{t−1} of one state and step in bytes.
func tmpPairs() int { return 4 * registerBytes() }

// addComplex adds g·x, with sub VFNMADD231PS g·conj(x), to the sums at re and im.
func (p arrays) addComplex(constant bool, g reg.VecVirtual, x pair, sub func(ops ...Op), re, im string) {
	for _, s := range []struct {
		op func(ops ...Op)
		x  reg.VecVirtual
		at reg.Register
	}{{VFMADD231PS, x.re, p[re]}, {sub, x.im, p[im]}} {
		switch {
		case !wide:
			sum := loaded(pointer(s.at, 0))
			s.op(g, s.x, sum)
			VMOVUPS(sum, pointer(s.at, 0))
		case constant:
			sum := pairLoaded(s.at, 0, p["group"])
			s.op(g, s.x, sum)
			pairStored(sum, s.at, 0, p["group"])
		default:
			addHalves(s.op, g.AsY(), second(g), s.x, s.at, 0)
		}
	}
}

func complexBackward(v spec.Variant) {
	complexFunction("ComplexBack"+v.String(),
		"steps int, frame *float32, states int, a, h, carry, da, b, bIm, c, cIm, db, dbIm, dc, dcIm *float32, bStep, bImStep, cStep, cImStep, dbStep, dbImStep, dcStep, dcImStep int, tmp *float32",
		"is the adjoint of avx2Complex"+v.String()+" over the chunk; steps and plane in bytes.")
	var k exp2Regs
	if wide {
		k = loadExp2Regs()
		holdCosSin()
	}
	vectors := []string{"a", "h", "carry", "da", "db", "dbIm", "dc", "dcIm"}
	eachComplexState(v, vectors, []string{"b", "bIm"}, []string{"c", "cIm"}, func() {
		moving := []string{"b", "bIm", "c", "cIm", "db", "dbIm", "dc", "dcIm"}
		frame, tmp, p := argument("frame"), argument("tmp"), loadComplexArrays(moving)
		complexRecompute(v, k, frame, tmp, p, moving)
		complexReverse(v, frame, tmp, p, moving)
	})
}

// complexRecompute emits the forward half of a state: field Y and dc.
func complexRecompute(v spec.Variant, k exp2Regs, frame, tmp reg.GPVirtual, p arrays, moving []string) {
	if !wide {
		k = loadExp2Regs()
	}
	steps, a, h := argument("steps"), p.loadPlanes("a"), p.loadPlanes("h")
	Label("recompute")
	size := registerBytes()
	abar := complexDecay(k, loaded(field(frame, spec.Dt)), a)
	abar.store(pointer(tmp, 0), pointer(tmp, size))
	h.store(pointer(tmp, 2*size), pointer(tmp, 3*size))
	advance(h, abar, p.operand(v.ConstB, "b", "bIm"), loaded(field(frame, spec.DtU)))
	y := loaded(field(frame, spec.Y))
	output(y, p.operand(v.ConstC, "c", "cIm"), h)
	VMOVUPS(y, field(frame, spec.Y))
	g := loaded(field(frame, spec.G))
	VADDPS(g, g, g)
	p.addComplex(v.ConstC, g, h, VFNMADD231PS, "dc", "dcIm")
	p.move(moving, ADDQ)
	ADDQ(U32(rowBytes()), frame)
	ADDQ(U32(tmpPairs()), tmp)
	DECQ(steps)
	JNZ(LabelRef("recompute"))
}

// complexReverse emits the adjoint half of a state, from one step past the last.
func complexReverse(v spec.Variant, frame, tmp reg.GPVirtual, p arrays, moving []string) {
	steps, size := argument("steps"), registerBytes()
	x, da, a := p.loadPlanes("carry"), p.loadPlanes("da"), p.loadPlanes("a")
	VMULPS(start(table.turn), a.im, a.im) // both planes as A log2(e), the unit of Sd
	Label("reverse")
	p.move(moving, SUBQ)
	SUBQ(U32(rowBytes()), frame)
	SUBQ(U32(tmpPairs()), tmp)
	g := loaded(field(frame, spec.G))
	VADDPS(g, g, g)
	ct := p.operand(v.ConstC, "c", "cIm")
	VFMADD231PS(g, ct.re, x.re)
	VFNMADD231PS(g, ct.im, x.im)
	du := loaded(field(frame, spec.DtU))
	p.addComplex(v.ConstB, du, x, VFMADD231PS, "db", "dbIm")
	b, sx := p.operand(v.ConstB, "b", "bIm"), loaded(field(frame, spec.Sx))
	VFMADD231PS(b.re, x.re, sx)
	VFMADD231PS(b.im, x.im, sx)
	VMOVUPS(sx, field(frame, spec.Sx))
	x = conjTimes(loadPair(pointer(tmp, 0), pointer(tmp, size)), x)
	s := timesConj(x, loadPair(pointer(tmp, 2*size), pointer(tmp, 3*size)))
	dt, sd := loaded(field(frame, spec.Dt)), loaded(field(frame, spec.Sd))
	VFMADD231PS(dt, s.re, da.re)
	VFMADD231PS(dt, s.im, da.im)
	VFMADD231PS(a.re, s.re, sd)
	VFMADD231PS(a.im, s.im, sd)
	VMOVUPS(sd, field(frame, spec.Sd))
	DECQ(steps)
	JNZ(LabelRef("reverse"))
	p.storePlanes(x, "carry")
	p.storePlanes(da, "da")
}

// conjTimes is x = conj(abar) x, in x's registers.
func conjTimes(abar, x pair) pair {
	im := vec()
	VMULPS(abar.im, x.re, im)
	VMULPS(abar.re, x.re, x.re)
	VFMADD231PS(abar.im, x.im, x.re)
	VFMSUB132PS(abar.re, im, x.im)
	return x
}

// timesConj is x conj(h); h is lost.
func timesConj(x, h pair) pair {
	s := pair{vec(), vec()}
	VMULPS(h.re, x.re, s.re)
	VFMADD231PS(h.im, x.im, s.re)
	VMULPS(h.re, x.im, s.im)
	VFNMADD231PS(h.im, x.re, s.im)
	return s
}
