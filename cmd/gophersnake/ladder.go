package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
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
	seedFrom   int
	render     string
	against    string
	equal      string
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

Every arm has mamba's number of parameters within two per cent, and the same
tuning: four learning rates on four seeds, of which the smallest is taken whose
mean on "valid" lies within one standard error of the best.

  quick  8 reported seeds; on text only the rungs that carry the story: minutes
         on two cores
  full   10 seeds, all rungs, two to five times the steps, more learning rates where
         the best lies at the edge, the recurrences once more at equal state: about
         an hour on two cores

--render makes the tables and figures from a record that an earlier ladder wrote
(ladder-PRESET.json) and trains nothing; --against, beside it, holds the words of
its steps against those of another record, with other seeds.`,
		Example: `  gophersnake ladder
  gophersnake ladder --task induction --rung lru --rung selective --rung mamba
  gophersnake ladder --preset full --workers 16 --db full.db --out full
  gophersnake ladder --first-seed 101 --db again.db --out again     # do other seeds say the same?
  gophersnake ladder --render out/ladder-quick.json --against again/ladder-quick.json`,
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.ladder(cmd, f) },
	}
	cmd.Long += ladderHelp()
	flags := cmd.Flags()
	flags.StringVar(&f.preset, "preset", "quick", "size of the study: quick or full")
	flags.StringSliceVar(&f.tasks, "task", nil, "only these tasks (may be repeated)")
	flags.StringSliceVar(&f.rungs, "rung", nil, "only these rungs (may be repeated)")
	flags.StringVar(&f.equal, "equal", "", "only the view at equal parameters, or at equal state")
	flags.IntVar(&f.seeds, "seeds", 0, "number of reported seeds, 0 for the preset's")
	flags.IntVar(&f.seedFrom, "first-seed", 1, "first of the reported seeds; those that tune begin 1000 higher")
	flags.IntVar(&f.steps, "steps", 0, "training steps, 0 for the preset's")
	flags.IntVar(&f.workers, "workers", 0, "cores, 0 for all")
	flags.IntVar(&f.checkpoint, "checkpoint-every", 1000, "steps between checkpoints that survive a crash, 0 for none")
	flags.StringVar(&f.out, "out", "out", "folder for tables and figures")
	flags.BoolVar(&f.fresh, "fresh", false, "use nothing that the database holds")
	flags.StringVar(&f.render, "render", "", "make tables and figures from this record, and train nothing")
	flags.StringVar(&f.against, "against", "", "with --render: another record whose words to compare")
	completeFrom(cmd, "preset", lab.PresetNames())
	completeFrom(cmd, "equal", texts(lab.Sizings()))
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
	if cmd.Flags().Changed("equal") {
		err = errors.Join(err, oneOf(cmd, "equal", f.equal, texts(lab.Sizings())))
	}
	if f.seeds < 0 || f.seeds > 1000 { // tuning seeds follow 1000 later
		err = errors.Join(err, usage(cmd, fmt.Errorf("--seeds is %d, want 1 to 1000, or 0 for the preset's", f.seeds)))
	}
	if f.seedFrom < 1 || f.seedFrom > 1_000_000 {
		err = errors.Join(err, usage(cmd, fmt.Errorf("--first-seed is %d, want 1 to 1000000", f.seedFrom)))
	}
	if err = errors.Join(err, notNegative(cmd, "steps", "workers", "checkpoint-every")); err != nil {
		return lab.Preset{}, err
	}
	preset, err := lab.NewPreset(f.preset, f.tasks, f.rungs)
	if f.equal != "" {
		preset.Studies = slices.DeleteFunc(preset.Studies, func(s lab.StudyConfig) bool { return s.About != "equal "+f.equal })
	}
	if err == nil && len(preset.Studies) == 0 {
		err = usage(cmd, fmt.Errorf("preset %s has no view with equal %s of these tasks and rungs", f.preset, f.equal))
	}
	for i := range preset.Studies {
		f.cut(&preset.Studies[i])
	}
	return preset, err
}

// cut changes a study's seeds and steps as the flags say. Tuning runs keep
// their share of the steps.
func (f ladderFlags) cut(s *lab.StudyConfig) {
	n := len(s.Seeds)
	if f.seeds > 0 {
		n = f.seeds
	}
	s.Seeds = slices.Clone(s.Seeds[:0])
	for i := range n {
		s.Seeds = append(s.Seeds, uint64(f.seedFrom+i))
	}
	tuning := len(s.TuneSeeds)
	s.TuneSeeds = nil
	for i := range tuning { // beyond the reported ones, however many these are
		s.TuneSeeds = append(s.TuneSeeds, uint64(f.seedFrom+1000+i))
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

// collection names the runs of a study: those of other steps or seeds than the
// preset's are a history of their own, so that questions to the preset's runs have
// no others among their answers. More of the same seeds stay.
func (f ladderFlags) collection(name string) string {
	preset, task, _ := strings.Cut(name, "/")
	if f.seedFrom != 1 {
		preset += fmt.Sprintf("-seeds%d", f.seedFrom)
	}
	if f.steps > 0 {
		preset += fmt.Sprintf("-steps%d", f.steps)
	}
	return preset + "/" + task
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

// stepWork is what a training step of a study costs in comparison with those of
// others: the symbols that it reads.
func stepWork(s lab.StudyConfig) int64 {
	t := s.Arms[0].Experiment.Task
	return int64(t.Batch * task.SpecOf(t).Length)
}

// ladder carries out the studies of a preset.
func (a *App) ladder(cmd *cobra.Command, f ladderFlags) (err error) {
	if cmd.Flags().Changed("render") {
		return a.renderLadder(cmd, f)
	}
	if cmd.Flags().Changed("against") {
		return usage(cmd, errors.New("--against compares two records: it wants --render RECORD beside it"))
	}
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
	if err := l.studies(ctx, preset); err != nil {
		return l.explain(err)
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
	p       *progress // of all studies together
	all     int       // runs of all studies, as far as they are known
	before  int       // runs of the studies that are complete
	current int       // runs of the study under way
	reused  int       // runs found in the database
	told    int       // of them, those that a line has told of
	ended   int       // runs that ended, reused ones included
	results []*lab.StudyResult
	runsOf  []string // the collection of each result's runs
}

// studies carries out every study under one bar, and shows what came of each.
func (l *ladderRun) studies(ctx context.Context, preset lab.Preset) error {
	var work int64
	for _, s := range preset.Studies {
		runs, steps := studySize(s)
		l.all += runs
		work += steps * stepWork(s)
	}
	var w io.Writer = l.app.Err
	if l.app.quiet {
		w = nil
	}
	l.p = newProgress(w, width(l.app.Err) > 0, "ladder", work)
	defer l.p.announceInterrupt(ctx)()
	defer l.p.close()
	for i, s := range preset.Studies {
		l.p.turn(fmt.Sprintf("%s, %d of %d", s.Arms[0].Experiment.Task.Name, i+1, len(preset.Studies)), stepWork(s))
		if err := l.study(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// study carries out one study.
func (l *ladderRun) study(ctx context.Context, s lab.StudyConfig) error {
	collection, err := logbook.Collection(ctx, l.store, l.flags.collection(s.Name), l.flags.fresh)
	if err != nil {
		return err
	}
	name := s.Name
	s.Name = collection
	l.current, _ = studySize(s)
	l.p.say("%s: %d runs", collection, l.current)
	result, err := lab.RunStudy(ctx, s, lab.StudyOptions{Book: l.book, Workers: l.flags.workers, Corpora: l.corpora,
		CheckpointEvery: l.flags.checkpoint, Progress: func(e lab.StudyEvent) { l.event(s, e) }})
	l.tellReused()
	if err != nil {
		return err
	}
	l.before += l.current
	result.Config.Name = name // files are named alike, whatever collection it is
	l.results, l.runsOf = append(l.results, result), append(l.runsOf, collection)
	l.show(result)
	return nil
}

// event shows what a run has come to.
func (l *ladderRun) event(s lab.StudyConfig, e lab.StudyEvent) {
	label := runLabel(e)
	if !e.Done {
		l.p.step(label, e.Progress)
		return
	}
	steps := s.Arms[0].Experiment.Steps
	if e.Tuning && s.TuneSteps > 0 {
		steps = s.TuneSteps
	}
	if more := e.All - l.current; more > 0 && e.Tuning { // the grid of learning rates has grown
		l.p.say("%s: the best rate of an arm lies at the edge: %d further runs at other rates", s.Name, more)
		l.p.grow(int64(more*steps) * stepWork(s))
		l.all, l.current = l.all+more, e.All
	}
	if !e.Reused {
		l.tellReused()
	}
	l.ended++
	l.p.end(label, steps, e.Reused)
	if e.Reused {
		l.reused++
		return
	}
	l.p.say("[%d/%d] %s: %s%s", l.before+e.Runs, l.all, label, e.Status, outcome(e))
}

// tellReused says in one line how many runs were found since the last such line.
func (l *ladderRun) tellReused() {
	if n := l.reused - l.told; n > 0 {
		l.p.say("[%d/%d] %d runs found in %s", l.ended, l.all, n, l.app.db)
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
