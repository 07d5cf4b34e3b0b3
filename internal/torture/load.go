package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gophersnake/gophersnake/tracker"
)

// runLoad lets every process log 10 batches of 1,000 rows a second, and returns how many of them failed.
func (cfg config) runLoad(ctx context.Context, d time.Duration) (failed int, err error) {
	dir := cfg.Dir
	if dir == "" {
		if dir, err = os.MkdirTemp("", "torture-load-"); err != nil {
			return 0, err
		}
		defer os.RemoveAll(dir)
	}
	path := filepath.Join(dir, "load.db")
	batches := max(1, int(d/(100*time.Millisecond)))
	begin := time.Now()
	var children []*process
	for i := range cfg.Processes {
		p, err := start(ctx, childSpec{Path: path, Name: fmt.Sprint("load-", i), Batches: batches}, nil)
		if err != nil {
			return 0, err
		}
		children = append(children, p)
	}
	failed, micros := cfg.awaitLoad(children, batches)
	took := time.Since(begin)
	rows, err := countRows(ctx, path, cfg.Processes)
	if err != nil {
		return failed, err
	}
	if want := cfg.Processes * batches * 1000; rows != want {
		failed++
		fmt.Fprintf(cfg.Out, "FAILED: %d rows are in the database, want %d\n", rows, want)
	}
	slices.Sort(micros)
	at := func(q float64) int64 { return micros[min(len(micros)-1, int(q*float64(len(micros))))] }
	if len(micros) > 0 {
		fmt.Fprintf(cfg.Out, "%d processes, %d batches of 1,000 rows each, %d rows in %.1f s (%.0f a second); LogBatch took %d µs (median), "+
			"%d µs (99 %%), %d µs at most; %d failures\n", cfg.Processes, batches, rows, took.Seconds(), float64(rows)/took.Seconds(),
			at(0.5), at(0.99), micros[len(micros)-1], failed)
	}
	return failed, nil
}

// awaitLoad waits for all children and collects what their calls took.
func (cfg config) awaitLoad(children []*process, batches int) (failed int, micros []int64) {
	for _, p := range children {
		<-p.done
		if err := p.cmd.Wait(); err != nil || p.saidError() != "" || len(p.micros) != batches {
			failed++
			fmt.Fprintf(cfg.Out, "FAILED %s: %v %s, %d of %d batches\n", p.spec.Name, err, p.saidError(), len(p.micros), batches)
		}
		micros = append(micros, p.micros...)
	}
	return failed, micros
}

// countRows opens the store, verifies it, and counts the rows of the finished runs.
func countRows(ctx context.Context, path string, processes int) (int, error) {
	store, err := tracker.Open(path)
	if err != nil {
		return 0, err
	}
	defer store.Close()
	report, err := store.Verify(ctx, nil)
	if err != nil {
		return 0, err
	}
	if !report.OK() {
		return 0, fmt.Errorf("verify: %q", report.Problems())
	}
	runs, err := store.Runs(ctx, tracker.Filter{Statuses: []tracker.Status{tracker.StatusFinished}})
	if err != nil || len(runs) != processes {
		return 0, fmt.Errorf("%d runs are finished, want %d (%v)", len(runs), processes, err)
	}
	return int(report.Points), nil
}
