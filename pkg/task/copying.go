package task

import (
	"math/rand/v2"
	"slices"
)

// Copying, in symbols: blank 0, data 1 … A−2, marker A−1 (state-spaces/s4, datasets/copying.py).

func copyingSpec(c Config) Spec {
	return Spec{Metric: Accuracy, VocabIn: c.Vocab, VocabOut: c.Vocab, Chance: 1 / float64(c.Vocab-2), Solved: 0.99}
}

func selectiveCopyingKind() kind {
	return kind{
		defaults:  Config{Length: 16, Batch: 16, Vocab: 10, Memorize: 4, EvalBatches: 16},
		minLength: atLeast(1), minVocab: 4, memorize: true,
		spec:  copyingSpec,
		extra: func(c Config) int { return 2 * c.Memorize },
		draw: func(c Config) generator {
			return func(rng *rand.Rand, length int) *Batch {
				positions := newChooser(0, length+c.Memorize)
				return delayedCopy(c, rng, length, func() []int32 {
					p := positions.draw(rng, c.Memorize)
					slices.Sort(p)
					return p
				})
			}
		},
	}
}

func copyingKind() kind {
	return kind{
		defaults: Config{Variant: Delayed, Length: 16, Batch: 16, Vocab: 10, Memorize: 4, EvalBatches: 16},
		variants: []Variant{Delayed, Lag},
		minLength: func(c Config) int {
			if c.Variant == Lag {
				return max(1, min(c.Memorize, maxLength-1)) + 1 // or nothing would be scored
			}
			return 1
		},
		minVocab: 4, memorize: true,
		spec: copyingSpec,
		extra: func(c Config) int {
			if c.Variant == Lag {
				return 0
			}
			return 2 * c.Memorize
		},
		draw: func(c Config) generator {
			if c.Variant == Lag {
				return func(rng *rand.Rand, length int) *Batch { return lagCopy(c, rng, length) }
			}
			first := newChooser(0, c.Memorize) // 0 … M−1, never shuffled
			return func(rng *rand.Rand, length int) *Batch {
				return delayedCopy(c, rng, length, func() []int32 { return first })
			}
		},
	}
}

// delayedCopy draws x = M data symbols at the given rising positions of the first L+M, blanks elsewhere, then M markers;
// y at the markers = the data symbols in order.
func delayedCopy(c Config, rng *rand.Rand, length int, positions func() []int32) *Batch {
	M, A := c.Memorize, c.Vocab
	b := newTokens(c.Batch, length+2*M)
	for row := range b.B {
		x, y := b.Tokens[row*b.L:(row+1)*b.L], b.Targets[row*b.L:(row+1)*b.L]
		for i, p := range positions() {
			token := 1 + rng.Int32N(int32(A-2))
			x[p] = token
			x[length+M+i] = int32(A - 1)
			y[length+M+i] = token
		}
	}
	return b
}

// lagCopy draws x ~ U{1 … A−2} and y_t = x_{t−M}; the first M positions are not scored.
func lagCopy(c Config, rng *rand.Rand, length int) *Batch {
	M := c.Memorize
	b := newTokens(c.Batch, length)
	for row := range b.B {
		x, y := b.Tokens[row*b.L:(row+1)*b.L], b.Targets[row*b.L:(row+1)*b.L]
		for t := range x {
			x[t] = 1 + rng.Int32N(int32(c.Vocab-2))
			if t >= M {
				y[t] = x[t-M]
			}
		}
	}
	return b
}
