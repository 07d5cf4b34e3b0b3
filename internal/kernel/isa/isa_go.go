//go:build !amd64 || noasm

package isa

// UseAVX2 reports whether the assembly kernels run.
const UseAVX2 = false

// UseAVX512 reports whether those with 16 lanes run.
const UseAVX512 = false
