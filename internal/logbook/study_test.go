package logbook

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/gophersnake/gophersnake/pkg/lab"
	"github.com/gophersnake/gophersnake/tracker"
)

func tinyStudy() lab.StudyConfig {
	return lab.StudyConfig{Name: "tiny", LRs: []float64{1e-3, 1e-2}, TuneSeeds: []uint64{9}, TuneSteps: 6, Seeds: []uint64{1, 2},
		Arms: []lab.Arm{{Name: "mamba", Experiment: tiny(lab.S6)}, {Name: "gru", Experiment: tiny(lab.GRU)}}}
}

// values returns everything that the finished runs of a store hold, by name.
func values(t *testing.T, s *tracker.Store) map[string]map[string]lab.Curve {
	t.Helper()
	runs, err := s.Runs(context.Background(), tracker.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]map[string]lab.Curve{}
	for _, r := range runs {
		p, _, err := Past(context.Background(), s, r.ID)
		if err != nil || r.Status != tracker.StatusFinished {
			t.Fatalf("run %s: %s, %v", r.Name, r.Status, err)
		}
		if out[r.Name] != nil {
			t.Errorf("there are two runs %s", r.Name)
		}
		out[r.Name] = p.Curves
	}
	return out
}

// TestInterruptedStudyEqualsUninterrupted stops a study again and again, after
// ever more steps, opens the database anew each time, and compares what is in
// the end there with a study that was left alone.
func TestInterruptedStudyEqualsUninterrupted(t *testing.T) {
	whole, book := newStore(t)
	want, err := lab.RunStudy(context.Background(), tinyStudy(), lab.StudyOptions{Book: book, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "x.db")
	var got *lab.StudyResult
	var last *tracker.Store
	attempts := 0
	for got == nil {
		if attempts++; attempts > 100 {
			t.Fatal("the study makes no headway")
		}
		got, last = attempt(t, path, 7)
	}
	if attempts < 4 {
		t.Errorf("%d attempts: the study was hardly interrupted", attempts)
	}
	a, b := values(t, whole), values(t, last)
	if len(a) != 8 || len(b) != len(a) {
		t.Fatalf("%d and %d runs, want 8", len(a), len(b))
	}
	for name := range a {
		sameValues(t, name, a[name], b[name])
	}
	for i, arm := range want.Arms {
		if got.Arms[i].LR != arm.LR {
			t.Errorf("%s: learning rate %g, want %g", arm.Name, got.Arms[i].LR, arm.LR)
		}
		for k, r := range arm.Runs {
			sameValues(t, fmt.Sprintf("result of %s, run %d", arm.Name, k), r.Curves, got.Arms[i].Runs[k].Curves)
		}
	}
	if a, b := untimed(want), untimed(got); a != b {
		t.Errorf("tables differ:\n%s\n%s", a, b)
	}
}

// untimed is a study's table without the speed.
func untimed(r *lab.StudyResult) string {
	t := r.Table()
	for i := range t.Rows {
		t.Rows[i] = t.Rows[i][:len(t.Rows[i])-1]
	}
	return t.CSV()
}

// attempt goes on with the study and stops it after some steps; the result is
// nil if it was stopped.
func attempt(t *testing.T, path string, steps int) (*lab.StudyResult, *tracker.Store) {
	t.Helper()
	store, book := open(t, path)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	r, err := lab.RunStudy(ctx, tinyStudy(), lab.StudyOptions{Book: book, Workers: 2, Progress: func(e lab.StudyEvent) {
		if !e.Done {
			if steps--; steps == 0 {
				cancel()
			}
		}
	}})
	if errors.Is(err, context.Canceled) {
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
		return nil, nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return r, store
}
