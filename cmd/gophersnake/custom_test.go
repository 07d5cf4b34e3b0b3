package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gophersnake/gophersnake/internal/logbook"
	"github.com/gophersnake/gophersnake/pkg/lab"
	"github.com/gophersnake/gophersnake/pkg/nn"
	"github.com/gophersnake/gophersnake/pkg/task"
	"github.com/gophersnake/gophersnake/tracker"
)

// TestRunsOfACustomMixer: the command line has no constructor for a mixer from a
// notebook. It says so, and leaves the database as it was.
func TestRunsOfACustomMixer(t *testing.T) {
	db := filepath.Join(t.TempDir(), "x.db")
	e := lab.DefaultExperiment(task.Copying)
	e.Steps, e.EvalEvery, e.Task.EvalBatches = 3, 3, 1
	e.Model.Mixer = lab.CustomMixer("mine", nil)
	finished, interrupted := customRun(t, db, e, 0), customRun(t, db, e, 1)
	file := filepath.Join(t.TempDir(), "e.json")
	if err := os.WriteFile(file, e.JSON(), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"replay", finished}, {"generate", finished}, {"run", file}, {"run", "--resume", interrupted},
		{"run", "--from", finished, "--set", "steps=9"}, {"run", file, "--seeds", "2"}} {
		var out, problems bytes.Buffer
		app := &App{Name: "gophersnake", In: strings.NewReader(""), Out: &out, Err: &problems}
		code := app.Main(context.Background(), append(args, "--db", db, "-q"))
		want := `uses the mixer "mine", which is defined in a notebook or a program`
		if code == 0 || !strings.Contains(problems.String(), want) {
			t.Errorf("%s: exit code %d, said %q, want %q", args[0], code, problems.String(), want)
		}
	}
	for command, want := range map[string]string{
		"replay":   "\n  past, e, err := book.Past(%q)\n  report, err := lab.Replay(ctx, e, past, lab.Options{NewMixer: newMixer})\n",
		"generate": "\n  past, _, err := book.Past(%q)\n  err = lab.Generate(ctx, past.Checkpoint, lab.GenerateOptions{NewMixer: newMixer, Prompt: prompt, Tokens: 100}, each)\n",
	} {
		var problems bytes.Buffer
		(&App{Name: "gophersnake", Out: &bytes.Buffer{}, Err: &problems}).Main(context.Background(), []string{command, finished, "--db", db, "-q"})
		if want = fmt.Sprintf("  book, err := nb.Open(%q)"+want, db, finished); !strings.Contains(problems.String(), want) {
			t.Errorf("%s said %q, want the Go that does it: %q", command, &problems, want)
		}
	}
	store, err := tracker.Open(db)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	runs, err := store.Runs(context.Background(), tracker.Filter{})
	if err != nil || len(runs) != 2 || runs[0].Status != tracker.StatusInterrupted || runs[1].Status != tracker.StatusFinished {
		t.Errorf("the database has %+v, %v, want the two runs as they were", runs, err)
	}
}

// customRun trains e in the database, up to a step if that is not 0, and returns
// the run's id.
func customRun(t *testing.T, db string, e lab.Experiment, until int) string {
	t.Helper()
	store, err := tracker.Open(db)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	book, err := logbook.New(context.Background(), store)
	if err != nil {
		t.Fatal(err)
	}
	rec, err := book.Start(lab.RunSpec{Experiment: "own", Name: "own", Config: e.JSON(), Hash: e.Hash(), Seed: e.Seed})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	o := lab.Options{Recorder: rec, Progress: func(p lab.Progress) {
		if p.Step == until {
			cancel()
		}
	}}
	o.NewMixer = func(*nn.Builder, int, lab.MixerConfig) (nn.Mixer, error) { return nn.Identity{}, nil }
	if _, err := lab.Run(ctx, e, o); err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	return rec.(*logbook.Recorder).ID()
}
