package task

import (
	"fmt"
	"strings"
)

// Ignore is the target of a position that is not scored.
const Ignore int32 = -100

// Metric says how a task is scored.
type Metric string

// The metrics. Their names carry their unit.
const (
	Accuracy    Metric = "accuracy"      // share of scored positions whose most likely symbol is the target
	BitsPerByte Metric = "bits_per_byte" // mean cross-entropy / ln 2; on text8 and enwik8 papers call it bits per character
	MSE         Metric = "mse"           // mean squared error of the regression
)

// HigherIsBetter reports whether a larger value of the metric is the better one.
func (m Metric) HigherIsBetter() bool { return m == Accuracy }

// Batch holds B sequences of L steps, row-major. A batch of symbols has Tokens and Targets; the adding problem has
// Inputs and Values. Whoever receives a batch owns it.
type Batch struct {
	B, L     int
	Tokens   []int32   // (B, L), nil for continuous input
	Inputs   []float64 // (B, L, Channels), nil for token input
	Channels int       // 0 for token input
	Targets  []int32   // (B, L), Ignore where nothing is scored; nil for regression
	Values   []float64 // (B), the regression targets; nil otherwise
}

// Scored returns how many targets count: scored positions, or sequences of a regression.
func (b *Batch) Scored() int {
	n := len(b.Values)
	for _, y := range b.Targets {
		if y != Ignore {
			n++
		}
	}
	return n
}

// String says what the batch is in a line.
func (b *Batch) String() string {
	if b.Tokens == nil {
		return fmt.Sprintf("%d sequences × %d steps × %d channels, %d scored", b.B, b.L, b.Channels, b.Scored())
	}
	return fmt.Sprintf("%d sequences × %d tokens, %d scored", b.B, b.L, b.Scored())
}

// Show writes sequence row for a reader, at most 64 steps of it: one line for the input and one for the targets, with
// "·" where nothing is scored. It panics unless 0 ≤ row < B.
func (b *Batch) Show(row int) string {
	if row < 0 || row >= b.B {
		panic(fmt.Sprintf("task: Batch.Show: row is %d, want 0 to %d", row, b.B-1))
	}
	const most = 64
	steps := min(b.L, most)
	var in, out strings.Builder
	for t := row * b.L; t < row*b.L+steps; t++ {
		if b.Tokens == nil {
			fmt.Fprintf(&in, " %.3g", b.Inputs[t*b.Channels:(t+1)*b.Channels])
			continue
		}
		target := "·"
		if b.Targets[t] != Ignore {
			target = fmt.Sprint(b.Targets[t])
		}
		token := fmt.Sprint(b.Tokens[t])
		width := max(len(token), len([]rune(target)))
		fmt.Fprintf(&in, " %*s", width, token)
		fmt.Fprintf(&out, " %*s", width, target)
	}
	more := ""
	if steps < b.L {
		more = " …"
	}
	if b.Tokens == nil {
		return fmt.Sprintf("in %s%s\nout %.6g\n", in.String(), more, b.Values[row])
	}
	return fmt.Sprintf("in %s%s\nout%s%s\n", in.String(), more, out.String(), more)
}

// newTokens returns a batch of b sequences of l tokens 0, nothing scored.
func newTokens(b, l int) *Batch {
	x := &Batch{B: b, L: l, Tokens: make([]int32, b*l), Targets: make([]int32, b*l)}
	for i := range x.Targets {
		x.Targets[i] = Ignore
	}
	return x
}

// Spec says what a model for the task looks like and how it is scored.
type Spec struct {
	Metric     Metric   `json:"metric"`
	VocabIn    int      `json:"vocab_in"`   // input symbols; 0 for continuous input
	VocabOut   int      `json:"vocab_out"`  // output classes; 0 for regression
	Channels   int      `json:"channels"`   // input channels of continuous input; 0 for tokens
	Length     int      `json:"length"`     // steps of a sequence of "valid" and "test"
	MaxLength  int      `json:"max_length"` // steps of the longest sequence of any split
	Regression bool     `json:"regression"` // one value per sequence, read at the last step
	Chance     float64  `json:"chance"`     // the metric of a guess that has not used the memory (doc.go says which)
	Solved     float64  `json:"solved"`     // the metric from which on the task counts as solved; 0: no such value
	Splits     []string `json:"splits"`     // what Eval accepts: "valid", "test", then "test@LENGTH" for each eval length
}

// Task is what a model is trained on. It has no hidden state: Train is a pure function of (config, seed, step) and
// Eval of (config, seed, split, i), so runs resume bit for bit, and both may be called from several goroutines at once.
type Task interface {
	// Name is the task's name in configs and tables.
	Name() string
	// Spec says vocabulary, length, metric and chance level.
	Spec() Spec
	// Train returns the training batch of a step. Step is any integer; by custom the first is 0.
	Train(step int) *Batch
	// Eval returns evaluation batch i = 0, 1, … of one of Spec().Splits, and false when there are no more. The last
	// batch of a corpus may hold fewer sequences than the others. It panics on a split that Spec().Splits lacks.
	Eval(split string, i int) (*Batch, bool)
}

// New builds the task of a config, reading its corpus if it has one; Cache.New shares a corpus between tasks. The error
// joins all that Validate finds.
func New(cfg Config, seed uint64) (Task, error) { return NewCache().New(cfg, seed) }
