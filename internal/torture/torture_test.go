package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// TestMain is also the entry of the children.
func TestMain(m *testing.M) {
	if spec := os.Getenv(childVariable); spec != "" {
		os.Exit(childMain(spec))
	}
	os.Exit(m.Run())
}

// TestTorture is a short round: every mode at least twice.
func TestTorture(t *testing.T) {
	trials := "20"
	if testing.Short() {
		trials = "6"
	}
	var out, errs bytes.Buffer
	if code := run([]string{"-trials", trials, "-seed", "3", "-dir", t.TempDir(), "-processes", "3"}, &out, &errs); code != 0 {
		t.Fatalf("exit status %d\n%s%s", code, out.String(), errs.String())
	}
	t.Log(out.String())
	if strings.Contains(out.String(), " 0 acknowledged values") || !strings.Contains(out.String(), "0 failures") {
		t.Error("nothing was compared")
	}
}

// TestLoad: several processes write at once without an error.
func TestLoad(t *testing.T) {
	var out, errs bytes.Buffer
	if code := run([]string{"-load", "1s", "-processes", "3"}, &out, &errs); code != 0 {
		t.Fatalf("exit status %d\n%s%s", code, out.String(), errs.String())
	}
	if !strings.Contains(out.String(), "30000 rows") {
		t.Error(out.String())
	}
}
