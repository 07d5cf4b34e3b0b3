package analysis

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/gophersnake/gophersnake/pkg/lab/stats"
	"github.com/gophersnake/gophersnake/tracker"
)

// Sample is one run with its value of the measure under study, NaN if it has
// none.
type Sample struct {
	Run   tracker.RunInfo
	Value float64
}

// Options of every statement. The zero value is a 95 % interval of a measure of
// which more is worse.
type Options struct {
	Measure        string  // an expression of the query language with one value a run: "metrics.loss", "min(metrics.loss)"
	HigherIsBetter bool    // an accuracy, not a loss
	Confidence     float64 // coverage of intervals; 0 means 0.95
	Resamples      int     // of the bootstrap; 0 means stats.MinResamples, -1 none: it takes half a millisecond a group
}

func (o Options) confidence() float64 { return cmp.Or(o.Confidence, 0.95) }

// check names what is out of range.
func (o Options) check() error {
	if c := o.confidence(); !(c > 0 && c < 1) {
		return fmt.Errorf("analysis: Confidence is %g, want above 0 and below 1, such as 0.95", c)
	}
	if o.Resamples != 0 && o.Resamples != -1 && o.Resamples < stats.MinResamples {
		return fmt.Errorf("analysis: Resamples is %d, want 0, -1 or at least %d", o.Resamples, stats.MinResamples)
	}
	return nil
}

// checkMeasure is check for functions that search.
func (o Options) checkMeasure() error {
	if o.Measure == "" {
		return errors.New("analysis: Measure is empty, want an expression such as metrics.loss")
	}
	return o.check()
}

// Group is a set of runs and what their values come to.
type Group struct {
	Name      string
	Samples   []Sample // by seed, then by run
	Summary   stats.Summary
	Bootstrap stats.BootstrapResult // of the mean; its seed is fixed: same runs, same bits
	Best      Best
	Without   int // runs left out: they have no such value and did not diverge
}

// Best is the best run of a group and how many tries it took. A best of many is
// expected to be better than a best of few; ExpectedBest makes groups comparable.
type Best struct {
	Sample
	Tries int // runs of the group, diverged ones included
}

// NewGroup describes a set of runs.
func NewGroup(name string, samples []Sample, o Options) (Group, error) {
	if err := o.check(); err != nil {
		return Group{}, err
	}
	g := Group{Name: name, Samples: slices.Clone(samples)}
	slices.SortStableFunc(g.Samples, func(a, b Sample) int {
		return cmp.Or(cmp.Compare(b2i(!a.Run.HasSeed), b2i(!b.Run.HasSeed)), cmp.Compare(a.Run.Seed, b.Run.Seed), cmp.Compare(a.Run.RowID, b.Run.RowID))
	})
	values := g.Values()
	g.Summary = stats.Summarise(values, o.confidence())
	g.Bootstrap = o.bootstrap(values)
	g.Best = best(g.Samples, o.HigherIsBetter)
	return g, nil
}

// Resample adds the bootstrap to a group that was made without.
func (g Group) Resample(o Options) Group {
	g.Bootstrap = o.bootstrap(g.Values())
	return g
}

// bootstrap is that of the mean, with NaN for what Resamples leaves out.
func (o Options) bootstrap(values []float64) stats.BootstrapResult {
	if o.Resamples == -1 {
		none := stats.Interval{Lo: math.NaN(), Hi: math.NaN()}
		return stats.BootstrapResult{Mean: math.NaN(), Confidence: o.confidence(), Percentile: none, BCa: none}
	}
	return stats.Bootstrap(values, o.confidence(), cmp.Or(o.Resamples, stats.MinResamples), 1)
}

// Values returns the runs' values, in the order of Samples.
func (g Group) Values() []float64 {
	out := make([]float64, len(g.Samples))
	for i, s := range g.Samples {
		out[i] = s.Value
	}
	return out
}

// best finds the best finite value; without one, Value is NaN.
func best(samples []Sample, higher bool) Best {
	b := Best{Sample: Sample{Value: math.NaN()}, Tries: len(samples)}
	for _, s := range samples {
		if math.IsNaN(s.Value) || math.IsInf(s.Value, 0) {
			continue
		}
		if math.IsNaN(b.Value) || higher && s.Value > b.Value || !higher && s.Value < b.Value {
			b.Sample = s
		}
	}
	return b
}

// ExpectedBest is what the best of k runs of the group comes to on average; see
// stats.ExpectedBest. It is NaN unless 1 ≤ k ≤ the number of runs.
func (g Group) ExpectedBest(k int, o Options) float64 {
	if k < 1 || k > len(g.Samples) {
		return math.NaN()
	}
	return stats.ExpectedBest(g.Values(), k, o.HigherIsBetter)
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
