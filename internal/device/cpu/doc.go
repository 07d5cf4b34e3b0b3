// Package cpu is the float32 device: SIMD kernels on all cores. It implements
// device.Device; what each operation computes is written there, and in plain
// loops in package reference.
//
// # How it is built
//
// The arithmetic lives in internal/kernel (gemm, vec, scan), which picks AVX2
// or plain Go by itself. This package cuts an operation into tasks, gives each
// task its scratch, and adds up what the tasks found.
//
// # The same bits on any number of cores
//
//   - Tasks are cut by shape alone; the number of workers decides only who
//     runs them. So a vector kernel meets its tail in the same place always.
//   - A task writes only what it owns. A sum over rows goes through one partial
//     per task, and the partials are added in the order of the tasks.
//   - Nothing is summed atomically.
//
// # Recording
//
// A recording (record.go) computes as the Device does and notes each operation.
// Its program repeats them for one step of time: functions with their buffers
// bound, made once, in place of methods that cut work into tasks. What depends on
// parameters alone is not repeated, and matrices of parameters are laid out for
// package matvec. A row's bits are those of the Device's operation on one row,
// however many rows there are.
//
// A step with enough work is shared: each worker has the same rows of every matrix
// and the same channels of everything else in every step. Where one reads what
// another has written (a norm, a projection of all channels) they wait for each
// other, about 0.1 µs; what takes less than that each computes for itself. The
// compiler (record_compile.go) finds these places from what operations touch.
//
// # Glossary
//
//	b, l, d, n, h, v  as in package device; m = b·l rows
//	task              what one worker does without interruption
//	part              one task's partial of a sum over rows
package cpu
