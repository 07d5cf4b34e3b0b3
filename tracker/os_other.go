//go:build !unix

package tracker

import (
	"errors"
	"os"
)

// errNoFlock: the write path needs flock. A port gives these functions another body (LockFileEx on Windows).
var errNoFlock = errors.New("this operating system has no flock; the tracker runs on Linux, macOS and the BSDs")

func isFull(error) bool                        { return false }
func writable(string) bool                     { return true }
func flock(*os.File) error                     { return errNoFlock }
func tryFlock(*os.File, bool) (bool, error)    { return false, errNoFlock }
func samePath(*os.File, string) bool           { return true }
func pidExists(int) bool                       { return false }
func processStart(int) string                  { return "" }
func networkFS(string) (kind string, bad bool) { return "", false }
