package lab

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gophersnake/gophersnake/pkg/task"
)

// TestChoose holds the choice of a learning rate: by the mean over the seeds;
// whatever is no number loses to whatever is one; the first of equals.
func TestChoose(t *testing.T) {
	nan := math.NaN()
	type score struct{ metric, loss float64 }
	for _, c := range []struct {
		name   string
		metric task.Metric
		scores [][]score // by rate, then seed; a loss of −1 stands for a diverged run
		want   float64
	}{
		{"higher accuracy", task.Accuracy, [][]score{{{0.5, 1}}, {{0.6, 2}}, {{0.4, 0}}}, 2},
		{"equal accuracy, lower loss", task.Accuracy, [][]score{{{0.5, 1}}, {{0.5, 0.9}}, {{0.5, 2}}}, 2},
		{"lower bits", task.BitsPerByte, [][]score{{{3, 2}}, {{4, 3}}, {{2, 1}}}, 3},
		{"equal", task.Accuracy, [][]score{{{0.5, 1}}, {{0.5, 1}}, {{0.5, 1}}}, 1},
		{"the first is no number", task.BitsPerByte, [][]score{{{nan, nan}}, {{4, 3}}, {{2, 1}}}, 3},
		{"an accuracy whose loss is no number", task.Accuracy, [][]score{{{0.5, nan}}, {{0.4, 1}}, {{0.1, 1}}}, 2},
		{"one diverged seed", task.Accuracy, [][]score{{{0.9, 1}, {0, -1}}, {{0.4, 1}, {0.1, 1}}, {{0.2, 1}, {0.2, 1}}}, 2},
		{"fewer diverged seeds", task.Accuracy, [][]score{{{0, -1}, {0, -1}}, {{0.4, 1}, {0, -1}}, {{0, -1}, {0, -1}}}, 2},
		{"all diverged", task.Accuracy, [][]score{{{0, -1}}, {{0, -1}}, {{0, -1}}}, 1},
	} {
		r := &StudyResult{Config: StudyConfig{LRs: []float64{1, 2, 3}}, Spec: task.Spec{Metric: c.metric}, Arms: []ArmResult{{LR: 1}}}
		var tries []*job
		for i, seeds := range c.scores {
			for seed, s := range seeds {
				run := &Result{Status: Finished, Final: map[string]float64{"valid/" + string(c.metric): s.metric, "valid/loss": s.loss}}
				if s.loss == -1 {
					run.Status = Diverged
				}
				tries = append(tries, &job{lr: r.Config.LRs[i], seed: uint64(seed), result: run})
			}
		}
		r.choose(tries)
		if r.Arms[0].LR != c.want || len(r.Arms[0].Tries) != len(tries) {
			t.Errorf("%s: chose rate %g, want %g; %d tries of %d", c.name, r.Arms[0].LR, c.want, len(r.Arms[0].Tries), len(tries))
		}
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
