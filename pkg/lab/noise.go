package lab

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/gophersnake/gophersnake/pkg/lab/stats"
)

// resamples is the number of bootstrap draws: 10,000 put the error of an
// interval's end at about a hundredth of its width.
const resamples = 10_000

// noise is the bootstrap over tuning and reporting seeds together. A draw takes
// as many seeds of each kind with replacement, the same for all arms, which are
// paired; chooses every arm's rate anew by the rule of chooseRate; and gives each
// arm the mean of its reported runs, moved by what the rate of the draw scores
// above the chosen one on "test" of the tuning seeds of the draw. So an interval
// holds the noise of the choice, too, without reported runs at every rate.
type noise struct {
	means [][]float64 // by arm, by draw; NaN where no run of the draw has a number
	seeds int         // reported ones
}

// drawNoise draws once and keeps what it drew.
func (r *StudyResult) drawNoise() *noise {
	if r.noise == nil || len(r.noise.means) != len(r.Arms) {
		r.noise = newNoise(r)
	}
	return r.noise
}

func newNoise(r *StudyResult) *noise {
	n := &noise{seeds: len(r.Config.Seeds), means: make([][]float64, len(r.Arms))}
	// A seed of its own: the same runs give the same intervals.
	rng := rand.New(rand.NewPCG(20231201, 0x6e6f697365)) // "noise"
	tuning := len(r.Config.TuneSeeds)
	shifts := make([]*shift, len(r.Arms))
	values := make([][]float64, len(r.Arms))
	for i, a := range r.Arms {
		n.means[i] = make([]float64, resamples)
		shifts[i], values[i] = newShift(r, a), a.Values(r.Key())
	}
	tuned, reported := make([]int, tuning), make([]int, n.seeds)
	for d := range resamples {
		for i := range tuned {
			tuned[i] = rng.IntN(tuning)
		}
		for i := range reported {
			reported[i] = rng.IntN(n.seeds)
		}
		for i := range r.Arms {
			n.means[i][d] = meanOf(values[i], reported) + shifts[i].of(tuned)
		}
	}
	return n
}

// meanOf is the mean of the finite values at the given places, NaN if there is
// none.
func meanOf(values []float64, at []int) float64 {
	sum, n := 0.0, 0
	for _, i := range at {
		if i < len(values) && !math.IsNaN(values[i]) && !math.IsInf(values[i], 0) {
			sum += values[i]
			n++
		}
	}
	return sum / float64(n)
}

// shift is what another choice of the rate would have meant for an arm.
type shift struct {
	rates  []float64
	chosen int
	higher bool
	valid  [][]float64 // by rate, by tuning seed; NaN for a lost run
	test   [][]float64
}

// newShift returns nil for an arm that was not tuned.
func newShift(r *StudyResult, a ArmResult) *shift {
	if len(a.Tries) == 0 {
		return nil
	}
	s := &shift{rates: slices.Sorted(slices.Values(r.Config.LRs)), higher: r.Spec.Metric.HigherIsBetter()}
	s.chosen = slices.Index(s.rates, a.LR)
	for range s.rates {
		empty := make([]float64, len(r.Config.TuneSeeds))
		for i := range empty {
			empty[i] = math.NaN()
		}
		s.valid, s.test = append(s.valid, empty), append(s.test, slices.Clone(empty))
	}
	for _, t := range a.Tries {
		i, j := slices.Index(s.rates, t.LR), slices.Index(r.Config.TuneSeeds, t.Seed)
		if i >= 0 && j >= 0 {
			s.valid[i][j], s.test[i][j] = t.Score, t.Test
		}
	}
	return s
}

// of returns the shift of a draw of tuning seeds; 0 where it cannot be told.
func (s *shift) of(draw []int) float64 {
	if s == nil || len(draw) == 0 {
		return 0
	}
	c := s.choose(draw)
	if c == s.chosen {
		return 0
	}
	d := meanOf(s.test[c], draw) - meanOf(s.test[s.chosen], draw)
	if math.IsNaN(d) {
		return 0
	}
	return d
}

// choose is chooseRate on a draw, by places and without memory of its own: it
// runs some hundred thousand times a report.
func (s *shift) choose(draw []int) int {
	type score struct {
		mean, se float64
		n, lost  int
	}
	var scores [64]score
	rates := min(len(s.rates), len(scores))
	best := -1
	for i := range rates {
		var sum, square float64
		c := &scores[i]
		for _, j := range draw {
			if v := s.valid[i][j]; math.IsNaN(v) || math.IsInf(v, 0) {
				c.lost++
			} else {
				sum, square = sum+v, square+v*v
				c.n++
			}
		}
		if c.n == 0 {
			continue
		}
		m := float64(c.n)
		c.mean = sum / m
		if c.n > 1 {
			c.se = math.Sqrt(max(0, square-sum*c.mean) / (m - 1) / m)
		}
		if !s.higher {
			c.mean = -c.mean
		}
		if best < 0 || c.lost < scores[best].lost || c.lost == scores[best].lost && c.mean > scores[best].mean {
			best = i
		}
	}
	for i := range rates {
		if c := scores[i]; best >= 0 && c.n > 0 && c.lost <= scores[best].lost && c.mean >= scores[best].mean-scores[best].se {
			return i
		}
	}
	return s.chosen
}

// interval returns the interval of a statistic of the draws, widened for the
// number of seeds as stats.ExpandedLevels says, and at each end no narrower than
// Student's t interval [tLo, tHi] of the reported seeds alone: a bootstrap never
// reaches beyond the values that it has seen. Draws without a number are left
// out.
func (n *noise) interval(values []float64, tLo, tHi float64, s span) (lo, hi float64) {
	kept := slices.DeleteFunc(slices.Clone(values), math.IsNaN)
	if n.seeds < 2 || len(kept) == 0 {
		return tLo, tHi
	}
	slices.Sort(kept)
	a, b := stats.ExpandedLevels(Confidence, n.seeds)
	return s.cut(min(tLo, stats.Quantile(kept, a)), max(tHi, stats.Quantile(kept, b)))
}

// of returns the interval of an arm's mean, t being that of its reported runs.
func (n *noise) of(arm int, t stats.Summary, s span) (lo, hi float64) {
	return n.interval(n.means[arm], t.Lo, t.Hi, s)
}

// combine returns the interval of Σ wᵢ·(mean of armᵢ), a contrast of arms, t being
// that of the pairs.
func (n *noise) combine(arms []int, weights []float64, t stats.PairedResult, s span) (lo, hi float64) {
	sum := make([]float64, resamples)
	for k, arm := range arms {
		for d, v := range n.means[arm] {
			sum[d] += weights[k] * v
		}
	}
	return n.interval(sum, t.Lo, t.Hi, s)
}
