package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/gophersnake/gophersnake/internal/live"
	"github.com/gophersnake/gophersnake/pkg/lab"
	"github.com/gophersnake/gophersnake/pkg/lab/table"
	"github.com/gophersnake/gophersnake/tracker"
	"github.com/gophersnake/gophersnake/tracker/query"
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
	where      string
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
		Use:   "list [FILTER]",
		Short: "list runs, the newest first",
		Long: `Lists runs, the newest first, or with --best the one with the best last value of a
metric first: the largest of an accuracy, the smallest of anything else. A filter of
the query language (gophersnake query --help) and flags narrow the list down; a run
must fit all of them.`,
		Example: `  gophersnake runs list --experiment ladder-quick/induction --best test/accuracy
  gophersnake runs list --status diverged --tag phase=report
  gophersnake runs list 'seed = 1 and params.model.mixer.state >= 8'
  gophersnake runs list --json --limit 0 | jq '.[].id'`,
		Args:              between(0, 1, "one FILTER or none"),
		ValidArgsFunction: a.completeQuery,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				f.where = args[0]
			}
			search, err := f.search(cmd)
			if err != nil {
				return err
			}
			return a.withStore(func(s *tracker.Store) error { return a.listRuns(cmd.Context(), s, f, search) })
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
	cmd.RegisterFlagCompletionFunc("best", a.completeMetric)
	cmd.RegisterFlagCompletionFunc("group", a.completeGroup)
	cmd.RegisterFlagCompletionFunc("tag", a.completeTag)
	cmd.RegisterFlagCompletionFunc("experiment", a.completeExperiment)
	return cmd
}

// search is the question that the flags ask.
func (f listFlags) search(cmd *cobra.Command) (tracker.Search, error) {
	out := tracker.Search{Select: []string{"id"}, OrderBy: []string{"created desc", "run desc"}, Limit: f.limit, Deleted: f.deleted}
	if f.limit == 0 {
		out.Limit = -1
	}
	add := func(format string, args ...any) { out.Where = append(out.Where, fmt.Sprintf(format, args...)) }
	if f.where != "" {
		add("%s", f.where)
	}
	if f.experiment != "" {
		out.Experiments = []string{f.experiment}
	}
	if f.group != "" {
		add("group = %s", query.Quote(f.group))
	}
	var statuses []string
	for _, s := range f.statuses {
		if err := oneOf(cmd, "status", s, texts(tracker.Statuses())); err != nil {
			return out, err
		}
		statuses = append(statuses, query.Quote(s))
	}
	if len(statuses) > 0 {
		add("status in (%s)", strings.Join(statuses, ", "))
	}
	for _, t := range f.tags {
		key, value, ok := strings.Cut(t, "=")
		if !ok {
			return out, usage(cmd, fmt.Errorf("--tag is %q, want KEY=VALUE", t))
		}
		add("tags.%s = %s", query.Key(key), query.Quote(value))
	}
	if f.best != "" {
		m, direction := measure(f.best), "asc"
		if higherIsBetter(f.best) {
			direction = "desc"
		}
		add("%s is not null", m)
		out.OrderBy = []string{m + " " + direction, "run"}
	}
	return out, notNegative(cmd, "limit")
}

// listed is a run of the list with the metrics that it is shown with.
type listed struct {
	tracker.RunInfo
	metrics []tracker.Summary
	curve   string // of its result, for the list
}

func (a *App) listRuns(ctx context.Context, s *tracker.Store, f listFlags, search tracker.Search) error {
	t, err := s.SearchWith(ctx, search)
	if err != nil {
		return err
	}
	metrics, err := s.LatestOf(ctx, t.Runs)
	if err != nil {
		return err
	}
	runs := make([]listed, len(t.Runs))
	for i, info := range t.Runs {
		runs[i] = listed{RunInfo: info, metrics: metrics[i]}
	}
	if f.json {
		return a.printObjects(runsJSON(runs))
	}
	if len(runs) == 0 {
		fmt.Fprintln(a.Out, "no runs")
		return nil
	}
	if err := addCurves(ctx, s, runs, f.best); err != nil {
		return err
	}
	fmt.Fprint(a.Out, fit(runsTable(runs, f.best), width(a.Out)))
	if t.More() {
		fmt.Fprintf(a.Out, "\n%d of %d; --limit 0 lists all\n", t.Len(), t.Total)
	}
	return nil
}

// longList is the number of runs above which a list shows no curves: each is a
// history to read.
const longList = 200

func addCurves(ctx context.Context, s *tracker.Store, runs []listed, key string) error {
	if len(runs) > longList {
		return nil
	}
	for i := range runs {
		m, ok := runs[i].curveOf(key)
		if !ok {
			continue
		}
		points, err := s.History(ctx, "#"+fmt.Sprint(runs[i].RowID), m.Key, m.Context)
		if err != nil {
			return err
		}
		values := make([]float64, len(points))
		for k, p := range points {
			values[k] = p.Value
		}
		runs[i].curve = live.Spark(values, 16)
	}
	return nil
}

// curveOf is the metric whose curve the list shows: the one asked for if it has
// several values, or a loss.
func (l listed) curveOf(key string) (tracker.Summary, bool) {
	for _, want := range []string{key, lab.KeyTrainLoss, "loss", "loss@train"} {
		for _, m := range l.metrics {
			if want != "" && metricName(m) == want && m.Count > 1 {
				return m, true
			}
		}
	}
	return tracker.Summary{}, false
}

// higherIsBetter tells accuracies and speeds from losses by their name.
func higherIsBetter(key string) bool {
	return strings.Contains(key, "accuracy") || key == lab.KeySpeed
}

// runsTable shows runs with one result each: the metric asked for, or the
// task's metric on "test", or the training loss.
func runsTable(runs []listed, key string) *table.Table {
	t := table.New("", "id", "experiment", "name", "status", "step", "result", "curve", "started", "took")
	t.Align = []table.Align{table.Left}
	for _, r := range runs {
		took := ""
		if !r.Finished.IsZero() {
			took = r.Finished.Sub(r.Created).Round(100 * time.Millisecond).String()
		}
		t.Add(r.ID, r.Experiment, r.Name, string(r.Status), fmt.Sprint(max(0, r.LastStep)), r.result(key), r.curve,
			r.Created.Format("2006-01-02 15:04"), took)
	}
	return t
}

// result is "test/accuracy 0.991": the metric asked for, what the lab tests, a
// loss, or else the first metric by name.
func (l listed) result(key string) string {
	say := func(m tracker.Summary) string { return fmt.Sprintf("%s %.4g", metricName(m), m.Last) }
	for _, fits := range []func(tracker.Summary) bool{
		func(m tracker.Summary) bool { return metricName(m) == key },
		func(m tracker.Summary) bool { return strings.HasPrefix(m.Key, "test/") && m.Key != "test/loss" },
		func(m tracker.Summary) bool { return m.Key == lab.KeyTrainLoss },
		func(m tracker.Summary) bool { return m.Key == "loss" },
		func(m tracker.Summary) bool { return !strings.HasPrefix(m.Key, "system/") },
	} {
		if i := slices.IndexFunc(l.metrics, fits); i >= 0 {
			return say(l.metrics[i])
		}
	}
	return ""
}
