package nb

import (
	"bytes"
	"context"
	"encoding/gob"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gophersnake/gophersnake/pkg/lab/table"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares with a file of testdata; ESC is written as ␛ there.
func golden(t *testing.T, name, got string) {
	t.Helper()
	got = strings.ReplaceAll(got, "\x1b", "␛")
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (-update writes it); got:\n%s\nwant:\n%s", name, got, want)
	}
}

// useTerminal makes standard output w until the test ends.
func useTerminal(t *testing.T, w *bytes.Buffer, inPlace bool) *terminal {
	t.Helper()
	tm := newTerminal(w, inPlace, context.Background)
	was := here.fallback
	here.fallback = tm
	t.Cleanup(func() { here.fallback = was })
	return tm
}

// session is what a program shows: two live outputs and a table between.
func session() {
	bar, curve := newBar("training", 10), Curve("loss by step", "step", "loss")
	steps := func(from, to int) {
		for i := from; i < to; i++ {
			bar.Add(1)
			curve.Add("train", float64(i), 1/float64(i+1))
		}
	}
	steps(0, 3)
	bar.live.tick() // not the timer, whose time is not certain
	curve.live.tick()
	tab := table.New("A table", "name", "value")
	tab.Add("x", "1")
	Show(tab)
	steps(3, 10)
	bar.Note("finished")
	bar.Done()
	curve.Done()
	Show("the end")
}

func TestTerminalInPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // time stands still: no timer draws
		var b bytes.Buffer
		useTerminal(t, &b, true)
		session()
		golden(t, "terminal.txt", b.String())
	})
}

func TestTerminalFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // time stands still: no timer draws
		var b bytes.Buffer
		useTerminal(t, &b, false)
		session()
		golden(t, "file.txt", b.String())
	})
}

func TestTerminalCutsToItsSize(t *testing.T) {
	var b bytes.Buffer
	tm := useTerminal(t, &b, true)
	tm.size = func() (int, int) { return 20, 4 }
	for _, id := range []string{"1", "2", "3", "4", "5"} {
		if err := tm.Display(map[string]any{"text/plain": "幅 a line that is far too long " + id}, nil, id, false); err != nil {
			t.Fatal(err)
		}
	}
	if tm.lines != 3 {
		t.Errorf("%d lines are drawn on a terminal of 4", tm.lines)
	}
	for line := range strings.Lines(b.String()) {
		if strings.Contains(line, "long") {
			t.Errorf("%q is too long", line)
		}
	}
	if got := cut("幅幅幅幅", 6); got != "幅幅…" {
		t.Errorf("cut to %q", got)
	}
	for _, id := range []string{"1", "2", "3", "4", "5", "none"} {
		if err := tm.end(id); err != nil {
			t.Fatal(err)
		}
	}
	if tm.lines != 0 || len(tm.live) != 0 {
		t.Errorf("%d lines and %d outputs are left", tm.lines, len(tm.live))
	}
}

func TestInterruptSignalCancelsContext(t *testing.T) {
	t.Cleanup(func() { // the signal cancels the process's own context, too
		here.mu.Lock()
		here.fallback = nil
		here.mu.Unlock()
	})
	ctx := signalContext()()
	if err := syscall.Kill(os.Getpid(), syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ctx.Done():
	case <-time.After(5 * time.Second):
		t.Fatal("not cancelled")
	}
}

// TestGonb reads what is written to the pipe as GoNB does, with the names of its
// protocol.
func TestGonb(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	type MIMEType string
	type DisplayData struct {
		Data      map[MIMEType]any
		Metadata  map[string]any
		DisplayID string
	}
	got := make(chan DisplayData, 10)
	go func() {
		defer close(got)
		f, err := os.Open(path)
		if err != nil {
			return
		}
		defer f.Close()
		for dec := gob.NewDecoder(f); ; {
			var d DisplayData
			if dec.Decode(&d) != nil {
				return
			}
			got <- d
		}
	}()
	t.Setenv("GONB_PIPE", path)
	g, ok := newFallback().(*gonb)
	if !ok {
		t.Fatal("the pipe was not opened")
	}
	was := here.fallback
	here.fallback = g
	t.Cleanup(func() { here.fallback = was })

	Progress("bar", 3).Set(3)
	FigurePNG(testFigure(t))
	var all []DisplayData
	for range 3 {
		select {
		case d := <-got:
			all = append(all, d)
		case <-time.After(5 * time.Second):
			t.Fatalf("only %d messages came", len(all))
		}
	}
	if all[0].DisplayID == "" || all[1].DisplayID != all[0].DisplayID || all[2].DisplayID != "" {
		t.Errorf("ids %q, %q, %q", all[0].DisplayID, all[1].DisplayID, all[2].DisplayID)
	}
	contains(t, "bar", all[1].Data["text/html"].(string), "3/3")
	if data, ok := all[2].Data["image/png"].([]byte); !ok || !bytes.HasPrefix(data, []byte("\x89PNG")) {
		t.Errorf("PNG is %T", all[2].Data["image/png"])
	}
}

func TestGonbPipeThatIsMissing(t *testing.T) {
	t.Setenv("GONB_PIPE", filepath.Join(t.TempDir(), "none"))
	if f, ok := newFallback().(*terminal); !ok {
		t.Errorf("fall-back is %T", f)
	}
}
