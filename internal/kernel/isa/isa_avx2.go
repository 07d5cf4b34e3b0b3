//go:build amd64 && !noasm

package isa

import "golang.org/x/sys/cpu"

// UseAVX2 reports whether the assembly kernels run.
var UseAVX2 = cpu.X86.HasAVX2 && cpu.X86.HasFMA

// UseAVX512 reports whether those with 16 lanes run where there are any; it
// implies UseAVX2.
var UseAVX512 = UseAVX2 && cpu.X86.HasAVX512F && cpu.X86.HasAVX512VL && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512BW
