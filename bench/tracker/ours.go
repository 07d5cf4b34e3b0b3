package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gophersnake/gophersnake/tracker"
)

// The pieces of work; peers.py does the same ones.
const (
	workLog     = "log"     // n values of one metric, one call each, in one run
	workBatch   = "batch"   // n values of five metrics in ten runs, 1,000 values a call where the tool has such a call
	workHistory = "history" // read n values of one metric, of a run with five
	workCalls   = "calls"   // n calls of Log, each timed by itself; for our gates alone
	workSearch  = "search"  // among n runs, those with loss < 0.5, ordered by it, the first 1,000 with their loss
)

// cost of one piece of work.
type cost struct {
	Wall  float64 `json:"wall"` // s; of repeated work the median
	CPU   float64 `json:"cpu"`  // s, user and system, of the process and its children
	Bytes int64   `json:"bytes"`
	P50   float64 `json:"p50"` // s, median time of a call, of workCalls
	P99   float64 `json:"p99"` // s, the time that 99 of 100 calls stay below
}

func metricKeys() []string { return []string{"loss", "accuracy", "norm", "lr", "time"} }

// value is the value that every tool logs at a place.
func value(i int) float64 { return float64(i*7919%10007) / 10007 }

// measure takes the median wall time and the mean CPU time of some calls.
func measure(repeats int, work func() error) (cost, error) {
	var walls []float64
	before := cpuTime()
	for range repeats {
		began := time.Now()
		if err := work(); err != nil {
			return cost{}, err
		}
		walls = append(walls, time.Since(began).Seconds())
	}
	slices.Sort(walls)
	return cost{Wall: walls[len(walls)/2], CPU: (cpuTime() - before) / float64(repeats)}, nil
}

// work does one piece of work in a database in dir. Sizes are taken while it is closed: the write-ahead log is part of
// the file then.
func work(name, dir string, n int) (cost, error) {
	if name != workBatch {
		return workOpen(name, dir, n)
	}
	if _, err := workOpen("", dir, n); err != nil {
		return cost{}, err
	}
	empty, err := folderSize(dir)
	if err != nil {
		return cost{}, err
	}
	c, err := workOpen(name, dir, n)
	if err != nil {
		return c, err
	}
	full, err := folderSize(dir)
	c.Bytes = full - empty
	return c, err
}

// workOpen opens the database, works and closes it; no work at all makes an empty one.
func workOpen(name, dir string, n int) (c cost, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return c, err
	}
	s, err := tracker.Open(filepath.Join(dir, "bench.db"))
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	switch name {
	case workLog:
		return measure(1, func() error { return logEach(s, n) })
	case workCalls:
		return timeCalls(s, n)
	case workBatch:
		return measure(1, func() error { return logBatches(s, n) })
	case workHistory:
		return readHistory(s, n)
	case workSearch:
		return search(s, n)
	case "":
		return c, nil
	}
	return c, fmt.Errorf("work %q is not known", name)
}

func folderSize(dir string) (size int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			size += info.Size()
		}
		return err
	})
	return size, err
}

func logEach(s *tracker.Store, n int) error {
	r, err := s.StartRun(tracker.RunConfig{Experiment: "bench"})
	if err != nil {
		return err
	}
	for i := range n {
		if err := r.Log("loss", int64(i), value(i)); err != nil {
			return err
		}
	}
	return r.Finish(tracker.StatusFinished)
}

// timeCalls logs as logEach does and times each call: what a training loop waits for. Commits go on beside it; the last
// one, in Finish, is not part of it. The clock itself takes some 50 ns.
func timeCalls(s *tracker.Store, n int) (cost, error) {
	r, err := s.StartRun(tracker.RunConfig{Experiment: "bench"})
	if err != nil {
		return cost{}, err
	}
	calls := make([]float64, n)
	c, err := measure(1, func() error {
		for i := range n {
			began := time.Now()
			if err := r.Log("loss", int64(i), value(i)); err != nil {
				return err
			}
			calls[i] = time.Since(began).Seconds()
		}
		return nil
	})
	if err != nil {
		return cost{}, err
	}
	slices.Sort(calls)
	c.P50, c.P99 = calls[n/2], calls[n*99/100]
	return c, r.Finish(tracker.StatusFinished)
}

func logBatches(s *tracker.Store, n int) error {
	for range 10 {
		r, err := s.StartRun(tracker.RunConfig{Experiment: "bench"})
		if err != nil {
			return err
		}
		if err := logSteps(r, n/10/len(metricKeys())); err != nil {
			return err
		}
		if err := r.Finish(tracker.StatusFinished); err != nil {
			return err
		}
	}
	return nil
}

// logSteps logs steps of all metrics, 1,000 values a call.
func logSteps(r *tracker.Run, steps int) error {
	points := make([]tracker.Point, 0, 1000)
	for i := range steps {
		for j, key := range metricKeys() {
			points = append(points, tracker.Point{Key: key, Step: int64(i), Value: value(i + j)})
		}
		if len(points) == cap(points) || i == steps-1 {
			if err := r.LogBatch(points); err != nil {
				return err
			}
			points = points[:0]
		}
	}
	return nil
}

func readHistory(s *tracker.Store, n int) (c cost, err error) {
	r, err := s.StartRun(tracker.RunConfig{Experiment: "bench"})
	if err == nil {
		err = logSteps(r, n)
	}
	if err == nil {
		err = r.Finish(tracker.StatusFinished)
	}
	if err != nil {
		return c, err
	}
	return measure(1, func() error { // once, as the others: some keep what was read
		points, err := s.History(context.Background(), r.ID(), "loss", "")
		if err == nil && len(points) != n {
			err = fmt.Errorf("%d values came back, want %d", len(points), n)
		}
		return err
	})
}

// fillRuns adds n runs with one metric and two params, unless they are there.
func fillRuns(s *tracker.Store, n int) error {
	ctx := context.Background()
	if list, err := s.Experiments(ctx); err != nil || len(list) > 0 {
		return err
	}
	at := time.UnixMilli(1767323045678)
	var runs []tracker.ImportedRun
	for i := range n {
		rec := tracker.RunRecord{Config: fmt.Appendf(nil, `{"lr":%g,"width":%d}`, value(i), i%7), Info: tracker.RunInfo{
			Name: fmt.Sprint("run ", i), Experiment: "bench", Status: tracker.StatusFinished, Created: at, Finished: at}}
		runs = append(runs, tracker.ImportedRun{Record: rec, Fill: func(im *tracker.RunImport) error {
			return im.AddPoints([]tracker.Point{{Key: "loss", Value: value(i), Time: at}})
		}})
		if len(runs) == 100 || i == n-1 {
			if _, err := s.ImportRuns(ctx, runs); err != nil {
				return err
			}
			runs = runs[:0]
		}
	}
	return nil
}

func search(s *tracker.Store, n int) (cost, error) {
	if err := fillRuns(s, n); err != nil {
		return cost{}, err
	}
	want := 0
	for i := range n {
		if value(i) < 0.5 {
			want = min(want+1, 1000)
		}
	}
	once := func() error {
		table, err := s.Search(context.Background(), "select name, metrics.loss where metrics.loss < 0.5 order by metrics.loss limit 1000")
		if err != nil {
			return err
		}
		found, err := table.Floats("metrics.loss")
		if err != nil {
			return err
		}
		if len(found) != want || !slices.IsSorted(found) {
			return fmt.Errorf("search found %d runs, not the %d expected in their order", len(found), want)
		}
		return nil
	}
	if err := once(); err != nil {
		return cost{}, err
	}
	return measure(5, once)
}
