package nb

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync"

	"github.com/rivo/uniseg"

	"github.com/gophersnake/gophersnake/internal/nbhook"
)

// signalContext returns a function that returns a context which the first
// interrupt signal cancels for good; the second one ends the program. The
// signal is caught only from the function's first call on.
func signalContext() func() context.Context {
	return sync.OnceValue(func() context.Context {
		ctx, release := signal.NotifyContext(context.Background(), os.Interrupt)
		context.AfterFunc(ctx, release)
		return ctx
	})
}

// terminal writes the text forms. In place (on a terminal) the outputs that
// still change stand below everything else and are drawn anew with each change;
// else (in a file) only their last state is written.
type terminal struct {
	w       io.Writer
	inPlace bool
	ctx     func() context.Context
	size    func() (columns, rows int) // 0 if unknown

	mu    sync.Mutex
	live  []liveText
	lines int // drawn of live
}

type liveText struct{ id, text string }

func newTerminal(w io.Writer, inPlace bool, ctx func() context.Context) *terminal {
	return &terminal{w: w, inPlace: inPlace, ctx: ctx, size: func() (int, int) { return 80, 24 }}
}

// Context implements nbhook.Frontend.
func (t *terminal) Context() context.Context { return t.ctx() }

// Clear does nothing: what a terminal has shown stays.
func (t *terminal) Clear(bool) error { return nil }

// Display writes the text form. An output with an id changes until end is
// called with it.
func (t *terminal) Display(data, _ nbhook.Bundle, id string, _ bool) error {
	text := strings.TrimRight(fmt.Sprint(data["text/plain"]), "\n")
	t.mu.Lock()
	defer t.mu.Unlock()
	if id == "" {
		return t.redraw(text + "\n")
	}
	if i := t.find(id); i >= 0 {
		t.live[i].text = text
	} else {
		t.live = append(t.live, liveText{id, text})
	}
	if !t.inPlace {
		return nil
	}
	return t.redraw("")
}

// end writes an output's last state for good.
func (t *terminal) end(id string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := t.find(id)
	if i < 0 {
		return nil
	}
	text := t.live[i].text
	t.live = append(t.live[:i], t.live[i+1:]...)
	return t.redraw(text + "\n")
}

func (t *terminal) find(id string) int {
	for i, l := range t.live {
		if l.id == id {
			return i
		}
	}
	return -1
}

// redraw replaces the changing outputs: above goes where they began, then they
// follow. One write, so that nothing comes between.
func (t *terminal) redraw(above string) error {
	var b strings.Builder
	if t.lines > 0 {
		fmt.Fprintf(&b, "\x1b[%dA\r\x1b[J", t.lines) // up, to the margin, clear what is below
		t.lines = 0
	}
	b.WriteString(above)
	if t.inPlace {
		columns, rows := t.size()
		for _, l := range t.live {
			for line := range strings.SplitSeq(l.text, "\n") {
				if rows > 0 && t.lines >= rows-1 {
					break // what has scrolled away cannot be drawn over
				}
				b.WriteString(cut(line, columns) + "\n")
				t.lines++
			}
		}
	}
	_, err := io.WriteString(t.w, b.String())
	return err
}

// cut shortens a line so that it does not wrap; 0 columns are unlimited.
func cut(line string, columns int) string {
	if columns <= 0 || uniseg.StringWidth(line) < columns {
		return line
	}
	var b strings.Builder
	used := 1 // the last column stays free: some terminals wrap there
	for g := uniseg.NewGraphemes(line); g.Next(); used += g.Width() {
		if used+g.Width() > columns-1 {
			break
		}
		b.WriteString(g.Str())
	}
	return b.String() + "…"
}
