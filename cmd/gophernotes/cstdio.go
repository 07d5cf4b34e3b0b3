//go:build gophernotes && cgo

package main

// #include <stdio.h>
// static void lines(void) { setvbuf(stdout, NULL, _IOLBF, BUFSIZ); }
// static void flush(void) { fflush(stdout); }
import "C"

// cLines makes C's stdout send whole lines, as it does on a terminal. On a
// pipe it would keep 4 KiB back.
func cLines() { C.lines() }

// cFlush sends what C code has printed.
func cFlush() { C.flush() }
