package tracker

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// crashedDatabase leaves a database whose last commits are in the WAL only: sync points of run "r", each in a commit of its
// own, and a tag.
func crashedDatabase(t *testing.T, path string, sync int) (id string) {
	t.Helper()
	s := openQuiet(t, path)
	r := startRun(t, s, RunConfig{Name: "r"})
	for step := range int64(sync) {
		must(t, r.LogSync("x", step, float64(step)))
	}
	must(t, r.SetTag("last", "yes"))
	wal := path + "-wal"
	data, err := os.ReadFile(wal) // closing the last connection removes it
	must(t, err)
	main, err := os.ReadFile(path)
	must(t, err)
	lock, err := os.ReadFile(s.paths.lock)
	must(t, err)
	crashStore(s)
	must(t, os.WriteFile(path, main, 0o644))
	must(t, os.WriteFile(wal, data, 0o644))
	must(t, os.WriteFile(s.paths.lock, lock, 0o644))
	return r.ID()
}

func databaseReport(t *testing.T, s *Store) (found *Recovery) {
	t.Helper()
	for _, rec := range s.Recovered() {
		if rec.Run == "" {
			if found != nil {
				t.Error("two reports about the database")
			}
			found = &rec
		}
	}
	return found
}

func TestSoundWAL(t *testing.T) {
	path := testPath(t)
	id := crashedDatabase(t, path, 5)
	s := openAt(t, path)
	if got := history(t, s, id, "x", ""); len(got) != 5 {
		t.Errorf("%d values", len(got))
	}
	if rec := s.Recovered(); len(rec) != 0 {
		t.Errorf("nothing was damaged, and the store says %v", rec)
	}
}

// TestDamagedWAL: SQLite drops the end of a damaged WAL without a word; the store says what went with it, keeps the WAL
// as evidence, and says it once.
func TestDamagedWAL(t *testing.T) {
	for name, harm := range map[string]func([]byte) []byte{
		"cut":            func(b []byte) []byte { return b[:2*len(b)/3] },
		"garbled":        func(b []byte) []byte { b[2*len(b)/3] ^= 1; return b },
		"header garbled": func(b []byte) []byte { b[17] ^= 1; return b },
		"zeroed":         func(b []byte) []byte { clear(b[2*len(b)/3:]); return b },
		"emptied":        func([]byte) []byte { return nil },
	} {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			path := testPath(t)
			crashedDatabase(t, path, 1)
			must(t, openAt(t, path).Close()) // the first run is safe in the database
			id := crashedDatabase(t, path, 20)
			data, err := os.ReadFile(path + "-wal")
			must(t, err)
			must(t, os.WriteFile(path+"-wal", harm(data), 0o644))
			s, err := Open(path)
			must(t, err)
			rec := databaseReport(t, s)
			if rec == nil || rec.LostCommits == 0 || rec.LostCommits > 22 {
				t.Fatalf("reported %+v", s.Recovered())
			}
			points, err := s.History(ctx, id, "x", "")
			if err != nil && !errors.Is(err, ErrNotFound) {
				t.Fatal(err)
			}
			missing := 20 - len(points)
			for _, r := range s.Recovered() {
				missing -= r.Missing
			}
			if missing > int(rec.LostValues) || len(points) == 20 {
				t.Errorf("%d values are there, reported %+v", len(points), s.Recovered())
			}
			if name != "emptied" && len(rec.Aside) != 1 {
				t.Errorf("evidence: %q", rec.Aside)
			}
			wantText(t, errors.New(rec.String()), "commits are missing")
			report, err := s.Verify(ctx, nil)
			must(t, err)
			if !report.OK() || len(report.Warnings) == 0 {
				t.Errorf("afterwards Verify says\n%s", report)
			}
			must(t, s.Close())
			if rec := databaseReport(t, openAt(t, path)); rec != nil {
				t.Errorf("reported twice: %+v", rec)
			}
		})
	}
}

// TestOlderCopy: a database that was replaced by an older copy of itself is reported; a different one is not.
func TestOlderCopy(t *testing.T) {
	path := testPath(t)
	s := openAt(t, path)
	must(t, startRun(t, s, RunConfig{Name: "a"}).Finish(StatusFinished))
	must(t, s.Close())
	old, err := os.ReadFile(path)
	must(t, err)
	s = openAt(t, path)
	r := startRun(t, s, RunConfig{Name: "b"})
	for step := range int64(7) {
		must(t, r.Log("x", step, 0))
	}
	must(t, r.Finish(StatusFinished))
	must(t, s.Close())
	must(t, os.WriteFile(path, old, 0o644))
	reader := openAt(t, path, WithReadOnly())
	if rec := databaseReport(t, reader); rec == nil || rec.LostValues != 7 {
		t.Errorf("a reader is told %+v", rec)
	}
	s = openAt(t, path)
	if rec := databaseReport(t, s); rec == nil || rec.LostValues != 7 || rec.LostCommits < 2 {
		t.Errorf("reported %+v", rec)
	}
	must(t, s.Close())
	must(t, os.Remove(path))
	if rec := openAt(t, path).Recovered(); len(rec) != 0 {
		t.Errorf("a new database is told about the old one: %v", rec)
	}
}

// TestMalformedDatabase: WAL and database do not fit together any more, and SQLite finds the file malformed.
func TestMalformedDatabase(t *testing.T) {
	path := testPath(t)
	crashedDatabase(t, path, 20)
	must(t, openAt(t, path).Close())
	data, err := os.ReadFile(path)
	must(t, err)
	for at := 4096 + 200; at < len(data); at += 4096 { // every page but the first
		for i := range 300 {
			data[at+i] ^= 0x55
		}
	}
	must(t, os.WriteFile(path, data, 0o644))
	_, err = Open(path)
	wantError(t, err, ErrCorrupt, path)
}

// TestMixedPages: a WAL that was garbled after its pages had gone into the database brings back older versions of some of
// them. The store says so, or refuses to open, every time.
func TestMixedPages(t *testing.T) {
	refused := 0
	for part := 1; part < 8; part++ {
		path := testPath(t)
		s := openQuiet(t, path)
		r := startRun(t, s, RunConfig{Name: "r"})
		for b := range int64(25) {
			for i := range int64(60) {
				must(t, r.Log(fmt.Sprint("x", i%7), b*60+i, 1))
			}
			must(t, r.SetTag(fmt.Sprint("tag", b), strings.Repeat("v", 500)))
			must(t, r.Flush())
		}
		release, err := s.lock.acquire(ctx)
		must(t, err)
		s.walFrames("PASSIVE")
		release()
		files := map[string][]byte{}
		for _, f := range []string{path, path + "-wal", s.paths.lock} {
			files[f], err = os.ReadFile(f)
			must(t, err)
		}
		crashStore(s)
		files[path+"-wal"][part*len(files[path+"-wal"])/8] ^= 1
		for f, data := range files {
			must(t, os.WriteFile(f, data, 0o644))
		}
		s, err = Open(path)
		if err == nil {
			if rec := databaseReport(t, s); rec == nil || rec.LostCommits == 0 {
				t.Errorf("garbled at %d/8, and the store says %+v", part, s.Recovered())
			}
			v, err := s.Verify(ctx, nil)
			must(t, err)
			if !v.OK() && databaseReport(t, s).Problem == nil {
				t.Errorf("garbled at %d/8, and not mended: %s", part, v)
			}
			must(t, s.Close())
			continue
		}
		refused++
		wantError(t, err, ErrCorrupt, path, "malformed")
		_, err = Open(path)
		wantError(t, err, ErrCorrupt, path)
	}
	t.Logf("refused %d times out of 7", refused)
}

// TestSummariesAreMended: what a damaged WAL left inconsistent, but well formed, is made consistent.
func TestSummariesAreMended(t *testing.T) {
	path := testPath(t)
	id := crashedDatabase(t, path, 20)
	s := openQuiet(t, path)
	must(t, s.write(ctx, func(tx *writeTx) error {
		_, err := tx.exec("UPDATE latest SET count = count - 1, last_value = 7")
		return err
	}))
	must(t, s.Close())
	lock, err := os.ReadFile(s.paths.lock)
	must(t, err)
	side, ok := readLedger(strings.NewReader(string(lock)))
	if !ok {
		t.Fatal("the ledger's copy cannot be read")
	}
	side.commits++
	must(t, os.WriteFile(s.paths.lock, side.encode(), 0o644))
	s = openAt(t, path)
	if rec := databaseReport(t, s); rec == nil || rec.Repaired != 1 || rec.LostCommits != 1 || rec.Problem != nil {
		t.Fatalf("reported %+v", rec)
	}
	latest, err := s.Latest(ctx, id)
	must(t, err)
	if latest[0].Count != 20 || latest[0].Last != 19 {
		t.Errorf("%+v", latest)
	}
}

// TestCutJournalIsNoticed: a journal that ends between two records looks whole; the other file of the pair knows better.
func TestCutJournalIsNoticed(t *testing.T) {
	for name, keep := range map[string]int{"half": 25, "all-records": 0, "header-too": -1} {
		t.Run(name, func(t *testing.T) {
			path := testPath(t)
			id, file := journaled(t, path, 50)
			data, err := os.ReadFile(file)
			must(t, err)
			end := headerSize
			for range keep {
				_, size, ok := decodeFrame(data[end:])
				if !ok {
					t.Fatal("no frame")
				}
				end += size
			}
			if keep < 0 {
				end, keep = 0, 0
			}
			must(t, os.WriteFile(file, data[:end], 0o644))
			s := openAt(t, path)
			rec := s.Recovered()
			if len(rec) != 1 || rec[0].Run != id || rec[0].Points != keep || rec[0].Missing != 50-keep {
				t.Fatalf("recovered %+v", rec)
			}
			events, err := s.Events(ctx, id)
			must(t, err)
			wantText(t, errors.New(events[1].Message), fmt.Sprintf("%d records are missing", 50-keep))
			r, err := s.ResumeRun(id)
			must(t, err)
			must(t, r.LogSync("x", 100, 1))
			if got := history(t, s, id, "x", ""); len(got) != keep+1 {
				t.Errorf("%d values after a resume, want %d", len(got), keep+1)
			}
		})
	}
}

// TestOldJournal: journals as schema version 1 wrote them are still replayed.
func TestOldJournal(t *testing.T) {
	path := testPath(t)
	id, file := journaled(t, path, 10)
	data, err := os.ReadFile(file)
	must(t, err)
	old := append([]byte(magicV1), data[8:16]...)
	must(t, os.WriteFile(file, append(old, data[headerSize:]...), 0o644))
	must(t, os.WriteFile(segmentPaths(filepath.Dir(file), id)[1], old, 0o644))
	s := openAt(t, path)
	if rec := s.Recovered(); len(rec) != 1 || rec[0].Points != 10 || rec[0].Missing != 0 || rec[0].DamagedBytes != 0 {
		t.Errorf("recovered %+v", rec)
	}
}

// TestLedgerFile: what was written is read, and nothing else.
func TestLedgerFile(t *testing.T) {
	want := ledger{uid: "0123456789abcdef", commits: 1 << 40, records: 12, salt: 1<<63 + 5, frames: 77}
	b := want.encode()
	if got, ok := readLedger(strings.NewReader(string(b))); !ok || got != want {
		t.Errorf("got %+v, %v", got, ok)
	}
	for i := range b {
		b[i] ^= 1
		if got, ok := readLedger(strings.NewReader(string(b))); ok {
			t.Fatalf("byte %d is wrong, and it reads %+v", i, got)
		}
		b[i] ^= 1
	}
	if _, ok := readLedger(strings.NewReader(string(b[:len(b)-1]))); ok {
		t.Error("a cut ledger is read")
	}
}

// FuzzWAL: any bytes are read without a panic, and a sound WAL in front of them keeps its frames.
func FuzzWAL(f *testing.F) {
	f.Add([]byte{})
	f.Add(make([]byte, 5000))
	f.Add([]byte("\x37\x7f\x06\x82\x00\x2d\xe2\x18\x00\x00\x02\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "wal")
		must(t, os.WriteFile(path, data, 0o644))
		w, err := readWAL(path)
		must(t, err)
		if int(w.frames)*512 > len(data) || (w.frames > 0 && !w.valid) || (w.valid && !w.present) {
			t.Fatalf("%d bytes give %+v", len(data), w)
		}
	})
}
