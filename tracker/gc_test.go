package tracker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestGC: a dry run says what the real one does, and that removes it for good, and nothing else.
func TestGC(t *testing.T) {
	path := testPath(t)
	clock := newFakeClock()
	clock.t = time.Now()
	s := openAt(t, path, WithClock(clock.now))
	var gone, kept Artifact
	ids := map[string]string{}
	for i, name := range []string{"kept", "gone", "recent"} {
		r := startRun(t, s, RunConfig{Name: name, Seed: int64(i), Config: fmt.Appendf(nil, `{"i":%d}`, i)})
		ids[name] = r.ID()
		for step := range int64(500) {
			must(t, r.Log("loss", step, 1))
		}
		must(t, r.LogText("note", 1, "text"))
		_, err := r.LogArtifactBytes("shared", []byte("shared content"))
		must(t, err)
		a, err := r.LogArtifactBytes("own", []byte("content of "+name))
		must(t, err)
		if name == "gone" {
			gone = a
		} else if name == "kept" {
			kept = a
		}
		must(t, r.Finish(StatusFinished))
	}
	must(t, s.DeleteRun(ctx, "gone"))
	clock.move(48 * time.Hour)
	must(t, s.DeleteRun(ctx, "recent"))
	aside := filepath.Join(s.paths.journal, "abcdefghjk.0.damaged-20200101T000000.000Z")
	must(t, os.WriteFile(aside, []byte("evidence"), 0o644))
	stray := filepath.Join(s.paths.artifacts, "incoming-1")
	must(t, os.WriteFile(stray, nil, 0o644))
	backup := path + ".backup-v1-20200101T000000.000Z"
	must(t, os.WriteFile(backup, nil, 0o644))

	opts := GCOptions{DryRun: true, OlderThan: 24 * time.Hour}
	dry, err := s.GC(ctx, opts)
	must(t, err)
	if _, err := os.Stat(gone.Path); err != nil || statusOf(t, s, ids["gone"]) != StatusFinished {
		t.Fatal("a dry run removed something")
	}
	opts.DryRun = false
	r, err := s.GC(ctx, opts)
	must(t, err)
	for name, got := range map[string]GCReport{"dry": dry, "real": r} {
		if len(got.Runs) != 1 || got.Runs[0].Name != "gone" || got.Values != 501 || got.Blobs != 1 || got.BlobBytes != gone.Size ||
			len(got.Files) != 2 || got.FileBytes != 8 || len(got.Skipped) != 0 {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if _, err := s.Run(ctx, ids["gone"]); !errors.Is(err, ErrNotFound) {
		t.Errorf("the run is still there: %v", err)
	}
	for _, p := range []string{gone.Path, aside, stray} {
		if _, err := os.Stat(p); err == nil {
			t.Errorf("%s is still there", p)
		}
	}
	for _, p := range []string{kept.Path, backup} {
		if _, err := os.Stat(p); err != nil {
			t.Error(err)
		}
	}
	must(t, s.RestoreRun(ctx, ids["recent"]))
	for _, name := range []string{"kept", "recent"} {
		if n := len(history(t, s, name, "loss", "")); n != 500 {
			t.Errorf("%s has %d values", name, n)
		}
		if _, err := s.ReadArtifact(ctx, name, "shared"); err != nil {
			t.Error(err)
		}
	}
	v, err := s.Verify(ctx, nil)
	must(t, err)
	if !v.OK() || v.Runs != 2 || v.Points != 1000 || v.Artifacts.Unreferenced != 0 {
		t.Errorf("%s", v)
	}
	if n, err := s.strings(ctx, "SELECT json FROM configs"); err != nil || len(n) != 2 {
		t.Errorf("configs %q, %v", n, err)
	}
	r, err = s.GC(ctx, GCOptions{Backups: true})
	must(t, err)
	if len(r.Files) != 1 || r.Files[0] != backup {
		t.Errorf("backups: %+v", r)
	}
}

// TestGCCompact: the file shrinks, and the store goes on.
func TestGCCompact(t *testing.T) {
	s := openTest(t)
	r := startRun(t, s, RunConfig{Name: "big"})
	fillRun(t, r, 50_000)
	must(t, r.Finish(StatusFinished))
	live := startRun(t, s, RunConfig{Name: "live"})
	must(t, s.DeleteRun(ctx, "big"))
	rep, err := s.GC(ctx, GCOptions{Compact: true})
	must(t, err)
	if rep.BytesAfter*4 > rep.BytesBefore || rep.BytesBefore < 1<<20 || rep.BytesAfter != fileSize(s.Path()) || live.Name() != "live" {
		t.Errorf("from %d to %d bytes", rep.BytesBefore, rep.BytesAfter)
	}
	must(t, live.LogSync("x", 1, 1))
	must(t, s.Close())
	s = openAt(t, s.Path())
	if rec := s.Recovered(); len(rec) != 0 {
		t.Errorf("recovered %v", rec)
	}
}

func fillRun(t *testing.T, r *Run, n int) {
	t.Helper()
	points := make([]Point, n)
	for i := range points {
		points[i] = Point{Key: "x", Step: int64(i), Value: float64(i)}
	}
	must(t, r.LogBatch(points))
	must(t, r.Flush())
}

// TestGCLive: a deleted run that is being logged to is left.
func TestGCLive(t *testing.T) {
	s := openTest(t)
	r := startRun(t, s, RunConfig{Name: "live"})
	must(t, s.DeleteRun(ctx, "live"))
	rep, err := s.GC(ctx, GCOptions{})
	must(t, err)
	if len(rep.Runs) != 0 || len(rep.Skipped) != 1 {
		t.Errorf("%+v", rep)
	}
	wantText(t, errors.New(rep.String()), r.ID())
	must(t, r.LogSync("x", 1, 1))
	_, err = s.GC(ctx, GCOptions{OlderThan: -1})
	wantError(t, err, ErrInvalid, "OlderThan")
	_, err = openAt(t, s.Path(), WithReadOnly()).GC(ctx, GCOptions{})
	wantError(t, err, ErrReadOnly)
}

// TestGCStops: what an interrupted collection left, the next one removes.
func TestGCStops(t *testing.T) {
	s := openTest(t)
	for i := range 4 {
		r := startRun(t, s, RunConfig{Name: fmt.Sprint("r", i)})
		_, err := r.LogArtifactBytes("own", fmt.Append(nil, "content ", i))
		must(t, err)
		must(t, r.Finish(StatusFinished))
		must(t, s.DeleteRun(ctx, r.ID()))
	}
	for _, stage := range []string{"runs", "artifacts"} {
		stopped, cancel := context.WithCancel(ctx)
		_, err := s.GC(stopped, GCOptions{Progress: func(p Progress) {
			if p.Stage == stage && p.Done == 2 {
				cancel()
			}
		}})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", stage, err)
		}
		v, err := s.Verify(ctx, nil)
		must(t, err)
		if !v.OK() || v.Artifacts.Blobs == 0 {
			t.Errorf("stopped in %s:\n%s", stage, v)
		}
	}
	_, err := s.GC(ctx, GCOptions{})
	must(t, err)
	v, err := s.Verify(ctx, nil)
	must(t, err)
	if !v.OK() || v.Runs != 0 || v.Artifacts.Blobs != 0 || countFiles(t, s.paths.artifacts) != 0 {
		t.Errorf("%s", v)
	}
}

// TestArtifactMeetsGC: a content that GC removes just before a run refers to it is stored again.
func TestArtifactMeetsGC(t *testing.T) {
	s := openTest(t)
	old := startRun(t, s, RunConfig{Name: "old"})
	a, err := old.LogArtifactBytes("x", []byte("the same content"))
	must(t, err)
	must(t, old.Finish(StatusFinished))
	must(t, s.DeleteRun(ctx, "old"))
	r := startRun(t, s, RunConfig{Name: "new"})
	if _, err := r.storeContent(ArtifactSpec{Name: "x", Data: []byte("the same content")}); err != nil {
		t.Fatal(err)
	}
	_, err = s.GC(ctx, GCOptions{})
	must(t, err)
	err = s.change("test", func(tx *writeTx) error { return tx.insertArtifacts(r.RowID(), []Artifact{a}) })
	if !errors.Is(err, errContentGone) {
		t.Fatalf("got %v", err)
	}
	_, err = r.LogArtifactBytes("x", []byte("the same content"))
	must(t, err)
	if _, err := s.ReadArtifact(ctx, "new", "x"); err != nil {
		t.Error(err)
	}
}
