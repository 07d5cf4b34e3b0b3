package main

import (
	"log"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// vecs are the registers that hold the same value of several vectors. The
// operations below write one instruction for each of them, so that the
// processor has independent instructions side by side.
type vecs []reg.VecVirtual

// A loop is the inside of a kernel over slices of one length: width vectors
// at the offset at, or one vector of which only the lanes in mask exist.
type loop struct {
	*generator
	base  map[string]reg.GPVirtual
	at    reg.GPVirtual // floats done
	width int
	mask  reg.Register // of the last lanes, if partial
	part  bool
}

// over writes the loop of a kernel over the slices in args, which have equal
// lengths: body is written for unroll vectors, for one, and for a masked rest
// of less than one. All three compute a lane in the same way, so an element's
// result depends neither on its place nor on the slices' length.
func (g *generator) over(args []string, unroll int, body func(l *loop)) {
	l := &loop{generator: g, base: map[string]reg.GPVirtual{}, at: g.GP64()}
	for _, name := range args {
		l.base[name] = g.GP64()
		g.Load(g.Param(name).Base(), l.base[name])
	}
	left := g.GP64()
	g.Load(g.Param(args[0]).Len(), left)
	g.XORQ(l.at, l.at)
	if unroll > 1 {
		l.repeat("many", unroll, left, body)
	}
	l.repeat("single", 1, left, body)
	g.TESTQ(left, left)
	g.JZ(operand.LabelRef("end"))
	l.part, l.mask = true, g.maskOf(left)
	body(l)
	g.Label("end")
}

// repeat writes the loop while width vectors are left.
func (l *loop) repeat(name string, width int, left reg.GPVirtual, body func(l *loop)) {
	l.width = width
	l.SUBQ(operand.U32(width*l.lanes()), left)
	l.JL(operand.LabelRef(name + "End"))
	l.Label(name)
	body(l)
	l.ADDQ(operand.U32(width*l.lanes()), l.at)
	l.SUBQ(operand.U32(width*l.lanes()), left)
	l.JGE(operand.LabelRef(name))
	l.Label(name + "End")
	l.ADDQ(operand.U32(width*l.lanes()), left)
}

// maskOf returns the mask of the leading lanes, at most those of a register.
func (g *generator) maskOf(count reg.GPVirtual) reg.Register {
	if g.wide {
		bits, k := g.GP64(), g.K()
		g.MOVQ(count, reg.RCX)
		g.MOVQ(operand.U32(1), bits)
		g.SHLQ(reg.CL, bits)
		g.DECQ(bits)
		g.KMOVW(bits.As32(), k)
		return k
	}
	table, m := g.GP64(), g.YMM()
	g.LEAQ(g.masks.Offset(4*lanes), table)
	g.NEGQ(count)
	g.VMOVUPS(operand.Mem{Base: table, Index: count, Scale: 4}, m)
	return m
}

func (l *loop) place(arg string, i int) operand.Mem {
	base, ok := l.base[arg]
	if !ok {
		log.Fatalf("gen: the loop is not over %s", arg)
	}
	return operand.Mem{Base: base, Index: l.at, Scale: 4, Disp: 4 * l.lanes() * i}
}

// fresh returns new registers.
func (l *loop) fresh() vecs {
	v := make(vecs, l.width)
	for i := range v {
		v[i] = l.vector()
	}
	return v
}

// load reads the vectors of a slice; lanes outside the mask are zero.
func (l *loop) load(arg string) vecs {
	v := l.fresh()
	for i := range v {
		switch {
		case !l.part:
			l.VMOVUPS(l.place(arg, i), v[i])
		case l.wide:
			l.VMOVUPS_Z(l.place(arg, i), l.mask, v[i])
		default:
			l.VMASKMOVPS(l.place(arg, i), l.mask, v[i])
		}
	}
	return v
}

// store writes the vectors of a slice.
func (l *loop) store(v vecs, arg string) {
	for i := range v {
		switch {
		case !l.part:
			l.VMOVUPS(v[i], l.place(arg, i))
		case l.wide:
			l.VMOVUPS(v[i], l.mask, l.place(arg, i))
		default:
			l.VMASKMOVPS(v[i], l.mask, l.place(arg, i))
		}
	}
}

// all returns registers filled with a constant: the same one for each vector.
func (l *loop) all(m operand.Mem) vecs {
	r := l.vector()
	l.fill(r, m)
	return l.same(r)
}

// fill sets all lanes of r to a constant.
func (g *generator) fill(r reg.VecVirtual, m operand.Mem) {
	if g.wide {
		g.VBROADCASTSS(m, r)
	} else {
		g.VMOVUPS(m, r)
	}
}

// constant returns new registers filled with a constant, to be changed.
func (l *loop) constant(c float32) vecs {
	v := l.fresh()
	for i := range v {
		l.fill(v[i], l.float(c))
	}
	return v
}

// copy returns x in new registers.
func (l *loop) copy(x vecs) vecs {
	v := l.fresh()
	for i := range v {
		l.VMOVAPS(x[i], v[i])
	}
	return v
}

// same repeats one register for each vector.
func (l *loop) same(r reg.VecVirtual) vecs {
	v := make(vecs, l.width)
	for i := range v {
		v[i] = r
	}
	return v
}

// op returns the right operand of an instruction for vector i: a constant in
// memory, one register, or one register for each vector.
func op(x any, i int) operand.Op {
	switch x := x.(type) {
	case vecs:
		return x[i]
	case reg.VecVirtual:
		return x
	case operand.Mem:
		return x
	}
	log.Fatalf("gen: %T is no operand", x)
	return nil
}

// instruction is a form of an instruction.
type instruction = func(ops ...operand.Op)

// form returns the form for the right operand x: wide instructions read one
// copy of a constant in memory.
func (g *generator) form(x any, plain, broadcast instruction) instruction {
	if _, ok := x.(operand.Mem); ok && g.wide {
		return broadcast
	}
	return plain
}

// The arithmetic, in place: the first argument is changed.

func (l *loop) add(v vecs, x any) { // v += x
	for i := range v {
		l.form(x, l.VADDPS, l.VADDPS_BCST)(op(x, i), v[i], v[i])
	}
}

func (l *loop) sub(v vecs, x any) { // v -= x
	for i := range v {
		l.form(x, l.VSUBPS, l.VSUBPS_BCST)(op(x, i), v[i], v[i])
	}
}

func (l *loop) mul(v vecs, x any) { // v *= x
	for i := range v {
		l.form(x, l.VMULPS, l.VMULPS_BCST)(op(x, i), v[i], v[i])
	}
}

func (l *loop) div(v vecs, x any) { // v /= x
	for i := range v {
		l.form(x, l.VDIVPS, l.VDIVPS_BCST)(op(x, i), v[i], v[i])
	}
}

func (l *loop) horner(v, x vecs, c any) { // v = v·x + c
	for i := range v {
		l.form(c, l.VFMADD213PS, l.VFMADD213PS_BCST)(op(c, i), x[i], v[i])
	}
}

func (l *loop) addMul(v, x vecs, y any) { // v += x·y
	for i := range v {
		l.form(y, l.VFMADD231PS, l.VFMADD231PS_BCST)(op(y, i), x[i], v[i])
	}
}

func (l *loop) subMul(v, x vecs, y any) { // v -= x·y
	for i := range v {
		l.form(y, l.VFNMADD231PS, l.VFNMADD231PS_BCST)(op(y, i), x[i], v[i])
	}
}

func (l *loop) or(v vecs, x any) { // v |= x
	for i := range v {
		l.form(x, l.VORPS, l.VORPS_BCST)(op(x, i), v[i], v[i])
	}
}

func (l *loop) and(v vecs, x any) { // v &= x
	for i := range v {
		l.form(x, l.VANDPS, l.VANDPS_BCST)(op(x, i), v[i], v[i])
	}
}

// product returns x·y in new registers, sum x+y, difference x-y.
func (l *loop) product(x vecs, y any) vecs {
	v := l.fresh()
	for i := range v {
		l.form(y, l.VMULPS, l.VMULPS_BCST)(op(y, i), x[i], v[i])
	}
	return v
}

func (l *loop) sum(x vecs, y any) vecs {
	v := l.fresh()
	for i := range v {
		l.form(y, l.VADDPS, l.VADDPS_BCST)(op(y, i), x[i], v[i])
	}
	return v
}

func (l *loop) difference(x vecs, y any) vecs {
	v := l.fresh()
	for i := range v {
		l.form(y, l.VSUBPS, l.VSUBPS_BCST)(op(y, i), x[i], v[i])
	}
	return v
}

// signed sets r to x where s has its sign bit set, and to y elsewhere.
func (g *generator) signed(s, x, y, r reg.VecVirtual) {
	if !g.wide {
		g.VBLENDVPS(s, x, y, r)
		return
	}
	k := g.K()
	g.VPMOVD2M(s, k)
	g.VBLENDMPS(x, y, k, r)
}

// most caps v at limit and least floors it; NaN stays NaN, which is why v is
// the instruction's second source.
func (l *loop) most(v vecs, limit operand.Mem) {
	bound := l.all(limit)
	for i := range v {
		l.VMINPS(v[i], bound[i], v[i])
	}
}

func (l *loop) least(v vecs, limit operand.Mem) {
	bound := l.all(limit)
	for i := range v {
		l.VMAXPS(v[i], bound[i], v[i])
	}
}
