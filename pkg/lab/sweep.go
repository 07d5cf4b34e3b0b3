package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/gophersnake/gophersnake/pkg/lab/stats"
	"github.com/gophersnake/gophersnake/pkg/lab/table"
	"github.com/gophersnake/gophersnake/pkg/task"
)

// SweepConfig is one experiment with several learning rates and seeds: a look at
// which rate is good, or at how much a result depends on chance. To compare
// models use a StudyConfig, which tunes on seeds that it does not report.
type SweepConfig struct {
	Name  string    // the collection of runs
	Arm   Arm       // what is run; its name is the group of the runs, with "-lr0.001" behind it when there are rates
	Rates []float64 // learning rates; none means that of the experiment
	Seeds []uint64  // none means that of the experiment
}

// Groups returns the groups of the runs, one a rate from the smallest up.
func (c SweepConfig) Groups() []string {
	var names []string
	for _, a := range c.arms() {
		names = append(names, a.Name)
	}
	return names
}

// Experiment returns the experiment of group i of Groups, with the seed that the
// sweep replaces.
func (c SweepConfig) Experiment(i int) Experiment { return c.arms()[i].Experiment }

// arms returns one arm a rate, from the smallest up.
func (c SweepConfig) arms() []Arm {
	if len(c.Rates) == 0 {
		return []Arm{c.Arm}
	}
	var arms []Arm
	for _, lr := range slices.Sorted(slices.Values(c.Rates)) {
		a := c.Arm
		a.Name = fmt.Sprintf("%s-lr%g", c.Arm.Name, lr)
		a.Experiment.Schedule.LR = lr
		arms = append(arms, a)
	}
	return arms
}

// study is the study of one rate: an arm with nothing to tune.
func (c SweepConfig) study(a Arm) StudyConfig {
	s := StudyConfig{Name: c.Name, Arms: []Arm{a}, LRs: []float64{a.Experiment.Schedule.LR}, Seeds: c.Seeds}
	if len(s.Seeds) == 0 {
		s.Seeds = []uint64{a.Experiment.Seed}
	}
	return s
}

// Validate reports everything that is wrong.
func (c SweepConfig) Validate() error {
	errs := []error{once("learning rate", c.Rates)}
	for _, a := range c.arms() {
		errs = append(errs, c.study(a).Validate())
	}
	return errors.Join(errs...)
}

// SweepResult is what a sweep came to.
type SweepResult struct {
	Config SweepConfig
	Spec   task.Spec
	Arms   []ArmResult // one a rate, from the smallest up
}

// RunSweep trains the experiment with every rate and seed, one run each, side by
// side on o.Workers cores. Runs that the book holds are not done again, and
// interrupted ones go on, as in RunStudy. The number of runs in a StudyEvent is
// that of the whole sweep.
func RunSweep(ctx context.Context, c SweepConfig, o StudyOptions) (*SweepResult, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	arms := c.arms()
	res := &SweepResult{Config: c, Spec: specOf(c.Arm.Experiment.Task), Arms: make([]ArmResult, len(arms))}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.Corpora == nil {
		o.Corpora = task.NewCache()
	}
	lanes := min(len(arms), o.Workers)
	o.Workers /= lanes
	o.Progress = joined(o.Progress, len(arms)*max(1, len(c.Seeds)))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(lanes)
	for i, a := range arms {
		group.Go(func() error {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			r, err := RunStudy(ctx, c.study(a), o)
			if err == nil {
				res.Arms[i] = r.Arms[0]
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return res, nil
}

// joined makes one account of the events of studies side by side, all runs in
// all: their own count is of one study each.
func joined(tell func(StudyEvent), all int) func(StudyEvent) {
	if tell == nil {
		return nil
	}
	var mu sync.Mutex
	ended := 0
	return func(e StudyEvent) {
		mu.Lock()
		defer mu.Unlock()
		if e.Done {
			ended++
		}
		e.Runs, e.All = ended, all
		tell(e)
	}
}

// Diverged counts the runs that did, and all runs.
func (r *SweepResult) Diverged() (diverged, all int) {
	for _, a := range r.Arms {
		diverged += a.Diverged()
		all += len(a.Runs)
	}
	return diverged, all
}

// key is the task's metric on a split.
func (r *SweepResult) key(split string) string { return split + "/" + string(r.Spec.Metric) }

// Best returns the arm with the best mean of the task's metric on "valid", nil
// if every run diverged. An arm of which fewer runs diverged is better than any
// mean, and equal means are told apart by the loss.
func (r *SweepResult) Best() *ArmResult {
	ranked := r.ranked()
	if len(ranked) == 0 {
		return nil
	}
	return ranked[0]
}

// ranked returns the arms with a result from the best to the worst.
func (r *SweepResult) ranked() []*ArmResult {
	var arms []*ArmResult
	for i := range r.Arms {
		if s := stats.Summarise(r.Arms[i].Values(r.key("valid")), Confidence); s.N > 0 {
			arms = append(arms, &r.Arms[i])
		}
	}
	slices.SortStableFunc(arms, func(a, b *ArmResult) int {
		x, y := stats.Summarise(a.Values(r.key("valid")), Confidence), stats.Summarise(b.Values(r.key("valid")), Confidence)
		if r.Spec.Metric.HigherIsBetter() {
			x.Mean, y.Mean = -x.Mean, -y.Mean
		}
		return cmp.Or(x.Diverged-y.Diverged, cmp.Compare(x.Mean, y.Mean), cmp.Compare(a.average("valid/loss"), b.average("valid/loss")))
	})
	return arms
}

// average is the mean of a metric over the seeds that did not diverge.
func (a *ArmResult) average(key string) float64 {
	return stats.Summarise(a.Values(key), Confidence).Mean
}

// Table returns the sweep as a table. With several rates it has a row a rate:
// mean and 95 % t interval over the seeds of the task's metric on "valid", by
// which a rate is chosen, and on "test". With one rate it has a row a metric.
func (r *SweepResult) Table() *table.Table {
	if len(r.Arms) == 1 {
		return r.metricTable()
	}
	valid, test := r.key("valid"), r.key("test")
	t := table.New(r.title(), "rate", valid, "95% interval", test, "95% interval", "diverged")
	t.Align = []table.Align{table.Left}
	for _, a := range r.Arms {
		row := []string{fmt.Sprintf("%g", a.LR)}
		for _, key := range []string{valid, test} {
			row = append(row, meanAndInterval(a.Values(key), rangeOf(r.Spec.Metric))...)
		}
		t.Add(append(row, fmt.Sprintf("%d/%d", a.Diverged(), len(a.Runs)))...)
	}
	t.Note(r.Verdict())
	return t
}

func (r *SweepResult) title() string {
	e := r.Config.Arm.Experiment
	return fmt.Sprintf("%s: %s, %d steps, %s", r.Config.Arm.Name, e.Task.Name, e.Steps, seeds(max(1, len(r.Config.Seeds))))
}

// metricTable has a row for every metric that runs were evaluated by.
func (r *SweepResult) metricTable() *table.Table {
	a := r.Arms[0]
	t := table.New(r.title(), "metric", "mean", "95% interval", "least", "greatest")
	t.Align = []table.Align{table.Left}
	for _, split := range r.Spec.Splits {
		for _, key := range []string{split + "/loss", r.key(split)} {
			values := a.Values(key)
			s := stats.Summarise(values, Confidence)
			t.Add(append(append([]string{key}, meanAndInterval(values, rangeOfKey(key))...), digits(s.Min), digits(s.Max))...)
		}
	}
	diverged, all := r.Diverged()
	if diverged > 0 {
		t.Note(fmt.Sprintf("%d of %s diverged and are left out.", diverged, seeds(all)))
	}
	t.Note(fmt.Sprintf("Intervals: Student's t over %s.", seeds(all-diverged)))
	return t
}

func meanAndInterval(values []float64, s span) []string {
	sum := summarise(values, s)
	if sum.N < 2 {
		return []string{digits(sum.Mean), "–"}
	}
	return []string{digits(sum.Mean), fmt.Sprintf("[%s, %s]", digits(sum.Lo), digits(sum.Hi))}
}

func digits(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "–"
	}
	return fmt.Sprintf("%.4g", v)
}

// Verdict says in words which rate is best, whether it lies at the edge of what
// was tried, and whether the next best is worse by more than chance.
func (r *SweepResult) Verdict() string {
	ranked := r.ranked()
	if len(ranked) == 0 {
		return "Every run diverged: try smaller rates."
	}
	best := ranked[0]
	text := fmt.Sprintf("Best rate by %s: %g", r.key("valid"), best.LR)
	switch last := len(r.Arms) - 1; {
	case last == 0:
		text += "."
	case best.LR == r.Arms[0].LR:
		text += fmt.Sprintf(", the smallest that was tried: a better one may lie below, so try %.2g too.", beyond(r.Arms[1].LR, best.LR))
	case best.LR == r.Arms[last].LR:
		text += fmt.Sprintf(", the largest that was tried: a better one may lie above, so try %.2g too.", beyond(r.Arms[last-1].LR, best.LR))
	default:
		text += ", inside the range that was tried."
	}
	if len(ranked) < 2 {
		return text
	}
	now, next := best.Values(r.key("valid")), ranked[1].Values(r.key("valid"))
	if !r.Spec.Metric.HigherIsBetter() {
		now, next = next, now
	}
	p := stats.Paired(now, next, Confidence)
	switch {
	case p.N < 2:
		return text + fmt.Sprintf(" With so few seeds, nothing says that it is better than %g by more than chance.", ranked[1].LR)
	case p.Lo > 0:
		return text + fmt.Sprintf(" It is better than the next, %g, by %s.", ranked[1].LR, r.apart(p))
	}
	return text + fmt.Sprintf(" Whether it is better than the next, %g, is undecided: the difference is %s.", ranked[1].LR, r.apart(p))
}

// apart is a paired difference with its interval, cut to what is possible.
func (r *SweepResult) apart(p stats.PairedResult) string {
	p.Lo, p.Hi = rangeOf(r.Spec.Metric).differences().cut(p.Lo, p.Hi)
	return fmt.Sprintf("%.3g [%.3g, %.3g]", p.MeanDiff, p.Lo, p.Hi)
}

// beyond continues the way from one rate to the next by the same factor.
func beyond(from, to float64) float64 { return to * to / from }
