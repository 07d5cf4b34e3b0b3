package nn

import "github.com/gophersnake/gophersnake/pkg/tensor"

// Mixer carries information along time: the part of a Block that is under
// study. Every rung of the ladder is one.
type Mixer interface {
	// Name says what it is, for tables.
	Name() string
	// Forward maps x (B,L,D) to (B,L,D), causally: step t sees steps 0 to t. s
	// is nil for whole sequences; otherwise Forward goes on from s and leaves
	// in it what the next call needs.
	Forward(tp *tensor.Tape, x *tensor.Tensor, s *State) *tensor.Tensor
	// NewState returns the state before the first step of a batch.
	NewState(batch int) *State
}

// GatedMixer is a Mixer that can apply the Block's output gate itself, in one
// pass: ForwardGated returns Forward(x) ⊙ SiLU(z).
type GatedMixer interface {
	Mixer
	ForwardGated(tp *tensor.Tape, x, z *tensor.Tensor, s *State) *tensor.Tensor
}

// ProjectedMixer is a GatedMixer that can apply the Block's output projection
// as well: ForwardProjected returns ForwardGated(x, z) wᵀ (B,L,M) for x and z
// (B,L,E) and w (M,E), in less memory.
type ProjectedMixer interface {
	GatedMixer
	ForwardProjected(tp *tensor.Tape, x, z, w *tensor.Tensor, s *State) *tensor.Tensor
}

// SequenceMixer is a Mixer that says whether a Block may run it on some sequences
// of a large batch at a time while it trains (tensor.Tape.Residual), for a
// fraction of the memory. Forward then runs twice for each of these pieces, the
// second time for the gradient, each time without a state and on a tape that is
// not the Block's. So it must map every sequence by itself, do the same each time,
// and use no tensors but its input and its parameters. BySequence is false, too,
// where pieces would take longer: in recurrences that multiply the states of the
// whole batch by a matrix.
type SequenceMixer interface {
	Mixer
	BySequence() bool
}

// Step runs one step of m: x (B,D) to (B,D).
func Step(tp *tensor.Tape, m Mixer, x *tensor.Tensor, s *State) *tensor.Tensor {
	b, d := x.Dim(0), x.Dim(1)
	y := m.Forward(tp, x.Reshape(b, 1, d), s)
	return y.Reshape(b, y.Dim(-1))
}
