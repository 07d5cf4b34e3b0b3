package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/gophersnake/gophersnake/internal/logbook"
	"github.com/gophersnake/gophersnake/pkg/lab"
	"github.com/gophersnake/gophersnake/pkg/lab/table"
	"github.com/gophersnake/gophersnake/pkg/task"
	"github.com/gophersnake/gophersnake/tracker"
	"github.com/gophersnake/gophersnake/tracker/sysmon"
)

// runFlags are the flags of the command run.
type runFlags struct {
	task       string
	rung       string
	mixer      string
	set        []string
	print      bool
	name       string
	collection string
	resume     string
	from       string
	mode       string
	seed       uint64
	seeds      string
	rates      string
	workers    int
	checkpoint int
	monitor    time.Duration
}

// What gophersnake run --help says.
const (
	runHelp = `Trains one experiment and logs it. The experiment is a JSON file, - for the
standard input, or the defaults of --task; --rung or --mixer choose its model, and
--set changes any field by its path. The database keeps the config whole, so
that the run can be replayed.

--print writes the experiment as JSON and trains nothing: a file to edit. It leaves
out what is not used, above all:

  accumulate      batches whose gradients make one step
  stop.metric     "valid/loss" or another metric of the split valid, which ends the
                  run when it comes to stop.target, or has not improved by more than
                  stop.min_delta in stop.patience evaluations
  from            the checkpoint to start from; --from fills it in

--resume goes on with an interrupted run from its checkpoint, and comes out as if
it had never been interrupted.

--from RUN starts from the last checkpoint of a run, with its experiment as changed
by --task, --set or an EXPERIMENT.json. The new run is recorded as a child of RUN.
--mode continue takes over weights, optimiser and the number of steps: steps is the
total, and the learning rate that of the new schedule at the step. --mode weights
takes over the weights only and begins at step 0; --set from.redraw=head draws
parameters of that name anew.

--seeds and --rates train the experiment with every seed and learning rate, side by
side, and end in a table. Runs that the database holds are not done again: after
Ctrl-C, give the same command again.

A run that diverges is recorded as diverged, with what it logged, and the exit
code is 3; of several runs, it is said how many diverged.`
	runExamples = `  gophersnake run --task induction --rung mamba --set steps=500
  gophersnake run --task selective-copying --mixer gru --set model.mixer.state=64 --set seed=2
  gophersnake run --print > mine.json && gophersnake run mine.json --name mine
  gophersnake runs show RUN --config | gophersnake run - --set schedule.lr=0.01
  gophersnake run --resume RUN
  gophersnake run --task induction --seeds 5
  gophersnake run --task induction --rates 1e-3,3e-3,1e-2 --seeds 1,2,7
  gophersnake run --from RUN --set steps=4000
  gophersnake run --from RUN --mode weights --task text --set task.path=DIR --set schedule.lr=3e-4`
)

func (a *App) runCommand() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:     "run [EXPERIMENT.json | -]",
		Short:   "train one experiment",
		Long:    runHelp,
		Example: runExamples,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usage(cmd, fmt.Errorf("run takes one EXPERIMENT.json at most, got %s", counted(len(args), "argument")))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.run(cmd, f, args) },
	}
	f.bind(cmd)
	cmd.Long += choicesHelp()
	cmd.RegisterFlagCompletionFunc("resume", a.completeRun)
	cmd.RegisterFlagCompletionFunc("from", a.completeRun)
	return cmd
}

// bind declares the flags.
func (f *runFlags) bind(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.task, "task", "", "task whose defaults to start from (default selective-copying)")
	flags.StringVar(&f.rung, "rung", "", "model of this rung of the ladder")
	flags.StringVar(&f.mixer, "mixer", "", "the usual settings of this mixer")
	flags.StringArrayVar(&f.set, "set", nil, "FIELD=VALUE, as in model.d=32 or accumulate=4 (may be repeated)")
	flags.Uint64Var(&f.seed, "seed", 0, "short for --set seed=N")
	flags.StringVar(&f.seeds, "seeds", "", "one run a seed: 5 for seeds 1 to 5, or a `LIST` as in 1,2,7")
	flags.StringVar(&f.rates, "rates", "", "one run a learning rate of this `LIST`, as in 1e-3,3e-3,1e-2")
	flags.BoolVar(&f.print, "print", false, "write the experiment as JSON and train nothing")
	flags.StringVar(&f.name, "name", "", "name of the run (default TASK-MODEL-seedN)")
	flags.StringVar(&f.collection, "collection", "runs", "collection that the run belongs to")
	flags.StringVar(&f.resume, "resume", "", "go on with this interrupted RUN")
	flags.StringVar(&f.from, "from", "", "start from the last checkpoint of this `RUN`")
	flags.StringVar(&f.mode, "mode", string(lab.Continue), "what to take over with --from: continue or weights")
	flags.IntVar(&f.workers, "workers", 0, "cores, 0 for all")
	flags.DurationVar(&f.monitor, "monitor", 5*time.Second, "time between samples of CPU, memory and GPU, 0 for none")
	flags.IntVar(&f.checkpoint, "checkpoint-every", 1000, "steps between checkpoints that survive a crash, 0 for none")
	completeFrom(cmd, "task", texts(task.Names()))
	completeFrom(cmd, "rung", lab.RungNames())
	completeFrom(cmd, "mode", texts(lab.OriginModes()))
	completeFrom(cmd, "mixer", texts(lab.Mixers()))
}

// run trains, resumes or prints one experiment, or trains it many times.
func (a *App) run(cmd *cobra.Command, f runFlags, args []string) error {
	if err := errors.Join(f.check(cmd, args), f.checkFrom(cmd), f.checkSweep(cmd)); err != nil {
		return err
	}
	if cmd.Flags().Changed("resume") {
		return a.resumeRun(cmd.Context(), f)
	}
	if cmd.Flags().Changed("seed") {
		f.set = append(slices.Clone(f.set), fmt.Sprintf("seed=%d", f.seed))
	}
	e, from, err := a.experimentAndOrigin(cmd, f, args)
	switch {
	case err != nil:
		return err
	case f.print:
		a.notePath(e)
		_, err := fmt.Fprintf(a.Out, "%s\n", indented(e.JSON()))
		return err
	case f.sweeps():
		return a.sweep(cmd, f, e, from)
	}
	return a.startRun(cmd.Context(), f, e, from)
}

// check refuses flags that are out of range or do not go with --resume.
func (f runFlags) check(cmd *cobra.Command, args []string) error {
	if f.monitor != 0 && (f.monitor < 10*time.Millisecond || f.monitor > time.Hour) {
		return usage(cmd, fmt.Errorf("--monitor is %v, want 0 or 10ms to 1h", f.monitor))
	}
	if err := notNegative(cmd, "workers", "checkpoint-every"); err != nil || !cmd.Flags().Changed("resume") {
		return err
	}
	if len(args) > 0 {
		return usage(cmd, fmt.Errorf("--resume goes on with a run as it is: it takes no experiment, got %q", args[0]))
	}
	for _, other := range []string{"task", "rung", "mixer", "set", "print", "name", "collection", "from", "mode", "seed", "seeds", "rates"} {
		if cmd.Flags().Changed(other) {
			return usage(cmd, errors.New("--resume goes on with a run as it is: it takes no experiment and no --"+other))
		}
	}
	return nil
}

// startRun trains an experiment anew.
func (a *App) startRun(ctx context.Context, f runFlags, e lab.Experiment, from origin) (err error) {
	if e, err = lab.Bind(e, nil); err != nil {
		return err
	}
	corpora := task.NewCache()
	if e, err = lab.Resolve(e, corpora); err != nil { // before there is a database
		return err
	}
	store, err := a.openForRuns()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	book, err := logbook.New(ctx, store)
	if err != nil {
		return err
	}
	rec, err := book.Start(lab.RunSpec{Experiment: f.collection, Name: f.runName(e, from), Config: e.JSON(), Hash: e.Hash(), Seed: e.Seed, Parent: from.run})
	if errors.Is(err, tracker.ErrInvalid) {
		err = &failure{err: err, hint: "--name and --collection name a run and the collection it belongs to", code: exitUsage}
	}
	if err != nil {
		return err
	}
	if from.run != "" && !a.quiet {
		fmt.Fprintln(a.Err, from.tell(e, false))
	}
	o := lab.Options{Workers: f.workers, Corpora: corpora, CheckpointEvery: f.checkpoint, From: from.checkpoint}
	return a.train(ctx, store, e, rec.(*logbook.Recorder), o, f.monitor)
}

// runName is the name of a run.
func (f runFlags) runName(e lab.Experiment, from origin) string {
	switch {
	case f.name != "":
		return f.name
	case from.run != "":
		return from.childName(e)
	}
	return fmt.Sprintf("%s-seed%d", f.armName(e), e.Seed)
}

// armName is what runs of an experiment with all seeds share: task and model.
func (f runFlags) armName(e lab.Experiment) string {
	model := f.rung
	if model == "" {
		model = string(e.Model.Mixer.Kind)
	}
	return fmt.Sprintf("%s-%s", e.Task.Name, model)
}

// resumeRun goes on with an interrupted run.
func (a *App) resumeRun(ctx context.Context, f runFlags) error {
	return a.withStore(func(store *tracker.Store) error {
		past, e, err := logbook.Past(ctx, store, f.resume)
		if past != nil {
			err = a.damagedHint(past.ID, err)
		}
		if err != nil {
			return err
		}
		switch {
		case past.Status == lab.Finished || past.Status == lab.Diverged:
			return hinted(fmt.Errorf("run %s has %s: there is nothing to resume", past.ID, past.Status), a.command("run --from "+past.ID+" --set steps=N")+" trains on from its end; replay does it again")
		case past.Checkpoint == nil:
			return hinted(fmt.Errorf("run %s left no checkpoint to go on from", past.ID),
				a.command("runs show "+past.ID+" --config")+" | gophersnake run - starts it anew")
		}
		if _, err := lab.Bind(e, nil); err != nil { // before the run is opened again
			return fmt.Errorf("run %s cannot be gone on with from the command line: %w", past.ID, err)
		}
		checkpoint, err := lab.DecodeCheckpoint(past.Checkpoint)
		if err != nil {
			return err
		}
		book, err := logbook.New(ctx, store)
		if err != nil {
			return err
		}
		rec, err := book.Resume(past, int64(checkpoint.Step))
		if err != nil {
			return err
		}
		o := lab.Options{Workers: f.workers, Resume: past.Checkpoint, CheckpointEvery: f.checkpoint}
		return a.train(ctx, store, e, rec.(*logbook.Recorder), o, f.monitor)
	})
}

// train carries out a run that is open in the database and shows what came of
// it. Every monitor, the state of the machine is logged under system/.
func (a *App) train(ctx context.Context, store *tracker.Store, e lab.Experiment, rec *logbook.Recorder, o lab.Options, monitor time.Duration) error {
	start := time.Now()
	info, err := store.Run(ctx, rec.ID())
	if err != nil {
		return err
	}
	if monitor > 0 {
		m, err := sysmon.Start(rec.Run(), sysmon.Options{Every: monitor})
		if err != nil {
			return err
		}
		defer m.Stop() // what it could not read is no failure of the training
	}
	p := a.singleProgress(info.Name, e.Steps)
	defer p.announceInterrupt(ctx)()
	p.say("run %s (%s), %d steps", info.ID, info.Name, e.Steps)
	sayCorpus(p, e, o.Corpora)
	o.Recorder, o.Progress = rec, a.watch(p, info.Name, e.Steps)
	result, err := lab.Run(ctx, e, o)
	p.close()
	if err != nil {
		if interrupted(err) {
			return &failure{err: fmt.Errorf("%w: run %s has written a checkpoint", errInterrupted, info.ID),
				hint: a.command("run --resume "+info.ID) + " goes on from there", code: exitInterrupted}
		}
		return err
	}
	t := table.New(fmt.Sprintf("%s %s: %s", info.ID, info.Name, result), "metric", "last value")
	for _, key := range slices.Sorted(maps.Keys(result.Final)) {
		t.Add(key, fmt.Sprintf("%.6g", result.Final[key]))
	}
	a.print(t)
	early := ""
	if result.Status == lab.Finished && result.Why != "" {
		early = ": " + result.Why
	}
	fmt.Fprintf(a.Out, "run %s %s in %s%s\n", info.ID, result.Status, time.Since(start).Round(100*time.Millisecond), early)
	if result.Status == lab.Diverged {
		return &failure{err: fmt.Errorf("run %s diverged at step %d: the loss was no finite number or stayed far above its start", info.ID, result.Steps),
			hint: "try a smaller schedule.lr; what was logged is in " + a.db, code: exitDiverged}
	}
	return nil
}

// singleProgress shows one run.
func (a *App) singleProgress(name string, steps int) *progress {
	if a.quiet {
		return newProgress(nil, false, name, int64(steps))
	}
	return newProgress(a.Err, width(a.Err) > 0, name, int64(steps))
}

// watch moves the bar of a single run, or says every tenth of it where it is.
func (a *App) watch(p *progress, name string, steps int) func(lab.Progress) {
	return func(s lab.Progress) {
		if p.bars != nil {
			p.single(s)
			return
		}
		if s.Step%max(1, steps/10) == 0 || s.Step == steps {
			p.say("step %d/%d, loss %.3f, %.0f tokens/s", s.Step, s.Steps, s.Loss, s.TokensPerSecond)
		}
	}
}
