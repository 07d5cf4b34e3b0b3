//go:build arm64 && !noasm

package isa

// UseNEON reports whether the NEON kernels run: every arm64 processor has it.
const UseNEON = true
