package main

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/spf13/cobra"

	"github.com/gophersnake/gophersnake/internal/logbook"
	"github.com/gophersnake/gophersnake/pkg/lab"
	"github.com/gophersnake/gophersnake/pkg/lab/table"
	"github.com/gophersnake/gophersnake/tracker"
)

func (a *App) replayCommand() *cobra.Command {
	var workers int
	cmd := &cobra.Command{
		Use:   "replay RUN",
		Short: "train a run again and compare every value bit for bit",
		Long: `Trains the experiment of a finished or diverged run again and compares every
value that it logged, bit for bit; metrics under system/ depend on the machine and
are left out. Nothing is written to the database.

If a value differs, the exit code is 4, and the values of the first step with a
difference are shown with what differs in the environment: Go, modules, CPU,
kernels, commit. The number of cores makes no difference.`,
		Example: `  gophersnake replay mamba-seed1
  gophersnake replay k3v9 --workers 1`,
		Args:              takes("RUN"),
		ValidArgsFunction: a.completeRun,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := notNegative(cmd, "workers"); err != nil {
				return err
			}
			return a.withStore(func(s *tracker.Store) error { return a.replay(cmd.Context(), s, args[0], workers) })
		},
	}
	cmd.Flags().IntVar(&workers, "workers", 0, "cores, 0 for all")
	return cmd
}

func (a *App) replay(ctx context.Context, store *tracker.Store, ref string, workers int) error {
	info, err := store.Run(ctx, ref)
	if err != nil {
		return err
	}
	if info.Status != tracker.StatusFinished && info.Status != tracker.StatusDiverged {
		hint := a.command("run --resume "+info.ID) + " goes on with it, if it left a checkpoint"
		if info.Status == tracker.StatusRunning {
			hint = "wait for it to end"
		}
		return hinted(fmt.Errorf("run %s is %s: only a run that finished or diverged can be replayed", info.ID, info.Status), hint)
	}
	past, e, err := logbook.Past(ctx, store, info.ID)
	if err != nil && !errors.Is(err, tracker.ErrCorrupt) { // a replay needs no checkpoint
		return err
	}
	p := a.singleProgress("replay", e.Steps)
	p.say("replaying %s (%s), %d steps", info.ID, info.Name, e.Steps)
	report, err := lab.Replay(ctx, e, past, lab.Options{Workers: workers, Progress: a.watch(p, info.Name, e.Steps)})
	p.close()
	if err != nil {
		return err
	}
	return a.tellReplay(ctx, store, info, e, report)
}

// tellReplay shows the comparison, and what differs in the environment.
func (a *App) tellReplay(ctx context.Context, store *tracker.Store, info tracker.RunInfo, e lab.Experiment, r *lab.ReplayReport) error {
	book, err := logbook.New(ctx, store)
	if err != nil {
		return err
	}
	was, err := store.Environment(ctx, info.ID)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.Out, "run %s %s: ", info.ID, info.Name)
	if r.Equal() {
		fmt.Fprintf(a.Out, "%s\n", r)
	} else {
		fmt.Fprintf(a.Out, "different: %d of %d values\n", r.Different, r.Compared)
		if len(r.First) > 0 {
			a.print(differenceTable(r))
		}
	}
	diff := logbook.Differences(was, book.Environment(e.Device).Values())
	if len(diff) > 0 {
		t := table.New("The environment is another one", "what", "then", "now")
		for _, d := range diff {
			t.Add(d.Key, orNone(d.Was), orNone(d.Is))
		}
		a.print(t)
	} else if !r.Equal() {
		fmt.Fprintln(a.Out, "The environment is the same.")
	}
	if !r.Equal() {
		return &failure{err: fmt.Errorf("run %s did not come out again", info.ID), code: exitDifferent}
	}
	return nil
}

// differenceTable shows the values of the first step that has a difference,
// with every digit, and how far apart they are.
func differenceTable(r *lab.ReplayReport) *table.Table {
	t := table.New(fmt.Sprintf("First difference, at step %d", r.First[0].Step), "metric", "logged", "replayed", "relative difference")
	for _, m := range r.First {
		t.Add(m.Key, number(m.Was), number(m.Came), relative(m.Was, m.Came))
	}
	return t
}

func number(v float64) string { return fmt.Sprintf("%v", v) }

func relative(a, b float64) string {
	d := math.Abs(a-b) / math.Max(math.Abs(a), math.Abs(b))
	if math.IsNaN(d) {
		return ""
	}
	return fmt.Sprintf("%.2g", d)
}

func orNone(v string) string {
	if v == "" {
		return "(none)"
	}
	return v
}
