package descriptor

import "syscall"

// Redirect makes fd another name of from. linux/arm64 has no dup2.
func Redirect(from, fd int) error { return syscall.Dup3(from, fd, 0) }
