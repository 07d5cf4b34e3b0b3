//go:build unix

// Package descriptor moves file descriptors about. It stands apart from the
// kernel because it alone differs by system, and can be vetted for all of them
// without a C compiler for each.
package descriptor

import "syscall"

// Copy returns a new descriptor for what fd stands for now.
func Copy(fd int) (int, error) { return syscall.Dup(fd) }
