//go:build !arm64 || noasm

package isa

// UseNEON reports whether the NEON kernels run.
const UseNEON = false
