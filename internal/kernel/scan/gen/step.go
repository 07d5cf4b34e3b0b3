package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/gophersnake/gophersnake/internal/kernel/scan/spec"
)

// stepKernel is the state of the generator of one step kernel.
type stepKernel struct {
	v            spec.Variant
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
		v := spec.Variant{Signed: signed}
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
	wide = true
	sixteen()
	wide = false
}

func step(v spec.Variant) {
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

// sixteen emits the step of channels with sixteen states each, which are the
// lanes of a register, with B and C that the channels share: all that prepare,
// step and finish do for rows of sixteen channels, to the same bits. The
// constants of its three loops would not fit into the registers together.
func sixteen() {
	function("StepSixteen",
		"func(rows int, delta, bias, u, a, h, b, c, dskip, z, y, dt, du *float32)",
		"is prepare with softplus, step and finish for rows of sixteen channels of sixteen states; "+
			"ungated when z is nil. It uses sixteen floats a row of dt and du.")
	stepSizes()
	held = map[Mem]reg.VecVirtual{}
	stepStates()
	held = map[Mem]reg.VecVirtual{}
	stepOutputs()
	finish()
}

// sixteenRows emits a loop over rows of sixteen floats of the named arrays.
func sixteenRows(loop string, names []string, body func(at map[string]Mem)) {
	rows, at := argument("rows"), map[string]Mem{}
	for _, name := range names {
		at[name] = pointer(argument(name), 0)
	}
	Label(loop)
	body(at)
	for _, name := range names {
		ADDQ(Imm(2*vector), at[name].Base)
	}
	DECQ(rows)
	JNZ(LabelRef(loop))
}

// stepSizes emits dt = Δ log2(e) and du = Δ u.
func stepSizes() {
	hold(table.one)
	holdExpNegAbs()
	holdSoftplus()
	sixteenRows("sizes", []string{"delta", "bias", "u", "dt", "du"}, func(at map[string]Mem) {
		x := loaded(at["bias"])
		VADDPS(at["delta"], x, x)
		dt, du := softplus(x, expNegAbs(x)), ZMM()
		VMULPS(at["u"], dt, du)
		VMULPS(c(table.log2e), dt, dt)
		VMOVUPS(dt, at["dt"])
		VMOVUPS(du, at["du"])
	})
}

// stepStates emits the states, and Σ c h + dskip u in place of dt.
func stepStates() {
	k, a, h := loadExp2Regs(), argument("a"), argument("h")
	b, c, upper := loaded(pointer(argument("b"), 0)), loaded(pointer(argument("c"), 0)), ZMM()
	VSHUFF64X2(Imm(0b11_10_11_10), c, c, upper)
	sixteenRows("states", []string{"dt", "du", "u", "dskip"}, func(at map[string]Mem) {
		state := func(i int) (h0, low reg.VecVirtual) {
			dt, du := ZMM(), ZMM()
			VBROADCASTSS(at["dt"].Offset(4*i), dt)
			VBROADCASTSS(at["du"].Offset(4*i), du)
			abar := k.exp2(dt, pointer(a, 64*i))
			VMULPS(b, du, du)
			VFMADD132PS(pointer(h, 64*i), du, abar)
			VMOVUPS(abar, pointer(h, 64*i))
			low = zeroed()
			VFMADD231PS(c, abar, low)
			return abar, low
		}
		// Eight sums left of two channels, then four of four.
		pair := func(i, j int) reg.VecVirtual {
			h0, low0 := state(i)
			h1, low1 := state(j)
			sum, high := ZMM(), ZMM()
			VSHUFF64X2(Imm(0b01_00_01_00), low1, low0, sum)
			VSHUFF64X2(Imm(0b11_10_11_10), h1, h0, high)
			VFMADD231PS(upper, high, sum)
			return sum
		}
		quad := func(i int) reg.VecVirtual {
			return folded(VSHUFF32X4, pair(i, i+4), pair(i+8, i+12))
		}
		p := folded(VSHUFPS, quad(0), quad(1))
		q := folded(VSHUFPS, quad(2), quad(3))
		y, u := folded(VSHUFPS, p, q), loaded(at["u"])
		VFMADD231PS(at["dskip"], u, y)
		VFMADD231PS(zeroed(), u, y) // as finish does
		VMOVUPS(y, at["dt"])
		ADDQ(U32(16*64), a)
		ADDQ(U32(16*64), h)
	})
}

// folded adds the odd to the even quarters of p and q that shuffle picks: those
// of p come first.
func folded(shuffle func(ops ...Op), p, q reg.VecVirtual) reg.VecVirtual {
	even, odd := ZMM(), ZMM()
	shuffle(Imm(0b10_00_10_00), q, p, even)
	shuffle(Imm(0b11_01_11_01), q, p, odd)
	VADDPS(odd, even, even)
	return even
}

// stepOutputs emits y = dt SiLU(z), or y = dt.
func stepOutputs() {
	z := argument("z")
	TESTQ(z, z)
	JEQ(LabelRef("ungated"))
	hold(table.one)
	holdExpNegAbs()
	sixteenRows("gated", []string{"dt", "z", "y"}, func(at map[string]Mem) {
		y, z := loaded(at["dt"]), loaded(at["z"])
		VMULPS(z, y, y)
		VMULPS(sigmoid(z, expNegAbs(z)), y, y)
		VMOVUPS(y, at["y"])
	})
	finish()
	Label("ungated")
	sixteenRows("plain", []string{"dt", "y"}, func(at map[string]Mem) { VMOVUPS(loaded(at["dt"]), at["y"]) })
}
