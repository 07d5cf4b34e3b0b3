package lab

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gophersnake/gophersnake/pkg/task"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// constant returns a tiny experiment whose rate does not depend on the number of
// steps, with everything that a checkpoint must carry over: dropout, lengths,
// patience.
func constant(kind MixerKind, steps int) Experiment {
	e := tiny(kind)
	e.Schedule.Kind, e.Schedule.WarmUp = "constant", 0
	e.Model.Block.Dropout, e.Task.TrainLengths = 0.2, []int{4, 9}
	e.Stop = Stop{Metric: "valid/loss", Patience: 100}
	e.Steps = steps
	return e
}

func mustStart(t *testing.T, e Experiment, checkpoint []byte, mode OriginMode, redraw ...string) Experiment {
	t.Helper()
	e, err := e.StartingFrom(checkpoint, mode, redraw...)
	if err != nil {
		t.Fatalf("StartingFrom: %v", err)
	}
	return e
}

func mustDecode(t *testing.T, data []byte) *Checkpoint {
	t.Helper()
	c, err := DecodeCheckpoint(data)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// sameState fails the test unless two checkpoints agree in all but the experiment.
func sameState(t *testing.T, what string, a, b *Checkpoint) {
	t.Helper()
	x, _ := json.Marshal([]any{a.Step, a.values, a.optimiser, a.watch, a.stop})
	y, _ := json.Marshal([]any{b.Step, b.values, b.optimiser, b.watch, b.stop})
	if string(x) != string(y) {
		t.Errorf("%s: the states differ", what)
	}
}

func dropTests(curves map[string]Curve) map[string]Curve {
	out := map[string]Curve{}
	for k, c := range curves {
		if !strings.HasPrefix(k, "test") {
			out[k] = c
		}
	}
	return out
}

func TestContinueEqualsNoInterruption(t *testing.T) {
	for _, device := range []string{"cpu", "reference"} {
		for _, kind := range []MixerKind{S6, Diagonal, Attention} {
			whole, first := constant(kind, 16), constant(kind, 8)
			whole.Device, first.Device = device, device
			want, parent := mustRun(t, whole, Options{Workers: 1}), mustRun(t, first, Options{Workers: 2})
			child := mustRun(t, mustStart(t, whole, parent.Checkpoint, Continue), Options{From: parent.Checkpoint, Workers: 2})
			if child.Steps != 16 || child.Curves[KeyTrainLoss].Steps[0] != 9 {
				t.Errorf("%s: the child did steps %v", kind, child.Curves[KeyTrainLoss].Steps)
			}
			child.prepend(&PastRun{Curves: dropTests(parent.Curves)})
			sameCurves(t, string(kind), want.Curves, child.Curves)
			sameState(t, device+" "+string(kind), mustDecode(t, want.Checkpoint), mustDecode(t, child.Checkpoint))
		}
	}
}

// TestChildResumes: a child that was interrupted needs its own checkpoint only,
// and comes out as one that was not.
func TestChildResumes(t *testing.T) {
	parent := mustRun(t, constant(S6, 8), Options{})
	for _, mode := range OriginModes() {
		e := mustStart(t, constant(S6, 16), parent.Checkpoint, mode)
		e.Schedule.LR = 1e-3
		whole := mustRun(t, e, Options{From: parent.Checkpoint})
		ctx, cancel := context.WithCancel(context.Background())
		rec := newMemoryRun()
		rec.onLog = func(key string, step int64) {
			if key == KeyTrainLoss && step == 11 {
				cancel()
			}
		}
		if _, err := Run(ctx, e, Options{Recorder: rec, From: parent.Checkpoint}); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if string(rec.artifacts[OriginArtifact]) != string(parent.Checkpoint) {
			t.Errorf("%s: the run does not hold what it started from", mode)
		}
		rest := mustRun(t, e, Options{Resume: rec.artifacts[CheckpointArtifact]})
		rest.prepend(&PastRun{Curves: rec.curves})
		sameCurves(t, string(mode), whole.Curves, rest.Curves)
		if string(whole.Checkpoint) != string(rest.Checkpoint) {
			t.Errorf("%s: the last checkpoints differ", mode)
		}
	}
}

func TestChildReplays(t *testing.T) {
	parent := mustRun(t, constant(S6, 8), Options{})
	e := mustStart(t, constant(S6, 12), parent.Checkpoint, Continue)
	child := mustRun(t, e, Options{From: parent.Checkpoint})
	past := &PastRun{Curves: child.Curves, From: parent.Checkpoint}
	r, err := Replay(context.Background(), e, past, Options{Workers: 2})
	if err != nil || !r.Equal() {
		t.Fatalf("%v, %v", r, err)
	}
	damaged := slices.Clone(parent.Checkpoint)
	damaged[len(damaged)/2] ^= 1
	for _, c := range []struct {
		what string
		from []byte
		want string
	}{
		{"gone", nil, "pass its bytes as Options.From"},
		{"damaged", damaged, "the checkpoint to start from: lab: checkpoint is damaged"},
		{"another", child.Checkpoint, "from.checkpoint of the experiment"},
	} {
		_, err := Replay(context.Background(), e, &PastRun{Curves: child.Curves, From: c.from}, Options{})
		wantError(t, c.what, err, c.want)
	}
}

// TestNewScheduleCounts: the rate and the steps of the new experiment hold, not
// those in the checkpoint.
func TestNewScheduleCounts(t *testing.T) {
	e := constant(S6, 8)
	e.Schedule.Kind = "cosine"
	parent := mustRun(t, e, Options{})
	e.Steps, e.Schedule.LR, e.Optimiser.WeightDecay = 12, 7e-4, 0
	child := mustRun(t, mustStart(t, e, parent.Checkpoint, Continue), Options{From: parent.Checkpoint})
	for i, step := range child.Curves[KeyLR].Steps {
		if got, want := child.Curves[KeyLR].Values[i], e.Schedule.At(int(step)-1, 12); got != want {
			t.Errorf("rate at step %d is %g, want %g", step, got, want)
		}
	}
	if n := mustDecode(t, child.Checkpoint).optimiser.Step; n != 12 {
		t.Errorf("the optimiser counts %d steps, want 12", n)
	}
}

// still returns e with a rate at which no float32 and no float64 weight moves.
func still(e Experiment) Experiment {
	e.Steps, e.EvalEvery, e.Schedule.LR = 1, 1, 1e-300
	return e
}

func TestFromWeightsTakesWeightsOnly(t *testing.T) {
	parent := mustRun(t, constant(S6, 8), Options{})
	e := still(constant(S6, 8))
	c := mustDecode(t, mustRun(t, mustStart(t, e, parent.Checkpoint, FromWeights), Options{From: parent.Checkpoint}).Checkpoint)
	p := mustDecode(t, parent.Checkpoint)
	if c.Step != 1 || c.optimiser.Step != 1 {
		t.Errorf("step %d, optimiser's %d, want 1: they begin anew", c.Step, c.optimiser.Step)
	}
	for i := range p.values {
		if !slices.Equal(c.values[i], p.values[i]) {
			t.Errorf("%s is not the parent's", p.params[i].Name)
		}
	}
}

// TestRedraw: a model with more symbols starts from the weights of one with
// fewer where, and only where, the experiment says what is drawn anew.
func TestRedraw(t *testing.T) {
	parent := mustRun(t, constant(S6, 8), Options{})
	e := still(constant(S6, 8))
	e.Task.Vocab += 3
	_, err := e.StartingFrom(parent.Checkpoint, FromWeights)
	wantError(t, "other sizes", err, "parameter embedding.weight is [10 8] in the checkpoint, want [13 8]", "from.redraw=head")
	_, err = e.StartingFrom(parent.Checkpoint, FromWeights, "embedding")
	wantError(t, "half of them", err, "parameter head")
	_, err = e.StartingFrom(parent.Checkpoint, FromWeights, "embedding", "head", "haed.weight")
	wantError(t, "a slip", err, `did you mean "head.weight"?`)
	_, err = e.StartingFrom(parent.Checkpoint, Continue, "head")
	wantError(t, "no moments", err, "want none in mode continue")

	e = mustStart(t, e, parent.Checkpoint, FromWeights, "embedding", "head")
	c, p := mustDecode(t, mustRun(t, e, Options{From: parent.Checkpoint}).Checkpoint), mustDecode(t, parent.Checkpoint)
	fresh := e
	fresh.From = Origin{}
	_, drawn, err := Build(fresh, 1)
	if err != nil {
		t.Fatal(err)
	}
	for i, q := range c.params {
		want := p.values[i]
		if e.From.redraws(q.Name) {
			want = drawn[i].Data()
		}
		if !slices.Equal(c.values[i], want) {
			t.Errorf("%s is neither the parent's nor drawn anew as it should be", q.Name)
		}
	}
}

// TestShapesCount: as many numbers in another shape are another parameter. In
// files that do not tell shapes, the number decides.
func TestShapesCount(t *testing.T) {
	p := tensor.NewParam(tensor.Reference(), "w", tensor.Decay, make([]float64, 6), 2, 3)
	for _, c := range []struct {
		have checkpointParam
		fits bool
	}{
		{checkpointParam{"w", 6, []int{2, 3}}, true},
		{checkpointParam{"w", 6, []int{3, 2}}, false},
		{checkpointParam{"w", 6, nil}, true},
		{checkpointParam{"w", 5, nil}, false},
	} {
		if c.have.fits(p) != c.fits {
			t.Errorf("%v fits: %v, want %v", c.have, !c.fits, c.fits)
		}
	}
}

func TestOriginRefuses(t *testing.T) {
	parent := mustRun(t, constant(S6, 8), Options{})
	_, err := constant(S6, 8).StartingFrom(parent.Checkpoint, Continue)
	wantError(t, "no step left", err, "steps is 8, want more than 8")
	_, err = constant(S6, 9).StartingFrom(parent.Checkpoint, "resume")
	wantError(t, "mode", err, `from.mode is "resume", want one of [continue weights]`)
	_, err = constant(Diagonal, 9).StartingFrom(parent.Checkpoint, Continue)
	wantError(t, "another mixer", err, "nu_log is not in the checkpoint, want [4]", "parameters more")
	shallow := constant(S6, 9)
	shallow.Model.Layers--
	_, err = shallow.StartingFrom(parent.Checkpoint, FromWeights)
	wantError(t, "fewer layers", err, "of the checkpoint, [8], is not in the model")
	_, err = constant(S6, 9).StartingFrom(nil, Continue)
	wantError(t, "no bytes", err, "no checkpoint")
	_, err = Run(context.Background(), constant(S6, 9), Options{From: parent.Checkpoint})
	wantError(t, "from by the options only", err, "StartingFrom")
	_, err = constant(S6, 9).Set("from.mode=weights", "from.checkpoint=abc")
	wantError(t, "half a sum", err, "64 hexadecimal digits")
}

// TestOldExperimentsKeepTheirHash: fields added since do not show in
// experiments that leave them out. The sums were taken before they were added.
func TestOldExperimentsKeepTheirHash(t *testing.T) {
	for name, want := range map[task.Name]string{
		task.SelectiveCopying: "d4219031b955038c5891f892656712777005d46e7426d1815552dfa3db88450c",
		task.Induction:        "b671f696f7927fc083a5cbf8bab4d8a55df88d5e74c040cc45bad95f2ed42f86",
		task.GoSource:         "19e697429aacd6fdda9c43809f4f72dbd6122ac1475849e1c1ba64a7901ae7e3",
	} {
		e := DefaultExperiment(name)
		e.From.Redraw = []string{} // as an empty list in JSON
		if got := e.Hash(); got != want {
			t.Errorf("%s: %s, want %s: %s", name, got, want, e.JSON())
		}
	}
}

func TestChildRoundTrips(t *testing.T) {
	parent := mustRun(t, constant(S6, 8), Options{})
	e, err := mustStart(t, constant(S6, 9), parent.Checkpoint, Continue).Set("from.mode=weights", "from.redraw=head,embedding", "accumulate=2", "stop.target=0.5")
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseExperiment(e.JSON())
	if err != nil || again.Hash() != e.Hash() || !slices.Equal(again.From.Redraw, []string{"head", "embedding"}) || math.Abs(again.Stop.Target-0.5) > 0 {
		t.Errorf("%s, %v", again.JSON(), err)
	}
	if _, err := Load(mustRun(t, e, Options{From: parent.Checkpoint}).Checkpoint); err != nil {
		t.Errorf("a child's checkpoint: %v", err)
	}
}

// TestCustomChild: a mixer of one's own goes on like any other, and another
// version of it is refused.
func TestCustomChild(t *testing.T) {
	long := tinyLeaky()
	long.Schedule.Kind, long.Schedule.WarmUp, long.Steps = "constant", 0, 16
	long = bound(t, long, newLeaky)
	short := long
	short.Steps = 8
	want, parent := mustRun(t, long, Options{NewMixer: newLeaky}), mustRun(t, short, Options{NewMixer: newLeaky})
	e := mustStart(t, long, parent.Checkpoint, Continue)
	child := mustRun(t, e, Options{From: parent.Checkpoint, NewMixer: newLeaky})
	sameState(t, "leaky", mustDecode(t, want.Checkpoint), mustDecode(t, child.Checkpoint))
	other := mustRun(t, constant(S6, 8), Options{})
	e = mustStart(t, long, other.Checkpoint, Continue)
	_, err := Run(context.Background(), e, Options{From: other.Checkpoint, NewMixer: newLeaky})
	wantError(t, "the checkpoint of another model", err, "is not in the checkpoint")
}
