// Package matvec multiplies a matrix that is used many times, such as the
// weights of a model that generates, by vectors:
//
//	y = W x
//
//	symbol   Go       shape    meaning
//	W        Matrix   (n, k)   in one of three formats
//	x        x        (m, k)   m vectors
//	y        y        (m, n)   W times each of them
//
// # Formats
//
//	Float32  as it is
//	BF16     the upper half of a float32, rounded to nearest, ties to even: a
//	         relative error of 2⁻⁸ at most
//	Int8     whole numbers from −127 to 127 times a scale of the row, which is
//	         its greatest magnitude divided by 127: an error of half a scale
//
// In all formats elements become float32 in registers, products are added in
// float32, and a row's scale multiplies the sum.
//
// # Order
//
// A row's sum is that of vec.Dot for k up to 4096: element i goes to partial sum
// i mod 32, and these are joined in a fixed order. So a product of Float32 has
// the bits of vec.Dot, on every instruction set with fused multiply-add, for
// one vector as for many, and rows may be shared out between workers.
//
// # Layout
//
// One product reads W once, and from memory if W is larger than the caches, so
// its speed is that of reading. W lies in blocks of rows (8 with AVX-512, 2 with
// AVX2 and NEON, 1 without), of which 32 columns follow each other, and so on: one
// stream. Rows and columns are filled up with zeros. A word of BF16 has an element
// of one vector in its lower half and of the next vector in its upper. A matrix of
// Float32 that is too large for the second-level cache is read where it is.
package matvec

//go:generate go run ./gen -out zz_kernel_amd64.s -stubs zz_kernel_amd64.go -pkg matvec
