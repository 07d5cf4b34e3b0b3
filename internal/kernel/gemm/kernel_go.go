package gemm

// Plain Go versions of the assembly kernels.

// multiplyGo computes the run of tiles t with rows × lanes; see tiles.
//
// A tile is computed in pieces of 2 × 4, which fit the registers of every
// processor. An odd last row is computed twice, so that all elements go
// through the same code and its rounding.
func multiplyGo(rows, lanes int, t *tiles) {
	for q := range t.count {
		a, b := t.a[q*t.aStep:], t.b[q*t.bStep:]
		c, start := t.c[q*t.cStep:], t.start[q*t.startStep:]
		for r := 0; r < rows; r += 2 {
			second := min(r+1, rows-1)
			for s := 0; s < t.width; s += 4 {
				sum := [2][4]float32{[4]float32(start[s:]), [4]float32(start[s:])}
				if t.k > 0 {
					dot2x4(t, lanes, a[r*t.aRow:], a[second*t.aRow:], b[s:], &sum)
				}
				storeRow(c[r*t.cRow+s:], sum[0][:min(4, t.width-s)], t.add)
				if second > r {
					storeRow(c[second*t.cRow+s:], sum[1][:min(4, t.width-s)], t.add)
				}
			}
		}
	}
}

// dot2x4 adds the products of two rows of A and four columns of B to sum.
func dot2x4(t *tiles, lanes int, a0, a1, b []float32, sum *[2][4]float32) {
	c00, c01, c02, c03 := sum[0][0], sum[0][1], sum[0][2], sum[0][3]
	c10, c11, c12, c13 := sum[1][0], sum[1][1], sum[1][2], sum[1][3]
	at, bt := 0, 0
	for range t.k {
		row := b[bt : bt+4 : bt+4]
		x, y := a0[at], a1[at]
		c00 += x * row[0]
		c01 += x * row[1]
		c02 += x * row[2]
		c03 += x * row[3]
		c10 += y * row[0]
		c11 += y * row[1]
		c12 += y * row[2]
		c13 += y * row[3]
		at += t.aCol
		bt += lanes
	}
	sum[0] = [4]float32{c00, c01, c02, c03}
	sum[1] = [4]float32{c10, c11, c12, c13}
}

// storeRow writes a piece of a row of C.
func storeRow(c, sum []float32, add int) {
	c = c[:len(sum)]
	if add == 0 {
		copy(c, sum)
		return
	}
	for s, v := range sum {
		c[s] += v
	}
}

// packRowsGo copies k rows of width floats, ld apart, to panels: column 16q+s of
// row p goes to dst[16k·q + L·p + s], where L is 16, or 8 for a last panel of
// at most 8 columns. Missing columns are zero.
func packRowsGo(k int, src []float32, ld, width int, dst []float32) {
	for j := 0; j < width; j += tileCols {
		n, lanes := panelWidth(width - j)
		for p := range k {
			row := dst[j*k+p*lanes:][:lanes]
			clear(row[copy(row, src[p*ld+j:][:n]):])
		}
	}
}

// packTransposedGo copies width rows of k floats, ld apart, so that row r,
// column p goes to dst[p·lanes + r].
func packTransposedGo(k int, src []float32, ld, width, lanes int, dst []float32) {
	for r := range width {
		for p, v := range src[r*ld : r*ld+k] {
			dst[p*lanes+r] = v
		}
	}
}

// packColumnsGo copies k rows of width floats, ld apart, to tiles of six
// columns: column 6q+r of row p goes to dst[q·step + 6p + r].
func packColumnsGo(k int, src []float32, ld, width int, dst []float32, step int) {
	for p := range k {
		row := src[p*ld : p*ld+width]
		for at := tileRows * p; len(row) > 0; at += step {
			n := copy(dst[at:at+tileRows], row)
			row = row[n:]
		}
	}
}
