// Synth fills a database with made-up runs, to see how lists, searches and plots fare with many of them.
//
//	go run ./internal/synth -db FILE -runs 10000 -points 100 -seed 1
//
// Experiments hold arms, arms hold seeds. Losses fall with noise; some runs diverge (NaN), fail, crash or were stopped.
// The same arguments give the same runs: ids, times, values and all.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/gophersnake/gophersnake/tracker"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "synth:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	var cfg Config
	var db string
	flags := flag.NewFlagSet("synth", flag.ContinueOnError)
	flags.StringVar(&db, "db", "", "database to add the runs to; made if there is none")
	flags.IntVar(&cfg.Runs, "runs", 10_000, "number of runs")
	flags.IntVar(&cfg.Points, "points", 100, "values per run, over its four metrics")
	flags.Uint64Var(&cfg.Seed, "seed", 1, "seed of everything")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if db == "" || cfg.Runs < 1 || cfg.Points < 4 {
		return fmt.Errorf("-db is %q, -runs %d, -points %d; allowed are a file, at least 1 and at least 4", db, cfg.Runs, cfg.Points)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	store, err := tracker.Open(db)
	if err != nil {
		return err
	}
	defer store.Close()
	began := time.Now()
	if err := Fill(ctx, store, cfg); err != nil {
		return err
	}
	if err := store.Close(); err != nil {
		return err
	}
	fmt.Fprintf(out, "%d runs with %d values each in %.1f s: %s\n", cfg.Runs, cfg.Points, time.Since(began).Seconds(), db)
	return nil
}
