//go:build gophernotes

package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	// pause is for how long output is collected before it is sent: a chatty loop
	// makes 60 messages a second, not a million, and an eye sees no delay.
	pause = 15 * time.Millisecond
	// chunk bounds one message; browsers take longer strings badly.
	chunk = 1 << 20
	// most is what one cell may print. Jupyter's server drops output beyond 1 MB a
	// second over 3 seconds; below that nothing is lost silently.
	most = 2 << 20
	// patience is how long a flush waits for the other end of the pipe.
	patience = 2 * time.Second
)

// mark ends what was printed before a flush. NUL bytes keep it out of text.
var mark = []byte("\x00\x01gophernotes:flush\x01\x00")

// stream turns what is written to a file descriptor into messages. The
// descriptor is redirected once, for the life of the process, so that C code
// and goroutines that outlive their cell are heard too.
type stream struct {
	name    string
	publish func(name, text string)
	w       *os.File      // the writing end of the pipe
	flushed chan struct{} // answers flush
	cell    chan struct{} // a new cell starts: count from nothing

	pending []byte // read, not sent
	sent    int    // in this cell
	cut     bool   // the cell was told that it prints too much
}

// newStream starts a stream that is fed by what is written to w.
func newStream(name string, publish func(name, text string)) (*stream, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	s := &stream{name: name, publish: publish, w: w, flushed: make(chan struct{}, 1), cell: make(chan struct{})}
	chunks := make(chan []byte, 64)
	go read(r, chunks)
	go s.serve(chunks)
	return s, nil
}

func read(r *os.File, chunks chan<- []byte) {
	defer close(chunks)
	for {
		b := make([]byte, 64<<10)
		n, err := r.Read(b)
		if n > 0 {
			chunks <- b[:n]
		}
		if err != nil {
			return
		}
	}
}

// serve collects for a pause from the first byte on, then sends.
func (s *stream) serve(chunks <-chan []byte) {
	var due <-chan time.Time
	for {
		select {
		case b, ok := <-chunks:
			if !ok {
				s.send(s.pending)
				return
			}
			s.take(b)
			if due == nil && len(s.pending) > 0 {
				due = time.After(pause)
			}
		case <-due:
			due = nil
			s.sendWhole()
		case <-s.cell:
			s.sent, s.cut = 0, false
		}
	}
}

// take adds what was read; a mark in it sends all before it.
func (s *stream) take(b []byte) {
	s.pending = append(s.pending, b...)
	for {
		i := bytes.Index(s.pending, mark)
		if i < 0 {
			break
		}
		s.send(s.pending[:i])
		s.pending = append([]byte(nil), s.pending[i+len(mark):]...)
		select {
		case s.flushed <- struct{}{}:
		default: // nobody waits any more
		}
	}
	if len(s.pending) > chunk {
		s.sendWhole()
	}
}

// sendWhole sends what is pending except a rune or a mark that has only begun.
func (s *stream) sendWhole() {
	n := len(s.pending)
	for i := max(0, n-len(mark)); i < n; i++ {
		if bytes.HasPrefix(mark, s.pending[i:]) {
			n = i
			break
		}
	}
	for i := n - 1; i >= max(0, n-utf8.UTFMax); i-- {
		if utf8.RuneStart(s.pending[i]) {
			if !utf8.FullRune(s.pending[i:n]) {
				n = i
			}
			break
		}
	}
	s.send(s.pending[:n])
	s.pending = append([]byte(nil), s.pending[n:]...)
}

// send publishes text, up to what a cell may print.
func (s *stream) send(b []byte) {
	if len(b) == 0 || s.cut {
		return
	}
	note := ""
	if s.sent+len(b) > most {
		s.cut = true
		b = b[:most-s.sent]
		note = fmt.Sprintf("\n[the rest of this cell's %s is not shown: a cell may print %d MiB; write long output to a file]\n", s.name, most>>20)
	}
	s.sent += len(b)
	s.publish(s.name, strings.ToValidUTF8(string(b), "\uFFFD")+note)
}

// flush returns when all that was printed so far has been sent. Only one
// goroutine may flush at a time.
func (s *stream) flush() {
	select {
	case <-s.flushed: // the answer to a flush that lost patience
	default:
	}
	if _, err := s.w.Write(mark); err != nil {
		return
	}
	select {
	case <-s.flushed:
	case <-time.After(patience):
	}
}

// newCell resets what the cell may print. The cell before must be flushed.
func (s *stream) newCell() { s.cell <- struct{}{} }
