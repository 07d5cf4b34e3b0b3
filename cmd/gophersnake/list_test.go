package main

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/gophersnake/gophersnake/pkg/lab"
	"github.com/gophersnake/gophersnake/pkg/task"
)

// said runs a command line that must succeed and returns what it wrote.
func said(t *testing.T, args ...string) string {
	t.Helper()
	var out, problems bytes.Buffer
	a := &App{Name: "gophersnake", In: strings.NewReader(""), Out: &out, Err: &problems}
	if code := a.Main(context.Background(), args); code != 0 || problems.Len() > 0 {
		t.Fatalf("%q: exit code %d, said %s", args, code, &problems)
	}
	return out.String()
}

// line returns the first line of text whose words begin with these, "" for none.
func line(text string, words ...string) string {
	for l := range strings.Lines(text) {
		if strings.HasPrefix(strings.Join(strings.Fields(l), " ")+" ", strings.Join(words, " ")+" ") {
			return l
		}
	}
	return ""
}

// TestChoicesAreListed: who looks for a task, a rung, a mixer or a field finds
// every one with what it is, in the help and in the lists.
func TestChoicesAreListed(t *testing.T) {
	run, ladder := said(t, "run", "--help"), said(t, "ladder", "--help")
	tasks, rungs, mixers := said(t, "list", "tasks"), said(t, "list", "rungs"), said(t, "list", "mixers")
	want := func(where, text, what string, words ...string) {
		t.Helper()
		if l := line(text, words...); l == "" || !strings.Contains(l, what) {
			t.Errorf("%s: the line of %q is %q, want it with %q", where, words, l, what)
		}
	}
	for _, n := range task.Names() {
		want("run --help", run, n.About(), string(n))
		want("list tasks", tasks, n.About(), string(n))
	}
	for _, n := range lab.PresetTasks() {
		want("ladder --help", ladder, n.About(), string(n))
	}
	for _, r := range lab.Rungs() {
		for where, text := range map[string]string{"run --help": run, "ladder --help": ladder, "list rungs": rungs} {
			want(where, text, r.Change, r.Number, r.Name)
		}
	}
	for _, k := range lab.Mixers() {
		want("run --help", run, k.About(), string(k))
		want("list mixers", mixers, k.About(), string(k))
	}
	fields := said(t, "list", "fields")
	for _, path := range lab.FieldPaths() {
		want("list fields", fields, "", path)
	}
	want("list fields", fields, "0.003", "schedule.lr")
	want("list fields", fields, "selective-copying", "task.name", "selective-copying")
	want("list fields", fields, "–", "task.path")
	for where, text := range map[string]string{"run": run, "ladder": ladder} {
		for l := range strings.Lines(text) {
			if n := len([]rune(strings.TrimRight(l, "\n"))); n > 110 {
				t.Errorf("%s --help has a line of %d columns: %s", where, n, l)
			}
		}
	}
}

func TestListErrors(t *testing.T) {
	for want, args := range map[string][]string{
		`did you mean "rungs"?`:                     {"list", "rugs"},
		"want one of tasks, rungs, mixers, fields":  {"list", "x"},
		"takes one of tasks, rungs, mixers, fields": {"list"},
	} {
		var problems bytes.Buffer
		a := &App{Name: "gophersnake", In: strings.NewReader(""), Out: &bytes.Buffer{}, Err: &problems}
		if code := a.Main(context.Background(), args); code != exitUsage || !strings.Contains(problems.String(), want) {
			t.Errorf("%q: exit code %d, said %q, want %q", args, code, problems.String(), want)
		}
	}
}
