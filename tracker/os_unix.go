//go:build unix

package tracker

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// isFull reports whether an error says that no more bytes fit: disk, quota, or the process's file size limit.
func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}

// writable reports whether this process may write the file or directory.
func writable(path string) bool { return unix.Access(path, unix.W_OK) == nil }

// flock locks an open file, waiting for whoever holds it. The lock belongs to the open file description: it goes with
// the last close of it, hence with the process.
func flock(f *os.File) error { return retryFlock(f, unix.LOCK_EX) }

// tryFlock locks without waiting and reports whether it got the lock.
func tryFlock(f *os.File, shared bool) (bool, error) {
	how := unix.LOCK_EX
	if shared {
		how = unix.LOCK_SH
	}
	err := retryFlock(f, how|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}

func retryFlock(f *os.File, how int) error {
	for {
		if err := unix.Flock(int(f.Fd()), how); err != unix.EINTR {
			return err
		}
	}
}

// samePath reports whether the open file is still the one that its path names.
func samePath(f *os.File, path string) bool {
	open, err := f.Stat()
	if err != nil {
		return false
	}
	named, err := os.Stat(path)
	return err == nil && os.SameFile(open, named)
}

// pidExists reports whether some process has this id now.
func pidExists(pid int) bool {
	if pid <= 0 {
		return false
	}
	err := unix.Kill(pid, 0)
	return err == nil || errors.Is(err, unix.EPERM)
}
