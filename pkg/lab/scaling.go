package lab

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/gophersnake/gophersnake/pkg/lab/stats"
	"github.com/gophersnake/gophersnake/pkg/lab/table"
	"github.com/gophersnake/gophersnake/pkg/nn"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// ScalingConfig measures how the time of a block grows with the length.
type ScalingConfig struct {
	Rungs   []string // whose blocks are measured
	D       int      // width of the residual stream
	Lengths []int    //
	Repeats int      // measurements of each, interleaved
	Device  string
	Workers int // 0 for all cores
	Seed    uint64
}

// DefaultScalingConfig returns lengths 128 to 8192 at width 32.
func DefaultScalingConfig() ScalingConfig {
	return ScalingConfig{Rungs: []string{"conv", "attention", "rnn", "lru", "mamba"}, D: 32,
		Lengths: []int{128, 256, 512, 1024, 2048, 4096, 8192}, Repeats: 15, Device: "cpu", Seed: 1}
}

// ScalingCurve is the measurements of one rung.
type ScalingCurve struct {
	Rung    string
	Lengths []float64
	Seconds []float64      // median of a forward and backward pass of one sequence
	Fit     stats.PowerLaw // over the longer lengths, where the exponent shows
}

// ScalingResult is the curves of all rungs.
type ScalingResult struct {
	Config ScalingConfig
	Curves []ScalingCurve
}

// MeasureScaling times forward and backward of one block at batch size 1. The
// rungs take turns, so that a change of the machine's speed meets all of them.
func MeasureScaling(ctx context.Context, c ScalingConfig) (*ScalingResult, error) {
	if len(c.Lengths) < 3 || c.Repeats < 1 || len(c.Rungs) == 0 {
		return nil, fmt.Errorf("lab: scaling: %d lengths, %d repeats, %d rungs, want at least 3, 1, 1", len(c.Lengths), c.Repeats, len(c.Rungs))
	}
	dev, err := tensor.OpenDevice(c.Device, c.Workers)
	if err != nil {
		return nil, err
	}
	res := &ScalingResult{Config: c}
	var steps []func(length int) time.Duration
	for _, name := range c.Rungs {
		step, err := blockStep(dev, name, c)
		if err != nil {
			return nil, err
		}
		steps = append(steps, step)
		res.Curves = append(res.Curves, ScalingCurve{Rung: name})
	}
	for _, l := range c.Lengths {
		times := make([][]float64, len(steps))
		for r := range c.Repeats + 1 {
			for i, step := range steps {
				if ctx.Err() != nil {
					return nil, context.Cause(ctx)
				}
				d := step(l)
				if r > 0 { // the first plans memory
					times[i] = append(times[i], d.Seconds())
				}
			}
		}
		for i := range steps {
			k := &res.Curves[i]
			k.Lengths, k.Seconds = append(k.Lengths, float64(l)), append(k.Seconds, median(times[i]))
		}
	}
	for i := range res.Curves {
		k := &res.Curves[i]
		from := fitFrom(len(k.Lengths))
		if k.Fit, err = stats.LogLogSlope(k.Lengths[from:], k.Seconds[from:], Confidence); err != nil {
			return nil, err
		}
	}
	return res, nil
}

// blockStep returns a function that runs one block of a rung forward and
// backward over a sequence of a length, and how long that took.
func blockStep(dev *tensor.Device, rung string, c ScalingConfig) (func(length int) time.Duration, error) {
	r, err := RungNamed(rung)
	if err != nil {
		return nil, err
	}
	base := DefaultExperiment("selective-copying")
	base.Model.D = c.D
	e, err := r.On(base)
	if err != nil {
		return nil, err
	}
	b := nn.NewBuilder(dev, c.Seed)
	block, err := nn.NewBlock(b, e.Model.Block, c.D, 1, func(b *nn.Builder, width int) (nn.Mixer, error) {
		return NewMixer(b, width, e.Model)
	})
	if err != nil {
		return nil, err
	}
	tp := tensor.NewTape(dev)
	inputs := nn.NewBuilder(dev, c.Seed+1).Rand
	return func(length int) time.Duration {
		x := make([]float64, length*c.D)
		for i := range x {
			x[i] = inputs.NormFloat64()
		}
		in := tensor.Variable(dev, x, 1, length, c.D)
		start := time.Now()
		tp.Reset()
		tp.Backward(tp.Mean(block.Forward(tp, in, nil)))
		d := time.Since(start)
		tensor.ZeroGrad(b.Params())
		return d
	}, nil
}

// fitFrom is the index of the first length that is fitted: the longer two thirds,
// five of seven.
func fitFrom(n int) int { return min(n/3, n-3) }

func median(xs []float64) float64 {
	s := slices.Clone(xs)
	slices.Sort(s)
	return s[len(s)/2]
}

// Table returns milliseconds by length and the fitted exponents.
func (r *ScalingResult) Table() *table.Table {
	cols := []string{"block"}
	for _, l := range r.Config.Lengths {
		cols = append(cols, fmt.Sprintf("L=%d", l))
	}
	t := table.New(fmt.Sprintf("Milliseconds for forward and backward of one block, width %d, batch 1, %s", r.Config.D, r.Config.Device), append(cols, "exponent")...)
	for _, k := range r.Curves {
		row := []string{k.Rung}
		for _, s := range k.Seconds {
			row = append(row, fmt.Sprintf("%.3g", 1e3*s))
		}
		t.Add(append(row, fmt.Sprintf("%.2f [%.2f, %.2f]", k.Fit.Exponent, k.Fit.Lo, k.Fit.Hi))...)
	}
	t.Note("The exponent is fitted to the longer two thirds of the lengths; its interval is 95 %.")
	return t
}

// SpeedResult is how fast an experiment trains.
type SpeedResult struct {
	TokensPerSecond float64 // at the median step
	StepSeconds     float64
	Steps           int
	GrowthBytes     int // memory that the steps after the first added to the tape
}

// MeasureSpeed times training steps of an experiment, the first not counted.
func MeasureSpeed(ctx context.Context, e Experiment, steps, workers int) (*SpeedResult, error) {
	e.Steps, e.EvalEvery, e.LogEvery = steps+1, steps+1, steps+1
	t, err := newTrainer(e, Options{Workers: workers})
	if err != nil {
		return nil, err
	}
	var times []float64
	planned, tokens := 0, 0
	for i := range steps + 1 {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		before, had := t.spent, t.tokens
		if _, err := t.trainStep(); err != nil {
			return nil, err
		}
		if i == 0 {
			planned = t.tape.Bytes()
			continue
		}
		times, tokens = append(times, (t.spent-before).Seconds()), t.tokens-had
	}
	m := median(times)
	return &SpeedResult{TokensPerSecond: float64(tokens) / m, StepSeconds: m, Steps: steps, GrowthBytes: t.tape.Bytes() - planned}, nil
}
