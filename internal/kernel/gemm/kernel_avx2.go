//go:build amd64 && !noasm

package gemm

import "github.com/gophersnake/gophersnake/internal/kernel/isa"

// multiplyDown runs the kernel for tiles of 6 × lanes over t, tiles that lie
// below each other.
func multiplyDown(lanes int, t *tiles) {
	if pairs := t.count &^ 1; isa.UseAVX2 && lanes == halfCols && pairs > 0 {
		rest := t.count - pairs
		t.count = pairs
		mul12x8(t)
		if rest == 0 {
			return
		}
		t.a, t.c, t.count = t.a[pairs*t.aStep:], t.c[pairs*t.cStep:], rest
	}
	multiply(tileRows, lanes, t)
}

// multiplyAcross runs the kernel for tiles of rows × 16 over t, tiles of whole
// panels that lie beside each other.
func multiplyAcross(rows int, t *tiles) {
	together := [tileRows + 1]int{1: 4, 2: 2, 3: 2, 4: 1, 5: 1, 6: 1}[rows]
	if wide := t.count / together * together; isa.UseAVX2 && together > 1 && wide > 0 {
		rest := t.count - wide
		t.count = wide
		switch rows {
		case 1:
			mul1x64(t)
		case 2:
			mul2x32(t)
		case 3:
			mul3x32(t)
		}
		if rest == 0 {
			return
		}
		t.b, t.c, t.start, t.count = t.b[wide*t.bStep:], t.c[wide*t.cStep:], t.start[wide*t.startStep:], rest
	}
	multiply(rows, tileCols, t)
}

// multiply runs the kernel for tiles of rows × lanes over t.
func multiply(rows, lanes int, t *tiles) {
	switch {
	case !isa.UseAVX2:
		multiplyGo(rows, lanes, t)
	case lanes == halfCols:
		multiplyHalf(rows, t)
	default:
		switch rows {
		case 1:
			mul1x16(t)
		case 2:
			mul2x16(t)
		case 3:
			mul3x16(t)
		case 4:
			mul4x16(t)
		case 5:
			mul5x16(t)
		default:
			mul6x16(t)
		}
	}
}

// multiplyHalf runs the kernel for tiles of rows × 8 over t.
func multiplyHalf(rows int, t *tiles) {
	switch rows {
	case 1:
		mul1x8(t)
	case 2:
		mul2x8(t)
	case 3:
		mul3x8(t)
	case 4:
		mul4x8(t)
	case 5:
		mul5x8(t)
	default:
		mul6x8(t)
	}
}

// packRows copies k rows of width floats, ld apart, to panels: column 16q+s of
// row p goes to dst[16k·q + L·p + s], where L is 16, or 8 for a last panel of
// at most 8 columns. Missing columns are zero.
func packRows(k int, src []float32, ld, width int, dst []float32) {
	if isa.UseAVX2 {
		packRowsAVX2(k, &src[0], ld, width, &dst[0])
	} else {
		packRowsGo(k, src, ld, width, dst)
	}
}

// packTransposed copies width rows of k floats, ld apart, so that row r,
// column p goes to dst[p·lanes + r]. The other lanes' values are left as they
// are.
func packTransposed(k int, src []float32, ld, width, lanes int, dst []float32) {
	r := 0
	if whole := k &^ 7; isa.UseAVX2 && whole > 0 {
		for ; r+8 <= width; r += 8 {
			packTransposed8(whole/8, &src[r*ld], ld, &dst[r], lanes)
			if whole < k {
				packTransposedGo(k-whole, src[r*ld+whole:], ld, 8, lanes, dst[whole*lanes+r:])
			}
		}
	}
	if r < width {
		packTransposedGo(k, src[r*ld:], ld, width-r, lanes, dst[r:])
	}
}

// packColumns copies k rows of width floats, ld apart, to tiles of six
// columns: column 6q+r of row p goes to dst[q·step + 6p + r]. It may overwrite
// 2 floats after each tile of 6k.
func packColumns(k int, src []float32, ld, width int, dst []float32, step int) {
	if isa.UseAVX2 {
		packColumnsAVX2(k, &src[0], ld, width, &dst[0], step)
	} else {
		packColumnsGo(k, src, ld, width, dst, step)
	}
}
