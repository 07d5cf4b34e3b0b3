//go:build unix && !linux

package descriptor

import "syscall"

// Redirect makes fd another name of from.
func Redirect(from, fd int) error { return syscall.Dup2(from, fd) }
