package gemm

import "github.com/gophersnake/gophersnake/internal/kernel/isa"

// The tile of the AVX-512 kernels: two of the others below each other, two
// panels beside each other. 24 of the 32 registers hold C.
const (
	wideRows = 2 * tileRows
	wideCols = 2 * tileCols

	// shortTerms is the greatest length of short sums; with them, C has
	// shortCols columns at least, since a row of tiles is a call, and B at most
	// shortFloats floats, 48 KB.
	shortTerms  = 64
	shortCols   = 6 * wideCols
	shortFloats = 12 << 10
)

// multiply computes the block, t having A.
func (x *block) multiply(t *tiles) {
	if isa.UseAVX512 && x.j1-x.j0 > halfCols {
		x.multiplyWide(t)
	} else {
		x.multiplyNarrow(t)
	}
}

// multiplyWide computes the block with tiles of at most 12 × 32, t having A:
// first the rows in whole tiles, two panels at a time, then the rest of the
// rows. The columns of a last panel of at most 8 are left to multiplyNarrow.
func (x *block) multiplyWide(t *tiles) {
	t.aHalf, t.bPanel = t.aStep, tileCols*t.k
	if x.bias != nil {
		t.startPanel = tileCols
	}
	if t.aCol == 1 && x.oneHalf() {
		x.multiplyHalf(t)
		if x.i0 == x.i1 {
			return
		}
	}
	if narrow := (x.j1 - x.j0) % tileCols; 0 < narrow && narrow <= halfCols {
		y, n := *x, *t
		y.j0 = x.j1 - narrow
		y.b, y.c = x.b[(y.j0-x.j0)*t.k:], x.c[y.j0-x.j0:]
		y.multiplyNarrow(&n)
		x.j1 = y.j0
	}
	full := (x.i1 - x.i0) / wideRows
	switch {
	case full > 0 && x.short(t):
		x.rowsWide(*t, full)
	case full > 0:
		x.downWide(*t, full)
	}
	if rest := (x.i1 - x.i0) % wideRows; rest > 0 {
		t.a = t.a[full*wideRows/tileRows*t.aStep:]
		x.c = x.c[full*wideRows*x.ldc:]
		x.acrossWide(t, rest)
	}
}

// oneHalf reports whether the columns are those of one tile whose last panel
// is half a one: 17 to 24 or 33 to 40.
func (x *block) oneHalf() bool {
	cols := x.j1 - x.j0
	return tileCols < cols && cols <= wideCols+halfCols && 0 < cols%tileCols && cols%tileCols <= halfCols
}

// multiplyHalf computes what rows there are in whole tiles of all columns of
// oneHalf, in one pass over A, and leaves the others in x and t.
func (x *block) multiplyHalf(t *tiles) {
	rows, panels := wideRows, 2
	if x.j1-x.j0 > wideCols {
		rows, panels = 8, 3
	}
	h, whole := *t, (x.i1-x.i0)/rows
	if whole == 0 {
		return
	}
	h.half, h.width, h.count = true, x.j1-x.j0, whole
	h.aStep, h.cStep = rows*t.aRow, rows*x.ldc
	h.ahead, h.aheadStep, h.aheadTile = t.a[min(h.aStep, len(t.a)):], rows, h.aStep
	x.place(&h, x.j0)
	multiplyRows(rows, panels, &h)
	x.i0 += whole * rows
	t.a, x.c = t.a[min(whole*h.aStep, len(t.a)):], x.c[min(whole*h.cStep, len(x.c)):]
}

// downWide computes full rows of tiles of 12 rows of C.
func (x *block) downWide(t tiles, full int) {
	t.count, t.aStep, t.cStep = full, wideRows/tileRows*t.aStep, wideRows*x.ldc
	for j := x.j0; j < x.j1; j += t.width {
		t.width = min(x.j1-j, wideCols)
		x.place(&t, j)
		x.fetch(&t)
		multiplyRows(wideRows, (t.width+tileCols-1)/tileCols, &t)
	}
}

// short reports whether the sums are so short that reading and writing C takes
// as long as computing it, while all of B stays in the first-level cache.
func (x *block) short(t *tiles) bool {
	return t.aCol == 1 && t.k <= shortTerms && x.j1-x.j0 >= shortCols && t.k*(x.j1-x.j0) <= shortFloats
}

// rowsWide computes full rows of tiles of 12 rows of C, one row of tiles after
// the other: C is then passed over once, in the order of its addresses. The
// kernel fetches the row of tiles below.
func (x *block) rowsWide(t tiles, full int) {
	cols, a := x.j1-x.j0, t.a
	for i := range full {
		t.a, t.aStep, t.cStep = a[i*wideRows*t.aRow:], 0, wideCols
		t.bStep, t.startStep = 2*t.bPanel, 2*t.startPanel
		y := *x
		y.c = x.c[i*wideRows*x.ldc:]
		t.ahead, t.aheadStep, t.aheadTile = y.c[min(wideRows*x.ldc, len(y.c)):], tileCols, wideRows*wideCols
		t.width, t.count = wideCols, cols/wideCols
		y.place(&t, x.j0)
		multiplyRows(wideRows, 2, &t)
		if rest := cols % wideCols; rest > 0 {
			t.width, t.count = rest, 1
			y.place(&t, x.j1-rest)
			multiplyRows(wideRows, (rest+tileCols-1)/tileCols, &t)
		}
	}
}

// fetch chooses what the kernel fetches while it computes: of an A that is not
// transposed the tile below, of which the processor would only notice row by
// row that it is read; else as much of what is read after this block as there
// is time for, a line of 16 floats for each term.
func (x *block) fetch(t *tiles) {
	t.ahead, t.aheadStep, t.aheadTile = t.a, 0, 0
	if t.aCol == 1 {
		t.ahead, t.aheadStep, t.aheadTile = t.a[min(t.aStep, len(t.a)):], wideRows, t.aStep
		return
	}
	u := x.next
	if u == nil {
		return
	}
	if len(u.first) == 0 {
		u.first, u.second = u.second, nil
	}
	if len(u.first) > 0 {
		t.ahead, t.aheadStep, t.aheadTile = u.first, tileCols, tileCols*t.k
		u.first = u.first[min(t.count*t.aheadTile, len(u.first)):]
	}
}

// place points t at column j of the block.
func (x *block) place(t *tiles, j int) {
	t.b, t.c, t.start = x.b[(j-x.j0)*t.k:], x.c[j-x.j0:], zeros[:]
	if x.bias != nil {
		t.start = x.bias[j:]
	}
}

// acrossWide computes one row of tiles, of fewer than 12 rows of C.
func (x *block) acrossWide(t *tiles, rows int) {
	t.aStep = 0
	for j := x.j0; j < x.j1; j += t.count * t.width {
		panels := panelsAcross(rows, (x.j1-j+tileCols-1)/tileCols)
		t.width, t.count = panels*tileCols, (x.j1-j)/(panels*tileCols)
		if t.count == 0 { // the last panel is a part of one
			t.width, t.count = x.j1-j, 1
		}
		t.bStep, t.cStep, t.startStep = panels*t.bPanel, t.width, panels*t.startPanel
		x.place(t, j)
		multiplyRows(rows, panels, t)
	}
}

// panelsAcross is how many panels a kernel for few rows takes at a time of
// those left: the fewer rows, the more panels it takes to have the 8 sums that
// hide the latency of multiply-add.
func panelsAcross(rows, left int) int {
	switch {
	case rows == 1 && left >= 8:
		return 8
	case rows <= 3 && left >= 4:
		return 4
	}
	return min(left, 2)
}
