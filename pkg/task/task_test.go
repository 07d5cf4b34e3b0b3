package task

import (
	"errors"
	"fmt"
	"math"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Walks the switch: every task has a default config, a spec that its batches keep, and a place in the documentation.
func TestEveryTaskKeepsItsSpec(t *testing.T) {
	for _, name := range smallNames() {
		t.Run(string(name), func(t *testing.T) {
			cfg := small(t, name)
			if k, _ := kindOf(name); k.corpus {
				cfg.EvalLengths = []int{8}
			}
			for _, x := range []Task{mustNew(t, cfg, 1), mustNew(t, cfg, 2)} {
				s := x.Spec()
				if x.Name() != string(name) || s.Splits[0] != "valid" || s.Splits[1] != "test" ||
					len(s.Splits) != 2+len(cfg.EvalLengths) {
					t.Fatalf("name %q, spec %+v", x.Name(), s)
				}
				longest := 0
				for step := range 50 {
					b := x.Train(step)
					checkBatch(t, b, s, cfg.Batch)
					longest = max(longest, b.L)
				}
				for _, split := range s.Splits {
					longest = max(longest, checkSplit(t, x, split, cfg))
				}
				if longest != s.MaxLength {
					t.Errorf("longest sequence has %d steps, want Spec.MaxLength = %d", longest, s.MaxLength)
				}
			}
		})
	}
}

// A task that was added to kind.go must be listed, drawn in the golden file (unless it needs a corpus of its own) and
// documented.
func TestEveryTaskIsListed(t *testing.T) {
	read := func(file string) string {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	var declared []Name
	for _, m := range regexp.MustCompile(`(?m)^\t\w+ +Name = "(.*)"$`).FindAllStringSubmatch(read("kind.go"), -1) {
		declared = append(declared, Name(m[1]))
	}
	if !slices.Equal(declared, Names()) || len(declared) == 0 {
		t.Errorf("declared are %v, Names() = %v", declared, Names())
	}
	golden, doc := read("testdata/golden.txt"), read("doc.go")
	for _, name := range Names() {
		if k, ok := kindOf(name); !ok {
			t.Errorf("%s is not in the switch", name)
		} else if !k.corpus && !strings.Contains(golden, "# "+string(name)) {
			t.Errorf("%s has no golden", name)
		}
		if !strings.Contains(doc, "//\t"+string(name)+" ") {
			t.Errorf("%s is not documented", name)
		}
	}
}

func TestSpecOf(t *testing.T) {
	for _, name := range smallNames() {
		cfg := small(t, name)
		if got, want := SpecOf(cfg), mustNew(t, cfg, 1).Spec(); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: SpecOf is %+v, the task's Spec %+v", name, got, want)
		}
	}
	if s := SpecOf(Config{Name: "x"}); !reflect.DeepEqual(s, Spec{}) {
		t.Errorf("SpecOf an unknown name is %+v", s)
	}
	if !Accuracy.HigherIsBetter() || BitsPerByte.HigherIsBetter() || MSE.HigherIsBetter() {
		t.Error("of the metrics only accuracy is better when higher")
	}
}

// TestScored: symbol 0 counts, an ignored position does not, and a regression has
// one value a sequence.
func TestScored(t *testing.T) {
	for _, tt := range []struct {
		b    Batch
		want int
	}{
		{Batch{B: 2, L: 2, Targets: []int32{0, Ignore, 3, 0}}, 3},
		{Batch{B: 1, L: 2, Targets: []int32{Ignore, Ignore}}, 0},
		{Batch{B: 3, L: 2, Values: []float64{0, 1, 2}}, 3},
	} {
		if got := tt.b.Scored(); got != tt.want {
			t.Errorf("%v: %d scored, want %d", tt.b.Targets, got, tt.want)
		}
	}
}

func TestShowRefusesBadRow(t *testing.T) {
	defer func() {
		if got := recover(); got != "task: Batch.Show: row is 16, want 0 to 15" {
			t.Errorf("panic is %v", got)
		}
	}()
	mustNew(t, DefaultConfig(Parity), 1).Train(0).Show(16)
}

// checkSplit walks a split to its end and returns the length of its sequences.
func checkSplit(t *testing.T, x Task, split string, cfg Config) int {
	t.Helper()
	s := x.Spec()
	n, length := 0, 0
	for ; ; n++ {
		b, ok := x.Eval(split, n)
		if !ok {
			break
		}
		if (split == "valid" || split == "test") && b.L != s.Length {
			t.Fatalf("%s has %d steps, want Spec.Length = %d", split, b.L, s.Length)
		}
		checkBatch(t, b, s, b.B)
		length = b.L
	}
	if k, _ := kindOf(cfg.Name); n == 0 || n > cfg.EvalBatches || !k.corpus && n != cfg.EvalBatches {
		t.Errorf("%s has %d batches, want %d", split, n, cfg.EvalBatches)
	}
	if _, ok := x.Eval(split, -1); ok {
		t.Errorf("%s has a batch -1", split)
	}
	return length
}

func checkBatch(t *testing.T, b *Batch, s Spec, rows int) {
	t.Helper()
	if b.B != rows || b.L < 1 || b.L > s.MaxLength || b.Channels != s.Channels || b.Scored() == 0 {
		t.Fatalf("batch %v does not fit %+v", b, s)
	}
	if s.Regression {
		if len(b.Inputs) != b.B*b.L*s.Channels || len(b.Values) != b.B || b.Tokens != nil || b.Targets != nil {
			t.Fatalf("batch %v does not fit %+v", b, s)
		}
		return
	}
	if len(b.Tokens) != b.B*b.L || len(b.Targets) != b.B*b.L || b.Inputs != nil || b.Values != nil {
		t.Fatalf("batch %v does not fit %+v", b, s)
	}
	for i := range b.Tokens {
		if x := b.Tokens[i]; x < 0 || int(x) >= s.VocabIn {
			t.Fatalf("token %d outside the vocabulary of %d", x, s.VocabIn)
		}
		if y := b.Targets[i]; y != Ignore && (y < 0 || int(y) >= s.VocabOut) {
			t.Fatalf("target %d outside the vocabulary of %d", y, s.VocabOut)
		}
	}
}

// Train(5) is the same before and after other calls, from another Task of the same config and from many goroutines.
func TestBatchesArePure(t *testing.T) {
	for _, name := range smallNames() {
		t.Run(string(name), func(t *testing.T) {
			cfg := small(t, name)
			x := mustNew(t, cfg, 1)
			train := x.Train(5)
			eval, _ := x.Eval("valid", 1)
			changed := x.Train(5) // the receiver owns a batch: what it writes there reaches nobody
			clear(changed.Tokens)
			clear(changed.Inputs)
			var wg sync.WaitGroup
			other := mustNew(t, cfg, 1)
			for g := range 4 {
				wg.Go(func() {
					for step := range 10 {
						other.Train(step * (g + 1))
						if got := other.Train(5); !reflect.DeepEqual(got, train) {
							t.Errorf("Train(5) differs at call %d of goroutine %d", step, g)
						}
						if got, _ := other.Eval("valid", 1); !reflect.DeepEqual(got, eval) {
							t.Errorf("Eval(valid, 1) differs at call %d of goroutine %d", step, g)
						}
					}
				})
			}
			wg.Wait()
		})
	}
}

func TestSeedsStepsAndSplitsDiffer(t *testing.T) {
	for _, name := range smallNames() {
		cfg := small(t, name)
		cfg.TrainLengths = nil
		x, y := mustNew(t, cfg, 1), mustNew(t, cfg, 2)
		valid, _ := x.Eval("valid", 0)
		test, _ := x.Eval("test", 0)
		next, _ := x.Eval("valid", 1)
		batches := []*Batch{x.Train(0), x.Train(1), x.Train(-1), y.Train(0), valid, test, next}
		for i, a := range batches {
			for j, b := range batches[:i] {
				if reflect.DeepEqual(a, b) {
					t.Errorf("%s: batches %d and %d are equal", name, i, j)
				}
			}
		}
		again, _ := y.Eval("valid", 0)
		if k, _ := kindOf(name); k.corpus != reflect.DeepEqual(valid, again) {
			t.Errorf("%s: a corpus, and only a corpus, has the same valid split for every seed", name)
		}
	}
}

// Another config of the same task leaves the streams alone: the batch size decides how many sequences are drawn, not
// which.
func TestArmsArePaired(t *testing.T) {
	cfg := DefaultConfig(Induction)
	a := mustNew(t, cfg, 1).Train(3)
	cfg.Batch = 4
	b := mustNew(t, cfg, 1).Train(3)
	if !slices.Equal(a.Tokens[:4*a.L], b.Tokens) {
		t.Error("a smaller batch is not the start of the larger one")
	}
}

// A task keeps its own copy of the config.
func TestConfigIsCopied(t *testing.T) {
	cfg := DefaultConfig(Parity)
	x := mustNew(t, cfg, 1)
	before := x.Train(0)
	cfg.EvalLengths[0], cfg.TrainLengths[0], cfg.TrainLengths[1] = 7, 1, 1
	if got := x.Train(0); !reflect.DeepEqual(got, before) {
		t.Error("changing TrainLengths after New changed the task")
	}
	if got := x.Spec().Splits[2]; got != "test@256" {
		t.Errorf("changing EvalLengths after New changed the split to %s", got)
	}
}

func TestEvalPanicsOnUnknownSplit(t *testing.T) {
	for _, name := range []Name{Induction, Text} {
		func() {
			defer func() {
				got := fmt.Sprint(recover())
				if !strings.HasPrefix(got, `task: Eval: split is "vaild", want one of valid, test`) {
					t.Errorf("%s: panic is %q", name, got)
				}
			}()
			mustNew(t, small(t, name), 1).Eval("vaild", 0)
		}()
	}
}

func TestTrainLengthsAreUniform(t *testing.T) {
	for _, c := range []struct {
		name   Name
		lo, hi int
		step   int
	}{{Parity, 3, 12, 1}, {MQAR, 32, 48, 2}, {Text, 5, 9, 1}} {
		cfg := small(t, c.name)
		cfg.TrainLengths, cfg.Batch = []int{c.lo, c.hi}, 1
		x := mustNew(t, cfg, 1)
		counts := map[int32]int{}
		for step := range 4000 {
			n := x.Train(step).L
			if (n-c.lo)%c.step != 0 {
				t.Fatalf("%s: length %d", c.name, n)
			}
			counts[int32((n-c.lo)/c.step)]++
		}
		testUniform(t, string(c.name)+": length", counts, 0, int32((c.hi-c.lo)/c.step))
	}
}

// What Spec.Chance claims, by playing it.
func TestChanceLevels(t *testing.T) {
	variants := []Config{}
	for _, name := range Names() {
		k, _ := kindOf(name)
		if k.corpus {
			continue
		}
		for _, v := range append(slices.Clone(k.variants), "")[:max(1, len(k.variants))] {
			c := DefaultConfig(name)
			c.Variant = v
			variants = append(variants, c)
		}
	}
	for _, cfg := range variants {
		name := fmt.Sprintf("%s %s", cfg.Name, cfg.Variant)
		x := mustNew(t, cfg, 1)
		var sum, n float64
		for step := range 400 {
			b := x.Train(step)
			for _, v := range b.Values {
				sum += (v - 1) * (v - 1) // the constant 1
				n++
			}
			for i, y := range b.Targets {
				if y == Ignore {
					continue
				}
				n++
				if y == bestGuess(cfg, b, i) {
					sum++
				}
			}
		}
		got, want := sum/n, x.Spec().Chance
		// Five standard errors of a share; the squared error of the adding problem has a standard deviation of 0.2.
		if limit := 5 * math.Sqrt(math.Max(want*(1-want), 0.04)/n); math.Abs(got-want) > limit {
			t.Errorf("%s: a guess scores %.4f, want %.4f ± %.4f", name, got, want, limit)
		}
	}
	if s := mustNew(t, small(t, Text), 1).Spec(); math.Exp2(s.Chance) != 256 {
		t.Errorf("chance of a corpus is %g bits", s.Chance)
	}
}

// bestGuess answers position i without having remembered anything; for mqar it knows the values but not whose they are.
func bestGuess(cfg Config, b *Batch, i int) int32 {
	switch cfg.Name {
	case MQAR:
		return b.Tokens[i/b.L*b.L+1]
	case Parity, FirstToken:
		return 0
	}
	return 1
}

func TestNewReportsEveryFieldAtOnce(t *testing.T) {
	_, err := New(Config{Name: MQAR, Variant: "x", Length: 3, Batch: 0, Path: "p"}, 1)
	var fe *FieldError
	if !errors.As(err, &fe) || fe.Task != MQAR {
		t.Fatalf("error is %v", err)
	}
	for _, field := range []string{"variant", "length", "batch", "vocab", "pairs", "eval_batches", "path"} {
		if !strings.Contains(err.Error(), "task mqar: "+field+" is ") {
			t.Errorf("error does not name %s:\n%v", field, err)
		}
	}
}
