package logbook

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/gophersnake/gophersnake/pkg/lab"
	"github.com/gophersnake/gophersnake/pkg/task"
	"github.com/gophersnake/gophersnake/tracker"
)

// tiny returns an experiment of a few milliseconds.
func tiny(kind lab.MixerKind) lab.Experiment {
	e := lab.DefaultExperiment(task.SelectiveCopying)
	e.Task.Length, e.Task.Memorize, e.Task.Batch, e.Task.EvalBatches = 8, 2, 4, 2
	e.Model.D, e.Model.Mixer = 8, lab.DefaultMixer(kind)
	e.Steps, e.EvalEvery, e.LogEvery = 12, 4, 1
	return e
}

// diverging returns an experiment whose loss is soon not finite.
func diverging() lab.Experiment {
	e := tiny(lab.Diagonal)
	e.Model.Mixer.Param, e.Model.Mixer.Gamma = "re_im", false
	e.Task.Length = 200
	e.Schedule.LR, e.Schedule.WarmUp, e.Optimiser.Clip, e.Optimiser.RecurrentFactor = 5, 0, 0, 1
	e.Steps = 300
	return e
}

func specOf(e lab.Experiment) lab.RunSpec {
	return lab.RunSpec{Experiment: "x", Group: "g", Name: "n", Config: e.JSON(), Hash: e.Hash(), Seed: e.Seed, Tags: map[string]string{"arm": "n"}}
}

func open(t *testing.T, path string) (*tracker.Store, *Book) {
	t.Helper()
	s, err := tracker.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	b, err := New(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	return s, b
}

func newStore(t *testing.T) (*tracker.Store, *Book) {
	return open(t, filepath.Join(t.TempDir(), "x.db"))
}

// start opens a run of e in the book.
func start(t *testing.T, b *Book, e lab.Experiment) *Recorder {
	t.Helper()
	rec, err := b.Start(specOf(e))
	if err != nil {
		t.Fatal(err)
	}
	return rec.(*Recorder)
}

// carryOut runs e into the book and returns the run's id and its result.
func carryOut(t *testing.T, b *Book, e lab.Experiment) (string, *lab.Result) {
	t.Helper()
	rec := start(t, b, e)
	r, err := lab.Run(context.Background(), e, lab.Options{Recorder: rec})
	if err != nil {
		t.Fatal(err)
	}
	return rec.ID(), r
}

// interruptAt runs e into the book and stops it after a step.
func interruptAt(t *testing.T, b *Book, e lab.Experiment, step int) string {
	t.Helper()
	rec := start(t, b, e)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	_, err := lab.Run(ctx, e, lab.Options{Recorder: rec, Progress: func(p lab.Progress) {
		if p.Step == step {
			cancel()
		}
	}})
	if err == nil {
		t.Fatal("the run was not interrupted")
	}
	return rec.ID()
}
