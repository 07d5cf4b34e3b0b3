package task

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
)

// corpusKind is byte-level language modelling: 256 symbols, y_t = x_{t+1}.
func corpusKind(name Name) kind {
	defaults := Config{Length: 128, Batch: 8, EvalBatches: 64}
	if name == Text8 || name == Enwik8 {
		defaults.Length, defaults.Batch = 256, 16
	}
	return kind{
		defaults:  defaults,
		minLength: atLeast(1),
		corpus:    true,
		spec: func(Config) Spec { // eight bits: every byte alike
			return Spec{Metric: BitsPerByte, VocabIn: 256, VocabOut: 256, Chance: 8}
		},
		extra: noExtra,
	}
}

// textTask is language modelling over a corpus.
type textTask struct {
	cfg    Config
	seed   uint64
	kind   kind
	corpus *corpus
}

func (t *textTask) Name() string { return string(t.cfg.Name) }

func (t *textTask) Spec() Spec { return t.cfg.fullSpec(t.kind) }

// Train draws windows of the training split, each start equally likely.
func (t *textTask) Train(step int) *Batch {
	rng := stream(t.seed, t.cfg.Name, "train", step)
	length := t.cfg.trainLength(rng, false)
	return windows(t.corpus.splits[train], t.cfg.Batch, length, func(int) int {
		return drawStart(rng, len(t.corpus.splits[train]), length)
	})
}

func drawStart(rng *rand.Rand, size, length int) int { return rng.IntN(size - length) }

// Eval walks windows that do not overlap: the split is cut into W = (bytes−1)/length windows, of which K =
// min(W, EvalBatches·Batch) are taken, evenly spread, number k at window ⌊k·W/K⌋. They do not depend on the seed.
func (t *textTask) Eval(split string, i int) (*Batch, bool) {
	length := t.cfg.splitLength(split)
	data := t.corpus.splits[test]
	if split == "valid" {
		data = t.corpus.splits[valid]
	}
	W := (len(data) - 1) / length
	K := min(W, t.cfg.EvalBatches*t.cfg.Batch)
	if i < 0 || i >= t.cfg.EvalBatches || i*t.cfg.Batch >= K {
		return nil, false
	}
	first := i * t.cfg.Batch
	return windows(data, min(t.cfg.Batch, K-first), length, func(row int) int {
		return (first + row) * W / K * length
	}), true
}

// windows returns b windows of the data, row at start(row): length bytes and for each the byte after it.
func windows(data []byte, b, length int, start func(row int) int) *Batch {
	x := &Batch{B: b, L: length, Tokens: make([]int32, b*length), Targets: make([]int32, b*length)}
	for row := range b {
		s := start(row)
		for t, v := range data[s : s+length] {
			x.Tokens[row*length+t] = int32(v)
			x.Targets[row*length+t] = int32(data[s+t+1])
		}
	}
	return x
}

// Cache keeps the corpora that it has read, so that the arms and seeds of an experiment share one copy: tens of MB, read
// once. Its methods may be called from several goroutines; two that want the same corpus wait for one reading. Files
// that change on disk are not noticed: make a new Cache for that.
type Cache struct {
	mu      sync.Mutex
	corpora map[corpusKey]*corpusEntry
}

type corpusKey struct {
	name Name
	path string
}

type corpusEntry struct {
	once   sync.Once
	corpus *corpus
	err    error
}

// NewCache returns an empty cache.
func NewCache() *Cache { return &Cache{corpora: map[corpusKey]*corpusEntry{}} }

// New builds the task of a config as the function New does, with the corpus from the cache.
func (c *Cache) New(cfg Config, seed uint64) (Task, error) {
	if errs := cfg.Validate(); len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	cfg.TrainLengths, cfg.EvalLengths = slices.Clone(cfg.TrainLengths), slices.Clone(cfg.EvalLengths)
	k, _ := kindOf(cfg.Name)
	if !k.corpus {
		return &synthetic{cfg: cfg, seed: seed, kind: k, draw: k.draw(cfg)}, nil
	}
	corpus, err := c.read(cfg.Name, cfg.Path)
	if err == nil {
		err = cfg.fits(corpus)
	}
	if err != nil {
		return nil, fmt.Errorf("task %s: %w", cfg.Name, err)
	}
	return &textTask{cfg: cfg, seed: seed, kind: k, corpus: corpus}, nil
}

// read returns the corpus at a path, from the cache or from disk. A failure is not kept.
func (c *Cache) read(name Name, path string) (*corpus, error) {
	key := corpusKey{name, path}
	if path != "" {
		abs, err := filepath.Abs(path)
		if err != nil {
			return nil, err
		}
		key.path = abs
	}
	c.mu.Lock()
	entry := c.corpora[key]
	if entry == nil {
		entry = &corpusEntry{}
		c.corpora[key] = entry
	}
	c.mu.Unlock()
	entry.once.Do(func() { entry.corpus, entry.err = readCorpus(name, path) })
	if entry.err != nil {
		c.mu.Lock()
		if c.corpora[key] == entry {
			delete(c.corpora, key)
		}
		c.mu.Unlock()
	}
	return entry.corpus, entry.err
}

// fits checks the digest and that every split holds a window of the lengths that it is asked for.
func (c Config) fits(x *corpus) error {
	if got := x.manifest.SHA256; c.Digest != "" && got != c.Digest {
		return fmt.Errorf("the corpus at %q has digest %s, want %s: other files, or another Go release, than the config was made with",
			x.manifest.Root, got, c.Digest)
	}
	longestTrain := c.Length
	if len(c.TrainLengths) > 0 {
		longestTrain = c.TrainLengths[1]
	}
	longestTest := c.Length
	if n := len(c.EvalLengths); n > 0 {
		longestTest = max(longestTest, c.EvalLengths[n-1])
	}
	for i, length := range [3]int{train: longestTrain, valid: c.Length, test: longestTest} {
		if n := len(x.splits[i]); n <= length {
			return fmt.Errorf("the %s split of %q has %d bytes, want more than the length %d: give a larger corpus or a smaller length",
				splitNames[i], x.manifest.Root, n, length)
		}
	}
	return nil
}
