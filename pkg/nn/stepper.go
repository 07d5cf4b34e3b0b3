package nn

import (
	"fmt"
	"slices"

	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// StepperConfig describes a Stepper.
type StepperConfig struct {
	Batch   int            // streams that go on at once
	Weights tensor.Weights // how weight matrices are kept
}

// DefaultStepperConfig returns one stream and float32 weights.
func DefaultStepperConfig() StepperConfig {
	return StepperConfig{Batch: 1, Weights: tensor.WeightsFloat32}
}

// Stepper runs a model of tokens one step at a time, as generation does: one
// Forward of the model over one step is recorded (tensor.Record), and every Step
// repeats it, without a tape. With float32 weights a stream's scores are those of
// Model.Tokens with a batch of 1 and one step at a time, to the bit, whatever
// the number of streams and workers, as long as no matrix has more than 4096
// columns; beyond that sums are rounded otherwise. A stepper has a copy of every
// weight matrix, but with float32 of none from 1 MiB on. It serves one goroutine
// at a time.
type Stepper struct {
	model    *Model
	plan     *tensor.Plan
	state    *State
	tokens   []int32
	advanced []*State // whose position a step moves
}

// NewStepper returns a stepper at the state before the first step. The model's
// weights must not change afterwards. It is an error if the model takes numbers,
// or has an operation that cannot be repeated, such as attention, which reads
// more with every step.
func NewStepper(m *Model, c StepperConfig) (*Stepper, error) {
	if c.Batch < 1 {
		return nil, fmt.Errorf("nn: NewStepper: batch is %d, want 1 or more", c.Batch)
	}
	if m.embed == nil || m.cfg.Head == MeanHead {
		return nil, fmt.Errorf("nn: NewStepper: the model has head %q and %d tokens, want tokens and head %q or %q", m.cfg.Head, m.cfg.Vocab, LMHead, LastHead)
	}
	s := &Stepper{model: m, state: m.NewState(c.Batch), tokens: make([]int32, c.Batch)}
	before := s.state.Export()
	var err error
	s.plan, err = tensor.Record(m.embed.Device(), c.Weights, func(tp *tensor.Tape) *tensor.Tensor {
		return m.Tokens(tp, s.tokens, c.Batch, 1, s.state)
	})
	if err != nil {
		return nil, fmt.Errorf("nn: NewStepper: %w", err)
	}
	s.state.each(func(part *State) {
		if part.Position > 0 {
			s.advanced = append(s.advanced, part)
		}
	})
	return s, s.state.Import(before)
}

// Step takes one token of each stream and returns the scores of the next,
// (Batch, Outputs), which the next Step overwrites. It panics on a wrong number
// of tokens and on one outside the vocabulary.
func (s *Stepper) Step(tokens []int32) []float32 {
	if len(tokens) != len(s.tokens) {
		panic(fmt.Sprintf("nn: Stepper.Step: %d tokens, want %d, one for each stream", len(tokens), len(s.tokens)))
	}
	for i, t := range tokens {
		if t < 0 || int(t) >= s.model.cfg.Vocab {
			panic(fmt.Sprintf("nn: Stepper.Step: token %d is %d, want 0 to %d", i, t, s.model.cfg.Vocab-1))
		}
	}
	copy(s.tokens, tokens)
	s.plan.Run()
	for _, part := range s.advanced {
		part.Position++
	}
	return s.plan.Output()
}

// State returns the state of all streams, which every Step moves on. Import puts
// another in its place.
func (s *Stepper) State() *State { return s.state }

// Load puts a state of one stream, as of Model.NewState(1), in the place of the
// stream of that number. All streams share a position, which becomes that of
// from; no built-in model with a Stepper looks at it.
func (s *Stepper) Load(stream int, from *State) error {
	if stream < 0 || stream >= len(s.tokens) {
		return fmt.Errorf("nn: Stepper.Load: stream %d, want 0 to %d", stream, len(s.tokens)-1)
	}
	return s.state.load(stream, from)
}

// WeightBytes returns how much memory of weights a Step reads, the embedding
// counted whole.
func (s *Stepper) WeightBytes() int { return s.plan.WeightBytes() }

// each calls f with s and all its parts.
func (s *State) each(f func(*State)) {
	f(s)
	for _, part := range s.parts {
		part.each(f)
	}
}

// load copies a state of one stream to a row of every tensor of s.
func (s *State) load(row int, from *State) error {
	if from == nil {
		return fmt.Errorf("nn: State: there is no state to load")
	}
	for name, t := range s.tensors {
		src := from.tensors[name]
		want := append([]int{1}, t.Shape()[1:]...)
		if src == nil || !slices.Equal(src.Shape(), want) {
			return fmt.Errorf("nn: State: tensor %q to load is %v, want %v", name, src, want)
		}
		t.Rows(row, row+1).CopyFrom(src)
	}
	for name, part := range s.parts {
		if err := part.load(row, from.parts[name]); err != nil {
			return err
		}
	}
	s.Position = from.Position
	return nil
}
