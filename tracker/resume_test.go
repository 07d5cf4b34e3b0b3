package tracker

import (
	"context"
	"math"
	"strings"
	"testing"
	"time"
)

var errDeadline = context.DeadlineExceeded

func wantText(t *testing.T, err error, text string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), text) {
		t.Errorf("error %v does not name %q", err, text)
	}
}

// train logs what a training with a checkpoint every 10 steps would.
func train(t *testing.T, r *Run, from, to int64) {
	t.Helper()
	for step := from; step < to; step++ {
		v := 1 / float64(step+1)
		if step == 33 {
			v = math.NaN()
		}
		must(t, r.Log("loss", step, v))
		if step%7 == 0 {
			must(t, r.LogContext("eval", "loss", step, 2*v))
			must(t, r.LogText("sample", step, strings.Repeat("x", int(step))))
		}
		if step%10 == 9 {
			_, err := r.AddArtifact(ArtifactSpec{Name: "checkpoint", Data: []byte{byte(step)}, Step: step, HasStep: true})
			must(t, err)
		}
		if step == 45 {
			must(t, r.Log("late", step, 1))
		}
	}
}

// TestResumeEqualsUninterrupted: killed at step 47, resumed from the checkpoint of step 29, the run holds what an
// uninterrupted one does.
func TestResumeEqualsUninterrupted(t *testing.T) {
	path := testPath(t)
	s := openAt(t, path)
	whole := startRun(t, s, RunConfig{Name: "whole"})
	train(t, whole, 0, 60)
	must(t, whole.Finish(StatusFinished))

	broken := startRun(t, s, RunConfig{Name: "broken"})
	train(t, broken, 0, 47)
	crashStore(s)

	s = openAt(t, path)
	resumed, err := s.ResumeRun("broken")
	must(t, err)
	if resumed.ID() != broken.ID() {
		t.Fatal("another run was resumed")
	}
	n, err := resumed.TruncateAfter(29)
	must(t, err)
	if want := int64(17 + 2*2 + 1); n != want { // loss 30–46, eval and sample at 35 and 42, late at 45
		t.Errorf("%d values deleted, want %d", n, want)
	}
	info, err := s.Run(ctx, "broken")
	must(t, err)
	if info.LastStep != 29 || info.Status != StatusRunning || info.Resumes != 1 {
		t.Errorf("after truncation %+v", info)
	}
	train(t, resumed, 30, 60)
	must(t, resumed.Finish(StatusFinished))
	got, want := strings.Split(dump(t, s, "broken"), "\n"), strings.Split(dump(t, s, "whole"), "\n")
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Fatalf("line %d: resumed and uninterrupted differ:\n%.2000q\n%.2000q", i, got[i:], want[i:])
		}
	}
	events, err := s.Events(ctx, "broken")
	must(t, err)
	var kinds []string
	for _, e := range events {
		kinds = append(kinds, e.Kind)
	}
	if got := strings.Join(kinds, " "); !strings.HasSuffix(got, "crashed resumed truncated finished") {
		t.Errorf("events %s", got)
	}
}

// TestTruncateAll and re-logging the same metric through the same handle.
func TestTruncateAll(t *testing.T) {
	s := openTest(t)
	r := startRun(t, s, RunConfig{})
	must(t, r.Log("x", 5, 1))
	n, err := r.TruncateAfter(-1)
	must(t, err)
	info, err := s.Run(ctx, r.ID())
	must(t, err)
	if n != 1 || info.LastStep != -1 {
		t.Errorf("%d deleted, last step %d", n, info.LastStep)
	}
	if latest, err := s.Latest(ctx, r.ID()); err != nil || len(latest) != 0 {
		t.Errorf("latest %v %v", latest, err)
	}
	must(t, r.LogSync("x", 0, 2))
	if got := values(history(t, s, r.ID(), "x", "")); len(got) != 1 || got[0] != 2 {
		t.Errorf("history %v", got)
	}
}

// TestResumeReplays: resuming brings the journal of the dead process in, also when nobody reopened the store.
func TestResumeReplays(t *testing.T) {
	path := testPath(t)
	s := openAt(t, path)
	id, _ := journaled(t, path, 20) // dies after s was opened
	r, err := s.ResumeRun(id)
	must(t, err)
	for step := range int64(20) {
		must(t, r.Log("x", 20+step, 0))
	}
	must(t, r.Finish(StatusFinished))
	if got := history(t, s, id, "x", ""); len(got) != 40 {
		t.Errorf("%d values, want 40", len(got))
	}
}

func TestResumeActive(t *testing.T) {
	path := testPath(t)
	s := openAt(t, path)
	r := startRun(t, s, RunConfig{Name: "busy"})
	_, err := s.ResumeRun("busy")
	wantError(t, err, ErrRunActive, "busy", "process", "wait for it")
	_, err = openAt(t, path).ResumeRun("busy")
	wantError(t, err, ErrRunActive)
	must(t, r.Finish(StatusFinished))
	again, err := s.ResumeRun("busy")
	must(t, err)
	must(t, again.Log("x", 1, 1))
	wantError(t, r.Log("x", 1, 1), ErrRunOver)
	must(t, s.DeleteRun(ctx, "busy"))
	must(t, again.Finish(StatusFinished))
	_, err = s.ResumeRun(again.ID())
	wantError(t, err, ErrInvalid, "deleted", "restore")
}

// TestStale: without a journal (a copied database) the process and the heartbeat decide.
func TestStale(t *testing.T) {
	path := testPath(t)
	clock := newFakeClock()
	s := openAt(t, path, WithClock(clock.now))
	r := startRun(t, s, RunConfig{Name: "r"})
	must(t, r.LogSync("x", 3, 1))
	r.mu.Lock()
	must(t, removeSegments(r.journal.paths)) // the lock is on files without a name now
	r.mu.Unlock()
	reader := openAt(t, path, WithReadOnly(), WithClock(clock.now))
	if got := statusOf(t, reader, "r"); got != StatusRunning {
		t.Errorf("fresh heartbeat of a living process: %s", got)
	}
	clock.move(time.Minute)
	if got := statusOf(t, reader, "r"); got != StatusCrashed {
		t.Errorf("stale heartbeat: %s", got)
	}
	// The run is alive after all: its next heartbeat brings the status back.
	if runs, err := s.Runs(ctx, Filter{Statuses: []Status{StatusCrashed}}); err != nil || len(runs) != 1 {
		t.Errorf("marked: %v %v", runs, err)
	}
	must(t, s.commitPending(true))
	var stored string
	must(t, s.rdb.QueryRow("SELECT status FROM runs").Scan(&stored))
	if stored != "running" {
		t.Errorf("after the heartbeat the stored status is %s", stored)
	}
	must(t, s.change("test", func(tx *writeTx) error {
		_, err := tx.exec("UPDATE heartbeats SET beat_ms = ?, pid = 999999999, process_start = ?", clock.now().UnixMilli(),
			strings.TrimRight(s.self.start, "0123456789")+"1")
		return err
	}))
	if got := statusOf(t, reader, "r"); got != StatusCrashed {
		t.Errorf("process gone: %s", got)
	}
}
