package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gophersnake/gophersnake/internal/logbook"
	"github.com/gophersnake/gophersnake/pkg/lab"
	"github.com/gophersnake/gophersnake/pkg/task"
	"github.com/gophersnake/gophersnake/tracker"
)

// sweeps reports whether the flags ask for several runs.
func (f runFlags) sweeps() bool { return f.seeds != "" || f.rates != "" }

// checkSweep refuses lists that are none and flags that say the same twice.
func (f runFlags) checkSweep(cmd *cobra.Command) error {
	changed := cmd.Flags().Changed
	for _, c := range [][2]string{{"seed", "seed"}, {"seeds", "seed"}, {"rates", "schedule.lr"}} {
		if changed(c[0]) && slices.ContainsFunc(f.set, func(s string) bool { return strings.HasPrefix(s, c[1]+"=") }) {
			return usage(cmd, fmt.Errorf("--%s and --set %s= say the same: give one of them", c[0], c[1]))
		}
	}
	if changed("seed") && changed("seeds") {
		return usage(cmd, errors.New("--seed and --seeds both choose seeds: give one of them"))
	}
	if !changed("seeds") && !changed("rates") {
		return nil
	}
	for _, other := range []string{"print", "monitor"} {
		if changed(other) {
			return usage(cmd, fmt.Errorf("--%s is for one run: it does not go with --seeds and --rates", other))
		}
	}
	var err error
	if changed("seeds") {
		_, err = f.seedList()
	}
	if changed("rates") {
		_, more := f.rateList()
		err = errors.Join(err, more)
	}
	return usage(cmd, err)
}

// mostSeeds keeps a slip of the keyboard from starting a million runs.
const mostSeeds = 1000

// seedList reads --seeds: a number of seeds from 1 on, or a list of them.
func (f runFlags) seedList() ([]uint64, error) {
	want := fmt.Errorf("--seeds is %q, want a number from 1 to %d, as in 5 for seeds 1 to 5, or a list of seeds as in 1,2,7", f.seeds, mostSeeds)
	var seeds []uint64
	for _, text := range entries(f.seeds) {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil || slices.Contains(seeds, n) {
			return nil, want
		}
		seeds = append(seeds, n)
	}
	if len(seeds) == 0 || len(seeds) > mostSeeds {
		return nil, want
	}
	if strings.Contains(f.seeds, ",") {
		return seeds, nil
	}
	n := seeds[0]
	if n < 1 || n > mostSeeds {
		return nil, want
	}
	seeds = nil
	for i := range n {
		seeds = append(seeds, i+1)
	}
	return seeds, nil
}

// rateList reads --rates.
func (f runFlags) rateList() ([]float64, error) {
	want := fmt.Errorf("--rates is %q, want a list of different learning rates above 0 as in 1e-3,3e-3,1e-2", f.rates)
	var rates []float64
	for _, text := range entries(f.rates) {
		r, err := strconv.ParseFloat(text, 64)
		if err != nil || !(r > 0) || math.IsInf(r, 0) || slices.Contains(rates, r) {
			return nil, want
		}
		rates = append(rates, r)
	}
	if len(rates) == 0 {
		return nil, want
	}
	return rates, nil
}

// entries cuts a list at its commas; one behind the last value is allowed.
func entries(text string) []string {
	if text = strings.TrimSuffix(text, ","); text == "" {
		return nil
	}
	parts := strings.Split(text, ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}

// sweep trains an experiment with every seed and rate.
func (a *App) sweep(cmd *cobra.Command, f runFlags, e lab.Experiment, from origin) (err error) {
	ctx, corpora := cmd.Context(), task.NewCache()
	if e, err = lab.Bind(e, nil); err != nil {
		return err
	}
	if e, err = lab.Resolve(e, corpora); err != nil { // before there is a database
		return err
	}
	c := lab.SweepConfig{Name: f.collection, Arm: lab.Arm{Name: f.name, Experiment: e}}
	switch {
	case f.name != "":
	case from.run != "":
		c.Arm.Name = from.childName(e)
	default:
		c.Arm.Name = f.armName(e)
	}
	if f.seeds != "" {
		c.Seeds, _ = f.seedList()
	}
	if f.rates != "" {
		c.Rates, _ = f.rateList()
	}
	if err := c.Validate(); err != nil {
		return &failure{err: err, hint: cmd.CommandPath() + " --help", code: exitUsage}
	}
	store, err := a.openForRuns()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if err := ownGroups(ctx, store, c); err != nil {
		return err
	}
	book, err := logbook.New(ctx, store)
	if err != nil {
		return err
	}
	if from.run != "" && !a.quiet {
		fmt.Fprintln(a.Err, from.tell(e, f.rates != ""))
	}
	s := &sweepRun{app: a, config: c, all: len(c.Groups()) * max(1, len(c.Seeds))}
	return s.carryOut(ctx, book, lab.StudyOptions{Book: book, Workers: f.workers, Corpora: corpora, CheckpointEvery: f.checkpoint})
}

// ownGroups refuses to put runs into a group that holds runs of another
// experiment: the means of the group would be of neither.
func ownGroups(ctx context.Context, store *tracker.Store, c lab.SweepConfig) error {
	for i, group := range c.Groups() {
		runs, err := store.Runs(ctx, tracker.Filter{Experiment: c.Name, Group: group})
		if errors.Is(err, tracker.ErrNotFound) {
			return nil // the collection is new
		}
		if err != nil {
			return err
		}
		want := c.Experiment(i)
		seen := map[string]bool{}
		for _, r := range runs {
			if seen[r.ArmSHA256] {
				continue
			}
			seen[r.ArmSHA256] = true
			was, err := logbook.Experiment(ctx, store, r.ID)
			if err != nil {
				return err
			}
			was.Seed = want.Seed
			if diff := lab.Diff(was, want); len(diff) > 0 {
				return &failure{err: fmt.Errorf("the group %s of the collection %s holds runs of another experiment: %s", group, c.Name, joinedChanges(diff)),
					hint: "--name NAME keeps the two apart; --collection NAME begins a collection", code: exitUsage}
			}
		}
	}
	return nil
}

// joinedChanges lists the first differences of two experiments.
func joinedChanges(diff []lab.Change) string {
	const most = 3
	var parts []string
	for _, d := range diff[:min(most, len(diff))] {
		parts = append(parts, d.String())
	}
	if more := len(diff) - most; more > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(parts, ", ")
}

// sweepRun is a sweep under way.
type sweepRun struct {
	app    *App
	config lab.SweepConfig
	all    int // runs
	ended  int // of them, reused ones included
	reused int
}

// carryOut runs the sweep and shows what came of it.
func (s *sweepRun) carryOut(ctx context.Context, book *logbook.Book, o lab.StudyOptions) error {
	var w io.Writer = s.app.Err
	if s.app.quiet {
		w = nil
	}
	steps := s.config.Arm.Experiment.Steps
	p := newProgress(w, width(s.app.Err) > 0, s.config.Arm.Name, int64(s.all*steps))
	defer p.announceInterrupt(ctx)()
	p.say("%s: %s of %d steps", s.config.Arm.Name, counted(s.all, "run"), steps)
	o.Progress = func(e lab.StudyEvent) { s.event(p, e) }
	result, err := lab.RunSweep(ctx, s.config, o)
	p.close()
	if interrupted(err) {
		return &failure{err: fmt.Errorf("%w: %d of %d runs are in %s, those under way have written checkpoints", errInterrupted, s.ended, s.all, s.app.db),
			hint: "the same command again goes on from here", code: exitInterrupted}
	}
	if err != nil {
		return err
	}
	for _, note := range book.Notes() {
		fmt.Fprintf(s.app.Err, "note: %s\n", note)
	}
	s.show(result)
	return nil
}

// event shows where a run stands or what it has come to.
func (s *sweepRun) event(p *progress, e lab.StudyEvent) {
	label := runLabel(e)
	if !e.Done {
		p.step(label, e.Progress)
		return
	}
	s.ended++
	p.end(label, s.config.Arm.Experiment.Steps, e.Reused)
	if e.Reused {
		s.reused++
		p.say("[%d/%d] %s: found in %s", e.Runs, e.All, label, s.app.db)
		return
	}
	p.say("[%d/%d] %s: %s%s%s", e.Runs, e.All, label, e.Status, early(e.Result), outcome(e))
}

// early is " early" for a run that stopped before its last step.
func early(r *lab.Result) string {
	if r.Status == lab.Finished && r.Steps < r.Experiment.Steps {
		return " early"
	}
	return ""
}

// show prints the table and how to ask for the runs again.
func (s *sweepRun) show(r *lab.SweepResult) {
	s.app.print(r.Table())
	diverged, all := r.Diverged()
	fmt.Fprintf(s.app.Out, "%s in the collection %s, %d of them found there; %d diverged\n", counted(all, "run"), s.config.Name, s.reused, diverged)
	if s.app.quiet {
		return
	}
	where := fmt.Sprintf("group = \"%s\"", s.config.Arm.Name)
	if len(s.config.Rates) > 0 {
		where = fmt.Sprintf("group like \"%s-lr%%\"", s.config.Arm.Name)
	}
	metric := "metrics.`valid/" + string(r.Spec.Metric) + "`"
	fmt.Fprintf(s.app.Err, "hint: %s\n", s.app.command(fmt.Sprintf("query 'select group, mean(%s), ci95(%s), n() from `%s` where %s and tags.phase = \"report\" group by group'",
		metric, metric, s.config.Name, where)))
}
