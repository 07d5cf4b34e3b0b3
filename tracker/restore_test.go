package tracker

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"
)

// anyRecord is a record that ImportRun takes.
func anyRecord(name string) RunRecord {
	at := time.UnixMilli(1767323045678)
	return RunRecord{Info: RunInfo{Name: name, Experiment: "e", Status: StatusFinished, Created: at, Finished: at.Add(time.Minute)}}
}

func TestImportRunIsAllOrNothing(t *testing.T) {
	s := openTest(t)
	boom := errors.New("boom")
	_, err := s.ImportRuns(ctx, []ImportedRun{
		{Record: anyRecord("a")},
		{Record: anyRecord("b"), Fill: func(im *RunImport) error {
			return errors.Join(im.AddPoints([]Point{{Key: "loss", Value: 1, Time: time.UnixMilli(5)}}), boom)
		}},
	})
	if !errors.Is(err, boom) {
		t.Errorf("error %v, want %v", err, boom)
	}
	c, cancel := context.WithCancel(ctx)
	_, err = s.ImportRun(c, anyRecord("c"), func(im *RunImport) error {
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want the end of the context", err)
	}
	if runs, err := s.Runs(ctx, Filter{}); err != nil || len(runs) > 0 {
		t.Errorf("%v, %v; want no run", runs, err)
	}
	// The names that were rolled back are made anew.
	id, err := s.ImportRun(ctx, anyRecord("d"), func(im *RunImport) error {
		return im.AddPoints([]Point{{Key: "loss", Step: 7, Value: 1, Time: time.UnixMilli(5)}})
	})
	must(t, err)
	if got := history(t, s, id, "loss", ""); len(got) != 1 || got[0].Time.UnixMilli() != 5 {
		t.Errorf("history %v", got)
	}
	info, err := s.Run(ctx, id)
	if err != nil || info.LastStep != 7 || info.Finished.Sub(info.Created) != time.Minute {
		t.Errorf("%+v, %v", info, err)
	}
}

func TestImportRunRefuses(t *testing.T) {
	s := openTest(t)
	for want, change := range map[string]func(*RunRecord){
		`Status is "running"`:     func(r *RunRecord) { r.Info.Status = StatusRunning },
		`Status is "done"`:        func(r *RunRecord) { r.Info.Status = "done" },
		`ID "short" is no run id`: func(r *RunRecord) { r.Info.ID = "short" },
		`Created is not set`:      func(r *RunRecord) { r.Info.Created = time.Time{} },
		`Experiment "" is empty`:  func(r *RunRecord) { r.Info.Experiment = "" },
		`must be one JSON object`: func(r *RunRecord) { r.Config = []byte("[]") },
		`"lr" is float "0.2", and`: func(r *RunRecord) {
			r.Config, r.Params = []byte(`{"lr":0.1}`), []Param{{Key: "lr", Type: ParamFloat, Text: "0.2"}}
		},
		`"n" is "x", which is no int`: func(r *RunRecord) { r.Params = []Param{{Key: "n", Type: ParamInt, Text: "x"}} },
	} {
		rec := anyRecord("a")
		change(&rec)
		_, err := s.ImportRun(ctx, rec, nil)
		wantError(t, err, ErrInvalid, want)
	}
	rec := anyRecord("a")
	rec.Info.Parent = "zzzzzzzzzz"
	_, err := s.ImportRun(ctx, rec, nil)
	wantError(t, err, ErrNotFound, "zzzzzzzzzz", "hint")
	id, err := s.ImportRun(ctx, anyRecord("a"), nil)
	must(t, err)
	rec = anyRecord("b")
	rec.Info.ID = id
	_, err = s.ImportRun(ctx, rec, nil)
	wantError(t, err, ErrInvalid, id, "already")
}

func TestImportRunChecksContents(t *testing.T) {
	s := openTest(t)
	add := func(a Artifact, content []byte) error {
		a.Name, a.Time = "a.txt", time.UnixMilli(5)
		_, err := s.ImportRun(ctx, anyRecord("a"), func(im *RunImport) error { return im.AddArtifact(a, bytes.NewReader(content)) })
		return err
	}
	wantError(t, add(Artifact{Size: 1, SHA256: hexSum([]byte("y"))}, []byte("x")), ErrCorrupt, "SHA-256")
	must(t, add(Artifact{Size: 1, SHA256: hexSum([]byte("x")), Version: 3}, []byte("x")))
	list, err := s.Artifacts(ctx, "a")
	must(t, err)
	if len(list) != 1 || list[0].Version != 3 {
		t.Errorf("%+v, want version 3", list)
	}
}

// TestRecordOfALiveRun: what RunRecord and EachPoint read while a run is being logged to.
func TestRecordOfALiveRun(t *testing.T) {
	s := openTest(t)
	r := startRun(t, s, RunConfig{Config: []byte(`{ "lr":1}`), Tags: map[string]string{"a": "b"}})
	must(t, r.Log("z", 2, 1))
	must(t, r.Log("z", 1, 2))
	must(t, r.LogContext("c", "a", 1, 3))
	must(t, r.LogText("note", 1, "x"))
	rec, err := s.RunRecord(ctx, r.ID())
	must(t, err)
	if string(rec.Config) != `{ "lr":1}` || rec.Tags["a"] != "b" || len(rec.Params) != 1 || rec.Started.IsZero() || rec.Info.Status != StatusRunning {
		t.Errorf("%+v", rec)
	}
	var got []float64
	must(t, s.EachPoint(ctx, r.ID(), func(p Point) error {
		got = append(got, p.Value)
		return nil
	}))
	if len(got) != 3 || got[0] != 3 || got[1] != 2 || got[2] != 1 {
		t.Errorf("values %v, want 3 (a), 2, 1 (z by step)", got)
	}
	stop := errors.New("stop")
	if err := s.EachObject(ctx, r.ID(), func(o Object) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("error %v", err)
	}
}
