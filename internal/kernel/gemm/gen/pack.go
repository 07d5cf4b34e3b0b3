package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// packColumns writes the copy of the columns of a transposed A into tiles of
// six. Eight floats are moved at a time, and the next row's, or the gap
// between two tiles, take the two that are too many. They are read only where
// they are among the columns; the last one or two tiles are read under masks.
func (g *generator) packColumns() {
	g.function("packColumnsAVX2", "packColumnsAVX2 copies k rows of width floats, ld floats apart, to tiles: column 6q+r of "+
		"row p goes to dst[q·step + 6p + r]. It may overwrite 2 floats after each tile of 6k.",
		"func(k int, src *float32, ld, width int, dst *float32, step int)")
	k, src, ld, width := g.param("k"), g.param("src"), g.elements(g.param("ld")), g.param("width")
	dst, step := g.param("dst"), g.elements(g.param("step"))
	from, to, left, v := g.GP64(), g.GP64(), g.GP64(), g.YMM()
	// After the tiles with at least 8 columns left, 2 … 7 are, or width < 8.
	g.MOVQ(width, left)
	g.Label("count")
	g.CMPQ(left, operand.Imm(8))
	g.JL(operand.LabelRef("counted"))
	g.SUBQ(operand.Imm(tileRows), left)
	g.JMP(operand.LabelRef("count"))
	g.Label("counted")
	mask, last := g.mask(left, 0), g.mask(left, tileRows)
	g.Label("row")
	g.MOVQ(src, from)
	g.MOVQ(dst, to)
	g.MOVQ(width, left)
	g.SUBQ(operand.Imm(8), left)
	g.JL(operand.LabelRef("end"))
	g.Label("tile")
	g.prefetchRow(from, ld)
	g.VMOVUPS(operand.Mem{Base: from}, v)
	g.VMOVUPS(v, operand.Mem{Base: to})
	g.ADDQ(operand.Imm(4*tileRows), from)
	g.ADDQ(step, to)
	g.SUBQ(operand.Imm(tileRows), left)
	g.JGE(operand.LabelRef("tile"))
	g.Label("end")
	g.prefetchRow(from, ld)
	g.VMASKMOVPS(operand.Mem{Base: from}, mask, v)
	g.VMOVUPS(v, operand.Mem{Base: to})
	g.CMPQ(left, operand.I8(-1)) // -1: 7 columns were left
	g.JNE(operand.LabelRef("next"))
	g.ADDQ(step, to)
	g.VMASKMOVPS(operand.Mem{Base: from, Disp: 4 * tileRows}, last, v)
	g.VMOVUPS(v, operand.Mem{Base: to})
	g.Label("next")
	g.ADDQ(ld, src)
	g.ADDQ(operand.Imm(4*tileRows), dst)
	g.DECQ(k)
	g.JNZ(operand.LabelRef("row"))
	g.VZEROUPPER()
	g.RET()
}

// prefetchRow fetches what lies eight rows further: rows may be far apart,
// where the processor does not foresee the next one by itself.
func (g *generator) prefetchRow(at, ld reg.GPVirtual) {
	g.PREFETCHT0(operand.Mem{Base: at, Index: ld, Scale: 8})
}

// packRows writes the copy of rows of B into panels of 16 lanes, and a last
// one of 8 where that is enough.
func (g *generator) packRows() {
	g.function("packRowsAVX2", "packRowsAVX2 copies k rows of width floats, ld floats apart, to panels: column 16q+s of row p "+
		"goes to dst[16k·q + L·p + s], where L is 16, or 8 for a last panel of at most 8 columns. Missing columns are zero.",
		"func(k int, src *float32, ld, width int, dst *float32)")
	k, src, ld, width := g.param("k"), g.param("src"), g.elements(g.param("ld")), g.param("width")
	dst, step, panels, last := g.param("dst"), g.GP64(), g.GP64(), g.GP64()
	g.MOVQ(k, step)
	g.SHLQ(operand.Imm(6), step) // bytes between two panels
	g.MOVQ(width, panels)
	g.SHRQ(operand.Imm(4), panels)
	g.MOVQ(panels, last)
	g.IMULQ(step, last)
	g.ADDQ(dst, last) // the narrower panel
	g.ANDQ(operand.Imm(15), width)
	low, high := g.mask(width, 0), g.mask(width, 8)
	from, to, left, v, w := g.GP64(), g.GP64(), g.GP64(), g.YMM(), g.YMM()
	g.Label("row")
	g.MOVQ(src, from)
	g.MOVQ(dst, to)
	g.MOVQ(panels, left)
	g.TESTQ(left, left)
	g.JZ(operand.LabelRef("rest"))
	g.Label("panel")
	g.prefetchRow(from, ld)
	g.VMOVUPS(operand.Mem{Base: from}, v)
	g.VMOVUPS(operand.Mem{Base: from, Disp: vecBytes}, w)
	g.VMOVUPS(v, operand.Mem{Base: to})
	g.VMOVUPS(w, operand.Mem{Base: to, Disp: vecBytes})
	g.ADDQ(operand.Imm(2*vecBytes), from)
	g.ADDQ(step, to)
	g.DECQ(left)
	g.JNZ(operand.LabelRef("panel"))
	g.Label("rest")
	g.TESTQ(width, width)
	g.JZ(operand.LabelRef("next"))
	g.prefetchRow(from, ld)
	g.VMASKMOVPS(operand.Mem{Base: from}, low, v)
	g.VMOVUPS(v, operand.Mem{Base: last})
	g.ADDQ(operand.Imm(vecBytes), last)
	g.CMPQ(width, operand.Imm(8))
	g.JLE(operand.LabelRef("next"))
	g.VMASKMOVPS(operand.Mem{Base: from, Disp: vecBytes}, high, w)
	g.VMOVUPS(w, operand.Mem{Base: last})
	g.ADDQ(operand.Imm(vecBytes), last)
	g.Label("next")
	g.ADDQ(ld, src)
	g.ADDQ(operand.Imm(2*vecBytes), dst)
	g.DECQ(k)
	g.JNZ(operand.LabelRef("row"))
	g.VZEROUPPER()
	g.RET()
}

// packTransposed writes the 8×8 transposition for a transposed B.
func (g *generator) packTransposed() {
	g.function("packTransposed8", "packTransposed8 copies 8 rows of 8·blocks floats, ld floats apart, so that row r, column p "+
		"goes to dst[p·lanes+r].", "func(blocks int, src *float32, ld int, dst *float32, lanes int)")
	blocks, src, ld := g.param("blocks"), g.param("src"), g.elements(g.param("ld"))
	dst, lanes := g.param("dst"), g.elements(g.param("lanes"))
	far := g.GP64()
	g.LEAQ(operand.Mem{Base: src, Index: ld, Scale: 4}, far)
	g.Label("block")
	third := g.GP64()
	g.LEAQ(operand.Mem{Base: ld, Index: ld, Scale: 2}, third)
	var rows [8]reg.VecVirtual
	for r := range rows {
		base := src
		if r >= 4 {
			base = far
		}
		at := []operand.Mem{{Base: base}, {Base: base, Index: ld, Scale: 1}, {Base: base, Index: ld, Scale: 2},
			{Base: base, Index: third, Scale: 1}}[r%4]
		rows[r] = g.YMM()
		g.VMOVUPS(at, rows[r])
	}
	for _, column := range g.transpose(rows) {
		g.VMOVUPS(column, operand.Mem{Base: dst})
		g.ADDQ(lanes, dst)
	}
	g.ADDQ(operand.Imm(vecBytes), src)
	g.ADDQ(operand.Imm(vecBytes), far)
	g.DECQ(blocks)
	g.JNZ(operand.LabelRef("block"))
	g.VZEROUPPER()
	g.RET()
}

// transpose turns eight rows of eight into eight columns.
func (g *generator) transpose(r [8]reg.VecVirtual) [8]reg.VecVirtual {
	var pairs, quads, out [8]reg.VecVirtual
	for i := 0; i < 8; i += 2 { // r0 r1: a0 b0 a1 b1 | a4 b4 a5 b5, and the high halves
		pairs[i], pairs[i+1] = g.YMM(), g.YMM()
		g.VUNPCKLPS(r[i+1], r[i], pairs[i])
		g.VUNPCKHPS(r[i+1], r[i], pairs[i+1])
	}
	for i := 0; i < 8; i += 4 { // columns 0, 1, 2, 3 (and 4 … 7 above) of four rows
		for j := range 4 {
			v := g.YMM()
			lo, hi := pairs[i+j/2], pairs[i+2+j/2]
			g.VSHUFPS(operand.Imm([]uint64{0x44, 0xEE}[j%2]), hi, lo, v)
			quads[i+j] = v
		}
	}
	for j := range 4 {
		out[j], out[j+4] = g.YMM(), g.YMM()
		g.VPERM2F128(operand.Imm(0x20), quads[j+4], quads[j], out[j])
		g.VPERM2F128(operand.Imm(0x31), quads[j+4], quads[j], out[j+4])
	}
	return out
}
