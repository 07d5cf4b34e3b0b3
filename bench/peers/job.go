package main

// The kinds of measurement.
const (
	kindTrain    = "train"    // full training steps of a language model
	kindScan     = "scan"     // the selective scan by itself, forward and backward
	kindGenerate = "generate" // one stream, one token a step, the most likely one
	kindBlock    = "block"    // forward and backward of one block of the ladder
	kindWeights  = "weights"  // write the starting weights and end
	kindCeilings = "ceilings" // measure what the machine can do and end
)

// Job is what a measuring process is asked to do, ours and the peer's alike.
// Lengths are in tokens.
type Job struct {
	Kind    string  `json:"kind"`
	Model   string  `json:"model"`   // mamba, gru, lstm, rnn, lru, gpt; a rung of the ladder for blocks
	Variant string  `json:"variant"` // peer: how the recurrence is computed, or "compile"
	D       int     `json:"d"`       // width; channels of a scan
	Layers  int     `json:"layers"`
	Batch   int     `json:"batch"`
	Length  int     `json:"length"`
	Vocab   int     `json:"vocab"`
	State   int     `json:"state"` // N of a scan or a Mamba
	Heads   int     `json:"heads"`
	Tied    bool    `json:"tied"` // head = embedding
	LR      float64 `json:"lr"`
	Threads int     `json:"threads"`
	Warm    int     `json:"warm"`    // steps before the first timed one
	Weights string  `json:"weights"` // file of starting weights, beside it their index in JSON
	Profile bool    `json:"profile"` // time every operation of the device
	Format  string  `json:"format"`  // of our weight matrices in generation, "" for float32
}

// Ready is what a process reports when it has done its warm steps.
type Ready struct {
	Params  int       `json:"params"`  // trained scalars
	Found   []float64 `json:"found"`   // losses, tokens, or loss and gradient norms: what both sides must agree on
	Base    int64     `json:"base"`    // greatest resident size before the model was built, bytes
	Version string    `json:"version"` //
	CPU     string    `json:"cpu"`     // instruction set in use
	Variant string    `json:"variant"` //
	Warmed  float64   `json:"warmed"`  // seconds of the warm steps, compiling included

	Ceilings []Ceiling `json:"ceilings,omitempty"`
}

// Turn is what a process reports after a turn.
type Turn struct {
	Seconds []float64 `json:"seconds"` // of each step
	Peak    int64     `json:"peak"`    // greatest resident size so far, bytes
	Ops     []OpTime  `json:"ops,omitempty"`
}

// entry is a parameter in the index of a file of weights: float32, little
// endian, one parameter after the other.
type entry struct {
	Name  string `json:"name"`
	Shape []int  `json:"shape"`
	Group string `json:"group"`
}
