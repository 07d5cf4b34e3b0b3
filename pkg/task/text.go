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
	cfg      Config
	seed     uint64
	kind     kind
	corpus   *corpus
	manifest *Manifest        // the corpus's, with the overlap of this task's windows
	starts   map[string][]int // of the evaluated windows of each split, in order
}

// newTextTask finds the windows that the task evaluates. The error is that a split has none.
func newTextTask(cfg Config, seed uint64, k kind, x *corpus) (*textTask, error) {
	t := &textTask{cfg: cfg, seed: seed, kind: k, corpus: x, starts: map[string][]int{}}
	for _, split := range cfg.splits() {
		starts := t.evalStarts(split)
		if len(starts) == 0 {
			return nil, fmt.Errorf("every window of %s at %q holds %d bytes or more that stand in training, too: "+
				"give files that are less alike, or leave copies out (--set task.exclude=PATTERN)", split, x.manifest.Root, sharedBytes)
		}
		t.starts[split] = starts
	}
	m := *x.manifest
	m.Overlap = &Overlap{Valid: t.overlap("valid", valid), Test: t.overlap("test", test)}
	t.manifest = &m
	return t, nil
}

// evalStarts returns where the evaluated windows of a split begin. The split is cut into windows that do not overlap; of
// the W that are not left out K = min(W, EvalBatches·Batch) are taken, evenly spread, number k at ⌊k·W/K⌋. They do not
// depend on the seed.
func (t *textTask) evalStarts(split string) []int {
	length, i := t.cfg.splitLength(split), splitIndex(split)
	W := 0
	t.eachWindow(i, length, func(int) { W++ })
	K := min(W, t.cfg.EvalBatches*t.cfg.Batch)
	starts := make([]int, 0, K)
	n := 0
	t.eachWindow(i, length, func(start int) {
		if k := len(starts); k < K && n == k*W/K {
			starts = append(starts, start)
		}
		n++
	})
	return starts
}

// eachWindow calls f with the start of every window of a split that may be evaluated. In a split by families those that
// share text with training are left out: licences, idioms, and what the families let through.
func (t *textTask) eachWindow(split, length int, f func(start int)) {
	for start := 0; start+length < len(t.corpus.splits[split]); start += length {
		if t.corpus.manifest.Split != ByFamily || !t.corpus.shared[split].held(start, start+length+1) {
			f(start)
		}
	}
}

// splitIndex is where a corpus has the bytes of a split.
func splitIndex(split string) int {
	if split == "valid" {
		return valid
	}
	return test
}

// overlap measures what a split shares with training.
func (t *textTask) overlap(name string, split int) SplitOverlap {
	var o SplitOverlap
	data, g, length := t.corpus.splits[split], t.corpus.shared[split], t.cfg.Length
	blocks, found := len(data)/sharedBytes, 0
	for b := range blocks {
		if g.whole(b*sharedBytes, (b+1)*sharedBytes) {
			found++
		}
	}
	whole, part, scored := 0, 0, 0
	for start := 0; start+length < len(data); start += length {
		o.Windows++
		if g.held(start, start+length+1) {
			part++
		}
		if g.whole(start, start+length+1) {
			whole++
		}
	}
	for _, start := range t.starts[name] {
		if g.held(start, start+length+1) {
			scored++
		}
	}
	if t.corpus.manifest.Split == ByFamily {
		o.LeftOut = part
	}
	o.Bytes64, o.Whole = ratio(found, blocks), ratio(whole, o.Windows)
	o.Part, o.Scored = ratio(part, o.Windows), ratio(scored, len(t.starts[name]))
	return o
}

func ratio(n, of int) float64 {
	if of == 0 {
		return 0
	}
	return float64(n) / float64(of)
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

// Eval walks windows that do not overlap, evenly spread over the split; doc.go says which. They do not depend on the seed.
func (t *textTask) Eval(split string, i int) (*Batch, bool) {
	length, starts := t.cfg.splitLength(split), t.starts[split]
	if i < 0 || i >= t.cfg.EvalBatches || i*t.cfg.Batch >= len(starts) {
		return nil, false
	}
	starts = starts[i*t.cfg.Batch : min((i+1)*t.cfg.Batch, len(starts))]
	return windows(t.corpus.splits[splitIndex(split)], len(starts), length, func(row int) int { return starts[row] }), true
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

// corpusKey is all of a config that decides which bytes are read.
type corpusKey struct {
	name  Name
	path  string
	globs string
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
	cfg.Include, cfg.Exclude = slices.Clone(cfg.Include), slices.Clone(cfg.Exclude)
	k, _ := kindOf(cfg.Name)
	if !k.corpus {
		return &synthetic{cfg: cfg, seed: seed, kind: k, draw: k.draw(cfg)}, nil
	}
	t, err := c.newText(cfg, seed, k)
	if err != nil {
		return nil, fmt.Errorf("task %s: %w", cfg.Name, err)
	}
	return t, nil
}

func (c *Cache) newText(cfg Config, seed uint64, k kind) (*textTask, error) {
	corpus, err := c.read(cfg)
	if err != nil {
		return nil, err
	}
	if err := cfg.fits(corpus); err != nil {
		return nil, err
	}
	return newTextTask(cfg, seed, k, corpus)
}

// read returns the corpus of a config, from the cache or from disk. A failure is not kept.
func (c *Cache) read(cfg Config) (*corpus, error) {
	key := corpusKey{cfg.Name, cfg.Path, fmt.Sprintf("%q %q", cfg.Include, cfg.Exclude)}
	if cfg.Path != "" {
		abs, err := filepath.Abs(cfg.Path)
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
	entry.once.Do(func() { entry.corpus, entry.err = readCorpus(cfg) })
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
		return fmt.Errorf("the corpus at %q has digest %s, want %s: other files, another Go release or another rule of splitting "+
			"than the config was made with; hint: an empty task.digest trains on this corpus anew, for scores of its own",
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
