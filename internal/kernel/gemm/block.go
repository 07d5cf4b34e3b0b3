package gemm

import (
	"sync"

	"github.com/gophersnake/gophersnake/internal/kernel/isa"
)

// The sizes of what is computed at a time. All are about caches, measured on
// processors with 32 to 48 KB of first-level and 0.5 to 1 MB of second-level
// cache.
const (
	// kBlock is the longest run of k within one kernel call: a panel of B
	// is then 16 KB, half a first-level cache.
	kBlock = 256
	// rowBlock is the number of rows of A that are used with all panels
	// before the next rows: 96·kBlock floats are 96 KB of second-level cache.
	rowBlock = 16 * tileRows
	// A transposed A is used as it is, neighbours of each of its rows, rather
	// than packed, if C has at most directCols columns (copying does not pay)
	// and A's rows lie so that a block's lines do not push each other out of
	// the second-level cache: at most directStride floats apart and not by a
	// multiple of badStride floats, a page. The AVX-512 kernels pass over A
	// half as many times: with them, it takes two pages to do harm, and the
	// number of columns does not matter.
	directCols   = 8 * tileCols
	directStride = 2048
	badStride    = 1024
	// tileGap is the distance between two packed tiles of A, which
	// packColumns needs.
	tileGap = 2
)

// zeros is what sums start from without a bias.
var zeros [tileCols]float32

// A block is a part of a product: the rows [i0, i1) and columns [j0, j1) of
// C, and the terms [k0, k1) of its sums, 1 to kBlock of them.
type block struct {
	i0, i1, j0, j1, k0, k1 int

	b    []float32 // the packed panels of these columns and terms
	c    []float32 // C[i0, j0] is c[0]
	ldc  int
	bias []float32 // of all columns, as long as all panels; or nil
	add  bool      // add to C instead of overwriting it
	next *upcoming // nil if not known
}

// An upcoming is memory that is read after a block of a sliced product. The
// AVX-512 kernel for whole tiles fetches it while it computes; else packing B,
// which computes nothing, would have to wait for it, and so would reading a
// transposed A.
type upcoming struct{ first, second []float32 }

// multiply computes a block: C[i,j] (+)= bias[j] + Σ_{p ∈ [k0,k1)} A[i,p]·B[p,j].
func (o *operands) multiply(x block) {
	k := x.k1 - x.k0
	t := tiles{k: k, cRow: x.ldc}
	if x.add {
		t.add = 1
	}
	if !o.transA {
		t.a, t.aRow, t.aCol, t.aStep = o.a[x.i0*o.lda+x.k0:], o.lda, 1, tileRows*o.lda
		x.multiply(&t)
		return
	}
	if inPlace(o.lda, x.j1-x.j0) {
		t.a, t.aRow, t.aCol, t.aStep = o.a[x.k0*o.lda+x.i0:], 1, o.lda, tileRows
		x.multiply(&t)
		return
	}
	rows, step := x.i1-x.i0, tileRows*k+tileGap
	buf := takeScratch((rows + tileRows - 1) / tileRows * step)
	packColumns(k, o.a[x.k0*o.lda+x.i0:], o.lda, rows, buf.floats, step)
	t.a, t.aRow, t.aCol, t.aStep = buf.floats, 1, tileRows, step
	x.multiply(&t)
	buf.release()
}

// inPlace reports whether a transposed A with rows lda floats apart is used as
// it is for cols columns of C.
func inPlace(lda, cols int) bool {
	if isa.UseAVX512 {
		return lda <= directStride && lda%(2*badStride) != 0
	}
	return cols <= directCols && lda <= directStride && lda%badStride != 0
}

// multiplyNarrow computes the block with tiles of at most 6 × 16, t having A:
// first the rows in whole tiles, panel by panel, then the rest of the rows.
func (x *block) multiplyNarrow(t *tiles) {
	a, full := t.a, (x.i1-x.i0)/tileRows
	if full > 0 {
		t.cStep = tileRows * x.ldc
		for j := x.j0; j < x.j1; j += tileCols {
			t.a, t.count = a, full
			x.panel(t, j, tileRows)
		}
	}
	if rest := (x.i1 - x.i0) % tileRows; rest > 0 {
		t.a = a[full*t.aStep:]
		x.c = x.c[full*tileRows*x.ldc:]
		x.across(t, rest)
	}
}

// across computes one row of tiles, of fewer than six rows of C: those of all
// whole panels in one run, then that of a narrower last panel.
func (x *block) across(t *tiles, rows int) {
	j := x.j0
	if t.count = (x.j1 - x.j0) / tileCols; t.count > 0 {
		j += t.count * tileCols
		t.b, t.c, t.start, t.width = x.b, x.c, zeros[:], tileCols
		t.aStep, t.bStep, t.cStep = 0, tileCols*t.k, tileCols
		if x.bias != nil {
			t.start, t.startStep = x.bias[x.j0:], tileCols
		}
		multiplyAcross(rows, t)
	}
	if j < x.j1 {
		t.count = 1
		x.panel(t, j, rows)
	}
}

// panel computes tiles below each other in the panel from column j.
func (x *block) panel(t *tiles, j, rows int) {
	width, lanes := panelWidth(x.j1 - j)
	t.b, t.c, t.start, t.width = x.b[(j-x.j0)*t.k:], x.c[j-x.j0:], zeros[:], width
	if x.bias != nil {
		t.start = x.bias[j : j+lanes]
	}
	if rows == tileRows {
		multiplyDown(lanes, t)
	} else {
		multiply(rows, lanes, t)
	}
}

// panelWidth returns the width of the panel that begins where cols columns
// are left, and the lanes it is stored with.
func panelWidth(cols int) (width, lanes int) {
	width = min(cols, tileCols)
	if width <= halfCols {
		return width, halfCols
	}
	return width, tileCols
}

// packedCols is the number of lanes of all panels of cols columns.
func packedCols(cols int) int {
	return (cols + halfCols - 1) / halfCols * halfCols
}

// packB copies the columns [j0, j1) and terms [k0, k1) of op(B) to panels, of
// rows packCols columns at a time: panels may lie 16 KB apart, so that lines of
// more than 8 to 12 of them do not fit the first-level cache together.
func (o *operands) packB(j0, j1, k0, k1 int, dst []float32) {
	k := k1 - k0
	if !o.transB {
		for j := j0; j < j1; j += packCols {
			packRows(k, o.b[k0*o.ldb+j:], o.ldb, min(j1-j, packCols), dst[(j-j0)*k:])
		}
		return
	}
	for j := j0; j < j1; j += tileCols {
		width, lanes := panelWidth(j1 - j)
		packTransposed(k, o.b[j*o.ldb+k0:], o.ldb, width, lanes, dst[(j-j0)*k:])
	}
}

// blockLength is the length of the blocks that k is cut into: as few blocks
// as possible and of even length, which is a multiple of 4 as the kernels'
// loop likes it. It depends on k alone.
func blockLength(k int) int {
	blocks := (k + kBlock - 1) / kBlock
	return roundUp((k+blocks-1)/blocks, 4)
}

// scratch is a buffer that outlives its uses.
type scratch struct{ floats []float32 }

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// takeScratch returns a buffer of n floats with any contents.
func takeScratch(n int) *scratch {
	s := scratches.Get().(*scratch)
	s.resize(n)
	return s
}

// resize makes the buffer n floats long; its contents are lost.
func (s *scratch) resize(n int) {
	if cap(s.floats) < n {
		s.floats = make([]float32, n)
	}
	s.floats = s.floats[:n]
}

func (s *scratch) release() { scratches.Put(s) }
