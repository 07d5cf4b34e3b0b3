package analysis

import (
	"fmt"
	"math"
	"slices"

	"github.com/gophersnake/gophersnake/pkg/lab/stats"
	"github.com/gophersnake/gophersnake/pkg/lab/table"
)

// Sort puts the group with the best mean first; groups without one come last.
func Sort(groups []Group, o Options) {
	slices.SortStableFunc(groups, func(a, b Group) int {
		x, y := a.Summary.Mean, b.Summary.Mean
		switch {
		case math.IsNaN(x) || math.IsNaN(y):
			return b2i(math.IsNaN(x)) - b2i(math.IsNaN(y))
		case x == y:
			return 0
		case (x > y) == o.HigherIsBetter:
			return -1
		}
		return 1
	})
}

// Table shows groups, a row each: runs, diverged runs, mean with its t interval,
// the bootstrap's, and the best run with the best to be expected of as many tries
// as the smallest group had.
func Table(groups []Group, o Options) *table.Table {
	level := fmt.Sprintf("%g %%", 100*o.confidence())
	tries := math.MaxInt
	for _, g := range groups {
		tries = min(tries, len(g.Samples))
	}
	of := fmt.Sprintf("best of %d", tries)
	t := table.New(o.Measure, "group", "runs", "diverged", "mean", "t, "+level, "bootstrap, "+level, "best", "run", of)
	for _, g := range groups {
		t.Add(g.Name, fmt.Sprint(len(g.Samples)), fmt.Sprint(g.Summary.Diverged), number(g.Summary.Mean), interval(g.Summary.Lo, g.Summary.Hi),
			interval(g.Bootstrap.BCa.Lo, g.Bootstrap.BCa.Hi), number(g.Best.Value), g.Best.Run.ID, number(g.ExpectedBest(tries, o)))
	}
	without := 0
	for _, g := range groups {
		without += g.Without
	}
	if without > 0 {
		t.Note(leftOut(without))
	}
	t.Note("Diverged: NaN or infinite, or diverged before there was a value; left out of the mean. The bootstrap (BCa) is too narrow for a handful of runs.")
	t.Note(of + ": the mean best of that many runs drawn from the group, so that groups of unequal size compare.")
	return t
}

// leftOut tells of runs that were never measured.
func leftOut(n int) string {
	return fmt.Sprintf("%d runs are left out: they have no such value, and did not diverge.", n)
}

// Table shows the two groups and their difference, as notebooks do.
func (c Comparison) Table() *table.Table {
	t := table.New(c.Measure, "", "runs", "diverged", "mean or difference", "interval", "p", "effect")
	for i, g := range []Group{c.A, c.B} {
		t.Add(fmt.Sprintf("%c  %s", 'A'+i, g.Name), fmt.Sprint(len(g.Samples)), fmt.Sprint(g.Summary.Diverged), number(g.Summary.Mean),
			interval(g.Summary.Lo, g.Summary.Hi), "", "")
	}
	diff, lo, hi, effect := c.Difference()
	how, n := "A − B", ""
	if c.Pairs {
		how, n = "A − B, paired by seed", fmt.Sprint(c.Paired.N)
	}
	t.Add(how, n, "", signed(diff), interval(lo, hi), number(c.P()), number(effect))
	if !c.Pairs {
		t.Note("Not paired: " + c.Unpaired + ".")
	}
	if n := c.A.Without + c.B.Without; n > 0 {
		t.Note(leftOut(n))
	}
	t.Note(fmt.Sprintf("%s. Best of %d tries, expected: A %.4g, B %.4g.", c.verdict(), c.BestOf, c.BestA, c.BestB))
	return t
}

// Against compares every other group with groups[baseline] and adjusts the p
// values for the number of comparisons (Holm).
func Against(groups []Group, baseline int, o Options) ([]Comparison, []float64, error) {
	if baseline < 0 || baseline >= len(groups) {
		return nil, nil, fmt.Errorf("analysis: baseline is %d, want 0 to %d", baseline, len(groups)-1)
	}
	var out []Comparison
	var ps []float64
	for i, g := range groups {
		if i == baseline {
			continue
		}
		c, err := Compare(g, groups[baseline], o)
		if err != nil {
			return nil, nil, err
		}
		out, ps = append(out, c), append(ps, c.P())
	}
	return out, stats.Holm(ps), nil
}

// AgainstTable shows the comparisons of Against.
func AgainstTable(comparisons []Comparison, adjusted []float64, o Options) *table.Table {
	title := o.Measure
	if len(comparisons) > 0 {
		title += ", against " + comparisons[0].B.Name
	}
	t := table.New(title, "group", "difference", fmt.Sprintf("%g %%", 100*o.confidence()), "p", "p by Holm", "effect", "pairs", "verdict")
	for i, c := range comparisons {
		diff, lo, hi, effect := c.Difference()
		pairs := "none: " + c.Unpaired
		if c.Pairs {
			pairs = fmt.Sprint(c.Paired.N)
		}
		t.Add(c.A.Name, signed(diff), interval(lo, hi), number(c.P()), number(adjusted[i]), number(effect), pairs, string(c.VerdictOf(adjusted[i])))
	}
	t.Note("Effect: Cohen's d_z of pairs, Hedges' g otherwise. The verdict needs p by Holm below " + fmt.Sprintf("%.4g", 1-o.confidence()) + " and an interval without 0.")
	return t
}

func number(v float64) string {
	if math.IsNaN(v) {
		return ""
	}
	return fmt.Sprintf("%.4g", v)
}

func signed(v float64) string {
	if math.IsNaN(v) {
		return ""
	}
	return fmt.Sprintf("%+.4g", v)
}

func interval(lo, hi float64) string {
	if math.IsNaN(lo) || math.IsInf(lo, 0) || math.IsInf(hi, 0) {
		return "unknown"
	}
	return fmt.Sprintf("[%.4g, %.4g]", lo, hi)
}
