package tracker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Progress says how far a long call has come. It is called from the goroutine of that call.
type Progress struct {
	Stage string // "database", "metrics", "journals", "artifacts", "runs", "files"
	Done  int64
	Total int64 // 0 if not known
}

// BackupOptions says what a backup holds besides the database.
type BackupOptions struct {
	// Artifacts copies their contents to <path>.artifacts, each checked against its hash.
	Artifacts bool
	// Progress is told how far the copy is. Default: nobody is.
	Progress func(Progress)
}

// BackupReport says what a backup holds.
type BackupReport struct {
	Path          string // absolute
	Bytes         int64  // of the database
	Runs          int64  // deleted ones included
	Points        int64
	Artifacts     int64    // contents copied
	ArtifactBytes int64    // of them
	Problems      []string // artifacts that are missing or damaged here, and so not in the backup
	Elapsed       time.Duration
}

// String gives one line, for a terminal.
func (r BackupReport) String() string {
	text := fmt.Sprintf("%s: %d runs, %d values, %d bytes", r.Path, r.Runs, r.Points, r.Bytes)
	if r.Artifacts > 0 {
		text += fmt.Sprintf("; %d artifacts, %d bytes", r.Artifacts, r.ArtifactBytes)
	}
	if len(r.Problems) > 0 {
		text += fmt.Sprintf("; %d artifacts could not be copied", len(r.Problems))
	}
	return text
}

// Backup copies the database as it is at one moment to path, while others go on logging. What this store has waiting is
// committed first. The copy is compact, synced, and examined (SQLite's integrity check, references) before it gets its
// name. Nothing is overwritten: a file at path is an error. To restore, put the copy in the database's place while
// nobody has it open.
func (s *Store) Backup(ctx context.Context, path string, opts BackupOptions) (BackupReport, error) {
	const op = "back up"
	begin := time.Now()
	if err := s.checkOpen(op, false); err != nil {
		return BackupReport{}, err
	}
	target, err := backupTarget(path)
	if err != nil {
		return BackupReport{}, err
	}
	if !s.cfg.ReadOnly {
		if err := s.Flush(ctx); err != nil {
			return BackupReport{}, err
		}
	}
	report, err := s.writeBackup(ctx, target, opts)
	report.Elapsed = time.Since(begin)
	return report, explain(op, target, err)
}

// backupTarget makes path absolute and refuses one that is taken.
func backupTarget(path string) (string, error) {
	const op = "back up"
	if path == "" {
		return "", invalid(op, "path is empty; name the file to make")
	}
	target, err := filepath.Abs(path)
	if err != nil {
		return "", explain(op, path, err)
	}
	for _, taken := range []string{target, target + "-wal", target + "-journal"} {
		if _, err := os.Lstat(taken); !errors.Is(err, fs.ErrNotExist) {
			if err != nil {
				return "", explain(op, taken, err)
			}
			return "", &Error{Op: op, Path: taken, Err: ErrInvalid, Msg: "exists already, and a backup overwrites nothing",
				Hint: "choose another path, or move the file away"}
		}
	}
	return target, nil
}

func (s *Store) writeBackup(ctx context.Context, target string, opts BackupOptions) (r BackupReport, err error) {
	r.Path = target
	tell := func(stage string, done, total int64) {
		if opts.Progress != nil {
			opts.Progress(Progress{stage, done, total})
		}
	}
	tell("database", 0, 1)
	tmp, err := os.CreateTemp(filepath.Dir(target), filepath.Base(target)+".incoming-*")
	if err != nil {
		return r, err
	}
	defer os.Remove(tmp.Name())
	if err := tmp.Close(); err != nil {
		return r, err
	}
	if err := s.vacuumInto(ctx, tmp.Name()); err != nil {
		return r, err
	}
	db := openPool(dsn(tmp.Name(), "mode=ro&immutable=1&_mutex=no"), 1)
	defer db.Close()
	copied := &Store{cfg: s.cfg, paths: s.paths, schema: s.schema, rdb: db}
	if err := copied.examineCopy(ctx, &r); err != nil {
		return r, err
	}
	tell("database", 1, 1)
	if opts.Artifacts {
		if err := s.copyArtifacts(ctx, copied, target+".artifacts", &r, tell); err != nil {
			return r, err
		}
	}
	if err := syncFile(tmp.Name()); err != nil {
		return r, err
	}
	if _, err := backupTarget(target); err != nil {
		return r, err // somebody was faster
	}
	return r, errors.Join(os.Chmod(tmp.Name(), 0o644), os.Rename(tmp.Name(), target), syncDir(filepath.Dir(target)))
}

// vacuumInto uses a connection of its own: those of the pool only read.
func (s *Store) vacuumInto(ctx context.Context, path string) error {
	db := openPool(dsn(s.paths.db, "mode=ro&_mutex=no"+busyTimeout(s.cfg)), 1)
	defer db.Close()
	_, err := db.ExecContext(ctx, "VACUUM INTO ?", path)
	return err
}

// examineCopy checks a fresh copy and counts what it holds.
func (s *Store) examineCopy(ctx context.Context, r *BackupReport) error {
	if version, err := s.gate(ctx, s.rdb); err != nil || version != s.schema {
		return errors.Join(err, fmt.Errorf("the copy has schema version %d, want %d", version, s.schema))
	}
	problems, err := s.structureProblems(ctx)
	if err == nil && len(problems) == 0 {
		problems, err = s.referenceProblems(ctx)
	}
	if err != nil {
		return err
	}
	if len(problems) > 0 {
		return &Error{Op: "back up", Path: s.paths.db, Err: ErrCorrupt, Msg: "the copy is malformed: " + problems[0],
			Hint: "Verify tells what is wrong with the database; nothing was written"}
	}
	return s.rdb.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM runs), (SELECT count(*) FROM points), page_count * page_size
		FROM pragma_page_count, pragma_page_size`).Scan(&r.Runs, &r.Points, &r.Bytes)
}

// copyArtifacts copies the contents that the copied database refers to. One that is missing or damaged is a problem of the
// source, and does not keep the others from being saved.
func (s *Store) copyArtifacts(ctx context.Context, copied *Store, dir string, r *BackupReport, tell func(string, int64, int64)) error {
	sums, err := copied.strings(ctx, "SELECT sha256 FROM blobs WHERE id IN (SELECT blob_id FROM artifacts) ORDER BY sha256")
	if err != nil {
		return err
	}
	into := &Store{paths: paths{artifacts: dir}}
	for i, sum := range sums {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := verifyFile(s.blobPath(sum), sum); err != nil {
			r.Problems = append(r.Problems, explain("back up", s.blobPath(sum), missingContent(s.blobPath(sum), err)).Error())
			continue
		}
		size, err := into.copyBlob(s.blobPath(sum), sum)
		if err != nil {
			return err
		}
		r.Artifacts, r.ArtifactBytes = r.Artifacts+1, r.ArtifactBytes+size
		tell("artifacts", int64(i+1), int64(len(sums)))
	}
	return nil
}

func (s *Store) copyBlob(from, sum string) (size int64, err error) {
	f, err := os.Open(from)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	got, size, err := s.putBlob(f)
	if err == nil && got != sum {
		err = fmt.Errorf("%s changed while it was copied", from)
	}
	return size, err
}
