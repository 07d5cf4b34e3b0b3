package logbook

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/gophersnake/gophersnake/pkg/lab"
	"github.com/gophersnake/gophersnake/tracker"
)

// startChild opens a run that starts from another.
func startChild(t *testing.T, b *Book, e lab.Experiment, parent string) *Recorder {
	t.Helper()
	spec := specOf(e)
	spec.Parent = parent
	rec, err := b.Start(spec)
	if err != nil {
		t.Fatal(err)
	}
	return rec.(*Recorder)
}

// family carries out a run and a child that continues it.
func family(t *testing.T) (s *tracker.Store, parent string, result *lab.Result, child string, e lab.Experiment) {
	t.Helper()
	s, b := newStore(t)
	e = tiny(lab.S6)
	parent, result = carryOut(t, b, e)
	e.Steps = 20
	e, err := e.StartingFrom(result.Checkpoint, lab.Continue)
	if err != nil {
		t.Fatal(err)
	}
	rec := startChild(t, b, e, parent)
	if _, err := lab.Run(context.Background(), e, lab.Options{Recorder: rec, From: result.Checkpoint}); err != nil {
		t.Fatal(err)
	}
	return s, parent, result, rec.ID(), e
}

func TestOrigin(t *testing.T) {
	ctx := context.Background()
	s, parent, result, child, e := family(t)
	info, err := s.Run(ctx, child)
	if err != nil || info.Parent != parent {
		t.Errorf("parent %q, want %q: %v", info.Parent, parent, err)
	}
	if data, run, err := Origin(ctx, s, e); err != nil || run != parent || string(data) != string(result.Checkpoint) {
		t.Errorf("%d bytes of run %s, want those of its parent %s: %v", len(data), run, parent, err)
	}
	if data, run, err := Origin(ctx, s, tiny(lab.S6)); data != nil || run != "" || err != nil {
		t.Errorf("fresh weights start from %d bytes of %q, %v", len(data), run, err)
	}
	other, _ := newStore(t)
	if _, _, err := Origin(ctx, other, e); !errors.Is(err, tracker.ErrNotFound) {
		t.Errorf("in another database: %v", err)
	}
}

// TestOriginIsTheChilds: its own copy serves when the parent is gone for good, and
// what is wrong with it is told.
func TestOriginIsTheChilds(t *testing.T) {
	ctx := context.Background()
	s, parent, result, child, e := family(t)
	if err := s.DeleteRun(ctx, parent); err != nil {
		t.Fatal(err)
	}
	if _, err := s.GC(ctx, tracker.GCOptions{}); err != nil {
		t.Fatal(err)
	}
	if data, run, err := Origin(ctx, s, e); err != nil || run != child || len(data) == 0 {
		t.Errorf("without the parent: %d bytes of %q, %v", len(data), run, err)
	}
	path := originPath(t, s, child)
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, result.Checkpoint[:100], 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Origin(ctx, s, e); !errors.Is(err, tracker.ErrCorrupt) || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("damaged: %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Origin(ctx, s, e); !errors.Is(err, tracker.ErrCorrupt) || !strings.Contains(err.Error(), "missing") {
		t.Errorf("missing: %v", err)
	}
}

// originPath is the file that holds what a run started from.
func originPath(t *testing.T, s *tracker.Store, run string) string {
	t.Helper()
	artifacts, err := s.Artifacts(context.Background(), run)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range artifacts {
		if a.Name == lab.OriginArtifact {
			return a.Path
		}
	}
	t.Fatal("the run holds no copy of what it started from")
	return ""
}

// TestStudyFromACheckpoint: a study finds what its arms start from in the book,
// which records the runs as children.
func TestStudyFromACheckpoint(t *testing.T) {
	ctx := context.Background()
	s, b := newStore(t)
	e := tiny(lab.S6)
	parent, result := carryOut(t, b, e)
	e, err := e.StartingFrom(result.Checkpoint, lab.FromWeights)
	if err != nil {
		t.Fatal(err)
	}
	c := lab.SweepConfig{Name: "s", Arm: lab.Arm{Name: "a", Experiment: e}, Seeds: []uint64{1, 2}}
	r, err := lab.RunSweep(ctx, c, lab.StudyOptions{Book: b})
	if err != nil {
		t.Fatal(err)
	}
	children, err := s.Runs(ctx, tracker.Filter{Parent: parent})
	if err != nil || len(children) != 2 {
		t.Errorf("%d children, want 2: %v", len(children), err)
	}
	alone, err := lab.Run(ctx, e, lab.Options{From: result.Checkpoint})
	if err != nil || alone.Final["test/loss"] != r.Arms[0].Runs[0].Final["test/loss"] {
		t.Errorf("test loss %g in the study, %g alone: %v", r.Arms[0].Runs[0].Final["test/loss"], alone.Final["test/loss"], err)
	}

	other, empty := newStore(t)
	_, err = lab.RunSweep(ctx, c, lab.StudyOptions{Book: empty})
	if !errors.Is(err, tracker.ErrNotFound) {
		t.Errorf("in another database: %v", err)
	}
	if runs, err := other.Runs(ctx, tracker.Filter{}); err != nil || len(runs) != 0 {
		t.Errorf("%d runs were begun without a checkpoint to start from, %v", len(runs), err)
	}
}
