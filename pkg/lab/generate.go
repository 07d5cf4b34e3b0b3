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

// GenerateOptions says how tokens are drawn: from softmax(scores/Temperature),
// of which TopK and then TopP leave the less likely tokens out. Tokens of equal
// scores count in the order of their numbers, and one token is always left.
type GenerateOptions struct {
	Prompt      []int32 // at least one token
	Tokens      int     // how many to draw
	Temperature float64 // 0 takes the most likely token
	TopK        int     // draw from the TopK most likely tokens only; 0: from all
	TopP        float64 // and of them from the fewest that have this share of the probability; 0, the same as 1: from all
	Seed        uint64
	Workers     int
	NewMixer    MixerFunc // of a model of kind Custom; nil for a built-in kind

	// Weights is how weight matrices, embedding and head included, are kept:
	// "float32", the same as "", is exact; "bf16" halves and "int8" quarters
	// what a token reads of memory. Norms, convolutions, biases, what belongs to
	// the recurrence by channel and matrices of fewer than 32 columns stay
	// float32, and so does all arithmetic. A model with attention, one of kind
	// Custom, and one on the device "reference" have float32 only.
	Weights tensor.Weights
}

// Generate loads a checkpoint's model and draws tokens from it one step at a
// time, each step going on from the state of the last. It calls each for every
// token drawn; returning false stops.
func Generate(ctx context.Context, checkpoint []byte, o GenerateOptions, each func(token int32) bool) error {
	return GenerateBatch(ctx, checkpoint, o, [][]int32{o.Prompt}, func(_ int, token int32) bool { return each(token) })
}

// GenerateBatch draws from several prompts at once, a stream for each;
// o.Prompt is not used. Stream i draws what Generate draws from prompts[i] with
// the seed o.Seed + i. It calls each for every token drawn, with the number of
// its stream; returning false ends that stream. Streams whose prompts have
// different lengths may be at different places in their texts.
func GenerateBatch(ctx context.Context, checkpoint []byte, o GenerateOptions, prompts [][]int32, each func(stream int, token int32) bool) error {
	c, err := DecodeCheckpoint(checkpoint)
	if err != nil {
		return err
	}
	spec := specOf(c.Experiment.Task)
	if spec.VocabIn == 0 || spec.VocabIn != spec.VocabOut {
		return fmt.Errorf("lab: Generate: task %s does not predict its own symbols (%d in, %d out)", c.Experiment.Task.Name, spec.VocabIn, spec.VocabOut)
	}
	if o.Weights == "" {
		o.Weights = tensor.WeightsFloat32
	}
	if err := o.validate(spec, prompts); err != nil {
		return err
	}
	l, err := c.load(o.Workers, o.NewMixer)
	if err != nil {
		return err
	}
	streams := newStreams(o, prompts)
	if why := l.cannotStep(); why != "" {
		if o.Weights != tensor.WeightsFloat32 {
			return fmt.Errorf("lab: Generate: weights are %s, want %s: %s", o.Weights, tensor.WeightsFloat32, why)
		}
		return forwardStreams(ctx, l, streams, each)
	}
	s, err := nn.NewStepper(l.Model, nn.StepperConfig{Batch: len(streams), Weights: o.Weights})
	if err != nil {
		return err
	}
	if o.Weights == tensor.WeightsFloat32 {
		if err := readPrompts(s, l, streams, each); err != nil {
			return err
		}
	}
	return stepStreams(ctx, s, streams, each)
}

func (o GenerateOptions) validate(spec task.Spec, prompts [][]int32) error {
	if len(prompts) == 0 {
		return fmt.Errorf("lab: Generate: there is no prompt, want at least one")
	}
	for _, prompt := range prompts {
		if len(prompt) == 0 {
			return fmt.Errorf("lab: Generate: the prompt is empty, want at least one token")
		}
		for i, t := range prompt {
			if t < 0 || int(t) >= spec.VocabIn {
				return fmt.Errorf("lab: Generate: prompt token %d is %d, want 0 to %d", i, t, spec.VocabIn-1)
			}
		}
	}
	if o.Tokens < 0 || o.TopK < 0 || !(o.Temperature >= 0) || math.IsInf(o.Temperature, 1) {
		return fmt.Errorf("lab: Generate: tokens %d, temperature %g, top-k %d, want all 0 or more and finite", o.Tokens, o.Temperature, o.TopK)
	}
	if !(o.TopP >= 0 && o.TopP <= 1) {
		return fmt.Errorf("lab: Generate: top-p %g, want a share of 0 to 1; 0 and 1 draw from all tokens", o.TopP)
	}
	if err := tensor.CheckWeights(o.Weights); err != nil {
		return fmt.Errorf("lab: Generate: %w", err)
	}
	return nil
}

// cannotStep says why a model cannot run in a nn.Stepper, "" if it can.
func (l *Loaded) cannotStep() string {
	m := l.Model.Config()
	switch kind := l.Experiment.Model.Mixer.Kind; {
	case kind == Attention:
		return "attention reads more with every step"
	case kind == Custom:
		return "what a custom mixer computes may depend on the step"
	case l.Params[0].Device().Name() != "cpu":
		return "the device " + l.Params[0].Device().Name() + " has no other"
	case m.Head == nn.MeanHead:
		return "the head takes the mean over time"
	}
	return ""
}

// stream is one text while it is drawn.
type stream struct {
	sampler
	unread []int32 // of the prompt
	in     int32   // what the model reads next once the prompt is read
	left   int     // how many tokens are to be drawn
}

func newStreams(o GenerateOptions, prompts [][]int32) []*stream {
	out := make([]*stream, len(prompts))
	for i, prompt := range prompts {
		rng := initializer.NewRand(o.Seed+uint64(i), "generate")
		out[i] = &stream{sampler: sampler{rng: rng, temperature: o.Temperature, topK: o.TopK, topP: o.TopP}, unread: prompt, left: o.Tokens}
	}
	return out
}

// next returns the token to read, the last one of an ended stream.
func (s *stream) next() int32 {
	if len(s.unread) > 0 {
		s.in, s.unread = s.unread[0], s.unread[1:]
	}
	return s.in
}

// draw draws the next token from the scores that followed the last and takes it.
func (s *stream) draw(i int, scores []float64, each func(stream int, token int32) bool) error {
	token, err := s.sample(scores)
	if err == nil {
		s.take(i, token, each)
	}
	return err
}

// take goes on from a token and gives it away. The stream ends with its last
// token, or when nobody wants more.
func (s *stream) take(i int, token int32, each func(stream int, token int32) bool) {
	s.in = token
	if s.left--; !each(i, s.in) {
		s.left = 0
	}
}

// stepStreams runs the streams together.
func stepStreams(ctx context.Context, s *nn.Stepper, streams []*stream, each func(stream int, token int32) bool) error {
	tokens := make([]int32, len(streams))
	var wide []float64
	for running(streams) {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		for i, t := range streams {
			tokens[i] = t.next()
		}
		scores := s.Step(tokens)
		width := len(scores) / len(streams)
		for i, t := range streams {
			if t.left == 0 || len(t.unread) > 0 {
				continue
			}
			wide = widen(wide, scores[i*width:][:width])
			if err := t.draw(i, wide, each); err != nil {
				return err
			}
		}
	}
	return nil
}

// running reports whether a stream has not ended.
func running(streams []*stream) bool {
	for _, s := range streams {
		if s.left > 0 {
			return true
		}
	}
	return false
}

// widen copies x to y, which it makes long enough.
func widen(y []float64, x []float32) []float64 {
	if len(y) != len(x) {
		y = make([]float64, len(x))
	}
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

// readPrompts runs the model over every prompt at once, draws the first tokens,
// and puts the states in their places.
func readPrompts(s *nn.Stepper, l *Loaded, streams []*stream, each func(stream int, token int32) bool) error {
	tp := generateTape(l)
	for i, t := range streams {
		if t.left == 0 {
			continue
		}
		state := l.Model.NewState(1)
		scores := forwardTokens(tp, l, t.unread, state)
		t.unread = nil
		if err := s.Load(i, state); err != nil {
			return err
		}
		if err := t.draw(i, scores, each); err != nil {
			return err
		}
	}
	return nil
}

// forwardTokens returns the scores that follow the last token.
func forwardTokens(tp *tensor.Tape, l *Loaded, tokens []int32, state *nn.State) []float64 {
	tp.Reset()
	y := l.Model.Tokens(tp, tokens, 1, len(tokens), state)
	scores := y.Data()
	return scores[len(scores)-y.Dim(-1):]
}

func generateTape(l *Loaded) *tensor.Tape {
	tp := tensor.NewTape(l.Params[0].Device())
	tp.SetGrad(false)
	tp.SetTraining(false)
	return tp
}

// forwardStreams draws one stream after the other with the layers' Forward.
func forwardStreams(ctx context.Context, l *Loaded, streams []*stream, each func(stream int, token int32) bool) error {
	tp := generateTape(l)
	for i, t := range streams {
		state, in := l.Model.NewState(1), t.unread
		for t.left > 0 {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if err := t.draw(i, forwardTokens(tp, l, in, state), each); err != nil {
				return err
			}
			in = []int32{t.in}
		}
	}
	return nil
}
