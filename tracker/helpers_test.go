package tracker

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the fixture of the newest schema to testdata")

var ctx = context.Background()

// TestMain is also the entry of the child processes that some tests start: see children_test.go.
func TestMain(m *testing.M) {
	if mode := os.Getenv("TRACKER_TEST_CHILD"); mode != "" {
		os.Exit(childMain(mode))
	}
	os.Exit(m.Run())
}

// fakeClock starts at a fixed moment and moves only when told.
type fakeClock struct {
	mu sync.Mutex
	t  time.Time
}

func newFakeClock() *fakeClock {
	return &fakeClock{t: time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)}
}

func (c *fakeClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *fakeClock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// seeded gives run ids that are the same in every test run.
func seeded(seed uint64) io.Reader { return rand.NewChaCha8([32]byte{byte(seed)}) }

func testPath(t testing.TB) string { return filepath.Join(t.TempDir(), "test.db") }

func openAt(t testing.TB, path string, opts ...Option) *Store {
	t.Helper()
	s, err := Open(path, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func openTest(t testing.TB, opts ...Option) *Store {
	t.Helper()
	return openAt(t, testPath(t), opts...)
}

func startRun(t testing.TB, s *Store, cfg RunConfig) *Run {
	t.Helper()
	if cfg.Experiment == "" {
		cfg.Experiment = "test"
	}
	r, err := s.StartRun(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantError checks the sentinel and that the text names everything it should.
func wantError(t testing.TB, err, sentinel error, texts ...string) {
	t.Helper()
	if !errors.Is(err, sentinel) {
		t.Fatalf("got error %v, want one that is %q", err, sentinel)
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("error %q does not name %q", err, text)
		}
	}
}

func history(t testing.TB, s *Store, ref, key, context string) []Point {
	t.Helper()
	points, err := s.History(ctx, ref, key, context)
	if err != nil {
		t.Fatal(err)
	}
	return points
}

func values(points []Point) []float64 {
	out := make([]float64, len(points))
	for i, p := range points {
		out[i] = p.Value
	}
	return out
}

func statusOf(t testing.TB, s *Store, ref string) Status {
	t.Helper()
	info, err := s.Run(ctx, ref)
	if err != nil {
		t.Fatal(err)
	}
	return info.Status
}

// dump is the whole content of a run as text: what must be equal after a resume.
func dump(t testing.TB, s *Store, ref string) string {
	t.Helper()
	info, err := s.Run(ctx, ref)
	must(t, err)
	var b bytes.Buffer
	latest, err := s.Latest(ctx, ref)
	must(t, err)
	fmt.Fprintln(&b, "last step", info.LastStep)
	for _, m := range latest {
		m.LastTime = time.Time{}
		mean := m.Mean // a sum depends on where the commits fell, in its last digits
		m.Mean = 0
		fmt.Fprintf(&b, "%+v %.12g\n", m, mean)
		for _, p := range history(t, s, ref, m.Key, m.Context) {
			fmt.Fprintln(&b, p.Step, p.Value)
		}
	}
	objects, err := s.Objects(ctx, ref, "sample", "")
	must(t, err)
	for _, o := range objects {
		fmt.Fprintln(&b, o.Step, o.Kind, string(o.Data))
	}
	artifacts, err := s.Artifacts(ctx, ref)
	must(t, err)
	for _, a := range artifacts {
		fmt.Fprintln(&b, a.Name, a.Version, a.Step, a.SHA256)
	}
	return b.String()
}

// crashStore leaves a store as a killed process would: nothing is flushed, files and locks are let go.
func crashStore(s *Store) {
	s.mu.Lock()
	s.closed = true
	runs := s.runs
	s.mu.Unlock()
	close(s.flush.stop)
	<-s.flush.done
	for _, r := range runs {
		r.abandon()
	}
	s.closeConnections()
}

// quiet is a configuration whose flusher does nothing by itself for a minute.
func quiet(path string) Config {
	return Config{Path: path, FlushInterval: time.Minute, FlushRows: 1 << 20, MaxPending: 1 << 21,
		HeartbeatInterval: time.Minute, StaleAfter: 2 * time.Minute}
}

func openQuiet(t testing.TB, path string) *Store {
	t.Helper()
	s, err := OpenConfig(quiet(path))
	if err != nil {
		t.Fatal(err)
	}
	return s
}
