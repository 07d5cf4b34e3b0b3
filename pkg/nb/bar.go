package nb

import (
	"fmt"
	"html"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/gophersnake/gophersnake/internal/nbhook"
)

// Bar is a live progress bar.
type Bar struct {
	live *live

	mu          sync.Mutex
	title, note string
	n, total    int
	skipped     int  // of n, not worked for
	closes      bool // at the total
	began       time.Time
	ended       time.Time // zero while it moves
}

// Progress shows a bar that Set and Add move up to total. There it is done; one
// that stops earlier wants Done.
func Progress(title string, total int) *Bar {
	b := newBar(title, total)
	b.closes = true
	b.closeIfFull()
	return b
}

// newBar is a bar that moves until Done is called.
func newBar(title string, total int) *Bar {
	b := &Bar{title: title, total: max(0, total), began: time.Now()}
	b.live = newLive(b.draw)
	return b
}

func (b *Bar) closeIfFull() {
	b.mu.Lock()
	full := b.closes && b.n == b.total
	b.mu.Unlock()
	if full {
		b.Done()
	}
}

// Set moves the bar to n, kept between 0 and the total.
func (b *Bar) Set(n int) { b.move(func() { b.n = n }) }

// Add moves the bar on by n.
func (b *Bar) Add(n int) { b.move(func() { b.n += n }) }

// Note sets the text behind the bar.
func (b *Bar) Note(text string) { b.move(func() { b.note = text }) }

// Done says that the bar moves no more and draws it a last time.
func (b *Bar) Done() {
	b.mu.Lock()
	if b.ended.IsZero() {
		b.ended = time.Now()
	}
	b.mu.Unlock()
	b.live.finish()
}

// String is "training: 120 of 1000".
func (b *Bar) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return fmt.Sprintf("%s: %d of %d", b.title, b.n, b.total)
}

func (b *Bar) move(change func()) {
	b.mu.Lock()
	change()
	b.n = min(max(b.n, 0), b.total)
	b.mu.Unlock()
	b.live.changed()
	b.closeIfFull()
}

// skip counts n as there without work, as in a run that goes on from a
// checkpoint: they say nothing of the time to come.
func (b *Bar) skip(n int) { b.move(func() { b.n, b.skipped = b.n+n, b.skipped+n }) }

// grow raises the total by n.
func (b *Bar) grow(n int) { b.move(func() { b.total += n }) }

// barCells is the length of a bar in characters.
const barCells = 30

// barHTML has times and note on a line of their own, which is there when it is
// empty and is cut, not wrapped, while the bar moves, and digits of one width:
// what stands below and beside must not jump.
const barHTML = `<div class="gophersnake-bar" style="font-variant-numeric:tabular-nums">%s ` +
	`<progress max="%d" value="%d" style="vertical-align:middle;width:16em"></progress> %s` +
	`<div style="opacity:0.75;min-height:1.3em%s">%s</div></div>`

func (b *Bar) draw() output {
	b.mu.Lock()
	defer b.mu.Unlock()
	share := 1.0
	if b.total > 0 {
		share = float64(b.n) / float64(b.total)
	}
	count := fmt.Sprintf("%d/%d", b.n, b.total)
	note, times := oneLine(b.note), b.times()
	tail := strings.Join(nonEmpty(note, times), "  ")
	cut := ""
	if b.ended.IsZero() {
		cut = ";white-space:nowrap;overflow:hidden;text-overflow:ellipsis"
	}
	full := int(share * barCells)
	title := oneLine(b.title)
	text := strings.TrimRight(fmt.Sprintf("%s ▕%s%s▏ %s  %s", title, strings.Repeat("█", full), strings.Repeat(" ", barCells-full), count, tail), " ")
	return output{data: nbhook.Bundle{
		"text/plain": text,
		"text/html":  fmt.Sprintf(barHTML, html.EscapeString(title), max(1, b.total), barValue(b.n, b.total), count, cut, html.EscapeString(joined(times, note))),
	}}
}

// barValue is full for a bar that has nothing to do.
func barValue(n, total int) int {
	if total == 0 {
		return 1
	}
	return n
}

// times says how long it took, or will take at the speed so far. Within the
// first second there is nothing worth saying.
func (b *Bar) times() string {
	end := b.ended
	if end.IsZero() {
		end = time.Now()
	}
	spent := end.Sub(b.began)
	switch worked := b.n - b.skipped; {
	case spent < time.Second:
		return ""
	case !b.ended.IsZero() || worked <= 0 || b.n == b.total:
		return "after " + clock(spent)
	default:
		left := time.Duration(float64(spent) / float64(worked) * float64(b.total-b.n))
		return "after " + clock(spent) + ", about " + clock(left) + " to go"
	}
}

// clock is a duration to the second.
func clock(d time.Duration) string { return d.Round(time.Second).String() }

func nonEmpty(texts ...string) []string {
	var out []string
	for _, t := range texts {
		if t != "" {
			out = append(out, t)
		}
	}
	return out
}

// joined puts what there is of texts into one line.
func joined(texts ...string) string { return strings.Join(nonEmpty(texts...), "; ") }

// oneLine makes text fit a line: white space is one space, and other control
// characters, which could move a terminal's cursor, are dropped.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.Join(strings.Fields(text), " "))
}
