// Package spec holds what the Go kernels of package scan and the generator of
// its assembly share: the layout of a frame and the approximations of exp, log
// and cos, so that both compute the same thing.
package spec

const (
	// Lanes is the channels in a group: float32 lanes of a 256-bit vector.
	Lanes = 8

	// Chunk is the most steps in a frame, and the steps between checkpoints:
	// measured against 8, 16 and 64. Below 32 the start of every block of states
	// costs, above it the frame and the sums leave a 32 kB level-one cache.
	Chunk = 32

	// Halves is the frames side by side that one call may fill or empty: two
	// groups are 64 bytes, a cache line, of every row of a (B, L, D) array.
	Halves = 2

	// Rows is the most (B, L, D) arrays that a window reads or writes: u, delta,
	// z, dy, du, ddelta, dz and y. It is a power of two.
	Rows = 8
)

// The fields of a frame row, in floats: Lanes values each.
const (
	Dt  = Lanes * iota // Δ
	U                  // u
	DtU                // Δ u
	Y                  // Σ_n C h, without feed-through and gate
	G                  // g = dy SiLU(z)
	GZ                 // dy σ(z)(1 + z(1 − σ(z))): dz is this times y before the gate
	Sx                 // Σ_n X B
	Sd                 // Σ_n S A log2(e)
	Sig                // σ(delta + bias), or 1 without softplus

	FrameRow
	Frame = Chunk * FrameRow // floats of a frame

	// Pair is the floats of a frame pair. Its last ones are, in the AVX-512
	// engine's, the greatest |Δ| of all steps.
	Pair   = Halves * (Frame + Lanes)
	MaxAbs = Frame
)
