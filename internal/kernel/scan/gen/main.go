// Command gen writes the AVX2 and AVX-512 assembly of package scan with avo.
//
// Each kernel comes in variants that differ in what an operand looks like or
// in which terms exist; the variant letters are
//
//	V, C    B (first) and C (second letter) vary in time: a broadcast scalar;
//	        or are constant: a vector of eight channels
//	Gated   the backward pass also needs the output before the gate
//	Signed  Ā = 2 exp(ΔA) − 1
//
// Functions whose names begin with avx2 use AVX2 and FMA instructions only,
// those with avx512 also AVX-512 F, VL, DQ and BW. All loads are unaligned.
package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/gophersnake/gophersnake/internal/kernel/scan/spec"
)

const vector = 32 // bytes of a channel group: eight float32

// fieldBytes is the bytes of a float of a group in a frame: the wide frame's
// fields are vectors of the whole pair.
func fieldBytes() int {
	if wide {
		return 4 * spec.Halves
	}
	return 4
}

// rowBytes is the bytes of a frame row.
func rowBytes() int { return fieldBytes() * spec.FrameRow }

// field is a field of the frame row at r.
func field(r reg.Register, f int) Mem { return pointer(r, fieldBytes()*f) }

// table are the vector constants in read-only memory.
var table struct {
	eighthMagic, eighths, minEighth, maxEighth, e1, e2, e3 Mem
	magnitude, nearExp2                                    Mem
	magic                                                  Mem
	minExp, log2e, ln2Hi, ln2Lo                            Mem
	one, two, four, minusHalf, ln2, sign, halfPi, turn     Mem
	sin, cos                                               [3]Mem
	masks                                                  Mem // eight words of ones, eight of zeros
	interleave                                             Mem // 0 4 1 5 2 6 3 7, then the same from 8 on
	exp                                                    [len(spec.ExpPoly)]Mem
	atanh                                                  [len(spec.AtanhPoly)]Mem
}

// words is a read-only vector of eight words.
func words(name string, w [8]uint32) Mem {
	m := GLOBL(name, RODATA|NOPTR)
	for i, v := range w {
		DATA(4*i, U32(v))
	}
	return m
}

func repeat(v uint32) [8]uint32 { return [8]uint32{v, v, v, v, v, v, v, v} }

// constant is a read-only vector of eight times f.
func constant(name string, f float32) Mem { return words(name, repeat(math.Float32bits(f))) }

func constants() {
	t := &table
	t.magic = constant("magic", spec.RoundMagic)
	t.eighthMagic = constant("eighthMagic", spec.EighthMagic)
	t.eighths = words("eighths", spec.Eighths)
	t.minEighth = words("minEighth", repeat(spec.EighthBits+8*spec.MinExp2))
	t.maxEighth = words("maxEighth", repeat(spec.EighthBits+8*spec.MaxExp2))
	t.magnitude = words("magnitude", repeat(1<<31-1))
	t.nearExp2 = constant("nearExp2", spec.NearExp2)
	t.e1 = constant("e1", spec.E1)
	t.e2 = constant("e2", spec.E2)
	t.e3 = constant("e3", spec.E3)
	t.minExp = constant("minExp", spec.MinExp)
	t.log2e = constant("log2e", spec.Log2E)
	t.ln2Hi = constant("ln2Hi", spec.Ln2Hi)
	t.ln2Lo = constant("ln2Lo", spec.Ln2Lo)
	t.masks = GLOBL("masks", RODATA|NOPTR)
	for i := range 16 {
		DATA(4*i, U32(uint32(i/8)-1))
	}
	t.interleave = GLOBL("interleave", RODATA|NOPTR)
	for i := range 16 {
		DATA(4*i, U32(uint32(i&8+i&1*4+i&7/2)))
	}
	t.one = constant("one", 1)
	t.two = constant("two", 2)
	t.four = constant("four", 4)
	t.minusHalf = constant("minusHalf", -.5)
	t.halfPi = constant("halfPi", math.Pi/2)
	t.turn = constant("turn", 2*math.Pi*spec.Log2E)
	for i := range t.sin {
		t.sin[i] = constant(fmt.Sprintf("sin%d", i), spec.Sin[i])
		t.cos[i] = constant(fmt.Sprintf("cos%d", i), spec.Cos[i])
	}
	t.ln2 = constant("ln2", spec.Ln2)
	t.sign = constant("sign", float32(math.Copysign(0, -1)))
	for i, f := range spec.ExpPoly {
		t.exp[i] = constant(fmt.Sprintf("exp%d", i), f)
	}
	for i, f := range spec.AtanhPoly {
		t.atanh[i] = constant(fmt.Sprintf("atanh%d", i), f)
	}
}

// function starts an assembly function, named avx2<name> or avx512<name>,
// whose pointer arguments do not escape. doc says what it does, after the name.
func function(name, signature, doc string) {
	prefix := "avx2"
	if wide {
		prefix, held = "avx512", map[Mem]reg.VecVirtual{}
	}
	TEXT(prefix+name, NOSPLIT, signature)
	Pragma("noescape")
	Doc(prefix + name + " " + doc)
}

// finish ends a function.
func finish() {
	VZEROUPPER()
	RET()
}

// pointer is the memory at a pointer.
func pointer(r reg.Register, disp int) Mem { return Mem{Base: r, Disp: disp} }

// argument loads a parameter into a fresh register.
func argument(name string) reg.GPVirtual { return Load(Param(name), GP64()).(reg.GPVirtual) }

// slot is the stack slot of a parameter, used as a variable.
func slot(name string) Mem {
	basic, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return basic.Addr
}

// loaded is a fresh register holding the vector at m.
func loaded(m Op) reg.VecVirtual {
	r := vec()
	VMOVUPS(m, r)
	return r
}

func zeroed() reg.VecVirtual {
	r := vec()
	VXORPS(r, r, r)
	return r
}

func main() {
	ConstraintExpr("amd64,!noasm")
	constants()
	for _, v := range spec.Variants(false) {
		scanForward(v)
	}
	for _, v := range spec.Variants(true) {
		scanBackward(v)
	}
	steps()
	complexes()
	frames()
	sumLanes()
	linears()
	wide = true
	for _, v := range spec.Variants(false) {
		wideForward(v)
	}
	for _, v := range spec.Variants(true) {
		wideBackward(v)
	}
	complexes()
	frames()
	wideSumLanes()
	linears()
	Generate()
}
