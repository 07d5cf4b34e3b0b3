package gemm

import "github.com/gophersnake/gophersnake/internal/kernel/isa"

// Where C has few rows, packing B, each of whose elements is used once for
// each tile of rows, takes longer than multiplying: the kernels for this read
// B where it lies. Gradients of narrow weights are such products, or their
// transposes are.
const (
	// directRows is the greatest number of rows of C: twelve tiles.
	directRows = 12 * wideRows
	// turnCols is the greatest number of columns of a C that is computed as its
	// transpose: those of one panel.
	turnCols = tileCols
	// farAhead is how many rows ahead of its use B is fetched from memory,
	// nearAhead from the second-level cache: a row takes a kernel some ten
	// cycles.
	farAhead  = 64
	nearAhead = 8
)

// direct reports whether a product that slices k reads B where it lies.
func (o *operands) direct() bool {
	return isa.UseAVX512 && o.transA && !o.transB && o.bias == nil && o.m <= directRows && o.n%wideCols == 0
}

// multiplyDirect is multiply for direct; the columns are all. B is not in the
// second-level cache yet if far.
func (o *operands) multiplyDirect(x block, far bool) {
	t := tiles{k: x.k1 - x.k0, cRow: x.ldc, aRow: 1, aCol: o.lda, start: zeros[:], width: wideCols,
		bStep: wideCols, cStep: wideCols, bRow: o.ldb, aheadStep: nearAhead}
	if far {
		t.aheadStep = farAhead
	}
	if x.add {
		t.add = 1
	}
	for i := x.i0; i < x.i1; i += wideRows {
		t.a, t.b, t.c = o.a[x.k0*o.lda+i:], o.b[x.k0*o.ldb:], x.c[(i-x.i0)*x.ldc:]
		t.count = o.n / wideCols
		multiplyRows(min(wideRows, x.i1-i), wideCols/tileCols, &t)
		t.aheadStep = nearAhead
	}
}

// turns reports whether the product is computed as that of the transposes,
// Cᵀ = op(B)ᵀ·op(A)ᵀ, which is direct; its sums have the same order.
func (o *operands) turns() bool {
	if !isa.UseAVX512 || o.n > turnCols || slices(o.m, o.n, o.k) == 1 {
		return false
	}
	p := o.turned()
	return p.direct()
}

// turned returns the product of the transposes, without C.
func (o *operands) turned() operands {
	return operands{transA: !o.transB, transB: !o.transA, m: o.n, n: o.m, k: o.k,
		a: o.b, lda: o.ldb, b: o.a, ldb: o.lda, add: o.add, ldc: o.m, bias: o.bias}
}

func (o *operands) runTurned(workers int) {
	p, c := o.turned(), takeScratch(o.m*o.n)
	defer c.release()
	p.c = c.floats
	if o.add {
		for i := range o.m {
			for j, v := range o.c[i*o.ldc:][:o.n] {
				p.c[j*o.m+i] = v
			}
		}
	}
	p.run(workers)
	for i := range o.m {
		row := o.c[i*o.ldc:][:o.n]
		for j := range row {
			row[j] = p.c[j*o.m+i]
		}
	}
}
