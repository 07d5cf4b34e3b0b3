package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/gotypes"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Sizes of the AVX-512 kernels.
const (
	wideRows  = 2 * tileRows // two tiles of six below each other
	wideBytes = 64           // an AVX-512 register: 16 float32, a panel's width
)

// A wide is one AVX-512 tile kernel while it is written: rows × panels
// accumulators, a row of a panel being one register.
type wide struct {
	*generator
	rows, panels int
	direct       bool               // B is not packed
	half         bool               // the last panel has 8 lanes, and A is not transposed
	acc          [][]reg.VecVirtual // by row, then by panel
	// Where the tile begins to fetch ahead, and the bytes from one term to the
	// next: on the stack, since there are no registers for them.
	ahead, aheadStep operand.Mem
}

// wide writes the AVX-512 kernel for tiles of rows × 16·panels.
func (g *generator) wide(rows, panels int) {
	g.tile("mul", &wide{generator: g, rows: rows, panels: panels})
}

// wideDirect writes the kernel for tiles of rows × 32 of a B that is not
// packed.
func (g *generator) wideDirect(rows int) {
	g.tile("direct", &wide{generator: g, rows: rows, panels: 2, direct: true})
}

// tile writes a kernel.
func (g *generator) tile(kind string, w *wide) {
	rows, panels := w.rows, w.panels
	lanes := 16 * panels
	if w.half {
		lanes -= 8
	}
	name := fmt.Sprintf("avx512%s%dx%d", kind, rows, lanes)
	doc := fmt.Sprintf("%s computes the run of tiles t, %d rows × %d lanes at a time; see tiles.", name, rows, lanes)
	g.function(name, doc, "func(t *tiles)")
	for range rows {
		row := make([]reg.VecVirtual, panels)
		for j := range row {
			row[j] = g.ZMM()
		}
		w.acc = append(w.acc, row)
	}
	t := w.args()
	a, b, c, start := t.base("a"), t.base("b"), t.base("c"), t.base("start")
	count, mask := t.load("count"), w.lastMask(t)
	if w.fetches() {
		w.ahead, w.aheadStep = g.AllocLocal(8), g.AllocLocal(8)
		g.MOVQ(t.base("ahead"), w.ahead)
		g.MOVQ(g.elements(t.load("aheadStep")), w.aheadStep)
	}
	g.Label("tile")
	w.initialise(start)
	w.expect(c)
	w.loop(a, b)
	w.finish(c, mask)
	t = w.args()
	for _, s := range []struct {
		ptr   reg.GPVirtual
		field string
	}{{a, "aStep"}, {b, "bStep"}, {c, "cStep"}, {start, "startStep"}} {
		step := t.load(s.field)
		g.LEAQ(operand.Mem{Base: s.ptr, Index: step, Scale: 4}, s.ptr)
	}
	if w.fetches() {
		g.ADDQ(g.elements(t.load("aheadTile")), w.ahead)
	}
	g.DECQ(count)
	g.JNZ(operand.LabelRef("tile"))
	g.VZEROUPPER()
	g.RET()
}

// ceilingChains is the number of independent sums of the ceiling kernels: more
// than the 8 that two multiply-adds a cycle of latency 4 need.
const ceilingChains = 12

// ceiling writes a loop of nothing but independent multiply-adds.
func (g *generator) ceiling(name string, vector func() reg.VecVirtual) {
	g.function(name, fmt.Sprintf("%s runs n times %d independent multiply-adds of whole registers.", name, ceilingChains), "func(n int)")
	n, x := g.param("n"), vector()
	g.VXORPS(x.AsY(), x.AsY(), x.AsY())
	var sums []reg.VecVirtual
	for range ceilingChains {
		v := vector()
		g.VMOVAPS(x, v)
		sums = append(sums, v)
	}
	g.Label("loop")
	for _, v := range sums {
		g.VFMADD231PS(x, x, v)
	}
	g.DECQ(n)
	g.JNZ(operand.LabelRef("loop"))
	g.VZEROUPPER()
	g.RET()
}

// arguments are the kernel's argument, whose address is loaded anew wherever
// fields are read: there is no register to keep it in.
type arguments struct {
	*generator
	fields gotypes.Component
}

func (w *wide) args() arguments {
	return arguments{w.generator, w.Dereference(w.Param("t"))}
}

// fetches reports whether the kernel fetches A and C ahead: that for whole tiles
// does, which runs over many of them.
func (w *wide) fetches() bool { return w.half || w.rows == wideRows && w.panels == 2 && !w.direct }

// base loads the address of a slice's first element.
func (t arguments) base(slice string) reg.GPVirtual {
	r := t.GP64()
	t.Load(t.fields.Field(slice).Base(), r)
	return r
}

// load loads an integer field.
func (t arguments) load(field string) reg.GPVirtual {
	r := t.GP64()
	t.Load(t.fields.Field(field), r)
	return r
}

// lastMask returns the mask of the valid columns of a tile's last panel.
func (w *wide) lastMask(t arguments) reg.OpmaskVirtual {
	width, ones, mask := t.load("width"), w.GP64(), w.K()
	if w.panels > 1 {
		w.SUBQ(operand.Imm(uint64(16*(w.panels-1))), width)
	}
	w.MOVQ(operand.I32(-1), ones)
	w.BZHIQ(width, ones, ones)
	w.KMOVW(ones.As32(), mask)
	return mask
}

// initialise sets every row's accumulators to start.
func (w *wide) initialise(start reg.GPVirtual) {
	at, step := w.GP64(), reg.GPVirtual(nil)
	w.MOVQ(start, at)
	if w.panels > 1 {
		step = w.elements(w.args().load("startPanel"))
	}
	for j, v := range w.acc[0] {
		if j > 0 {
			w.ADDQ(step, at)
		}
		if w.half && j == w.panels-1 {
			w.VMOVUPS(operand.Mem{Base: at}, v.AsY())
		} else {
			w.VMOVUPS(operand.Mem{Base: at}, v)
		}
		for _, row := range w.acc[1:] {
			w.VMOVAPS(v, row[j])
		}
	}
}

// A wideCursor walks along k.
type wideCursor struct {
	a               [2]reg.GPVirtual // rows 0 and 6 of A
	row, row3, row5 reg.GPVirtual    // bytes between A's rows, times 1, 3, 5
	col             reg.GPVirtual    // bytes between two columns of A
	ahead           reg.GPVirtual    // what of A is fetched ahead
	b               [2]reg.GPVirtual // panels 0 and 4 of B
	panel, panel3   reg.GPVirtual    // bytes between two panels, times 1 and 3
	bRow, bAhead    reg.GPVirtual    // bytes between rows of a B that is not packed; how far ahead it is fetched
	fours           []reg.GPVirtual  // rows 0, 4, 8 of an A that is not transposed
	half            reg.GPVirtual    // the panel of 8 lanes
}

// beginDirect places the cursor for a B that is not packed.
func (w *wide) beginDirect(a, b reg.GPVirtual) wideCursor {
	t := w.args()
	at := wideCursor{col: w.elements(t.load("aCol")), bRow: w.elements(t.load("bRow")), bAhead: t.load("aheadStep")}
	w.IMULQ(at.bRow, at.bAhead)
	at.a[0], at.b[0] = w.GP64(), w.GP64()
	w.MOVQ(a, at.a[0])
	w.MOVQ(b, at.b[0])
	return at
}

// begin places the cursor.
func (w *wide) begin(a, b reg.GPVirtual) wideCursor {
	switch {
	case w.direct:
		return w.beginDirect(a, b)
	case w.half:
		return w.beginHalf(a, b)
	}
	t := w.args()
	at := wideCursor{row: w.elements(t.load("aRow")), col: w.elements(t.load("aCol"))}
	at.a[0], at.b[0] = w.GP64(), w.GP64()
	w.MOVQ(a, at.a[0])
	w.MOVQ(b, at.b[0])
	if w.rows > tileRows {
		at.a[1] = t.load("aHalf")
		w.LEAQ(operand.Mem{Base: a, Index: at.a[1], Scale: 4}, at.a[1])
	}
	if w.fetches() {
		at.ahead = w.GP64()
		w.MOVQ(w.ahead, at.ahead)
	}
	if w.rows > 3 {
		at.row3 = w.GP64()
		w.LEAQ(operand.Mem{Base: at.row, Index: at.row, Scale: 2}, at.row3)
	}
	if w.rows > 5 {
		at.row5 = w.GP64()
		w.LEAQ(operand.Mem{Base: at.row, Index: at.row, Scale: 4}, at.row5)
	}
	if w.panels > 1 {
		at.panel = w.elements(t.load("bPanel"))
	}
	if w.panels > 3 {
		at.panel3 = w.GP64()
		w.LEAQ(operand.Mem{Base: at.panel, Index: at.panel, Scale: 2}, at.panel3)
	}
	if w.panels > 4 {
		at.b[1] = w.GP64()
		w.LEAQ(operand.Mem{Base: b, Index: at.panel, Scale: 4}, at.b[1])
	}
	return at
}

// rowOf is the place of A's row i in the current column.
func (at *wideCursor) rowOf(i int) operand.Mem {
	if at.bRow != nil {
		return operand.Mem{Base: at.a[0], Disp: 4 * i}
	}
	base := at.a[i/tileRows]
	switch i % tileRows {
	case 0:
		return operand.Mem{Base: base}
	case 3:
		return operand.Mem{Base: base, Index: at.row3, Scale: 1}
	case 5:
		return operand.Mem{Base: base, Index: at.row5, Scale: 1}
	}
	return operand.Mem{Base: base, Index: at.row, Scale: uint8(i % tileRows)}
}

// panelOf is the place of panel j in the current row of B.
func (at *wideCursor) panelOf(j int) operand.Mem {
	if at.bRow != nil {
		return operand.Mem{Base: at.b[0], Disp: wideBytes * j}
	}
	base := at.b[j/4]
	switch j % 4 {
	case 0:
		return operand.Mem{Base: base}
	case 3:
		return operand.Mem{Base: base, Index: at.panel3, Scale: 1}
	}
	return operand.Mem{Base: base, Index: at.panel, Scale: uint8(j % 4)}
}

// loop adds the k products to the accumulators, four at a time.
func (w *wide) loop(a, b reg.GPVirtual) {
	at := w.begin(a, b)
	k := w.args().load("k")
	w.SUBQ(operand.Imm(4), k)
	w.JL(operand.LabelRef("tail"))
	w.Label("four")
	for u := range 4 {
		w.step(&at, u*wideBytes)
	}
	w.forward(&at, 4*wideBytes)
	w.SUBQ(operand.Imm(4), k)
	w.JGE(operand.LabelRef("four"))
	w.Label("tail")
	w.ADDQ(operand.Imm(4), k)
	w.JZ(operand.LabelRef("done"))
	w.Label("one")
	w.step(&at, 0)
	w.forward(&at, wideBytes)
	w.DECQ(k)
	w.JNZ(operand.LabelRef("one"))
	w.Label("done")
}

// forward moves the cursor on in B.
func (w *wide) forward(at *wideCursor, bytes int) {
	switch {
	case w.direct:
		return // step has
	case w.half:
		w.forwardHalf(at, bytes)
		return
	}
	for _, p := range at.b {
		if p != nil {
			w.ADDQ(operand.U32(bytes), p)
		}
	}
}

// step adds the outer product of one column of A and one row of B and moves
// the cursor on in A.
func (w *wide) step(at *wideCursor, disp int) {
	if w.fetches() {
		w.PREFETCHT1(operand.Mem{Base: at.ahead})
		w.ADDQ(w.aheadStep, at.ahead)
	}
	switch {
	case w.half:
		w.stepHalf(at, disp)
		return
	case w.direct:
		w.stepDirect(at)
	case w.panels == 1:
		w.stepNarrow(at, disp)
	case w.panels > w.rows:
		w.stepFlat(at, disp)
	default:
		w.stepBlock(at, disp)
	}
	for _, p := range at.a {
		if p != nil {
			w.ADDQ(at.col, p)
		}
	}
}

// stepDirect is stepBlock for a B that is not packed.
func (w *wide) stepDirect(at *wideCursor) {
	for j := range w.panels {
		w.PREFETCHT0(operand.Mem{Base: at.b[0], Index: at.bAhead, Scale: 1, Disp: wideBytes * j})
	}
	w.stepBlock(at, 0)
	w.ADDQ(at.bRow, at.b[0])
}

// stepBlock holds a row of B in registers and broadcasts A's elements, two
// ahead of their products.
func (w *wide) stepBlock(at *wideCursor, disp int) {
	b := make([]reg.VecVirtual, w.panels)
	for j := range b {
		b[j] = w.ZMM()
		w.VMOVUPS(at.panelOf(j).Offset(disp), b[j])
	}
	for i := 0; i < w.rows; i += 2 {
		pair := min(2, w.rows-i)
		var x [2]reg.VecVirtual
		for h := range pair {
			x[h] = w.ZMM()
			w.VBROADCASTSS(at.rowOf(i+h), x[h])
		}
		for h := range pair {
			for j := range b {
				w.VFMADD231PS(x[h], b[j], w.acc[i+h][j])
			}
		}
	}
}

// stepFlat holds A's elements in registers and takes B's panels from memory.
func (w *wide) stepFlat(at *wideCursor, disp int) {
	x := make([]reg.VecVirtual, w.rows)
	for i := range x {
		x[i] = w.ZMM()
		w.VBROADCASTSS(at.rowOf(i), x[i])
	}
	for j := range w.panels {
		b := w.ZMM()
		w.VMOVUPS(at.panelOf(j).Offset(disp), b)
		for i := range x {
			w.VFMADD231PS(x[i], b, w.acc[i][j])
		}
	}
}

// stepNarrow multiplies the row of the one panel by A's elements in memory,
// each of which is used once.
func (w *wide) stepNarrow(at *wideCursor, disp int) {
	b := w.ZMM()
	w.VMOVUPS(at.panelOf(0).Offset(disp), b)
	for i := range w.rows {
		w.VFMADD231PS_BCST(at.rowOf(i), b, w.acc[i][0])
	}
}

// finish adds the accumulators to C or overwrites it with them. Of the last
// panel only the columns of the mask are read and written.
func (w *wide) finish(c reg.GPVirtual, mask reg.OpmaskVirtual) {
	t := w.args()
	row, add, last := w.elements(t.load("cRow")), t.load("add"), w.panels-1
	w.TESTQ(add, add)
	w.JZ(operand.LabelRef("store"))
	old := w.ZMM()
	w.eachRow(c, row, func(at operand.Mem, acc []reg.VecVirtual) {
		for j, v := range acc[:last] {
			w.VADDPS(at.Offset(wideBytes*j), v, v)
		}
		w.VMOVUPS_Z(at.Offset(wideBytes*last), mask, old)
		w.VADDPS(old, acc[last], acc[last])
	})
	w.Label("store")
	w.eachRow(c, row, func(at operand.Mem, acc []reg.VecVirtual) {
		for j, v := range acc[:last] {
			w.VMOVUPS(v, at.Offset(wideBytes*j))
		}
		w.VMOVUPS(acc[last], mask, at.Offset(wideBytes*last))
	})
}

// expect fetches the tile of C, so that it is there when the sums are done,
// unless they are short.
func (w *wide) expect(c reg.GPVirtual) {
	if !w.fetches() {
		return
	}
	t := w.args()
	w.CMPQ(t.load("k"), operand.Imm(32))
	w.JL(operand.LabelRef("begin"))
	w.eachRow(c, w.elements(t.load("cRow")), func(at operand.Mem, acc []reg.VecVirtual) {
		for j := range acc {
			w.PREFETCHT0(at.Offset(wideBytes * j))
		}
	})
	w.Label("begin")
}

// eachRow calls f with the place in C and the accumulators of every row.
func (w *wide) eachRow(c, row reg.GPVirtual, f func(at operand.Mem, acc []reg.VecVirtual)) {
	p := w.GP64()
	w.MOVQ(c, p)
	for i, acc := range w.acc {
		f(operand.Mem{Base: p}, acc)
		if i+1 < w.rows {
			w.ADDQ(row, p)
		}
	}
}
