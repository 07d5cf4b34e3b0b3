package scan

// prepareMode says how the step size Δ comes from its pre-activation.
type prepareMode int

const (
	// deltaRaw: Δ = delta + bias; spec.Sig = 1.
	deltaRaw prepareMode = iota
	// deltaSoftplus: Δ = softplus(delta + bias); spec.Sig is left alone.
	deltaSoftplus
	// deltaSoftplusSig also fills spec.Sig, for the backward pass.
	deltaSoftplusSig
	prepareModes
)

// engine is one implementation of the chunk kernels: plain Go, AVX2, AVX-512 or NEON.
// Those that take an extent work on a frame pair, on planes of its width and on
// eight values of the vectors for each half. AVX2 and AVX-512 agree to the
// bit, the others with them to rounding. How they lay out a frame pair is their
// own affair.
type engine interface {
	// prepare fills Δ, u, Δu and clears the sums Y, Sx and Sd.
	prepare(mode prepareMode, x extent, frame []float32, u, delta plane, bias []float32)
	// scan advances h (halves, N, 8) through the steps and adds C h to Y.
	scan(x extent, frame []float32, s system, h []float32)
	// finish stores y = (Y + dskip u) SiLU(z), ungated when z.v is nil.
	finish(x extent, frame []float32, y, z plane, dskip []float32)

	// scanComplex is scan with complex A, B, C and h (halves, 2, N, 8): 2 Re(C h).
	scanComplex(x extent, frame []float32, s system, h []float32)
	// step runs one step of channels, eight to a row of the frame, whose lanes
	// are states: Y = C h + dskip u.
	step(channels int, frame []float32, r stepRows)

	// seed fills G and, unless z.v is nil, GZ.
	seed(x extent, frame []float32, dy, z plane)
	// scanBack recomputes the steps from their first state h and runs the
	// adjoint back through them: Sx and Sd, and all of adj. With gated it also
	// adds C h to Y.
	scanBack(x extent, frame []float32, s system, h []float32, adj adjoint, gated bool)
	// scanBackComplex is the adjoint of scanComplex, always gated.
	scanBackComplex(x extent, frame []float32, s system, h []float32, adj adjoint)
	// finishBack adds du, ddelta and (gated) dz to their planes and the sums
	// over the steps to dbias and ddskip.
	finishBack(x extent, frame []float32, du, ddelta, dz plane, dskip, dbias, ddskip []float32, gated bool)
	// sumLanes adds the sum of src[8i:8i+8] to dst[i].
	sumLanes(dst, src []float32)

	// linear runs steps rows of n channels: h = a·hPrev + x.
	linear(steps, n int, v linearRows)
	// linearBack runs the adjoint of linear, in the direction of the strides.
	linearBack(steps, n int, v linearBackRows)
	// linearComplex and linearComplexBack are the same with two planes.
	linearComplex(steps, n int, re, im linearRows)
	linearComplexBack(steps, n int, re, im linearBackRows)
}

// engineFor is this process's engine for windows of so many groups, or the
// plain-Go one on request.
func engineFor(pureGo bool, halves int) engine {
	if pureGo {
		return goEngine{}
	}
	return native(halves)
}
