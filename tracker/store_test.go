package tracker

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestRoundTrip(t *testing.T) {
	path := testPath(t)
	s := openAt(t, path)
	r := startRun(t, s, RunConfig{Experiment: "ladder", Name: "lru", Seed: 3, Config: []byte(`{"lr": 0.1, "model":{"n":16}}`),
		Tags: map[string]string{"a": "1"}, Note: "first", Group: "g"})
	for step := range int64(100) {
		must(t, r.Log("loss", step, 1/float64(step+1)))
	}
	must(t, r.LogContext("eval", "loss", 50, 0.5))
	must(t, r.SetTag("a", "2"))
	must(t, r.SetNote("second"))
	must(t, r.LogParam("device", map[string]any{"name": "cpu"}))
	must(t, r.FinishWith(StatusFailed, "because"))
	must(t, s.Close())
	must(t, s.Close())

	s = openAt(t, path)
	info, err := s.Run(ctx, "lru")
	must(t, err)
	if info.ID != r.ID() || info.RowID != r.RowID() || info.Experiment != "ladder" || info.Group != "g" || info.Seed != 3 || !info.HasSeed ||
		info.Status != StatusFailed || info.StatusDetail != "because" || info.Note != "second" || info.LastStep != 99 ||
		info.Finished.Before(info.Created) || len(info.ConfigSHA256) != 64 {
		t.Errorf("run is %+v", info)
	}
	points := history(t, s, "lru", "loss", "")
	if len(points) != 100 || points[99].Step != 99 || points[99].Value != 0.01 || time.Since(points[99].Time) > time.Hour {
		t.Errorf("history: %d points, last %+v", len(points), points[len(points)-1])
	}
	if got := history(t, s, "lru", "loss", "eval"); len(got) != 1 || got[0].Value != 0.5 || got[0].Context != "eval" {
		t.Errorf("eval: %+v", got)
	}
	config, err := s.ConfigJSON(ctx, "lru")
	must(t, err)
	if string(config) != `{"lr": 0.1, "model":{"n":16}}` {
		t.Errorf("config %s", config)
	}
	tags, err := s.Tags(ctx, "lru")
	must(t, err)
	if len(tags) != 1 || tags["a"] != "2" {
		t.Errorf("tags %v", tags)
	}
	params, err := s.Params(ctx, "lru")
	must(t, err)
	if fmt.Sprint(params) != "[{device.name string cpu 0} {lr float 0.1 0.1} {model.n int 16 16}]" {
		t.Errorf("params %v", params)
	}
	experiments, err := s.Experiments(ctx)
	must(t, err)
	if len(experiments) != 1 || experiments[0].Name != "ladder" || experiments[0].Runs != 1 {
		t.Errorf("experiments %+v", experiments)
	}
	entries, err := os.ReadDir(s.paths.journal)
	must(t, err)
	if len(entries) != 0 {
		t.Errorf("the journal folder holds %v", entries)
	}
}

// TestOddValues: NaN, ±Inf, -0, extremes, extreme steps, repeated and out-of-order steps all come back.
func TestOddValues(t *testing.T) {
	s := openTest(t)
	r := startRun(t, s, RunConfig{})
	odd := []float64{math.NaN(), math.Inf(1), math.Inf(-1), 0, math.MaxFloat64, math.SmallestNonzeroFloat64, -1e-300, 1.0 / 3}
	for i, v := range odd {
		must(t, r.Log("odd", int64(i), v))
	}
	for i, step := range []int64{5, 3, math.MaxInt64, math.MinInt64, 3, -1, 3} {
		must(t, r.Log("steps", step, float64(i)))
	}
	must(t, r.LogBatch([]Point{
		{Key: "times", Step: 1, Value: 1, Time: time.UnixMilli(2000)},
		{Key: "times", Step: 1, Value: 2, Time: time.UnixMilli(1000)},
		{Key: "times", Step: 1, Value: 3, Time: time.UnixMilli(2000)},
	}))
	must(t, r.Flush())
	got := values(history(t, s, r.ID(), "odd", ""))
	for i, v := range odd {
		if math.Float64bits(got[i]) != math.Float64bits(v) && !(math.IsNaN(v) && math.IsNaN(got[i])) {
			t.Errorf("%v came back as %v", v, got[i])
		}
	}
	if got := fmt.Sprint(values(history(t, s, r.ID(), "steps", ""))); got != "[3 5 1 4 6 0 2]" {
		t.Errorf("out of order: %s", got)
	}
	if got := fmt.Sprint(values(history(t, s, r.ID(), "times", ""))); got != "[2 1 3]" {
		t.Errorf("by time: %s", got)
	}
	latest, err := s.Latest(ctx, r.ID())
	must(t, err)
	if m := latest[0]; m.Key != "odd" || m.Count != 8 || m.NaNs != 1 || !math.IsInf(m.Min, -1) || m.MinStep != 2 ||
		!math.IsInf(m.Max, 1) || !math.IsNaN(m.Mean) || m.Last != 1.0/3 {
		t.Errorf("odd: %+v", m)
	}
	if m := latest[2]; m.Last != 3 || m.LastTime != time.UnixMilli(2000) {
		t.Errorf("times: %+v", m)
	}
	must(t, r.LogSync("nan", 0, math.NaN()))
	latest, err = s.Latest(ctx, r.ID())
	must(t, err)
	if m := latest[0]; m.Key != "nan" || !math.IsNaN(m.Last) || !math.IsNaN(m.Min) || !math.IsNaN(m.Mean) || m.Count != 1 {
		t.Errorf("nan: %+v", m)
	}
}

// TestManyAtOnePoint: values at the same step and millisecond all stay, in order, within and across commits.
func TestManyAtOnePoint(t *testing.T) {
	clock := newFakeClock()
	s := openTest(t, WithClock(clock.now))
	r := startRun(t, s, RunConfig{})
	n := 0
	for _, size := range []int{1, 3, chunkRows, chunkRows + 7, 2} {
		for range size {
			must(t, r.Log("x", 1, float64(n)))
			n++
		}
		must(t, r.Flush())
	}
	got := values(history(t, s, r.ID(), "x", ""))
	if len(got) != n {
		t.Fatalf("%d values, want %d", len(got), n)
	}
	for i, v := range got {
		if v != float64(i) {
			t.Fatalf("value %d is %v", i, v)
		}
	}
}

// TestLatestIsTrue compares the incremental summaries with those recomputed from the points, on random histories
// committed in random portions.
func TestLatestIsTrue(t *testing.T) {
	s := openTest(t)
	rng := rand.New(rand.NewPCG(1, 2))
	pool := []float64{math.NaN(), math.Inf(1), math.Inf(-1), 0, 1, 1, 2, -3}
	for trial := range 20 {
		r := startRun(t, s, RunConfig{Name: fmt.Sprintf("trial-%d", trial)})
		for range 1 + rng.IntN(6) {
			var batch []Point
			for range 1 + rng.IntN(80) {
				v := rng.NormFloat64()
				if rng.IntN(3) == 0 {
					v = pool[rng.IntN(len(pool)-trial%2*3)+trial%2*3]
				}
				batch = append(batch, Point{Key: []string{"a", "b"}[rng.IntN(2)], Step: int64(rng.IntN(12)), Value: v,
					Time: time.UnixMilli(int64(rng.IntN(4)))})
			}
			must(t, r.LogBatch(batch))
			must(t, r.Flush())
		}
		incremental := readLatest(t, s, r)
		must(t, s.change("test", func(tx *writeTx) error { return tx.rebuild(r.RowID()) }))
		if recomputed := readLatest(t, s, r); recomputed != incremental {
			t.Fatalf("trial %d: incremental\n%s\nrecomputed\n%s", trial, incremental, recomputed)
		}
	}
}

func readLatest(t *testing.T, s *Store, r *Run) string {
	t.Helper()
	list, err := s.Latest(ctx, r.ID())
	must(t, err)
	var b strings.Builder
	for _, m := range list {
		fmt.Fprintf(&b, "%s %d %d last %d %d %v min %d %v max %d %v mean %.9g\n", m.Key, m.Count, m.NaNs, m.LastStep,
			m.LastTime.UnixMilli(), m.Last, m.MinStep, m.Min, m.MaxStep, m.Max, m.Mean)
	}
	return b.String()
}

// TestManyGoroutines: many goroutines log to many runs; everything arrives in each goroutine's order.
func TestManyGoroutines(t *testing.T) {
	s := openTest(t)
	const runs, loggers, steps = 6, 4, 250
	var group sync.WaitGroup
	handles := make([]*Run, runs)
	for i := range handles {
		handles[i] = startRun(t, s, RunConfig{Seed: int64(i)})
		for g := range loggers {
			group.Go(func() {
				key := fmt.Sprintf("m%d", g)
				for step := range int64(steps) {
					var err error
					switch step % 3 {
					case 0:
						err = handles[i].LogBatch([]Point{{Key: key, Step: step, Value: float64(step)}})
					default:
						err = handles[i].Log(key, step, float64(step))
					}
					if err != nil {
						t.Error(err)
						return
					}
				}
				if err := handles[i].SetTag(key, "done"); err != nil {
					t.Error(err)
				}
			})
		}
	}
	group.Go(func() {
		for range 20 {
			if _, err := s.Runs(ctx, Filter{}); err != nil {
				t.Error(err)
			}
		}
	})
	group.Wait()
	for _, r := range handles {
		must(t, r.Finish(StatusFinished))
		for g := range loggers {
			got := values(history(t, s, r.ID(), fmt.Sprintf("m%d", g), ""))
			if len(got) != steps {
				t.Fatalf("run %s m%d has %d values, want %d", r.ID(), g, len(got), steps)
			}
		}
	}
}

// TestBackpressure: with a tiny limit Log blocks instead of dropping.
func TestBackpressure(t *testing.T) {
	cfg := DefaultConfig(testPath(t))
	cfg.FlushRows, cfg.MaxPending = 5, 10
	s, err := OpenConfig(cfg)
	must(t, err)
	defer s.Close()
	r := startRun(t, s, RunConfig{})
	for step := range int64(500) {
		must(t, r.Log("x", step, 0))
		r.mu.Lock()
		if n := len(r.pending) + r.inflight; n > 10 {
			t.Fatalf("%d values pending", n)
		}
		r.mu.Unlock()
	}
	if got := history(t, s, r.ID(), "x", ""); len(got) != 500 {
		t.Errorf("%d values", len(got))
	}
}

// TestFlushByItself: what is logged is committed after the window without anybody asking.
func TestFlushByItself(t *testing.T) {
	s := openTest(t)
	reader := openAt(t, s.Path(), WithReadOnly())
	r := startRun(t, s, RunConfig{})
	must(t, r.Log("x", 1, 2))
	deadline := time.Now().Add(10 * time.Second)
	for {
		if points, err := reader.History(ctx, r.ID(), "x", ""); err == nil && len(points) == 1 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("not committed after 10 s")
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestObjects(t *testing.T) {
	s := openTest(t)
	r := startRun(t, s, RunConfig{})
	must(t, r.LogText("sample", 2, "later"))
	must(t, r.LogText("sample", 1, "sooner"))
	must(t, r.LogObject(Object{Key: "sample", Context: "eval", Step: 1, Kind: "histogram", Data: []byte(`{"edges":[0,1],"counts":[5]}`)}))
	must(t, r.LogObject(Object{Key: "empty", Kind: "text"}))
	got, err := s.Objects(ctx, r.ID(), "sample", "")
	must(t, err)
	if len(got) != 2 || string(got[0].Data) != "sooner" || got[1].Kind != "text" {
		t.Errorf("objects %+v", got)
	}
	got, err = s.Objects(ctx, r.ID(), "sample", "eval")
	must(t, err)
	if len(got) != 1 || got[0].Kind != "histogram" {
		t.Errorf("objects %+v", got)
	}
	wantError(t, r.LogObject(Object{Key: "big", Kind: "text", Data: make([]byte, MaxObjectBytes+1)}), ErrInvalid, "big", "1048577", "LogArtifactBytes")
	wantError(t, r.LogObject(Object{Key: "k"}), ErrInvalid, "Kind")
}

func TestBadInput(t *testing.T) {
	s := openTest(t)
	r := startRun(t, s, RunConfig{Name: "good"})
	wantError(t, r.Log("", 1, 1), ErrInvalid, "key", "empty")
	wantError(t, r.Log("a\x00b", 1, 1), ErrInvalid, "U+0000")
	wantError(t, r.Log("a\xff", 1, 1), ErrInvalid, "UTF-8")
	wantError(t, r.Log(strings.Repeat("x", 251), 1, 1), ErrInvalid, "251", "250")
	wantError(t, r.LogContext("\n", "x", 1, 1), ErrInvalid, "context", "U+000A")
	wantError(t, r.LogBatch([]Point{{Key: "ok"}, {Key: ""}}), ErrInvalid, "point 1 of 2")
	wantError(t, r.SetTag("", "x"), ErrInvalid, "tag key")
	wantError(t, r.SetTag("x", strings.Repeat("x", MaxTagLength+1)), ErrInvalid, "16001")
	wantError(t, r.Finish(StatusRunning), ErrInvalid, "running", "finished")
	wantError(t, r.Finish("done"), ErrInvalid, "done")
	wantError(t, r.SetStatus("crashed", ""), ErrInvalid)
	_, err := s.StartRun(RunConfig{Config: []byte("[1]")})
	wantError(t, err, ErrInvalid, "RunConfig.Experiment", "RunConfig.Config", "JSON object", "[1]")
	for config, text := range map[string]string{
		`{"a":1} x`:             "JSON",
		`{"a":`:                 "JSON",
		`{"a.b":1,"a":{"b":2}}`: `"a.b"`,
		`{"a":1e999}`:           "1e999",
		`{"":1}`:                "empty",
		"{\"a\":\"\xff\"}":      "UTF-8",
	} {
		_, err := s.StartRun(RunConfig{Experiment: "e", Config: []byte(config)})
		wantError(t, err, ErrInvalid, "RunConfig.Config", text)
	}
	_, err = s.StartRun(RunConfig{Experiment: "e", Parent: "nobody"})
	wantError(t, err, ErrNotFound, "RunConfig.Parent", "nobody")
	must(t, r.LogParam("lr", 0.5))
	must(t, r.LogParam("lr", 0.5))
	wantError(t, r.LogParam("lr", 0.25), ErrInvalid, `"lr"`, "0.5", "0.25", "tag")
	must(t, r.Finish(StatusFinished))
	wantError(t, r.Log("x", 1, 1), ErrRunOver, "good", "ResumeRun")
	wantError(t, r.Finish(StatusFinished), ErrRunOver)
	must(t, r.SetTag("late", "yes"))
	must(t, s.Close())
	wantError(t, r.Log("x", 1, 1), ErrClosed)
	wantError(t, r.SetTag("x", "y"), ErrClosed)
	_, err = s.Runs(ctx, Filter{})
	wantError(t, err, ErrClosed)
	_, err = s.StartRun(RunConfig{Experiment: "e"})
	wantError(t, err, ErrClosed, s.Path())
}

func TestBadConfig(t *testing.T) {
	path := testPath(t)
	for name, c := range map[string]Config{
		"FlushInterval":     {Path: path, FlushInterval: time.Hour},
		"FlushRows":         {Path: path, FlushRows: -1},
		"MaxPending":        {Path: path, MaxPending: 10},
		"HeartbeatInterval": {Path: path, HeartbeatInterval: time.Microsecond},
		"StaleAfter":        {Path: path, StaleAfter: time.Second},
		"LockTimeout":       {Path: path, LockTimeout: time.Millisecond},
	} {
		_, err := OpenConfig(c)
		wantError(t, err, ErrInvalid, name, "allowed")
	}
}
