package lab

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/gophersnake/gophersnake/pkg/task"
)

func TestStopObserves(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		what   string
		stop   Stop
		values []float64
		at     int // index of the value that stops, -1 for none
		why    string
	}{
		{"accuracy comes to its target", Stop{Metric: "valid/accuracy", Target: 0.9}, []float64{0.1, 0.89, 0.9}, 2, "0.9 has come to 0.9"},
		{"loss comes to its target", Stop{Metric: "valid/loss", Target: 0.5}, []float64{2, 0.51, 0.4}, 2, "has come to 0.5"},
		{"no target is no target of 0", Stop{Metric: "valid/accuracy", Patience: 3}, []float64{0, 0, 0}, -1, ""},
		{"an improvement begins the count anew", Stop{Metric: "valid/loss", Patience: 2}, []float64{3, 3, 2, 2, 1, 1}, -1, ""},
		{"equal is no improvement", Stop{Metric: "valid/loss", Patience: 2}, []float64{3, 2, 2, 2}, 3, "not improved on 2 in 2"},
		{"less than min_delta is none", Stop{Metric: "valid/loss", Patience: 2, MinDelta: 0.5}, []float64{3, 2.6, 2.51}, 2, "not improved on 3"},
		{"NaN is none, and never the best", Stop{Metric: "valid/loss", Patience: 2}, []float64{nan, 3, nan, 2, nan, nan}, 5, "not improved on 2"},
		{"NaN only", Stop{Metric: "valid/loss", Patience: 2}, []float64{nan, nan}, 1, "was no number in 2"},
	} {
		var w stopState
		got, why := -1, ""
		for i, v := range c.values {
			if why = w.observe(c.stop, v); why != "" {
				got = i
				break
			}
		}
		if got != c.at || !strings.Contains(why, c.why) {
			t.Errorf("%s: stopped at value %d (%s), want %d (%s)", c.what, got, why, c.at, c.why)
		}
	}
}

// stopping returns an experiment that ends at step 12: no improvement is ever as
// large as min_delta.
func stopping() Experiment {
	e := constant(S6, 40)
	e.Stop = Stop{Metric: "valid/loss", Patience: 2, MinDelta: 100}
	e.LogEvery = 5 // step 12 logs no loss of its own
	return e
}

func TestStopsEarly(t *testing.T) {
	e := stopping()
	rec := newMemoryRun()
	r := mustRun(t, e, Options{Recorder: rec})
	if r.Status != Finished || rec.status != Finished || r.Steps != 12 {
		t.Fatalf("%v, recorded as %s, want finished after 12", r, rec.status)
	}
	if !strings.HasPrefix(r.Why, "stopped early at step 12: valid/loss has not improved on") || rec.tags["stopped_at_step"] != "12" {
		t.Errorf("why %q, tags %v", r.Why, rec.tags)
	}
	if !strings.HasPrefix(r.String(), "finished early after 12 of 40 steps") {
		t.Errorf("%s", r)
	}
	if c := rec.curves["test/loss"]; len(c.Steps) != 1 || c.Steps[0] != 12 {
		t.Errorf("test loss at %v, want once at step 12", c.Steps)
	}
	report, err := Replay(context.Background(), e, &PastRun{Curves: rec.curves}, Options{})
	if err != nil || !report.Equal() {
		t.Errorf("replay: %v, %v", report, err)
	}
	p := PastRun{Status: Finished, Curves: rec.curves}
	if found, err := p.result(Arm{Experiment: e}, e); err != nil || found.Steps != 12 {
		t.Errorf("found again: %v, %v", found, err)
	}
}

// TestStopResumes: the evaluations without improvement before an interruption
// count, and a run that had stopped does not train on.
func TestStopResumes(t *testing.T) {
	e := stopping()
	whole := mustRun(t, e, Options{})
	ctx, cancel := context.WithCancel(context.Background())
	rec := newMemoryRun()
	rec.onLog = func(key string, step int64) {
		if key == "valid/loss" && step == 8 {
			cancel()
		}
	}
	if _, err := Run(ctx, e, Options{Recorder: rec}); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	rest := mustRun(t, e, Options{Resume: rec.artifacts[CheckpointArtifact]})
	rest.prepend(&PastRun{Curves: rec.curves})
	sameCurves(t, "interrupted", whole.Curves, rest.Curves)
	again := mustRun(t, e, Options{Resume: whole.Checkpoint})
	if again.Steps != 12 || again.Why != whole.Why || string(again.Checkpoint) != string(whole.Checkpoint) {
		t.Errorf("from its last checkpoint: %v (%s)", again, again.Why)
	}
	if again.Final["test/loss"] != whole.Final["test/loss"] {
		t.Error("the test loss is another one")
	}
}

// TestStoppedRunGoesOn: a child of a run that stopped is not stopped by what
// stopped its parent.
func TestStoppedRunGoesOn(t *testing.T) {
	parent := mustRun(t, stopping(), Options{})
	child := mustRun(t, mustStart(t, stopping(), parent.Checkpoint, Continue), Options{From: parent.Checkpoint})
	if child.Steps != 24 { // evaluations at 16, 20 and 24: the first is its best
		t.Errorf("%v, want after 24", child)
	}
}

// TestNoStopAtTheLastStep: a target that is met with the last step ends nothing
// early.
func TestNoStopAtTheLastStep(t *testing.T) {
	e := stopping()
	e.Steps, e.Stop = 4, Stop{Metric: "valid/loss", Target: 1000}
	if r := mustRun(t, e, Options{}); r.Why != "" || r.Steps != 4 {
		t.Errorf("%v (%s)", r, r.Why)
	}
}

func TestStopRefuses(t *testing.T) {
	for assignment, want := range map[string]string{
		"stop.metric=test/loss":    `stop.metric is "test/loss", want one of ["valid/loss" "valid/accuracy"]`,
		"stop.patience=3":          `stop.metric is ""`,
		"stop.metric=valid/loss":   "want one of them",
		"stop.min_delta=1":         "a stop.patience that it is for",
		"stop.target=1.5":          `stop.metric is ""`,
		"accumulate=1":             "accumulate is 1, want 0 for one batch a step, or 2 to",
		"accumulate=-2":            "accumulate is -2",
		"stop.patience=9999999999": "stop.patience is 9999999999",
	} {
		_, err := DefaultExperiment(task.Induction).Set(assignment)
		wantError(t, assignment, err, want)
	}
	_, err := DefaultExperiment(task.Induction).Set("stop.metric=valid/accuracy", "stop.target=99")
	wantError(t, "per cent", err, "want an accuracy")
}
