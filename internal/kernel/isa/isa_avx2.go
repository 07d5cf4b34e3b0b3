//go:build amd64 && !noasm

package isa

import "golang.org/x/sys/cpu"

// UseAVX2 reports whether the assembly kernels run.
var UseAVX2 = cpu.X86.HasAVX2 && cpu.X86.HasFMA
