// Package asm writes functions in Go's assembly for arm64, for the generators
// of the NEON kernels.
//
// Go's assembler knows only a part of the vector instructions: those that it
// lacks, among them all floating-point arithmetic but VFMLA and VFMLS, are
// written as words, each with the instruction in Arm's notation beside it. The
// words follow the encoding classes of the Arm Architecture Reference Manual,
// chapter C4.1 ("Advanced SIMD").
//
// A function is written with as many registers as one likes; when it is
// finished, they are mapped to the processor's by what lives at the same time.
// A function that needs more than there are panics: nothing is spilled.
//
//	f := file.Func("neonAdd", "adds x to dst.", "n int, dst, x *float32")
//	n, dst, x := f.Arg("n"), f.Arg("dst"), f.Arg("x")
//	f.Label("loop")
//	v := f.Load(x, 0)
//	f.FAdd(v, v, f.Load(dst, 0))
//	...
//
// All vectors are four lanes of 32 bits, and all floating-point arithmetic is
// float32. All parameters of a function are 8 bytes wide.
package asm
