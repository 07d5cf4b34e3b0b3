package stats

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/stat"
)

// Interval is a range of plausible values, ends included.
type Interval struct {
	Lo float64 `json:"lo"`
	Hi float64 `json:"hi"`
}

// everywhere is the interval that says nothing.
func everywhere() Interval { return Interval{math.Inf(-1), math.Inf(1)} }

// Contains reports whether v lies in the interval.
func (i Interval) Contains(v float64) bool { return i.Lo <= v && v <= i.Hi }

// MarshalJSON writes infinite ends as null.
func (i Interval) MarshalJSON() ([]byte, error) { return marshalFinite(i) }

// Summary describes one arm: the results of N seeds that finished.
type Summary struct {
	N          int     `json:"n"`          // runs with a finite result
	Diverged   int     `json:"diverged"`   // runs without: NaN or infinite
	Mean       float64 `json:"mean"`       // x̄
	SD         float64 `json:"sd"`         // s, with n−1
	SE         float64 `json:"se"`         // s/√n
	Lo         float64 `json:"lo"`         // lower end of the t interval
	Hi         float64 `json:"hi"`         // upper end
	Confidence float64 `json:"confidence"` // 1−α
	Min        float64 `json:"min"`
	Max        float64 `json:"max"`
	Median     float64 `json:"median"` // middle value, or the mean of the middle two
}

// MarshalJSON writes numbers that are not finite as null.
func (s Summary) MarshalJSON() ([]byte, error) { return marshalFinite(s) }

// Summarise describes xs with Student's t interval for the mean,
//
//	x̄ ± t_{1−α/2, n−1} · s/√n
//
// (Student, Biometrika 6, 1908). It covers the population mean with
// probability 1−α if results are normal and independent; with few seeds and
// two-humped accuracies (solved or not) report Wilson instead.
//
// With n = 1 the spread is unknown: SD and SE are +Inf and the interval is
// (−Inf, +Inf). With n = 0 Mean, Min, Max and Median are NaN as well.
// It panics if confidence is not between 0 and 1.
func Summarise(xs []float64, confidence float64) Summary {
	checkConfidence("Summarise", confidence)
	kept, diverged := split(xs)
	s := Summary{N: len(kept), Diverged: diverged, Confidence: confidence}
	s.SD, s.SE = math.Inf(1), math.Inf(1)
	s.Lo, s.Hi = math.Inf(-1), math.Inf(1)
	if s.N == 0 {
		s.Mean, s.Min, s.Max, s.Median = math.NaN(), math.NaN(), math.NaN(), math.NaN()
		return s
	}
	slices.Sort(kept) // also makes the sums independent of the seeds' order
	s.Min, s.Max, s.Median = kept[0], kept[s.N-1], median(kept)
	s.Mean = mean(kept)
	if s.N > 1 {
		s.SD = stat.StdDev(kept, nil)
		s.SE = s.SD / math.Sqrt(float64(s.N))
		half := tFactor(confidence, float64(s.N-1)) * s.SE
		s.Lo, s.Hi = s.Mean-half, s.Mean+half
	}
	return s
}

// String is "0.934 [0.901, 0.967] (n=5, 1 diverged)".
func (s Summary) String() string {
	tail := fmt.Sprintf("(n=%d)", s.N)
	if s.Diverged > 0 {
		tail = fmt.Sprintf("(n=%d, %d diverged)", s.N, s.Diverged)
	}
	switch s.N {
	case 0:
		return "no result " + tail
	case 1:
		return fmt.Sprintf("%.4g %s", s.Mean, tail)
	}
	return fmt.Sprintf("%.4g [%.4g, %.4g] %s", s.Mean, s.Lo, s.Hi, tail)
}

// mean is x̄ kept inside [min, max], which rounding can leave by one bit when
// all values are equal.
func mean(sorted []float64) float64 {
	m := floats.Sum(sorted) / float64(len(sorted))
	return min(max(m, sorted[0]), sorted[len(sorted)-1])
}

// median of sorted, non-empty values.
func median(sorted []float64) float64 {
	n := len(sorted)
	if n%2 == 1 {
		return sorted[n/2]
	}
	return (sorted[n/2-1] + sorted[n/2]) / 2
}
