package tracker

import (
	"errors"
	"sync"
	"testing"
)

// TestSnapshot: what is read through it is of one moment, and the store goes on beside it.
func TestSnapshot(t *testing.T) {
	s := openTest(t)
	r := startRun(t, s, RunConfig{Name: "one"})
	must(t, r.LogSync("loss", 1, 0.5))
	reading, end, err := s.Snapshot(ctx)
	must(t, err)
	before, err := s.History(reading, "one", "loss", "")
	must(t, err)
	must(t, r.LogSync("loss", 2, 0.25))
	again, err := s.History(reading, "one", "loss", "")
	must(t, err)
	now, err := s.History(ctx, "one", "loss", "")
	must(t, err)
	if len(before) != 1 || len(again) != 1 || len(now) != 2 {
		t.Errorf("%d values, then %d, beside it %d; want 1, 1, 2", len(before), len(again), len(now))
	}
	end()
	if _, err := s.History(reading, "one", "loss", ""); err == nil {
		t.Error("a snapshot that has ended can be read")
	}
	must(t, s.Close())
	if _, _, err := s.Snapshot(ctx); !errors.Is(err, ErrClosed) {
		t.Errorf("of a closed store: %v", err)
	}
}

// TestStatementsFromManyGoroutines is for the race detector: all want the same statements at once.
func TestStatementsFromManyGoroutines(t *testing.T) {
	s := openTest(t)
	must(t, startRun(t, s, RunConfig{Name: "one", Tags: map[string]string{"a": "b"}}).Finish(StatusFinished))
	var work sync.WaitGroup
	for range 8 {
		work.Go(func() {
			for range 20 {
				rec, err := s.RunRecord(ctx, "one")
				if err != nil || rec.Tags["a"] != "b" {
					t.Errorf("%+v, %v", rec, err)
				}
			}
		})
	}
	work.Wait()
}

func TestHasRun(t *testing.T) {
	s := openTest(t)
	r := startRun(t, s, RunConfig{Name: "one"})
	must(t, r.Finish(StatusFinished))
	must(t, s.DeleteRun(ctx, r.ID()))
	for id, want := range map[string]bool{r.ID(): true, r.ID()[:5]: false, "one": false, "": false} {
		if got, err := s.HasRun(ctx, id); err != nil || got != want {
			t.Errorf("HasRun(%q) = %v, %v, want %v", id, got, err, want)
		}
	}
}
