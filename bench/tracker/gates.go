package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
)

// gate is a figure that the tracker must keep on any machine of these days.
type gate struct {
	name, unit string
	limit      float64
	work       string
	n          int
	figure     func(c cost, n int) float64
}

func gates(large bool) []gate {
	wallMS := func(c cost, _ int) float64 { return 1e3 * c.Wall }
	list := []gate{
		{"a call of Log, median", "µs", 5, workCalls, 500_000, func(c cost, _ int) float64 { return 1e6 * c.P50 }},
		{"a call of Log, 99 of 100 within", "µs", 0, workCalls, 500_000, func(c cost, _ int) float64 { return 1e6 * c.P99 }},
		{"a run of Log, one value a call, to its durable end", "µs a value", 0, workLog, 500_000,
			func(c cost, n int) float64 { return 1e6 * c.Wall / float64(n) }},
		{"LogBatch, CPU", "µs a value", 0, workBatch, 1_000_000, func(c cost, n int) float64 { return 1e6 * c.CPU / float64(n) }},
		{"size", "bytes a value", 35, workBatch, 1_000_000, func(c cost, n int) float64 { return float64(c.Bytes) / float64(n) }},
		{"history of 100,000 values", "ms", 250, workHistory, 100_000, wallMS},
		{"search over 10,000 runs", "ms", 20, workSearch, 10_000, wallMS},
	}
	if large {
		list = append(list, gate{"search over 100,000 runs", "ms", 200, workSearch, 100_000, wallMS})
	}
	return list
}

// checkGates measures and says which gates hold. A gate that does not hold is no error: the machine may be busy.
func (o options) checkGates(w io.Writer) error {
	fmt.Fprint(w, "## Gates\n\n| | measured | allowed | |\n|---|---:|---:|---|\n")
	costs := map[string]cost{}
	for _, g := range gates(o.large) {
		key := g.work + strconv.Itoa(g.n)
		if _, done := costs[key]; !done {
			var list []cost
			for round := range o.rounds {
				dir := filepath.Join(o.dir, "gates", key, strconv.Itoa(round))
				if g.work == workSearch {
					dir = filepath.Dir(dir)
				}
				c, err := o.one(oursName, g.work, dir, g.n)
				if err != nil {
					return fmt.Errorf("%s: %w", g.name, err)
				}
				fmt.Fprintf(os.Stderr, "%s %d: %.3f s, CPU %.3f s\n", g.name, round, c.Wall, c.CPU)
				list = append(list, c)
			}
			costs[key] = median(list)
		}
		v := g.figure(costs[key], g.n)
		allowed, verdict := "–", ""
		if g.limit > 0 {
			allowed, verdict = figure(g.limit), "holds"
			if v > g.limit {
				verdict = "**does not hold**"
			}
		}
		fmt.Fprintf(w, "| %s, %s | %s | %s | %s |\n", g.name, g.unit, figure(v), allowed, verdict)
	}
	fmt.Fprintln(w)
	return nil
}
