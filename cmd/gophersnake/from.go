package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gophersnake/gophersnake/internal/logbook"
	"github.com/gophersnake/gophersnake/pkg/lab"
	"github.com/gophersnake/gophersnake/tracker"
)

// origin is the checkpoint that a run starts from; the zero value is none.
type origin struct {
	run        string // id of a run that holds it
	name       string // of that run
	e          lab.Experiment
	checkpoint []byte
}

// sum is the SHA-256 of the checkpoint, in hex.
func (o origin) sum() string {
	sum := sha256.Sum256(o.checkpoint)
	return hex.EncodeToString(sum[:])
}

// readOrigin reads the run of --from.
func (a *App) readOrigin(ctx context.Context, ref string) (o origin, err error) {
	err = a.withStore(func(store *tracker.Store) error {
		info, err := store.Run(ctx, ref)
		if err != nil {
			return err
		}
		past, e, err := logbook.Past(ctx, store, info.ID)
		if err != nil {
			return a.damagedHint(info.ID, err)
		}
		switch {
		case past.Status == lab.Diverged:
			return hinted(fmt.Errorf("run %s diverged: its weights came to nothing, and so would a run that starts from them", info.ID),
				a.command("runs show "+info.ID+" --config")+" | gophersnake run - --set schedule.lr=… starts it anew")
		case past.Checkpoint == nil:
			return hinted(fmt.Errorf("run %s left no checkpoint to start from", info.ID),
				a.command("runs show "+info.ID+" --config")+" | gophersnake run - trains it anew")
		}
		o = origin{run: info.ID, name: info.Name, e: e, checkpoint: past.Checkpoint}
		return nil
	})
	return o, err
}

// findOrigin looks in the database for the checkpoint that an experiment names.
func (a *App) findOrigin(ctx context.Context, e lab.Experiment) (o origin, err error) {
	err = a.withStore(func(store *tracker.Store) error {
		data, run, err := logbook.Origin(ctx, store, e)
		if err != nil {
			return hinted(err, "--from RUN starts from another run's checkpoint; --db names another database")
		}
		info, err := store.Run(ctx, run)
		if err != nil {
			return err
		}
		o = origin{run: run, name: info.Name, checkpoint: data}
		if c, err := lab.DecodeCheckpoint(data); err == nil {
			o.e = c.Experiment
		}
		return nil
	})
	return o, err
}

// checkFrom refuses flags that do not go with --from, and --mode without it.
func (f runFlags) checkFrom(cmd *cobra.Command) error {
	if !cmd.Flags().Changed("from") {
		if cmd.Flags().Changed("mode") {
			return usage(cmd, errors.New("--mode says what to take over of the run that --from names: give --from RUN, too"))
		}
		return nil
	}
	for _, other := range []string{"rung", "mixer"} {
		if cmd.Flags().Changed(other) {
			return usage(cmd, fmt.Errorf("--from goes on with a model that there is: it takes no --%s", other))
		}
	}
	return oneOf(cmd, "mode", f.mode, texts(lab.OriginModes()))
}

// startAt makes e start from the checkpoint. What --set says of from is kept.
func (o origin) startAt(e lab.Experiment) (lab.Experiment, error) {
	e, err := e.StartingFrom(o.checkpoint, e.From.Mode, e.From.Redraw...)
	if err == nil {
		return e, nil
	}
	text, hint := splitHint(err)
	if strings.HasPrefix(text, "steps is ") {
		hint = fmt.Sprintf("--set steps=%d does as many again; --mode weights begins at step 0", 2*e.Steps)
	}
	return e, hinted(fmt.Errorf("run %s cannot be started from: %s", o.run, text), hint)
}

// childName is the name of a run that starts from another, if it is given none.
func (o origin) childName(e lab.Experiment) string {
	if e.From.Mode == lab.Continue {
		return fmt.Sprintf("%s-to%d", o.name, e.Steps)
	}
	return fmt.Sprintf("%s-from-%s", e.Task.Name, o.name)
}

// tell says what a run takes over, and where its rate goes on: a schedule that is
// stretched over more steps jumps, which should surprise nobody.
// Of a sweep over rates only the former can be said.
func (o origin) tell(e lab.Experiment, rates bool) string {
	head := fmt.Sprintf("from run %s (%s): ", o.run, o.name)
	if e.From.Mode == lab.FromWeights {
		drawn := ""
		if len(e.From.Redraw) > 0 {
			drawn = " but for " + strings.Join(e.From.Redraw, ", ")
		}
		text := head + "its weights" + drawn + "; optimiser and steps begin anew"
		if e.Seed == o.e.Seed && reflect.DeepEqual(e.Task, o.e.Task) {
			text += ", and so do its batches, which that run has seen: --seed N draws others"
		}
		return text
	}
	c, err := lab.DecodeCheckpoint(o.checkpoint)
	if err != nil || c.Step == 0 {
		return head + "weights, optimiser and steps"
	}
	text := fmt.Sprintf("%sweights, optimiser and %d steps; the learning rate was %.3g", head, c.Step, c.Experiment.Schedule.At(c.Step-1, c.Experiment.Steps))
	if !rates {
		text += fmt.Sprintf(" and goes on at %.3g", e.Schedule.At(c.Step, e.Steps))
	}
	return text
}

// newData takes the digest out of an experiment whose data has another path than
// that of the experiment it was made from: it is that of the old files.
func newData(was, e lab.Experiment, set []string) lab.Experiment {
	given := slices.ContainsFunc(set, func(s string) bool { return strings.HasPrefix(s, "task.digest=") })
	if !given && e.Task.Path != was.Task.Path {
		e.Task.Digest = ""
	}
	return e
}
