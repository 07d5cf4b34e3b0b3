package nb

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gophersnake/gophersnake/pkg/lab"
)

// step is a step of a run of arm "a", whose loss tells the run and the step:
// 100·seed + step.
func step(seed uint64, n int) lab.StudyEvent {
	return lab.StudyEvent{Arm: "a", Seed: seed, LR: 1, Progress: lab.Progress{Step: n, Steps: 4, Loss: float64(100*int(seed) + n)}}
}

func done(seed uint64) lab.StudyEvent {
	return lab.StudyEvent{Arm: "a", Seed: seed, LR: 1, Done: true, Status: lab.Finished, Result: &lab.Result{}}
}

func armStudy(steps int) lab.StudyConfig {
	e := tiny(lab.S6)
	e.Steps = steps
	return lab.StudyConfig{Name: "one", LRs: []float64{1}, Seeds: []uint64{1, 2, 3}, Arms: []lab.Arm{{Name: "a", Experiment: e}}}
}

// TestBarGrowsWithTheGrid: further learning rates are steps that nobody knew of.
func TestBarGrowsWithTheGrid(t *testing.T) {
	notebook(t)
	c := armStudy(4)
	c.LRs, c.TuneSeeds = []float64{1, 2}, []uint64{9}
	s := newStudying(c)
	defer s.close()
	if s.bar.total != 20 {
		t.Fatalf("%d steps, want 2 tuning and 3 reported runs of 4", s.bar.total)
	}
	ev := step(9, 1)
	ev.Tuning, ev.All = true, 5
	s.event(ev)
	ev.All = 7
	s.event(ev)
	if s.bar.total != 28 {
		t.Errorf("%d steps, want those of two runs more", s.bar.total)
	}
}

// TestLineBelongsToOneRun has three runs of an arm side by side. Whatever the
// order, the arm's line holds points of one run only, from its first step on,
// and its label names that run.
func TestLineBelongsToOneRun(t *testing.T) {
	notebook(t)
	s := newStudying(armStudy(4))
	defer s.close()
	for i, c := range []struct {
		ev    lab.StudyEvent
		label string
		y     []float64
	}{
		{step(1, 1), "a, seed 1", []float64{101}},
		{step(2, 1), "a, seed 1", []float64{101}},
		{step(1, 2), "a, seed 1", []float64{101, 102}},
		{step(2, 2), "a, seed 1", []float64{101, 102}},
		{step(2, 3), "a, seed 1", []float64{101, 102}},
		{done(1), "a, seed 1", []float64{101, 102}},
		{step(3, 1), "a, seed 3", []float64{301}},
		{step(2, 4), "a, seed 3", []float64{301}},
		{done(3), "a, seed 3", []float64{301}},
		{done(2), "a, seed 3", []float64{301}},
	} {
		s.event(c.ev)
		s.plot.mu.Lock()
		l := *s.plot.line("a")
		l.y = slices.Clone(l.y)
		s.plot.mu.Unlock()
		if l.label != c.label || !slices.Equal(l.y, c.y) {
			t.Errorf("event %d: line %q with %v, want %q with %v", i, l.label, l.y, c.label, c.y)
		}
	}
}

// TestLineTakesOverWhole: a run that was under way before its arm's line was
// free is drawn from its first step on.
func TestLineTakesOverWhole(t *testing.T) {
	notebook(t)
	s := newStudying(armStudy(4))
	defer s.close()
	for _, ev := range []lab.StudyEvent{step(1, 1), step(2, 1), step(2, 2), done(1), step(2, 3)} {
		s.event(ev)
	}
	if l := s.plot.line("a"); !slices.Equal(l.y, []float64{201, 202, 203}) || !slices.Equal(l.x, []float64{1, 2, 3}) || l.label != "a, seed 2" {
		t.Errorf("line %q: %v at %v", l.label, l.y, l.x)
	}
	if s.bar.String() != "study one, steps: 7 of 12" { // 4 of the ended run, 3 of the other
		t.Errorf("bar %s", s.bar)
	}
}

func TestReusedRunsAreSaidAndDrawn(t *testing.T) {
	f := notebook(t)
	openTemp(t)
	c := tinyStudy()
	if _, err := Study(c); err != nil {
		t.Fatal(err)
	}
	outputs := func() (last []message) {
		for _, ms := range f.byID() {
			last = append(last, ms[len(ms)-1])
		}
		return last
	}
	for _, m := range outputs() {
		if strings.Contains(m.text(), "history") {
			t.Errorf("a study from scratch speaks of the history:\n%s", m.text())
		}
	}
	f = notebook(t)
	if _, err := Study(c); err != nil {
		t.Fatal(err)
	}
	last := outputs()
	const all = "all 8 runs were taken from the history, none was run again"
	contains(t, "bar", last[0].text(), "72/72", "finished", all)
	contains(t, "table", last[1].text(), "study tiny")
	for _, arm := range []string{"mamba", "gru"} {
		if label := regexp.MustCompile(arm + `, seed [12] \(history\)`); !label.MatchString(last[2].svg()) {
			t.Errorf("the figure lacks %v:\n%s", label, last[2].text())
		}
	}
	if strings.Contains(last[1].text(), "so far") || strings.Contains(last[2].text(), "nothing yet") {
		t.Errorf("the end reads as if something were to come:\n%s\n%s", last[1].text(), last[2].text())
	}
	f = notebook(t)
	c.Seeds = append(c.Seeds, 3)
	if _, err := Study(c); err != nil {
		t.Fatal(err)
	}
	last = outputs()
	contains(t, "bar", last[0].text(), "8 of 10 runs were taken from the history")
}

func TestPlotWithoutPointsSaysSoInTheEnd(t *testing.T) {
	f := notebook(t)
	Curve("p", "x", "y").Done()
	ms := f.messages()
	contains(t, "first", ms[0].text(), "p: nothing yet")
	contains(t, "last", ms[len(ms)-1].text(), "p: no points")
}
