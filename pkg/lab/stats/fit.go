package stats

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
)

// PowerLaw is a fit y = Coefficient · x^Exponent.
type PowerLaw struct {
	N           int     `json:"n"`       // points used
	Skipped     int     `json:"skipped"` // points that are not positive and finite
	Exponent    float64 `json:"exponent"`
	SE          float64 `json:"se"` // standard error of the exponent
	Lo          float64 `json:"lo"` // interval of the exponent
	Hi          float64 `json:"hi"`
	Confidence  float64 `json:"confidence"`
	Coefficient float64 `json:"coefficient"`
	R2          float64 `json:"r2"` // share of the variance of ln y explained
}

// MarshalJSON writes numbers that are not finite as null.
func (f PowerLaw) MarshalJSON() ([]byte, error) { return marshalFinite(f) }

// At is the fitted y at x.
func (f PowerLaw) At(x float64) float64 { return f.Coefficient * math.Pow(x, f.Exponent) }

// String is "x^1.98 [1.95, 2.01] (n=7)".
func (f PowerLaw) String() string {
	return fmt.Sprintf("x^%.2f [%.2f, %.2f] (n=%d)", f.Exponent, f.Lo, f.Hi, f.N)
}

// Least points and greatest half width of the interval for an exponent to mean
// something: three points leave one degree of freedom, whose t factor of 12.7
// makes the interval as wide as chance will have it, and an interval wider than ±½
// does not tell growth with x from growth with x².
const (
	LawPoints    = 4
	LawHalfWidth = 0.5
)

// Tells reports whether the fit tells the exponent: LawPoints points or more, and
// an interval of at most ±LawHalfWidth.
func (f PowerLaw) Tells() bool { return f.N >= LawPoints && f.Hi-f.Lo <= 2*LawHalfWidth }

// LogLogSlope fits ln y = ln c + β ln x by least squares and returns β with its
// t interval,
//
//	β̂ = S_xy/S_xx,   SE(β̂) = √(Σ e_i² / (n−2) / S_xx),   β̂ ± t_{1−α/2, n−2} SE(β̂)
//
// S over logarithms (any regression text; Draper & Smith 1998, §1.4). The
// interval assumes independent errors of one relative size. Times at small x
// carry a fixed cost that bends the line and lowers β: leave them out. Points
// with x or y not positive and finite are skipped and counted. With two points
// the interval is infinite. An error tells that no line can be fitted.
// It panics if the lengths differ or confidence is not between 0 and 1.
func LogLogSlope(x, y []float64, confidence float64) (PowerLaw, error) {
	checkConfidence("LogLogSlope", confidence)
	checkPaired("LogLogSlope", x, y)
	f := PowerLaw{Confidence: confidence, SE: math.Inf(1), Lo: math.Inf(-1), Hi: math.Inf(1)}
	var lx, ly []float64
	for i := range x {
		if x[i] > 0 && y[i] > 0 && finite(x[i]) && finite(y[i]) {
			lx, ly = append(lx, math.Log(x[i])), append(ly, math.Log(y[i]))
		}
	}
	f.N = len(lx)
	f.Skipped = len(x) - f.N
	if f.N < 2 || slices.Min(lx) == slices.Max(lx) {
		return PowerLaw{}, fmt.Errorf("stats: a slope needs two different x with positive y, got %d usable of %d points", f.N, len(x))
	}
	mx, my := stat.Mean(lx, nil), stat.Mean(ly, nil)
	var sxx, sxy, syy, rss float64
	for i := range lx {
		dx, dy := lx[i]-mx, ly[i]-my
		sxx, sxy, syy = sxx+dx*dx, sxy+dx*dy, syy+dy*dy
	}
	f.Exponent = sxy / sxx
	f.Coefficient = math.Exp(my - f.Exponent*mx)
	for i := range lx {
		e := (ly[i] - my) - f.Exponent*(lx[i]-mx)
		rss += e * e
	}
	f.R2 = 1
	if syy > 0 {
		f.R2 = 1 - rss/syy
	}
	if f.N > 2 {
		f.SE = math.Sqrt(rss / float64(f.N-2) / sxx)
		half := tFactor(confidence, float64(f.N-2)) * f.SE
		f.Lo, f.Hi = f.Exponent-half, f.Exponent+half
	}
	return f, nil
}

// Spearman is the rank correlation ρ of x and y: Pearson's correlation of
// their ranks, ties sharing the mean rank (Spearman, Am. J. Psychol. 15, 1904).
// Pairs with a side that is not finite are left out. It is NaN with fewer
// than two pairs or if one side is constant, and panics if the lengths differ.
func Spearman(x, y []float64) float64 {
	checkPaired("Spearman", x, y)
	var kx, ky []float64
	for i := range x {
		if finite(x[i]) && finite(y[i]) {
			kx, ky = append(kx, x[i]), append(ky, y[i])
		}
	}
	if len(kx) < 2 || slices.Min(kx) == slices.Max(kx) || slices.Min(ky) == slices.Max(ky) {
		return math.NaN()
	}
	return stat.Correlation(ranks(kx), ranks(ky), nil)
}

// ranks numbers xs from 1 up, ties sharing their mean rank.
func ranks(xs []float64) []float64 {
	sorted := slices.Clone(xs)
	slices.Sort(sorted)
	r := make([]float64, len(xs))
	for i, x := range xs {
		first, _ := slices.BinarySearch(sorted, x)
		after, _ := slices.BinarySearch(sorted, math.Nextafter(x, math.Inf(1)))
		r[i] = float64(first+1+after) / 2
	}
	return r
}
