package tracker

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// smallDisk gives journal files a common quota of bytes: a write that does not fit is done in part and fails with
// ENOSPC, as on a real disk.
type smallDisk struct{ left atomic.Int64 }

type smallFile struct {
	journalFile
	disk *smallDisk
}

func (d *smallDisk) open(path string) (journalFile, error) {
	f, err := openSegment(path)
	return smallFile{f, d}, err
}

func (f smallFile) WriteAt(p []byte, at int64) (int, error) {
	if at < int64(headerSize) {
		return f.journalFile.WriteAt(p, at) // the header has its place already
	}
	if left := f.disk.left.Add(-int64(len(p))); left < 0 {
		fits := max(0, int(left)+len(p))
		n, _ := f.journalFile.WriteAt(p[:fits], at)
		return n, &os.PathError{Op: "write", Path: "journal", Err: syscall.ENOSPC}
	}
	return f.journalFile.WriteAt(p, at)
}

// TestJournalDiskFull: Log says so and accepts nothing; what was accepted is there after a crash; with room again
// logging goes on.
func TestJournalDiskFull(t *testing.T) {
	path := testPath(t)
	disk := &smallDisk{}
	disk.left.Store(2000)
	h := defaultHooks()
	h.openSegment = disk.open
	s, err := openWith(quiet(path), h)
	must(t, err)
	r := startRun(t, s, RunConfig{})
	accepted := int64(0)
	for ; err == nil; accepted++ {
		err = r.Log("x", accepted, float64(accepted))
	}
	accepted--
	wantError(t, err, ErrDiskFull, r.ID(), "journal", "no space left", "free some space")
	batch := make([]Point, 100)
	for i := range batch {
		batch[i] = Point{Key: "torn", Step: int64(i)}
	}
	wantError(t, r.LogBatch(batch), ErrDiskFull)
	disk.left.Store(1 << 20)
	must(t, r.Log("x", accepted, float64(accepted)))
	crashStore(s)
	s = openAt(t, path)
	got := history(t, s, r.ID(), "x", "")
	if int64(len(got)) != accepted+1 || accepted < 20 {
		t.Errorf("%d values, accepted %d", len(got), accepted+1)
	}
	if _, err := s.History(ctx, r.ID(), "torn", ""); !errors.Is(err, ErrNotFound) {
		t.Errorf("a refused batch turned up: %v", err)
	}
	if rec := s.Recovered(); len(rec) != 1 || rec[0].DamagedBytes != 0 {
		t.Errorf("recovered %+v", rec)
	}
}

// TestDatabaseFull: SQLite itself has no room. Log, Flush and Finish report it, nothing accepted is lost, and with room
// again everything goes on.
func TestDatabaseFull(t *testing.T) {
	path := testPath(t)
	s := openAt(t, path)
	r := startRun(t, s, RunConfig{})
	limitPages(t, s, 70)
	accepted := 0
	var err error
	deadline := time.Now().Add(20 * time.Second)
	for err == nil && time.Now().Before(deadline) {
		if err = r.Log("x", int64(accepted), 0); err == nil {
			accepted++
		}
	}
	wantError(t, err, ErrDiskFull, path, "not accepted", "database or disk is full", "free some space")
	wantError(t, r.Flush(), ErrDiskFull, path)
	wantError(t, r.Finish(StatusFinished), ErrDiskFull)
	limitPages(t, s, 1<<20)
	must(t, r.Flush())
	must(t, r.Log("x", int64(accepted), 0))
	must(t, r.Finish(StatusFinished))
	if got := history(t, s, r.ID(), "x", ""); len(got) != accepted+1 {
		t.Errorf("%d values, accepted %d", len(got), accepted+1)
	}
}

// TestDatabaseFullAtClose: Close reports, the journal stays, the next open brings everything in.
func TestDatabaseFullAtClose(t *testing.T) {
	path := testPath(t)
	s := openQuiet(t, path)
	r := startRun(t, s, RunConfig{})
	for step := range int64(5000) {
		must(t, r.Log("x", step, 0))
	}
	limitPages(t, s, 60)
	wantError(t, s.Close(), ErrDiskFull, path)
	s = openAt(t, path)
	if got := history(t, s, r.ID(), "x", ""); len(got) != 5000 {
		t.Errorf("%d values, want 5000", len(got))
	}
	if got := statusOf(t, s, r.ID()); got != StatusCrashed {
		t.Errorf("status %s", got)
	}
}

func limitPages(t *testing.T, s *Store, pages int) {
	t.Helper()
	release, err := s.lock.acquire(ctx)
	must(t, err)
	defer release()
	_, err = s.wconn.ExecContext(ctx, fmt.Sprintf("PRAGMA max_page_count = %d", pages))
	must(t, err)
}

// TestReadOnlyStore: everything can be read, nothing written, and nothing changes on disk.
func TestReadOnlyStore(t *testing.T) {
	path := testPath(t)
	id, file := journaled(t, path, 3)
	s := openAt(t, path, WithReadOnly())
	if got := statusOf(t, s, id); got != StatusCrashed {
		t.Errorf("status %s", got)
	}
	for status, want := range map[Status]int{StatusCrashed: 1, StatusRunning: 0} {
		if runs, err := s.Runs(ctx, Filter{Statuses: []Status{status}, Limit: 5}); err != nil || len(runs) != want {
			t.Errorf("%d runs listed as %s, want %d (%v)", len(runs), status, want, err)
		}
	}
	if _, err := os.Stat(file); err != nil {
		t.Error("a read-only store touched the journal")
	}
	_, err := s.StartRun(RunConfig{Experiment: "e"})
	wantError(t, err, ErrReadOnly, path, "without ReadOnly")
	_, err = s.ResumeRun(id)
	wantError(t, err, ErrReadOnly)
	wantError(t, s.SetTag(ctx, id, "a", "b"), ErrReadOnly)
	wantError(t, s.Flush(ctx), ErrReadOnly)
	_, err = Open(filepath.Join(t.TempDir(), "none.db"), WithReadOnly())
	wantError(t, err, os.ErrNotExist, "none.db")
}

// TestLockTimeout: a writer that is kept waiting gives up with a clear error, and its later lock is released again.
func TestLockTimeout(t *testing.T) {
	path := testPath(t)
	cfg := DefaultConfig(path)
	cfg.LockTimeout = time.Second
	s, err := OpenConfig(cfg)
	must(t, err)
	defer s.Close()
	other := newWriterLock(s.paths.lock) // another process, as far as flock is concerned
	release, err := other.acquire(ctx)
	must(t, err)
	_, err = s.StartRun(RunConfig{Experiment: "e"})
	if err == nil || !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, errDeadline) {
		t.Errorf("got %v", err)
	}
	wantText(t, err, "LockTimeout")
	release()
	startRun(t, s, RunConfig{})
}
