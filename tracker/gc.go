package tracker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// GCOptions says what GC removes. The zero value removes all deleted runs, all contents that no run has, and all files
// that were put aside, and leaves backups alone.
type GCOptions struct {
	// DryRun only reports what would be removed.
	DryRun bool
	// OlderThan spares runs that were deleted, and files that were put aside, more recently. Default 0: nothing.
	OlderThan time.Duration
	// Backups removes the copies made before migrations (<db>.backup-v…) too, if they are older than OlderThan.
	Backups bool
	// Compact rewrites the database afterwards, so that the file shrinks. Others can read meanwhile, and wait to write;
	// it takes up to twice the file's size on the disk.
	Compact bool
	// Progress is told how far it is. Default: nobody is.
	Progress func(Progress)
}

// GCReport says what was removed, or would be.
type GCReport struct {
	DryRun      bool
	Runs        []RunInfo // deleted runs, oldest first
	Values      int64     // points and objects of these runs
	Blobs       int64     // contents of artifacts that no run has
	BlobBytes   int64
	Files       []string // put aside, left behind by crashes, or unknown among the artifacts; backups if asked for
	FileBytes   int64
	Skipped     []string // what was left, and why, one sentence each
	BytesBefore int64    // size of the database
	BytesAfter  int64    // equal to BytesBefore unless Compact was set
	Elapsed     time.Duration
}

// String gives several lines for a terminal.
func (r GCReport) String() string {
	verb := "removed"
	if r.DryRun {
		verb = "would remove"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %d runs with %d values, %d artifact contents (%d bytes), %d files (%d bytes)\n",
		verb, len(r.Runs), r.Values, r.Blobs, r.BlobBytes, len(r.Files), r.FileBytes)
	for _, run := range r.Runs {
		fmt.Fprintf(&b, "run   %s  %s/%s\n", run.ID, run.Experiment, run.Name)
	}
	for _, f := range r.Files {
		fmt.Fprintf(&b, "file  %s\n", f)
	}
	for _, s := range r.Skipped {
		fmt.Fprintf(&b, "left  %s\n", s)
	}
	if r.BytesAfter != r.BytesBefore {
		fmt.Fprintf(&b, "the database shrank from %d to %d bytes\n", r.BytesBefore, r.BytesAfter)
	}
	return b.String()
}

// strayAge is the age from which an unknown file among the artifacts is taken for a leftover: one that AddArtifact is
// just putting there is younger.
const strayAge = 24 * time.Hour

// GC removes for good what DeleteRun has hidden, contents that no run has any more, and files that were put aside. Every
// step is a transaction or the removal of one file, and what a crash leaves the next GC removes. A run that was deleted
// while somebody logs to it is left until it ends.
func (s *Store) GC(ctx context.Context, opts GCOptions) (GCReport, error) {
	const op = "collect garbage"
	begin := time.Now()
	r := GCReport{DryRun: opts.DryRun}
	if err := s.checkOpen(op, !opts.DryRun); err != nil {
		return r, err
	}
	if opts.OlderThan < 0 {
		return r, invalid(op, "OlderThan is %v, allowed 0 and more", opts.OlderThan)
	}
	if opts.Progress == nil {
		opts.Progress = func(Progress) {}
	}
	var err error
	if r.BytesBefore, err = s.size(ctx); err == nil {
		err = s.collectRuns(ctx, opts, &r)
	}
	if err == nil {
		err = s.collectBlobs(ctx, opts, &r)
	}
	if err == nil {
		err = s.collectFiles(ctx, opts, &r)
	}
	if err == nil && !opts.DryRun {
		err = s.closeCollection(ctx, opts, r)
	}
	r.BytesAfter, r.Elapsed = r.BytesBefore, time.Since(begin)
	if err == nil && opts.Compact && !opts.DryRun {
		r.BytesAfter, err = s.size(ctx)
	}
	return r, explain(op, s.paths.db, err)
}

// size is that of the database without its WAL, once that is folded in.
func (s *Store) size(ctx context.Context) (bytes int64, err error) {
	err = s.rdb.QueryRowContext(ctx, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size").Scan(&bytes)
	return bytes, err
}

func fileSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// collectRuns removes the runs that were deleted long enough ago, each in a transaction of its own.
func (s *Store) collectRuns(ctx context.Context, opts GCOptions, r *GCReport) error {
	limit := s.cfg.Now().Add(-opts.OlderThan).UnixMilli()
	list, err := s.queryRuns(ctx, "WHERE r.deleted_ms <= ? ORDER BY r.id", []any{limit})
	if err != nil {
		return err
	}
	for i, run := range list {
		if err := ctx.Err(); err != nil {
			return err
		}
		if s.journalState(run.ID) != journalMissing {
			r.Skipped = append(r.Skipped, fmt.Sprintf("run %s (%s): somebody is logging to it, or its journal was not replayed", run.ID, run.Name))
			continue
		}
		values, err := s.collectRun(ctx, run, limit, opts.DryRun)
		if err != nil {
			return err
		}
		r.Runs, r.Values = append(r.Runs, run), r.Values+values
		opts.Progress(Progress{"runs", int64(i + 1), int64(len(list))})
	}
	return nil
}

func (s *Store) collectRun(ctx context.Context, run RunInfo, limit int64, dry bool) (values int64, err error) {
	err = s.rdb.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM points WHERE series_id IN (SELECT id FROM series WHERE run_id = ?1))
		+ (SELECT count(*) FROM objects WHERE series_id IN (SELECT id FROM series WHERE run_id = ?1))`, run.RowID).Scan(&values)
	if err != nil || dry {
		return values, err
	}
	return values, s.write(ctx, func(tx *writeTx) error {
		// Restored meanwhile? Then it stays. All else goes by ON DELETE CASCADE.
		_, err := tx.exec("DELETE FROM runs WHERE id = ? AND deleted_ms <= ?", run.RowID, limit)
		return err
	})
}

// collectBlobs removes contents that no run has. Row and file go while the lock is held, the file before the commit: a
// crash between leaves the row of a content that nobody has. AddArtifact looks for its file again in its transaction.
func (s *Store) collectBlobs(ctx context.Context, opts GCOptions, r *GCReport) error {
	blobs, err := s.unusedBlobs(ctx, opts.DryRun, r.Runs)
	if err != nil {
		return err
	}
	for i, b := range blobs {
		if err := ctx.Err(); err != nil {
			return err
		}
		removed := true
		if !opts.DryRun {
			if removed, err = s.collectBlob(ctx, b); err != nil {
				return err
			}
		}
		if removed {
			r.Blobs, r.BlobBytes = r.Blobs+1, r.BlobBytes+b.size
		}
		opts.Progress(Progress{"artifacts", int64(i + 1), int64(len(blobs))})
	}
	return nil
}

// unusedBlobs lists the contents without a run; in a dry run, those of the runs that would go count too.
func (s *Store) unusedBlobs(ctx context.Context, dry bool, gone []RunInfo) ([]blob, error) {
	blobs, err := s.blobs(ctx)
	if err != nil {
		return nil, err
	}
	going := map[string]bool{}
	if dry {
		for _, run := range gone {
			sums, err := s.strings(ctx, "SELECT b.sha256 FROM artifacts a JOIN blobs b ON b.id = a.blob_id WHERE a.run_id = ?", run.RowID)
			if err != nil {
				return nil, err
			}
			for _, sum := range sums {
				going[sum] = true
			}
		}
	}
	var unused []blob
	for _, b := range blobs {
		if b.used && going[b.sum] {
			if b.used, err = s.usedByOthers(ctx, b, gone); err != nil {
				return nil, err
			}
		}
		if !b.used {
			unused = append(unused, b)
		}
	}
	return unused, nil
}

func (s *Store) usedByOthers(ctx context.Context, b blob, gone []RunInfo) (bool, error) {
	uids, err := s.strings(ctx, "SELECT DISTINCT r.uid FROM artifacts a JOIN runs r ON r.id = a.run_id WHERE a.blob_id = ?", b.id)
	known := map[string]bool{}
	for _, run := range gone {
		known[run.ID] = true
	}
	for _, uid := range uids {
		if !known[uid] {
			return true, err
		}
	}
	return false, err
}

func (s *Store) collectBlob(ctx context.Context, b blob) (removed bool, err error) {
	err = s.write(ctx, func(tx *writeTx) error {
		res, err := tx.exec("DELETE FROM blobs WHERE id = ? AND NOT EXISTS (SELECT 1 FROM artifacts WHERE blob_id = blobs.id)", b.id)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if removed = n == 1; !removed {
			return err
		}
		if err := os.Remove(s.blobPath(b.sum)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	})
	return removed, err
}

// collectFiles removes what was put aside and what crashes left behind.
func (s *Store) collectFiles(ctx context.Context, opts GCOptions, r *GCReport) error {
	doomed, err := s.leftovers(ctx, opts)
	if err != nil {
		return err
	}
	for i, path := range doomed {
		size := fileSize(path)
		if !opts.DryRun {
			if err := os.Remove(path); errors.Is(err, fs.ErrNotExist) {
				continue
			} else if err != nil {
				r.Skipped = append(r.Skipped, path+": "+err.Error())
				continue
			}
		}
		r.Files, r.FileBytes = append(r.Files, path), r.FileBytes+size
		opts.Progress(Progress{"files", int64(i + 1), int64(len(doomed))})
	}
	return nil
}

// leftovers lists the files to remove: evidence of damage older than OlderThan, backups if asked for, and files that
// a crash left behind, which are a day old at least.
func (s *Store) leftovers(ctx context.Context, opts GCOptions) ([]string, error) {
	blobs, err := s.blobs(ctx)
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, b := range blobs {
		known[b.sum] = true
	}
	strays, err := s.strayFiles(known)
	aside, err2 := s.asideFiles()
	base := filepath.Base(s.paths.db)
	halves, err3 := filesIn(s.paths.dir, base+".", ".incoming-")
	if err := errors.Join(err, err2, err3); err != nil {
		return nil, err
	}
	list := append(s.olderThan(aside, opts.OlderThan), s.olderThan(append(strays, halves...), max(strayAge, opts.OlderThan))...)
	if opts.Backups {
		backups, err := filesIn(s.paths.dir, base+".backup-v", "")
		if err != nil {
			return nil, err
		}
		list = append(list, s.olderThan(backups, opts.OlderThan)...)
	}
	return list, nil
}

// olderThan keeps the files that were last written so long ago.
func (s *Store) olderThan(paths []string, age time.Duration) []string {
	var old []string
	for _, path := range paths {
		if info, err := os.Lstat(path); err == nil && !info.ModTime().After(s.cfg.Now().Add(-age)) {
			old = append(old, path)
		}
	}
	return old
}

// closeCollection removes interned rows that no run has any more, writes the event, and compacts if asked to.
func (s *Store) closeCollection(ctx context.Context, opts GCOptions, r GCReport) error {
	err := s.write(ctx, func(tx *writeTx) error {
		for _, query := range []string{
			"DELETE FROM configs WHERE id NOT IN (SELECT config_id FROM runs WHERE config_id IS NOT NULL)",
			"DELETE FROM environments WHERE id NOT IN (SELECT environment_id FROM runs WHERE environment_id IS NOT NULL)",
		} {
			if _, err := tx.exec(query); err != nil {
				return err
			}
		}
		if len(r.Runs) == 0 && r.Blobs == 0 && len(r.Files) == 0 {
			return nil
		}
		first, _, _ := strings.Cut(r.String(), "\n")
		_, err := tx.exec("INSERT INTO events (run_id, ts_ms, kind, message) VALUES (NULL, ?, 'collected', ?)",
			s.cfg.Now().UnixMilli(), first)
		return err
	})
	if err != nil || !opts.Compact {
		return err
	}
	opts.Progress(Progress{"database", 0, 1})
	return s.compact(ctx)
}

// compact runs VACUUM, and a checkpoint that brings the shorter database into its file.
func (s *Store) compact(ctx context.Context) error {
	release, err := s.turn(ctx)
	if err != nil {
		return err
	}
	defer release()
	if _, err := s.wconn.ExecContext(context.Background(), "VACUUM"); err != nil {
		return err
	}
	db, err := s.loadLedger(ctx, s.wconn)
	if err != nil {
		return err
	}
	s.noteCommit(db)
	s.walFrames("TRUNCATE")
	s.noteCommit(db)
	return nil
}
