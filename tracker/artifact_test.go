package tracker

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestArtifacts(t *testing.T) {
	path := testPath(t)
	s := openAt(t, path)
	r := startRun(t, s, RunConfig{Name: "a"})
	file := filepath.Join(t.TempDir(), "plot.png")
	must(t, os.WriteFile(file, []byte("png"), 0o644))
	first, err := r.LogArtifact("plots/loss.png", file)
	must(t, err)
	if first.Version != 1 || first.Size != 3 || first.MediaType != "image/png" || first.Kind != "file" || first.HasStep {
		t.Errorf("first %+v", first)
	}
	second, err := r.LogArtifactBytes("plots/loss.png", []byte("other"))
	must(t, err)
	same, err := startRun(t, s, RunConfig{Name: "b"}).LogArtifactBytes("copy", []byte("png"))
	must(t, err)
	if second.Version != 2 || same.SHA256 != first.SHA256 || same.Path != first.Path {
		t.Errorf("second %+v, same %+v", second, same)
	}
	if n := countFiles(t, s.paths.artifacts); n != 2 {
		t.Errorf("%d contents stored, want 2", n)
	}
	list, err := r.Artifacts()
	must(t, err)
	if len(list) != 2 || list[0].SHA256 != first.SHA256 || list[1].Version != 2 || list[0].Path != first.Path {
		t.Errorf("artifacts %+v", list)
	}
	data, err := s.ReadArtifact(ctx, "a", "plots/loss.png")
	must(t, err)
	if string(data) != "other" {
		t.Errorf("newest version is %q", data)
	}
	_, err = s.ReadArtifact(ctx, "a", "plots/los.png")
	wantError(t, err, ErrNotFound, `"plots/loss.png"`)
	must(t, r.Finish(StatusFinished))
	_, err = r.LogArtifactBytes("late", nil)
	must(t, err)
}

func countFiles(t *testing.T, dir string) int {
	t.Helper()
	n := 0
	must(t, filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			n++
		}
		return err
	}))
	return n
}

// TestArtifactDamage: a damaged or missing content is found, and repaired when it is logged again.
func TestArtifactDamage(t *testing.T) {
	s := openTest(t)
	r := startRun(t, s, RunConfig{Name: "a"})
	a, err := r.LogArtifactBytes("weights", []byte("weights"))
	must(t, err)
	b, err := r.LogArtifactBytes("gone", []byte("gone"))
	must(t, err)
	problems, err := s.VerifyArtifacts(ctx)
	must(t, err)
	if len(problems) != 0 {
		t.Errorf("problems %v", problems)
	}
	must(t, os.Chmod(a.Path, 0o644))
	must(t, os.WriteFile(a.Path, []byte("weighty"), 0o644))
	must(t, os.Remove(b.Path))
	_, err = s.ReadArtifact(ctx, "a", "weights")
	wantError(t, err, ErrCorrupt, a.Path, a.SHA256)
	_, err = s.ReadArtifact(ctx, "a", "gone")
	wantError(t, err, ErrCorrupt, "missing")
	problems, err = s.VerifyArtifacts(ctx)
	must(t, err)
	if len(problems) != 2 || !errors.Is(problems[0], ErrCorrupt) || !errors.Is(problems[1], ErrCorrupt) {
		t.Errorf("problems %v", problems)
	}
	for name, data := range map[string]string{"weights": "weights", "gone": "gone"} {
		_, err = r.LogArtifactBytes(name, []byte(data))
		must(t, err)
	}
	if problems, err = s.VerifyArtifacts(ctx); err != nil || len(problems) != 0 {
		t.Errorf("after logging again: %v %v", problems, err)
	}
}

func TestArtifactNames(t *testing.T) {
	s := openTest(t)
	r := startRun(t, s, RunConfig{})
	for _, name := range []string{"", "/etc/passwd", "../x", "a/../../x", "a//b", "a/", ".", "..", `a\b`, "a\x00b", strings.Repeat("x", 501)} {
		_, err := r.LogArtifactBytes(name, nil)
		wantError(t, err, ErrInvalid, "name")
	}
	_, err := r.LogArtifact("x", filepath.Join(t.TempDir(), "none"))
	wantError(t, err, fs.ErrNotExist, "none")
	_, err = r.LogArtifact("x", t.TempDir())
	wantError(t, err, ErrInvalid, "no regular file")
	_, err = r.LogArtifact("x", s.Path())
	wantError(t, err, ErrInvalid, s.Path(), "live database", "VACUUM INTO")
	_, err = r.AddArtifact(ArtifactSpec{Name: "x", Path: "y", Data: []byte{}})
	wantError(t, err, ErrInvalid, "both Path and Data")
	if n := countFiles(t, s.paths.artifacts); n != 0 {
		t.Errorf("%d files left behind", n)
	}
}

func TestArtifactsConcurrently(t *testing.T) {
	s := openTest(t)
	r := startRun(t, s, RunConfig{})
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if _, err := r.LogArtifactBytes("same", []byte("content")); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	list, err := r.Artifacts()
	must(t, err)
	if len(list) != 8 || list[7].Version != 8 || countFiles(t, s.paths.artifacts) != 1 {
		t.Errorf("%d versions", len(list))
	}
}
