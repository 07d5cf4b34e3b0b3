package tracker

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/pressly/goose/v3"
)

// ApplicationID stands in the header of every database: "GSNK". file(1) and PRAGMA application_id show it.
const ApplicationID = 0x47534E4B

//go:embed migrations/*.sql
var migrationFiles embed.FS

func embeddedMigrations() fs.FS {
	sub, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		panic(err) // the folder is compiled in
	}
	return sub
}

// SchemaVersion is the schema that this program writes: the number of the newest migration.
func SchemaVersion() int { return newestMigration(embeddedMigrations()) }

func newestMigration(files fs.FS) int {
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		panic(err) // the folder is compiled in
	}
	newest := 0
	for _, e := range entries {
		number, _, _ := strings.Cut(e.Name(), "_")
		if n, err := strconv.Atoi(number); err == nil {
			newest = max(newest, n)
		}
	}
	return newest
}

// gate reads the header and refuses what is not ours or newer than this program. It returns the version, 0 for an empty
// file; one that holds nothing but the list of migrations was left by a first open that failed, as on a full disk.
func (s *Store) gate(ctx context.Context, db *sql.DB) (version int, err error) {
	var id, objects int
	err = db.QueryRowContext(ctx, `SELECT (SELECT application_id FROM pragma_application_id),
		(SELECT user_version FROM pragma_user_version), 
		(SELECT count(*) FROM sqlite_schema WHERE tbl_name NOT IN ('goose_db_version', 'sqlite_sequence'))`).Scan(&id, &version, &objects)
	switch {
	case err != nil:
		return 0, err
	case id == 0 && version == 0 && objects == 0 && !s.cfg.ReadOnly:
		return 0, nil
	case id != ApplicationID:
		return 0, &Error{Op: "open", Path: s.paths.db, Err: ErrNotTracker,
			Msg:  fmt.Sprintf("is another program's SQLite file (application_id is %#x, want %#x)", id, ApplicationID),
			Hint: "choose another path"}
	case version > s.schema:
		return 0, &Error{Op: "open", Path: s.paths.db, Err: ErrNewerSchema,
			Msg:  fmt.Sprintf("has schema version %d, this program knows versions up to %d", version, s.schema),
			Hint: "update gophersnake; the file was not touched"}
	}
	return version, nil
}

// migrate brings the schema up to date; the writer lock is held. An existing older database is copied first.
func (s *Store) migrate(ctx context.Context) error {
	version, err := s.gate(ctx, s.wdb)
	if err != nil || version == s.schema {
		return err
	}
	backup := ""
	if version > 0 {
		if err := s.refuseWhileLogging(version); err != nil {
			return err
		}
		if backup, err = s.backupBeforeMigration(ctx, version); err != nil {
			return err
		}
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, s.wdb, s.hooks.migrations,
		goose.WithLogger(goose.NopLogger()), goose.WithDisableGlobalRegistry(true))
	if err == nil {
		_, err = provider.Up(ctx)
	}
	if err != nil {
		hint, _ := diagnose(err)
		if backup != "" {
			hint = "the database as it was is in " + backup
		}
		return &Error{Op: "migrate", Path: s.paths.db, Err: explainCause(err), Hint: hint,
			Msg: fmt.Sprintf("from schema version %d to %d", version, s.schema)}
	}
	got, err := s.gate(ctx, s.wdb)
	if err == nil && got != s.schema {
		err = fmt.Errorf("after the migrations user_version is %d, want %d", got, s.schema)
	}
	if err == nil && version > 0 {
		s.migrated = Migration{From: version, To: got, Backup: backup}
	}
	return err
}

// Migration says that opening a database changed its schema.
type Migration struct {
	From, To int    // schema versions, both 0 if there was nothing to migrate
	Backup   string // path of the copy made before
}

// String gives a sentence for a terminal, "" if there was nothing to migrate.
func (m Migration) String() string {
	if m.From == m.To {
		return ""
	}
	return fmt.Sprintf("the database was migrated from schema version %d to %d; as it was it is in %s", m.From, m.To, m.Backup)
}

// Migrated tells of the migration that opening the store has made; it is zero if there was none, and for a new database.
func (s *Store) Migrated() Migration { return s.migrated }

// refuseWhileLogging: a process of the older version that is logging would go on writing in its own way.
func (s *Store) refuseWhileLogging(version int) error {
	uids, err := journaledRuns(s.paths.journal)
	for _, uid := range uids {
		if s.journalState(uid) == journalLocked {
			return &Error{Op: "migrate", Path: s.paths.db, Err: ErrRunActive, Hint: "open it when that run is over",
				Msg: fmt.Sprintf("run %s is being logged to under schema version %d", uid, version)}
		}
	}
	return err
}

// backupBeforeMigration writes <db>.backup-v<version>-<time>, complete and synced before it has that name.
func (s *Store) backupBeforeMigration(ctx context.Context, version int) (string, error) {
	path := fmt.Sprintf("%s.backup-v%d-%s", s.paths.db, version, s.cfg.Now().UTC().Format("20060102T150405.000Z"))
	if err := backupInto(ctx, s.wdb, path); err != nil {
		return "", &Error{Op: "back up", Path: path, Err: explainCause(err), Msg: "before migrating",
			Hint: "nothing was migrated; make room and open again"}
	}
	return path, nil
}

// backupInto copies a live database by VACUUM INTO: consistent, compact, and without touching the file's bytes
// ourselves, which would drop SQLite's locks.
func backupInto(ctx context.Context, db *sql.DB, path string) error {
	tmp := path + ".tmp"
	os.Remove(tmp)
	if _, err := db.ExecContext(ctx, "VACUUM INTO ?", tmp); err != nil {
		os.Remove(tmp)
		return err
	}
	return errors.Join(syncFile(tmp), os.Rename(tmp, path), syncDir(filepath.Dir(path)))
}

// explainCause adds the sentinel that fits err.
func explainCause(err error) error {
	if _, kind := diagnose(err); kind != nil {
		return &cause{kind, err}
	}
	return err
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
