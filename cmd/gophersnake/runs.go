package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/gophersnake/gophersnake/internal/near"
	"github.com/gophersnake/gophersnake/pkg/lab"
	"github.com/gophersnake/gophersnake/pkg/lab/table"
	"github.com/gophersnake/gophersnake/tracker"
)

func (a *App) runsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "runs",
		Short: "list, show, compare, tag and delete runs",
		Args:  unknownCommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.runsListCommand(), a.runsShowCommand(), a.runsCompareCommand(), a.runsDiffCommand(), a.runsWatchCommand(),
		a.runsTagCommand(), a.runsNoteCommand(), a.runsRmCommand(), a.runsRestoreCommand(), a.runsGCCommand())
	return cmd
}

// listFlags are the flags of the command runs list.
type listFlags struct {
	experiment string
	group      string
	statuses   []string
	tags       []string
	best       string
	limit      int
	deleted    bool
	json       bool
}

func (a *App) runsListCommand() *cobra.Command {
	var f listFlags
	cmd := &cobra.Command{
		Use:   "list",
		Short: "list runs, the newest first",
		Long: `Lists runs, the newest first, or with --best the one with the best last value of a
metric first: the largest of an accuracy, the smallest of anything else. Flags
narrow the list down; a run must fit all of them.`,
		Example: `  gophersnake runs list --experiment ladder-quick/induction --best test/accuracy
  gophersnake runs list --status diverged --tag phase=report
  gophersnake runs list --json --limit 0 | jq '.[].id'`,
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			filter, err := f.filter(cmd)
			if err != nil {
				return err
			}
			return a.withStore(func(s *tracker.Store) error { return a.listRuns(cmd.Context(), s, f, filter) })
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.experiment, "experiment", "", "only runs of this collection")
	flags.StringVar(&f.group, "group", "", "only runs of this group, such as a rung")
	flags.StringSliceVar(&f.statuses, "status", nil, "only runs of this status (may be repeated)")
	flags.StringArrayVar(&f.tags, "tag", nil, "only runs with this tag, KEY=VALUE (may be repeated)")
	flags.StringVar(&f.best, "best", "", "order by the last value of this metric")
	flags.IntVar(&f.limit, "limit", 30, "at most so many, 0 for all")
	flags.BoolVar(&f.deleted, "deleted", false, "deleted runs instead of the others")
	flags.BoolVar(&f.json, "json", false, "a JSON array")
	completeFrom(cmd, "status", texts(tracker.Statuses()))
	return cmd
}

func (f listFlags) filter(cmd *cobra.Command) (tracker.Filter, error) {
	out := tracker.Filter{Experiment: f.experiment, Group: f.group, Deleted: f.deleted, Tags: map[string]string{}}
	for _, s := range f.statuses {
		if err := oneOf(cmd, "status", s, texts(tracker.Statuses())); err != nil {
			return out, err
		}
		out.Statuses = append(out.Statuses, tracker.Status(s))
	}
	for _, t := range f.tags {
		key, value, ok := strings.Cut(t, "=")
		if !ok {
			return out, usage(cmd, fmt.Errorf("--tag is %q, want KEY=VALUE", t))
		}
		out.Tags[key] = value
	}
	if err := notNegative(cmd, "limit"); err != nil {
		return out, err
	}
	if f.best == "" {
		out.Limit = f.limit
	}
	return out, nil
}

// listed is a run of the list with the metrics that it is shown with.
type listed struct {
	tracker.RunInfo
	metrics []tracker.Summary
}

// last returns the last value of a metric.
func (l listed) last(key string) (float64, bool) {
	for _, m := range l.metrics {
		if m.Key == key {
			return m.Last, true
		}
	}
	return math.NaN(), false
}

func (a *App) listRuns(ctx context.Context, s *tracker.Store, f listFlags, filter tracker.Filter) error {
	infos, err := s.Runs(ctx, filter)
	if err != nil {
		return err
	}
	runs := make([]listed, len(infos))
	for i, info := range infos {
		runs[i].RunInfo = info
		if runs[i].metrics, err = s.Latest(ctx, info.ID); err != nil {
			return err
		}
	}
	all := len(runs)
	if f.best != "" {
		if runs, err = bestFirst(runs, f.best); err != nil {
			return err
		}
		all = len(runs)
		if f.limit > 0 && len(runs) > f.limit {
			runs = runs[:f.limit]
		}
	}
	if f.json {
		return a.printJSON(runsJSON(runs))
	}
	if len(runs) == 0 {
		fmt.Fprintln(a.Out, "no runs")
		return nil
	}
	fmt.Fprint(a.Out, fit(runsTable(runs, f.best), width(a.Out)))
	if f.limit > 0 && (len(runs) < all || f.best == "" && all == f.limit) {
		fmt.Fprintf(a.Out, "\nthe first %d; --limit 0 lists all\n", f.limit)
	}
	return nil
}

// bestFirst keeps the runs that have a metric and puts the best first; a value
// that is no number comes last.
func bestFirst(runs []listed, key string) ([]listed, error) {
	keys := map[string]bool{}
	for _, r := range runs {
		for _, m := range r.metrics {
			keys[m.Key] = true
		}
	}
	if !keys[key] && len(runs) > 0 {
		var names []string
		for k := range keys {
			names = append(names, k)
		}
		slices.Sort(names)
		if near := near.Name(key, names); near != "" {
			return nil, fmt.Errorf("no run has a metric %q; did you mean %q?", key, near)
		}
		return nil, fmt.Errorf("no run has a metric %q, want one of %s", key, strings.Join(names, ", "))
	}
	runs = slices.DeleteFunc(runs, func(r listed) bool { _, ok := r.last(key); return !ok })
	sign := 1.0
	if higherIsBetter(key) {
		sign = -1
	}
	slices.SortStableFunc(runs, func(x, y listed) int {
		v, _ := x.last(key)
		w, _ := y.last(key)
		switch {
		case math.IsNaN(v) || math.IsNaN(w):
			return b2i(math.IsNaN(v)) - b2i(math.IsNaN(w))
		case sign*v < sign*w:
			return -1
		case sign*v > sign*w:
			return 1
		}
		return 0
	})
	return runs, nil
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// higherIsBetter tells accuracies and speeds from losses by their name.
func higherIsBetter(key string) bool {
	return strings.HasSuffix(key, "accuracy") || key == lab.KeySpeed
}

// runsTable shows runs with one result each: the metric asked for, or the
// task's metric on "test", or the training loss.
func runsTable(runs []listed, key string) *table.Table {
	t := table.New("", "id", "experiment", "name", "status", "step", "result", "started", "took")
	t.Align = []table.Align{table.Left}
	for _, r := range runs {
		took := ""
		if !r.Finished.IsZero() {
			took = r.Finished.Sub(r.Created).Round(100 * time.Millisecond).String()
		}
		t.Add(r.ID, r.Experiment, r.Name, string(r.Status), fmt.Sprint(max(0, r.LastStep)), r.result(key),
			r.Created.Format("2006-01-02 15:04"), took)
	}
	return t
}

// result is "test/accuracy 0.991".
func (l listed) result(key string) string {
	if key != "" {
		v, _ := l.last(key)
		return fmt.Sprintf("%s %.4g", key, v)
	}
	for _, m := range l.metrics {
		if strings.HasPrefix(m.Key, "test/") && m.Key != "test/loss" {
			return fmt.Sprintf("%s %.4g", m.Key, m.Last)
		}
	}
	if v, ok := l.last(lab.KeyTrainLoss); ok {
		return fmt.Sprintf("%s %.4g", lab.KeyTrainLoss, v)
	}
	return ""
}
