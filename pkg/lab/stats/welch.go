package stats

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat"
)

// WelchResult describes the difference of two arms whose runs do not pair up.
type WelchResult struct {
	NA         int     `json:"n_a"` // finite results of a
	NB         int     `json:"n_b"`
	DivergedA  int     `json:"diverged_a"` // values of a that are not finite
	DivergedB  int     `json:"diverged_b"`
	MeanDiff   float64 `json:"mean_diff"` // ā − b̄
	SE         float64 `json:"se"`
	DF         float64 `json:"df"` // degrees of freedom, Welch–Satterthwaite
	Lo         float64 `json:"lo"` // lower end of the t interval of the difference
	Hi         float64 `json:"hi"` // upper end
	Confidence float64 `json:"confidence"`
	T          float64 `json:"t"`
	P          float64 `json:"p"`      // two-sided
	Effect     float64 `json:"effect"` // Hedges' g
}

// MarshalJSON writes numbers that are not finite as null.
func (w WelchResult) MarshalJSON() ([]byte, error) { return marshalFinite(w) }

// String is "+0.031 [+0.012, +0.050], p=0.012 (n=5 and 7)".
func (w WelchResult) String() string {
	return fmt.Sprintf("%+.3g [%+.3g, %+.3g], p=%.2g (n=%d and %d)", w.MeanDiff, w.Lo, w.Hi, w.P, w.NA, w.NB)
}

// Welch compares the means of two independent arms without taking their
// variances for equal (Welch, Biometrika 34, 1947):
//
//	SE² = s_a²/n_a + s_b²/n_b
//	t   = (ā − b̄)/SE
//	ν   = SE⁴ / ((s_a²/n_a)²/(n_a−1) + (s_b²/n_b)²/(n_b−1))
//
// Effect is the standardised difference with the variances averaged and the
// small-sample factor of Hedges (J. Educ. Stat. 6, 1981),
//
//	g = (1 − 3/(4(n_a+n_b) − 9)) · (ā − b̄)/√((s_a² + s_b²)/2)
//
// With fewer than two finite results on a side nothing can be said: the interval
// is infinite, T = Effect = 0 and P = 1. Runs that share seeds say more through
// Paired. It panics if confidence is not between 0 and 1.
func Welch(a, b []float64, confidence float64) WelchResult {
	checkConfidence("Welch", confidence)
	w := WelchResult{Confidence: confidence, SE: math.Inf(1), Lo: math.Inf(-1), Hi: math.Inf(1), P: 1}
	a, w.DivergedA = split(a)
	b, w.DivergedB = split(b)
	w.NA, w.NB = len(a), len(b)
	if w.NA == 0 || w.NB == 0 {
		w.MeanDiff = math.NaN()
		return w
	}
	w.MeanDiff = stat.Mean(a, nil) - stat.Mean(b, nil)
	if w.NA == 1 || w.NB == 1 {
		return w
	}
	varA, varB := stat.Variance(a, nil), stat.Variance(b, nil)
	qa, qb := varA/float64(w.NA), varB/float64(w.NB)
	w.SE = math.Sqrt(qa + qb)
	if w.SE == 0 {
		w.Lo, w.Hi = w.MeanDiff, w.MeanDiff
		if w.MeanDiff != 0 {
			w.T = math.Copysign(math.Inf(1), w.MeanDiff)
			w.Effect, w.P = w.T, 0
		}
		return w
	}
	w.DF = (qa + qb) * (qa + qb) / (qa*qa/float64(w.NA-1) + qb*qb/float64(w.NB-1))
	half := tFactor(confidence, w.DF) * w.SE
	w.Lo, w.Hi = w.MeanDiff-half, w.MeanDiff+half
	w.T = w.MeanDiff / w.SE
	w.P = twoSidedP(w.T, w.DF)
	w.Effect = (1 - 3/(4*float64(w.NA+w.NB)-9)) * w.MeanDiff / math.Sqrt((varA+varB)/2)
	return w
}
