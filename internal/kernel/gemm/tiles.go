package gemm

// The register tile: what one call of the innermost loop computes.
const (
	tileRows = 6  // MR: rows of C held in registers
	tileCols = 16 // NR: columns of C held in registers, two AVX registers wide
	halfCols = 8  // the width of a last panel with at most 8 columns
)

// A tiles value is the argument of a tile kernel: a run of count tiles of C,
// each of R rows (R is part of the kernel's name, 1 to 6) and width columns.
// For tile q, row r, column s:
//
//	C[r,s] = (add ? C[r,s] : 0) + (start[s] + Σ_p A[r,p]·B[p,s])
//
// where the sum runs over p = 0 … k-1 in this order, whatever the kernel, and
//
//	C[r,s]   is c[q·cStep + r·cRow + s]
//	A[r,p]   is a[q·aStep + r·aRow + p·aCol]
//	B[p,s]   is b[q·bStep + p·L + s]      (L = 16 or 8 lanes)
//	start[s] is start[q·startStep + s]    (always L values)
//
// Tiles that lie below each other have cStep = 6·cRow; kernels with 12 rows
// take two of them at a time. Tiles beside each other, in neighbouring panels
// of 16 columns, have aStep = 0 and cStep = 16; kernels with 32 or 64 lanes
// take two or four of them. count is a multiple of what is taken at a time.
//
// The AVX-512 kernels (avx512mul…) instead take tiles of R rows (1 to 12) and P
// panels of 16 columns, wherever the next tile lies. Rows 6 to 11 of A are aHalf
// further, and width, that of all P panels, is more than 16·(P-1):
//
//	C[r,s]   is c[q·cStep + r·cRow + s]
//	A[r,p]   is a[q·aStep + r/6·aHalf + r%6·aRow + p·aCol]
//	B[p,s]   is b[q·bStep + s/16·bPanel + 16·p + s%16]
//	start[s] is start[q·startStep + s/16·startPanel + s%16]
//
// With term p of tile q, the kernel for 12 rows and two panels fetches the line
// of ahead[q·aheadTile + p·aheadStep], which may lie past the end.
//
// The kernels avx512direct… read a B that is not packed, whose rows are bRow
// floats apart, and fetch row p+aheadStep of it with term p; aRow is 1, P is 2
// and width 32:
//
//	A[r,p]   is a[r + p·aCol]
//	B[p,s]   is b[q·bStep + p·bRow + s]
//
// The kernels avx512half… have a last panel of 8 lanes, and aCol 1 and all rows
// of A aRow apart.
//
// The generator of the assembly reads this declaration for the fields'
// offsets; all that it uses are 8 bytes wide.
type tiles struct {
	a, b, c, start []float32

	count, k           int
	aRow, aCol         int
	cRow               int
	aStep, bStep       int
	cStep, startStep   int
	aHalf              int
	bPanel, startPanel int
	width              int // valid columns, 1 … L
	add                int // 1: add to C; 0: overwrite it, without reading it

	ahead                []float32
	aheadStep, aheadTile int

	bRow int  // 0 where B is packed
	half bool // the last panel has 8 lanes: for kernels avx512half…
}
