package lab

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/gophersnake/gophersnake/pkg/task"
)

func TestSet(t *testing.T) {
	e := DefaultExperiment(task.SelectiveCopying)
	e.Task.EvalLengths = []int{100, 200}
	got, err := e.Set("model.d=32", "steps=5", "eval_every=5", "device=reference", "model.tied=false", "schedule.lr=1e-2",
		"task.eval_lengths=64,128", "seed=18446744073709551615")
	if err != nil {
		t.Fatal(err)
	}
	if got.Model.D != 32 || got.Steps != 5 || got.Device != "reference" || got.Schedule.LR != 1e-2 || got.Seed != 1<<64-1 ||
		!reflect.DeepEqual(got.Task.EvalLengths, []int{64, 128}) {
		t.Errorf("got %s", got.JSON())
	}
	if e.Task.EvalLengths[0] != 100 {
		t.Errorf("the original was changed: %v", e.Task.EvalLengths)
	}
	same, err := e.Set()
	if err != nil || same.Hash() != e.Hash() {
		t.Errorf("no assignment changes the experiment: %v", err)
	}
}

func TestSetErrors(t *testing.T) {
	e := DefaultExperiment(task.SelectiveCopying)
	for assignment, want := range map[string]string{
		"model.d":           "FIELD=VALUE",
		"stpes=3":           `did you mean "steps"?`,
		"mixer.state=3":     `did you mean "model.mixer.state"?`,
		"model.state=3":     `did you mean "model.mixer.state"?`,
		"model.mixer=3":     "is a group of fields, want one of model.mixer.kind",
		"foo.mixr=3":        "run --print",
		"model.stpes=3":     `did you mean "steps"?`,
		"nonsense.at.all=3": "run --print",
		"model.d=abc":       `model.d is "abc", want a whole number`,
		"model.d=1.5":       "want a whole number",
		"model.d=null":      "want a whole number",
		"model.tied=maybe":  "want true or false",
		"seed=-1":           "want a whole number of 0 or more",
		"steps=0":           "steps is 0, want 1 to",
		"task.name=nothing": "nothing",
	} {
		if _, err := e.Set(assignment); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q in it", assignment, err, want)
		}
	}
	_, err := e.Set("stpes=3", "model.d=abc")
	if err == nil || !strings.Contains(err.Error(), "stpes") || !strings.Contains(err.Error(), "abc") {
		t.Errorf("both mistakes should be named: %v", err)
	}
}

func TestFieldPathsCoverTheJSON(t *testing.T) {
	known := fieldTypes()
	n := 0
	for _, name := range task.Names() {
		for path := range Flatten(DefaultExperiment(name).JSON()) {
			if _, ok := known[path]; !ok {
				t.Errorf("%s is not among FieldPaths", path)
			}
			n++
		}
	}
	if n == 0 {
		t.Error("nothing was checked")
	}
}

func TestSetLists(t *testing.T) {
	e := DefaultExperiment(task.Text)
	e.Task.Path, e.Task.Include = "x", []string{"a"}
	for text, want := range map[string][]string{
		"*.md,docs/**": {"*.md", "docs/**"},
		`["a,b","c"]`:  {"a,b", "c"},
		"[ab]*":        {"[ab]*"},
		"":             nil,
	} {
		got, err := e.Set("task.include=" + text)
		if err != nil || !slices.Equal(got.Task.Include, want) {
			t.Errorf("%s gives %q (%v), want %q", text, got.Task.Include, err, want)
		}
		if e.Task.Include[0] != "a" {
			t.Fatalf("the original was changed: %v", e.Task.Include)
		}
	}
	for text, want := range map[string]string{
		`["a",3]`: `lab: task.include is ["a",3], want a list as in a,b or ["a","b"]`,
		"ok,/etc": `include is "/etc", want patterns such as`,
	} {
		if _, err := e.Set("task.include=" + text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s gives %v, want an error with %q", text, err, want)
		}
	}
}
