package lab

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gophersnake/gophersnake/pkg/task"
)

// TestTry: whatever is no number, or has a loss that is none, is a lost run.
func TestTry(t *testing.T) {
	nan := math.NaN()
	r := &StudyResult{Spec: task.Spec{Metric: task.Accuracy}}
	for _, c := range []struct {
		status      Status
		final       map[string]float64
		score, test float64
	}{
		{Finished, map[string]float64{"valid/accuracy": 0.5, "valid/loss": 1, "test/accuracy": 0.4}, 0.5, 0.4},
		{Finished, map[string]float64{"valid/accuracy": 0.5, "valid/loss": nan, "test/accuracy": 0.4}, nan, nan},
		{Diverged, map[string]float64{"valid/accuracy": 0.5, "valid/loss": 1, "test/accuracy": 0.4}, nan, nan},
		{Finished, map[string]float64{}, nan, nan},
	} {
		got := r.try(&job{lr: 2, seed: 3, result: &Result{Status: c.status, Final: c.final}})
		same := func(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }
		if got.LR != 2 || got.Seed != 3 || !same(got.Score, c.score) || !same(got.Test, c.test) {
			t.Errorf("%s %v: %+v, want %g and %g", c.status, c.final, got, c.score, c.test)
		}
	}
}

// TestGridGrowsForAllArmsAlike: while the best rate of an arm lies at the edge,
// every arm tries one more, as often as allowed; and resuming finds them all.
func TestGridGrowsForAllArmsAlike(t *testing.T) {
	book := &memory{}
	// So small rates that the larger one is always the better one.
	c := StudyConfig{Name: "s", LRs: []float64{3e-5, 1e-5}, TuneSeeds: []uint64{100, 101}, Seeds: []uint64{1}, Extend: 2}
	for _, k := range []MixerKind{Identity, S6} {
		e := tiny(k)
		e.Task.EvalBatches, e.Steps = 16, 30
		c.Arms = append(c.Arms, Arm{Name: string(k), Experiment: e})
	}
	all := 0
	o := StudyOptions{Book: book, Workers: 2, Progress: func(e StudyEvent) { all = e.All }}
	r, err := RunStudy(context.Background(), c, o)
	if err != nil {
		t.Fatal(err)
	}
	grid := r.Config.LRs
	if !slices.IsSorted(grid) || len(grid) < 3 || len(grid) > 6 {
		t.Fatalf("the grid grew to %v", grid)
	}
	for _, a := range r.Arms {
		tried := map[float64]int{}
		for _, x := range a.Tries {
			tried[x.LR]++
		}
		for _, lr := range grid {
			if tried[lr] != len(c.TuneSeeds) {
				t.Errorf("arm %s tried %g %d times, want %d as every arm", a.Name, lr, tried[lr], len(c.TuneSeeds))
			}
		}
		if tuned := r.Tuning(a); tuned.Chosen != a.LR || a.Runs[0].Experiment.Schedule.LR != a.LR {
			t.Errorf("arm %s ran at %g, chose %+v", a.Name, a.Runs[0].Experiment.Schedule.LR, tuned)
		}
	}
	if want := 2*len(grid)*2 + 2; len(book.runs) != want || all != want {
		t.Errorf("%d runs in the book, %d announced, want %d", len(book.runs), all, want)
	}
	runs := len(book.runs)
	if again, err := RunStudy(context.Background(), c, o); err != nil || len(book.runs) != runs || !slices.Equal(again.Config.LRs, grid) {
		t.Errorf("again: %d runs, grid %v, %v", len(book.runs), again.Config.LRs, err)
	}
	c.Extend = 0
	r, err = RunStudy(context.Background(), c, StudyOptions{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	if low, high := r.edges(); !low && !high || !strings.Contains(strings.Join(r.Table().Notes, " "), "† the best rate lies at the edge of the grid") {
		t.Errorf("a best rate at the edge is not flagged: %q", r.Table().Notes)
	}
}

// oneRun is a study of one run.
func oneRun() StudyConfig {
	return StudyConfig{Name: "s", LRs: []float64{1e-2}, Seeds: []uint64{1}, Arms: []Arm{{Name: "a", Experiment: tiny(S6)}}}
}

// TestStudyGoesOnAfterTheLastStep: a process that dies between the last
// checkpoint and the end of its run leaves no step to do. What was measured
// before is part of the result all the same.
func TestStudyGoesOnAfterTheLastStep(t *testing.T) {
	book := &memory{}
	whole, err := RunStudy(context.Background(), oneRun(), StudyOptions{Book: book, Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	book.runs[0].status = Interrupted
	again, err := RunStudy(context.Background(), oneRun(), StudyOptions{Book: book, Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	was, is := whole.Arms[0].Runs[0], again.Arms[0].Runs[0]
	if len(book.runs) != 1 || is.Steps != was.Steps {
		t.Errorf("%d runs, %d steps, want the one run gone on with and %d steps", len(book.runs), is.Steps, was.Steps)
	}
	sameCurves(t, "after the last step", was.Curves, is.Curves)
	for key, v := range was.Final {
		if got, ok := is.Final[key]; key != KeySpeed && (!ok || got != v) {
			t.Errorf("final %s is %v (%t), want %v", key, got, ok, v)
		}
	}
}

// TestStudySaysThatACheckpointIsDamaged: the run is done anew under a tag that
// says why.
func TestStudySaysThatACheckpointIsDamaged(t *testing.T) {
	book := &memory{}
	if _, err := RunStudy(context.Background(), oneRun(), StudyOptions{Book: book, Workers: 1}); err != nil {
		t.Fatal(err)
	}
	book.runs[0].status = Interrupted
	book.runs[0].artifacts[CheckpointArtifact][100] ^= 1
	r, err := RunStudy(context.Background(), oneRun(), StudyOptions{Book: book, Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	if len(book.runs) != 2 || r.Arms[0].Runs[0].Steps != tiny(S6).Steps {
		t.Fatalf("%d runs in the book, want the damaged one and a new one", len(book.runs))
	}
	if tag := book.runs[1].spec.Tags["begun_anew"]; !strings.Contains(tag, "SHA-256 does not match") {
		t.Errorf("the new run's tag is %q", tag)
	}
	if tag, ok := book.runs[0].spec.Tags["begun_anew"]; ok {
		t.Errorf("the first run has the tag %q", tag)
	}
}

// TestStudyTurnsAPanicIntoAnError: and the run does not stay open.
func TestStudyTurnsAPanicIntoAnError(t *testing.T) {
	book := &memory{}
	_, err := RunStudy(context.Background(), oneRun(), StudyOptions{Book: book, Workers: 2, Progress: func(e StudyEvent) {
		if e.Progress.Step == 3 {
			panic("boom")
		}
	}})
	if err == nil || !strings.Contains(err.Error(), "arm a, seed 1: panic: boom") {
		t.Errorf("error %v", err)
	}
	if len(book.runs) != 1 || book.runs[0].status != Failed {
		t.Errorf("the run's status is %q, want failed", book.runs[0].status)
	}
}

func TestStudyRefusesWhatCountsTwice(t *testing.T) {
	good := oneRun()
	for _, c := range []struct {
		want string
		edit func(c *StudyConfig)
	}{
		{"seed 3 is given twice", func(c *StudyConfig) { c.Seeds = []uint64{3, 4, 3} }},
		{"tuning seed 9 is given twice", func(c *StudyConfig) { c.TuneSeeds = []uint64{9, 9} }},
		{"learning rate 0.01 is given twice", func(c *StudyConfig) { c.LRs = []float64{1e-2, 1e-2} }},
		{"arm a is given twice", func(c *StudyConfig) { c.Arms = append(slices.Clone(c.Arms), c.Arms[0]) }},
		{"schedule.lr is NaN", func(c *StudyConfig) { c.LRs = []float64{math.NaN()} }},
		{"schedule.lr is -1", func(c *StudyConfig) { c.LRs = []float64{-1} }},
		{"extend is 9, want 0 to 8", func(c *StudyConfig) { c.Extend = 9 }},
		{"-5 tuning steps", func(c *StudyConfig) { c.TuneSteps = -5 }},
	} {
		bad := good
		c.edit(&bad)
		if err := bad.Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want one with %q", err, c.want)
		}
	}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
}
