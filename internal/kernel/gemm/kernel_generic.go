//go:build (!amd64 && !arm64) || noasm

package gemm

// multiplyDown runs the kernel for tiles of 6 × lanes over t, tiles that lie
// below each other.
func multiplyDown(lanes int, t *tiles) { multiplyGo(tileRows, lanes, t) }

// multiplyAcross runs the kernel for tiles of rows × 16 over t, tiles of whole
// panels that lie beside each other.
func multiplyAcross(rows int, t *tiles) { multiplyGo(rows, tileCols, t) }

// multiply runs the kernel for tiles of rows × lanes over t.
func multiply(rows, lanes int, t *tiles) { multiplyGo(rows, lanes, t) }

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
	packTransposedGo(k, src, ld, width, lanes, dst)
}

// packColumns copies k rows of width floats, ld apart, to tiles of six
// columns: column 6q+r of row p goes to dst[q·step + 6p + r].
func packColumns(k int, src []float32, ld, width int, dst []float32, step int) {
	packColumnsGo(k, src, ld, width, dst, step)
}
