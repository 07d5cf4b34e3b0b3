package lab

import (
	"math"
	"slices"
	"strconv"

	"github.com/gophersnake/gophersnake/pkg/lab/stats"
)

// Try is one tuning run. Both values are NaN if it diverged.
type Try struct {
	LR     float64
	Seed   uint64
	Status Status
	Score  float64 // the task's metric on "valid", by which the rate is chosen
	Test   float64 // and on "test", by which the noise of the choice is judged
}

// RateScore is what the tuning runs of one learning rate came to.
type RateScore struct {
	LR   float64
	Mean float64 // of the metric on "valid" over the runs that scored a number; NaN if none did
	SE   float64 // standard error of Mean; 0 with one run
	N    int     // runs that scored a number
	Lost int     // runs that diverged or scored none
}

// Tuning is the choice of an arm's learning rate.
type Tuning struct {
	Rates  []RateScore // by rising rate
	Best   float64     // the rate with the best mean
	Chosen float64     // the smallest rate within one standard error of it
	Edge   bool        // Best is the smallest or largest rate: a better one may lie outside
}

// chooseRate applies the rule by which every arm's rate is chosen, stated before
// any run: of the rates with the fewest lost runs take the best mean of the
// metric on "valid"; then, of those whose mean lies within one standard error of
// the best's, the smallest (Breiman et al. 1984, §3.4.3: the simplest model
// within one standard error). Two rates at a cliff then do not change places with
// every seed: the one before the cliff is taken. A share of the tuning seeds may
// be given twice or not at all, as a bootstrap draws them.
func chooseRate(rates []float64, tries []Try, higher bool) Tuning {
	t := Tuning{Rates: rateScores(rates, tries)}
	worth := func(v float64) float64 {
		if higher {
			return v
		}
		return -v
	}
	best := t.Rates[0]
	for _, r := range t.Rates[1:] {
		if r.N > 0 && (best.N == 0 || r.Lost < best.Lost || r.Lost == best.Lost && worth(r.Mean) > worth(best.Mean)) {
			best = r
		}
	}
	t.Best, t.Chosen = best.LR, best.LR
	for _, r := range t.Rates {
		if r.N > 0 && r.Lost <= best.Lost && worth(r.Mean) >= worth(best.Mean)-best.SE {
			t.Chosen = r.LR
			break
		}
	}
	last := len(t.Rates) - 1
	t.Edge = last > 0 && best.N > 0 && (best.LR == t.Rates[0].LR && !t.tied(0, 1) || best.LR == t.Rates[last].LR && !t.tied(last, last-1))
	return t
}

// tied reports whether the neighbour j of an end i of the grid scores the same:
// then nothing better is to be expected beyond the end.
func (t Tuning) tied(i, j int) bool {
	a, b := t.Rates[i], t.Rates[j]
	return a.Lost == b.Lost && a.Mean == b.Mean
}

// rateScores gathers the tries of each rate, by rising rate.
func rateScores(rates []float64, tries []Try) []RateScore {
	rates = slices.Sorted(slices.Values(rates))
	out := make([]RateScore, len(rates))
	for i, lr := range rates {
		var scores []float64
		for _, t := range tries {
			switch {
			case t.LR != lr:
			case t.Status == Diverged:
				scores = append(scores, math.NaN())
			default:
				scores = append(scores, t.Score)
			}
		}
		s := stats.Summarise(scores, Confidence)
		out[i] = RateScore{LR: lr, Mean: s.Mean, SE: s.SE, N: s.N, Lost: s.Diverged}
		if s.N < 2 {
			out[i].SE = 0
		}
	}
	return out
}

// Tuning returns the choice of an arm's learning rate from its tries; the zero
// value when there was nothing to tune.
func (r *StudyResult) Tuning(a ArmResult) Tuning {
	if len(a.Tries) == 0 {
		return Tuning{}
	}
	var rates []float64
	for _, t := range a.Tries {
		rates = append(rates, t.LR)
	}
	slices.Sort(rates)
	return chooseRate(slices.Compact(rates), a.Tries, r.Spec.Metric.HigherIsBetter())
}

// nextRate continues a rising grid of learning rates beyond its upper or lower
// end with the pattern of its last two steps: 3e-3, 1e-2, 3e-2 goes on with 1e-1
// and, downwards, 1e-3. Two rates go on by their ratio; one goes on by √10.
func nextRate(rates []float64, up bool) float64 {
	n := len(rates)
	var next float64
	switch {
	case n == 1 && up:
		next = rates[0] * math.Sqrt(10)
	case n == 1:
		next = rates[0] / math.Sqrt(10)
	case n == 2 && up:
		next = rates[1] * rates[1] / rates[0]
	case n == 2:
		next = rates[0] * rates[0] / rates[1]
	case up:
		next = rates[n-2] * rates[n-1] / rates[n-3]
	default:
		next = rates[1] * rates[0] / rates[2]
	}
	// Six digits: 0.09999999999999999 is no rate that anybody would write.
	next, _ = strconv.ParseFloat(strconv.FormatFloat(next, 'g', 6, 64), 64)
	return next
}
