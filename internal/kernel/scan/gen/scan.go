package main

import (
	"fmt"
	"github.com/gophersnake/gophersnake/internal/kernel/scan/spec"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// element is the vector of state i of an operand: broadcast, or its own.
func element(constant bool, p reg.Register, i int) reg.VecVirtual {
	r := YMM()
	if constant {
		VMOVUPS(pointer(p, i*vector), r)
	} else {
		VBROADCASTSS(pointer(p, i*4), r)
	}
	return r
}

// stateBytes is how far an operand's state is from the next.
func stateBytes(constant bool) int {
	if constant {
		return vector
	}
	return 4
}

// forStates emits loops over the states: body(w) while w remain, for each of
// the widths, the last of which is 1. advance moves the pointers by w states.
func forStates(widths []int, body, advance func(w int)) {
	for _, w := range widths {
		loop, end := fmt.Sprintf("states%d", w), fmt.Sprintf("below%d", w)
		Label(loop)
		CMPQ(slot("states"), Imm(uint64(w)))
		JLT(LabelRef(end))
		body(w)
		advance(w)
		SUBQ(Imm(uint64(w)), slot("states"))
		JMP(LabelRef(loop))
		Label(end)
	}
}

// decay is Ā = 2^(dt·a), or 2Ā−1.
func decay(v spec.Variant, k exp2Regs, dt reg.VecVirtual, a Op) reg.VecVirtual {
	p := k.exp2(dt, a)
	if v.Signed {
		VADDPS(p, p, p)
		VSUBPS(c(table.one), p, p)
	}
	return p
}

// scanForward emits the chunk recurrence: for each block of states, h stays in
// registers over all steps.
func scanForward(v spec.Variant) {
	function("Scan"+v.String(),
		"func(steps int, frame *float32, states int, a, h, b, c *float32, bStep, cStep int)",
		"runs h = Ā h + Δu b and field Y += c h over the chunk; steps of b and c in bytes.")
	a, h, b, c := argument("a"), argument("h"), argument("b"), argument("c")
	k := loadExp2Regs()
	forStates([]int{4, 1}, func(w int) {
		frame, steps := argument("frame"), argument("steps")
		bt, ct := GP64(), GP64()
		MOVQ(b, bt)
		MOVQ(c, ct)
		state := make([]reg.VecVirtual, w)
		for i := range state {
			state[i] = loaded(pointer(h, i*vector))
		}
		loop := fmt.Sprintf("steps%d", w)
		Label(loop)
		dt, du, y := loaded(field(frame, spec.Dt)), loaded(field(frame, spec.DtU)), loaded(field(frame, spec.Y))
		for i := range state {
			abar := decay(v, k, dt, pointer(a, i*vector))
			in := element(v.ConstB, bt, i)
			VMULPS(du, in, in)
			VFMADD213PS(in, abar, state[i])
			VFMADD231PS(element(v.ConstC, ct, i), state[i], y)
		}
		VMOVUPS(y, field(frame, spec.Y))
		ADDQ(slot("bStep"), bt)
		ADDQ(slot("cStep"), ct)
		ADDQ(U32(rowBytes()), frame)
		DECQ(steps)
		JNZ(LabelRef(loop))
		for i := range state {
			VMOVUPS(state[i], pointer(h, i*vector))
		}
	}, func(w int) {
		ADDQ(U32(w*vector), a)
		ADDQ(U32(w*vector), h)
		ADDQ(U32(w*stateBytes(v.ConstB)), b)
		ADDQ(U32(w*stateBytes(v.ConstC)), c)
	})
	finish()
}

// walk are the pointers that move with the steps of a backward block.
type walk struct{ frame, b, c, db, dc, tmp reg.GPVirtual }

// tmpState is the bytes of Ā and h_{t−1} of one state and step.
func tmpState() int {
	if wide {
		return 2 * spec.Halves * vector
	}
	return 2 * vector
}

// move advances (or takes back) all pointers by one step of w states.
func (p walk) move(w int, op func(by, r Op)) {
	op(U32(rowBytes()), p.frame)
	op(U32(w*tmpState()), p.tmp)
	op(slot("bStep"), p.b)
	op(slot("cStep"), p.c)
	op(slot("dbStep"), p.db)
	op(slot("dcStep"), p.dc)
}

// scanBackward emits the backward chunk: each block of states runs forward
// from the checkpoint, leaving Ā and h_{t−1} in tmp, and then back.
func scanBackward(v spec.Variant) {
	function("ScanBack"+v.String(),
		"func(steps int, frame *float32, states int, a, h, carry, da, b, c, db, dc *float32, bStep, cStep, dbStep, dcStep int, tmp *float32)",
		"is the adjoint of avx2Scan"+v.String()+" over the chunk; steps in bytes.")
	forStates([]int{4, 1}, func(w int) {
		p := walk{argument("frame"), argument("b"), argument("c"), argument("db"), argument("dc"), argument("tmp")}
		a := argument("a")
		recompute(v, w, a, p)
		reverse(v, w, a, p)
	}, func(w int) { nextStates(v, w) })
	finish()
}

// nextStates moves the parameters of a backward kernel by w states.
func nextStates(v spec.Variant, w int) {
	for _, name := range []string{"a", "h", "carry", "da"} {
		ADDQ(U32(w*vector), slot(name))
	}
	ADDQ(U32(w*stateBytes(v.ConstB)), slot("b"))
	ADDQ(U32(w*stateBytes(v.ConstC)), slot("c"))
	ADDQ(U32(w*vector), slot("db"))
	ADDQ(U32(w*vector), slot("dc"))
}

// recompute emits the forward half of a block: dc += g h, and y when gated.
func recompute(v spec.Variant, w int, a reg.GPVirtual, p walk) {
	k := loadExp2Regs()
	steps, h := argument("steps"), argument("h")
	state := make([]reg.VecVirtual, w)
	for i := range state {
		state[i] = loaded(pointer(h, i*vector))
	}
	loop := fmt.Sprintf("recompute%d", w)
	Label(loop)
	dt, du, g := loaded(field(p.frame, spec.Dt)), loaded(field(p.frame, spec.DtU)), loaded(field(p.frame, spec.G))
	var y reg.VecVirtual
	if v.Gated {
		y = loaded(field(p.frame, spec.Y))
	}
	for i := range state {
		abar := decay(v, k, dt, pointer(a, i*vector))
		VMOVUPS(abar, pointer(p.tmp, 2*i*vector))
		VMOVUPS(state[i], pointer(p.tmp, (2*i+1)*vector))
		in := element(v.ConstB, p.b, i)
		VMULPS(du, in, in)
		VFMADD213PS(in, abar, state[i])
		dc := loaded(pointer(p.dc, i*vector))
		VFMADD231PS(g, state[i], dc)
		VMOVUPS(dc, pointer(p.dc, i*vector))
		if v.Gated {
			VFMADD231PS(element(v.ConstC, p.c, i), state[i], y)
		}
	}
	if v.Gated {
		VMOVUPS(y, field(p.frame, spec.Y))
	}
	p.move(w, ADDQ)
	DECQ(steps)
	JNZ(LabelRef(loop))
}

// reverse emits the adjoint half of a block, with p one step past the last.
func reverse(v spec.Variant, w int, a reg.GPVirtual, p walk) {
	steps, carryAt, daAt := argument("steps"), argument("carry"), argument("da")
	carry, da := make([]reg.VecVirtual, w), make([]reg.VecVirtual, w)
	for i := range carry {
		carry[i], da[i] = loaded(pointer(carryAt, i*vector)), loaded(pointer(daAt, i*vector))
	}
	loop := fmt.Sprintf("reverse%d", w)
	Label(loop)
	p.move(w, SUBQ)
	dt, du, g := loaded(field(p.frame, spec.Dt)), loaded(field(p.frame, spec.DtU)), loaded(field(p.frame, spec.G))
	sx, sd := loaded(field(p.frame, spec.Sx)), loaded(field(p.frame, spec.Sd))
	for i := range carry {
		VFMADD231PS(element(v.ConstC, p.c, i), g, carry[i]) // X
		db := loaded(pointer(p.db, i*vector))
		VFMADD231PS(du, carry[i], db)
		VMOVUPS(db, pointer(p.db, i*vector))
		VFMADD231PS(element(v.ConstB, p.b, i), carry[i], sx)
		s := YMM()
		if v.Signed { // s = X Ā + X
			x := YMM()
			VMOVAPS(carry[i], x)
			VMULPS(pointer(p.tmp, 2*i*vector), x, carry[i])
			VADDPS(carry[i], x, s)
			VMULPS(pointer(p.tmp, (2*i+1)*vector), s, s)
		} else {
			VMULPS(pointer(p.tmp, 2*i*vector), carry[i], carry[i])
			VMULPS(pointer(p.tmp, (2*i+1)*vector), carry[i], s)
		}
		VFMADD231PS(pointer(a, i*vector), s, sd)
		VFMADD231PS(dt, s, da[i])
	}
	VMOVUPS(sx, field(p.frame, spec.Sx))
	VMOVUPS(sd, field(p.frame, spec.Sd))
	DECQ(steps)
	JNZ(LabelRef(loop))
	for i := range carry {
		VMOVUPS(carry[i], pointer(carryAt, i*vector))
		VMOVUPS(da[i], pointer(daAt, i*vector))
	}
}
