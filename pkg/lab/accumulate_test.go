package lab

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/gophersnake/gophersnake/pkg/task"
)

// pieces serves the batches of a task in pieces of rows, of which it takes
// targets away so that pieces score differently, as texts of different lengths
// do.
type pieces struct {
	task.Task
	of int // pieces a batch; 1 serves the same batches whole
}

func (p pieces) Train(n int) *task.Batch {
	const most = 4
	b := p.Task.Train(n / p.of)
	for i := range b.Targets {
		if row := i / b.L; row%most < most-1 && i%most < row%most+1 || row == 0 { // the first row scores nothing
			b.Targets[i] = task.Ignore
		}
	}
	rows := b.B / p.of
	lo := n % p.of * rows
	cut := &task.Batch{B: rows, L: b.L, Channels: b.Channels}
	if b.Tokens != nil {
		cut.Tokens, cut.Targets = b.Tokens[lo*b.L:(lo+rows)*b.L], b.Targets[lo*b.L:(lo+rows)*b.L]
	} else {
		cut.Inputs, cut.Values = b.Inputs[lo*b.L*b.Channels:(lo+rows)*b.L*b.Channels], b.Values[lo:lo+rows]
	}
	return cut
}

// trainPieces takes three steps on batches served in pieces.
func trainPieces(t *testing.T, e Experiment, of int) *trainer {
	t.Helper()
	if of > 1 {
		e.Accumulate = of
	}
	tr, err := newTrainer(e, Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	tr.task = pieces{tr.task, of}
	for range 3 {
		if ok, err := tr.trainStep(); err != nil || !ok {
			t.Fatal(ok, err)
		}
	}
	return tr
}

// TestAccumulateEqualsOneBatch: four batches a step give the gradient of one
// batch of them all, however many positions each of them scores.
func TestAccumulateEqualsOneBatch(t *testing.T) {
	for _, name := range []task.Name{task.Induction, task.Adding} {
		e := DefaultExperiment(name)
		e.Task.Length, e.Task.Batch, e.Task.EvalBatches = 16, 4, 1
		e.Model.D, e.Model.Mixer.State = 8, 2
		e.Device, e.LogEvery = "reference", 1
		if name == task.Induction {
			e.Task.Vocab = 8
		}
		want := trainPieces(t, e, 1)
		for _, of := range []int{2, 4} {
			got := trainPieces(t, e, of)
			for i, p := range want.params {
				a, b := p.Data(), got.params[i].Data()
				for j := range a {
					if d := math.Abs(a[j] - b[j]); d > 1e-12*math.Max(1, math.Abs(a[j])) {
						t.Fatalf("%s in %d: %s[%d] is %g, want %g", name, of, p.Name, j, b[j], a[j])
					}
				}
			}
			for _, key := range []string{KeyTrainLoss, KeyGradNorm} {
				for j, v := range want.result.Curves[key].Values {
					if w := got.result.Curves[key].Values[j]; math.Abs(v-w) > 1e-12*math.Max(1, v) {
						t.Errorf("%s in %d: %s of step %d is %g, want %g", name, of, key, j+1, w, v)
					}
				}
			}
			if got.tokens != want.tokens {
				t.Errorf("%d tokens, want %d", got.tokens, want.tokens)
			}
		}
	}
}

// TestPiecesScoreDifferently: the test above would not tell the mean of means
// from the mean if all pieces scored as much.
func TestPiecesScoreDifferently(t *testing.T) {
	e := DefaultExperiment(task.GoSource)
	e.Task.Batch = 4
	tk, err := task.New(e.Task, 1)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int]bool{}
	for i := range 4 {
		seen[pieces{tk, 4}.Train(i).Scored()] = true
	}
	if !seen[0] || len(seen) < 3 {
		t.Errorf("scored positions: %v, want none in one piece and different numbers in the others", seen)
	}
}

// nothing serves batches of which nothing is scored.
type nothing struct{ task.Task }

func (n nothing) Train(step int) *task.Batch {
	b := n.Task.Train(step)
	for i := range b.Targets {
		b.Targets[i] = task.Ignore
	}
	return b
}

func TestAccumulateNothingScored(t *testing.T) {
	e := tiny(S6)
	e.Accumulate = 2
	tr, err := newTrainer(e, Options{})
	if err != nil {
		t.Fatal(err)
	}
	tr.task = nothing{tr.task}
	if ok, err := tr.trainStep(); !ok || err != nil || tr.result.Final[KeyTrainLoss] != 0 {
		t.Errorf("%v, %v, loss %g, want 0 and no divergence", ok, err, tr.result.Final[KeyTrainLoss])
	}
}

// TestAccumulateDrawsBatchesOfTheirOwn: the batches of a step are those with
// numbers s·k to s·k+k−1.
func TestAccumulateDrawsBatchesOfTheirOwn(t *testing.T) {
	e := tiny(S6)
	e.Accumulate = 3
	tr, err := newTrainer(e, Options{})
	if err != nil {
		t.Fatal(err)
	}
	c := &counting{Task: tr.task}
	tr.task = c
	for range 2 {
		if _, err := tr.trainStep(); err != nil {
			t.Fatal(err)
		}
	}
	for i, n := range c.drawn {
		if i != n || len(c.drawn) != 6 {
			t.Fatalf("drew %v, want 0 to 5", c.drawn)
		}
	}
}

type counting struct {
	task.Task
	drawn []int
}

func (c *counting) Train(n int) *task.Batch {
	c.drawn = append(c.drawn, n)
	return c.Task.Train(n)
}

func TestAccumulateResumesAndReplays(t *testing.T) {
	e := constant(S6, 12)
	e.Accumulate = 3
	whole := mustRun(t, e, Options{Workers: 1})
	ctx, cancel := context.WithCancel(context.Background())
	rec := newMemoryRun()
	rec.onLog = func(key string, step int64) {
		if key == KeyTrainLoss && step == 5 {
			cancel()
		}
	}
	if _, err := Run(ctx, e, Options{Recorder: rec}); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	rest := mustRun(t, e, Options{Resume: rec.artifacts[CheckpointArtifact], Workers: 2})
	rest.prepend(&PastRun{Curves: rec.curves})
	sameCurves(t, "accumulate", whole.Curves, rest.Curves)
	r, err := Replay(context.Background(), e, &PastRun{Curves: whole.Curves}, Options{Workers: 2})
	if err != nil || !r.Equal() {
		t.Errorf("%v, %v", r, err)
	}
}
