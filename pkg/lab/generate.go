package lab

import (
	"context"
	"fmt"
	"math"

	initializer "github.com/gophersnake/gophersnake/pkg/init"
	"github.com/gophersnake/gophersnake/pkg/nn"
	"github.com/gophersnake/gophersnake/pkg/task"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// GenerateOptions says how tokens are drawn.
type GenerateOptions struct {
	Prompt      []int32 // at least one token
	Tokens      int     // how many to draw
	Temperature float64 // 0 takes the most likely token
	Seed        uint64
	Workers     int
	NewMixer    MixerFunc // of a model of kind Custom; nil for a built-in kind
}

// Generate loads a checkpoint's model and draws tokens from it one step at a
// time, each step going on from the state of the last. It calls each for every
// token drawn; returning false stops.
func Generate(ctx context.Context, checkpoint []byte, o GenerateOptions, each func(token int32) bool) error {
	c, err := DecodeCheckpoint(checkpoint)
	if err != nil {
		return err
	}
	spec := specOf(c.Experiment.Task)
	if spec.VocabIn == 0 || spec.VocabIn != spec.VocabOut {
		return fmt.Errorf("lab: Generate: task %s does not predict its own symbols (%d in, %d out)", c.Experiment.Task.Name, spec.VocabIn, spec.VocabOut)
	}
	if err := o.validate(spec); err != nil {
		return err
	}
	l, err := c.load(o.Workers, o.NewMixer)
	if err != nil {
		return err
	}
	return generate(ctx, l.Model, l.Params[0].Device(), o, each)
}

func (o GenerateOptions) validate(spec task.Spec) error {
	if len(o.Prompt) == 0 {
		return fmt.Errorf("lab: Generate: the prompt is empty, want at least one token")
	}
	for i, t := range o.Prompt {
		if t < 0 || int(t) >= spec.VocabIn {
			return fmt.Errorf("lab: Generate: prompt token %d is %d, want 0 to %d", i, t, spec.VocabIn-1)
		}
	}
	if o.Tokens < 0 || !(o.Temperature >= 0) {
		return fmt.Errorf("lab: Generate: tokens %d, temperature %g, want both 0 or more", o.Tokens, o.Temperature)
	}
	return nil
}

func generate(ctx context.Context, m *nn.Model, d *tensor.Device, o GenerateOptions, each func(int32) bool) error {
	tp := tensor.NewTape(d)
	tp.SetGrad(false)
	tp.SetTraining(false)
	rng := initializer.NewRand(o.Seed, "generate")
	state := m.NewState(1)
	in := o.Prompt
	for range o.Tokens {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		tp.Reset()
		y := m.Tokens(tp, in, 1, len(in), state)
		scores := y.Data()
		next := sample(scores[len(scores)-y.Dim(-1):], o.Temperature, rng.Float64())
		if !each(next) {
			return nil
		}
		in = []int32{next}
	}
	return nil
}

// sample returns the token at quantile u of softmax(scores/temperature), the
// largest score at temperature 0.
func sample(scores []float64, temperature, u float64) int32 {
	best := 0
	for i, s := range scores {
		if s > scores[best] {
			best = i
		}
	}
	if temperature == 0 {
		return int32(best)
	}
	var total float64
	p := make([]float64, len(scores))
	for i, s := range scores {
		p[i] = math.Exp((s - scores[best]) / temperature)
		total += p[i]
	}
	for i := range p {
		if u -= p[i] / total; u < 0 {
			return int32(i)
		}
	}
	return int32(best)
}
