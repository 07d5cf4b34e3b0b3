package analysis

import (
	"fmt"
	"math"
	"strings"

	"github.com/gophersnake/gophersnake/pkg/lab/stats"
)

// Comparison is what can be said about the difference of two groups. If their
// runs pair up by seed, Paired holds the stronger statement; Welch always holds
// the one that treats them as independent.
type Comparison struct {
	A, B      Group
	Pairs     bool // whether Paired applies
	Paired    stats.PairedResult
	Bootstrap stats.BootstrapResult // of the mean paired difference, if Pairs
	Welch     stats.WelchResult
	Unpaired  string // why the runs do not pair up, empty if they do
	Single    int    // runs left out of the pairs, since the other group lacks their seed
	// BestOf is the number of tries at which the best runs are compared: the smaller group's.
	BestOf         int
	BestA, BestB   float64 // expected best of BestOf runs
	HigherIsBetter bool
	Measure        string
}

// Compare compares two groups of runs, A − B. Runs are paired by seed if no group
// has two runs of one seed and they share at least two seeds; runs whose seed the
// other group lacks are left out of the pairs and said so.
func Compare(a, b Group, o Options) (Comparison, error) {
	if err := o.check(); err != nil {
		return Comparison{}, err
	}
	c := Comparison{A: a, B: b, HigherIsBetter: o.HigherIsBetter, Measure: o.Measure}
	x, y, why := pairs(a, b)
	c.Pairs, c.Unpaired = why == "", why
	if c.Pairs {
		c.Single = len(a.Samples) + len(b.Samples) - 2*len(x)
		c.Paired = stats.Paired(x, y, o.confidence())
		c.Bootstrap = o.bootstrap(differences(x, y))
	}
	c.Welch = stats.Welch(a.Values(), b.Values(), o.confidence())
	c.BestOf = min(len(a.Samples), len(b.Samples))
	c.BestA, c.BestB = a.ExpectedBest(c.BestOf, o), b.ExpectedBest(c.BestOf, o)
	return c, nil
}

// pairs matches runs by seed; why is empty if they can be matched.
func pairs(a, b Group) (x, y []float64, why string) {
	bySeed, why := seeds(b)
	if _, w := seeds(a); w != "" {
		why = w
	}
	if why != "" {
		return nil, nil, why
	}
	for _, s := range a.Samples {
		if v, ok := bySeed[s.Run.Seed]; ok {
			x, y = append(x, s.Value), append(y, v)
		}
	}
	if len(x) < 2 {
		return nil, nil, fmt.Sprintf("they share %d seeds, and pairs need 2", len(x))
	}
	return x, y, ""
}

func seeds(g Group) (map[int64]float64, string) {
	out := map[int64]float64{}
	for _, s := range g.Samples {
		if !s.Run.HasSeed {
			return nil, fmt.Sprintf("run %s of %s has no seed", s.Run.ID, g.Name)
		}
		if _, twice := out[s.Run.Seed]; twice {
			return nil, fmt.Sprintf("%s has several runs of seed %d", g.Name, s.Run.Seed)
		}
		out[s.Run.Seed] = s.Value
	}
	return out, ""
}

func differences(x, y []float64) []float64 {
	out := make([]float64, len(x))
	for i := range x {
		out[i] = x[i] - y[i]
	}
	return out
}

// Verdict is a word on a difference.
type Verdict string

// The verdicts. Open means that the interval of the difference contains 0.
const (
	Better Verdict = "better"
	Worse  Verdict = "worse"
	Open   Verdict = "open"
)

// Difference is A − B with its interval and effect size: of pairs if there are
// pairs, of independent groups otherwise.
func (c Comparison) Difference() (diff, lo, hi, effect float64) {
	if c.Pairs {
		return c.Paired.MeanDiff, c.Paired.Lo, c.Paired.Hi, c.Paired.Effect
	}
	return c.Welch.MeanDiff, c.Welch.Lo, c.Welch.Hi, c.Welch.Effect
}

// P is the two-sided p value of Difference.
func (c Comparison) P() float64 {
	if c.Pairs {
		return c.Paired.P
	}
	return c.Welch.P
}

// Verdict says how A fares against B at the confidence asked for.
func (c Comparison) Verdict() Verdict {
	_, lo, hi, _ := c.Difference()
	switch {
	case math.IsNaN(lo) || lo <= 0 && hi >= 0:
		return Open
	case (lo > 0) == c.HigherIsBetter:
		return Better
	}
	return Worse
}

// VerdictOf is Verdict where the comparison is one of several: p is its p value
// adjusted for all of them, and must lie below 1 − confidence for a word other than
// open.
func (c Comparison) VerdictOf(p float64) Verdict {
	const rounding = 1e-12 // 1 − 0.95 is a little more than 0.05
	if !(p < 1-c.Welch.Confidence-rounding) {
		return Open
	}
	return c.Verdict()
}

// verdict is Verdict as a clause.
func (c Comparison) verdict() string {
	if v := c.Verdict(); v != Open {
		return "A is " + string(v)
	}
	return "Undecided: the interval contains 0"
}

// String is the comparison in a few lines.
func (c Comparison) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n  A  %s: %s\n  B  %s: %s\n", c.Measure, c.A.Name, c.A.Summary, c.B.Name, c.B.Summary)
	switch {
	case c.Pairs:
		fmt.Fprintf(&b, "A − B by seed: %s, d_z=%.2g, bootstrap %s\n", c.Paired, c.Paired.Effect, interval(c.Bootstrap.BCa.Lo, c.Bootstrap.BCa.Hi))
		if c.Single > 0 {
			fmt.Fprintf(&b, "%d runs are left out of the pairs: the other group lacks their seed\n", c.Single)
		}
	default:
		fmt.Fprintf(&b, "A − B, not paired (%s): %s, g=%.2g\n", c.Unpaired, c.Welch, c.Welch.Effect)
	}
	if n := c.A.Without + c.B.Without; n > 0 {
		b.WriteString(leftOut(n) + "\n")
	}
	b.WriteString(c.verdict())
	if c.BestOf > 0 {
		fmt.Fprintf(&b, "; best of %d tries, expected: A %.4g, B %.4g", c.BestOf, c.BestA, c.BestB)
	}
	return b.String()
}
