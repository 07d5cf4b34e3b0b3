package nb

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gophersnake/gophersnake/pkg/lab"
	"github.com/gophersnake/gophersnake/tracker"
)

func TestTrainShowsAndLogs(t *testing.T) {
	f := notebook(t)
	b := openTemp(t)
	r, err := Train(tiny(lab.S6))
	if err != nil || r.Status != lab.Finished {
		t.Fatalf("%v, %v", r, err)
	}
	if LastResult() != r {
		t.Error("LastResult is another one")
	}
	groups := f.byID()
	if len(groups) != 2 {
		t.Fatalf("%d outputs, want bar and curve", len(groups))
	}
	for i, what := range []string{"bar", "curve"} {
		checkLive(t, what, groups[i], liveInterval)
	}
	runs, err := b.Runs()
	if err != nil || len(runs) != 1 || runs[0].Status != tracker.StatusFinished || runs[0].Experiment != "notebook" {
		t.Fatalf("runs %v, %v", runs, err)
	}
	bar, curve := groups[0][len(groups[0])-1], groups[1][len(groups[1])-1]
	contains(t, "bar", bar.text(), "12/12", "finished at loss", "valid/accuracy", "run "+runs[0].ID+" in x.db")
	contains(t, "curve", curve.svg(), "train/loss", "valid/loss", "loss (nats)")
	again, err := b.Result(runs[0].ID[:6])
	if err != nil {
		t.Fatal(err)
	}
	if again.Status != r.Status || again.Steps != r.Steps || again.Params != r.Params || again.Experiment.Hash() != r.Experiment.Hash() ||
		again.Final["test/accuracy"] != r.Final["test/accuracy"] || len(again.Curves[lab.KeyTrainLoss].Steps) != 12 {
		t.Errorf("read back as %v, was %v", again, r)
	}
	if _, err := b.Result("none"); !errors.Is(err, tracker.ErrNotFound) {
		t.Errorf("an unknown run: %v", err)
	}
}

func TestTrainWithoutStore(t *testing.T) {
	f := notebook(t)
	if _, err := Train(tiny(lab.GRU)); err != nil {
		t.Fatal(err)
	}
	ms := f.byID()[0]
	contains(t, "bar", ms[len(ms)-1].text(), "not logged")
	n := len(f.messages())
	c := DefaultTrainConfig()
	c.Quiet = true
	if _, err := TrainWith(tiny(lab.GRU), c); err != nil || len(f.messages()) != n {
		t.Errorf("quiet: %v, %d messages", err, len(f.messages())-n)
	}
	bad := tiny(lab.GRU)
	bad.Steps = 0
	if _, err := Train(bad); err == nil || !strings.Contains(err.Error(), "steps is 0") || len(f.messages()) != n {
		t.Errorf("a bad config: %v, %d messages", err, len(f.messages())-n)
	}
}

func TestStopButtonEndsTraining(t *testing.T) {
	f := notebook(t)
	b := openTemp(t)
	e := tiny(lab.S6)
	e.Steps, e.EvalEvery = 1<<30, 1<<30
	var stopped time.Time
	time.AfterFunc(500*time.Millisecond, func() { stopped = time.Now(); f.stop() })
	r, err := Train(e)
	if took := time.Since(stopped); took > time.Second {
		t.Errorf("stopped after %v, want a second or less", took)
	}
	if !Stopped(err) || r == nil || r.Status != lab.Interrupted || r.Steps < 2 || LastResult() != r {
		t.Fatalf("%v, %v", r, err)
	}
	if n := len(r.Curves[lab.KeyTrainLoss].Steps); n != r.Steps || len(r.Checkpoint) == 0 {
		t.Errorf("%d losses of %d steps, checkpoint of %d bytes", n, r.Steps, len(r.Checkpoint))
	}
	for _, ms := range f.byID() {
		checkLive(t, "interrupted", ms, liveInterval)
		if last := ms[len(ms)-1]; last.svg() == "" {
			contains(t, "bar", last.text(), "interrupted at loss")
		}
	}
	runs, err := b.Store().Runs(context.Background(), tracker.Filter{})
	if err != nil || len(runs) != 1 || runs[0].Status != tracker.StatusInterrupted {
		t.Errorf("runs %v, %v", runs, err)
	}
}

func TestPanicEndsTheRun(t *testing.T) {
	f := notebook(t)
	b := openTemp(t)
	e := tiny(lab.S6)
	tr := &training{book: b}
	if err := tr.open(e, DefaultTrainConfig()); err != nil {
		t.Fatal(err)
	}
	tr.show(e)
	func() {
		defer func() {
			if p := recover(); p != "layer" {
				t.Errorf("recovered %v", p)
			}
		}()
		_, _ = tr.run(context.Background(), e, lab.Options{Recorder: tr, Progress: func(lab.Progress) { panic("layer") }})
	}()
	runs, err := b.Runs()
	if err != nil || len(runs) != 1 || runs[0].Status != tracker.StatusFailed || runs[0].StatusDetail != "panic: layer" {
		t.Errorf("runs %+v, %v", runs, err)
	}
	ms := f.byID()[0]
	contains(t, "bar", ms[len(ms)-1].text(), "failed by a panic")
}

func tinyStudy() lab.StudyConfig {
	return lab.StudyConfig{Name: "tiny", LRs: []float64{1e-3, 1e-2}, TuneSeeds: []uint64{9}, TuneSteps: 6, Seeds: []uint64{1, 2},
		Arms: []lab.Arm{{Name: "mamba", Experiment: tiny(lab.S6)}, {Name: "gru", Experiment: tiny(lab.GRU)}}}
}

func TestStudyShowsAndReuses(t *testing.T) {
	for _, again := range []bool{false, true} {
		f := notebook(t)
		if !again {
			openTemp(t)
		}
		r, err := Study(tinyStudy())
		if err != nil || len(r.Arms) != 2 {
			t.Fatalf("%v, %v", r, err)
		}
		groups := f.byID()
		if len(groups) != 3 {
			t.Fatalf("%d outputs, want bar, table and curve", len(groups))
		}
		var last []message
		for _, ms := range groups {
			checkLive(t, "study", ms, liveInterval)
			last = append(last, ms[len(ms)-1])
		}
		contains(t, "bar", last[0].text(), "72/72", "finished", `"tiny" in x.db`) // 4·6 tuning + 4·12 reported steps
		contains(t, "table", last[1].text(), "mamba", "gru", "mean test/accuracy")
		if !again {
			contains(t, "curve", last[2].svg(), "mamba", "gru")
		} else if runs, err := currentBook().Runs(); err != nil || len(runs) != 8 {
			t.Errorf("%d runs after the second time, want 8: %v", len(runs), err)
		}
	}
}

func TestStopButtonEndsStudy(t *testing.T) {
	f := notebook(t)
	c := tinyStudy()
	for i := range c.Arms {
		c.Arms[i].Experiment.Steps = 1 << 30
	}
	time.AfterFunc(300*time.Millisecond, f.stop)
	start := time.Now()
	if _, err := Study(c); !Stopped(err) || time.Since(start) > 1300*time.Millisecond {
		t.Errorf("%v after %v", err, time.Since(start))
	}
	ms := f.byID()[0]
	contains(t, "bar", ms[len(ms)-1].text(), "stopped")
	n := len(f.messages())
	if _, err := Study(lab.StudyConfig{}); err == nil || len(f.messages()) != n {
		t.Errorf("an empty study: %v, %d messages", err, len(f.messages())-n)
	}
}

func TestLadder(t *testing.T) {
	f := notebook(t)
	r, err := Ladder(tiny(lab.S6), []uint64{1, 2}, "rnn", "mamba")
	if err != nil || len(r.Arms) != 2 || len(r.Arms[0].Runs) != 2 {
		t.Fatalf("%v, %v", r, err)
	}
	figures := 0
	for _, m := range f.messages() {
		if m.id == "" && m.svg() != "" {
			figures++
		}
	}
	if figures != 2 {
		t.Errorf("%d figures, want bars and curves", figures)
	}
	if _, err := Ladder(tiny(lab.S6), []uint64{1}, "lstm"); err == nil {
		t.Error("an unknown rung is accepted")
	}
	if _, err := Ladder(tiny(lab.S6), nil); err == nil {
		t.Error("no seeds are accepted")
	}
}

func TestOpenTwice(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	a, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Open(path)
	if a != b || err != nil {
		t.Errorf("opened again: %v, %v", b, err)
	}
	if err := a.Close(); err != nil || currentBook() != nil {
		t.Errorf("closed: %v, %v", err, currentBook())
	}
	if b, err = Open(path); err != nil || a == b {
		t.Errorf("opened after Close: %v, %v", b, err)
	}
	contains(t, "String", b.String(), path)
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if _, err := Open(filepath.Join(t.TempDir(), "no", "folder", "x.db")); err == nil {
		t.Error("opened in a folder that is missing")
	}
}
