package cpu

import (
	"github.com/gophersnake/gophersnake/internal/device"
	"github.com/gophersnake/gophersnake/internal/kernel/gemm"
	"github.com/gophersnake/gophersnake/internal/kernel/vec"
)

// CopyBlock copies a (rows, cols) block between two row-major arrays, or adds
// it if add.
func (d *Device) CopyBlock(rows, cols int, src device.Buf, srcOff, srcLD int, dst device.Buf, dstOff, dstLD int, add bool) {
	x, y := src.F32, dst.F32
	d.rows(rows, cols, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			from := x[srcOff+i*srcLD:][:cols]
			to := y[dstOff+i*dstLD:][:cols]
			if add {
				vec.AddTo(to, from)
			} else {
				copy(to, from)
			}
		}
	})
}

// SumRows adds the column sums of x (m,n) to dst (n).
func (d *Device) SumRows(m, n int, x, dst device.Buf) {
	d.sumRows(m, n, x.F32, n, dst.F32)
}

// sumRows is SumRows of slices, the rows of x being ld apart.
func (d *Device) sumRows(m, n int, x []float32, ld int, dst []float32) {
	d.reduce(m, n, n, func(lo, hi int, part []float32) {
		for i := lo; i < hi; i++ {
			vec.AddTo(part, x[i*ld:][:n])
		}
	}, func(sum []float32) { vec.AddTo(dst[:n], sum) })
}

// Embedding copies row tokens[i] of w (V,d) to row i of y.
func (d *Device) Embedding(tokens []int32, n int, w, y device.Buf) {
	d.rows(len(tokens), n, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			copy(y.F32[i*n:][:n], w.F32[int(tokens[i])*n:][:n])
		}
	})
}

// embeddingCols is the width of the column blocks of EmbeddingGrad: one cache
// line of 16 floats is never shared by two workers.
const embeddingCols = 32

// EmbeddingGrad adds row i of dy to row tokens[i] of dw, i ascending. Tokens
// repeat, so the tasks own columns instead of rows.
func (d *Device) EmbeddingGrad(tokens []int32, n int, dy, dw device.Buf) {
	tasks := (n + embeddingCols - 1) / embeddingCols
	d.tasks(tasks, len(tokens)*n, func(t int) {
		lo, hi := t*embeddingCols, min((t+1)*embeddingCols, n)
		for i, tok := range tokens {
			row := dw.F32[int(tok)*n:][lo:hi]
			vec.AddTo(row, dy.F32[i*n:][lo:hi])
		}
	})
}

// MatMul computes C = op(A) op(B) + bias, or adds that to C.
func (d *Device) MatMul(transA, transB bool, m, n, k int, a, b, bias, c device.Buf, add bool) {
	if m == 1 && k >= minDirect {
		d.vecMat(transB, n, k, a.F32, b.F32, bias.F32, c.F32, add)
		return
	}
	lda, ldb, beta := k, n, float32(0)
	if transA {
		lda = m
	}
	if transB {
		ldb = k
	}
	if add {
		beta = 1
	}
	gemm.GemmBias(d.workers, transA, transB, m, n, k, a.F32, lda, b.F32, ldb, beta, c.F32, n, bias.F32)
}

const (
	// minDirect is from how many terms on a single row times a matrix is
	// computed without packing the matrix: a scalar product of fewer costs
	// mostly its call.
	minDirect = 32
	// directCols is the width of a task's columns when B is not transposed:
	// c stays in the first-level cache while rows of B stream by.
	directCols = 512
)

// vecMat is MatMul for one row, as in generation for one stream; its speed is
// that of reading B once.
func (d *Device) vecMat(transB bool, n, k int, a, b, bias, c []float32, add bool) {
	if !transB {
		d.tasks((n+directCols-1)/directCols, n*k, func(t int) {
			lo, hi := t*directCols, min((t+1)*directCols, n)
			c := c[lo:hi]
			start(c, bias, lo, add)
			for p, v := range a[:k] {
				vec.Axpy(c, v, b[p*n+lo:p*n+hi])
			}
		})
		return
	}
	d.rows(n, k, func(lo, hi int) {
		start(c[lo:hi], bias, lo, add)
		for j := lo; j < hi; j++ {
			c[j] += vec.Dot(a[:k], b[j*k:][:k])
		}
	})
}

// start sets c, or adds to it, the bias from lo on, or zeros.
func start(c, bias []float32, lo int, add bool) {
	if !add {
		clear(c)
	}
	if bias != nil {
		vec.AddTo(c, bias[lo:lo+len(c)])
	}
}
