package task

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
)

// leaks counts, by comparing strings, the windows of an evaluated split that hold 64 bytes of the training text, and the
// windows in all.
func leaks(x Task, split string) (bad, all int) {
	training := x.(*textTask).corpus.splits[train]
	owners := map[string][]int{} // 64 bytes → the windows that hold them
	var begins [1 << 20]bool     // whether 64 bytes may begin with 8 of this hash: most need no look-up
	hash := func(s []byte) uint64 { return binary.LittleEndian.Uint64(s) * 0x9e3779b97f4a7c15 >> 44 }
	for i := 0; ; i++ {
		b, ok := x.Eval(split, i)
		if !ok {
			break
		}
		for row := range b.B {
			w := append(asBytes(b.Tokens[row*b.L:(row+1)*b.L]), byte(b.Targets[(row+1)*b.L-1]))
			for ; len(w) >= 64; w = w[1:] {
				owners[string(w[:64])] = append(owners[string(w[:64])], all)
				begins[hash(w)] = true
			}
			all++
		}
	}
	leaking := map[int]bool{}
	for ; len(training) >= 64; training = training[1:] {
		if begins[hash(training)] {
			for _, w := range owners[string(training[:64])] {
				leaking[w] = true
			}
			delete(owners, string(training[:64])) // they are known
		}
	}
	return len(leaking), all
}

// The ladder's windows of Go's own sources, by brute force: none of them may hold 64 bytes that stand in training.
func TestGoSourceDoesNotLeak(t *testing.T) {
	cfg := DefaultConfig(GoSource)
	cfg.Length, cfg.Batch, cfg.EvalBatches = 128, 8, 16
	cfg.EvalLengths = []int{100, 300}
	x, err := New(cfg, 1)
	if err != nil {
		t.Skipf("no Go source tree here: %v", err) // a toolchain always has one; a bare test binary may not
	}
	for _, split := range x.Spec().Splits {
		if bad, all := leaks(x, split); bad != 0 || all != 128 {
			t.Errorf("%s: %d of %d windows hold 64 bytes of the training text, want 0 of 128", split, bad, all)
		}
	}
	// What is left out are licences and idioms; more than a fifth would mean that families are torn apart. The split by
	// the path that came before had to leave out about a third.
	for _, o := range []SplitOverlap{ManifestOf(x).Overlap.Valid, ManifestOf(x).Overlap.Test} {
		if o.Part > 0.2 || o.Part == 0 || o.Scored != 0 || o.LeftOut == 0 || o.Whole > 0.05 || o.Bytes64 > 0.15 {
			t.Errorf("overlap is %+v", o)
		}
	}
}

// copiedTree writes a tree in which files are copies of each other, whole, in part, with other line ends, changed here and
// there, glued together, and a licence stands in all. Returned is where.
func copiedTree(t *testing.T, seed uint64, n int) string {
	rng := rand.New(rand.NewPCG(seed, 1))
	licence := prose(99, 400)
	texts := make([]string, n)
	root := t.TempDir()
	for i := range texts {
		s := prose(seed*1000+uint64(i), 200+rng.IntN(3000))
		if i > 0 {
			other := texts[rng.IntN(i)]
			switch rng.IntN(8) {
			case 0:
				s = other
			case 1:
				s = strings.ReplaceAll(other, "\n", "\r\n")
			case 2:
				s = s[:100] + other[len(other)/3:]
			case 3:
				s = strings.ReplaceAll(other, "zq", "qz")
			case 4:
				s += other[:64+rng.IntN(64)] + s[:50]
			}
		}
		texts[i] = s
		name := fmt.Sprintf("d%d/%s.go", rng.IntN(9), strings.Repeat("x", 1+i/26)+string(rune('a'+i%26)))
		writeFile(t, filepath.Join(root, "src", name), licence+s)
	}
	return root
}

func TestCopiesDoNotLeak(t *testing.T) {
	for seed := range uint64(6) {
		root := copiedTree(t, seed, 300)
		for _, cfg := range []Config{{Name: GoSource, Path: root}, {Name: Text, Path: root}} {
			cfg.Length, cfg.Batch, cfg.EvalBatches, cfg.EvalLengths = 100, 8, 50, []int{63, 64, 200}
			x := mustNew(t, cfg, 1)
			m := ManifestOf(x)
			if m.Split != ByFamily || m.Overlap.Test.LeftOut == 0 {
				t.Fatalf("%v was not split by families, or nothing was left out: this test tries nothing", m)
			}
			if m.Overlap.Test.Part > 0.6 { // the licence is a fifth of the text
				t.Errorf("%s: %.0f %% of the test windows are left out", cfg.Name, 100*m.Overlap.Test.Part)
			}
			for _, split := range x.Spec().Splits {
				if bad, all := leaks(x, split); bad != 0 || all == 0 {
					t.Errorf("%s %d, %s: %d of %d windows hold 64 bytes of the training text", cfg.Name, seed, split, bad, all)
				}
			}
		}
	}
}

// One file is cut, so all of its windows are evaluated; then the measured overlap must be that of brute force, or a little
// more, since 48 bytes may be enough.
func TestMeasuredOverlap(t *testing.T) {
	unique := prose(1, 300_000)
	half := []byte(unique)
	for at := 270_000; at+300 < len(half); at += 600 { // every other 300 bytes of valid and test stand in training
		copy(half[at:at+300], unique[at-200_000:])
	}
	for name, c := range map[string]struct {
		text   string
		lo, hi float64 // of the share of 64-byte windows
	}{
		"none":       {unique, 0, 0},
		"all":        {strings.Repeat(unique[:20_000], 10), 1, 1},
		"half":       {string(half), 0.35, 0.55},
		"repetitive": {strings.Repeat("0x00, ", 50_000), 1, 1},
	} {
		cfg := Config{Name: Text, Path: writeFile(t, filepath.Join(t.TempDir(), "x"), c.text), Length: 128, Batch: 8, EvalBatches: 1000}
		x := mustNew(t, cfg, 1)
		o := ManifestOf(x).Overlap
		for split, got := range map[string]SplitOverlap{"valid": o.Valid, "test": o.Test} {
			bad, all := leaks(x, split)
			want := float64(bad) / float64(all)
			if got.Windows != all || got.LeftOut != 0 || got.Part != got.Scored || got.Part < want || got.Part > 1.15*want {
				t.Errorf("%s, %s: overlap is %+v, by brute force %d of %d", name, split, got, bad, all)
			}
			if got.Bytes64 < c.lo || got.Bytes64 > c.hi || got.Whole > got.Part || c.lo == 1 && got.Whole != 1 {
				t.Errorf("%s, %s: overlap is %+v, want Bytes64 %g to %g", name, split, got, c.lo, c.hi)
			}
		}
		warned := strings.Contains(strings.Join(ManifestOf(x).Lines(), "\n"), "warning: ")
		if warned != (c.hi > 0) {
			t.Errorf("%s: a warning is given: %v\n%s", name, warned, strings.Join(ManifestOf(x).Lines(), "\n"))
		}
	}
}

// Every run of 64 shared bytes is found, wherever it starts on either side, and a window is held by it only if it has all
// of it; one byte less on either side may be found or not, but 47 bytes are not.
func TestSharedRunsAreFoundAnywhere(t *testing.T) {
	run := prose(1, 64)
	for at := range 40 {
		for n, want := range map[int]bool{64: true, 47: false} {
			data := []byte(strings.Repeat("~", 100+at) + run[:n] + strings.Repeat("!", 100))
			_, g := sharedGrams([]byte(prose(2, 50+3*at)+run[:n]+prose(3, 77)), nil, data)
			if got := g.held(0, len(data)); got != want {
				t.Errorf("a run of %d bytes at %d is found: %v", n, 100+at, got)
			}
			if want && !g.held(100+at, 100+at+64) {
				t.Errorf("the window that is the run at %d is not held", 100+at)
			}
			if g.held(0, 100) || g.held(100+at+n, len(data)) {
				t.Errorf("a window beside the run at %d is held", 100+at)
			}
			if want && !g.held(100+at+20, 100+at+30) {
				t.Errorf("10 bytes within the run at %d do not touch it", 100+at)
			}
		}
	}
}
