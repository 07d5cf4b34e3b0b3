package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/gophersnake/gophersnake/internal/logbook"
	"github.com/gophersnake/gophersnake/pkg/lab"
	"github.com/gophersnake/gophersnake/pkg/task"
	"github.com/gophersnake/gophersnake/tracker"
)

// ladderFlags are the flags of the command ladder.
type ladderFlags struct {
	preset     string
	tasks      []string
	rungs      []string
	seeds      int
	steps      int
	workers    int
	checkpoint int
	out        string
	fresh      bool
}

func (a *App) ladderCommand() *cobra.Command {
	var f ladderFlags
	cmd := &cobra.Command{
		Use:   "ladder",
		Short: "train every rung of the ladder and compare them",
		Long: `Trains every rung, from the convolution to Mamba, on every task of a preset:
first a search over learning rates with the same budget for each rung, on seeds
that are not reported, then the reported seeds with the best rate. Every run goes
to the database. Tables go to the standard output and, with figures (PNG and SVG),
to the folder --out.

Runs that the database already holds are not done again, and one that was
interrupted goes on from its checkpoint: after Ctrl-C, give the same command
again. --fresh starts a new collection (NAME.2, NAME.3, …); without it the newest
collection is gone on with.

  quick  5 seeds, 3 learning rates: directions, minutes on two cores
  full   8 seeds, 4 learning rates, 4 times the steps: hours`,
		Example: `  gophersnake ladder
  gophersnake ladder --task induction --rung lru --rung selective --rung mamba
  gophersnake ladder --preset full --workers 16 --db full.db --out full`,
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.ladder(cmd, f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.preset, "preset", "quick", "size of the study: quick or full")
	flags.StringSliceVar(&f.tasks, "task", nil, "only these tasks (may be repeated)")
	flags.StringSliceVar(&f.rungs, "rung", nil, "only these rungs (may be repeated)")
	flags.IntVar(&f.seeds, "seeds", 0, "reported seeds 1 to N instead of the preset's")
	flags.IntVar(&f.steps, "steps", 0, "training steps instead of the preset's")
	flags.IntVar(&f.workers, "workers", 0, "cores, 0 for all")
	flags.IntVar(&f.checkpoint, "checkpoint-every", 1000, "steps between checkpoints that survive a crash, 0 for none")
	flags.StringVar(&f.out, "out", "out", "folder for tables and figures")
	flags.BoolVar(&f.fresh, "fresh", false, "use nothing that the database holds")
	completeFrom(cmd, "preset", lab.PresetNames())
	completeFrom(cmd, "task", texts(lab.PresetTasks()))
	completeFrom(cmd, "rung", lab.RungNames())
	return cmd
}

// texts returns typed strings as plain ones.
func texts[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = string(v)
	}
	return out
}

// resolve turns the flags into studies.
func (f ladderFlags) resolve(cmd *cobra.Command) (lab.Preset, error) {
	err := oneOf(cmd, "preset", f.preset, lab.PresetNames())
	for _, list := range []string{"task", "rung"} { // an empty variable of a script must not mean all of them
		if v, _ := cmd.Flags().GetStringSlice(list); cmd.Flags().Changed(list) && len(v) == 0 {
			err = errors.Join(err, usage(cmd, fmt.Errorf("--%s is empty; leave it out for all", list)))
		}
	}
	for _, t := range f.tasks {
		err = errors.Join(err, oneOf(cmd, "task", t, texts(lab.PresetTasks())))
	}
	for _, r := range f.rungs {
		err = errors.Join(err, oneOf(cmd, "rung", r, lab.RungNames()))
	}
	if f.seeds < 0 || f.seeds > 1000 {
		err = errors.Join(err, usage(cmd, fmt.Errorf("--seeds is %d, want 1 to 1000, or 0 for the preset's", f.seeds)))
	}
	if err = errors.Join(err, notNegative(cmd, "steps", "workers", "checkpoint-every")); err != nil {
		return lab.Preset{}, err
	}
	preset, err := lab.NewPreset(f.preset, f.tasks, f.rungs)
	for i := range preset.Studies {
		f.cut(&preset.Studies[i])
	}
	return preset, err
}

// cut changes a study's seeds and steps as the flags say. Tuning runs keep
// their share of the steps.
func (f ladderFlags) cut(s *lab.StudyConfig) {
	if f.seeds > 0 {
		s.Seeds = nil
		for i := range f.seeds {
			s.Seeds = append(s.Seeds, uint64(i+1))
		}
	}
	if f.steps == 0 {
		return
	}
	for i := range s.Arms {
		e := &s.Arms[i].Experiment
		if i == 0 && s.TuneSteps > 0 {
			s.TuneSteps = max(1, s.TuneSteps*f.steps/e.Steps)
		}
		e.Steps, e.EvalEvery = f.steps, max(1, f.steps/10)
	}
}

// studySize returns the number of runs and training steps of a study.
func studySize(s lab.StudyConfig) (runs int, steps int64) {
	for _, a := range s.Arms {
		runs += len(s.Seeds)
		steps += int64(len(s.Seeds) * a.Experiment.Steps)
		if len(s.LRs) > 1 {
			tries, each := len(s.LRs)*len(s.TuneSeeds), s.TuneSteps
			if each == 0 {
				each = a.Experiment.Steps
			}
			runs += tries
			steps += int64(tries * each)
		}
	}
	return runs, steps
}

// ladder carries out the studies of a preset.
func (a *App) ladder(cmd *cobra.Command, f ladderFlags) (err error) {
	preset, err := f.resolve(cmd)
	if err != nil {
		return err
	}
	if err := writableDir(f.out); err != nil {
		return err
	}
	store, err := a.openForRuns()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	ctx := cmd.Context()
	book, err := logbook.New(ctx, store)
	if err != nil {
		return err
	}
	l := &ladderRun{app: a, flags: f, store: store, book: book, corpora: task.NewCache(), start: time.Now()}
	for _, s := range preset.Studies {
		runs, _ := studySize(s)
		l.all += runs
	}
	for i, s := range preset.Studies {
		if err := l.study(ctx, s, fmt.Sprintf("%s, task %d of %d", s.Arms[0].Experiment.Task.Name, i+1, len(preset.Studies))); err != nil {
			return l.explain(err)
		}
	}
	return l.finish(ctx, preset)
}

// ladderRun is the command ladder under way.
type ladderRun struct {
	app     *App
	flags   ladderFlags
	store   *tracker.Store
	book    *logbook.Book
	corpora *task.Cache
	start   time.Time
	all     int // runs of all studies
	before  int // runs of the studies that are complete
	reused  int // runs found in the database
	told    int // of them, those that a line has told of
	ended   int // runs that ended, reused ones included
	results []*lab.StudyResult
	names   []string // file names of the results
}

// study carries out one study and shows what came of it.
func (l *ladderRun) study(ctx context.Context, s lab.StudyConfig, title string) error {
	name := s.Name
	collection, err := logbook.Collection(ctx, l.store, name, l.flags.fresh)
	if err != nil {
		return err
	}
	s.Name = collection
	runs, steps := studySize(s)
	var w io.Writer = l.app.Err
	if l.app.quiet {
		w = nil
	}
	p := newProgress(w, width(l.app.Err) > 0, title, steps)
	defer p.announceInterrupt(ctx)()
	p.say("%s: %d runs", collection, runs)
	result, err := lab.RunStudy(ctx, s, lab.StudyOptions{Book: l.book, Workers: l.flags.workers, Corpora: l.corpora,
		CheckpointEvery: l.flags.checkpoint, Progress: func(e lab.StudyEvent) { l.event(p, s, e) }})
	l.tellReused(p)
	p.close()
	if err != nil {
		return err
	}
	l.before += runs
	l.results = append(l.results, result)
	l.names = append(l.names, fileName(name))
	return l.show(result, fileName(name))
}

// event shows what a run has come to.
func (l *ladderRun) event(p *progress, s lab.StudyConfig, e lab.StudyEvent) {
	label := runLabel(e)
	if !e.Done {
		p.step(label, e.Progress)
		return
	}
	if !e.Reused {
		l.tellReused(p)
	}
	l.ended++
	steps := s.Arms[0].Experiment.Steps
	if e.Tuning && s.TuneSteps > 0 {
		steps = s.TuneSteps
	}
	p.end(label, steps, e.Reused)
	if e.Reused {
		l.reused++
		return
	}
	p.say("[%d/%d] %s: %s%s", l.before+e.Runs, l.all, label, e.Status, outcome(e))
}

// tellReused says in one line how many runs were found since the last such line.
func (l *ladderRun) tellReused(p *progress) {
	if n := l.reused - l.told; n > 0 {
		p.say("[%d/%d] %d runs found in %s", l.ended, l.all, n, l.app.db)
		l.told = l.reused
	}
}

func runLabel(e lab.StudyEvent) string {
	if e.Tuning {
		return fmt.Sprintf("%s tuning lr %g seed %d", e.Arm, e.LR, e.Seed)
	}
	return fmt.Sprintf("%s seed %d", e.Arm, e.Seed)
}

// outcome is the result of a run that has ended: ", test/accuracy 0.991 (2.1 s)".
func outcome(e lab.StudyEvent) string {
	r := e.Result
	if r == nil {
		return ""
	}
	key := "test/" + string(task.SpecOf(r.Experiment.Task).Metric)
	if e.Tuning { // what the learning rate is chosen by
		key = "valid/" + string(task.SpecOf(r.Experiment.Task).Metric)
	}
	took := fmt.Sprintf(" (%.1f s)", r.Seconds)
	if r.Status == lab.Diverged {
		return fmt.Sprintf(" at step %d%s", r.Steps, took)
	}
	if v, ok := r.Final[key]; ok {
		return fmt.Sprintf(", %s %.3f%s", key, v, took)
	}
	return took
}

// explain says how to go on after an interruption.
func (l *ladderRun) explain(err error) error {
	if !interrupted(err) {
		return err
	}
	again := "the same command again goes on from here"
	if l.flags.fresh {
		again = "the same command without --fresh goes on from here"
	}
	return &failure{err: fmt.Errorf("%w: %d of %d runs are in %s, those under way have written checkpoints", errInterrupted,
		l.ended, l.all, l.app.db), hint: again, code: exitInterrupted}
}
