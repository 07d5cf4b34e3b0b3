package stats

import (
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"

	"gonum.org/v1/gonum/stat"
)

const (
	// signFlipExact is the largest n whose 2^n sign vectors are all visited:
	// half a million sums after symmetry, a few milliseconds.
	signFlipExact = 20
	// signFlipDraws is the number of random sign vectors beyond that: the
	// standard error of p = 0.05 is then 0.0007.
	signFlipDraws = 100_000
)

// PairedResult describes the differences d_i = a_i − b_i of two arms that ran
// on the same seeds, data streams and token counts.
type PairedResult struct {
	N          int     `json:"n"`          // pairs with two finite results
	DivergedA  int     `json:"diverged_a"` // values of a that are not finite
	DivergedB  int     `json:"diverged_b"` // values of b that are not finite
	MeanDiff   float64 `json:"mean_diff"`  // d̄, positive where a is larger
	SD         float64 `json:"sd"`         // s_d, with n−1
	Lo         float64 `json:"lo"`         // lower end of the t interval of d̄
	Hi         float64 `json:"hi"`         // upper end
	Confidence float64 `json:"confidence"` // 1−α
	T          float64 `json:"t"`          // d̄ / (s_d/√n)
	P          float64 `json:"p"`          // two-sided, Student's t with n−1
	SignFlipP  float64 `json:"sign_flip_p"`
	Effect     float64 `json:"effect"` // Cohen's d_z = d̄/s_d
	Wins       int     `json:"wins"`   // pairs with a > b
	Losses     int     `json:"losses"` // pairs with a < b
	Ties       int     `json:"ties"`
}

// MarshalJSON writes numbers that are not finite as null.
func (p PairedResult) MarshalJSON() ([]byte, error) { return marshalFinite(p) }

// String is "+0.031 [+0.012, +0.050], p=0.012 (sign-flip 0.062, n=5)".
func (p PairedResult) String() string {
	return fmt.Sprintf("%+.3g [%+.3g, %+.3g], p=%.2g (sign-flip %.2g, n=%d)", p.MeanDiff, p.Lo, p.Hi, p.P, p.SignFlipP, p.N)
}

// Paired compares a[i] with b[i], seed by seed: t interval and two-sided t
// test of the mean difference, the sign-flip test (see SignFlip) and Cohen's
// d_z = d̄/s_d (Cohen, 1988, §2.3.5). A pair with a diverged side is left out
// and counted.
//
// The t test assumes differences near normal; the sign-flip test only that
// they are symmetric around zero when the arms are equal. Its smallest value
// is 2/2^n, so 3 seeds can never reach p < 0.05 and 5 reach 0.0625.
//
// With fewer than two pairs nothing can be said: the interval is infinite,
// T = Effect = 0 and P = 1. If all differences are one and the same number
// d ≠ 0, T and Effect are infinite with d's sign and P = 0: trust SignFlipP.
// It panics if the lengths differ or confidence is not between 0 and 1.
func Paired(a, b []float64, confidence float64) PairedResult {
	checkConfidence("Paired", confidence)
	checkPaired("Paired", a, b)
	r := PairedResult{Confidence: confidence, SD: math.Inf(1), Lo: math.Inf(-1), Hi: math.Inf(1), P: 1}
	diffs := r.differences(a, b)
	r.N = len(diffs)
	r.SignFlipP = SignFlip(diffs)
	if r.N == 0 {
		r.MeanDiff = math.NaN()
		return r
	}
	r.MeanDiff = stat.Mean(diffs, nil)
	if r.N == 1 {
		return r
	}
	r.SD = stat.StdDev(diffs, nil)
	se := r.SD / math.Sqrt(float64(r.N))
	half := tFactor(confidence, float64(r.N-1)) * se
	r.Lo, r.Hi = r.MeanDiff-half, r.MeanDiff+half
	switch {
	case r.MeanDiff == 0: // T = Effect = 0, P = 1
	case r.SD == 0:
		r.T = math.Copysign(math.Inf(1), r.MeanDiff)
		r.Effect, r.P = r.T, 0
	default:
		r.T, r.Effect = r.MeanDiff/se, r.MeanDiff/r.SD
		r.P = twoSidedP(r.T, float64(r.N-1))
	}
	return r
}

// differences returns a−b over the finite pairs and counts wins and the like.
func (r *PairedResult) differences(a, b []float64) []float64 {
	diffs := make([]float64, 0, len(a))
	for i := range a {
		if !finite(a[i]) {
			r.DivergedA++
		}
		if !finite(b[i]) {
			r.DivergedB++
		}
		if !finite(a[i]) || !finite(b[i]) {
			continue
		}
		switch {
		case a[i] > b[i]:
			r.Wins++
		case a[i] < b[i]:
			r.Losses++
		default:
			r.Ties++
		}
		diffs = append(diffs, a[i]-b[i])
	}
	return diffs
}

// SignFlip is the two-sided sign-flip (paired permutation) p value of the
// differences d: the share of sign vectors σ ∈ {−1, 1}^n with
//
//	|Σ σ_i d_i| ≥ |Σ d_i|
//
// (Fisher, The Design of Experiments, 1935, §21). It is exact for n ≤ 20, where
// all 2^n vectors are visited. Above, it draws 100,000 from a fixed seed and
// returns (hits+1)/(draws+1) (Phipson & Smyth 2010), never zero. Differences
// that are not finite are left out; with none left p = 1.
func SignFlip(d []float64) float64 {
	d, _ = split(d)
	if len(d) == 0 {
		return 1
	}
	var sum, size float64
	for _, v := range d {
		sum += v
		size += math.Abs(v)
	}
	// Sums of the same terms in another order differ by rounding, at most about
	// n·2⁻⁵³·Σ|d| ≈ 1e-13·Σ|d| for n in the hundreds.
	reach := math.Abs(sum) - 1e-12*size
	if len(d) <= signFlipExact {
		return signFlipAll(d, sum, reach)
	}
	return signFlipDrawn(d, reach)
}

// signFlipAll visits every sign vector in Gray-code order, one flip at a time.
// A vector and its negative count alike, so the last sign stays put.
func signFlipAll(d []float64, sum, reach float64) float64 {
	total := 1 << (len(d) - 1)
	signed := append([]float64(nil), d...)
	hits := 1 // the data themselves
	for k := 1; k < total; k++ {
		i := bits.TrailingZeros(uint(k))
		signed[i] = -signed[i]
		sum += 2 * signed[i]
		if math.Abs(sum) >= reach {
			hits++
		}
	}
	return float64(hits) / float64(total)
}

// signFlipDrawn estimates the share from random sign vectors.
func signFlipDrawn(d []float64, reach float64) float64 {
	rng := rand.New(rand.NewPCG(1, signFlipDraws)) // fixed: same data, same p
	hits := 0
	for range signFlipDraws {
		sum, word := 0.0, uint64(0)
		for i, v := range d {
			if i%64 == 0 {
				word = rng.Uint64()
			}
			if word&1 == 1 {
				v = -v
			}
			word >>= 1
			sum += v
		}
		if math.Abs(sum) >= reach {
			hits++
		}
	}
	return float64(hits+1) / float64(signFlipDraws+1)
}
