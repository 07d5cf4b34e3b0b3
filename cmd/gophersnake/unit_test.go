package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/gophersnake/gophersnake/pkg/lab"
	"github.com/gophersnake/gophersnake/pkg/lab/table"
	"github.com/gophersnake/gophersnake/tracker"
	"github.com/gophersnake/gophersnake/tracker/analysis"
)

// A long array has an object a line and is the same array.
func TestPrintObjects(t *testing.T) {
	for _, n := range []int{0, 1, manyObjects - 1, manyObjects, manyObjects + 7} {
		list := make([]object, n)
		for i := range list {
			list[i] = object{"id": fmt.Sprint(i), "<": jsonNumber(math.NaN())}
		}
		var out bytes.Buffer
		a := &App{Out: &out}
		if err := a.printObjects(list); err != nil {
			t.Fatal(err)
		}
		var back []map[string]any
		if err := json.Unmarshal(out.Bytes(), &back); err != nil || len(back) != n {
			t.Fatalf("%d objects come back as %d, %v", n, len(back), err)
		}
		for i, o := range back {
			if o["id"] != fmt.Sprint(i) || o["<"] != "NaN" {
				t.Fatalf("object %d of %d is %v", i, n, o)
			}
		}
	}
}

func TestGroupNamed(t *testing.T) {
	var groups []analysis.Group
	for _, name := range []string{"group=lru", "group=lru/tune", "group=mamba", "group=mamba/tune"} {
		groups = append(groups, analysis.Group{Name: name})
	}
	for name, want := range map[string]int{"lru": 0, "group=lru/tune": 1, "mamba/tune": 3} {
		if got, err := groupNamed(groups, name); err != nil || got != want {
			t.Errorf("%q is group %d, %v; want %d", name, got, err, want)
		}
	}
	if _, err := groupNamed(groups, "tune"); err == nil || !strings.Contains(err.Error(), "several groups: group=lru/tune; group=mamba/tune") {
		t.Errorf("a part of two names gives %v", err)
	}
	if _, err := groupNamed(groups, "gru"); err == nil || !strings.Contains(err.Error(), "want one of the groups") {
		t.Errorf("an unknown group gives %v", err)
	}
}

func TestFitDropsColumns(t *testing.T) {
	whole := table.New("t", "arm", "the one change", "p", "result")
	whole.Add("a", strings.Repeat("x", 50), "0.5", "1")
	if fit(whole, 0) != whole || fit(whole, 500) != whole {
		t.Error("a table that fits is changed")
	}
	got := fit(whole, 40)
	if strings.Join(got.Columns, " ") != "arm p result" || len(whole.Columns) != 4 || len(got.Notes) != 1 || len(whole.Notes) != 0 {
		t.Errorf("columns %v, notes %v; whole: %v, %v", got.Columns, got.Notes, whole.Columns, whole.Notes)
	}
}

func TestTokensOnATerminalAreHarmless(t *testing.T) {
	var b bytes.Buffer
	w := &tokenWriter{w: bufio.NewWriter(&b), text: true, safe: true}
	for _, c := range []byte("a\x1b[2J\n\tb\x7f") {
		w.write(int32(c))
	}
	w.w.Flush()
	if b.String() != "a\\x1b[2J\n\tb\\x7f" {
		t.Errorf("got %q", b.String())
	}
}

func TestPeakBytes(t *testing.T) {
	p := filepath.Join(t.TempDir(), "status")
	if err := os.WriteFile(p, []byte("Name:\tx\nVmHWM:\t  1234 kB\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if n := peakBytes(p); n != 1234*1024 {
		t.Errorf("got %d", n)
	}
	if n := peakBytes(p + "x"); n != 0 {
		t.Errorf("without the file: %d", n)
	}
}

func TestSplitHint(t *testing.T) {
	first := &tracker.Error{Op: "log", Msg: "m", Hint: "do this"}
	text, hint := splitHint(errors.Join(first, first, fmt.Errorf("lab: other")))
	if text != "log: m\nother" || hint != "do this" {
		t.Errorf("got %q, hint %q", text, hint)
	}
	if text, hint = splitHint(errors.New("no source; hint: install Go")); text != "no source" || hint != "install Go" {
		t.Errorf("got %q, hint %q", text, hint)
	}
}

// TestBarsOfManyRuns moves bars from several goroutines while they are drawn.
func TestBarsOfManyRuns(t *testing.T) {
	const runs, steps = 8, 200
	var out bytes.Buffer
	p := newProgress(&out, true, "all", runs*steps)
	var wg sync.WaitGroup
	for r := range runs {
		wg.Go(func() {
			label := fmt.Sprintf("run %d", r)
			for s := range steps {
				p.step(label, lab.Progress{Step: s + 1, Steps: steps, Loss: 1})
			}
			p.end(label, steps, false)
			p.say("%s is done", label)
		})
	}
	wg.Wait()
	p.close()
	if n := strings.Count(out.String(), "is done"); n != runs {
		t.Errorf("%d of %d lines came out", n, runs)
	}
	if p.done.Load() != runs*steps {
		t.Errorf("%d steps, want %d", p.done.Load(), runs*steps)
	}
}

func TestInterruptedRunsAreCountedWhole(t *testing.T) {
	p := newProgress(nil, false, "", 30)
	p.step("resumed", lab.Progress{Step: 6, Steps: 10})
	p.step("resumed", lab.Progress{Step: 7, Steps: 10})
	p.end("resumed", 10, false) // diverged at 7
	p.end("reused", 10, true)
	if p.done.Load() != 20 || p.found.Load() != 15 {
		t.Errorf("%d steps done, %d of them found, want 20 and 15", p.done.Load(), p.found.Load())
	}
}
