package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/gophersnake/gophersnake/internal/kernel/scan/spec"
)

// stepKernel is the state of the generator of one step kernel.
type stepKernel struct {
	v            variant
	k            exp2Regs
	a, h, b, c   reg.GPVirtual // this channel's rows
	i            reg.GPVirtual // byte offset in them
	dt, du, y    reg.VecVirtual
	tail         reg.VecVirtual // lanes of the last, partial vector
	load         func(m Mem) reg.VecVirtual
	store        func(r reg.VecVirtual, m Mem)
	states, rest reg.GPVirtual // bytes of the states, and of whole vectors of them
}

// steps emits the kernels of a single step, whose lanes are states.
func steps() {
	for _, signed := range []bool{false, true} {
		v := variant{signed: signed}
		name := "Step"
		if signed {
			name += "Signed"
		}
		function(name,
			"func(rows int, frame *float32, states int, a, h, b, c, dskip *float32, bStep, cStep int)",
			"runs h = exp(Δ a) h + Δu b and field Y = Σ c h + dskip u for rows of eight channels; steps from channel to channel in bytes.")
		step(v)
		finish()
	}
}

func step(v variant) {
	s := &stepKernel{v: v, k: loadExp2Regs(), a: argument("a"), h: argument("h"), b: argument("b"), c: argument("c"), i: GP64()}
	frame, dskip, lane := argument("frame"), argument("dskip"), GP64()
	s.states, s.rest, s.tail = argument("states"), GP64(), YMM()
	SHLQ(Imm(2), s.states)
	MOVQ(s.states, s.rest)
	ANDQ(I32(-vector), s.rest)
	masks, from := GP64(), GP64()
	LEAQ(table.masks, masks)
	MOVQ(s.rest, from)
	SUBQ(s.states, from) // minus the bytes of the tail
	VMOVUPS(Mem{Base: masks, Index: from, Scale: 1, Disp: vector}, s.tail)
	Label("rows")
	MOVQ(U32(spec.Lanes), lane)
	Label("channels")
	s.channel(frame, dskip)
	ADDQ(s.states, s.a)
	ADDQ(s.states, s.h)
	ADDQ(slot("bStep"), s.b)
	ADDQ(slot("cStep"), s.c)
	ADDQ(Imm(4), frame)
	ADDQ(Imm(4), dskip)
	DECQ(lane)
	JNZ(LabelRef("channels"))
	ADDQ(U32(rowBytes()-vector), frame)
	DECQ(slot("rows"))
	JNZ(LabelRef("rows"))
}

// channel emits all states of one channel and its output.
func (s *stepKernel) channel(frame, dskip reg.GPVirtual) {
	s.dt, s.du, s.y = YMM(), YMM(), zeroed()
	VBROADCASTSS(field(frame, spec.Dt), s.dt)
	VMULPS(table.log2e, s.dt, s.dt)
	VBROADCASTSS(field(frame, spec.DtU), s.du)
	XORQ(s.i, s.i)
	Label("vectors")
	CMPQ(s.i, s.rest)
	JGE(LabelRef("rest"))
	s.load = func(m Mem) reg.VecVirtual { return loaded(m) }
	s.store = func(r reg.VecVirtual, m Mem) { VMOVUPS(r, m) }
	s.vector()
	ADDQ(Imm(vector), s.i)
	JMP(LabelRef("vectors"))
	Label("rest")
	CMPQ(s.rest, s.states)
	JE(LabelRef("sum"))
	s.load = func(m Mem) reg.VecVirtual {
		r := YMM()
		VMASKMOVPS(m, s.tail, r)
		return r
	}
	s.store = func(r reg.VecVirtual, m Mem) { VMASKMOVPS(r, s.tail, m) }
	s.vector()
	Label("sum")
	high, y := XMM(), s.y.AsX()
	VEXTRACTF128(Imm(1), s.y, high)
	VADDPS(high, y, y)
	VHADDPS(y, y, y)
	VHADDPS(y, y, y)
	u := XMM()
	VMOVSS(field(frame, spec.U), u)
	VFMADD231SS(pointer(dskip, 0), u, y)
	VMOVSS(y, field(frame, spec.Y))
}

// vector emits eight states.
func (s *stepKernel) vector() {
	at := func(r reg.GPVirtual) Mem { return Mem{Base: r, Index: s.i, Scale: 1} }
	abar := decay(s.v, s.k, s.dt, s.load(at(s.a)))
	in, h := s.load(at(s.b)), s.load(at(s.h))
	VMULPS(s.du, in, in)
	VFMADD213PS(in, abar, h)
	s.store(h, at(s.h))
	VFMADD231PS(s.load(at(s.c)), h, s.y)
}
