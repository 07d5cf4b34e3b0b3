package analysis

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/gophersnake/gophersnake/tracker"
)

// everySeed is the grouping in which runs differ in their seed alone.
const everySeed = "config except seed"

// Groups finds the runs that a filter of the query language selects, collects
// them by what agrees ("config except seed" if by is empty, or "params.width,
// group") and describes o.Measure in each group, in the order of the search.
// Groups in which no run has the measure are left out.
func Groups(ctx context.Context, s *tracker.Store, filter, by string, o Options) ([]Group, error) {
	if err := o.checkMeasure(); err != nil {
		return nil, err
	}
	if strings.TrimSpace(by) == "" {
		by = everySeed
	}
	t, err := s.SearchWith(ctx, tracker.Search{Text: "group by " + by, Where: where(filter), Select: []string{"mean(" + o.Measure + ")"}, Limit: -1})
	if err != nil {
		return nil, err
	}
	var out []Group
	for _, g := range t.Groups {
		group, err := fromSearch(g, o)
		if err != nil {
			return nil, err
		}
		if len(group.Samples) > 0 {
			out = append(out, group)
		}
	}
	return out, nil
}

// fromSearch describes one row of a grouped search.
func fromSearch(g tracker.Group, o Options) (Group, error) {
	names := g.SampleNames()
	if len(names) != 1 {
		return Group{}, fmt.Errorf("analysis: %s stands for %d values of a run, want one", o.Measure, len(names))
	}
	var c collected
	for i, v := range g.Samples[names[0]] {
		c.add(g.Runs[i], v.Value, v.Missing)
	}
	return c.group(g.Label(), o)
}

// collected are the runs of a group while it is put together.
type collected struct {
	samples []Sample
	without int
}

// add takes a run in. One that lacks the measure counts as diverged if that is
// how it ended; otherwise it was never measured: another task, or not over yet.
func (c *collected) add(run tracker.RunInfo, value float64, missing bool) {
	switch {
	case !missing:
		c.samples = append(c.samples, Sample{Run: run, Value: value})
	case run.Status == tracker.StatusDiverged:
		c.samples = append(c.samples, Sample{Run: run, Value: math.NaN()})
	default:
		c.without++
	}
}

func (c *collected) group(name string, o Options) (Group, error) {
	g, err := NewGroup(name, c.samples, o)
	g.Without = c.without
	return g, err
}

// Select describes o.Measure over all the runs that a filter selects, as one
// group under the filter's text.
func Select(ctx context.Context, s *tracker.Store, filter string, o Options) (Group, error) {
	if err := o.checkMeasure(); err != nil {
		return Group{}, err
	}
	t, err := s.SearchWith(ctx, tracker.Search{Where: where(filter), Select: []string{o.Measure}, Limit: -1})
	if err != nil {
		return Group{}, err
	}
	var c collected
	for i, run := range t.Runs {
		cell := t.Cells[i][0]
		c.add(run, cell.Float(), cell.Missing())
	}
	if len(c.samples) == 0 {
		if c.without > 0 {
			return Group{}, fmt.Errorf("analysis: %d runs fit %s, but none has %s", c.without, filter, o.Measure)
		}
		return Group{}, fmt.Errorf("analysis: no run fits %s", filter)
	}
	return c.group(filter, o)
}

// CompareRuns compares the runs of two filters, A − B.
func CompareRuns(ctx context.Context, s *tracker.Store, a, b string, o Options) (Comparison, error) {
	left, err := Select(ctx, s, a, o)
	if err != nil {
		return Comparison{}, err
	}
	right, err := Select(ctx, s, b, o)
	if err != nil {
		return Comparison{}, err
	}
	return Compare(left, right, o)
}

func where(filter string) []string {
	if strings.TrimSpace(filter) == "" {
		return nil
	}
	return []string{filter}
}
