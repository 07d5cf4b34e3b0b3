package nb

import (
	"fmt"
	"math"
	"sync"

	"github.com/gophersnake/gophersnake/pkg/lab"
	"github.com/gophersnake/gophersnake/pkg/lab/table"
	"github.com/gophersnake/gophersnake/pkg/task"
)

// studying shows a study under way.
type studying struct {
	name string
	bar  *Bar
	plot *Plot
	live *live // of the table

	mu     sync.Mutex
	over   bool // every run has ended
	arms   []*armView
	runs   map[string]*runView // under way, by runName
	reused int                 // runs taken from the store
	ended  int                 // runs, with those
	all    int                 // runs of the study, as far as they are known
	key    string              // of the metric
}

// armView is an arm's row and line.
type armView struct {
	name         string
	tries, runs  int // ended
	diverged     int
	sum          float64 // of the metric over the reported runs that have one
	scored       int
	lr           float64
	steps, tuned int      // of a reported and of a tuning run
	shown        *runView // the run under way that the line is of, nil if that has ended
}

// runView is a run under way. It keeps its losses, so that an arm's line can
// pass to it as a whole.
type runView struct {
	at   int       // steps done
	x, y []float64 // step and training loss
}

func newStudying(c lab.StudyConfig) *studying {
	spec := task.SpecOf(c.Arms[0].Experiment.Task)
	s := &studying{name: c.Name, runs: map[string]*runView{}, key: "test/" + string(spec.Metric)}
	steps := 0
	s.all = len(c.Arms) * len(c.Seeds)
	if len(c.LRs) > 1 {
		s.all += len(c.Arms) * len(c.LRs) * len(c.TuneSeeds)
	}
	for _, a := range c.Arms {
		v := &armView{name: a.Name, lr: math.NaN(), steps: a.Experiment.Steps, tuned: a.Experiment.Steps}
		if c.TuneSteps > 0 {
			v.tuned = c.TuneSteps
		}
		steps += len(c.Seeds) * v.steps
		if len(c.LRs) > 1 {
			steps += len(c.LRs) * len(c.TuneSeeds) * v.tuned
		}
		s.arms = append(s.arms, v)
	}
	s.bar = newBar(fmt.Sprintf("study %s, steps", c.Name), steps)
	s.live = newLive(func() output { return tableOutput(s.table()) })
	s.plot = Curve("training loss of one run of each arm", "step", lossLabel(c.Arms[0].Experiment))
	return s
}

func (s *studying) close() {
	s.bar.Done()
	s.live.finish()
	s.plot.Done()
}

// finished says that the table is complete.
func (s *studying) finished() {
	s.mu.Lock()
	s.over = true
	s.mu.Unlock()
}

// reuse says how many runs were not run again, "" if all were run.
func (s *studying) reuse() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reuseText()
}

// reuseText is reuse for those who hold mu.
func (s *studying) reuseText() string {
	switch {
	case s.reused == 0:
		return ""
	case s.reused == s.ended && s.over:
		return fmt.Sprintf("all %d runs were taken from the history, none was run again", s.reused)
	}
	return fmt.Sprintf("%d of %d runs were taken from the history", s.reused, s.ended)
}

func (s *studying) arm(name string) *armView {
	for _, a := range s.arms {
		if a.name == name {
			return a
		}
	}
	return nil // cannot be: events name the arms of the config
}

// runName tells the runs of a study apart, and names the lines.
func runName(ev lab.StudyEvent) string {
	if ev.Tuning {
		return fmt.Sprintf("%s, lr %g, seed %d", ev.Arm, ev.LR, ev.Seed)
	}
	return fmt.Sprintf("%s, seed %d", ev.Arm, ev.Seed)
}

// event takes what the study tells, one at a time.
func (s *studying) event(ev lab.StudyEvent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.arm(ev.Arm)
	if a == nil {
		return
	}
	if more := ev.All - s.all; more > 0 { // the grid of learning rates has grown, for all arms alike
		s.all = ev.All
		s.bar.grow(more * a.tuned)
	}
	name, p := runName(ev), ev.Progress
	if ev.Done {
		s.end(a, ev, name)
		return
	}
	r := s.runs[name]
	if r == nil {
		r = &runView{at: p.Step - 1}
		s.runs[name] = r
		s.bar.skip(r.at) // of a run that goes on from a checkpoint
	}
	s.bar.Add(p.Step - r.at)
	r.at = p.Step
	r.x, r.y = append(r.x, float64(p.Step)), append(r.y, p.Loss)
	s.bar.Note(fmt.Sprintf("%d of %d runs; %s, loss %.4g", ev.Runs, ev.All, name, p.Loss))
	switch a.shown {
	case r:
		s.plot.Add(a.name, float64(p.Step), p.Loss)
	case nil: // of several at a time the first, until it ends
		a.shown = r
		s.plot.replace(a.name, name, r.x, r.y)
	}
}

// end counts a run and the steps that it did not need.
func (s *studying) end(a *armView, ev lab.StudyEvent, name string) {
	r, total := s.runs[name], a.steps
	if ev.Tuning {
		total = a.tuned
	}
	rest := total
	if r != nil {
		rest = max(0, total-r.at)
	}
	s.ended++
	if ev.Reused {
		s.reused++
		s.bar.skip(rest)
		s.showReused(a, ev, name)
	} else {
		s.bar.Add(rest)
	}
	delete(s.runs, name)
	if a.shown == r {
		a.shown = nil // the line stays until another run takes it
	}
	s.score(a, ev)
	s.live.changed()
}

// showReused draws a run of the store, unless the line is of one under way.
func (s *studying) showReused(a *armView, ev lab.StudyEvent, name string) {
	if a.shown != nil || ev.Result == nil {
		return
	}
	if c := ev.Result.Curves[lab.KeyTrainLoss]; len(c.Steps) > 0 && len(c.Steps) == len(c.Values) {
		s.plot.replace(a.name, name+" (history)", floats(c.Steps), c.Values)
	}
}

// score brings an arm's row up to date.
func (s *studying) score(a *armView, ev lab.StudyEvent) {
	if ev.Status == lab.Diverged {
		a.diverged++
	}
	if ev.Tuning {
		a.tries++
		return
	}
	a.runs++
	a.lr = ev.LR
	if v := lastOf(ev.Result, s.key); ev.Status != lab.Diverged && !math.IsNaN(v) {
		a.sum, a.scored = a.sum+v, a.scored+1
	}
}

// table is how far the arms are.
func (s *studying) table() *table.Table {
	s.mu.Lock()
	defer s.mu.Unlock()
	title := "study " + s.name
	if !s.over {
		title += ", so far"
	}
	t := table.New(title, "arm", "tuning runs", "lr", "runs", "mean "+s.key, "diverged")
	t.Align = []table.Align{table.Left, table.Right, table.Right, table.Right, table.Right, table.Right}
	for _, a := range s.arms {
		lr := "–"
		if !math.IsNaN(a.lr) {
			lr = fmt.Sprintf("%.3g", a.lr)
		}
		t.Add(a.name, fmt.Sprint(a.tries), lr, fmt.Sprint(a.runs), number(a.sum/float64(a.scored)), fmt.Sprint(a.diverged))
	}
	if text := s.reuseText(); text != "" && !s.over { // in the end the bar says it
		t.Note(text)
	}
	return t
}
