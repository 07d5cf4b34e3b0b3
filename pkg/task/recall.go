package task

import "math/rand/v2"

// inductionKind is the induction-heads task with one trigger (HazyResearch/safari, synthetics.py). Symbols: ordinary
// 0 … V−3, the copy prefix "=>" V−2, "." V−1, which safari's vocabulary has and this task never shows.
func inductionKind() kind {
	return kind{
		defaults: Config{Length: 16, Batch: 16, Vocab: 16, EvalLengths: []int{32, 64, 256}, EvalBatches: 16},
		minVocab: 4, minLength: atLeast(3), // the trigger stands at 0 … L−3
		spec: func(c Config) Spec {
			return Spec{Metric: Accuracy, VocabIn: c.Vocab, VocabOut: c.Vocab, Chance: 1 / float64(c.Vocab-2), Solved: 0.99}
		},
		extra: func(Config) int { return 1 }, // the closing "=>"
		draw: func(c Config) generator {
			return func(rng *rand.Rand, length int) *Batch { return drawInduction(c, rng, length) }
		},
	}
}

// drawInduction draws L ordinary symbols and "=>", puts "=>" at p ~ U{0 … L−3} and asks for the symbol after it at the
// last position. (L−3, because safari draws below L − (1 + induction length) and the induction length is 1.)
func drawInduction(c Config, rng *rand.Rand, length int) *Batch {
	prefix := int32(c.Vocab - 2)
	b := newTokens(c.Batch, length+1)
	for row := range b.B {
		x, y := b.Tokens[row*b.L:(row+1)*b.L], b.Targets[row*b.L:(row+1)*b.L]
		for t := range length {
			x[t] = rng.Int32N(prefix)
		}
		p := rng.IntN(length - 2)
		x[p], x[length] = prefix, prefix
		y[length] = x[p+1]
	}
	return b
}

// firstTokenKind is first-token recall: x_0 is one of V/2 classes, then come L−1 noise symbols from
// the other V/2; the answer at the last position is x_0.
func firstTokenKind() kind {
	return kind{
		defaults: Config{Length: 64, Batch: 16, Vocab: 16, EvalBatches: 16},
		minVocab: 4, minLength: atLeast(2),
		spec: func(c Config) Spec {
			return Spec{Metric: Accuracy, VocabIn: c.Vocab, VocabOut: c.Vocab, Chance: 1 / float64(c.Vocab/2), Solved: 0.99}
		},
		extra: noExtra,
		check: func(c Config, f *fieldCheck) {
			f.need(c.Vocab%2 == 0, "vocab", c.Vocab, "an even number: half classes, half noise")
		},
		draw: func(c Config) generator {
			return func(rng *rand.Rand, length int) *Batch {
				half := int32(c.Vocab / 2)
				b := newTokens(c.Batch, length)
				for row := range b.B {
					x := b.Tokens[row*b.L : (row+1)*b.L]
					x[0] = rng.Int32N(half)
					for t := 1; t < length; t++ {
						x[t] = half + rng.Int32N(half)
					}
					b.Targets[row*b.L+length-1] = x[0]
				}
				return b
			}
		},
	}
}
