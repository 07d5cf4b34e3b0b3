package main

import (
	"fmt"

	"github.com/gophersnake/gophersnake/internal/kernel/arm64/asm"
)

// A mul is one tile kernel while it is written: rows × panels·vecs
// accumulators, a panel of B being vecs registers wide.
type mul struct {
	*asm.Func
	offsets            map[string]int
	rows, vecs, panels int
	t                  asm.GP
	acc                [][]asm.Vec // by row, then by column
}

// writeMul writes the kernel for tiles of rows × 4·vecs·panels; several panels
// are as many tiles beside each other. Lanes of A's registers are the factors,
// so that nothing is broadcast: a register holds four terms of a row where the
// terms of A lie together (aCol = 1), and the rows of a term otherwise, where
// the rows must lie together (aRow = 1).
func writeMul(file *asm.File, offsets map[string]int, rows, vecs, panels int) {
	lanes := 4 * vecs * panels
	doc := fmt.Sprintf("computes the run of tiles t, %d rows × %d lanes at a time; see tiles. aCol or aRow must be 1.",
		rows, lanes)
	m := &mul{offsets: offsets, rows: rows, vecs: vecs, panels: panels,
		Func: file.Func(fmt.Sprintf("neonMul%dx%d", rows, lanes), doc, "t *tiles")}
	m.t = m.Arg("t")
	for range rows {
		row := make([]asm.Vec, vecs*panels)
		for j := range row {
			row[j] = m.Vec()
		}
		m.acc = append(m.acc, row)
	}
	a, b, c, start, count := m.load("a"), m.load("b"), m.load("c"), m.load("start"), m.load("count")
	m.Label("tile")
	m.initialise(start)
	m.JumpIf(m.load("aCol"), "NE", 1, "columns")
	m.alongRows(a, b)
	m.Label("columns")
	m.alongColumns(a, b)
	m.Label("done")
	m.finish(c)
	for _, s := range []struct {
		p    asm.GP
		step string
	}{{a, "aStep"}, {b, "bStep"}, {c, "cStep"}, {start, "startStep"}} {
		step := m.bytes(s.step)
		for range panels {
			m.Add(s.p, s.p, step)
		}
	}
	m.CountDown(count, panels, "NE", "tile")
	m.Ret()
}

// load loads a field, of a slice its address.
func (m *mul) load(field string) asm.GP { return m.Word64(m.t, m.offsets[field]) }

// bytes is a field that counts floats, in bytes.
func (m *mul) bytes(field string) asm.GP {
	r := m.load(field)
	m.ShlI(r, r, 2)
	return r
}

// initialise sets every row's accumulators to start.
func (m *mul) initialise(start asm.GP) {
	at := m.GP()
	m.Mov(at, start)
	for j, v := range m.acc[0] {
		if j > 0 && j%m.vecs == 0 {
			m.Add(at, at, m.bytes("startStep"))
		}
		m.Move(v, m.Load(at, vecBytes*(j%m.vecs)))
		for _, row := range m.acc[1:] {
			m.Move(row[j], v)
		}
	}
}

// panelPointers are pointers to the first row of every panel of B.
func (m *mul) panelPointers(b asm.GP) []asm.GP {
	p := make([]asm.GP, m.panels)
	for i := range p {
		p[i] = m.GP()
		if i == 0 {
			m.Mov(p[0], b)
		} else {
			m.Add(p[i], p[i-1], m.bytes("bStep"))
		}
	}
	return p
}

// term adds the products of one term: row u of the panels at b with, for each
// row of C, the lane of a register of A.
func (m *mul) term(b []asm.GP, u int, factor func(row int) (asm.Vec, int)) {
	for j := 0; j < m.vecs*m.panels; j += 2 {
		pair := m.LoadPair(b[j/m.vecs], vecBytes*(u*m.vecs+j%m.vecs))
		for i := range m.acc {
			x, lane := factor(i)
			m.FMulAddLane(m.acc[i][j], pair[0], x, lane)
			m.FMulAddLane(m.acc[i][j+1], pair[1], x, lane)
		}
	}
}

// byFours emits the loops over k, four terms at a time and then one.
func (m *mul) byFours(name string, b []asm.GP, four, one func()) {
	k := m.load("k")
	forward := func(terms int) {
		for _, p := range b {
			m.AddI(p, p, terms*vecBytes*m.vecs)
		}
	}
	m.CountDown(k, 4, "LT", name+"Tail")
	m.Label(name + "Four")
	four()
	forward(4)
	m.CountDown(k, 4, "GE", name+"Four")
	m.Label(name + "Tail")
	m.AddI(k, k, 4)
	m.JumpIf(k, "EQ", 0, "done")
	m.Label(name + "One")
	one()
	forward(1)
	m.CountDown(k, 1, "NE", name+"One")
	m.Jump("done")
}

// alongRows adds all products where the terms of a row of A lie together.
func (m *mul) alongRows(a, b asm.GP) {
	at, panels := make([]asm.GP, m.rows), m.panelPointers(b)
	for i := range at {
		at[i] = m.GP()
		if i == 0 {
			m.Mov(at[0], a)
		} else {
			m.Add(at[i], at[i-1], m.bytes("aRow"))
		}
	}
	x := make([]asm.Vec, m.rows)
	m.byFours("rows", panels, func() {
		for i := range x {
			x[i] = m.LoadNext(at[i], 4*4)
		}
		for u := range 4 {
			m.term(panels, u, func(row int) (asm.Vec, int) { return x[row], u })
		}
	}, func() {
		for i := range x {
			x[i] = m.LoadOneNext(at[i], 4)
		}
		m.term(panels, 0, func(row int) (asm.Vec, int) { return x[row], 0 })
	})
}

// alongColumns adds all products where the rows of a term of A lie together.
func (m *mul) alongColumns(a, b asm.GP) {
	at, step, panels := m.GP(), m.bytes("aCol"), m.panelPointers(b)
	m.Mov(at, a)
	one := func(u int) {
		x := m.column(at)
		m.Add(at, at, step)
		m.term(panels, u, func(row int) (asm.Vec, int) { return x[row/4], row % 4 })
	}
	m.byFours("columns", panels, func() {
		for u := range 4 {
			one(u)
		}
	}, func() { one(0) })
}

// column loads as many floats as there are rows, and no more.
func (m *mul) column(at asm.GP) (x []asm.Vec) {
	i := 0
	for ; i+4 <= m.rows; i += 4 {
		x = append(x, m.Load(at, 4*i))
	}
	switch m.rows - i {
	case 1:
		x = append(x, m.LoadOne(at, 4*i))
	case 2:
		x = append(x, m.LoadHalf(at, 4*i))
	case 3:
		low, high := m.LoadHalf(at, 4*i), m.LoadOne(at, 4*i+8)
		m.ZipHalves1(low, low, high)
		x = append(x, low)
	}
	return x
}

// finish adds the accumulators to C or overwrites it with them.
func (m *mul) finish(c asm.GP) {
	row, add := m.bytes("cRow"), m.load("add")
	var width asm.GP
	if m.panels == 1 {
		width = m.load("width")
		m.JumpIf(width, "NE", 4*m.vecs, "edge")
	}
	m.JumpIf(add, "EQ", 0, "store")
	m.eachRow(c, row, func(p asm.GP, acc []asm.Vec) {
		for j := 0; j < len(acc); j += 2 {
			old := m.LoadPair(p, vecBytes*j)
			m.FAdd(acc[j], old[0], acc[j])
			m.FAdd(acc[j+1], old[1], acc[j+1])
		}
	})
	m.Label("store")
	m.eachRow(c, row, func(p asm.GP, acc []asm.Vec) {
		for j := 0; j < len(acc); j += 2 {
			m.StorePair([2]asm.Vec{acc[j], acc[j+1]}, p, vecBytes*j)
		}
	})
	if m.panels > 1 {
		return
	}
	m.Jump("next")
	m.Label("edge")
	m.JumpIf(add, "EQ", 0, "overwrite")
	m.edge("add", c, row, width, true)
	m.Jump("next")
	m.Label("overwrite")
	m.edge("put", c, row, width, false)
	m.Label("next")
}

// eachRow calls f with the place in C and the accumulators of every row.
func (m *mul) eachRow(c, row asm.GP, f func(p asm.GP, acc []asm.Vec)) {
	p := m.GP()
	m.Mov(p, c)
	for i, acc := range m.acc {
		f(p, acc)
		if i+1 < m.rows {
			m.Add(p, p, row)
		}
	}
}

// edge finishes a tile with fewer than 4·vecs columns, in pieces of 8, 4, 2
// and 1 columns; after each, what is left is moved to the first lanes.
func (m *mul) edge(name string, c, row, width asm.GP, add bool) {
	to := m.GP()
	m.Mov(to, c)
	for n := 2 * m.vecs; n > 0; n /= 2 {
		skip := fmt.Sprintf("%s%d", name, n)
		bit := map[int]int{1: 0, 2: 1, 4: 2, 8: 3}[n]
		m.JumpUnlessBit(width, bit, skip)
		m.eachRow(to, row, func(p asm.GP, acc []asm.Vec) { m.piece(n, p, acc, add) })
		m.AddI(to, to, 4*n)
		m.Label(skip)
	}
}

// piece writes n columns of a row at p.
func (m *mul) piece(n int, p asm.GP, acc []asm.Vec, add bool) {
	load, store := m.Load, m.Store
	switch n {
	case 1:
		load, store = m.LoadOne, m.StoreOne
	case 2:
		load, store = m.LoadHalf, m.StoreHalf
	}
	for j := range max(n/4, 1) {
		if add {
			m.FAdd(acc[j], load(p, vecBytes*j), acc[j])
		}
		store(acc[j], p, vecBytes*j)
	}
	switch n {
	case 8:
		m.Move(acc[0], acc[2])
		m.Move(acc[1], acc[3])
	case 4:
		m.Move(acc[0], acc[1])
	case 2:
		m.HighHalf(acc[0], acc[0])
	}
}

// writePackTransposed writes the kernel that turns four rows into four lanes.
func writePackTransposed(file *asm.File) {
	f := file.Func("neonPackTransposed4",
		"copies 4 rows of 4·blocks floats, ld floats apart, so that row r, column p goes to dst[p·lanes+r].",
		"blocks int, src *float32, ld int, dst *float32, lanes int")
	blocks, dst, ld, lanes := f.Arg("blocks"), f.Arg("dst"), f.Arg("ld"), f.Arg("lanes")
	f.ShlI(ld, ld, 2)
	f.ShlI(lanes, lanes, 2)
	var src [4]asm.GP
	for i := range src {
		if i == 0 {
			src[0] = f.Arg("src")
			continue
		}
		src[i] = f.GP()
		f.Add(src[i], src[i-1], ld)
	}
	f.Label("block")
	var x [4]asm.Vec
	for i := range x {
		x[i] = f.LoadNext(src[i], vecBytes)
	}
	zipped := [4]asm.Vec{f.Vec(), f.Vec(), f.Vec(), f.Vec()} // of rows 0 and 1, then of 2 and 3
	f.Zip1(zipped[0], x[0], x[1])
	f.Zip2(zipped[1], x[0], x[1])
	f.Zip1(zipped[2], x[2], x[3])
	f.Zip2(zipped[3], x[2], x[3])
	for p := range 4 {
		column, zip := f.Vec(), f.ZipHalves1
		if p%2 == 1 {
			zip = f.ZipHalves2
		}
		zip(column, zipped[p/2], zipped[2+p/2])
		f.Store(column, dst, 0)
		f.Add(dst, dst, lanes)
	}
	f.CountDown(blocks, 1, "NE", "block")
	f.Ret()
}
