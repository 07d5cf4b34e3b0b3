package fused

import "github.com/gophersnake/gophersnake/internal/kernel/isa"

// Taps is the number of taps of the convolutions here.
const Taps = 4

// HasConv reports whether there are kernels for convolutions, whose functions
// may otherwise not be called: package vec's do the same work then.
func HasConv() bool { return isa.UseAVX2 }

// In the functions below, x and g hold steps that are step floats apart, and w
// (5, row) the four taps and the bias in rows of row ≥ n floats. x begins at
// the first step that y's first step sees, three before it.

// Conv sets y (n), which may run over several steps, to bias + Σ_j w_j ⊙ x_j.
func Conv(y, x, w []float32, step, row int) {
	n := len(y)
	if isa.UseAVX512 {
		convAVX512(n, step, row, &y[0], at(x, 3*step+n), at(w, 4*row+n))
	} else {
		convAVX2(n, step, row, &y[0], at(x, 3*step+n), at(w, 4*row+n))
	}
}

// ConvSiLU is Conv followed by SiLU.
func ConvSiLU(y, x, w []float32, step, row int) {
	n := len(y)
	if isa.UseAVX512 {
		convSiLUAVX512(n, step, row, &y[0], at(x, 3*step+n), at(w, 4*row+n))
	} else {
		convSiLUAVX2(n, step, row, &y[0], at(x, 3*step+n), at(w, 4*row+n))
	}
}

// ConvSiLUGrad sets g (n) to the gradient of ConvSiLU's sums for the gradient
// dy of its result, and adds the shares of the taps and the bias to sums,
// shaped as w: g ⊙ x_j and g.
func ConvSiLUGrad(g, dy, x, w, sums []float32, step, row int) {
	n := len(g)
	if isa.UseAVX512 {
		convSiLUGradAVX512(n, step, row, &g[0], at(dy, n), at(x, 3*step+n), at(w, 4*row+n), at(sums, 4*row+n))
	} else {
		convSiLUGradAVX2(n, step, row, &g[0], at(dy, n), at(x, 3*step+n), at(w, 4*row+n), at(sums, 4*row+n))
	}
}

// ConvInputGrad adds Σ_lag w_{3−lag} ⊙ g_lag to dx (n), the gradients g
// beginning with that of dx's first step.
func ConvInputGrad(dx, g, w []float32, step, row int) {
	n := len(dx)
	if isa.UseAVX512 {
		convInputGradAVX512(n, step, row, &dx[0], at(g, 3*step+n), at(w, 3*row+n))
	} else {
		convInputGradAVX2(n, step, row, &dx[0], at(g, 3*step+n), at(w, 3*row+n))
	}
}
