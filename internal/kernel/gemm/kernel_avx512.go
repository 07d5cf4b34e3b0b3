//go:build amd64 && !noasm

package gemm

// multiplyRows runs the kernel for tiles of rows × 16·panels over t.
func multiplyRows(rows, panels int, t *tiles) {
	switch {
	case t.bRow > 0:
		multiplyDirect(rows, t)
		return
	case t.half && panels == 3:
		avx512half8x40(t)
		return
	case t.half:
		avx512half12x24(t)
		return
	}
	switch panels {
	case 1:
		multiplyOne(rows, t)
	case 2:
		multiplyTwo(rows, t)
	case 4:
		switch rows {
		case 1:
			avx512mul1x64(t)
		case 2:
			avx512mul2x64(t)
		case 3:
			avx512mul3x64(t)
		}
	case 8:
		avx512mul1x128(t)
	}
}

// multiplyOne runs the kernel for tiles of rows × 16 over t.
func multiplyOne(rows int, t *tiles) {
	switch rows {
	case 1:
		avx512mul1x16(t)
	case 2:
		avx512mul2x16(t)
	case 3:
		avx512mul3x16(t)
	case 4:
		avx512mul4x16(t)
	case 5:
		avx512mul5x16(t)
	case 6:
		avx512mul6x16(t)
	case 7:
		avx512mul7x16(t)
	case 8:
		avx512mul8x16(t)
	case 9:
		avx512mul9x16(t)
	case 10:
		avx512mul10x16(t)
	case 11:
		avx512mul11x16(t)
	case 12:
		avx512mul12x16(t)
	}
}

// multiplyTwo runs the kernel for tiles of rows × 32 over t.
func multiplyTwo(rows int, t *tiles) {
	switch rows {
	case 1:
		avx512mul1x32(t)
	case 2:
		avx512mul2x32(t)
	case 3:
		avx512mul3x32(t)
	case 4:
		avx512mul4x32(t)
	case 5:
		avx512mul5x32(t)
	case 6:
		avx512mul6x32(t)
	case 7:
		avx512mul7x32(t)
	case 8:
		avx512mul8x32(t)
	case 9:
		avx512mul9x32(t)
	case 10:
		avx512mul10x32(t)
	case 11:
		avx512mul11x32(t)
	case 12:
		avx512mul12x32(t)
	}
}

// multiplyDirect runs the kernel for tiles of rows × 32 over t, whose B is not
// packed.
func multiplyDirect(rows int, t *tiles) {
	switch rows {
	case 1:
		avx512direct1x32(t)
	case 2:
		avx512direct2x32(t)
	case 3:
		avx512direct3x32(t)
	case 4:
		avx512direct4x32(t)
	case 5:
		avx512direct5x32(t)
	case 6:
		avx512direct6x32(t)
	case 7:
		avx512direct7x32(t)
	case 8:
		avx512direct8x32(t)
	case 9:
		avx512direct9x32(t)
	case 10:
		avx512direct10x32(t)
	case 11:
		avx512direct11x32(t)
	case 12:
		avx512direct12x32(t)
	}
}
