package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gophersnake/gophersnake/pkg/lab"
)

const root = "../.."

// TestReadmeMatchesResults fails when the README's numbers are not those of the
// stored results.
func TestReadmeMatchesResults(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	want, err := section(filepath.Join(root, "docs", "results", quick))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), begin+"\n")
	got, _, ok := strings.Cut(rest, end)
	if !ok {
		t.Fatalf("README.md lacks the marks %q … %q", begin, end)
	}
	if got != want {
		t.Errorf("README.md differs from docs/results/ladder-quick.json; run `make results`.\nREADME:\n%s\nresults:\n%s", got, want)
	}
	if n := strings.Count(want, "] |"); n < 30 {
		t.Errorf("the table has %d intervals", n)
	}
}

// TestDocsFollowFromTheRecords: every table and figure of docs/results is what its
// record gives, to the last byte.
func TestDocsFollowFromTheRecords(t *testing.T) {
	docs := filepath.Join(root, "docs", "results")
	records, err := filepath.Glob(filepath.Join(docs, "ladder-*.json"))
	if err != nil || len(records) == 0 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	again := t.TempDir()
	for _, path := range records {
		rec, err := lab.ReadLadder(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := publish(rec, again); err != nil {
			t.Fatal(err)
		}
	}
	text, err := stability(docs)
	if was, rerr := os.ReadFile(filepath.Join(docs, "stability.md")); err != nil || rerr != nil || string(was) != text {
		t.Errorf("docs/results/stability.md is not what its records give (%v, %v); run `make results`", err, rerr)
	}
	files := func(dir string) []string {
		out, err := filepath.Glob(filepath.Join(dir, "ladder-*"))
		if err != nil || len(out) < 5 {
			t.Fatalf("%d files in %s, %v", len(out), dir, err)
		}
		for i, f := range out {
			out[i] = filepath.Base(f)
		}
		return out
	}
	committed, made := files(docs), files(again)
	if !slices.Equal(committed, made) {
		t.Errorf("docs/results has %v, its records give %v; run `make results`", committed, made)
	}
	for _, name := range made {
		was, err1 := os.ReadFile(filepath.Join(docs, name))
		is, err2 := os.ReadFile(filepath.Join(again, name))
		if err1 != nil || err2 != nil || !bytes.Equal(was, is) {
			t.Errorf("docs/results/%s is not what its record gives (%v, %v); run `make results`", name, err1, err2)
		}
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
