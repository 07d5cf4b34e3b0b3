package nb

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"sync"

	"github.com/gophersnake/gophersnake/pkg/lab"
	"github.com/gophersnake/gophersnake/pkg/lab/table"
	"github.com/gophersnake/gophersnake/pkg/task"
)

// Study carries out a study with a live bar, a live table of the arms and their
// live training losses, on all cores. Its runs go to the store that Open opened
// last; those that are there already are not run again, so a study that was
// stopped goes on where it was when it is called again.
func Study(c lab.StudyConfig) (*lab.StudyResult, error) {
	if err := c.Validate(); err != nil {
		return nil, err // before anything is shown
	}
	s := newStudying(c)
	o := lab.StudyOptions{Progress: s.event}
	where := "not logged: nb.Open opens a store"
	if book := currentBook(); book != nil {
		o.Book, o.Corpora = book, book.corpora
		where = fmt.Sprintf("%q in %s", c.Name, filepath.Base(book.path))
	}
	defer s.close() // also after a panic
	r, err := lab.RunStudy(Context(), c, o)
	switch {
	case err == nil:
		s.bar.Note(joined("finished", where))
	case Stopped(err) && o.Book != nil:
		s.bar.Note(joined("stopped, the same call goes on from here", where))
	case Stopped(err):
		s.bar.Note(joined("stopped", where))
	default:
		s.bar.Note("failed")
	}
	return r, err
}

// studying shows a study under way.
type studying struct {
	bar  *Bar
	plot *Plot
	live *live // of the table

	mu   sync.Mutex
	arms []*armView
	at   map[string]int // steps done, by run
	key  string         // of the metric
}

// armView is an arm's row and line.
type armView struct {
	name         string
	tries, runs  int // ended
	diverged     int
	sum          float64 // of the metric over the reported runs that have one
	scored       int
	lr           float64
	shown        string // the run whose loss the line shows
	steps, tuned int    // of a reported and of a tuning run
}

func newStudying(c lab.StudyConfig) *studying {
	spec := task.SpecOf(c.Arms[0].Experiment.Task)
	s := &studying{at: map[string]int{}, key: "test/" + string(spec.Metric)}
	steps := 0
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
	s.plot = Curve("training loss of the newest run of each arm", "step", lossLabel(c.Arms[0].Experiment))
	return s
}

func (s *studying) close() {
	s.bar.Done()
	s.live.finish()
	s.plot.Done()
}

func (s *studying) arm(name string) *armView {
	for _, a := range s.arms {
		if a.name == name {
			return a
		}
	}
	return nil // cannot be: events name the arms of the config
}

// event takes what the study tells, one at a time.
func (s *studying) event(ev lab.StudyEvent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.arm(ev.Arm)
	if a == nil {
		return
	}
	run := fmt.Sprintf("%s seed %d", ev.Arm, ev.Seed)
	total := a.steps
	if ev.Tuning {
		run, total = fmt.Sprintf("%s lr %g seed %d (tuning)", ev.Arm, ev.LR, ev.Seed), a.tuned
	}
	if ev.Done {
		s.ended(a, ev, run, total)
		return
	}
	p := ev.Progress
	if _, ok := s.at[run]; !ok {
		s.bar.skip(p.Step - 1) // of a run that goes on from a checkpoint
		s.at[run] = p.Step - 1
	}
	s.bar.Add(p.Step - s.at[run])
	s.at[run] = p.Step
	s.bar.Note(fmt.Sprintf("%d of %d runs; %s, loss %.4g", ev.Runs, ev.All, run, p.Loss))
	if a.shown == "" {
		a.shown = run
		s.plot.Restart(a.name)
	}
	if a.shown == run { // of two at a time the first
		s.plot.Add(a.name, float64(p.Step), p.Loss)
	}
}

// ended counts a run and the steps that it did not need.
func (s *studying) ended(a *armView, ev lab.StudyEvent, run string, total int) {
	rest := max(0, total-s.at[run])
	if ev.Reused {
		s.bar.skip(rest)
	} else {
		s.bar.Add(rest)
	}
	delete(s.at, run)
	if a.shown == run {
		a.shown = ""
	}
	if ev.Status == lab.Diverged {
		a.diverged++
	}
	if ev.Tuning {
		a.tries++
	} else {
		a.runs++
		a.lr = ev.LR
		if v := lastOf(ev.Result, s.key); ev.Status != lab.Diverged && !math.IsNaN(v) {
			a.sum, a.scored = a.sum+v, a.scored+1
		}
	}
	s.live.changed()
}

// table is how far the arms are.
func (s *studying) table() *table.Table {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := table.New("so far", "arm", "tuning runs", "lr", "runs", "mean "+s.key, "diverged")
	t.Align = []table.Align{table.Left}
	for _, a := range s.arms {
		lr := "–"
		if !math.IsNaN(a.lr) {
			lr = fmt.Sprintf("%.3g", a.lr)
		}
		t.Add(a.name, fmt.Sprint(a.tries), lr, fmt.Sprint(a.runs), number(a.sum/float64(a.scored)), fmt.Sprint(a.diverged))
	}
	return t
}

// Ladder carries out the named rungs of the ladder on base, all of them if there
// is no name, with the given seeds and base's learning rate, and shows what came
// out.
func Ladder(base lab.Experiment, seeds []uint64, rungs ...string) (*lab.StudyResult, error) {
	arms, err := lab.Ladder(base, rungs...)
	if err != nil {
		return nil, err
	}
	if len(seeds) == 0 {
		return nil, errors.New("nb: Ladder: no seeds, want one or more")
	}
	r, err := Study(lab.StudyConfig{Name: fmt.Sprintf("ladder/%s", base.Task.Name), Arms: arms, LRs: []float64{base.Schedule.LR}, Seeds: seeds})
	if err != nil {
		return nil, err
	}
	Show(r)
	return r, nil
}
