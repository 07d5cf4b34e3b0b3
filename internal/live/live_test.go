package live

import (
	"bytes"
	"context"
	"io"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/gophersnake/gophersnake/tracker"
)

func TestSpark(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		values []float64
		width  int
		want   string
	}{
		{[]float64{0, 1, 2, 3, 4, 5, 6, 7}, 8, "▁▂▃▄▅▆▇█"},
		{[]float64{3, 2, 1}, 20, "█▅▁"},
		{[]float64{2, 2}, 5, "▅▅"},
		{[]float64{1, nan, 3}, 5, "▁×█"},
		{[]float64{nan, math.Inf(1)}, 5, "××"},
		{[]float64{0, 2, 10, 12}, 2, "▁█"}, // means 1 and 11
		{nil, 5, ""},
		{[]float64{1}, 0, ""},
	} {
		if got := Spark(c.values, c.width); got != c.want {
			t.Errorf("Spark(%v, %d) is %q, want %q", c.values, c.width, got, c.want)
		}
	}
}

func TestChartKeepsSpikesAndGaps(t *testing.T) {
	var points []tracker.Point
	for i := range int64(1000) {
		v := 1.0
		switch i {
		case 500:
			v = 9 // one value of many in its column
		case 700:
			v = math.NaN()
		}
		points = append(points, tracker.Point{Step: i, Value: v})
	}
	lines := Chart(points, 60, 5)
	if len(lines) != 7 {
		t.Fatalf("%d lines, want 5 and the axis", len(lines))
	}
	if !strings.HasPrefix(lines[0], "        9 │") || !strings.HasPrefix(lines[4], "        1 │") {
		t.Errorf("the scale is wrong:\n%s", strings.Join(lines, "\n"))
	}
	if strings.Trim(strings.SplitN(lines[0], "│", 2)[1], "\u2800") == "" {
		t.Errorf("the spike is lost:\n%s", strings.Join(lines, "\n"))
	}
	if !strings.Contains(lines[6], "step 0 to 999; 1 values are NaN") {
		t.Errorf("last line %q", lines[6])
	}
	if Chart(nil, 60, 5) != nil || Chart(points, 5, 5) != nil {
		t.Error("nothing to draw, or no room, but something is drawn")
	}
}

// open makes a database with a finished run, and one under way at step 30 of 100.
func open(t *testing.T) (*tracker.Store, *tracker.Run) {
	t.Helper()
	s, err := tracker.Open(filepath.Join(t.TempDir(), "live.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	var run *tracker.Run
	for _, name := range []string{"first", "second"} {
		if run, err = s.StartRun(tracker.RunConfig{Experiment: "e", Name: name, Config: []byte(`{"steps": 100}`)}); err != nil {
			t.Fatal(err)
		}
		for step := range int64(31) {
			must(t, run.Log("train/loss", step, 5-float64(step)/10))
			must(t, run.LogContext("eval", "accuracy", step, float64(step)/100))
		}
		if name == "first" {
			must(t, run.Finish(tracker.StatusFinished))
		}
	}
	must(t, run.Flush())
	return s, run
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestModelListsOpensAndFollows(t *testing.T) {
	s, run := open(t)
	m := &model{ctx: t.Context(), store: s, width: 120, height: 20}
	start := time.Now()
	must(t, m.look(start))
	page := m.View().Content
	for _, want := range []string{"1 running", "second", "30/100  30%", "first", "█"} {
		if !strings.Contains(page, want) {
			t.Errorf("the list lacks %q:\n%s", want, page)
		}
	}
	if strings.Index(page, "second") > strings.Index(page, "first") {
		t.Errorf("the run under way is not the first:\n%s", page)
	}
	press(m, tea.KeyPressMsg{Code: tea.KeyEnter})
	if page = m.View().Content; !strings.Contains(page, "train/loss") || !strings.Contains(page, "accuracy@eval") || !strings.Contains(page, "step 0 to 30") {
		t.Errorf("the run's page:\n%s", page)
	}
	if m.detail.row.metrics[m.detail.metric].Key != "train/loss" {
		t.Errorf("the curve is of %s, want train/loss first", m.detail.row.metrics[m.detail.metric].Key)
	}
	press(m, tea.KeyPressMsg{Code: tea.KeyUp})
	if m.detail.row.metrics[m.detail.metric].Key != "accuracy" || m.detail.points[30].Value != 0.30 {
		t.Errorf("the arrow did not choose the other metric")
	}
	for step := int64(31); step <= 50; step++ {
		must(t, run.Log("train/loss", step, 1))
	}
	must(t, run.Flush())
	if _, cmd := m.Update(tick(start.Add(10 * time.Second))); cmd == nil || m.err != nil {
		t.Fatalf("no next look is asked for, error %v", m.err)
	}
	if page = m.View().Content; !strings.Contains(page, "50/100  50%, about 25s to go") { // 20 steps in 10 s
		t.Errorf("after 20 more steps in 10 s:\n%s", page)
	}
	press(m, tea.KeyPressMsg{Code: tea.KeyEscape})
	if page = m.View().Content; !strings.Contains(page, "q leave") || m.open != 0 {
		t.Errorf("escape did not lead back:\n%s", page)
	}
	for _, w := range []tea.WindowSizeMsg{{Width: 20, Height: 3}, {Width: 1, Height: 1}} {
		m.Update(w)
		m.View() // must not panic
		m.open = run.RowID()
		must(t, m.lookAtOpen(start))
		m.View()
		m.open = 0
	}
}

func press(m *model, key tea.KeyPressMsg) { m.Update(key) }

func TestWatchRunsAsAProgram(t *testing.T) {
	s, run := open(t)
	var out bytes.Buffer
	in, keys := io.Pipe()
	go func() {
		time.Sleep(300 * time.Millisecond) // a few frames
		keys.Write([]byte("q"))
	}()
	size := []tea.ProgramOption{tea.WithWindowSize(100, 20)}
	must(t, Watch(t.Context(), s, Options{In: in, Out: &out, Run: run.ID(), Every: 10 * time.Millisecond, size: size}))
	if !strings.Contains(out.String(), "second") {
		t.Errorf("nothing was drawn: %q", out.String())
	}
	if err := Watch(t.Context(), s, Options{In: in, Out: &out, Run: "scond"}); err == nil || !strings.Contains(err.Error(), "second") {
		t.Errorf("an unknown run gives %v, want what is near", err)
	}
}

func TestPrint(t *testing.T) {
	s, _ := open(t)
	var out bytes.Buffer
	must(t, Print(t.Context(), &out, s, Options{}))
	if n := strings.Count(out.String(), "\n"); n != 3 || strings.Contains(out.String(), "\x1b") {
		t.Errorf("%d lines, want a header and two runs without colours:\n%s", n, out.String())
	}
}

func TestFollowWritesEachValueOnce(t *testing.T) {
	s, run := open(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	f := follower{lines: plainLines(), store: s, seen: map[value]bool{}, counts: map[string]int64{}}
	var out bytes.Buffer
	must(t, f.write(ctx, &out, run.ID()))
	if n := strings.Count(out.String(), "\n"); n != 62 {
		t.Errorf("%d lines, want 62", n)
	}
	out.Reset()
	must(t, run.Log("train/loss", 7, 3.25)) // out of order
	must(t, run.Flush())
	must(t, f.write(ctx, &out, run.ID()))
	if got := strings.Fields(out.String()); strings.Join(got, " ") != "step 7 train/loss 3.25" {
		t.Errorf("a late value is written as %q", got)
	}
	must(t, run.Finish(tracker.StatusDiverged))
	out.Reset()
	must(t, Follow(ctx, &out, s, run.ID(), false, time.Millisecond))
	if got := out.String(); !strings.HasSuffix(got, "is diverged at step 30\n") || strings.Count(got, "\n") != 1 {
		t.Errorf("a run that has ended is followed as %q", got)
	}
}
