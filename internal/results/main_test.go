package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const root = "../.."

// TestReadmeMatchesResults fails when the README's numbers are not those of the
// stored results.
func TestReadmeMatchesResults(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	want, err := section(filepath.Join(root, "docs", "results", "ladder.json"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), begin+"\n")
	got, _, ok := strings.Cut(rest, end)
	if !ok {
		t.Fatalf("README.md lacks the marks %q … %q", begin, end)
	}
	if got != want {
		t.Errorf("README.md differs from docs/results/ladder.json; run `make results`.\nREADME:\n%s\nresults:\n%s", got, want)
	}
	if strings.Count(want, "±") < 10 {
		t.Errorf("the table has %d numbers", strings.Count(want, "±"))
	}
}

func TestSplice(t *testing.T) {
	out, err := splice("a "+begin+"\nold\n"+end+" b", "new\n")
	if err != nil || out != "a "+begin+"\nnew\n"+end+" b" {
		t.Errorf("%q, %v", out, err)
	}
	if _, err := splice("no marks", "x"); err == nil {
		t.Error("a README without marks is accepted")
	}
}
