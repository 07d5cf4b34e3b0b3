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
	Fastest []float64      // seconds of the fastest pass
	Slowest []float64      // and of the slowest
	Fit     stats.PowerLaw // over the longer lengths, where the exponent shows
}

// ScalingResult is the curves of all rungs.
type ScalingResult struct {
	Config ScalingConfig
	Curves []ScalingCurve
}

// MeasureScaling times forward and backward of one block at batch size 1. The
// rungs take turns, and so do the lengths in a few rounds, so that a change of the
// machine's speed meets all of them.
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
	times, err := c.measure(ctx, steps)
	if err != nil {
		return nil, err
	}
	for i := range steps {
		for j, l := range c.Lengths {
			res.Curves[i].add(l, times[i][j])
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

// scalingRounds is how often the lengths are gone through, so that a disturbance
// of a second does not meet every pass of one length.
const scalingRounds = 5

// measure returns the seconds of the passes, by step and length. At each length
// of a round the first pass, which plans memory, is not counted.
func (c ScalingConfig) measure(ctx context.Context, steps []func(length int) time.Duration) ([][][]float64, error) {
	times := make([][][]float64, len(steps))
	for i := range times {
		times[i] = make([][]float64, len(c.Lengths))
	}
	rounds := min(c.Repeats, scalingRounds)
	for round := range rounds {
		passes := c.Repeats*(round+1)/rounds - c.Repeats*round/rounds
		for j, l := range c.Lengths {
			for pass := range passes + 1 {
				for i, step := range steps {
					if ctx.Err() != nil {
						return nil, context.Cause(ctx)
					}
					if d := step(l); pass > 0 {
						times[i][j] = append(times[i][j], d.Seconds())
					}
				}
			}
		}
	}
	return times, nil
}

// add appends what was measured at a length.
func (k *ScalingCurve) add(length int, seconds []float64) {
	k.Lengths, k.Seconds = append(k.Lengths, float64(length)), append(k.Seconds, median(seconds))
	k.Fastest, k.Slowest = append(k.Fastest, slices.Min(seconds)), append(k.Slowest, slices.Max(seconds))
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

// Table returns milliseconds by length, the median with the fastest and the
// slowest pass, and the fitted exponents where the lengths tell them.
func (r *ScalingResult) Table() *table.Table {
	cols := []string{"block"}
	for _, l := range r.Config.Lengths {
		cols = append(cols, fmt.Sprintf("L=%d", l))
	}
	t := table.New(fmt.Sprintf("Milliseconds for forward and backward of one block, width %d, batch 1, %s", r.Config.D, r.Config.Device), append(cols, "exponent")...)
	for _, k := range r.Curves {
		row := []string{k.Rung}
		for i, s := range k.Seconds {
			row = append(row, fmt.Sprintf("%.3g (%.3g–%.3g)", 1e3*s, 1e3*k.Fastest[i], 1e3*k.Slowest[i]))
		}
		t.Add(append(row, exponent(k.Fit))...)
	}
	t.Note(fmt.Sprintf("Times: median (fastest–slowest) of %d passes. The exponent is fitted to the medians at the longer two thirds of the lengths; its interval is 95 %%.", r.Config.Repeats))
	if r.told() < len(r.Curves) {
		t.Note(fmt.Sprintf("An exponent is told from %d fitted lengths and within ±%g, which tells growth with L from growth with L²; more and longer lengths tell more.", stats.LawPoints, stats.LawHalfWidth))
	}
	return t
}

// told counts the curves whose exponent the lengths tell.
func (r *ScalingResult) told() int {
	n := 0
	for _, k := range r.Curves {
		if k.Fit.Tells() {
			n++
		}
	}
	return n
}

// exponent is a fitted exponent with its interval, or why it is not told.
func exponent(f stats.PowerLaw) string {
	switch {
	case f.Tells():
		return fmt.Sprintf("%.2f [%.2f, %.2f]", f.Exponent, f.Lo, f.Hi)
	case f.N < stats.LawPoints:
		return "too few lengths to tell"
	}
	return "too uneven to tell"
}

// CSV returns the times of the passes in seconds, one row a block and length.
func (r *ScalingResult) CSV() string {
	t := table.New("", "block", "length", "median", "fastest", "slowest")
	for _, k := range r.Curves {
		for i, l := range k.Lengths {
			t.Add(k.Rung, fmt.Sprint(l), fmt.Sprint(k.Seconds[i]), fmt.Sprint(k.Fastest[i]), fmt.Sprint(k.Slowest[i]))
		}
	}
	return t.CSV()
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
