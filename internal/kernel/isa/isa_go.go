//go:build !amd64 || noasm

package isa

// UseAVX2 reports whether the assembly kernels run.
const UseAVX2 = false
