package task

import (
	"math"
	"slices"
	"testing"

	initializer "github.com/gophersnake/gophersnake/pkg/init"
)

func TestMQAR(t *testing.T) {
	const L, K, V = 24, 4, 32
	for _, variant := range []Variant{Zero, Random} {
		x := mustNew(t, Config{Name: MQAR, Variant: variant, Length: L, Batch: 16, Vocab: V, Pairs: K, EvalBatches: 1}, 1)
		keys, values, filler := map[int32]int{}, map[int32]int{}, map[int32]int{}
		sequences(t, x, 500, func(x, y []int32) {
			answer := map[int32]int32{}
			seen := map[int32]bool{}
			for i := range K {
				k, v := x[2*i], x[2*i+1]
				answer[k] = v
				seen[v] = true
				keys[k]++
				values[v]++
			}
			at := scoredAt(y)
			if len(answer) != K || len(seen) != K || len(at) != K {
				t.Fatalf("%s: %d keys, %d values, %d queries in %v", variant, len(answer), len(seen), len(at), x)
			}
			asked := map[int32]bool{}
			for _, p := range at {
				if p < 2*K || p%2 != 0 || y[p] != answer[x[p]] || asked[x[p]] {
					t.Fatalf("%s: query at %d for %d wants %d: %v", variant, p, x[p], y[p], x)
				}
				asked[x[p]] = true
			}
			for p := 2 * K; p < L; p++ {
				if !slices.Contains(at, p) {
					filler[x[p]]++
				}
			}
		})
		testUniform(t, "keys", keys, 1, V/2-1)
		testUniform(t, "values", values, V/2, V-1)
		if variant == Zero {
			testUniform(t, "filler", filler, 0, 0)
		} else {
			testUniform(t, "filler", filler, 0, V-1)
		}
	}
}

// With every slot taken (4K = L) the K gaps are a permutation of the K slots.
func TestMQARFull(t *testing.T) {
	x := mustNew(t, Config{Name: MQAR, Variant: Zero, Length: 32, Batch: 8, Vocab: 64, Pairs: 8, EvalBatches: 1}, 1)
	sequences(t, x, 20, func(_, y []int32) {
		if at := scoredAt(y); !slices.Equal(at, []int{16, 18, 20, 22, 24, 26, 28, 30}) {
			t.Fatalf("queries at %v", at)
		}
	})
}

// The gaps against the law itself: drawing one after the other without replacement, the ordered pair (i, j) has
// probability p_i·p_j/(1−p_i), enumerated for five slots.
func TestPowerLawIsExact(t *testing.T) {
	const n, draws = 5, 60_000
	p := make([]float64, n)
	sum := 0.0
	for j := range p {
		p[j] = 0.01 * math.Pow(float64(j+1), 0.01-1)
		sum += p[j]
	}
	for j := range p {
		p[j] /= sum
	}
	law := newPowerLaw(n, 0.01)
	rng := initializer.NewRand(1, "powerlaw")
	counts := map[int32]int{}
	for range draws {
		g := law.draw(rng, 2)
		i, j := g[0].slot, g[1].slot
		if i == j {
			t.Fatal("a slot was drawn twice")
		}
		if j > i {
			j--
		}
		counts[int32(i*(n-1)+j)]++ // ordered pairs, numbered without the diagonal
	}
	testChi2(t, "ordered pairs of gaps", counts, 0, n*(n-1)-1, func(v int32) float64 {
		i, j := int(v)/(n-1), int(v)%(n-1)
		if j >= i {
			j++
		}
		return draws * p[i] * p[j] / (1 - p[i])
	})
}

func TestCollisions(t *testing.T) {
	// By hand, K = 2, keys 1 and 2: the filler 2 stands before the query for 2, the filler 1 after the query for 1.
	_i := Ignore
	b := &Batch{B: 1, L: 12, Tokens: []int32{1, 5, 2, 6, 1, 2, 0, 1, 2, 0, 0, 0},
		Targets: []int32{_i, _i, _i, _i, 5, _i, _i, _i, 6, _i, _i, _i}}
	if c, q := Collisions(b); c != 1 || q != 2 {
		t.Errorf("Collisions = %d of %d, want 1 of 2", c, q)
	}
	cfg := Config{Name: MQAR, Variant: Random, Length: 64, Batch: 64, Vocab: 128, Pairs: 4, EvalBatches: 1}
	x := mustNew(t, cfg, 1)
	var got, want, variance float64
	for step := range 100 {
		b := x.Train(step)
		c, _ := Collisions(b)
		got += float64(c)
		for row := range b.B {
			filler := 0.0
			for p := 2 * cfg.Pairs; p < b.L; p++ {
				if b.Targets[row*b.L+p] == Ignore {
					filler++
					continue
				}
				e := 1 - math.Pow(1-1./128, filler)
				want, variance = want+e, variance+e*(1-e)
			}
		}
	}
	if math.Abs(got-want) > 5*math.Sqrt(variance) {
		t.Errorf("%g collisions, want %.1f ± %.1f", got, want, 5*math.Sqrt(variance))
	}
	cfg.Variant = Zero
	if c, q := Collisions(mustNew(t, cfg, 1).Train(0)); c != 0 || q != 256 {
		t.Errorf("zero filler: Collisions = %d of %d, want 0 of 256", c, q)
	}
}
