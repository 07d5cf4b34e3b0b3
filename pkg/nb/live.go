package nb

import (
	"fmt"
	"sync"
	"time"

	"github.com/gophersnake/gophersnake/internal/nbhook"
)

// liveInterval is the least time between two drawings of a live output: five a
// second look like motion, and more would only fill the browser's queue.
const liveInterval = 200 * time.Millisecond

// liveShare bounds what drawing may cost: after a drawing of d the next one
// waits for at least liveShare·d, a fifth of one core in the worst case.
const liveShare = 4

// output is one thing to show.
type output struct {
	data, metadata nbhook.Bundle
}

// ender is a front end that wants to know that an output changes no more.
type ender interface{ end(id string) error }

// live is an output that changes. The drawing function is called from a timer's
// goroutine, one call at a time, and takes its own locks.
type live struct {
	front nbhook.Frontend
	id    string
	draw  func() output
	pace  time.Duration // liveInterval but in tests

	mu    sync.Mutex
	timer *time.Timer // pending drawing, nil if none
	busy  bool        // drawing
	dirty bool        // changed meanwhile
	next  time.Time   // before this nothing is drawn
	done  bool

	drawing sync.Mutex // held while drawing, so that states are shown in order
}

// newLive shows an output for the first time.
func newLive(draw func() output) *live {
	l := &live{front: here.front(), id: here.newID(), draw: draw, pace: liveInterval}
	l.drawing.Lock()
	defer l.drawing.Unlock()
	l.show(false)
	return l
}

// changed sees to it that the present state is shown soon.
func (l *live) changed() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dirty = l.busy
	if !l.done && !l.busy && l.timer == nil {
		l.timer = time.AfterFunc(max(0, time.Until(l.next)), l.tick)
	}
}

// tick draws, unless the last state has been shown.
func (l *live) tick() {
	l.drawing.Lock()
	l.mu.Lock()
	l.timer, l.busy = nil, !l.done
	draw := l.busy
	l.mu.Unlock()
	if draw {
		l.show(true)
	}
	l.drawing.Unlock()
	l.mu.Lock()
	l.busy = false
	again := l.dirty
	l.dirty = false
	l.mu.Unlock()
	if again {
		l.changed()
	}
}

// finish shows the last state; later calls and changes do nothing.
func (l *live) finish() {
	l.mu.Lock()
	first := !l.done
	l.done = true
	if l.timer != nil {
		l.timer.Stop()
	}
	l.mu.Unlock()
	if !first {
		return
	}
	l.drawing.Lock()
	defer l.drawing.Unlock()
	l.show(true)
	if e, ok := l.front.(ender); ok {
		_ = e.end(l.id) // nobody is left to tell
	}
}

// show draws and hands on the present state. The caller holds drawing.
func (l *live) show(update bool) {
	start := time.Now()
	out := drawSafely(l.draw)
	_ = l.front.Display(out.data, out.metadata, l.id, update) // the computation matters more than its picture
	now := time.Now()
	l.mu.Lock()
	l.next = now.Add(max(l.pace, liveShare*now.Sub(start)))
	l.mu.Unlock()
}

// drawSafely shows a panic instead of dying of it: it runs in a goroutine whose
// panic would take the kernel along.
func drawSafely(draw func() output) (out output) {
	defer func() {
		if p := recover(); p != nil {
			out = textOutput(fmt.Sprintf("cannot be drawn: %v", p))
		}
	}()
	return draw()
}
