package main

import (
	"github.com/gophersnake/gophersnake/internal/kernel/arm64/asm"
	"github.com/gophersnake/gophersnake/internal/kernel/scan/spec"
)

// steps emits the kernels of a single step, whose lanes are states.
func steps(file *asm.File) {
	for _, signed := range []bool{false, true} {
		name := "Step"
		if signed {
			name += "Signed"
		}
		k := function(file, name,
			"rows int, frame *float32, states int, a, h, b, c, dskip *float32, bStep, cStep int",
			"runs h = exp(Δ a) h + Δu b and field Y = Σ c h + dskip u for rows of eight channels; "+
				"steps from channel to channel in bytes.")
		k.holdExp2(true)
		k.Hold(log2e, one)
		k.steps(spec.Variant{Signed: signed})
		k.Ret()
	}
}

// steps emits the loops over rows, channels and states.
func (k *kernel) steps(v spec.Variant) {
	r := k.args("rows", "frame", "states", "a", "h", "dskip", "b", "c", "bStep", "cStep")
	rows, frame, states, a, h, dskip, lane := r[0], r[1], r[2], r[3], r[4], r[5], k.GP()
	k.Label("rows")
	k.MovI(lane, spec.Lanes)
	k.Label("channels")
	dt, du, y := k.Dup(k.LoadOne(frame, 4*spec.Dt)), k.Dup(k.LoadOne(frame, 4*spec.DtU)), k.Zero()
	k.FMul(dt, dt, k.Const(log2e))
	left, b, c := k.GP(), k.GP(), k.GP()
	k.Mov(left, states)
	k.Mov(b, r[6])
	k.Mov(c, r[7])
	k.states("fours", left, 4, func() { k.stepStates(v, dt, du, y, a, h, b, c, 4) })
	k.states("ones", left, 1, func() { k.stepStates(v, dt, du, y, a, h, b, c, 1) })
	k.FAddPairs(y, y, y)
	k.FAddPairs(y, y, y)
	k.FMulAdd(y, k.LoadOne(frame, 4*spec.U), k.LoadOne(dskip, 0))
	k.StoreOne(y, frame, 4*spec.Y)
	k.Add(r[6], r[6], r[8])
	k.Add(r[7], r[7], r[9])
	k.AddI(frame, frame, 4)
	k.AddI(dskip, dskip, 4)
	k.CountDown(lane, 1, "NE", "channels")
	k.AddI(frame, frame, rowBytes-vector)
	k.CountDown(rows, 1, "NE", "rows")
}

// states emits the loop while there are n states left.
func (k *kernel) states(name string, left asm.GP, n int, body func()) {
	k.Label(name)
	k.JumpIf(left, "LT", n, name+"Done")
	body()
	k.AddI(left, left, -n)
	k.Jump(name)
	k.Label(name + "Done")
}

// stepStates emits n states, 4 or 1, and moves the pointers past them. The
// other lanes of a single state are zeros, which add nothing.
func (k *kernel) stepStates(v spec.Variant, dt, du, y asm.Vec, a, h, b, c asm.GP, n int) {
	load, store := k.Load, k.Store
	if n == 1 {
		load, store = k.LoadOne, k.StoreOne
	}
	abar, s := k.decay(v, dt, load(a, 0)), load(h, 0)
	k.FMul(s, s, abar)
	k.FMulAdd(s, du, load(b, 0))
	store(s, h, 0)
	k.FMulAdd(y, s, load(c, 0))
	for _, p := range []asm.GP{a, h, b, c} {
		k.AddI(p, p, 4*n)
	}
}
