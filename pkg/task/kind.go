package task

import (
	"math/rand/v2"
	"slices"
)

// Name is the name of a task.
type Name string

// The tasks.
const (
	SelectiveCopying Name = "selective-copying"
	Copying          Name = "copying"
	Induction        Name = "induction"
	MQAR             Name = "mqar"
	Adding           Name = "adding"
	Parity           Name = "parity"
	FirstToken       Name = "first-token"
	GoSource         Name = "go-source"
	Text             Name = "text"
	Text8            Name = "text8"
	Enwik8           Name = "enwik8"
)

// Names returns every task's name, in the order of the documentation.
func Names() []Name {
	return []Name{SelectiveCopying, Copying, Induction, MQAR, Adding, Parity, FirstToken, GoSource, Text, Text8, Enwik8}
}

// Variant chooses between the published forms of one task.
type Variant string

// The variants.
const (
	Delayed Variant = "delayed" // copying: the symbols, noise, then markers where they are to be repeated
	Lag     Variant = "lag"     // copying: repeat every symbol memorize steps later
	Random  Variant = "random"  // mqar: filler is random symbols, which may collide with keys (see Collisions)
	Zero    Variant = "zero"    // mqar: filler is symbol 0
	Final   Variant = "final"   // parity: scored at the last position only
	Prefix  Variant = "prefix"  // parity: scored at every position, much easier to train
)

// kind is what one task differs in.
type kind struct {
	defaults  Config
	variants  []Variant                 // what Config.Variant may be; none: it must be empty
	minLength func(Config) int          // the least Length, TrainLengths and EvalLengths
	even      bool                      // lengths must be even
	minVocab  int                       // the least Vocab; 0: the field is not used
	memorize  bool                      // Memorize is used
	pairs     bool                      // Pairs is used
	corpus    bool                      // text: Digest is used, and Path, which only go-source may leave empty
	spec      func(Config) Spec         // without Length, MaxLength and Splits
	extra     func(Config) int          // steps of a sequence beyond its length
	draw      func(Config) generator    // nil for a corpus
	check     func(Config, *fieldCheck) // rules between fields
}

// generator draws a batch of sequences of the given length.
type generator func(rng *rand.Rand, length int) *Batch

// kindOf is the one switch over tasks.
func kindOf(name Name) (kind, bool) {
	switch name {
	case SelectiveCopying:
		return selectiveCopyingKind(), true
	case Copying:
		return copyingKind(), true
	case Induction:
		return inductionKind(), true
	case MQAR:
		return mqarKind(), true
	case Adding:
		return addingKind(), true
	case Parity:
		return parityKind(), true
	case FirstToken:
		return firstTokenKind(), true
	case GoSource, Text, Text8, Enwik8:
		return corpusKind(name), true
	}
	return kind{}, false
}

// atLeast and noExtra are the plain cases of kind.minLength and kind.extra.
func atLeast(n int) func(Config) int { return func(Config) int { return n } }

func noExtra(Config) int { return 0 }

// lengths returns every length that a config names, without what the kind adds to it.
func (c Config) lengths() []int {
	return slices.Concat([]int{c.Length}, c.TrainLengths, c.EvalLengths)
}
