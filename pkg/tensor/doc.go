// Package tensor holds tensors, the devices they live on, and the tape that
// records coarse operations on them for reverse-mode differentiation.
//
// A tensor is a contiguous row-major array on one [Device]: reference
// (float64, plain loops, the truth) or cpu (float32, SIMD, all cores). A model
// is written once against [Tape] and runs on any of them:
//
//	tp := tensor.NewTape(tensor.CPU(0))
//	y := tp.Linear(x, w, b)
//	loss := tp.CrossEntropy(y, targets)
//	tp.Backward(loss)        // gradients of every parameter are added up
//	tp.Reset()               // memory of the step is used again by the next
//
// Operations are coarse: a whole recurrence, a whole convolution, a whole loss
// is one node with a hand-written gradient, never a node per time step. An
// operation of your own is a [Function], used with [Tape.Apply].
//
// # Memory
//
// Tensors made by a tape belong to it. Backward gives a value back as soon as
// its gradient has been passed on, so read it before, or Retain it; Reset gives
// back all of them. The buffers are kept and used again: after its first step a
// training loop allocates nothing that grows. [Tape.Residual] runs a branch on a
// few sequences at a time, once more for the gradient, and keeps little of it.
//
// # Generation
//
// [Record] turns a forward pass over one step into a [Plan], which repeats its
// operations on the same memory. A plan keeps the matrices that it multiplies by
// in float32, bf16 or int8.
//
// # Mistakes
//
// A shape that does not fit panics with the operation, what it got and what it
// wants, before any work starts: "tensor: Linear: x is (2, 64, 32), want
// (..., 48)".
//
// # Glossary
//
//	B batch, L length (time steps), D channels, G groups of channels, N state
//	size, H hidden size or number of heads, V vocabulary, K kernel width
package tensor
