package main

import (
	"bytes"
	"context"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gophersnake/gophersnake/tracker"
	"github.com/gophersnake/gophersnake/tracker/archive"
)

// export makes a history and returns its archive.
func export(t *testing.T, seed string) (text []byte, statuses map[tracker.Status]int) {
	t.Helper()
	db := filepath.Join(t.TempDir(), "synth.db")
	if err := run([]string{"-db", db, "-runs", "200", "-points", "40", "-seed", seed}, io.Discard); err != nil {
		t.Fatal(err)
	}
	s, err := tracker.Open(db)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var b bytes.Buffer
	report, err := archive.ExportJSONL(context.Background(), s, &b, archive.ExportOptions{})
	if err != nil || report.Runs != 200 || report.Points < 6000 || report.Points > 8000 {
		t.Fatalf("%+v, %v", report, err)
	}
	runs, err := s.Runs(context.Background(), tracker.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	statuses = map[tracker.Status]int{}
	arms := map[string]int{}
	for _, r := range runs {
		statuses[r.Status]++
		arms[r.ArmSHA256]++
	}
	for _, n := range arms {
		if n%seedsPerArm != 0 {
			t.Errorf("an arm has %d runs", n)
		}
	}
	return b.Bytes(), statuses
}

func TestSameSeedSameHistory(t *testing.T) {
	first, statuses := export(t, "1")
	for _, s := range []tracker.Status{"finished", "diverged", "crashed", "interrupted", "failed"} {
		if statuses[s] == 0 {
			t.Errorf("no run is %s", s)
		}
	}
	if !bytes.Contains(first, []byte(`"NaN"`)) {
		t.Error("no NaN")
	}
	if again, _ := export(t, "1"); !bytes.Equal(first, again) {
		t.Error("the same seed gave another history")
	}
	if other, _ := export(t, "2"); bytes.Equal(first, other) {
		t.Error("another seed gave the same history")
	}
}

func TestArguments(t *testing.T) {
	err := run([]string{"-runs", "0"}, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "-runs 0") {
		t.Errorf("error %v", err)
	}
}
