// Package gemm multiplies float32 matrices on the processor.
//
//	C = beta·C + op(A)·op(B) (+ bias)
//
//	symbol   Go         shape      meaning
//	C        c, ldc     (m, n)     result, row-major, rows ldc apart
//	op(A)    a, lda     (m, k)     A, or its transpose when A is stored (k, m)
//	op(B)    b, ldb     (k, n)     B, or its transpose when B is stored (n, k)
//	bias     bias       (n)        added to every row of C, nil for none
//	beta     beta       -          0 overwrites C (which may hold NaN), 1 adds to it
//
// # How
//
// The loops are those of Goto and van de Geijn ("Anatomy of High-Performance
// Matrix Multiplication", ACM TOMS 34(3), 2008). B is copied ("packed") into
// panels of 16 columns in which the 16 values of one k lie together. A kernel
// holds a tile of 6 rows × 16 columns of C in twelve AVX registers and walks
// along k; it is run over the rows of A while the panel stays in the first
// cache. A is read where it lies, except that a transposed one with
// inconvenient strides is packed too. A last panel of at most 8 columns is 8
// wide. NEON's tile is the same, in 24 of its registers; A's values are lanes
// of registers there, never broadcast. With AVX-512 the tile is 12 rows × 32 columns, two panels;
// a C of 17 to 24 or 33 to 40 columns has tiles as wide as itself, and for a C
// of few rows and a large k, B is not packed but read where it lies. Jobs and
// buffers are used again: after the first products of a shape, nothing is
// allocated.
//
// # Same bits for any number of workers
//
// An element of C is a sum in an order that depends on (m, n, k) only: k is
// cut into blocks of at most 256; the products within a block are added one
// after the other with fused multiply-add, beginning with the bias or zero;
// the blocks' sums are added in order. Workers share out rows and columns,
// never the terms of one sum. Only where C is small and k is large, as in
// gradients of weights, k itself is first cut into slices (see slices), whose
// sums are then added in order. The AVX-512 and NEON kernels compute the same
// bits as the AVX2 ones.
//
// The plain Go kernels (build tag noasm, or a processor without AVX2 or NEON) add in
// the same order but round each product by itself unless the compiler fuses
// it, so their results differ from the assembly's in the last bits.
//
// # Does not include
//
// Other values of alpha and beta, other element types, symmetric and
// triangular matrices, and batches: call Gemm once for each matrix.
package gemm

//go:generate go run ./gen -out zz_kernel_amd64.s -stubs zz_kernel_amd64.go -pkg gemm
