package device

import "github.com/gophersnake/gophersnake/internal/kernel/matvec"

// Weights says how a Program keeps the matrices that it multiplies by.
type Weights = matvec.Format

// The formats of weights.
const (
	Float32 = matvec.Float32 // exact
	BF16    = matvec.BF16    // two bytes: relative error up to 2⁻⁸
	Int8    = matvec.Int8    // one byte and a scale a row: error up to the row's greatest magnitude divided by 254
)

// WeightFormats lists the formats of weights.
func WeightFormats() []Weights { return matvec.Formats() }

// Recorder is a Device that can repeat what it has computed.
type Recorder interface {
	Device
	// Record returns a Device that computes as this one does and notes what.
	Record(w Weights) Recording
}

// Recording is a Device that notes every operation of a forward pass, for one
// step of time, on buffers of the Device it was made from.
type Recording interface {
	Device
	// Program returns what was noted, to be run again on the same buffers. What
	// no operation of the recording writes, tokens aside, is taken not to change
	// any more: parameters, and what follows from them alone. It is an error,
	// naming them, when there were operations that cannot be repeated.
	Program() (Program, error)
}

// Program is a recorded run of operations.
type Program interface {
	// Run repeats the operations. It allocates nothing for most of them.
	Run()
	// WeightBytes is how much memory of weight matrices a Run reads.
	WeightBytes() int
}
