package gemm

import "fmt"

// Gemm sets C = beta·C + op(A)·op(B), beta being 0 or 1, on at most workers
// goroutines. The result does not depend on workers, to the last bit.
//
//	C     c[i·ldc + j]   (m, n)
//	op(A) a[i·lda + p]   (m, k), or a[p·lda + i] if transA
//	op(B) b[p·ldb + j]   (k, n), or b[j·ldb + p] if transB
//
// With beta = 0, C is not read. C must not overlap A or B. Gemm panics if a
// size is negative, a slice too short, a leading dimension shorter than a row
// or beta neither 0 nor 1.
func Gemm(workers int, transA, transB bool, m, n, k int, a []float32, lda int, b []float32, ldb int,
	beta float32, c []float32, ldc int) {
	run("Gemm", workers, &operands{transA: transA, transB: transB, m: m, n: n, k: k,
		a: a, lda: lda, b: b, ldb: ldb, c: c, ldc: ldc}, beta)
}

// GemmBias sets C = beta·C + op(A)·op(B) + bias, where bias (n) is added to
// each row of C; nil means zeros. Everything else is as in Gemm.
func GemmBias(workers int, transA, transB bool, m, n, k int, a []float32, lda int, b []float32, ldb int,
	beta float32, c []float32, ldc int, bias []float32) {
	if bias != nil && len(bias) < n {
		panic(fmt.Sprintf("gemm: GemmBias: len(bias) is %d, want at least n = %d", len(bias), n))
	}
	run("GemmBias", workers, &operands{transA: transA, transB: transB, m: m, n: n, k: k,
		a: a, lda: lda, b: b, ldb: ldb, c: c, ldc: ldc, bias: bias}, beta)
}

// operands are the arguments of one product.
type operands struct {
	transA, transB bool
	m, n, k        int
	a              []float32
	lda            int
	b              []float32
	ldb            int
	add            bool // beta is 1
	c              []float32
	ldc            int
	bias           []float32
}

// run checks the operands and computes the product.
func run(name string, workers int, o *operands, beta float32) {
	o.add = beta == 1
	if !o.add && beta != 0 {
		panic(fmt.Sprintf("gemm: %s: beta is %v, want 0 or 1", name, beta))
	}
	o.check(name)
	if o.m == 0 || o.n == 0 || o.k == 0 {
		o.withoutTerms()
		return
	}
	if o.turns() {
		o.runTurned(workers)
	} else {
		o.run(workers)
	}
}

// run computes the product.
func (o *operands) run(workers int) {
	j := takeJob(workers, o)
	if j.slices > 1 {
		j.runSliced()
	} else {
		j.runBlocked()
	}
	j.release()
}

// withoutTerms sets C = beta·C + bias, all there is to a product with k = 0.
func (o *operands) withoutTerms() {
	for i := range o.m {
		row := o.c[i*o.ldc : i*o.ldc+o.n]
		if !o.add {
			clear(row)
		}
		for j, v := range o.bias[:min(o.n, len(o.bias))] {
			row[j] += v
		}
	}
}

// check panics when the operands do not fit together.
func (o *operands) check(name string) {
	if o.m < 0 || o.n < 0 || o.k < 0 {
		panic(fmt.Sprintf("gemm: %s: (m, n, k) is (%d, %d, %d), want none negative", name, o.m, o.n, o.k))
	}
	rows, cols := o.m, o.k
	if o.transA {
		rows, cols = cols, rows
	}
	checkMatrix(name, "a", o.a, rows, cols, o.lda)
	rows, cols = o.k, o.n
	if o.transB {
		rows, cols = cols, rows
	}
	checkMatrix(name, "b", o.b, rows, cols, o.ldb)
	checkMatrix(name, "c", o.c, o.m, o.n, o.ldc)
}

// checkMatrix panics unless x holds a rows × cols matrix with rows ld apart.
func checkMatrix(name, arg string, x []float32, rows, cols, ld int) {
	if rows == 0 || cols == 0 {
		return
	}
	if ld < cols {
		panic(fmt.Sprintf("gemm: %s: ld%s is %d, want at least %d, a row of %s (%d, %d)",
			name, arg, ld, cols, arg, rows, cols))
	}
	if want := (rows-1)*ld + cols; len(x) < want {
		panic(fmt.Sprintf("gemm: %s: len(%s) is %d, want at least %d for (%d, %d) with ld%s %d",
			name, arg, len(x), want, rows, cols, arg, ld))
	}
}
