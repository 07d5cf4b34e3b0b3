package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/gotypes"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A mul is one tile kernel while it is written: rows × panels·vecs
// accumulators, a panel of B being vecs registers wide.
type mul struct {
	*generator
	rows, vecs, panels int
	args               gotypes.Component
	acc                [][]reg.VecVirtual // by row, then by column
}

// mul writes the kernel for tiles of rows × 8·vecs·panels. More than six rows
// are two tiles below each other, several panels as many tiles beside each
// other.
func (g *generator) mul(rows, vecs, panels int) {
	lanes := 8 * vecs * panels
	name := fmt.Sprintf("mul%dx%d", rows, lanes)
	g.function(name, fmt.Sprintf("%s computes the run of tiles t, %d rows × %d lanes at a time; see tiles.", name, rows, lanes),
		"func(t *tiles)")
	m := &mul{generator: g, rows: rows, vecs: vecs, panels: panels}
	m.args = g.Dereference(g.Param("t"))
	for range rows {
		row := make([]reg.VecVirtual, vecs*panels)
		for j := range row {
			row[j] = g.YMM()
		}
		m.acc = append(m.acc, row)
	}
	a, b, c, start := m.base("a"), m.base("b"), m.base("c"), m.base("start")
	count := m.load("count")
	g.Label("tile")
	m.initialise(start)
	m.loop(a, b)
	m.finish(c)
	tiles := max(panels, (rows+tileRows-1)/tileRows)
	for _, s := range []struct {
		ptr   reg.GPVirtual
		field string
	}{{a, "aStep"}, {b, "bStep"}, {c, "cStep"}, {start, "startStep"}} {
		step := g.elements(m.load(s.field))
		for range tiles {
			g.ADDQ(step, s.ptr)
		}
	}
	g.SUBQ(operand.Imm(uint64(tiles)), count)
	g.JNZ(operand.LabelRef("tile"))
	g.VZEROUPPER()
	g.RET()
}

// base loads the address of a slice's first element.
func (m *mul) base(slice string) reg.GPVirtual {
	r := m.GP64()
	m.Load(m.args.Field(slice).Base(), r)
	return r
}

// load loads an integer field.
func (m *mul) load(field string) reg.GPVirtual {
	r := m.GP64()
	m.Load(m.args.Field(field), r)
	return r
}

// initialise sets every row's accumulators to start.
func (m *mul) initialise(start reg.GPVirtual) {
	at := start
	if m.panels > 1 {
		at = m.GP64()
		m.MOVQ(start, at)
	}
	for j, v := range m.acc[0] {
		if j > 0 && j%m.vecs == 0 {
			m.ADDQ(m.elements(m.load("startStep")), at)
		}
		m.VMOVUPS(operand.Mem{Base: at, Disp: vecBytes * (j % m.vecs)}, v)
		for _, row := range m.acc[1:] {
			m.VMOVAPS(v, row[j])
		}
	}
}

// A cursor walks along k.
type cursor struct {
	row, col reg.GPVirtual   // bytes between two rows, two columns of A
	a        []reg.GPVirtual // every third row of A
	b, b3    reg.GPVirtual   // the first and fourth panel of B
	panel    reg.GPVirtual   // bytes between two panels
}

// begin places the cursor.
func (m *mul) begin(a, b reg.GPVirtual) cursor {
	at := cursor{row: m.elements(m.load("aRow")), col: m.elements(m.load("aCol")), b: m.GP64()}
	m.MOVQ(b, at.b)
	for i := 0; i < m.rows; i += 3 {
		p := m.GP64()
		switch i {
		case 0:
			m.MOVQ(a, p)
		case tileRows: // the tile below
			m.Load(m.args.Field("aStep"), p)
			m.LEAQ(operand.Mem{Base: a, Index: p, Scale: 4}, p)
		default:
			m.LEAQ(operand.Mem{Base: at.row, Index: at.row, Scale: 2}, p)
			m.ADDQ(at.a[len(at.a)-1], p)
		}
		at.a = append(at.a, p)
	}
	if m.panels > 1 {
		at.panel = m.elements(m.load("bStep"))
	}
	if m.panels > 3 {
		at.b3 = m.GP64()
		m.LEAQ(operand.Mem{Base: at.panel, Index: at.panel, Scale: 2}, at.b3)
		m.ADDQ(b, at.b3)
	}
	return at
}

// loop adds the k products to the accumulators, four at a time.
func (m *mul) loop(a, b reg.GPVirtual) {
	at, k := m.begin(a, b), m.load("k")
	bytes := vecBytes * m.vecs
	m.SUBQ(operand.Imm(4), k)
	m.JL(operand.LabelRef("tail"))
	m.Label("four")
	for u := range 4 {
		if m.panels == 1 && u*bytes%64 == 0 && u%2 == 0 {
			m.PREFETCHT0(operand.Mem{Base: at.b, Disp: (8 + u) * bytes})
		}
		m.step(at, u*bytes)
	}
	m.forward(at, 4*bytes)
	m.SUBQ(operand.Imm(4), k)
	m.JGE(operand.LabelRef("four"))
	m.Label("tail")
	m.ADDQ(operand.Imm(4), k)
	m.JZ(operand.LabelRef("done"))
	m.Label("one")
	m.step(at, 0)
	m.forward(at, bytes)
	m.DECQ(k)
	m.JNZ(operand.LabelRef("one"))
	m.Label("done")
}

// forward moves the cursor on in B.
func (m *mul) forward(at cursor, bytes int) {
	m.ADDQ(operand.U32(bytes), at.b)
	if m.panels > 3 {
		m.ADDQ(operand.U32(bytes), at.b3)
	}
}

// step adds the outer product of one column of A and one row of B and moves
// the cursor on in A.
func (m *mul) step(at cursor, disp int) {
	if m.panels > 1 {
		m.stepWide(at, disp)
	} else {
		m.stepNarrow(at, disp)
	}
	for _, p := range at.a {
		m.ADDQ(at.col, p)
	}
}

// rowOf is the place of A's row i in the current column.
func (at cursor) rowOf(i int) operand.Mem {
	if i%3 == 0 {
		return operand.Mem{Base: at.a[i/3]}
	}
	return operand.Mem{Base: at.a[i/3], Index: at.row, Scale: uint8(i % 3)}
}

// stepNarrow holds a row of B in registers and broadcasts A's elements, two
// ahead of their products.
func (m *mul) stepNarrow(at cursor, disp int) {
	b := make([]reg.VecVirtual, m.vecs)
	for j := range b {
		b[j] = m.YMM()
		m.VMOVUPS(operand.Mem{Base: at.b, Disp: disp + vecBytes*j}, b[j])
	}
	for i := 0; i < m.rows; i += 2 {
		pair := min(2, m.rows-i)
		var x [2]reg.VecVirtual
		for h := range pair {
			x[h] = m.YMM()
			m.VBROADCASTSS(at.rowOf(i+h), x[h])
		}
		for h := range pair {
			for j := range b {
				m.VFMADD231PS(x[h], b[j], m.acc[i+h][j])
			}
		}
	}
}

// stepWide holds A's elements in registers and loads B's vectors one by one.
func (m *mul) stepWide(at cursor, disp int) {
	x := make([]reg.VecVirtual, m.rows)
	for i := range x {
		x[i] = m.YMM()
		m.VBROADCASTSS(at.rowOf(i), x[i])
	}
	for j := range m.vecs * m.panels {
		place := []operand.Mem{{Base: at.b}, {Base: at.b, Index: at.panel, Scale: 1},
			{Base: at.b, Index: at.panel, Scale: 2}, {Base: at.b3}}[j/m.vecs]
		b := m.YMM()
		m.VMOVUPS(place.Offset(disp+vecBytes*(j%m.vecs)), b)
		for i := range x {
			m.VFMADD231PS(x[i], b, m.acc[i][j])
		}
	}
}

// finish adds the accumulators to C or overwrites it with them.
func (m *mul) finish(c reg.GPVirtual) {
	row, add := m.elements(m.load("cRow")), m.load("add")
	var width reg.GPVirtual
	if m.panels == 1 {
		width = m.load("width")
		m.CMPQ(width, operand.Imm(uint64(8*m.vecs)))
		m.JNE(operand.LabelRef("edge"))
	}
	m.TESTQ(add, add)
	m.JZ(operand.LabelRef("store"))
	m.eachRow(c, row, func(at operand.Mem, acc []reg.VecVirtual) {
		for j, v := range acc {
			m.VADDPS(at.Offset(vecBytes*j), v, v)
		}
	})
	m.Label("store")
	m.eachRow(c, row, func(at operand.Mem, acc []reg.VecVirtual) {
		for j, v := range acc {
			m.VMOVUPS(v, at.Offset(vecBytes*j))
		}
	})
	if m.panels > 1 {
		return
	}
	m.JMP(operand.LabelRef("next"))
	m.Label("edge")
	m.edge(c, row, width, add)
	m.Label("next")
}

// eachRow calls f with the place in C and the accumulators of every row.
func (m *mul) eachRow(c, row reg.GPVirtual, f func(at operand.Mem, acc []reg.VecVirtual)) {
	p := m.GP64()
	m.MOVQ(c, p)
	for i, acc := range m.acc {
		f(operand.Mem{Base: p}, acc)
		if i+1 < m.rows {
			m.ADDQ(row, p)
		}
	}
}

// edge finishes a tile with fewer than 8·vecs columns. Only the last vector
// is partial, since a panel of at most 8 columns has one vector. C is read
// through a mask, and written in pieces of 8, 4, 2 and 1 columns: masked
// stores are slow on AMD processors.
func (m *mul) edge(c, row, width, add reg.GPVirtual) {
	last := m.vecs - 1
	m.TESTQ(add, add)
	m.JZ(operand.LabelRef("pieces"))
	mask, old := m.mask(width, 8*last), m.YMM()
	m.eachRow(c, row, func(at operand.Mem, acc []reg.VecVirtual) {
		for j, v := range acc {
			if j < last {
				m.VADDPS(at.Offset(vecBytes*j), v, v)
				continue
			}
			m.VMASKMOVPS(at.Offset(vecBytes*j), mask, old)
			m.VADDPS(old, v, v)
		}
	})
	m.Label("pieces")
	to := m.GP64()
	m.MOVQ(c, to)
	if last == 1 {
		m.eachRow(c, row, func(at operand.Mem, acc []reg.VecVirtual) { m.VMOVUPS(acc[0], at) })
		m.ADDQ(operand.Imm(vecBytes), to)
	}
	m.pieces(to, row, width)
}

// pieces writes the leading width mod 8 columns of each row's last vector.
func (m *mul) pieces(to, row, width reg.GPVirtual) {
	last := m.vecs - 1
	for _, n := range []int{4, 2, 1} {
		skip := fmt.Sprintf("less%d", n)
		m.TESTQ(operand.U32(n), width)
		m.JZ(operand.LabelRef(skip))
		m.eachRow(to, row, func(at operand.Mem, acc []reg.VecVirtual) {
			v := acc[last]
			x := v.AsX()
			switch n {
			case 4:
				m.VMOVUPS(x, at)
				m.VEXTRACTF128(operand.Imm(1), v, x)
			case 2:
				m.VMOVLPS(x, at)
				m.VPSRLDQ(operand.Imm(8), x, x)
			case 1:
				m.VMOVSS(x, at)
			}
		})
		m.ADDQ(operand.Imm(uint64(4*n)), to)
		m.Label(skip)
	}
}
