package query

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// ErrQuery is what every *Error is, for errors.Is.
var ErrQuery = errors.New("mistake in the query")

// Error is a mistake in a query, with its place.
type Error struct {
	Text string // the query
	Pos  int    // first byte of the mistake in Text
	End  int    // byte after it; equal to Pos at the end of Text
	Msg  string
	Hint string // what to do about it, "" if there is nothing to say
	// Unknown is the bare name that is no attribute, if that is the mistake: who knows the metrics can give a better hint.
	Unknown string
}

// Error shows the line of the mistake, a line with carets below it, the message and the hint.
func (e *Error) Error() string {
	start := strings.LastIndexByte(e.Text[:e.Pos], '\n') + 1
	stop := len(e.Text)
	if i := strings.IndexByte(e.Text[start:], '\n'); i >= 0 {
		stop = start + i
	}
	var b strings.Builder
	line, col := e.Line(), utf8.RuneCountInString(e.Text[start:e.Pos])+1
	fmt.Fprintf(&b, "query: line %d, column %d: %s\n  %s\n  ", line, col, e.Msg, e.Text[start:stop])
	for _, r := range e.Text[start:e.Pos] {
		if r == '\t' {
			b.WriteByte('\t')
		} else {
			b.WriteByte(' ')
		}
	}
	b.WriteString(strings.Repeat("^", max(1, utf8.RuneCountInString(e.Text[e.Pos:max(e.Pos, min(e.End, stop))]))))
	if e.Hint != "" {
		b.WriteString("\n(hint: " + e.Hint + ")")
	}
	return b.String()
}

// Line is the line of the mistake, from 1.
func (e *Error) Line() int { return strings.Count(e.Text[:e.Pos], "\n") + 1 }

// Is makes errors.Is(err, ErrQuery) true.
func (e *Error) Is(target error) bool { return target == ErrQuery }
