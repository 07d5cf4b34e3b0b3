package lab

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gophersnake/gophersnake/pkg/task"
)

func TestCanonicalJSON(t *testing.T) {
	e := DefaultExperiment(task.Induction)
	back, err := ParseExperiment(e.JSON())
	if err != nil {
		t.Fatal(err)
	}
	if string(back.JSON()) != string(e.JSON()) || back.Hash() != e.Hash() || len(e.Hash()) != 64 {
		t.Errorf("round trip:\n%s\n%s", e.JSON(), back.JSON())
	}
	e.Seed++
	if e.Hash() == back.Hash() {
		t.Error("another seed has the same hash")
	}
}

func TestParseExperimentErrors(t *testing.T) {
	good := string(DefaultExperiment(task.Induction).JSON())
	for _, c := range []struct{ name, from, to, want string }{
		{"unknown field with a neighbour", `"steps"`, `"stepz"`, `did you mean "steps"`},
		{"unknown field", `"steps"`, `"zzzzzzzz"`, `unknown field "zzzzzzzz"`},
		{"unknown task", `"induction"`, `"inductoin"`, "name is"},
		{"syntax", `"steps":`, `"steps"`, "line 1"},
		{"type", `"steps":1000`, `"steps":"many"`, "steps"},
		{"range", `"steps":1000`, `"steps":0`, "steps is 0, want 1"},
		{"device", `"cpu"`, `"gpu"`, `device is "gpu", want one of reference, cpu`},
		{"mixer field", `"state":16`, `"state":16,"heads":2`, "heads is 2, want nothing: kind s6"},
		{"state", `"state":16`, `"state":257`, "257"},
		{"select", `delta,b,c`, `b,delta`, `select is "b,delta"`},
		{"trailing", `}}`, `}} x`, "after the JSON object"},
	} {
		text := strings.Replace(good, c.from, c.to, 1)
		if c.name == "trailing" {
			text = good + " x"
		}
		_, err := ParseExperiment([]byte(text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
	}
}

func TestAllErrorsAtOnce(t *testing.T) {
	e := DefaultExperiment(task.Induction)
	e.Steps, e.LogEvery, e.Schedule.LR, e.Optimiser.Beta1, e.Model.D = 0, 0, math.NaN(), 2, 0
	err := e.Validate()
	for _, field := range []string{"steps", "log_every", "schedule.lr", "optimiser.beta1", "model.d"} {
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("no word of %s in: %v", field, err)
		}
	}
}

func FuzzParseExperiment(f *testing.F) {
	for _, name := range task.Names() {
		f.Add(DefaultExperiment(name).JSON())
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := ParseExperiment(data)
		if err != nil {
			return
		}
		if again, err := ParseExperiment(e.JSON()); err != nil || again.Hash() != e.Hash() {
			t.Errorf("an accepted experiment does not round-trip: %v", err)
		}
	})
}

func TestLadderRefusesUnknownRung(t *testing.T) {
	if _, err := Ladder(DefaultExperiment(task.Induction), "mambo"); err == nil || !strings.Contains(err.Error(), "mambo") {
		t.Errorf("error %v", err)
	}
}

func TestLadderTellsAnErrorOnce(t *testing.T) {
	base := DefaultExperiment(task.Induction)
	base.Model.D = 33
	_, err := Ladder(base, "attention")
	if err == nil || strings.Count(err.Error(), "head_dim is 33") != 1 {
		t.Errorf("an odd width for rotary positions: %v", err)
	}
}

func TestStudy(t *testing.T) {
	book := &memory{}
	c := StudyConfig{Name: "s", LRs: []float64{1e-3, 1e-2}, TuneSeeds: []uint64{100}, TuneSteps: 6, Seeds: []uint64{1, 2, 3}}
	for _, k := range []MixerKind{Identity, S6} {
		c.Arms = append(c.Arms, Arm{Name: string(k), Experiment: tiny(k)})
	}
	var ended int
	o := StudyOptions{Book: book, Workers: 2, Progress: func(e StudyEvent) {
		if e.Done {
			ended++
		}
	}}
	r, err := RunStudy(context.Background(), c, o)
	if err != nil {
		t.Fatal(err)
	}
	if ended != 10 || len(book.runs) != 10 {
		t.Errorf("%d runs ended, %d in the book, want 2 arms × (2 rates + 3 seeds)", ended, len(book.runs))
	}
	for _, a := range r.Arms {
		if len(a.Runs) != 3 || len(a.Tries) != 2 || !slices.Contains(c.LRs, a.LR) {
			t.Errorf("arm %s: %d runs, %d tries, lr %g", a.Name, len(a.Runs), len(a.Tries), a.LR)
		}
		if a.LR != r.Tuning(a).Chosen {
			t.Errorf("arm %s ran at %g, chose %+v", a.Name, a.LR, r.Tuning(a))
		}
	}
	again, err := RunStudy(context.Background(), c, o)
	if err != nil || len(book.runs) != 10 {
		t.Fatalf("a finished study ran again: %d runs, %v", len(book.runs), err)
	}
	for i, a := range r.Arms {
		for j := range a.Runs {
			sameCurves(t, "reused", a.Runs[j].Curves, again.Arms[i].Runs[j].Curves)
		}
	}
}

// TestStudyGoesOn interrupts a study at some point and goes on with it: the
// result is that of a study left alone.
func TestStudyGoesOn(t *testing.T) {
	c := StudyConfig{Name: "s", LRs: []float64{1e-2}, Seeds: []uint64{1, 2, 3},
		Arms: []Arm{{Name: "a", Experiment: tiny(S6)}, {Name: "b", Experiment: tiny(Diagonal)}}}
	want, err := RunStudy(context.Background(), c, StudyOptions{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	book := &memory{}
	ctx, cancel := context.WithCancel(context.Background())
	n := 0
	_, err = RunStudy(ctx, c, StudyOptions{Book: book, Workers: 2, Progress: func(e StudyEvent) {
		if n++; n == 30 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("interrupted study: %v", err)
	}
	got, err := RunStudy(context.Background(), c, StudyOptions{Book: book, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range want.Arms {
		for j := range a.Runs {
			sameCurves(t, a.Name, a.Runs[j].Curves, got.Arms[i].Runs[j].Curves)
		}
	}
	if len(book.runs) != 6 {
		t.Errorf("%d runs in the book, want 6: an interrupted run was started anew", len(book.runs))
	}
}

func TestStudyRefuses(t *testing.T) {
	arm := Arm{Name: "a", Experiment: tiny(S6)}
	bad := tiny(S6)
	bad.Steps = 0
	for name, c := range map[string]StudyConfig{
		"nothing":            {},
		"tuning seed shared": {Arms: []Arm{arm}, LRs: []float64{1, 2}, TuneSeeds: []uint64{1}, Seeds: []uint64{1}},
		"no tuning seed":     {Arms: []Arm{arm}, LRs: []float64{1, 2}, Seeds: []uint64{1}},
		"bad arm":            {Arms: []Arm{{Name: "b", Experiment: bad}}, LRs: []float64{1}, Seeds: []uint64{1}},
	} {
		if _, err := RunStudy(context.Background(), c, StudyOptions{}); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}
