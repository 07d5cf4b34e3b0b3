package task

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Config decides a task completely, but for the seed. Every value is written out: a field that the task needs has no
// hidden default, and one that it does not use must be empty, so that two configs that mean the same are the same.
// Start from DefaultConfig.
type Config struct {
	Name         Name     `json:"name"`
	Variant      Variant  `json:"variant,omitempty"`       // copying, mqar and parity
	Length       int      `json:"length,omitempty"`        // L in doc.go; for training TrainLengths overrides it
	Batch        int      `json:"batch,omitempty"`         // sequences in a batch
	Vocab        int      `json:"vocab,omitempty"`         // symbols, special ones included
	Memorize     int      `json:"memorize,omitempty"`      // symbols to remember: copying and selective-copying
	Pairs        int      `json:"pairs,omitempty"`         // key-value pairs: mqar
	TrainLengths []int    `json:"train_lengths,omitempty"` // [min, max]: a length for each training batch, uniform
	EvalLengths  []int    `json:"eval_lengths,omitempty"`  // rising lengths for length generalisation: splits "test@LENGTH"
	EvalBatches  int      `json:"eval_batches,omitempty"`  // batches in each evaluation split; fewer when a corpus has fewer
	Path         string   `json:"path,omitempty"`          // corpora: file or directory; go-source: another GOROOT
	Include      []string `json:"include,omitempty"`       // text: patterns of files to read in a directory, none for all; see doc.go
	Exclude      []string `json:"exclude,omitempty"`       // text: patterns of files and directories to leave out
	Digest       string   `json:"digest,omitempty"`        // corpora: the Manifest.SHA256 that the files must have; empty: any
}

// DefaultConfig returns a config that trains on two cores in about a minute: sizes at which the tasks were tried. The
// corpora text, text8 and enwik8 still need their Path. For an unknown name only Name is set, and Validate says so.
func DefaultConfig(name Name) Config {
	k, ok := kindOf(name)
	if !ok {
		return Config{Name: name}
	}
	c := k.defaults
	c.Name = name
	return c
}

// ParseConfig reads a config from JSON. An unknown field or anything after the value is an error; the values are
// checked by Validate, not here.
func ParseConfig(data []byte) (Config, error) {
	var c Config
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return Config{}, fmt.Errorf("task config: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Config{}, errors.New("task config: there is something after the JSON object")
	}
	return c, nil
}

// FieldError says which field of a config is wrong, what it is and what is allowed.
type FieldError struct {
	Task  Name
	Field string // as in JSON
	Value any
	Want  string
}

func (e *FieldError) Error() string {
	value := fmt.Sprint(e.Value)
	if s, ok := e.Value.(string); ok {
		value = fmt.Sprintf("%q", s)
	}
	return fmt.Sprintf("task %s: %s is %s, want %s", e.Task, e.Field, value, e.Want)
}

// Limits keep a slip of the keyboard from asking for all the memory of the machine.
const (
	maxLength      = 1 << 24
	maxBatch       = 1 << 16
	maxVocab       = 1 << 20
	maxEvalBatches = 1 << 20
	maxTokens      = 1 << 26 // in one batch: 512 MB of tokens and targets
	maxEvalLengths = 64
	maxPairs       = maxLength / 4
)

// fieldCheck collects the errors of one config.
type fieldCheck struct {
	task Name
	errs []error
}

// need records an error of the field unless ok. Only the first error of a field is kept.
func (f *fieldCheck) need(ok bool, field string, value any, want string, args ...any) {
	if ok {
		return
	}
	for _, e := range f.errs {
		if e.(*FieldError).Field == field {
			return
		}
	}
	f.errs = append(f.errs, &FieldError{f.task, field, value, fmt.Sprintf(want, args...)})
}

// count checks an integer field that is used or must be 0.
func (f *fieldCheck) count(used bool, field string, v, lo, hi int) {
	if used {
		f.need(lo <= v && v <= hi, field, v, "%d to %d", lo, hi)
		return
	}
	f.need(v == 0, field, v, "nothing: %s does not use it", f.task)
}

// Validate returns every wrong field as a *FieldError, nil when there is none. It does not look at files.
func (c Config) Validate() []error {
	f := &fieldCheck{task: c.Name}
	k, ok := kindOf(c.Name)
	if !ok {
		return []error{&FieldError{c.Name, "name", string(c.Name), "one of " + join(Names())}}
	}
	c.checkVariant(k, f)
	c.checkLengths(k, f)
	f.count(true, "batch", c.Batch, 1, maxBatch)
	f.count(k.minVocab > 0, "vocab", c.Vocab, k.minVocab, maxVocab)
	f.count(k.memorize, "memorize", c.Memorize, 1, maxLength)
	f.count(k.pairs, "pairs", c.Pairs, 1, maxPairs)
	f.count(true, "eval_batches", c.EvalBatches, 1, maxEvalBatches)
	c.checkCorpus(k, f)
	if k.check != nil {
		k.check(c, f)
	}
	if len(f.errs) == 0 { // the product of values that are wrong by themselves says nothing
		steps := int64(c.longest() + k.extra(c))
		f.need(int64(c.Batch)*steps <= maxTokens, "batch", c.Batch,
			"batch × longest sequence (%d steps) of at most %d", steps, maxTokens)
	}
	return f.errs
}

func (c Config) checkVariant(k kind, f *fieldCheck) {
	if len(k.variants) == 0 {
		f.need(c.Variant == "", "variant", string(c.Variant), "nothing: %s has one form", c.Name)
		return
	}
	for _, v := range k.variants {
		if c.Variant == v {
			return
		}
	}
	f.need(false, "variant", string(c.Variant), "one of %s", join(k.variants))
}

func (c Config) checkLengths(k kind, f *fieldCheck) {
	lo, kindOfNumber := k.minLength(c), ""
	if k.even {
		kindOfNumber = "even, "
	}
	good := func(n int) bool { return lo <= n && n <= maxLength && !(k.even && n%2 != 0) }
	f.need(good(c.Length), "length", c.Length, "%s%d to %d", kindOfNumber, lo, maxLength)
	if t := c.TrainLengths; len(t) > 0 {
		ok := len(t) == 2 && good(t[0]) && good(t[1]) && t[0] <= t[1]
		f.need(ok, "train_lengths", t, "[min, max] with %s%d <= min <= max <= %d", kindOfNumber, lo, maxLength)
	}
	ok := len(c.EvalLengths) <= maxEvalLengths
	for i, n := range c.EvalLengths {
		ok = ok && good(n) && (i == 0 || n > c.EvalLengths[i-1])
	}
	f.need(ok, "eval_lengths", c.EvalLengths, "at most %d rising lengths, %s%d to %d each",
		maxEvalLengths, kindOfNumber, lo, maxLength)
}

func (c Config) checkCorpus(k kind, f *fieldCheck) {
	if !k.corpus {
		f.need(c.Path == "", "path", c.Path, "nothing: %s is generated", c.Name)
		f.need(c.Digest == "", "digest", c.Digest, "nothing: %s is generated", c.Name)
	} else {
		f.need(c.Path != "" || c.Name == GoSource, "path", c.Path, "the %s: --set task.path=%s", wantedPath(c.Name), pathWord(c.Name))
	}
	c.checkGlobs("include", c.Include, f)
	c.checkGlobs("exclude", c.Exclude, f)
	if !k.corpus {
		return
	}
	isHex := strings.Trim(c.Digest, "0123456789abcdef") == ""
	f.need(c.Digest == "" || len(c.Digest) == 64 && isHex, "digest", c.Digest,
		"64 digits of lower-case hexadecimal, or nothing")
}

// pathWord is what a usage line has for Path.
func pathWord(name Name) string {
	if name == Text {
		return "DIR"
	}
	return "FILE"
}

func (c Config) checkGlobs(field string, globs []string, f *fieldCheck) {
	if c.Name != Text {
		f.need(len(globs) == 0, field, globs, "nothing: %s does not use it", c.Name)
		return
	}
	f.need(len(globs) <= maxGlobs, field, len(globs), "at most %d patterns", maxGlobs)
	for _, g := range globs {
		f.need(goodGlob(g), field, g, `patterns such as "*.md" or "docs/**/*.txt": relative, with slashes, of at most %d bytes and %d times "**"`,
			maxGlobBytes, maxStars)
	}
}

// longest returns the longest length that the config names, without what the kind adds to it.
func (c Config) longest() int {
	n := 0
	for _, l := range c.lengths() {
		n = max(n, l)
	}
	return n
}

func join[S ~string](names []S) string {
	s := make([]string, len(names))
	for i, n := range names {
		s[i] = string(n)
	}
	return strings.Join(s, ", ")
}
