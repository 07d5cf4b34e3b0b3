package lab

import (
	"fmt"

	"github.com/gophersnake/gophersnake/internal/near"
	"github.com/gophersnake/gophersnake/pkg/nn"
	"github.com/gophersnake/gophersnake/pkg/task"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// Loaded is the model of a checkpoint, with its weights.
type Loaded struct {
	Experiment Experiment
	Step       int // steps that it was trained
	Model      *nn.Model
	Params     []*tensor.Param // in the order of their making
}

// Load reads a checkpoint and builds its model with the weights that it holds,
// on the device of its experiment:
//
//	m, err := lab.Load(result.Checkpoint)
//	m.Model.Blocks[0].Mixer.(*ssm.Diagonal).Eigenvalues()
//
// The model is for looking at and for evaluation: a checkpoint holds the moments
// of the optimiser too, which are not loaded. Experiment.StartingFrom trains on.
//
// Data that is no whole checkpoint, or one whose numbers are not those of the
// model of its experiment, is an error.
func Load(checkpoint []byte) (*Loaded, error) { return LoadWith(checkpoint, 0, nil) }

// LoadWith is Load with a number of cores, 0 for all, and the constructor of the
// experiment's mixer, nil for a built-in one.
func LoadWith(checkpoint []byte, workers int, newMixer MixerFunc) (*Loaded, error) {
	c, err := DecodeCheckpoint(checkpoint)
	if err != nil {
		return nil, err
	}
	return c.load(workers, newMixer)
}

func (c *Checkpoint) load(workers int, newMixer MixerFunc) (*Loaded, error) {
	m, params, err := BuildWith(c.Experiment, workers, newMixer)
	if err != nil {
		return nil, err
	}
	if err := c.restore(params); err != nil {
		return nil, err
	}
	return &Loaded{Experiment: c.Experiment, Step: c.Step, Model: m, Params: params}, nil
}

// String is "s6 on induction, seed 1, after 1000 steps: 7280 parameters".
func (l *Loaded) String() string {
	e := l.Experiment
	return fmt.Sprintf("%s on %s, seed %d, after %d steps: %d parameters", e.Model.Mixer.Label(), e.Task.Name, e.Seed, l.Step, nn.CountParams(l.Params))
}

// Names lists the parameters, in the order of their making.
func (l *Loaded) Names() []string {
	names := make([]string, len(l.Params))
	for i, p := range l.Params {
		names[i] = p.Name
	}
	return names
}

// Param returns the parameter of that name, such as "layers.0.mixer.A_log".
func (l *Loaded) Param(name string) (*tensor.Param, error) {
	for _, p := range l.Params {
		if p.Name == name {
			return p, nil
		}
	}
	if meant := near.Name(name, l.Names()); meant != "" {
		return nil, fmt.Errorf("lab: there is no parameter %q; did you mean %q?", name, meant)
	}
	return nil, fmt.Errorf("lab: there is no parameter %q, want one of %q", name, l.Names())
}

// Forward runs the model on a batch of its task and returns what it predicts:
// (B,L,Outputs), or (B,Outputs) when the task asks for one answer a sequence.
func (l *Loaded) Forward(tp *tensor.Tape, b *task.Batch) *tensor.Tensor {
	return forward(l.Model, tp, b)
}

// MixerInput runs the model on a batch and returns what the mixer of a block,
// counted from 0, is given: (B,L,D), behind norm, projection and convolution.
func (l *Loaded) MixerInput(tp *tensor.Tape, block int, b *task.Batch) (*tensor.Tensor, error) {
	if block < 0 || block >= len(l.Model.Blocks) {
		return nil, fmt.Errorf("lab: block %d, want 0 to %d", block, len(l.Model.Blocks)-1)
	}
	k := l.Model.Blocks[block]
	s := &spy{Mixer: k.Mixer}
	k.Mixer = s
	defer func() { k.Mixer = s.Mixer }()
	l.Forward(tp, b)
	return s.seen, nil
}

// spy is a mixer that remembers its input.
type spy struct {
	nn.Mixer
	seen *tensor.Tensor
}

func (s *spy) Forward(tp *tensor.Tape, x *tensor.Tensor, state *nn.State) *tensor.Tensor {
	s.seen = x
	return s.Mixer.Forward(tp, x, state)
}

// forward runs a model on a batch.
func forward(m *nn.Model, tp *tensor.Tape, b *task.Batch) *tensor.Tensor {
	if b.Tokens != nil {
		return m.Tokens(tp, b.Tokens, b.B, b.L, nil)
	}
	return m.Numbers(tp, tensor.From(tp.Device(), b.Inputs, b.B, b.L, b.Channels), nil)
}
