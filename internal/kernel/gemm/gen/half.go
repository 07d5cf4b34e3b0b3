package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// wideHalf writes the AVX-512 kernel for tiles of rows × (16·panels + 8), the
// last panel having 8 lanes, for an A that is not transposed: its rows are
// evenly apart, and the terms of one lie together.
func (g *generator) wideHalf(rows, panels int) {
	g.tile("half", &wide{generator: g, rows: rows, panels: panels + 1, half: true})
}

// beginHalf places the cursor.
func (w *wide) beginHalf(a, b reg.GPVirtual) wideCursor {
	t := w.args()
	at := wideCursor{row: w.elements(t.load("aRow")), row3: w.GP64(), half: w.elements(t.load("bPanel"))}
	w.LEAQ(operand.Mem{Base: at.row, Index: at.row, Scale: 2}, at.row3)
	for i := 0; i < w.rows; i += 4 {
		p := w.GP64()
		if i == 0 {
			w.MOVQ(a, p)
		} else {
			w.LEAQ(operand.Mem{Base: at.fours[i/4-1], Index: at.row, Scale: 4}, p)
		}
		at.fours = append(at.fours, p)
	}
	at.b[0], at.ahead = w.GP64(), w.GP64()
	w.MOVQ(b, at.b[0])
	w.MOVQ(w.ahead, at.ahead)
	if w.panels == 3 {
		at.panel = w.GP64()
		w.MOVQ(at.half, at.panel)
		w.ADDQ(at.half, at.half)
	}
	w.ADDQ(b, at.half)
	return at
}

// stepHalf is stepBlock for a panel or two and a half one, for term
// disp/wideBytes after the cursor's.
func (w *wide) stepHalf(at *wideCursor, disp int) {
	b := make([]reg.VecVirtual, w.panels)
	for j := range b {
		b[j] = w.ZMM()
	}
	w.VMOVUPS(at.panelOf(0).Offset(disp), b[0])
	if w.panels == 3 {
		w.VMOVUPS(at.panelOf(1).Offset(disp), b[1])
	}
	w.VMOVUPS(operand.Mem{Base: at.half, Disp: disp / 2}, b[w.panels-1].AsY())
	for i := 0; i < w.rows; i += 2 {
		var x [2]reg.VecVirtual
		for h := range x {
			x[h] = w.ZMM()
			w.VBROADCASTSS(at.rowOfHalf(i+h, disp/16), x[h])
		}
		for h := range x {
			for j := range b {
				w.VFMADD231PS(x[h], b[j], w.acc[i+h][j])
			}
		}
	}
}

// rowOfHalf is the place of A's row i, disp bytes after the cursor's column.
func (at *wideCursor) rowOfHalf(i, disp int) operand.Mem {
	m := operand.Mem{Base: at.fours[i/4], Disp: disp}
	switch i % 4 {
	case 1, 2:
		m.Index, m.Scale = at.row, uint8(i%4)
	case 3:
		m.Index, m.Scale = at.row3, 1
	}
	return m
}

// forwardHalf moves the cursor on by some terms.
func (w *wide) forwardHalf(at *wideCursor, bytes int) {
	w.ADDQ(operand.U32(bytes), at.b[0])
	w.ADDQ(operand.U32(bytes/2), at.half)
	for _, p := range at.fours {
		w.ADDQ(operand.U32(bytes/16), p)
	}
}
