package stats

import (
	"fmt"
	"math"
	"slices"
)

// ExpectedBest is the mean of the best of k results over all choices of k runs
// out of xs, without replacement. With the finite results sorted from worst to
// best and n of them,
//
//	E = Σ_i x₍ᵢ₎ · C(i−1, k−1)/C(n, k)
//
// the unbiased form of the expected validation performance of Dodge et al.
// (EMNLP 2019, arXiv 1909.03004). It makes a best of 40 tries comparable to a
// best of 5. A run that diverged is a try that cannot be the best of a choice
// with any other: it counts in n as the worst, and E is NaN where a choice of k
// diverged runs exists. It panics unless 1 ≤ k ≤ len(xs).
func ExpectedBest(xs []float64, k int, higherIsBetter bool) float64 {
	if k < 1 || k > len(xs) {
		panic(fmt.Sprintf("stats.ExpectedBest: k is %d, want 1 to %d, the number of results", k, len(xs)))
	}
	kept, diverged := split(xs)
	if diverged >= k {
		return math.NaN()
	}
	slices.Sort(kept)
	if !higherIsBetter {
		slices.Reverse(kept)
	}
	n := len(xs)
	// w = C(i−1, k−1)/C(n, k), from the best, i = n, where it is k/n, downwards.
	w, sum := float64(k)/float64(n), 0.0
	for i := n; i > diverged && w > 0; i-- {
		sum += w * kept[i-1-diverged]
		w *= float64(i-k) / float64(max(1, i-1))
	}
	return sum
}
