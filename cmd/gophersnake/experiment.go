package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gophersnake/gophersnake/pkg/lab"
	"github.com/gophersnake/gophersnake/pkg/task"
)

// experimentAndOrigin builds the experiment that arguments and flags describe, and
// finds the checkpoint that it starts from: that of --from, or the one that the
// experiment names.
func (a *App) experimentAndOrigin(cmd *cobra.Command, f runFlags, args []string) (e lab.Experiment, from origin, err error) {
	if cmd.Flags().Changed("from") {
		if from, err = a.readOrigin(cmd.Context(), f.from); err != nil {
			return e, from, err
		}
	}
	if e, err = a.experiment(cmd, f, args, from); err != nil {
		return e, from, err
	}
	if from.run == "" && !e.From.IsZero() {
		if from, err = a.findOrigin(cmd.Context(), e); err != nil {
			return e, from, err
		}
	}
	if from.run != "" {
		e, err = from.startAt(e)
	}
	return e, from, err
}

// experiment builds the experiment that arguments and flags describe.
func (a *App) experiment(cmd *cobra.Command, f runFlags, args []string, from origin) (lab.Experiment, error) {
	var none lab.Experiment
	if len(args) > 0 && f.task != "" {
		return none, usage(cmd, errors.New("--task and a file both say where to start from: give one of them"))
	}
	if f.rung != "" && f.mixer != "" {
		return none, usage(cmd, errors.New("--rung and --mixer both choose the model: give one of them"))
	}
	e, err := a.baseExperiment(cmd, f, args, from)
	if err != nil {
		return none, err
	}
	if f.print {
		e = withPath(e)
	}
	base := e
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
	e = newData(base, e, f.set)
	return e, wantPath(e, e.Validate())
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

// wantPath makes it a mistake of the command line that a task which has no data of
// its own lacks their path; the error says how to name it.
func wantPath(e lab.Experiment, err error) error {
	var wrong *task.FieldError
	if errors.As(err, &wrong) && wrong.Field == "path" && e.Task.Path == "" {
		return &failure{err: err, code: exitUsage}
	}
	return err
}

// baseExperiment is the file's experiment or the task's default one.
// With --from it is, without a file, that of the run, and starts from its
// checkpoint.
func (a *App) baseExperiment(cmd *cobra.Command, f runFlags, args []string, from origin) (lab.Experiment, error) {
	if from.run != "" {
		e, err := from.e, error(nil)
		if len(args) > 0 {
			e, err = a.experimentFile(args[0])
		} else if f.task != "" {
			err = oneOf(cmd, "task", f.task, texts(task.Names()))
			e.Task = task.DefaultConfig(task.Name(f.task))
		}
		e.From = lab.Origin{Checkpoint: from.sum(), Mode: lab.OriginMode(f.mode)}
		return e, err
	}
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
	return a.experimentFile(args[0])
}

// experimentFile reads an experiment, from the standard input if the name is -.
func (a *App) experimentFile(from string) (lab.Experiment, error) {
	const hint = "gophersnake run --print > mine.json makes one to start from"
	var data []byte
	var err error
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
