package main

import (
	"fmt"
	"strings"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// part is a piece of a row: one vector or, in the tail, one float.
type part struct {
	scalar bool
	at     func(name string) Mem
}

func (p part) load(name string) reg.VecVirtual {
	if p.scalar {
		r := YMM()
		VMOVSS(p.at(name), r.AsX())
		return r
	}
	return loaded(p.at(name))
}

func (p part) store(r reg.VecVirtual, name string) {
	if p.scalar {
		VMOVSS(r.AsX(), p.at(name))
	} else {
		VMOVUPS(r, p.at(name))
	}
}

// rows emits the loops over the steps and, in each, over the n channels of a
// row: per vectors at a time, then one, then single channels. Wide rows have no
// rest. All arrays move by their own step, in bytes.
func rows(arrays []string, per int, body func(p part)) {
	at := map[string]reg.GPVirtual{}
	for _, name := range arrays {
		at[name] = argument(name)
	}
	SHLQ(Imm(2), slot("n"))
	i, end := GP64(), GP64()
	Label("steps")
	XORQ(i, i)
	type piece struct{ bytes, count int }
	size := registerBytes()
	pieces := []piece{{size, 1}}
	if !wide {
		pieces = append(pieces, piece{4, 1})
	}
	if per > 1 {
		pieces = append([]piece{{per * size, per}}, pieces...)
	}
	for _, w := range pieces {
		loop, next := fmt.Sprintf("by%d", w.bytes), fmt.Sprintf("past%d", w.bytes)
		Label(loop)
		LEAQ(pointer(i, w.bytes), end)
		CMPQ(end, slot("n"))
		JGT(LabelRef(next))
		for k := range w.count {
			body(part{w.bytes == 4, func(name string) Mem {
				return Mem{Base: at[name], Index: i, Scale: 1, Disp: k * size}
			}})
		}
		MOVQ(end, i)
		JMP(LabelRef(loop))
		Label(next)
	}
	for _, name := range arrays {
		ADDQ(slot(name+"Step"), at[name])
	}
	DECQ(slot("steps"))
	JNZ(LabelRef("steps"))
}

// rowsFunction starts a function over the arrays of rows.
func rowsFunction(name, doc string, arrays []string) {
	steps := make([]string, len(arrays))
	for i, a := range arrays {
		steps[i] = a + "Step"
	}
	if wide {
		doc = "is avx2" + name + " for n channels, a multiple of 16."
	}
	function(name, fmt.Sprintf("func(steps, n int, %s *float32, %s int)",
		strings.Join(arrays, ", "), strings.Join(steps, ", ")), doc)
}

// linears emits the linear recurrence: real and complex, forward and back.
func linears() {
	linearReal()
	linearRealBack()
	linearComplex()
	linearComplexBack()
}

func linearReal() {
	arrays := []string{"a", "prev", "x", "h"}
	rowsFunction("Linear", "is h = a prev + x, row by row; steps in bytes.", arrays)
	rows(arrays, 4, func(p part) {
		h, a := p.load("x"), p.load("a")
		VFMADD231PS(p.load("prev"), a, h)
		p.store(h, "h")
	})
	finish()
}

func linearRealBack() {
	arrays := []string{"a", "prev", "dh", "dx", "da", "carry"}
	rowsFunction("LinearBack",
		"is X = dh + carry, dx += X, da += X prev, carry = a X, row by row; steps in bytes.", arrays)
	rows(arrays, 2, func(p part) {
		x, dx := p.load("dh"), p.load("dx")
		VADDPS(p.load("carry"), x, x)
		VADDPS(x, dx, dx)
		p.store(dx, "dx")
		da := p.load("da")
		VFMADD231PS(p.load("prev"), x, da)
		p.store(da, "da")
		VMULPS(p.load("a"), x, x)
		p.store(x, "carry")
	})
	finish()
}

func linearComplex() {
	arrays := []string{"ar", "ai", "pr", "pi", "xr", "xi", "hr", "hi"}
	rowsFunction("LinearComplex", "is h = a prev + x in two planes, row by row; steps in bytes.", arrays)
	rows(arrays, 1, func(p part) {
		ar, ai, pr, pi := p.load("ar"), p.load("ai"), p.load("pr"), p.load("pi")
		re, im := p.load("xr"), p.load("xi")
		VFMADD231PS(ar, pr, re)
		VFNMADD231PS(ai, pi, re)
		VFMADD231PS(ar, pi, im)
		VFMADD231PS(ai, pr, im)
		p.store(re, "hr")
		p.store(im, "hi")
	})
	finish()
}

func linearComplexBack() {
	arrays := []string{"ar", "ai", "pr", "pi", "gr", "gi", "dxr", "dxi", "dar", "dai", "cr", "ci"}
	rowsFunction("LinearComplexBack",
		"is X = dh + carry, dx += X, da += X conj(prev), carry = conj(a) X in two planes; steps in bytes.", arrays)
	rows(arrays, 1, func(p part) {
		x, y := p.load("gr"), p.load("gi")
		VADDPS(p.load("cr"), x, x)
		VADDPS(p.load("ci"), y, y)
		for _, d := range []struct {
			v    reg.VecVirtual
			name string
		}{{x, "dxr"}, {y, "dxi"}} {
			dx := p.load(d.name)
			VADDPS(d.v, dx, dx)
			p.store(dx, d.name)
		}
		pr, pi := p.load("pr"), p.load("pi")
		dar, dai := p.load("dar"), p.load("dai")
		VFMADD231PS(pr, x, dar)
		VFMADD231PS(pi, y, dar)
		VFMADD231PS(pr, y, dai)
		VFNMADD231PS(pi, x, dai)
		p.store(dar, "dar")
		p.store(dai, "dai")
		ar, ai, cr, ci := p.load("ar"), p.load("ai"), vec(), vec()
		VMULPS(ar, x, cr)
		VFMADD231PS(ai, y, cr)
		VMULPS(ar, y, ci)
		VFNMADD231PS(ai, x, ci)
		p.store(cr, "cr")
		p.store(ci, "ci")
	})
	finish()
}
