// Package fused computes what several functions of package vec would compute
// one after the other, in one pass over memory: the exponentials of attention,
// the cells of recurrent networks, and the convolution of four taps.
//
//	symbol     shape  meaning
//	n          -      channels of a row, the length of a slice unless said otherwise
//	sum        g·n    sums of a cell's gates, before their functions; g gates side by side
//	gates      g·n    gates after their functions
//	h, c       n      state, and state of the LSTM's cell
//	x          n      gradient of the loss with respect to the state, from later steps
//	dh, dx     -      gradients of a step's output and of its input sums
//	s          g·n    gradient of the sums
//
// Results are written twice where a cell needs them in two places: together
// with those of other rows for the next product, and in the array of all steps
// (names that end in Out).
//
// # Same bits as package vec
//
// Every function gives the bits of the calls that its plain Go form makes, on
// AVX2, AVX-512 and without assembly alike: an element's result does not depend
// on its place or on the slices' length, and sums have vec's order. Only the
// sign of a zero may differ. The functions panic when a slice is too short.
//
// # Does not include
//
// Products with matrices (package gemm), and recurrences whose state has no
// matrix (package scan).
package fused

//go:generate go run ./gen -out zz_kernel_amd64.s -stubs zz_kernel_amd64.go -generic zz_kernel_generic.go -pkg fused
