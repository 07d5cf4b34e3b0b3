package tracker

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// sampleRecords is a mix of odd and plain records.
func sampleRecords() []record {
	a, b := &series{key: "loss"}, &series{key: "gnade/Güte", context: "eval"}
	return []record{
		{series: a, step: 0, ts: 1700000000000, value: 0.25},
		{series: b, step: -1, ts: -5, value: math.Inf(-1)},
		{series: a, step: math.MaxInt64, ts: math.MinInt64, value: math.NaN()},
	}
}

func sampleJournal() []byte {
	b := appendHeader(nil, 7, 5)
	recs := sampleRecords()
	b = appendFrames(b, 1, recs[:1])
	b = appendFrames(b, 2, recs)
	return appendObject(b, 5, &record{series: recs[1].series, step: 9, ts: 3, object: &objectData{kind: "text", data: []byte("to be\xf5GSF")}})
}

func TestJournalRoundTrip(t *testing.T) {
	c := decodeJournal(sampleJournal())
	if c.damaged != 0 || len(c.frames) != 3 {
		t.Fatalf("%d damaged bytes, %d frames", c.damaged, len(c.frames))
	}
	if c.frames[1].seq != 2 || c.frames[1].last() != 4 {
		t.Errorf("second frame has %d to %d", c.frames[1].seq, c.frames[1].last())
	}
	for i, want := range sampleRecords() {
		got := c.frames[1].records[i]
		if got.key != want.series.key || got.context != want.series.context || got.step != want.step || got.ts != want.ts ||
			math.Float64bits(got.value) != math.Float64bits(want.value) {
			t.Errorf("record %d: %+v", i, got)
		}
	}
	o := c.frames[2].records[0]
	if o.object.kind != "text" || string(o.object.data) != "to be\xf5GSF" || o.step != 9 {
		t.Errorf("object %+v", o.object)
	}
}

func TestJournalSplitsBatches(t *testing.T) {
	s := &series{key: "k"}
	recs := make([]record, 2*maxFramePoints+1)
	for i := range recs {
		recs[i] = record{series: s, step: int64(i)}
	}
	c := decodeJournal(appendFrames(appendHeader(nil, 1, 0), 10, recs))
	if len(c.frames) != 3 || c.frames[2].seq != 10+2*maxFramePoints || c.damaged != 0 {
		t.Errorf("%d frames, %d damaged", len(c.frames), c.damaged)
	}
}

// TestJournalCut: whatever byte the file ends at, the frames before it are read, and no other.
func TestJournalCut(t *testing.T) {
	whole := sampleJournal()
	ends := []int{headerSize}
	for at := headerSize; at < len(whole); {
		_, size, ok := decodeFrame(whole[at:])
		if !ok {
			t.Fatal("the sample is damaged")
		}
		at += size
		ends = append(ends, at)
	}
	for cut := range whole {
		c := decodeJournal(whole[:cut])
		want := 0
		for i, end := range ends {
			if cut >= end {
				want = i
			}
		}
		if len(c.frames) != want {
			t.Fatalf("cut at %d: %d frames, want %d", cut, len(c.frames), want)
		}
		if cut >= headerSize && (c.damaged == 0) != (cut == ends[want]) {
			t.Fatalf("cut at %d: %d damaged bytes", cut, c.damaged)
		}
	}
}

// TestJournalGarbled: any flipped bit loses the frame that it is in, and no other.
func TestJournalGarbled(t *testing.T) {
	whole := sampleJournal()
	for i := headerSize; i < len(whole); i++ {
		for bit := range 8 {
			garbled := bytes.Clone(whole)
			garbled[i] ^= 1 << bit
			c := decodeJournal(garbled)
			if len(c.frames) != 2 || c.damaged == 0 {
				t.Fatalf("byte %d bit %d: %d frames, %d damaged bytes", i, bit, len(c.frames), c.damaged)
			}
		}
	}
	garbled := bytes.Clone(whole)
	garbled[0] ^= 1
	if c := decodeJournal(garbled); len(c.frames) != 3 || c.damaged != headerSize || c.firstAt != 0 {
		t.Errorf("garbled header: %d frames, %d damaged bytes from %d", len(c.frames), c.damaged, c.firstAt)
	}
}

// FuzzJournal: any bytes decode without a panic, all bytes are accounted for, and valid frames in front of them are
// kept.
func FuzzJournal(f *testing.F) {
	whole := sampleJournal()
	f.Add([]byte{})
	f.Add(whole)
	f.Add(whole[:len(whole)-3])
	f.Add(whole[headerSize:])
	f.Add([]byte(journalMagic))
	f.Add([]byte("\xf5GSF\xff\xff\xff\xff\x01\x00\x00\x00\x00\x00\x00\x00\x01"))
	f.Add(bytes.Repeat([]byte(frameMarker), 50))
	f.Fuzz(func(t *testing.T, data []byte) {
		c := decodeJournal(data)
		if c.damaged < 0 || c.damaged > len(data) || (c.damaged > 0) != (c.firstAt >= 0) {
			t.Fatalf("%d damaged bytes of %d, first at %d", c.damaged, len(data), c.firstAt)
		}
		for _, fr := range c.frames {
			if len(fr.records) == 0 || fr.seq == 0 {
				t.Fatalf("empty frame %+v", fr)
			}
			again := decodeJournal(reencode(fr))
			if len(again.frames) != 1 || fmt.Sprint(again.frames[0].seq, len(again.frames[0].records)) != fmt.Sprint(fr.seq, len(fr.records)) {
				t.Fatalf("frame %+v does not survive writing", fr)
			}
		}
		prefixed := decodeJournal(append(sampleJournal(), data...))
		if len(prefixed.frames) < 3 || prefixed.frames[2].seq != 5 {
			t.Fatalf("the valid prefix is lost: %d frames", len(prefixed.frames))
		}
	})
}

func reencode(f frame) []byte {
	b := appendHeader(nil, 1, 0)
	var points []record
	for _, r := range f.records {
		rec := record{series: &series{key: r.key, context: r.context}, step: r.step, ts: r.ts, value: r.value, object: r.object}
		if r.object != nil {
			return appendObject(b, f.seq, &rec)
		}
		points = append(points, rec)
	}
	if len(points) > maxFramePoints { // only a hand-made frame is that long
		points = points[:maxFramePoints]
	}
	return appendFrames(b, f.seq, points)
}

// journaled makes a store with n points that are in the journal only, lets it die, and returns the journal file.
func journaled(t *testing.T, path string, n int) (id, file string) {
	t.Helper()
	s := openQuiet(t, path)
	r := startRun(t, s, RunConfig{Name: "dead"})
	for step := range int64(n) {
		must(t, r.Log("x", step, float64(step)))
	}
	crashStore(s)
	return r.ID(), segmentPaths(s.paths.journal, r.ID())[0]
}

func TestReplay(t *testing.T) {
	path := testPath(t)
	id, file := journaled(t, path, 50)
	s := openAt(t, path)
	if got := history(t, s, id, "x", ""); len(got) != 50 {
		t.Errorf("%d points came back, want 50", len(got))
	}
	if got := s.Recovered(); len(got) != 1 || got[0].Points != 50 || got[0].Run != id || got[0].DamagedBytes != 0 {
		t.Errorf("recovered %+v", got)
	}
	info, err := s.Run(ctx, id)
	must(t, err)
	if info.Status != StatusCrashed || info.LastStep != 49 || info.Finished.IsZero() {
		t.Errorf("run %+v", info)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("the journal is still there")
	}
	events, err := s.Events(ctx, id)
	must(t, err)
	if len(events) != 3 || events[1].Kind != "replayed" || events[2].Kind != "crashed" {
		t.Errorf("events %+v", events)
	}
}

// TestReplayGarbled: frames around the damage are kept, the file is kept aside, and both are reported.
func TestReplayGarbled(t *testing.T) {
	path := testPath(t)
	id, file := journaled(t, path, 50)
	data, err := os.ReadFile(file)
	must(t, err)
	data[len(data)/2] ^= 0x10
	data = append(data[:len(data)-3], "garbage"...)
	must(t, os.WriteFile(file, data, 0o644))
	s := openAt(t, path)
	if got := history(t, s, id, "x", ""); len(got) != 48 {
		t.Errorf("%d points came back, want 48", len(got))
	}
	got := s.Recovered()
	if len(got) != 1 || got[0].Points != 48 || got[0].Missing != 2 || got[0].DamagedBytes == 0 || len(got[0].Aside) != 1 {
		t.Fatalf("recovered %+v", got)
	}
	aside, err := os.ReadFile(got[0].Aside[0])
	must(t, err)
	if !bytes.Equal(aside, data) {
		t.Error("the file kept aside is not the damaged one")
	}
	must(t, s.Close())
	s = openAt(t, path)
	if got := s.Recovered(); len(got) != 0 {
		t.Errorf("a second open recovers %+v", got)
	}
	if got := history(t, s, id, "x", ""); len(got) != 48 {
		t.Errorf("after a second open there are %d points", len(got))
	}
}

// TestReplayIsExact: a death between commit and trim does not double anything, wherever the commit stands.
func TestReplayIsExact(t *testing.T) {
	path := testPath(t)
	h := defaultHooks()
	var saved [2][]byte
	s, err := openWith(quiet(path), h)
	must(t, err)
	r := startRun(t, s, RunConfig{})
	paths := segmentPaths(s.paths.journal, r.ID())
	s.hooks.afterCommit = func() {
		for i, p := range paths {
			saved[i], _ = os.ReadFile(p)
		}
	}
	for step := range int64(10) {
		must(t, r.Log("x", step, 0))
		if step == 4 || step == 7 {
			must(t, r.Flush())
		}
	}
	must(t, r.Flush()) // all 10 are committed; saved is the journal as it was before the trim
	crashStore(s)
	for i, p := range paths {
		must(t, os.WriteFile(p, saved[i], 0o644))
	}
	s = openAt(t, path)
	if got := history(t, s, r.ID(), "x", ""); len(got) != 10 {
		t.Errorf("%d points, want 10", len(got))
	}
}

// TestRandomDamage: random cuts, flips and overwrites of a journal never prevent the next open, never invent values.
func TestRandomDamage(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 15 {
		path := testPath(t)
		id, file := journaled(t, path, 30)
		data, err := os.ReadFile(file)
		must(t, err)
		switch rng.IntN(4) {
		case 0:
			data = data[:rng.IntN(len(data))]
		case 1:
			data[rng.IntN(len(data))] ^= byte(1 + rng.IntN(255))
		case 2:
			at := rng.IntN(len(data))
			clear(data[at:min(len(data), at+100)])
		case 3:
			data = append(data, data[rng.IntN(len(data)):]...) // stale blocks
		}
		must(t, os.WriteFile(file, data, 0o644))
		s := openAt(t, path)
		points, err := s.History(ctx, id, "x", "")
		if err != nil && len(decodeJournal(data).frames) > 0 {
			t.Fatal(err)
		}
		for i, p := range points {
			if p.Value != float64(p.Step) || (i > 0 && p.Step == points[i-1].Step) {
				t.Errorf("invented or doubled: %+v", p)
			}
		}
		must(t, s.Close())
	}
}

// TestReplayProblem: a journal that cannot be read does not keep the store shut; it is reported, and read later.
func TestReplayProblem(t *testing.T) {
	path := testPath(t)
	id, file := journaled(t, path, 5)
	other := segmentPaths(filepath.Dir(file), id)[1]
	must(t, os.Remove(other))
	must(t, os.Mkdir(other, 0o755)) // reading a folder fails, for root too
	s := openAt(t, path)
	if got := s.Recovered(); len(got) != 1 || got[0].Problem == nil || got[0].Points != 0 {
		t.Fatalf("recovered %+v", got)
	}
	if got := statusOf(t, s, id); got != StatusCrashed {
		t.Errorf("status %s", got)
	}
	if _, err := s.ResumeRun(id); err == nil {
		t.Error("resumed over an unread journal")
	}
	must(t, os.Remove(other))
	if _, err := s.Runs(ctx, Filter{}); err != nil {
		t.Error(err)
	}
	if got := history(t, s, id, "x", ""); len(got) != 5 {
		t.Errorf("%d values", len(got))
	}
}

// TestOrphanJournal: a journal whose run is not in the database is kept aside, not thrown away.
func TestOrphanJournal(t *testing.T) {
	path := testPath(t)
	id, file := journaled(t, path, 3)
	for _, p := range []string{path, path + "-wal", path + "-shm"} {
		os.Remove(p)
	}
	s := openAt(t, path)
	got := s.Recovered()
	if len(got) != 1 || !got[0].Unknown || got[0].Run != id || len(got[0].Aside) != 1 || filepath.Dir(got[0].Aside[0]) != filepath.Dir(file) {
		t.Fatalf("recovered %+v", got)
	}
	data, err := os.ReadFile(got[0].Aside[0])
	must(t, err)
	if c := decodeJournal(data); len(c.frames) != 3 {
		t.Errorf("%d frames aside", len(c.frames))
	}
	must(t, s.Close())
	if s = openAt(t, path); len(s.Recovered()) != 0 {
		t.Error("reported twice")
	}
}
