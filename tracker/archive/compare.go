package archive

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"reflect"
	"sort"

	"github.com/gophersnake/gophersnake/tracker"
)

// compareRun reads the lines of a run that is in the database already, up to its end, and returns an error that names
// the first difference.
func compareRun(ctx context.Context, s *tracker.Store, in *lineReader, first *runLine) error {
	var failed error
	next, stop := iter.Pull(func(yield func(any) bool) {
		_, failed = emitRun(ctx, s, first.ID, ExportOptions{}, func(line any) error {
			if !yield(line) {
				return io.EOF
			}
			return nil
		})
	})
	defer stop()
	var theirs any = first
	for {
		ours, ok := next()
		if !ok {
			return failed
		}
		if l, isRun := ours.(*runLine); isRun {
			l.settle()
		}
		if what := difference(ours, theirs); what != "" {
			return &Error{File: in.file, Line: in.line, Field: "run", Value: first.ID,
				Msg:  "is in the database already and differs in " + what,
				Hint: "import into another database to have both"}
		}
		if _, end := theirs.(*endLine); end {
			return nil
		}
		var err error
		if theirs, err = in.next(); err == io.EOF {
			return in.error("run", first.ID, "has no end line: the file is cut off")
		} else if err != nil {
			return err
		}
	}
}

// difference says in which part two lines differ, and is "" if they do not. The content of an artifact is left out:
// its hash stands for it.
func difference(ours, theirs any) string {
	if reflect.TypeOf(ours) != reflect.TypeOf(theirs) {
		return fmt.Sprintf("what it holds: %s here, %s in the file", describe(ours), describe(theirs))
	}
	if l, ok := theirs.(*artifactLine); ok {
		l.Content = nil
	}
	a, errA := fields(ours)
	b, errB := fields(theirs)
	if errA != nil || errB != nil {
		return "a line that cannot be compared"
	}
	names := make([]string, 0, len(a))
	for name := range a {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		if !bytes.Equal(a[name], b[name]) {
			return fmt.Sprintf("%s of %s: %.80s here, %.80s in the file", name, describe(ours), from(a[name], b[name]), from(b[name], a[name]))
		}
	}
	return ""
}

// from cuts off what two texts have in common, but for a few characters before the difference.
func from(text, other []byte) string {
	i := 0
	for i < len(text) && i < len(other) && text[i] == other[i] {
		i++
	}
	if i <= 20 {
		return string(text)
	}
	return "…" + string(text[i-20:])
}

func fields(line any) (map[string]json.RawMessage, error) {
	b, err := encode(line)
	if err != nil {
		return nil, err
	}
	var m map[string]json.RawMessage
	return m, json.Unmarshal(b, &m)
}

// describe names a line for people.
func describe(line any) string {
	switch l := line.(type) {
	case *pointsLine:
		return fmt.Sprintf("the values of %q (context %q) from step %d", l.Key, l.Context, firstStep(l))
	case *objectLine:
		return fmt.Sprintf("object %q (context %q) at step %d", l.Key, l.Context, l.Step)
	case *artifactLine:
		return fmt.Sprintf("version %d of artifact %q", l.Version, l.Name)
	case *eventLine:
		return fmt.Sprintf("event %q", l.Kind)
	case *endLine:
		return "the end of the run"
	}
	return "the run"
}

func firstStep(l *pointsLine) int64 {
	if len(l.Step) == 0 {
		return 0
	}
	return l.Step[0]
}
