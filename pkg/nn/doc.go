// Package nn holds what every model shares: the Builder that makes parameters,
// the Mixer that a Block is built around, linear and convolution layers, norms,
// attention, the Block, and the heads.
//
// A layer is made from its config and a [Builder], which draws its initial
// weights, names its parameters and collects them. It has one Forward for
// training and for generation: with a nil [State] it treats x (B,L,D) as whole
// sequences; with a State it goes on from where the last call ended, so a step
// is a call with L = 1. A [Stepper] records that call once and repeats it, which
// allocates nothing and can keep the weights in two bytes or one.
//
// # Glossary
//
//	B batch, L length (time steps), D model width, E = expand·D inner width
//	V vocabulary, K convolution width, H heads
package nn
