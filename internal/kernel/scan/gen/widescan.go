package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/gophersnake/gophersnake/internal/kernel/scan/spec"
)

// The scans of a pair of groups. Each lane sees the operations of the AVX2
// kernels in their order, hence has their bits.

// wideForward is scanForward for a pair.
func wideForward(v spec.Variant) {
	function("Scan"+v.String(),
		"func(steps int, frame *float32, states int, a, h, b, c *float32, bStep, cStep, group int)",
		"is avx2Scan"+v.String()+" of a pair; group is the bytes from group to group.")
	a, h, b, c, group := argument("a"), argument("h"), argument("b"), argument("c"), argument("group")
	k := decayConstants(v)
	forWideStates([]int{8, 4, 2, 1}, func(w int, near bool, far LabelRef) {
		k := k
		k.near = near
		frame, steps := argument("frame"), argument("steps")
		bt, ct := GP64(), GP64()
		MOVQ(b, bt)
		MOVQ(c, ct)
		as := pairsLoaded(a, group, w)
		if near {
			unlessNear(frame, as, far)
		}
		state := pairsLoaded(h, group, w)
		loop := loopName("steps", w, near)
		Label(loop)
		dt, du, y := loaded(field(frame, spec.Dt)), loaded(field(frame, spec.DtU)), loaded(field(frame, spec.Y))
		for i := range state {
			abar := decay(v, k, dt, as[i])
			in := wideElement(v.ConstB, bt, i, group)
			VMULPS(du, in, in)
			VFMADD213PS(in, abar, state[i])
			addElement(v.ConstC, ct, i, group, state[i], y)
		}
		VMOVUPS(y, field(frame, spec.Y))
		ADDQ(slot("bStep"), bt)
		ADDQ(slot("cStep"), ct)
		ADDQ(U32(rowBytes()), frame)
		DECQ(steps)
		JNZ(LabelRef(loop))
		pairsStored(state, h, group)
	}, func(w int) {
		ADDQ(U32(w*vector), a)
		ADDQ(U32(w*vector), h)
		ADDQ(U32(w*stateBytes(v.ConstB)), b)
		ADDQ(U32(w*stateBytes(v.ConstC)), c)
	})
}

// forWideStates is forStates and the function's end. body has near set where
// exp2Near may be used, and jumps to far if it may not; then one state is run
// without it.
func forWideStates(widths []int, body func(w int, near bool, far LabelRef), advance func(w int)) {
	far := LabelRef("far")
	forStates(widths, func(w int) { body(w, true, far) }, advance)
	finish()
	Label("far")
	body(1, false, far)
	advance(1)
	SUBQ(Imm(1), slot("states"))
	JMP(LabelRef(fmt.Sprintf("states%d", widths[0])))
}

// loopName is the label of a loop over the steps for w states.
func loopName(name string, w int, near bool) string {
	if !near {
		return name + "Far"
	}
	return fmt.Sprint(name, w)
}

// unlessNear jumps to far unless all |Δ a| of the chunk are within the bounds
// of exp2Near.
func unlessNear(frame reg.Register, as []reg.VecVirtual, far LabelRef) {
	greatest, over := ZMM(), K()
	VPANDD(c(table.magnitude), as[0], greatest)
	for _, a := range as[1:] {
		upTo(greatest, a)
	}
	VMULPS(field(frame, spec.MaxAbs), greatest, greatest)
	VCMPPS(Imm(6), c(table.nearExp2), greatest, over) // not less or equal, or NaN
	KORTESTW(over, over)
	JNE(far)
}

// decayConstants holds the constants of decay.
func decayConstants(v spec.Variant) exp2Regs {
	if v.Signed {
		hold(table.one)
	}
	hold(table.magnitude, table.nearExp2)
	return loadExp2Regs()
}

// wideBackward is scanBackward for a pair.
func wideBackward(v spec.Variant) {
	function("ScanBack"+v.String(),
		"func(steps int, frame *float32, states int, a, h, carry, da, b, c, db, dc *float32, bStep, cStep, dbStep, dcStep int, tmp *float32, group int, rows **float32, rowStep, ahead, pass int)",
		"is avx2ScanBack"+v.String()+" of a pair; group is the bytes from group to group. It asks for the rows ahead.")
	group, k := argument("group"), decayConstants(v)
	forWideStates([]int{4, 2, 1}, func(w int, near bool, far LabelRef) {
		k := k
		k.near = near
		p := walk{argument("frame"), argument("b"), argument("c"), argument("db"), argument("dc"), argument("tmp")}
		as := pairsLoaded(argument("a"), group, w)
		if near {
			unlessNear(p.frame, as, far)
		}
		wideRecompute(v, k, as, p, group)
		wideReverse(v, loopName("reverse", w, near), as, p, group)
	}, func(w int) { nextStates(v, w) })
}

// wideRecompute is recompute for a pair.
func wideRecompute(v spec.Variant, k exp2Regs, as []reg.VecVirtual, p walk, group reg.GPVirtual) {
	w, steps, h := len(as), argument("steps"), argument("h")
	state := pairsLoaded(h, group, w)
	prefetchNext(h, group, w)
	next := startRow()
	loop := loopName("recompute", w, k.near)
	Label(loop)
	next.ask()
	dt, du := loaded(field(p.frame, spec.Dt)), loaded(field(p.frame, spec.DtU))
	var y reg.VecVirtual
	if v.Gated {
		y = loaded(field(p.frame, spec.Y))
	}
	addToC := adder(v.ConstC, p.frame, spec.G, p.dc, group)
	for i := range state {
		abar := decay(v, k, dt, as[i])
		VMOVUPS(abar, pointer(p.tmp, 4*i*vector))
		VMOVUPS(state[i], pointer(p.tmp, (4*i+2)*vector))
		in := wideElement(v.ConstB, p.b, i, group)
		VMULPS(du, in, in)
		VFMADD213PS(in, abar, state[i])
		addToC(state, i)
		if v.Gated {
			addElement(v.ConstC, p.c, i, group, state[i], y)
		}
	}
	if v.Gated {
		VMOVUPS(y, field(p.frame, spec.Y))
	}
	p.move(w, ADDQ)
	DECQ(steps)
	JNZ(LabelRef(loop))
}

// prefetchNext asks for the same states of the next pair, whose first states
// nothing else brings near before they are needed.
func prefetchNext(h, group reg.GPVirtual, w int) {
	for range spec.Halves {
		for disp := 0; disp < w*vector; disp += 2 * vector {
			PREFETCHT0(Mem{Base: h, Disp: disp, Index: group, Scale: 2})
		}
		ADDQ(group, h)
	}
}

// adder prepares sums at p of x times a field of the frame row. Its result is
// called for each state in turn, and adds what has become complete: its own
// product when the groups have a sum each, else two states' at a time.
func adder(constant bool, frame reg.Register, f int, p, group reg.Register) func(x []reg.VecVirtual, i int) {
	if constant {
		g := loaded(field(frame, f))
		return func(x []reg.VecVirtual, i int) { addToGroups(g, x[i:i+1], p, i*vector, group) }
	}
	g := splitField(frame, f)
	return func(x []reg.VecVirtual, i int) {
		switch {
		case len(x) == 1:
			addToSums(g, x, p, 0)
		case i%2 == 1:
			addToSums(g, x[i-1:i+1], p, (i-1)*vector)
		}
	}
}

// wideReverse is reverse for a pair.
func wideReverse(v spec.Variant, loop string, as []reg.VecVirtual, p walk, group reg.Register) {
	w, steps, carryAt, daAt := len(as), argument("steps"), argument("carry"), argument("da")
	carry, da := pairsLoaded(carryAt, group, w), pairsLoaded(daAt, group, w)
	next := startRow()
	Label(loop)
	next.ask()
	p.move(w, SUBQ)
	dt, g := loaded(field(p.frame, spec.Dt)), loaded(field(p.frame, spec.G))
	sx, sd := loaded(field(p.frame, spec.Sx)), loaded(field(p.frame, spec.Sd))
	addToB := adder(v.ConstB, p.frame, spec.DtU, p.db, group)
	for i := range carry {
		addElement(v.ConstC, p.c, i, group, g, carry[i]) // X
		addElement(v.ConstB, p.b, i, group, carry[i], sx)
		addToB(carry, i)
		if w > 1 && i%2 == 0 {
			continue
		}
		for j := max(i-1, 0); j <= i; j++ {
			s := wideAdjoint(v, carry[j], p.tmp, j)
			VFMADD231PS(as[j], s, sd)
			VFMADD231PS(dt, s, da[j])
		}
	}
	VMOVUPS(sx, field(p.frame, spec.Sx))
	VMOVUPS(sd, field(p.frame, spec.Sd))
	DECQ(steps)
	JNZ(LabelRef(loop))
	pairsStored(carry, carryAt, group)
	pairsStored(da, daAt, group)
}

// wideAdjoint multiplies x of state i by Ā and returns S.
func wideAdjoint(v spec.Variant, x reg.VecVirtual, tmp reg.Register, i int) reg.VecVirtual {
	s, abar, h := ZMM(), pointer(tmp, 4*i*vector), pointer(tmp, (4*i+2)*vector)
	if !v.Signed {
		VMULPS(abar, x, x)
		VMULPS(h, x, s)
		return s
	}
	before := ZMM()
	VMOVAPS(x, before)
	VMULPS(abar, before, x)
	VADDPS(x, before, s)
	VMULPS(h, s, s)
	return s
}

// wideSumLanes is sumLanes for sixteen vectors at a time, two to a register.
func wideSumLanes() {
	function("SumLanes", "func(n int, dst, src *float32)", "is avx2SumLanes for n values, a multiple of 16.")
	n, dst, src := argument("n"), argument("dst"), argument("src")
	order := loaded(table.interleave)
	Label("sixteens")
	var eight [2]reg.VecVirtual
	for e := range eight {
		var four [2]reg.VecVirtual
		for i := range four {
			at := (2*e + i) * 4 * vector
			four[i] = addPairs(loaded(pointer(src, at)), loaded(pointer(src, at+2*vector)))
		}
		eight[e] = addPairs(four[0], four[1])
	}
	lo, hi := ZMM(), ZMM()
	VSHUFF64X2(Imm(0b10_00_10_00), eight[1], eight[0], lo)
	VSHUFF64X2(Imm(0b11_01_11_01), eight[1], eight[0], hi)
	VADDPS(hi, lo, lo)
	VPERMPS(lo, order, lo)
	accumulate(lo, pointer(dst, 0))
	ADDQ(Imm(2*spec.Lanes*4), dst)
	ADDQ(U32(2*spec.Lanes*vector), src)
	SUBQ(Imm(2*spec.Lanes), n)
	JNZ(LabelRef("sixteens"))
	finish()
}

// addPairs is, in every quarter, the sums of a's two pairs of neighbours, then
// of b's.
func addPairs(a, b reg.VecVirtual) reg.VecVirtual {
	even, odd := ZMM(), ZMM()
	VSHUFPS(Imm(0b10_00_10_00), b, a, even)
	VSHUFPS(Imm(0b11_01_11_01), b, a, odd)
	VADDPS(odd, even, even)
	return even
}
