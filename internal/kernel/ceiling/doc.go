// Package ceiling measures what this machine can do at most: multiply-adds, and
// bytes read and written at each level of the memory. Benchmarks report their
// speed as a share of it, and bench/peers computes from it how fast a training
// step could be. No program of the product uses it.
//
// # What is measured
//
//	multiply-adds  independent ones of whole registers, operands in registers;
//	               one counts 2 floating-point operations
//	read           x is read
//	write          x is written; that the processor fetches a line before it
//	               writes to it is not counted, as it is not elsewhere
//	copy           one array is read, one written; both count
//	add            two arrays are read, one written; all three count
//	update         one array is read and written in place; both count
//
// A ceiling for code that writes is the greatest figure of the patterns that do,
// for code that only reads that of reading.
//
// Arrays little greater than a cache lie in it in part: code over them can exceed
// the ceiling of the level behind.
//
// Each worker has arrays of its own, all of them written before. Together they fill
// half of the cache that is measured; for the memory those of each worker are four
// times the last cache, as at one and a half times a good part still came from it.
// Each figure is that of the fastest of several runs, which other programs disturbed
// least, measured until several had all workers at work at the same time. A run lasts
// from the first worker's start to the last one's end.
package ceiling

//go:generate go run ./gen -out zz_kernel_amd64.s -stubs zz_kernel_amd64.go -pkg ceiling
