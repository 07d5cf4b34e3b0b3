package logbook

import (
	"context"
	"errors"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/gophersnake/gophersnake/pkg/lab"
	"github.com/gophersnake/gophersnake/tracker"
)

// sameValues fails the test unless both hold the same values at the same steps.
func sameValues(t *testing.T, what string, want, got map[string]lab.Curve) {
	t.Helper()
	n := 0
	for key, a := range want {
		b := got[key]
		if key == lab.KeySpeed {
			continue // depends on the machine
		}
		if !slices.Equal(a.Steps, b.Steps) {
			t.Errorf("%s: %s: steps %v, want %v", what, key, b.Steps, a.Steps)
			continue
		}
		for i, v := range a.Values {
			if w := b.Values[i]; w != v && !(math.IsNaN(v) && math.IsNaN(w)) {
				t.Errorf("%s: %s at step %d: %v, want %v", what, key, a.Steps[i], w, v)
			}
			n++
		}
	}
	if n == 0 || len(want) != len(got) {
		t.Errorf("%s: %d values compared, %d and %d metrics", what, n, len(want), len(got))
	}
}

func TestFindFinishedRun(t *testing.T) {
	store, book := newStore(t)
	e := tiny(lab.S6)
	if p, err := book.Find(specOf(e)); p != nil || err != nil {
		t.Fatalf("an empty store holds %v, %v", p, err)
	}
	carryOut(t, book, e)
	id, r := carryOut(t, book, e)
	p, err := book.Find(specOf(e))
	if err != nil || p == nil || p.ID != id || p.Status != lab.Finished {
		t.Fatalf("found %+v, %v, want the newer run %s", p, err, id)
	}
	sameValues(t, "found", r.Curves, p.Curves)
	if len(r.Checkpoint) == 0 || !slices.Equal(p.Checkpoint, r.Checkpoint) {
		t.Errorf("%d bytes of weights, want the %d that the run left", len(p.Checkpoint), len(r.Checkpoint))
	}
	if p.Final["test/accuracy"] != r.Final["test/accuracy"] {
		t.Errorf("final values %v, want %v", p.Final, r.Final)
	}
	for what, change := range map[string]func(*lab.RunSpec){
		"hash":       func(s *lab.RunSpec) { s.Hash = "other" },
		"group":      func(s *lab.RunSpec) { s.Group = "other" },
		"experiment": func(s *lab.RunSpec) { s.Experiment = "other" },
	} {
		spec := specOf(e)
		change(&spec)
		if p, err := book.Find(spec); p != nil || err != nil {
			t.Errorf("another %s: found %v, %v", what, p, err)
		}
	}
	env, err := store.Environment(context.Background(), id)
	if err != nil || env["extra.device"] != "cpu" || env["extra.kernels"] == "" || env["go.version"] == "" {
		t.Errorf("environment %v, %v", env, err)
	}
}

func TestDivergedRunKeepsItsEvidence(t *testing.T) {
	store, book := newStore(t)
	e := diverging()
	id, r := carryOut(t, book, e)
	if r.Status != lab.Diverged {
		t.Fatalf("the run has %s", r.Status)
	}
	p, err := book.Find(specOf(e))
	if err != nil || p == nil || p.Status != lab.Diverged {
		t.Fatalf("found %v, %v", p, err)
	}
	sameValues(t, "diverged", r.Curves, p.Curves)
	info, err := store.Run(context.Background(), id)
	if err != nil || !strings.HasPrefix(info.StatusDetail, "diverged at step ") {
		t.Errorf("detail %q, %v", info.StatusDetail, err)
	}
	report, err := lab.Replay(context.Background(), e, p, lab.Options{})
	if err != nil || !report.Equal() {
		t.Errorf("replay: %v, %v", report, err)
	}
}

func TestResumeDropsWhatIsLaterThanTheCheckpoint(t *testing.T) {
	store, book := newStore(t)
	e := tiny(lab.S6)
	_, want := carryOut(t, book, e)
	spec := specOf(e)
	spec.Group = "again"
	rec, err := book.Start(spec)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	if _, err := lab.Run(ctx, e, lab.Options{Recorder: rec, Progress: func(p lab.Progress) {
		if p.Step == 7 {
			cancel()
		}
	}}); !errors.Is(err, context.Canceled) {
		t.Fatalf("interrupted run: %v", err)
	}
	late, err := store.ResumeRun(rec.(*Recorder).ID()) // a point that the checkpoint does not know of
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(late.Log(lab.KeyTrainLoss, 9, 99), late.Finish(tracker.StatusInterrupted)); err != nil {
		t.Fatal(err)
	}
	past, err := book.Find(spec)
	if err != nil || past == nil {
		t.Fatalf("found %v, %v", past, err)
	}
	if checkpoint, err := lab.DecodeCheckpoint(past.Checkpoint); err != nil || checkpoint.Step != 7 {
		t.Fatalf("checkpoint %+v, %v", checkpoint, err)
	}
	again, err := book.Resume(past, 7)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lab.Run(context.Background(), e, lab.Options{Recorder: again, Resume: past.Checkpoint}); err != nil {
		t.Fatal(err)
	}
	got, _, err := Past(context.Background(), store, past.ID)
	if err != nil || got.Status != lab.Finished {
		t.Fatalf("after resumption: %v, %v", got, err)
	}
	sameValues(t, "resumed", want.Curves, got.Curves)
}

func TestDamagedCheckpointIsNoted(t *testing.T) {
	store, book := newStore(t)
	e := tiny(lab.S6)
	id := interruptAt(t, book, e, 5)
	artifacts, err := store.Artifacts(context.Background(), id)
	artifacts = slices.DeleteFunc(artifacts, func(a tracker.Artifact) bool { return a.Name != lab.CheckpointArtifact })
	if err != nil || len(artifacts) != 1 || artifacts[0].Kind != "checkpoint" {
		t.Fatalf("artifacts %v, %v", artifacts, err)
	}
	if err := os.Chmod(artifacts[0].Path, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(artifacts[0].Path, []byte("garbage"), 0o644); err != nil {
		t.Fatal(err)
	}
	if p, err := book.Find(specOf(e)); p != nil || err != nil {
		t.Errorf("found %v, %v", p, err)
	}
	if notes := book.Notes(); len(notes) != 1 || !strings.Contains(notes[0], id) {
		t.Errorf("notes %q", notes)
	}
	p, _, err := Past(context.Background(), store, id)
	if !errors.Is(err, tracker.ErrCorrupt) || p == nil || len(p.Curves) == 0 {
		t.Errorf("Past returns %v, %v", p, err)
	}
}

// TestFinishedRunWithDamagedWeights: what was logged counts, and a note says
// what is lost.
func TestFinishedRunWithDamagedWeights(t *testing.T) {
	store, book := newStore(t)
	e := tiny(lab.S6)
	id, r := carryOut(t, book, e)
	artifacts, err := store.Artifacts(context.Background(), id)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range artifacts {
		if err := errors.Join(os.Chmod(a.Path, 0o644), os.WriteFile(a.Path, []byte("garbage"), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	p, err := book.Find(specOf(e))
	if err != nil || p == nil || p.Checkpoint != nil {
		t.Fatalf("found %v, %v, want the run without weights", p, err)
	}
	sameValues(t, "found", r.Curves, p.Curves)
	if notes := strings.Join(book.Notes(), "\n"); !strings.Contains(notes, id) || !strings.Contains(notes, "without its weights") {
		t.Errorf("notes %q", notes)
	}
}

func TestPastWantsAnExperiment(t *testing.T) {
	store, _ := newStore(t)
	run, err := store.StartRun(tracker.RunConfig{Experiment: "mine", Name: "own", Config: []byte(`{"depth":3}`)})
	if err != nil {
		t.Fatal(err)
	}
	if err := Record(run).End(lab.Finished, ""); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Past(context.Background(), store, "own"); err == nil || !strings.Contains(err.Error(), "no experiment") {
		t.Errorf("got %v", err)
	}
	if _, _, err := Past(context.Background(), store, "oen"); !errors.Is(err, tracker.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

func TestCollection(t *testing.T) {
	store, _ := newStore(t)
	ctx := context.Background()
	for _, want := range []struct {
		fresh bool
		name  string
	}{{true, "a"}, {false, "a"}, {true, "a.2"}, {false, "a.2"}, {true, "a.3"}, {false, "a.3"}} {
		got, err := Collection(ctx, store, "a", want.fresh)
		if err != nil || got != want.name {
			t.Fatalf("fresh %t: %q, %v, want %q", want.fresh, got, err, want.name)
		}
		run, err := store.StartRun(tracker.RunConfig{Experiment: got})
		if err != nil {
			t.Fatal(err)
		}
		if err := run.Finish(tracker.StatusFinished); err != nil {
			t.Fatal(err)
		}
	}
	if got, _ := Collection(ctx, store, "a.x", false); got != "a.x" {
		t.Errorf("another collection is %q", got)
	}
}

func TestDifferences(t *testing.T) {
	got := Differences(
		map[string]string{"go.version": "go1.26.0", "command.args": "x", "gone": "1", "same": "s"},
		map[string]string{"go.version": "go1.26.1", "command.args": "y", "new": "2", "same": "s", "host": "h"})
	want := []Difference{{"go.version", "go1.26.0", "go1.26.1"}, {"gone", "1", ""}, {"new", "", "2"}}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if s := got[1].String(); s != "gone: 1 → (none)" {
		t.Errorf("String: %q", s)
	}
}

func TestReuseOfOtherEnvironmentsIsNoted(t *testing.T) {
	_, book := newStore(t)
	e := tiny(lab.S6)
	carryOut(t, book, e)
	if _, err := book.Find(specOf(e)); err != nil {
		t.Fatal(err)
	}
	if notes := book.Notes(); len(notes) != 0 {
		t.Errorf("the same environment: notes %q", notes)
	}
	book.env.GoVersion = "go9.99"
	if _, err := book.Find(specOf(e)); err != nil {
		t.Fatal(err)
	}
	if notes := book.Notes(); len(notes) != 1 || !strings.Contains(notes[0], "go.version (1)") {
		t.Errorf("notes %q", notes)
	}
}
