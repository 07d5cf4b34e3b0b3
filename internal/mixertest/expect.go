package mixertest

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/gophersnake/gophersnake/pkg/nn"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// PanicText returns what f panics with, "" if it does not.
func PanicText(f func()) (text string) {
	defer func() {
		if p := recover(); p != nil {
			text = fmt.Sprint(p)
		}
	}()
	f()
	return ""
}

// MustPanic fails unless f panics with a text that holds every part.
func MustPanic(t testing.TB, what string, f func(), parts ...string) {
	t.Helper()
	text := PanicText(f)
	if text == "" {
		t.Errorf("%s: no panic", what)
		return
	}
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%s: panic %q, want one with %q", what, text, p)
		}
	}
}

// WantErrors fails unless err is made of exactly one error for each text, on a
// line of its own.
func WantErrors(t testing.TB, err error, texts ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want %q", texts)
		return
	}
	if n, lines := countErrors(err), 1+strings.Count(err.Error(), "\n"); n != len(texts) || lines != n {
		t.Errorf("%d errors on %d lines, want %d: %v", n, lines, len(texts), err)
	}
	for _, s := range texts {
		if !strings.Contains(err.Error(), s) {
			t.Errorf("error %q, want one with %q", err, s)
		}
	}
}

// countErrors counts the leaves of joined errors.
func countErrors(err error) int {
	var joined interface{ Unwrap() []error }
	if !errors.As(err, &joined) {
		return 1
	}
	n := 0
	for _, e := range joined.Unwrap() {
		n += countErrors(e)
	}
	return n
}

// BadConfig fails unless make refuses its config with exactly the given errors,
// before it makes a parameter.
func BadConfig(t testing.TB, make func(b *nn.Builder) error, texts ...string) {
	t.Helper()
	b := nn.NewBuilder(tensor.Reference(), 1)
	WantErrors(t, make(b), texts...)
	if len(b.Params()) > 0 {
		t.Errorf("%q: parameters were made", texts)
	}
}
