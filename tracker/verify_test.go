package tracker

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestVerifySound(t *testing.T) {
	s := openTest(t)
	r := startRun(t, s, RunConfig{Name: "live"})
	train(t, r, 0, 30)
	must(t, r.LogText("t", 1, "x"))
	done := startRun(t, s, RunConfig{})
	must(t, done.LogContext("eval", "loss", 3, 1e300))
	must(t, done.LogContext("eval", "loss", 3, 1e300))
	must(t, done.Finish(StatusFinished))
	must(t, s.Flush(ctx))
	stages := map[string]bool{}
	v, err := s.Verify(ctx, func(p Progress) { stages[p.Stage] = true })
	must(t, err)
	if !v.OK() || len(v.Warnings) != 0 || v.Runs != 2 || v.Points == 0 || v.Objects == 0 || v.Commits == 0 ||
		len(v.Journals) != 1 || !v.Journals[0].Live || v.Journals[0].Run != r.ID() || v.Artifacts.Blobs == 0 {
		t.Errorf("%s%+v", v, v)
	}
	if len(stages) != 4 {
		t.Errorf("stages %v", stages)
	}
	wantText(t, errors.New(v.String()), "no problems")
}

// TestVerifyFinds: each kind of damage is a problem that names its place, and a report of damage is no error.
func TestVerifyFinds(t *testing.T) {
	path := testPath(t)
	s := openAt(t, path)
	r := startRun(t, s, RunConfig{Name: "r"})
	for step := range int64(10) {
		must(t, r.Log("loss", step, float64(step)))
		must(t, r.Log("other", step, float64(step)))
	}
	a, err := r.LogArtifactBytes("a", []byte("content a"))
	must(t, err)
	b, err := r.LogArtifactBytes("b", []byte("content b"))
	must(t, err)
	c, err := r.LogArtifactBytes("c", []byte("content c"))
	must(t, err)
	must(t, r.Finish(StatusFinished))
	exec := func(query string) {
		t.Helper()
		must(t, s.write(ctx, func(tx *writeTx) error { _, err := tx.exec(query); return err }))
	}
	for _, query := range []string{
		"UPDATE latest SET max_value = 11 WHERE key_id = (SELECT id FROM keys WHERE name = 'loss')",
		"DELETE FROM artifacts WHERE name = 'c'",
	} {
		exec(query)
	}
	_, err = s.wconn.ExecContext(ctx, "PRAGMA foreign_keys = OFF")
	must(t, err)
	exec("INSERT INTO points (series_id, step, ts_ms, seq, value) VALUES (4711, 1, 1, 0, 1)")
	must(t, os.Remove(a.Path))
	must(t, os.Chmod(b.Path, 0o644))
	must(t, os.WriteFile(b.Path, []byte("content ?"), 0o644))
	stray := filepath.Join(s.paths.artifacts, "stray")
	must(t, os.WriteFile(stray, nil, 0o644))
	v, err := s.Verify(ctx, nil)
	must(t, err)
	if len(v.Problems()) != 4 || v.OK() {
		t.Errorf("problems %q", v.Problems())
	}
	for _, text := range []string{"run " + r.ID() + ": the summaries of loss do not fit", "1 rows of points refer to rows missing from series",
		a.SHA256 + " of an artifact is missing", b.SHA256 + " of an artifact is damaged"} {
		wantText(t, errors.New(v.String()), text)
	}
	if v.Artifacts.Unreferenced != 1 || v.Artifacts.UnreferencedBytes != c.Size || len(v.Artifacts.Strays) != 1 || v.Artifacts.Strays[0] != stray {
		t.Errorf("%+v", v.Artifacts)
	}
}

// TestVerifyJournals: a reader sees what a dead run's journal still holds, and what of it is damaged.
func TestVerifyJournals(t *testing.T) {
	path := testPath(t)
	id, file := journaled(t, path, 20)
	reader := openAt(t, path, WithReadOnly())
	v, err := reader.Verify(ctx, nil)
	must(t, err)
	if !v.OK() || len(v.Journals) != 1 || v.Journals[0] != (JournalCheck{Run: id, Frames: 20, Values: 20, Waiting: 20}) {
		t.Errorf("%+v", v.Journals)
	}
	data, err := os.ReadFile(file)
	must(t, err)
	data[len(data)/2] ^= 4
	must(t, os.WriteFile(file, data[:len(data)-2], 0o644))
	v, err = reader.Verify(ctx, nil)
	must(t, err)
	if c := v.Journals[0]; v.OK() || c.Frames != 18 || c.Missing != 2 || c.DamagedBytes == 0 {
		t.Errorf("%+v", c)
	}
	must(t, openAt(t, path).Close())
	v, err = reader.Verify(ctx, nil)
	must(t, err)
	if !v.OK() || len(v.Journals) != 0 || len(v.Warnings) != 1 {
		t.Errorf("after the replay: %s", v)
	}
}
