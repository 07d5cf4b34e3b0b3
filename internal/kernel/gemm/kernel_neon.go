//go:build arm64 && !noasm

package gemm

// multiplyDown runs the kernel for tiles of 6 × lanes over t, tiles that lie
// below each other.
func multiplyDown(lanes int, t *tiles) { multiply(tileRows, lanes, t) }

// multiplyAcross runs the kernel for tiles of rows × 16 over t, tiles of whole
// panels that lie beside each other.
func multiplyAcross(rows int, t *tiles) {
	together := [tileRows + 1]int{1: 4, 2: 2, 3: 2, 4: 1, 5: 1, 6: 1}[rows]
	if wide := t.count / together * together; together > 1 && wide > 0 {
		rest := t.count - wide
		t.count = wide
		switch rows {
		case 1:
			neonMul1x64(t)
		case 2:
			neonMul2x32(t)
		case 3:
			neonMul3x32(t)
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
	if lanes == halfCols {
		multiplyHalf(rows, t)
		return
	}
	switch rows {
	case 1:
		neonMul1x16(t)
	case 2:
		neonMul2x16(t)
	case 3:
		neonMul3x16(t)
	case 4:
		neonMul4x16(t)
	case 5:
		neonMul5x16(t)
	default:
		neonMul6x16(t)
	}
}

// multiplyHalf runs the kernel for tiles of rows × 8 over t.
func multiplyHalf(rows int, t *tiles) {
	switch rows {
	case 1:
		neonMul1x8(t)
	case 2:
		neonMul2x8(t)
	case 3:
		neonMul3x8(t)
	case 4:
		neonMul4x8(t)
	case 5:
		neonMul5x8(t)
	default:
		neonMul6x8(t)
	}
}

// multiplyRows is not called: isa.UseAVX512 is false.
func multiplyRows(int, int, *tiles) {}

// packRows copies k rows of width floats, ld apart, to panels: column 16q+s of
// row p goes to dst[16k·q + L·p + s], where L is 16, or 8 for a last panel of
// at most 8 columns. Missing columns are zero.
func packRows(k int, src []float32, ld, width int, dst []float32) { packRowsGo(k, src, ld, width, dst) }

// packTransposed copies width rows of k floats, ld apart, so that row r,
// column p goes to dst[p·lanes + r]. The other lanes' values are left as they
// are.
func packTransposed(k int, src []float32, ld, width, lanes int, dst []float32) {
	r := 0
	if whole := k &^ 3; whole > 0 {
		for ; r+4 <= width; r += 4 {
			neonPackTransposed4(whole/4, &src[r*ld], ld, &dst[r], lanes)
			if whole < k {
				packTransposedGo(k-whole, src[r*ld+whole:], ld, 4, lanes, dst[whole*lanes+r:])
			}
		}
	}
	if r < width {
		packTransposedGo(k, src[r*ld:], ld, width-r, lanes, dst[r:])
	}
}

// packColumns copies k rows of width floats, ld apart, to tiles of six
// columns: column 6q+r of row p goes to dst[q·step + 6p + r].
func packColumns(k int, src []float32, ld, width int, dst []float32, step int) {
	packColumnsGo(k, src, ld, width, dst, step)
}
