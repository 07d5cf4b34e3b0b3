package main

import (
	"fmt"
	"strings"

	"github.com/gophersnake/gophersnake/internal/kernel/arm64/asm"
)

// part is a piece of a row: one register or, in the tail, one float.
type part struct {
	k      *kernel
	scalar bool
	at     map[string]asm.GP
	off    int
}

func (p part) load(name string) asm.Vec {
	if p.scalar {
		return p.k.LoadOne(p.at[name], p.off)
	}
	return p.k.Load(p.at[name], p.off)
}

func (p part) store(v asm.Vec, name string) {
	if p.scalar {
		p.k.StoreOne(v, p.at[name], p.off)
	} else {
		p.k.Store(v, p.at[name], p.off)
	}
}

// rows emits a function over the arrays: the loops over the steps and, in each,
// over the n channels of a row, per registers at a time, then one, then single
// channels. All arrays move by their own step, in bytes.
func rows(file *asm.File, name, doc string, arrays []string, per int, body func(p part)) {
	steps := strings.Join(arrays, "Step, ") + "Step int"
	k := function(file, name, "steps, n int, "+strings.Join(arrays, ", ")+" *float32, "+steps, doc)
	k.Label("steps")
	left, at := k.Arg("n"), map[string]asm.GP{}
	for _, a := range arrays {
		at[a] = k.Arg(a)
	}
	for _, channels := range []int{4 * per, 4, 1} {
		loop, next := fmt.Sprintf("by%d", channels), fmt.Sprintf("past%d", channels)
		k.Label(loop)
		k.JumpIf(left, "LT", channels, next)
		for off := 0; off < 4*channels; off += quad {
			body(part{k, channels == 1, at, off})
		}
		for _, a := range arrays {
			k.AddI(at[a], at[a], 4*channels)
		}
		k.AddI(left, left, -channels)
		k.Jump(loop)
		k.Label(next)
	}
	for _, a := range arrays {
		p := k.Arg(a)
		k.Add(p, p, k.Arg(a+"Step"))
		k.SetArg(a, p)
	}
	count := k.Arg("steps")
	k.AddI(count, count, -1)
	k.SetArg("steps", count)
	k.JumpIf(count, "NE", 0, "steps")
	k.Ret()
}

// linears emits the linear recurrence: real and complex, forward and back.
func linears(file *asm.File) {
	linearReal(file)
	linearRealBack(file)
	linearComplex(file)
	linearComplexBack(file)
}

func linearReal(file *asm.File) {
	arrays := []string{"a", "prev", "x", "h"}
	rows(file, "Linear", "is h = a prev + x, row by row; steps in bytes.", arrays, 4, func(p part) {
		h := p.load("x")
		p.k.FMulAdd(h, p.load("a"), p.load("prev"))
		p.store(h, "h")
	})
}

func linearRealBack(file *asm.File) {
	rows(file, "LinearBack", "is X = dh + carry, dx += X, da += X prev, carry = a X, row by row; steps in bytes.",
		[]string{"a", "prev", "dh", "dx", "da", "carry"}, 4, func(p part) {
			k, x, dx := p.k, p.load("dh"), p.load("dx")
			k.FAdd(x, x, p.load("carry"))
			k.FAdd(dx, dx, x)
			p.store(dx, "dx")
			da := p.load("da")
			k.FMulAdd(da, x, p.load("prev"))
			p.store(da, "da")
			k.FMul(x, x, p.load("a"))
			p.store(x, "carry")
		})
}

func linearComplex(file *asm.File) {
	rows(file, "LinearComplex", "is h = a prev + x in two planes, row by row; steps in bytes.",
		[]string{"ar", "ai", "pr", "pi", "xr", "xi", "hr", "hi"}, 2, func(p part) {
			k, ar, ai, pr, pi := p.k, p.load("ar"), p.load("ai"), p.load("pr"), p.load("pi")
			re, im := p.load("xr"), p.load("xi")
			k.FMulAdd(re, ar, pr)
			k.FMulSub(re, ai, pi)
			k.FMulAdd(im, ar, pi)
			k.FMulAdd(im, ai, pr)
			p.store(re, "hr")
			p.store(im, "hi")
		})
}

func linearComplexBack(file *asm.File) {
	rows(file, "LinearComplexBack",
		"is X = dh + carry, dx += X, da += X conj(prev), carry = conj(a) X in two planes; steps in bytes.",
		[]string{"ar", "ai", "pr", "pi", "gr", "gi", "dxr", "dxi", "dar", "dai", "cr", "ci"}, 2, func(p part) {
			k, x, y := p.k, p.load("gr"), p.load("gi")
			k.FAdd(x, x, p.load("cr"))
			k.FAdd(y, y, p.load("ci"))
			dxr, dxi := p.load("dxr"), p.load("dxi")
			k.FAdd(dxr, dxr, x)
			k.FAdd(dxi, dxi, y)
			p.store(dxr, "dxr")
			p.store(dxi, "dxi")
			pr, pi, dar, dai := p.load("pr"), p.load("pi"), p.load("dar"), p.load("dai")
			k.FMulAdd(dar, pr, x)
			k.FMulAdd(dar, pi, y)
			k.FMulAdd(dai, pr, y)
			k.FMulSub(dai, pi, x)
			p.store(dar, "dar")
			p.store(dai, "dai")
			ar, ai, cr, ci := p.load("ar"), p.load("ai"), k.Vec(), k.Vec()
			k.FMul(cr, ar, x)
			k.FMulAdd(cr, ai, y)
			k.FMul(ci, ar, y)
			k.FMulSub(ci, ai, x)
			p.store(cr, "cr")
			p.store(ci, "ci")
		})
}
