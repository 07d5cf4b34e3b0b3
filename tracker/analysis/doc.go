// Package analysis makes statements about groups of runs: a mean over seeds with
// its interval, the difference between two groups with its test, the best run
// with the number of tries it took. The arithmetic is package stats'; here it
// meets the runs of the tracker.
//
//	o := analysis.Options{Measure: "metrics.`test/accuracy`", HigherIsBetter: true}
//	c, err := analysis.CompareRuns(ctx, store, "group = 'mamba'", "group = 'lru'", o)
//	groups, err := analysis.Groups(ctx, store, "experiment = 'ladder'", "config except seed", o)
//	fmt.Println(c, analysis.Table(groups, o))
//
// The unit of replication is the run. Runs of one group should differ in the seed
// only; Groups' default sees to that. A run whose value is NaN or infinite, or that
// diverged before it had one, counts as diverged; one that was never measured is
// left out. Both are counted and told.
package analysis
