package main

import (
	"fmt"

	"github.com/gophersnake/gophersnake/internal/kernel/arm64/asm"
	"github.com/gophersnake/gophersnake/internal/kernel/scan/spec"
)

// stateBytes is how far an operand's state is from the next.
func stateBytes(constant bool) int {
	if constant {
		return vector
	}
	return 4
}

// An operand is B or C at one step: for a constant one, the memory with a
// vector for each state; else a register with a lane for each state.
type operand struct {
	constant bool
	p        asm.GP
	lanes    asm.Vec
}

// operand reads w states' values at p, 4 or 1.
func (k *kernel) operand(constant bool, p asm.GP, w int) operand {
	o := operand{constant: constant, p: p}
	switch {
	case constant:
	case w == 1:
		o.lanes = k.LoadOne(p, 0)
	default:
		o.lanes = k.Load(p, 0)
	}
	return o
}

// mulAdd is d += x·o of state i, for the quad at q.
func (k *kernel) mulAdd(d, x asm.Vec, o operand, i, q int) {
	if o.constant {
		k.FMulAdd(d, x, k.Load(o.p, i*vector+q))
	} else {
		k.FMulAddLane(d, x, o.lanes, i)
	}
}

// mulSub is d −= x·o of state i, for the quad at q.
func (k *kernel) mulSub(d, x asm.Vec, o operand, i, q int) {
	if o.constant {
		k.FMulSub(d, x, k.Load(o.p, i*vector+q))
	} else {
		k.FMulSubLane(d, x, o.lanes, i)
	}
}

// forStates emits loops over the states: body(w) while w remain, for w 4 and
// then 1. advance moves the parameters by w states.
func (k *kernel) forStates(body, advance func(w int)) {
	for _, w := range []int{4, 1} {
		loop, end := fmt.Sprintf("states%d", w), fmt.Sprintf("below%d", w)
		k.Label(loop)
		k.JumpIf(k.Arg("states"), "LT", w, end)
		body(w)
		advance(w)
		k.AddToArg("states", -w)
		k.Jump(loop)
		k.Label(end)
	}
	k.Ret()
}

// decay is Ā = 2^(dt·a), or 2Ā−1.
func (k *kernel) decay(v spec.Variant, dt, a asm.Vec) asm.Vec {
	p := k.exp2(dt, a)
	if v.Signed {
		k.FAdd(p, p, p)
		k.FSub(p, p, k.Const(one))
	}
	return p
}

// vectors loads w states' vectors at p, by state and quad.
func (k *kernel) vectors(p asm.GP, w int) [][2]asm.Vec {
	x := make([][2]asm.Vec, w)
	for i := range x {
		x[i] = k.LoadPair(p, i*vector)
	}
	return x
}

// keep writes them back.
func (k *kernel) keep(x [][2]asm.Vec, p asm.GP) {
	for i := range x {
		k.StorePair(x[i], p, i*vector)
	}
}

// field is a quad of a field of the frame row at p.
func (k *kernel) field(p asm.GP, f, q int) asm.Vec { return k.Load(p, 4*f+q) }

// scanForward emits the chunk recurrence: for each block of states, h stays in
// registers over all steps.
func scanForward(file *asm.File, v spec.Variant) {
	k := function(file, "Scan"+v.String(),
		"steps int, frame *float32, states int, a, h, b, c *float32, bStep, cStep int",
		"runs h = Ā h + Δu b and field Y += c h over the chunk; steps of b and c in bytes.")
	k.holdExp2(true)
	if v.Signed {
		k.Hold(one)
	}
	k.forStates(func(w int) {
		r := k.args("frame", "steps", "a", "b", "c", "bStep", "cStep", "h")
		frame, steps, a, b, c, bStep, cStep, h := r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7]
		state := k.vectors(h, w)
		loop := fmt.Sprintf("steps%d", w)
		k.Label(loop)
		bt, ct := k.operand(v.ConstB, b, w), k.operand(v.ConstC, c, w)
		for i, q := range quads {
			dt, du, y := k.field(frame, spec.Dt, q), k.field(frame, spec.DtU, q), k.field(frame, spec.Y, q)
			for n := range state {
				s := state[n][i]
				k.FMul(s, s, k.decay(v, dt, k.Load(a, n*vector+q)))
				k.mulAdd(s, du, bt, n, q)
				k.mulAdd(y, s, ct, n, q)
			}
			k.Store(y, frame, 4*spec.Y+q)
		}
		k.Add(b, b, bStep)
		k.Add(c, c, cStep)
		k.AddI(frame, frame, rowBytes)
		k.CountDown(steps, 1, "NE", loop)
		k.keep(state, h)
	}, func(w int) {
		for _, name := range []string{"a", "h"} {
			k.AddToArg(name, w*vector)
		}
		k.AddToArg("b", w*stateBytes(v.ConstB))
		k.AddToArg("c", w*stateBytes(v.ConstC))
	})
}

// walk are the pointers that move with the steps of a backward block.
type walk struct {
	frame, tmp asm.GP
	at, step   [4]asm.GP // b, c, db, dc
}

func (k *kernel) walk() walk {
	w := walk{frame: k.Arg("frame"), tmp: k.Arg("tmp")}
	for i, name := range []string{"b", "c", "db", "dc"} {
		w.at[i], w.step[i] = k.Arg(name), k.Arg(name+"Step")
	}
	return w
}

// forward and back move all pointers by one step of w states.
func (k *kernel) forward(p walk, w int) {
	k.AddI(p.frame, p.frame, rowBytes)
	k.AddI(p.tmp, p.tmp, 2*w*vector)
	for i := range p.at {
		k.Add(p.at[i], p.at[i], p.step[i])
	}
}

func (k *kernel) back(p walk, w int) {
	k.AddI(p.frame, p.frame, -rowBytes)
	k.AddI(p.tmp, p.tmp, -2*w*vector)
	for i := range p.at {
		k.Sub(p.at[i], p.at[i], p.step[i])
	}
}

// scanBackward emits the backward chunk: each block of states runs forward
// from the checkpoint, leaving Ā and h_{t−1} in tmp, and then back.
func scanBackward(file *asm.File, v spec.Variant) {
	k := function(file, "ScanBack"+v.String(),
		"steps int, frame *float32, states int, a, h, carry, da, b, c, db, dc *float32, "+
			"bStep, cStep, dbStep, dcStep int, tmp *float32",
		"is the adjoint of neonScan"+v.String()+" over the chunk; steps in bytes.")
	k.forStates(func(w int) {
		p, a := k.walk(), k.Arg("a")
		k.recompute(v, w, a, p)
		k.reverse(v, w, a, p)
	}, func(w int) {
		for _, name := range []string{"a", "h", "carry", "da", "db", "dc"} {
			k.AddToArg(name, w*vector)
		}
		k.AddToArg("b", w*stateBytes(v.ConstB))
		k.AddToArg("c", w*stateBytes(v.ConstC))
	})
}

// recompute emits the forward half of a block: dc += g h, and y when gated.
func (k *kernel) recompute(v spec.Variant, w int, a asm.GP, p walk) {
	k.holdExp2(false)
	defer k.Forget()
	steps, state, loop := k.Arg("steps"), k.vectors(k.Arg("h"), w), fmt.Sprintf("recompute%d", w)
	k.Label(loop)
	bt := k.operand(v.ConstB, p.at[0], w)
	var ct operand
	if v.Gated {
		ct = k.operand(v.ConstC, p.at[1], w)
	}
	for i, q := range quads {
		dt, du, g := k.field(p.frame, spec.Dt, q), k.field(p.frame, spec.DtU, q), k.field(p.frame, spec.G, q)
		var y asm.Vec
		if v.Gated {
			y = k.field(p.frame, spec.Y, q)
		}
		for n := range state {
			s, abar := state[n][i], k.decay(v, dt, k.Load(a, n*vector+q))
			k.Store(abar, p.tmp, 2*n*vector+q)
			k.Store(s, p.tmp, (2*n+1)*vector+q)
			k.FMul(s, s, abar)
			k.mulAdd(s, du, bt, n, q)
			dc := k.Load(p.at[3], n*vector+q)
			k.FMulAdd(dc, g, s)
			k.Store(dc, p.at[3], n*vector+q)
			if v.Gated {
				k.mulAdd(y, s, ct, n, q)
			}
		}
		if v.Gated {
			k.Store(y, p.frame, 4*spec.Y+q)
		}
	}
	k.forward(p, w)
	k.CountDown(steps, 1, "NE", loop)
}

// reverse emits the adjoint half of a block, with p one step past the last.
func (k *kernel) reverse(v spec.Variant, w int, a asm.GP, p walk) {
	steps, carryAt, daAt, loop := k.Arg("steps"), k.Arg("carry"), k.Arg("da"), fmt.Sprintf("reverse%d", w)
	carry, da := k.vectors(carryAt, w), k.vectors(daAt, w)
	k.Label(loop)
	k.back(p, w)
	bt, ct := k.operand(v.ConstB, p.at[0], w), k.operand(v.ConstC, p.at[1], w)
	for i, q := range quads {
		dt, du, g := k.field(p.frame, spec.Dt, q), k.field(p.frame, spec.DtU, q), k.field(p.frame, spec.G, q)
		sx, sd := k.field(p.frame, spec.Sx, q), k.field(p.frame, spec.Sd, q)
		for n := range carry {
			x := carry[n][i]
			k.mulAdd(x, g, ct, n, q) // X
			db := k.Load(p.at[2], n*vector+q)
			k.FMulAdd(db, du, x)
			k.Store(db, p.at[2], n*vector+q)
			k.mulAdd(sx, x, bt, n, q)
			s := k.adjoint(v, x, p.tmp, 2*n*vector+q)
			k.FMulAdd(sd, s, k.Load(a, n*vector+q))
			k.FMulAdd(da[n][i], s, dt)
		}
		k.Store(sx, p.frame, 4*spec.Sx+q)
		k.Store(sd, p.frame, 4*spec.Sd+q)
	}
	k.CountDown(steps, 1, "NE", loop)
	k.keep(carry, carryAt)
	k.keep(da, daAt)
}

// adjoint multiplies x by the Ā at tmp + off and returns S.
func (k *kernel) adjoint(v spec.Variant, x asm.Vec, tmp asm.GP, off int) asm.Vec {
	s, abar, h := k.Vec(), k.Load(tmp, off), k.Load(tmp, off+vector)
	if !v.Signed {
		k.FMul(x, x, abar)
		k.FMul(s, x, h)
		return s
	}
	before := k.Copy(x)
	k.FMul(x, x, abar)
	k.FAdd(s, x, before) // X Ā + X
	k.FMul(s, s, h)
	return s
}
