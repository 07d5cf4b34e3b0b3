package gemm

import "fmt"

// Packed is a matrix B (k, n) laid out for the kernel, for a B that is used
// many times, such as the weights of a recurrence in its loop over time. Its
// memory is used again by the next Pack into it. Any number of goroutines may
// multiply by it at a time.
type Packed struct {
	K, N   int
	panels []float32
	bias   []float32 // as long as all panels, or empty
}

// Pack lays out op(B) (k, n) for MulPacked; op, b and ldb are as in Gemm.
func Pack(transB bool, k, n int, b []float32, ldb int, into *Packed) {
	o := operands{transB: transB, n: n, k: k, b: b, ldb: ldb}
	o.check("Pack")
	size := packedCols(n) * k
	if cap(into.panels) < size {
		into.panels = make([]float32, size)
	}
	into.K, into.N, into.panels, into.bias = k, n, into.panels[:size], into.bias[:0]
	if k == 0 {
		return
	}
	kc := blockLength(k)
	for k0 := 0; k0 < k; k0 += kc {
		o.packB(0, n, k0, min(k0+kc, k), into.panels[k0*packedCols(n):])
	}
}

// SetBias lets MulPacked add bias (n) to each row, until the next Pack. No bias
// at all means zeros. It panics if bias is shorter than a row.
func (p *Packed) SetBias(bias []float32) {
	if len(bias) == 0 {
		p.bias = p.bias[:0]
		return
	}
	if len(bias) < p.N {
		panic(fmt.Sprintf("gemm: SetBias: len(bias) is %d, want at least n = %d", len(bias), p.N))
	}
	p.bias = append(p.bias[:0], bias[:p.N]...)
	p.bias = append(p.bias, zeros[:packedCols(p.N)-p.N]...)
}

// MulPacked sets C = beta·C + A·B + bias on the caller's goroutine, beta being 0
// or 1, for A (m, k), C (m, n), a packed B (k, n) and its bias. The bits are those of Gemm
// for every shape that Gemm does not slice. It panics as Gemm does.
func MulPacked(m int, a []float32, lda int, p *Packed, beta float32, c []float32, ldc int) {
	if beta != 0 && beta != 1 {
		panic(fmt.Sprintf("gemm: MulPacked: beta is %v, want 0 or 1", beta))
	}
	if m < 0 {
		panic(fmt.Sprintf("gemm: MulPacked: m is %d, want it not negative", m))
	}
	checkMatrix("MulPacked", "a", a, m, p.K, lda)
	checkMatrix("MulPacked", "c", c, m, p.N, ldc)
	o := operands{m: m, n: p.N, k: p.K, a: a, lda: lda, c: c, ldc: ldc, add: beta == 1}
	if len(p.bias) > 0 {
		o.bias = p.bias
	}
	if m == 0 || p.N == 0 || p.K == 0 {
		o.withoutTerms()
		return
	}
	kc := blockLength(p.K)
	for i := 0; i < m; i += rowBlock {
		x := block{i0: i, i1: min(i+rowBlock, m), j1: p.N, c: c[i*ldc:], ldc: ldc}
		for k0 := 0; k0 < p.K; k0 += kc {
			x.k0, x.k1 = k0, min(k0+kc, p.K)
			x.b = p.panels[k0*packedCols(p.N):]
			x.bias, x.add = o.opening(k0)
			o.multiply(x)
		}
	}
}
