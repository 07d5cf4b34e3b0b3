package lab

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// sampler draws tokens from the scores s of a model:
//
//	wᵢ = exp((sᵢ − max s) / temperature)
//	K  = the topK tokens with the greatest scores
//	P  = the shortest prefix of K, by falling score, with Σ_P w ≥ topP·Σ_K w
//
// and a token of P with probability w / Σ_P w. Tokens of equal scores rank by
// their index, so that K has never more than topK of them. The first of the
// ranking is always in P. (Fan et al. 2018, arXiv:1805.04833, section 5.2;
// Holtzman et al. 2020, arXiv:1904.09751, section 3.1.)
//
// A draw takes one number of rng whatever is left out, and sums in the order of
// the indices: what leaves nothing out draws what no filter draws.
type sampler struct {
	rng         *rand.Rand
	temperature float64 // 0: the greatest score
	topK        int     // 0: all
	topP        float64 // 0 or 1: all

	w     []float64
	order []int32 // the ranking
}

// sample draws a token.
func (s *sampler) sample(scores []float64) (int32, error) {
	best, err := greatest(scores)
	if err != nil || s.temperature == 0 {
		return best, err
	}
	u := s.rng.Float64()
	if len(s.w) != len(scores) {
		s.w = make([]float64, len(scores))
	}
	for i, v := range scores {
		s.w[i] = math.Exp((v - scores[best]) / s.temperature)
	}
	s.filter(scores)
	var total float64
	for _, w := range s.w {
		total += w
	}
	for i, w := range s.w {
		if u -= w / total; u < 0 {
			return int32(i), nil
		}
	}
	return best, nil // rounding left a rest of u
}

// filter takes the weight from the tokens that are left out.
func (s *sampler) filter(scores []float64) {
	k := len(scores)
	if s.topK > 0 {
		k = min(k, s.topK)
	}
	nucleus := s.topP > 0 && s.topP < 1
	if k == len(scores) && !nucleus {
		return
	}
	s.rank(scores)
	if nucleus {
		k = s.nucleus(k)
	}
	for _, i := range s.order[k:] {
		s.w[i] = 0
	}
}

// rank puts the tokens in order, the greatest score first.
func (s *sampler) rank(scores []float64) {
	s.order = s.order[:0]
	for i := range scores {
		s.order = append(s.order, int32(i))
	}
	slices.SortFunc(s.order, func(a, b int32) int {
		return cmp.Or(cmp.Compare(scores[b], scores[a]), cmp.Compare(a, b))
	})
}

// nucleus returns how many of the first k of the ranking have the share topP of
// their weight. Both sums are of the same terms in the same order, so that the
// whole is reached at k whatever topP is.
func (s *sampler) nucleus(k int) int {
	var total, sum float64
	for _, i := range s.order[:k] {
		total += s.w[i]
	}
	for n, i := range s.order[:k] {
		if sum += s.w[i]; sum >= s.topP*total {
			return n + 1
		}
	}
	return k
}

// greatest returns the place of the greatest score, the first of equals. A score
// of −∞ is a token that cannot come; scores that are no numbers are an error.
func greatest(scores []float64) (int32, error) {
	best, top := 0, scores[0]
	for i, v := range scores {
		if math.IsNaN(v) {
			return 0, badScore(i, v)
		}
		if v > top {
			best, top = i, v
		}
	}
	if math.IsInf(top, 0) {
		return 0, badScore(best, top)
	}
	return int32(best), nil
}

func badScore(token int, score float64) error {
	return fmt.Errorf("lab: Generate: the model gives symbol %d the score %g, want a finite number: its weights are those of a run that diverged", token, score)
}
