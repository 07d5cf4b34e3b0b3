package task

import "math/rand/v2"

// addingKind is the adding problem (state-spaces/s4, datasets/adding.py): x_t = (U[0,1), 1 if t is marked else 0), one
// mark in 0 … L/2−1 and one in L/2 … L−1; the answer is the sum of the two marked values.
func addingKind() kind {
	return kind{
		defaults:  Config{Length: 100, Batch: 16, EvalBatches: 16},
		minLength: atLeast(2),
		spec: func(Config) Spec { // the constant 1 scores the variance of a sum of two uniforms, 1/6
			return Spec{Metric: MSE, Channels: 2, Regression: true, Chance: 1. / 6, Solved: 1e-3}
		},
		extra: noExtra,
		draw: func(c Config) generator {
			return func(rng *rand.Rand, length int) *Batch { return drawAdding(c, rng, length) }
		},
	}
}

func drawAdding(c Config, rng *rand.Rand, length int) *Batch {
	b := &Batch{B: c.Batch, L: length, Channels: 2, Inputs: make([]float64, c.Batch*length*2), Values: make([]float64, c.Batch)}
	mid := length / 2
	for row := range b.B {
		x := b.Inputs[row*length*2 : (row+1)*length*2]
		for t := range length {
			x[2*t] = rng.Float64()
		}
		i, j := rng.IntN(mid), mid+rng.IntN(length-mid)
		x[2*i+1], x[2*j+1] = 1, 1
		b.Values[row] = x[2*i] + x[2*j]
	}
	return b
}

// parityKind is parity of U{0,1} bits: the label is their sum mod 2 at the last position ("final", the Chomsky-hierarchy
// form) or at every prefix ("prefix", the state-tracking form, whose early positions are easy).
func parityKind() kind {
	return kind{
		defaults: Config{Variant: Prefix, Length: 40, Batch: 16, TrainLengths: []int{3, 40}, EvalLengths: []int{256},
			EvalBatches: 16},
		variants:  []Variant{Final, Prefix},
		minLength: atLeast(1),
		spec: func(Config) Spec {
			return Spec{Metric: Accuracy, VocabIn: 2, VocabOut: 2, Chance: 0.5, Solved: 0.99}
		},
		extra: noExtra,
		draw: func(c Config) generator {
			return func(rng *rand.Rand, length int) *Batch { return drawParity(c, rng, length) }
		},
	}
}

func drawParity(c Config, rng *rand.Rand, length int) *Batch {
	b := newTokens(c.Batch, length)
	for row := range b.B {
		sum := int32(0)
		for t := row * length; t < (row+1)*length; t++ {
			b.Tokens[t] = rng.Int32N(2)
			sum ^= b.Tokens[t]
			if c.Variant == Prefix || t == (row+1)*length-1 {
				b.Targets[t] = sum
			}
		}
	}
	return b
}
