package tracker

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// reportCPU reports the processor time of what follows per point, all threads together: unlike the time on the clock it
// says little about what else the machine was doing. The caller calls the result at the end.
func reportCPU(b *testing.B, pointsPerOp int) (end func()) {
	used := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	before := used()
	return func() {
		b.ReportMetric(float64((used()-before).Nanoseconds())/float64(b.N*pointsPerOp), "cpu-ns/point")
	}
}

// BenchmarkLog is the cost of one acknowledged point, with the flusher committing behind it: gate 5 µs.
func BenchmarkLog(b *testing.B) {
	run := benchRun(b)
	end := reportCPU(b, 1)
	b.ResetTimer()
	for i := range b.N {
		if err := run.Log("loss", int64(i), 1.5); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	if err := run.Flush(); err != nil {
		b.Fatal(err)
	}
	end()
}

// BenchmarkLogAlone is Log without the flusher at work: what a training loop waits for.
func BenchmarkLogAlone(b *testing.B) {
	cfg := quiet(filepath.Join(b.TempDir(), "bench.db"))
	cfg.FlushRows, cfg.MaxPending = 1<<30, 1<<30
	store, err := OpenConfig(cfg)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { store.Close() })
	run, err := store.StartRun(RunConfig{Experiment: "bench"})
	if err != nil {
		b.Fatal(err)
	}
	end := reportCPU(b, 1)
	b.ResetTimer()
	for i := range b.N {
		if err := run.Log("loss", int64(i), 1.5); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	end()
}

// BenchmarkLogParallel is Log from several goroutines to one run, each with its own metric.
func BenchmarkLogParallel(b *testing.B) {
	run := benchRun(b)
	var goroutines atomic.Int64
	b.RunParallel(func(pb *testing.PB) {
		key := fmt.Sprintf("loss%d", goroutines.Add(1))
		for step := int64(0); pb.Next(); step++ {
			if err := run.Log(key, step, 1.5); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

// BenchmarkLogBatch1000 is the cost of a point in a batch, as long as the flusher keeps up.
func BenchmarkLogBatch1000(b *testing.B) {
	run := benchRun(b)
	batch := make([]Point, 1000)
	end := reportCPU(b, 1000)
	b.ResetTimer()
	for i := range b.N {
		for j := range batch {
			batch[j] = Point{Key: "loss", Step: int64(i*1000 + j), Value: float64(j)}
		}
		if err := run.LogBatch(batch); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	end()
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*1000), "ns/point")
}

// BenchmarkCommit is log, commit and trim of 1,000 points at a time, synced: points a second into the database.
func BenchmarkCommit(b *testing.B) {
	run := benchRun(b)
	batch := make([]Point, 1000)
	end := reportCPU(b, 1000)
	b.ResetTimer()
	for i := range b.N {
		for j := range batch {
			batch[j] = Point{Key: "loss", Step: int64(i*1000 + j), Value: float64(j)}
		}
		if err := run.LogBatch(batch); err != nil {
			b.Fatal(err)
		}
		if err := run.Flush(); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	end()
	b.ReportMetric(float64(b.N*1000)/b.Elapsed().Seconds(), "points/s")
}

// BenchmarkHistory reads 100,000 points: gate 0.25 s.
func BenchmarkHistory(b *testing.B) {
	run := benchRun(b)
	fillBench(b, run, 100_000)
	b.ResetTimer()
	for range b.N {
		points, err := run.store.History(context.Background(), run.ID(), "loss", "")
		if err != nil || len(points) != 100_000 {
			b.Fatal(len(points), err)
		}
	}
}

// BenchmarkBytes reports the size of the database per point: gate 35 B.
func BenchmarkBytes(b *testing.B) {
	for range b.N {
		const n = 400_000
		run := benchRun(b)
		fillBench(b, run, n)
		path := run.store.Path()
		if err := run.Finish(StatusFinished); err != nil {
			b.Fatal(err)
		}
		if err := run.store.Close(); err != nil {
			b.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(info.Size())/n, "B/point")
	}
}

func fillBench(b *testing.B, run *Run, n int) {
	batch := make([]Point, 0, 10_000)
	for i := range n {
		if batch = append(batch, Point{Key: "loss", Step: int64(i), Value: 1 / float64(i+1)}); len(batch) == cap(batch) {
			if err := run.LogBatch(batch); err != nil {
				b.Fatal(err)
			}
			batch = batch[:0]
		}
	}
	if err := run.LogBatch(batch); err != nil {
		b.Fatal(err)
	}
	if err := run.Flush(); err != nil {
		b.Fatal(err)
	}
}

func benchRun(b *testing.B) *Run {
	b.Helper()
	store, err := Open(filepath.Join(b.TempDir(), "bench.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { store.Close() })
	run, err := store.StartRun(RunConfig{Experiment: "bench"})
	if err != nil {
		b.Fatal(err)
	}
	return run
}
