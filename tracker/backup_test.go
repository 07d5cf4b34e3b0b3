package tracker

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestBackup(t *testing.T) {
	s := openTest(t)
	r := startRun(t, s, RunConfig{Name: "kept", Config: []byte(`{"lr":0.1}`)})
	for step := range int64(1000) {
		must(t, r.Log("loss", step, 1/float64(step+1)))
	}
	a, err := r.LogArtifactBytes("model", []byte("weights"))
	must(t, err)
	must(t, r.Log("loss", 1000, 0.5)) // waiting: Backup commits it first
	var stages []string
	target := filepath.Join(t.TempDir(), "copy.db")
	report, err := s.Backup(ctx, target, BackupOptions{Artifacts: true, Progress: func(p Progress) { stages = append(stages, p.Stage) }})
	must(t, err)
	if report.Path != target || report.Runs != 1 || report.Points != 1001 || report.Artifacts != 1 || report.ArtifactBytes != 7 ||
		report.Bytes != fileSize(target) || len(report.Problems) != 0 || len(stages) != 3 {
		t.Errorf("report %+v, stages %q", report, stages)
	}
	entries, err := os.ReadDir(filepath.Dir(target))
	must(t, err)
	if len(entries) != 2 {
		t.Errorf("the backup left %v", entries)
	}
	copied := openAt(t, target)
	if got := len(history(t, copied, "kept", "loss", "")); got != 1001 {
		t.Errorf("the copy has %d values", got)
	}
	if data, err := copied.ReadArtifact(ctx, "kept", "model"); err != nil || string(data) != "weights" {
		t.Errorf("artifact %q, %v", data, err)
	}
	verify, err := copied.Verify(ctx, nil)
	must(t, err)
	if !verify.OK() {
		t.Error(verify)
	}
	_, err = s.Backup(ctx, target, BackupOptions{})
	wantError(t, err, ErrInvalid, target, "exists already")
	_, err = s.Backup(ctx, s.Path(), BackupOptions{})
	wantError(t, err, ErrInvalid, "exists already")
	_, err = s.Backup(ctx, filepath.Join(t.TempDir(), "no", "x.db"), BackupOptions{})
	wantError(t, err, os.ErrNotExist)
	_, err = s.Backup(ctx, "", BackupOptions{})
	wantError(t, err, ErrInvalid, "path is empty")

	// A damaged content is a problem, and the rest is saved.
	must(t, os.Chmod(a.Path, 0o644))
	must(t, os.WriteFile(a.Path, []byte("weight?"), 0o644))
	report, err = s.Backup(ctx, target+"2", BackupOptions{Artifacts: true})
	must(t, err)
	if len(report.Problems) != 1 || report.Artifacts != 0 {
		t.Errorf("report %+v", report)
	}
}

// TestBackupReadOnly: who may only read can make a backup.
func TestBackupReadOnly(t *testing.T) {
	s := openTest(t)
	must(t, startRun(t, s, RunConfig{}).LogSync("x", 1, 1))
	reader := openAt(t, s.Path(), WithReadOnly())
	report, err := reader.Backup(ctx, filepath.Join(t.TempDir(), "b.db"), BackupOptions{})
	must(t, err)
	if report.Points != 1 {
		t.Errorf("%+v", report)
	}
}

// TestBackupStops: a cancelled backup leaves nothing behind.
func TestBackupStops(t *testing.T) {
	s := openTest(t)
	must(t, startRun(t, s, RunConfig{}).LogSync("x", 1, 1))
	stopped, cancel := context.WithCancel(ctx)
	dir := t.TempDir()
	_, err := s.Backup(stopped, filepath.Join(dir, "b.db"), BackupOptions{Artifacts: true, Progress: func(Progress) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("left %v", entries)
	}
}
