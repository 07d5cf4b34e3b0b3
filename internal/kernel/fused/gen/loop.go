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

// A stride is the distance of an array's rows in bytes, once and three times.
type stride struct{ one, three reg.GPVirtual }

// An array is a parameter: a pointer that moves with the loop, to the first of
// up to five rows.
type array struct {
	base reg.GPVirtual
	rows stride
}

// A loop is the inside of a kernel: width vectors from vector first on, or one
// vector of which only the lanes in the mask exist.
type loop struct {
	*generator
	arrays       map[string]*array
	order        []*array
	first, width int
	unroll       int // the greatest width
	part         bool
	yMask        reg.VecVirtual
	kMask        reg.OpmaskVirtual
}

// loop loads the parameters in names, pointers to the arrays.
func (g *generator) loop(names ...string) *loop {
	l := &loop{generator: g, arrays: map[string]*array{}}
	for _, name := range names {
		p := g.GP64()
		g.Load(g.Param(name), p)
		l.arrays[name] = &array{base: p}
		l.order = append(l.order, l.arrays[name])
	}
	return l
}

// rows says that the arrays in names have rows that are as many floats apart
// as the parameter says.
func (l *loop) rows(parameter string, names ...string) {
	s := stride{l.GP64(), l.GP64()}
	l.Load(l.Param(parameter), s.one)
	l.SHLQ(operand.Imm(2), s.one)
	l.LEAQ(operand.Mem{Base: s.one, Index: s.one, Scale: 2}, s.three)
	for _, name := range names {
		l.arrays[name].rows = s
	}
}

// run writes the loop over the n columns that the parameter n says: body is
// written for unroll vectors, for one, and for a masked rest of less than one.
// All compute a lane in the same way, so an element's result does not depend
// on its place.
func (l *loop) run(unroll int, body func()) {
	left := l.GP64()
	l.Load(l.Param("n"), left)
	l.unroll = unroll
	if unroll > 1 {
		l.repeat("many", unroll, left, body)
	}
	l.repeat("single", 1, left, body)
	l.TESTQ(left, left)
	l.JZ(operand.LabelRef("end"))
	l.maskOf(left)
	body()
	l.part = false
	l.Label("end")
	l.end()
}

// abreast is how many vectors of a cell are computed side by side: with AVX2
// the registers last for one.
func (g *generator) abreast() int {
	if g.wide() {
		return 2
	}
	return 1
}

// repeat writes the loop while width vectors are left.
func (l *loop) repeat(name string, width int, left reg.GPVirtual, body func()) {
	l.width = width
	l.SUBQ(operand.U32(width*l.lanes), left)
	l.JL(operand.LabelRef(name + "End"))
	l.Label(name)
	body()
	l.move(width)
	l.SUBQ(operand.U32(width*l.lanes), left)
	l.JGE(operand.LabelRef(name))
	l.Label(name + "End")
	l.ADDQ(operand.U32(width*l.lanes), left)
}

// move moves all arrays on by some vectors.
func (l *loop) move(vectors int) {
	for _, a := range l.order {
		l.ADDQ(operand.U32(vectors*l.bytes()), a.base)
	}
}

// maskOf makes the mask of the leading lanes, and the loop partial.
func (l *loop) maskOf(count reg.GPVirtual) {
	l.part = true
	if l.wide() {
		ones := l.GP64()
		l.MOVQ(operand.U64(0xffff), ones)
		l.BZHIQ(count, ones, ones)
		l.kMask = l.K()
		l.KMOVW(ones.As32(), l.kMask)
		return
	}
	table, back := l.GP64(), l.GP64()
	l.LEAQ(l.masks.Offset(4*8), table)
	l.MOVQ(count, back)
	l.NEGQ(back)
	l.yMask = l.YMM()
	l.VMOVUPS(operand.Mem{Base: table, Index: back, Scale: 4}, l.yMask)
}

// place is the address of vector i of a row of an array.
func (l *loop) place(name string, row, i int) operand.Mem {
	a, ok := l.arrays[name]
	if !ok {
		log.Fatalf("gen: the loop has no array %s", name)
	}
	m := operand.Mem{Base: a.base, Disp: l.bytes() * (l.first + i)}
	return a.rows.from(m, row)
}

// from returns the address of a row, m being that of row 0.
func (s stride) from(m operand.Mem, row int) operand.Mem {
	switch row {
	case 1, 2, 4:
		m.Index, m.Scale = s.one, uint8(row)
	case 3:
		m.Index, m.Scale = s.three, 1
	}
	return m
}

// fresh returns new registers.
func (l *loop) fresh() vecs {
	v := make(vecs, l.width)
	for i := range v {
		v[i] = l.vector()
	}
	return v
}

// load reads the vectors of an array, loadRow those of one of its rows; lanes
// outside the mask are zero.
func (l *loop) load(name string) vecs { return l.loadRow(name, 0) }

func (l *loop) loadRow(name string, row int) vecs {
	v := l.fresh()
	for i := range v {
		from := l.place(name, row, i)
		switch {
		case !l.part:
			l.VMOVUPS(from, v[i])
		case l.wide():
			l.VMOVUPS_Z(from, l.kMask, v[i])
		default:
			l.VMASKMOVPS(from, l.yMask, v[i])
		}
	}
	return v
}

// store writes the vectors of an array, storeRow those of one of its rows.
func (l *loop) store(v vecs, name string) { l.storeRow(v, name, 0) }

func (l *loop) storeRow(v vecs, name string, row int) {
	for i := range v {
		to := l.place(name, row, i)
		switch {
		case !l.part:
			l.VMOVUPS(v[i], to)
		case l.wide():
			l.VMOVUPS(v[i], l.kMask, to)
		default:
			l.VMASKMOVPS(v[i], l.yMask, to)
		}
	}
}

// expect fetches rows first to first+count-1 of an array, counted from where the
// loop is, and backwards if first is negative: where a later call is going to need
// them. The steps of a row of the batch lie in memory one after the other, but
// between their calls come those of the other rows. Only the widest part of the
// loop fetches; what it leaves is short.
func (l *loop) expect(name string, first, count int) {
	if l.part || l.width < l.unroll {
		return
	}
	a := l.arrays[name]
	base := l.GP64()
	l.IMUL3Q(operand.I8(int8(first)), a.rows.one, base)
	l.ADDQ(a.base, base)
	for row := range count {
		for i := range l.width {
			l.PREFETCHT0(a.rows.from(operand.Mem{Base: base, Disp: l.bytes() * (l.first + i)}, row))
		}
	}
}

// addRow adds to one of an array's rows.
func (l *loop) addRow(v vecs, name string, row int) {
	sum := l.loadRow(name, row)
	l.add(sum, v)
	l.storeRow(sum, name, row)
}
