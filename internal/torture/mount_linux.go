package main

import (
	"fmt"
	"syscall"
)

// smallDisk is a file system of few bytes.
type smallDisk struct{ dir string }

// mountSmall puts a file system of so many bytes over a folder. Only root may.
func mountSmall(dir string, size int) (smallDisk, error) {
	return smallDisk{dir}, syscall.Mount("torture", dir, "tmpfs", syscall.MS_NOSUID|syscall.MS_NODEV, fmt.Sprintf("size=%d", size))
}

// grow gives it as much room as anybody needs.
func (d smallDisk) grow() error {
	return syscall.Mount("torture", d.dir, "tmpfs", syscall.MS_REMOUNT|syscall.MS_NOSUID|syscall.MS_NODEV, "size=268435456")
}

func (d smallDisk) unmount() { _ = syscall.Unmount(d.dir, syscall.MNT_DETACH) }
