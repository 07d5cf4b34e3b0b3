package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
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
	workers    int
	checkpoint int
	monitor    time.Duration
}

func (a *App) runCommand() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run [EXPERIMENT.json | -]",
		Short: "train one experiment",
		Long: `Trains one experiment and logs it. The experiment is a JSON file, - for the
standard input, or the defaults of --task; --rung or --mixer choose its model, and
--set changes any field by its path. The database keeps the config whole, so
that the run can be replayed.

--print writes the experiment as JSON and trains nothing: a file to edit.
--resume goes on with an interrupted run from its checkpoint, and comes out as if
it had never been interrupted.

A run that diverges is recorded as diverged, with what it logged, and the exit
code is 3.`,
		Example: `  gophersnake run --task induction --rung mamba --set steps=500
  gophersnake run --task selective-copying --mixer gru --set model.mixer.state=64 --set seed=2
  gophersnake run --print > mine.json && gophersnake run mine.json --name mine
  gophersnake runs show RUN --config | gophersnake run - --set schedule.lr=0.01
  gophersnake run --resume RUN`,
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
	return cmd
}

// bind declares the flags.
func (f *runFlags) bind(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.task, "task", "", "task whose defaults to start from (default selective-copying)")
	flags.StringVar(&f.rung, "rung", "", "model of this rung of the ladder")
	flags.StringVar(&f.mixer, "mixer", "", "the usual settings of this mixer")
	flags.StringArrayVar(&f.set, "set", nil, "FIELD=VALUE, as in model.d=32 (may be repeated)")
	flags.BoolVar(&f.print, "print", false, "write the experiment as JSON and train nothing")
	flags.StringVar(&f.name, "name", "", "name of the run (default TASK-MODEL-seedN)")
	flags.StringVar(&f.collection, "collection", "runs", "collection that the run belongs to")
	flags.StringVar(&f.resume, "resume", "", "go on with this interrupted RUN")
	flags.IntVar(&f.workers, "workers", 0, "cores, 0 for all")
	flags.DurationVar(&f.monitor, "monitor", 5*time.Second, "time between samples of CPU, memory and GPU, 0 for none")
	flags.IntVar(&f.checkpoint, "checkpoint-every", 1000, "steps between checkpoints that survive a crash, 0 for none")
	completeFrom(cmd, "task", texts(task.Names()))
	completeFrom(cmd, "rung", lab.RungNames())
	completeFrom(cmd, "mixer", texts(lab.Mixers()))
}

// run trains, resumes or prints one experiment.
func (a *App) run(cmd *cobra.Command, f runFlags, args []string) error {
	if f.monitor != 0 && (f.monitor < 10*time.Millisecond || f.monitor > time.Hour) {
		return usage(cmd, fmt.Errorf("--monitor is %v, want 0 or 10ms to 1h", f.monitor))
	}
	if err := notNegative(cmd, "workers", "checkpoint-every"); err != nil {
		return err
	}
	if cmd.Flags().Changed("resume") {
		if len(args) > 0 {
			return usage(cmd, fmt.Errorf("--resume goes on with a run as it is: it takes no experiment, got %q", args[0]))
		}
		for _, other := range []string{"task", "rung", "mixer", "set", "print", "name", "collection"} {
			if cmd.Flags().Changed(other) {
				return usage(cmd, errors.New("--resume goes on with a run as it is: it takes no experiment and no --"+other))
			}
		}
		return a.resumeRun(cmd.Context(), f)
	}
	e, err := a.experiment(cmd, f, args)
	if err != nil {
		return err
	}
	if f.print {
		_, err := fmt.Fprintf(a.Out, "%s\n", indented(e.JSON()))
		return err
	}
	return a.startRun(cmd.Context(), f, e)
}

// experiment builds the experiment that arguments and flags describe.
func (a *App) experiment(cmd *cobra.Command, f runFlags, args []string) (lab.Experiment, error) {
	var none lab.Experiment
	if len(args) > 0 && f.task != "" {
		return none, usage(cmd, errors.New("--task and a file both say where to start from: give one of them"))
	}
	if f.rung != "" && f.mixer != "" {
		return none, usage(cmd, errors.New("--rung and --mixer both choose the model: give one of them"))
	}
	e, err := a.baseExperiment(cmd, f, args)
	if err != nil {
		return none, err
	}
	if f.rung != "" || f.mixer != "" {
		// A rung's sizes follow from the width, so what is not about the model's inside is set first.
		if e, err = e.Set(slices.DeleteFunc(slices.Clone(f.set), insideModel)...); err != nil {
			return none, hintSet(f.set, err)
		}
		if e, err = chooseModel(cmd, f, e); err != nil {
			return none, err
		}
	}
	if e, err = e.Set(f.set...); err != nil {
		return none, hintSet(f.set, err)
	}
	return e, e.Validate()
}

// insideModel reports whether an assignment is about mixer or block.
func insideModel(assignment string) bool {
	return strings.HasPrefix(assignment, "model.mixer.") || strings.HasPrefix(assignment, "model.block.")
}

// hintSet says how to change a choice that other fields depend on. What --set
// gets wrong is a mistake of the command line.
func hintSet(set []string, err error) error {
	hint := "gophersnake run --print shows every field"
	if strings.Contains(err.Error(), "run --print") { // said already
		hint = ""
	}
	for _, s := range set {
		switch {
		case strings.HasPrefix(s, "task.name="):
			hint = "--task starts from the defaults of a task"
		case strings.HasPrefix(s, "model.mixer.kind="):
			hint = "--mixer starts from the usual settings of a mixer"
		}
	}
	return &failure{err: err, hint: hint, code: exitUsage}
}

// baseExperiment is the file's experiment or the task's default one.
func (a *App) baseExperiment(cmd *cobra.Command, f runFlags, args []string) (lab.Experiment, error) {
	if len(args) == 0 {
		name := f.task
		if name == "" {
			name = string(task.SelectiveCopying)
		}
		if err := oneOf(cmd, "task", name, texts(task.Names())); err != nil {
			return lab.Experiment{}, err
		}
		return lab.DefaultExperiment(task.Name(name)), nil
	}
	const hint = "gophersnake run --print > mine.json makes one to start from"
	var data []byte
	var err error
	from := args[0]
	if from == "-" {
		from = "the standard input"
		data, err = io.ReadAll(a.In)
	} else {
		data, err = os.ReadFile(from)
	}
	if err != nil {
		return lab.Experiment{}, hinted(fmt.Errorf("experiment: %w", err), hint)
	}
	e, err := lab.ParseExperiment(data)
	if err != nil {
		err = hinted(fmt.Errorf("%s is no valid experiment:\n%w", from, err), hint)
	}
	return e, err
}

// chooseModel puts the model of --rung or --mixer into e.
func chooseModel(cmd *cobra.Command, f runFlags, e lab.Experiment) (lab.Experiment, error) {
	if f.rung != "" {
		if err := oneOf(cmd, "rung", f.rung, lab.RungNames()); err != nil {
			return e, err
		}
		r, err := lab.RungNamed(f.rung)
		if err != nil {
			return e, err
		}
		return r.On(e)
	}
	err := oneOf(cmd, "mixer", f.mixer, texts(lab.Mixers()))
	e.Model.Mixer = lab.DefaultMixer(lab.MixerKind(f.mixer))
	return e, err
}

// startRun trains an experiment anew.
func (a *App) startRun(ctx context.Context, f runFlags, e lab.Experiment) (err error) {
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
	if f.name == "" {
		model := f.rung
		if model == "" {
			model = string(e.Model.Mixer.Kind)
		}
		f.name = fmt.Sprintf("%s-%s-seed%d", e.Task.Name, model, e.Seed)
	}
	rec, err := book.Start(lab.RunSpec{Experiment: f.collection, Name: f.name, Config: e.JSON(), Hash: e.Hash(), Seed: e.Seed})
	if errors.Is(err, tracker.ErrInvalid) {
		err = &failure{err: err, hint: "--name and --collection name a run and the collection it belongs to", code: exitUsage}
	}
	if err != nil {
		return err
	}
	o := lab.Options{Workers: f.workers, Corpora: corpora, CheckpointEvery: f.checkpoint}
	return a.train(ctx, store, e, rec.(*logbook.Recorder), o, f.monitor)
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
			return hinted(fmt.Errorf("run %s has %s: there is nothing to resume", past.ID, past.Status), a.command("replay "+past.ID)+" does it again")
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
	fmt.Fprintf(a.Out, "run %s %s in %s\n", info.ID, result.Status, time.Since(start).Round(100*time.Millisecond))
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
