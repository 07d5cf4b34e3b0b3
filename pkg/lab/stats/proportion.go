package stats

import (
	"fmt"
	"math"
	"slices"
)

// Proportion is a success rate: K of N runs solved the task.
type Proportion struct {
	K          int     `json:"k"`
	N          int     `json:"n"`
	Share      float64 `json:"share"` // k/n
	Lo         float64 `json:"lo"`
	Hi         float64 `json:"hi"`
	Confidence float64 `json:"confidence"`
}

// MarshalJSON writes numbers that are not finite as null.
func (p Proportion) MarshalJSON() ([]byte, error) { return marshalFinite(p) }

// String is "4/5 [0.38, 0.96]".
func (p Proportion) String() string { return fmt.Sprintf("%d/%d [%.2f, %.2f]", p.K, p.N, p.Lo, p.Hi) }

// Wilson is the score interval of k successes in n independent runs,
//
//	(p̂ + z²/2n ± z √(p̂(1−p̂)/n + z²/4n²)) / (1 + z²/n),   p̂ = k/n
//
// (Wilson 1927; recommended for small n by Brown, Cai & DasGupta 2001). It
// stays inside [0, 1] and has a width at k = 0 and k = n. A diverged run is a
// run that did not solve the task: count it in n. With n = 0 the interval is
// [0, 1] and Share is NaN. It panics unless 0 ≤ k ≤ n and 0 < confidence < 1.
func Wilson(k, n int, confidence float64) Proportion {
	checkConfidence("Wilson", confidence)
	if k < 0 || n < 0 || k > n {
		panic(fmt.Sprintf("stats.Wilson: got %d of %d, want 0 ≤ k ≤ n", k, n))
	}
	r := Proportion{K: k, N: n, Share: math.NaN(), Lo: 0, Hi: 1, Confidence: confidence}
	if n == 0 {
		return r
	}
	z, m := zFactor(confidence), float64(n)
	r.Share = float64(k) / m
	centre := r.Share + z*z/(2*m)
	half := z * math.Sqrt(r.Share*(1-r.Share)/m+z*z/(4*m*m))
	scale := 1 + z*z/m
	if k > 0 { // at k = 0 the lower end is 0 exactly, at k = n the upper one 1
		r.Lo = (centre - half) / scale
	}
	if k < n {
		r.Hi = (centre + half) / scale
	}
	return r
}

// Holm returns p values adjusted for testing all of them at once: with
// p₍₁₎ ≤ … ≤ p₍ₘ₎,
//
//	p̃₍ᵢ₎ = min(1, max_{j ≤ i} (m−j+1) p₍ⱼ₎)
//
// in the order of p (Holm 1979). Rejecting where p̃ ≤ α keeps the chance of any
// false claim at α, whatever the dependence between tests. Pass every
// comparison that was planned: one that could not be made (NaN) counts as
// p = 1. It panics on a p below 0 or above 1.
func Holm(p []float64) []float64 {
	order := make([]int, len(p))
	adjusted := make([]float64, len(p))
	for i, v := range p {
		if v < 0 || v > 1 {
			panic(fmt.Sprintf("stats.Holm: p[%d] is %g, want 0 to 1", i, v))
		}
		order[i], adjusted[i] = i, v
		if math.IsNaN(v) {
			adjusted[i] = 1
		}
	}
	slices.SortStableFunc(order, func(i, j int) int {
		switch {
		case adjusted[i] < adjusted[j]:
			return -1
		case adjusted[i] > adjusted[j]:
			return 1
		}
		return 0
	})
	running := 0.0
	for rank, i := range order {
		running = max(running, float64(len(p)-rank)*adjusted[i])
		adjusted[i] = min(1, running)
	}
	return adjusted
}
