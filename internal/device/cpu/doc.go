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
// # Glossary
//
//	b, l, d, n, h, v  as in package device; m = b·l rows
//	task              what one worker does without interruption
//	part              one task's partial of a sum over rows
package cpu
