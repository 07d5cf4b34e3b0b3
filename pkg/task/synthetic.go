package task

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	initializer "github.com/gophersnake/gophersnake/pkg/init"
)

// stream is the random source of one batch: its own for every seed, task, split and number.
func stream(seed uint64, name Name, split string, i int) *rand.Rand {
	return initializer.NewRand(seed, "task/"+string(name)+"/"+split+"/"+strconv.Itoa(i))
}

// trainLength returns the length of a training batch: Length, or a draw from TrainLengths.
func (c Config) trainLength(rng *rand.Rand, even bool) int {
	if len(c.TrainLengths) == 0 {
		return c.Length
	}
	lo, hi := c.TrainLengths[0], c.TrainLengths[1]
	if even {
		return lo + 2*rng.IntN((hi-lo)/2+1)
	}
	return lo + rng.IntN(hi-lo+1)
}

// splitLength returns the length of a split's sequences. It panics when there is no such split.
func (c Config) splitLength(split string) int {
	if split == "valid" || split == "test" {
		return c.Length
	}
	for _, n := range c.EvalLengths {
		if split == testAt(n) {
			return n
		}
	}
	panic(fmt.Sprintf("task: Eval: split is %q, want one of %s", split, strings.Join(c.splits(), ", ")))
}

func (c Config) splits() []string {
	s := []string{"valid", "test"}
	for _, n := range c.EvalLengths {
		s = append(s, testAt(n))
	}
	return s
}

func testAt(length int) string { return "test@" + strconv.Itoa(length) }

// fullSpec adds to a kind's Spec what follows from the config's lengths.
func (c Config) fullSpec(k kind) Spec {
	s := k.spec(c)
	s.Length = c.Length + k.extra(c)
	s.MaxLength = c.longest() + k.extra(c)
	s.Splits = c.splits()
	return s
}

// synthetic is a task whose sequences are drawn.
type synthetic struct {
	cfg  Config
	seed uint64
	kind kind
	draw generator
}

func (s *synthetic) Name() string { return string(s.cfg.Name) }

func (s *synthetic) Spec() Spec { return s.cfg.fullSpec(s.kind) }

func (s *synthetic) Train(step int) *Batch {
	rng := stream(s.seed, s.cfg.Name, "train", step)
	return s.draw(rng, s.cfg.trainLength(rng, s.kind.even))
}

func (s *synthetic) Eval(split string, i int) (*Batch, bool) {
	length := s.cfg.splitLength(split)
	if i < 0 || i >= s.cfg.EvalBatches {
		return nil, false
	}
	return s.draw(stream(s.seed, s.cfg.Name, split, i), length), true
}

// chooser draws distinct numbers. It is scratch for one batch: the order that a draw leaves it in does not matter,
// because the next draw is uniform from any order.
type chooser []int32

// newChooser returns a chooser from the n numbers lo, lo+1, ….
func newChooser(lo, n int) chooser {
	c := make(chooser, n)
	for i := range c {
		c[i] = int32(lo + i)
	}
	return c
}

// draw returns k distinct numbers in random order, valid until the next draw: a Fisher–Yates shuffle that stops early.
func (c chooser) draw(rng *rand.Rand, k int) []int32 {
	for i := range k {
		j := i + rng.IntN(len(c)-i)
		c[i], c[j] = c[j], c[i]
	}
	return c[:k]
}
