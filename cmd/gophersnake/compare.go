package main

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/gophersnake/gophersnake/tracker"
	"github.com/gophersnake/gophersnake/tracker/analysis"
)

// compareFlags are the flags of the command runs compare.
type compareFlags struct {
	metric   string
	by       string
	where    string
	baseline string
	higher   bool
	lower    bool
	level    float64
	limit    int
	json     bool
}

func (a *App) runsCompareCommand() *cobra.Command {
	var f compareFlags
	cmd := &cobra.Command{
		Use:   "compare [FILTER FILTER]",
		Short: "mean, interval, test: groups of runs against each other",
		Long: `With two filters, compares the runs of the first with those of the second, by seed
where the runs pair up. Without, collects all runs (or those of --where) by
everything but the seed (or --by) and shows each group's mean with its interval;
with --baseline also every group's difference from that one, p values adjusted.

--metric is an expression with one value a run: the last value of a metric, or
min(metrics.` + "`train/loss`), at(metrics.`train/loss`" + `, 100), … as in gophersnake query.`,
		Example: "  gophersnake runs compare --metric test/accuracy --where \"experiment = 'ladder-quick/induction'\" \"group = 'mamba'\" \"group = 'lru'\"\n" +
			"  gophersnake runs compare --metric test/accuracy --where \"experiment = 'ladder-quick/induction'\" --by group --baseline lru",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 0 && len(args) != 2 {
				return usage(cmd, fmt.Errorf("%s takes two filters or none, got %d", cmd.CommandPath(), len(args)))
			}
			return nil
		},
		ValidArgsFunction: a.completeFilter,
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := f.options(cmd)
			if err != nil {
				return err
			}
			return a.withStore(func(s *tracker.Store) error {
				if len(args) == 2 {
					return a.compareTwo(cmd.Context(), s, args[0], args[1], f, o)
				}
				return a.compareGroups(cmd.Context(), s, f, o)
			})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.metric, "metric", "", "what is compared, a metric or an expression (required)")
	flags.StringVar(&f.by, "by", "config except seed", "what the runs of a group share")
	flags.StringVar(&f.where, "where", "", "only runs that this filter selects")
	flags.StringVar(&f.baseline, "baseline", "", "the group that others are compared with, by its name")
	flags.BoolVar(&f.higher, "higher", false, "more is better (default: by the metric's name)")
	flags.BoolVar(&f.lower, "lower", false, "less is better")
	flags.Float64Var(&f.level, "confidence", 0.95, "coverage of the intervals")
	flags.IntVar(&f.limit, "limit", 30, "at most so many groups, the best; 0 for all")
	flags.BoolVar(&f.json, "json", false, "everything as JSON")
	cmd.RegisterFlagCompletionFunc("metric", a.completeMetric)
	cmd.RegisterFlagCompletionFunc("where", a.completeFilter)
	cmd.RegisterFlagCompletionFunc("by", a.completeFilter)
	return cmd
}

func (f compareFlags) options(cmd *cobra.Command) (analysis.Options, error) {
	if err := notNegative(cmd, "limit"); err != nil {
		return analysis.Options{}, err
	}
	switch {
	case f.metric == "":
		return analysis.Options{}, usage(cmd, fmt.Errorf("--metric is missing, want a metric such as test/accuracy"))
	case f.higher && f.lower:
		return analysis.Options{}, usage(cmd, fmt.Errorf("--higher and --lower exclude each other"))
	case !(f.level > 0 && f.level < 1):
		return analysis.Options{}, usage(cmd, fmt.Errorf("--confidence is %g, want above 0 and below 1, such as 0.95", f.level))
	}
	return analysis.Options{Measure: measure(f.metric), Confidence: f.level, HigherIsBetter: f.higher || !f.lower && higherIsBetter(f.metric)}, nil
}

func (a *App) compareTwo(ctx context.Context, s *tracker.Store, left, right string, f compareFlags, o analysis.Options) error {
	c, err := analysis.CompareRuns(ctx, s, f.narrow(left), f.narrow(right), o)
	if err != nil {
		return err
	}
	if f.json {
		return a.printJSON(comparisonJSON(c))
	}
	fmt.Fprintln(a.Out, c)
	return nil
}

// narrow is a filter together with --where.
func (f compareFlags) narrow(filter string) string {
	if f.where == "" {
		return filter
	}
	return fmt.Sprintf("(%s) and (%s)", filter, f.where)
}

func (a *App) compareGroups(ctx context.Context, s *tracker.Store, f compareFlags, o analysis.Options) error {
	quick := o
	quick.Resamples = -1 // for those that are shown
	all, err := analysis.Groups(ctx, s, f.where, f.by, quick)
	if err != nil {
		return err
	}
	analysis.Sort(all, o)
	groups := slices.Clone(all[:f.shown(len(all))])
	resample(groups, o)
	var against []analysis.Comparison
	var adjusted []float64
	if f.baseline != "" {
		i, err := groupNamed(all, f.baseline)
		if err != nil {
			return err
		}
		if against, adjusted, err = analysis.Against(all, i, o); err != nil { // all of them count for the p values
			return err
		}
		against = against[:f.shown(len(against))]
		adjusted = adjusted[:len(against)]
	}
	if f.json {
		return a.printJSON(groupsJSON(groups, against, adjusted))
	}
	if len(groups) == 0 {
		fmt.Fprintln(a.Out, "no runs")
		return nil
	}
	fmt.Fprint(a.Out, fit(analysis.Table(groups, o), width(a.Out)))
	if len(groups) < len(all) {
		fmt.Fprintf(a.Out, "\n%d of %d groups; --limit 0 shows all\n", len(groups), len(all))
	}
	if f.baseline != "" {
		a.print(analysis.AgainstTable(against, adjusted, o))
	}
	return nil
}

// resample adds the bootstraps, each group's on a core of its own.
func resample(groups []analysis.Group, o analysis.Options) {
	var work errgroup.Group
	work.SetLimit(runtime.GOMAXPROCS(0))
	for i := range groups {
		work.Go(func() error {
			groups[i] = groups[i].Resample(o)
			return nil
		})
	}
	_ = work.Wait() // none of them fails
}

// shown is how many of n groups the limit leaves.
func (f compareFlags) shown(n int) int {
	if f.limit == 0 {
		return n
	}
	return min(n, f.limit)
}

// measure is an expression of the query language for what --metric names: an
// expression already, or the bare key of a metric.
func measure(text string) string {
	if strings.ContainsAny(text, "(`") || strings.HasPrefix(text, "metrics.") || strings.HasPrefix(text, "params.") {
		return text
	}
	key, context, found := strings.Cut(text, "@")
	out := "metrics.`" + key + "`"
	if found {
		out += "@`" + context + "`"
	}
	return out
}

// groupNamed finds a group by its name, "group=lru", by the value in it, "lru",
// or by a part of the name that only one has.
func groupNamed(groups []analysis.Group, name string) (int, error) {
	var names []string
	for _, g := range groups {
		names = append(names, g.Name)
	}
	for _, fits := range []func(string) bool{
		func(n string) bool { return n == name },
		func(n string) bool { return strings.HasSuffix(n, "="+name) },
		func(n string) bool { return strings.Contains(n, name) },
	} {
		var fitting []string
		at := -1
		for i, n := range names {
			if fits(n) {
				at, fitting = i, append(fitting, n)
			}
		}
		switch {
		case len(fitting) == 1:
			return at, nil
		case len(fitting) > 1:
			return 0, fmt.Errorf("--baseline is %q, which fits several groups: %s", name, strings.Join(fitting, "; "))
		}
	}
	return 0, fmt.Errorf("--baseline is %q, want one of the groups: %s", name, strings.Join(names, "; "))
}

func groupJSON(g analysis.Group) object {
	runs := []object{}
	for _, s := range g.Samples {
		runs = append(runs, object{"id": s.Run.ID, "seed": s.Run.Seed, "value": jsonNumber(s.Value)})
	}
	return object{"name": g.Name, "runs": runs, "without": g.Without, "summary": g.Summary, "bootstrap": g.Bootstrap,
		"best": object{"id": g.Best.Run.ID, "value": jsonNumber(g.Best.Value), "tries": g.Best.Tries}}
}

func comparisonJSON(c analysis.Comparison) object {
	o := object{"measure": c.Measure, "a": groupJSON(c.A), "b": groupJSON(c.B), "verdict": c.Verdict(), "welch": c.Welch,
		"best_of": object{"tries": c.BestOf, "a": jsonNumber(c.BestA), "b": jsonNumber(c.BestB)}}
	if c.Pairs {
		o["paired"], o["bootstrap"], o["left_out"] = c.Paired, c.Bootstrap, c.Single
	} else {
		o["unpaired"] = c.Unpaired
	}
	return o
}

func groupsJSON(groups []analysis.Group, against []analysis.Comparison, adjusted []float64) object {
	out, diffs := []object{}, []object{}
	for _, g := range groups {
		out = append(out, groupJSON(g))
	}
	for i, c := range against {
		d, lo, hi, effect := c.Difference()
		diffs = append(diffs, object{"group": c.A.Name, "baseline": c.B.Name, "difference": jsonNumber(d), "lo": jsonNumber(lo), "hi": jsonNumber(hi),
			"effect": jsonNumber(effect), "p": jsonNumber(c.P()), "p_holm": jsonNumber(adjusted[i]), "paired": c.Pairs, "verdict": c.VerdictOf(adjusted[i])})
	}
	return object{"groups": out, "differences": diffs}
}

// completeMetric offers the names of metrics.
func (a *App) completeMetric(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	names, err := a.queryNames(completionContext(cmd))
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var out []cobra.Completion
	for _, n := range names {
		if key, ok := strings.CutPrefix(n, "metrics."); ok {
			out = append(out, strings.Trim(key, "`"))
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}
