package task

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// textFile writes a text of n bytes, the same for the same n, and returns its path.
func textFile(t testing.TB, n int) string {
	t.Helper()
	var s strings.Builder
	for i := 0; s.Len() < n; i++ {
		s.WriteString("line of the sample text number ")
		s.WriteString(strings.Repeat("i", i%7))
		s.WriteByte('\n')
	}
	return writeFile(t, filepath.Join(t.TempDir(), "sample.txt"), s.String()[:n])
}

func writeFile(t testing.TB, path, content string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// prose returns n bytes of lines of words that no other seed gives.
func prose(seed uint64, n int) string {
	rng := rand.New(rand.NewPCG(seed, 0))
	var s strings.Builder
	for s.Len() < n {
		for range 2 + rng.IntN(8) {
			s.WriteByte(byte('a' + rng.IntN(26)))
		}
		s.WriteByte(" \n"[rng.IntN(8)/7])
	}
	return s.String()[:n]
}

// goTree writes a GOROOT with n source files in src and things that go-source must leave out.
func goTree(t testing.TB, n int) string {
	t.Helper()
	root := t.TempDir()
	for i := range n {
		name := "p" + string(rune('a'+i%26)) + "/f" + strings.Repeat("x", i/26) + ".go"
		writeFile(t, filepath.Join(root, "src", name), "package p // "+name+"\n"+prose(uint64(i), 300))
	}
	writeFile(t, filepath.Join(root, "VERSION"), "go9.99\ntime 2026\n")
	writeFile(t, filepath.Join(root, "src", "pa", "testdata", "no.go"), "LEFTOUT")
	writeFile(t, filepath.Join(root, "src", "cmd", "go", "no.go"), "LEFTOUT")
	writeFile(t, filepath.Join(root, "src", "pa", "no.s"), "LEFTOUT")
	writeFile(t, filepath.Join(root, "no.go"), "LEFTOUT")
	return root
}

// small returns a config of the task that needs nothing from outside.
func small(t testing.TB, name Name) Config {
	t.Helper()
	c := DefaultConfig(name)
	switch name {
	case GoSource:
		c.Path = goTree(t, 200)
		c.Length = 16
	case Text:
		c.Path = textFile(t, 40_000)
	}
	return c
}

// smallNames are the tasks that small can serve: all but the two files that nobody has at hand.
func smallNames() []Name {
	return slices.DeleteFunc(Names(), func(n Name) bool { return n == Text8 || n == Enwik8 })
}

func mustNew(t testing.TB, c Config, seed uint64) Task {
	t.Helper()
	x, err := New(c, seed)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// sequences calls f with every sequence of n training batches.
func sequences(t testing.TB, x Task, n int, f func(tokens, targets []int32)) {
	t.Helper()
	calls := 0
	for step := range n {
		b := x.Train(step)
		for row := range b.B {
			f(b.Tokens[row*b.L:(row+1)*b.L], b.Targets[row*b.L:(row+1)*b.L])
			calls++
		}
	}
	if calls == 0 {
		t.Fatal("no sequence was checked")
	}
}

// scoredAt returns the positions of the scored targets.
func scoredAt(targets []int32) []int {
	var at []int
	for i, y := range targets {
		if y != Ignore {
			at = append(at, i)
		}
	}
	return at
}

// testUniform checks counts against equal chances by a χ² test at five standard deviations of χ² (its mean is the
// number of degrees of freedom f and its variance 2f).
func testUniform(t *testing.T, name string, counts map[int32]int, lo, hi int32) {
	t.Helper()
	total := 0
	for v, n := range counts {
		if v < lo || v > hi {
			t.Errorf("%s: %d outside %d…%d", name, v, lo, hi)
		}
		total += n
	}
	testChi2(t, name, counts, lo, hi, func(int32) float64 { return float64(total) / float64(hi-lo+1) })
}

func testChi2(t *testing.T, name string, counts map[int32]int, lo, hi int32, want func(int32) float64) {
	t.Helper()
	chi2, free := 0.0, float64(hi-lo)
	for v := lo; v <= hi; v++ {
		d := float64(counts[v]) - want(v)
		chi2 += d * d / want(v)
	}
	if limit := free + 5*math.Sqrt(2*free); !(chi2 <= limit) {
		t.Errorf("%s: χ² = %.1f, want <= %.1f", name, chi2, limit)
	}
}
