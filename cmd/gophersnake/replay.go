package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/gophersnake/gophersnake/internal/logbook"
	"github.com/gophersnake/gophersnake/pkg/lab"
	"github.com/gophersnake/gophersnake/pkg/lab/table"
	"github.com/gophersnake/gophersnake/tracker"
)

func (a *App) replayCommand() *cobra.Command {
	var workers int
	var allOf string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "replay RUN | --all-of EXPERIMENT",
		Short: "train a run again and compare every value bit for bit",
		Long: `Trains the experiment of a finished or diverged run again and compares every
value that it logged, bit for bit; metrics under system/ depend on the machine and
are left out. Nothing is written to the database. --all-of does so with every run of
a collection, several side by side.

If a value differs, the exit code is 4, and the values of the first step with a
difference are shown with what differs in the environment: Go, modules, CPU,
kernels, commit. The number of cores makes no difference.`,
		Example: `  gophersnake replay mamba-seed1
  gophersnake replay k3v9 --workers 1
  gophersnake replay --all-of ladder-quick/induction`,
		Args: func(cmd *cobra.Command, args []string) error {
			if allOf != "" {
				return takes()(cmd, args)
			}
			return takes("RUN")(cmd, args)
		},
		ValidArgsFunction: a.completeRun,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := notNegative(cmd, "workers"); err != nil {
				return err
			}
			return a.withStore(func(s *tracker.Store) error {
				if allOf != "" {
					return a.replayAll(cmd.Context(), s, allOf, workers, asJSON)
				}
				return a.replay(cmd.Context(), s, args[0], workers, asJSON)
			})
		},
	}
	cmd.Flags().IntVar(&workers, "workers", 0, "cores, 0 for all")
	cmd.Flags().StringVar(&allOf, "all-of", "", "every run of this `EXPERIMENT`")
	cmd.Flags().BoolVar(&asJSON, "json", false, "the comparison as a JSON object; with --all-of an array")
	cmd.RegisterFlagCompletionFunc("all-of", a.completeExperiment)
	return cmd
}

func (a *App) replay(ctx context.Context, store *tracker.Store, ref string, workers int, asJSON bool) error {
	info, err := store.Run(ctx, ref)
	if err != nil {
		return err
	}
	past, e, err := a.replayable(ctx, store, info)
	if err != nil {
		return err
	}
	p := a.singleProgress("replay", e.Steps)
	p.say("replaying %s (%s), %d steps", info.ID, info.Name, e.Steps)
	report, err := lab.Replay(ctx, e, past, lab.Options{Workers: workers, Progress: a.watch(p, info.Name, e.Steps)})
	p.close()
	if err != nil {
		return err
	}
	return a.tellReplay(ctx, store, info, e, report, asJSON)
}

// replayable reads a run that can be replayed from here, or says why it cannot.
func (a *App) replayable(ctx context.Context, store *tracker.Store, info tracker.RunInfo) (*lab.PastRun, lab.Experiment, error) {
	if info.Status != tracker.StatusFinished && info.Status != tracker.StatusDiverged {
		hint := a.command("run --resume "+info.ID) + " goes on with it, if it left a checkpoint"
		if info.Status == tracker.StatusRunning {
			hint = "wait for it to end"
		}
		return nil, lab.Experiment{}, hinted(fmt.Errorf("run %s is %s: only a run that finished or diverged can be replayed", info.ID, info.Status), hint)
	}
	past, e, err := logbook.Past(ctx, store, info.ID)
	if err != nil && !errors.Is(err, tracker.ErrCorrupt) { // a replay needs no checkpoint
		return nil, e, err
	}
	if past.From, _, err = logbook.Origin(ctx, store, e); err != nil {
		return nil, e, hinted(fmt.Errorf("run %s cannot be replayed: %w", info.ID, err), "restore the file from a copy")
	}
	if _, err := lab.Bind(e, nil); err != nil {
		return nil, e, hinted(fmt.Errorf("run %s cannot be replayed from the command line: %w", info.ID, err),
			a.byProgram(info.ID, "past, e, err", "report, err := lab.Replay(ctx, e, past, lab.Options{NewMixer: newMixer})"))
	}
	return past, e, nil
}

// replayAll replays every run of a collection and tells of each in a line.
func (a *App) replayAll(ctx context.Context, store *tracker.Store, experiment string, workers int, asJSON bool) error {
	infos, err := store.Runs(ctx, tracker.Filter{Experiment: experiment, Order: tracker.OrderOldest})
	if err != nil {
		return err
	}
	if workers == 0 {
		workers = runtime.NumCPU()
	}
	all := &allReplays{app: a, store: store, json: asJSON, list: []object{}}
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(workers) // each on a core of its own
	for _, info := range infos {
		group.Go(func() error { return all.one(groupCtx, info) })
	}
	if err := group.Wait(); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return errors.Join(err, all.sum(len(infos)))
	}
	return all.sum(len(infos))
}

// allReplays counts how replays came out. Its methods may be called from several
// goroutines.
type allReplays struct {
	app   *App
	store *tracker.Store
	json  bool

	mu                      sync.Mutex
	equal, different, could int
	list                    []object // for --json
}

func (r *allReplays) one(ctx context.Context, info tracker.RunInfo) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	past, e, err := r.app.replayable(ctx, r.store, info)
	if err != nil {
		text, _ := splitHint(err)
		text = strings.ReplaceAll(text, "\n", " ")
		r.tell(info, &r.could, "not replayed: "+text, object{"id": info.ID, "name": info.Name, "equal": nil, "why": text})
		return nil
	}
	report, err := lab.Replay(ctx, e, past, lab.Options{Workers: 1})
	switch {
	case err != nil:
		return fmt.Errorf("run %s: %w", info.ID, err)
	case report.Equal():
		r.tell(info, &r.equal, report.String(), replayJSON(info, report))
	default:
		first := ""
		if len(report.First) > 0 {
			first = ", first " + report.First[0].String()
		}
		r.tell(info, &r.different, fmt.Sprintf("different: %d of %d values%s", report.Different, report.Compared, first), replayJSON(info, report))
	}
	return nil
}

func (r *allReplays) tell(info tracker.RunInfo, count *int, text string, o object) {
	r.mu.Lock()
	defer r.mu.Unlock()
	*count++
	if r.json {
		r.list = append(r.list, o)
		return
	}
	fmt.Fprintf(r.app.Out, "%s  %s  %s\n", info.ID, info.Name, text)
}

// sum says how all came out; runs that differ are an error.
func (r *allReplays) sum(of int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.json {
		if err := r.app.printJSON(r.list); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(r.app.Out, "%s: %d equal, %d different, %d not replayed", counted(of, "run"), r.equal, r.different, r.could)
		if left := of - r.equal - r.different - r.could; left > 0 {
			fmt.Fprintf(r.app.Out, ", %d not come to", left)
		}
		fmt.Fprintln(r.app.Out)
	}
	if r.different > 0 {
		return &failure{err: fmt.Errorf("%s did not come out again", counted(r.different, "run")), code: exitDifferent}
	}
	return nil
}

// tellReplay shows the comparison, and what differs in the environment.
func (a *App) tellReplay(ctx context.Context, store *tracker.Store, info tracker.RunInfo, e lab.Experiment, r *lab.ReplayReport, asJSON bool) error {
	book, err := logbook.New(ctx, store)
	if err != nil {
		return err
	}
	was, err := store.Environment(ctx, info.ID)
	if err != nil {
		return err
	}
	diff := logbook.Differences(was, book.Environment(e.Device).Values())
	if asJSON {
		o := replayJSON(info, r)
		environment := []object{}
		for _, d := range diff {
			environment = append(environment, object{"field": d.Key, "then": d.Was, "now": d.Is})
		}
		o["environment"] = environment
		return errors.Join(a.printJSON(o), notAgain(info, r))
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
	if len(diff) > 0 {
		t := table.New("The environment is another one", "what", "then", "now")
		for _, d := range diff {
			t.Add(d.Key, orNone(d.Was), orNone(d.Is))
		}
		a.print(t)
	} else if !r.Equal() {
		fmt.Fprintln(a.Out, "The environment is the same.")
	}
	return notAgain(info, r)
}

// notAgain is the error of a replay that came out different, nil for another.
func notAgain(info tracker.RunInfo, r *lab.ReplayReport) error {
	if r.Equal() {
		return nil
	}
	return &failure{err: fmt.Errorf("run %s did not come out again", info.ID), code: exitDifferent}
}

// replayJSON is a comparison; first holds the values of the first step with a difference.
func replayJSON(info tracker.RunInfo, r *lab.ReplayReport) object {
	first := []object{}
	for _, m := range r.First {
		first = append(first, object{"metric": m.Key, "step": m.Step, "logged": jsonNumber(m.Was), "replayed": jsonNumber(m.Came)})
	}
	return object{"id": info.ID, "name": info.Name, "equal": r.Equal(), "compared": r.Compared, "different": r.Different, "first": first}
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
