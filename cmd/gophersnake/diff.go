package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gophersnake/gophersnake/internal/logbook"
	"github.com/gophersnake/gophersnake/pkg/lab/table"
	"github.com/gophersnake/gophersnake/tracker"
)

func (a *App) runsDiffCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "diff RUN RUN",
		Short: "show what differs between two runs: config, environment, results",
		Example: `  gophersnake runs diff mamba-seed1 lru-seed1
  gophersnake runs diff k3v9 m81q --json`,
		Args:              takes("RUN", "RUN"),
		ValidArgsFunction: a.completeRuns,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withStore(func(s *tracker.Store) error {
				d, err := loadDiff(cmd.Context(), s, args[0], args[1])
				if err != nil {
					return err
				}
				if asJSON {
					return a.printJSON(d.json())
				}
				a.showDiff(d)
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "a JSON object")
	return cmd
}

// runDiff is what two runs do not share, and the results of both.
type runDiff struct {
	a, b        details
	config      []logbook.Difference
	environment []logbook.Difference
	metrics     []metricPair
}

// metricPair is a metric's last value in both runs, NaN where it is missing.
type metricPair struct {
	name   string
	va, vb float64
}

func loadDiff(ctx context.Context, s *tracker.Store, a, b string) (d runDiff, err error) {
	if d.a, err = loadDetails(ctx, s, a); err != nil {
		return d, err
	}
	if d.b, err = loadDetails(ctx, s, b); err != nil {
		return d, err
	}
	pa, err := s.Params(ctx, d.a.ID)
	if err != nil {
		return d, err
	}
	pb, err := s.Params(ctx, d.b.ID)
	d.config = logbook.Differences(paramTexts(pa), paramTexts(pb))
	d.environment = logbook.Differences(d.a.environment, d.b.environment)
	d.metrics = metricPairs(d.a.metrics, d.b.metrics)
	return d, err
}

func paramTexts(params []tracker.Param) map[string]string {
	out := map[string]string{}
	for _, p := range params {
		out[p.Key] = p.Text
	}
	return out
}

// metricPairs are the metrics of either run, by name.
func metricPairs(a, b []tracker.Summary) []metricPair {
	byName := map[string]*metricPair{}
	get := func(m tracker.Summary) *metricPair {
		name := metricName(m)
		if byName[name] == nil {
			byName[name] = &metricPair{name, math.NaN(), math.NaN()}
		}
		return byName[name]
	}
	for _, m := range a {
		get(m).va = m.Last
	}
	for _, m := range b {
		get(m).vb = m.Last
	}
	var out []metricPair
	for _, p := range byName {
		out = append(out, *p)
	}
	slices.SortFunc(out, func(x, y metricPair) int { return strings.Compare(x.name, y.name) })
	return out
}

// metricName is a metric's key with its context.
func metricName(m tracker.Summary) string {
	if m.Context == "" {
		return m.Key
	}
	return m.Key + "@" + m.Context
}

func (a *App) showDiff(d runDiff) {
	fmt.Fprintf(a.Out, "A  %s %s, %s\nB  %s %s, %s\n", d.a.ID, d.a.Name, d.a.Status, d.b.ID, d.b.Name, d.b.Status)
	for _, part := range []struct {
		title string
		diff  []logbook.Difference
	}{{"config", d.config}, {"environment", d.environment}} {
		if len(part.diff) == 0 {
			fmt.Fprintf(a.Out, "\nThe %s is the same.\n", part.title)
			continue
		}
		t := table.New(strings.ToUpper(part.title[:1])+part.title[1:], "field", "A", "B")
		for _, x := range part.diff {
			t.Add(x.Key, oneLine(x.Was), oneLine(x.Is))
		}
		a.print(t)
	}
	t := table.New("Last values", "metric", "A", "B", "B − A", "relative")
	for _, m := range d.metrics {
		change := ""
		if !math.IsNaN(m.vb - m.va) {
			change = fmt.Sprintf("%+.4g", m.vb-m.va)
		}
		t.Add(m.name, short(m.va), short(m.vb), change, relative(m.va, m.vb))
	}
	if len(t.Rows) > 0 {
		a.print(t)
	}
}

// oneLine keeps a value to a line of bearable length.
func oneLine(v string) string {
	v = strings.ReplaceAll(orNone(v), "\n", " ")
	if r := []rune(v); len(r) > 60 {
		v = string(r[:59]) + "…"
	}
	return v
}

func (d runDiff) json() object {
	pairs := func(diff []logbook.Difference) []object {
		out := []object{}
		for _, x := range diff {
			out = append(out, object{"field": x.Key, "a": x.Was, "b": x.Is})
		}
		return out
	}
	metrics := []object{}
	for _, m := range d.metrics {
		metrics = append(metrics, object{"metric": m.name, "a": jsonNumber(m.va), "b": jsonNumber(m.vb)})
	}
	return object{"a": d.a.ID, "b": d.b.ID, "config": pairs(d.config), "environment": pairs(d.environment), "metrics": metrics}
}
