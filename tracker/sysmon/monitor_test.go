package sysmon

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gophersnake/gophersnake/tracker"
)

var ctx = context.Background()

// fakeSource counts its samples; every third one fails, and the fifth panics.
type fakeSource struct {
	samples chan int
	n       int
	closed  int
}

func (f *fakeSource) Sample() (map[string]float64, error) {
	f.n++
	defer func() { f.samples <- f.n }()
	switch {
	case f.n == 5:
		panic("no such file")
	case f.n%3 == 0:
		return nil, errors.New("busy")
	}
	return map[string]float64{"cpu_percent": float64(f.n), "memory_used_bytes": 100}, nil
}

func (f *fakeSource) Close() error { f.closed++; return nil }

func openRun(t *testing.T) (*tracker.Store, *tracker.Run) {
	t.Helper()
	store, err := tracker.Open(filepath.Join(t.TempDir(), "t.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	run, err := store.StartRun(tracker.RunConfig{Experiment: "e"})
	if err != nil {
		t.Fatal(err)
	}
	return store, run
}

// TestMonitor: one sample at the start and one for each tick, at steps in seconds; a failing source loses its samples only.
func TestMonitor(t *testing.T) {
	store, run := openRun(t)
	if err := run.Log("loss", 3, 1); err != nil {
		t.Fatal(err)
	}
	info, err := run.Info(ctx)
	if err != nil {
		t.Fatal(err)
	}
	now := info.Created
	tick := make(chan time.Time)
	source := &fakeSource{samples: make(chan int, 10)}
	m, err := Start(run, Options{Source: source, Tick: tick, Now: func() time.Time { now = now.Add(10 * time.Second); return now }})
	if err != nil {
		t.Fatal(err)
	}
	for range 6 {
		<-source.samples
		tick <- time.Time{}
	}
	<-source.samples
	err = m.Stop()
	if err == nil || !strings.Contains(err.Error(), "busy") {
		t.Errorf("Stop says %v", err)
	}
	if m.Stop() == nil || source.closed != 1 {
		t.Errorf("stopped twice: closed %d times", source.closed)
	}
	points, err := store.History(ctx, run.ID(), tracker.SystemPrefix+"cpu_percent", "")
	if err != nil {
		t.Fatal(err)
	}
	var got []float64
	var steps []int64
	for _, p := range points {
		got, steps = append(got, p.Value), append(steps, p.Step)
	}
	if len(got) != 4 || got[0] != 1 || got[1] != 2 || got[2] != 4 || got[3] != 7 {
		t.Errorf("values %v", got)
	}
	if len(steps) == 4 && (steps[0] != 10 || steps[1] != 20 || steps[2] <= steps[1]) {
		t.Errorf("steps %v", steps)
	}
	if info, err := run.Info(ctx); err != nil || info.LastStep != 3 {
		t.Errorf("last step %d (%v), want 3", info.LastStep, err)
	}
}

// TestRunOver: when the run is finished, monitoring ends without an error.
func TestRunOver(t *testing.T) {
	_, run := openRun(t)
	source := &fakeSource{samples: make(chan int, 10)}
	tick := make(chan time.Time)
	m, err := Start(run, Options{Source: source, Tick: tick})
	if err != nil {
		t.Fatal(err)
	}
	<-source.samples
	if err := run.Finish(tracker.StatusFinished); err != nil {
		t.Fatal(err)
	}
	tick <- time.Time{}
	<-m.done
	if err := m.Stop(); err != nil || source.n != 2 || source.closed != 1 {
		t.Errorf("Stop says %v after %d samples, closed %d times", err, source.n, source.closed)
	}
}

func TestBadOptions(t *testing.T) {
	_, run := openRun(t)
	if _, err := Start(run, Options{Every: time.Millisecond}); err == nil || !strings.Contains(err.Error(), "Every is 1ms, allowed 10ms to 1h") {
		t.Errorf("got %v", err)
	}
	if _, err := Start(nil, Options{}); err == nil {
		t.Error("a nil run is accepted")
	}
}

// TestMachine: what the machine tells is in range, and every key ends in a unit.
func TestMachine(t *testing.T) {
	m := NewMachine(t.TempDir())
	defer m.Close()
	spin := time.Now()
	for time.Since(spin) < 30*time.Millisecond {
		_ = strings.Repeat("x", 100)
	}
	v, err := m.Sample()
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"process_memory_bytes", "memory_used_bytes", "memory_percent", "disk_free_bytes", "go_heap_bytes"} {
		if v[key] <= 0 {
			t.Errorf("%s is %v", key, v[key])
		}
	}
	for key, value := range v {
		_, unit, _ := strings.Cut(key, "_")
		unit = unit[strings.LastIndex(unit, "_")+1:]
		switch unit {
		case "percent", "bytes", "threads", "goroutines", "watts", "celsius":
		default:
			t.Errorf("%s ends in no unit", key)
		}
		if value < 0 || (unit == "percent" && key != "process_cpu_percent" && value > 100) {
			t.Errorf("%s is %v", key, value)
		}
	}
	t.Log(v)
}

func BenchmarkSample(b *testing.B) {
	m := NewMachine(b.TempDir())
	defer m.Close()
	for range b.N {
		if _, err := m.Sample(); err != nil {
			b.Fatal(err)
		}
	}
}
