package task

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// mqarKind is multi-query associative recall (HazyResearch/zoology, multiquery_ar.py, one pass). Symbols: filler 0 (or
// any, variant "random"), keys 1 … V/2−1, values V/2 … V−1.
func mqarKind() kind {
	return kind{
		defaults: Config{Variant: Zero, Length: 48, Batch: 16, Vocab: 64, Pairs: 8, EvalBatches: 16},
		variants: []Variant{Random, Zero},
		minLength: func(c Config) int {
			if 1 <= c.Pairs && c.Pairs <= maxPairs {
				return 4 * c.Pairs
			}
			return 4 // pairs is the field to complain about
		},
		even: true, minVocab: 5, pairs: true, // V > L >= 4
		spec: func(c Config) Spec {
			return Spec{Metric: Accuracy, VocabIn: c.Vocab, VocabOut: c.Vocab, Chance: 1 / float64(c.Pairs), Solved: 0.99}
		},
		extra: noExtra,
		check: func(c Config, f *fieldCheck) {
			f.need(c.Vocab > c.longest(), "vocab", c.Vocab, "more than the longest length, %d", c.longest())
		},
		draw: func(c Config) generator {
			return func(rng *rand.Rand, length int) *Batch { return drawMQAR(c, rng, length) }
		},
	}
}

// drawMQAR draws
//
//	k_1 v_1 … k_K v_K, then (L−2K)/2 slots of two; slot gap_i holds k_i and asks for v_i there
//
// with keys and values each without replacement and K distinct gaps without replacement, p_j ∝ a·(j+1)^(a−1), a = 0.01.
func drawMQAR(c Config, rng *rand.Rand, length int) *Batch {
	K, V := c.Pairs, c.Vocab
	keys, values := newChooser(1, V/2-1), newChooser(V/2, V-V/2)
	gaps := newPowerLaw((length-2*K)/2, 0.01)
	b := newTokens(c.Batch, length)
	for row := range b.B {
		x, y := b.Tokens[row*b.L:(row+1)*b.L], b.Targets[row*b.L:(row+1)*b.L]
		k, v, g := keys.draw(rng, K), values.draw(rng, K), gaps.draw(rng, K)
		for i := range K {
			x[2*i], x[2*i+1] = k[i], v[i]
			q := 2*K + 2*g[i].slot
			x[q], y[q] = k[i], v[i]
		}
		if c.Variant == Random {
			for t := range x {
				if x[t] == 0 {
					x[t] = rng.Int32N(int32(V))
				}
			}
		}
	}
	return b
}

// powerLaw draws distinct slots j with p_j ∝ (j+1)^(a−1), one after the other, each from those left. It does so by an
// exponential race: arrival times E_j/p_j with E_j ~ Exp(1) put the slots in exactly that order (Efraimidis & Spirakis
// 2006), and numpy's choice(replace=False, p=p), which zoology calls, has the same law.
type powerLaw struct {
	rate []float64
	race []arrival
}

type arrival struct {
	time float64
	slot int
}

func newPowerLaw(n int, a float64) *powerLaw {
	p := &powerLaw{rate: make([]float64, n), race: make([]arrival, n)}
	for j := range p.rate {
		p.rate[j] = math.Pow(float64(j+1), a-1)
	}
	return p
}

// draw returns the first k arrivals, valid until the next draw.
func (p *powerLaw) draw(rng *rand.Rand, k int) []arrival {
	for j := range p.race {
		p.race[j] = arrival{rng.ExpFloat64() / p.rate[j], j}
	}
	slices.SortFunc(p.race, func(a, b arrival) int {
		return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.slot, b.slot))
	})
	return p.race[:k]
}

// Collisions counts the queries of an mqar batch whose key also stands among the filler before the query, followed by
// something else: the noise floor of the "random" variant, where a model that trusts the latest occurrence answers
// wrongly. It returns the number of such queries and of all queries. With f fillers before a query its expectation is
// 1 − (1−1/V)^f.
func Collisions(b *Batch) (collided, queries int) {
	for row := range b.B {
		x, y := b.Tokens[row*b.L:(row+1)*b.L], b.Targets[row*b.L:(row+1)*b.L]
		pairs := 0
		for _, t := range y {
			if t != Ignore {
				pairs++
			}
		}
		filler := map[int32]bool{}
		for t := 2 * pairs; t < b.L; t++ {
			if y[t] == Ignore {
				filler[x[t]] = true
				continue
			}
			queries++
			if filler[x[t]] {
				collided++
			}
		}
	}
	return collided, queries
}
