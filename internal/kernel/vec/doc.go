// Package vec computes functions of float32 slices on the processor.
//
//	symbol    meaning
//	x, a, b   arguments, of the length of the result unless said otherwise
//	dst, y    result
//	dx, dy    gradient of the loss with respect to x and y
//	σ(x)      1/(1+exp(-x)), the logistic function
//
// Functions whose name ends in Grad, and those whose doc comment says "+=",
// add to their result; the others overwrite it. A result may be the same
// slice as an argument, but must not overlap one otherwise. A function panics
// when lengths differ, and does nothing to empty slices.
//
// # Same bits everywhere
//
// An element's result depends on this element alone: not on its place, on the
// slice's length or alignment, or on who computed its neighbours. So work may
// be shared out in any way. The assembly computes a rest of fewer elements than
// a vector has with the instructions of a whole vector under a mask.
//
// Reductions (Sum, Dot, SumSquares, Max, the sums in the row functions) have
// one fixed order for each length: see sumGo. They are never shared out here.
//
// The kernels with AVX-512 have the bits of those with AVX2. There is none for
// the reductions but the softmax's: with 32 partial sums in either, they wait
// for their additions, not for the number of lanes.
//
// The NEON kernels (gen/neon) have the same formulas and orders.
//
// The plain Go kernels (build tag noasm, or a processor without AVX2 or NEON) have the
// same formulas and orders, but round a product before adding to it where the
// assembly does not, so the last bits differ.
//
// # Accuracy
//
// Relative errors against exact arithmetic, for every float32 argument: Exp,
// Sigmoid, SiLU, Softplus, Tanh and GELUExact 5e-7 (measured 1e-7 to 4e-7).
// Results may be denormal, and are then off by one unit at most, those of
// SiLU and GELUExact, x times something denormal, by x units. GELU
// multiplies the error of the argument of its exponential, so for negative
// arguments its relative error grows to 1e-5 while its absolute error stays
// below 3e-7.
//
// NaN gives NaN. Infinities give the limits, except SiLU and GELU at -Inf,
// which are NaN as they are in PyTorch (-Inf·0), and gradients at infinities,
// which are the limit or NaN.
package vec

//go:generate go run ./gen -out zz_kernel_amd64.s -stubs zz_kernel_amd64.go -generic zz_kernel_generic.go -pkg vec
