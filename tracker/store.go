package tracker

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mattn/go-sqlite3"
)

// Store is an open database. All methods may be called from many goroutines at once.
type Store struct {
	cfg   Config
	paths paths
	hooks hooks
	self  process

	schema int // newest schema version that this program knows

	lock  *writerLock
	wdb   *sql.DB
	wconn *sql.Conn // the one writing connection; used only while lock is held
	stmts map[string]*sql.Stmt
	rdb   *sql.DB
	asked prepared // on rdb
	wal   *os.File // read for its salts, while lock is held
	names nameCache

	malformed bool // opening found damage that is not yet mended

	flush     flusher
	failure   atomic.Pointer[error] // last commit's error, nil after a success
	mu        sync.Mutex
	runs      map[string]*Run // open for logging here, by ID
	closed    bool
	recovered []Recovery
	migrated  Migration
}

// hooks are the places where tests stand in for the outside world.
type hooks struct {
	networkFS   func(dir string) (kind string, bad bool)
	openSegment func(path string) (journalFile, error)
	migrations  fs.FS
	afterCommit func() // between the commit of a flush and the trim of the journals
	afterLedger func() // between a commit's entry in the ledger's copy and the checkpoint
}

func defaultHooks() hooks {
	return hooks{networkFS: networkFS, openSegment: openSegment, migrations: embeddedMigrations(), afterCommit: func() {}, afterLedger: func() {}}
}

// Open opens the database at path, making it if there is none, with DefaultConfig changed by opts.
func Open(path string, opts ...Option) (*Store, error) {
	cfg := Config{Path: path}
	for _, opt := range opts {
		opt(&cfg)
	}
	return OpenConfig(cfg)
}

// OpenConfig opens a database: it migrates an older schema (after a backup), refuses a newer one, replays the journals
// of runs whose process died, and marks those runs crashed; Recovered tells what it found.
func OpenConfig(cfg Config) (*Store, error) { return openWith(cfg, defaultHooks()) }

func openWith(cfg Config, h hooks) (*Store, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	p, err := resolvePaths(cfg.Path)
	if err != nil {
		return nil, err
	}
	if kind, bad := h.networkFS(p.dir); bad && !cfg.AllowNetworkFS {
		return nil, &Error{Op: "open", Path: p.db, Err: ErrNetworkFS,
			Msg:  "lies on a network file system (" + kind + "), where SQLite's locks and shared memory are unreliable",
			Hint: "put the database on a local disk, or set AllowNetworkFS if only one host ever opens it"}
	}
	s := &Store{cfg: cfg, paths: p, hooks: h, self: currentProcess(), schema: newestMigration(h.migrations), lock: newWriterLock(p.lock),
		stmts: map[string]*sql.Stmt{}, runs: map[string]*Run{}}
	if cfg.ReadOnly {
		err = s.openForReading()
	} else {
		err = s.openForWriting()
	}
	if err != nil {
		s.closeConnections()
		return nil, explain("open", p.db, err)
	}
	return s, nil
}

// openForWriting does everything up to the running flusher.
func (s *Store) openForWriting() error {
	for _, path := range []string{s.paths.dir, s.paths.db} {
		if _, err := os.Stat(path); err == nil && !writable(path) {
			return &Error{Op: "open", Path: s.paths.db, Msg: path + " may not be written", Err: ErrReadOnly,
				Hint: "change its permissions, or open with ReadOnly"}
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.cfg.LockTimeout)
	defer cancel()
	release, err := s.lock.acquire(ctx)
	if err != nil {
		return err
	}
	found, err := s.prepareDatabase(ctx)
	release()
	if err != nil {
		return err
	}
	s.rdb = openPool(dsn(s.paths.db, readingDSN(s.cfg)), readConnections())
	for _, dir := range []string{s.paths.journal, s.paths.artifacts} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	s.flush.init()
	if err := s.assess(ctx, found); err != nil {
		return err
	}
	if err := s.recoverAll(context.Background()); err != nil {
		return err
	}
	go s.flushLoop()
	return nil
}

// prepareDatabase opens the writing connection, migrates and sets WAL with synchronous=FULL. The lock is held.
func (s *Store) prepareDatabase(ctx context.Context) (d damage, err error) {
	side, d, err := s.inspectWAL()
	if err != nil {
		return d, err
	}
	s.malformed = d.suspect != "" // until assess knows better
	s.wdb = openPool(dsn(s.paths.db, "mode=rwc&_mutex=no&_txlock=immediate&_foreign_keys=1"+busyTimeout(s.cfg)), 1)
	if err := s.migrate(ctx); err != nil {
		return d, err
	}
	conn, err := s.wdb.Conn(ctx)
	if err != nil {
		return d, err
	}
	s.wconn = conn
	var mode string
	if err := conn.QueryRowContext(ctx, "PRAGMA journal_mode = WAL").Scan(&mode); err != nil {
		return d, err
	}
	if mode != "wal" {
		return d, &Error{Op: "open", Path: s.paths.db, Msg: "SQLite keeps journal_mode " + mode + ", want wal",
			Hint: "the file system lacks shared memory; put the database on a local disk"}
	}
	// mattn/go-sqlite3 sets NORMAL for WAL when nothing is said; NORMAL does not sync the WAL at commit. Checkpoints
	// come from noteCommit.
	if _, err = conn.ExecContext(ctx, "PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF; PRAGMA wal_autocheckpoint = 0"); err != nil {
		return d, err
	}
	db, err := s.loadLedger(ctx, conn)
	if err != nil {
		return d, err
	}
	d.compare(side, db)
	if s.malformed = d.suspect != ""; !s.malformed {
		s.noteCommit(db)
	}
	return d, nil
}

// openForReading opens an existing database without changing anything.
func (s *Store) openForReading() error {
	if _, err := os.Stat(s.paths.db); err != nil {
		return err
	}
	s.flush.init()
	close(s.flush.done)
	s.rdb = openPool(dsn(s.paths.db, readingDSN(s.cfg)), readConnections())
	version, err := s.gate(context.Background(), s.rdb)
	var se sqlite3.Error
	if errors.As(err, &se) && (se.Code == sqlite3.ErrCantOpen || se.Code == sqlite3.ErrReadonly) && !writable(s.paths.dir) {
		// A WAL database needs its -shm file even for reading. In a directory that cannot hold one, and without a -wal
		// file, nobody can be writing: SQLite may take the file as it is.
		if _, wal := os.Stat(s.paths.db + "-wal"); errors.Is(wal, fs.ErrNotExist) {
			s.rdb.Close()
			s.rdb = openPool(dsn(s.paths.db, "mode=ro&_mutex=no&immutable=1&_query_only=1"), readConnections())
			version, err = s.gate(context.Background(), s.rdb)
		}
	}
	if err != nil {
		return err
	}
	if version < s.schema {
		return &Error{Op: "open", Path: s.paths.db, Err: ErrOlderSchema, Hint: "open it once for writing: that migrates it, after a backup",
			Msg: "has schema version " + strconv.Itoa(version) + ", this program reads " + strconv.Itoa(s.schema)}
	}
	return s.readDamage(context.Background())
}

// Path returns the absolute path of the database file.
func (s *Store) Path() string { return s.paths.db }

// ReadOnly reports whether the store was opened for reading only.
func (s *Store) ReadOnly() bool { return s.cfg.ReadOnly }

// Close commits what is pending, marks the runs that were not finished as interrupted, and closes the database. If
// a commit fails, Close says so, and the journals stay for the next open. Closing twice is allowed.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	runs := make([]*Run, 0, len(s.runs))
	for _, r := range s.runs {
		runs = append(runs, r)
	}
	s.mu.Unlock()

	var errs []error
	for _, r := range runs {
		if len(errs) == 0 {
			if err := r.finish(StatusInterrupted, "the store was closed before the run was finished"); err != nil && !r.isOver() {
				errs = append(errs, err)
			}
		}
		r.abandon() // does nothing to a run that is over
	}
	if !s.cfg.ReadOnly {
		close(s.flush.stop)
	}
	<-s.flush.done
	errs = append(errs, explain("close", s.paths.db, s.closeConnections()))
	return errors.Join(errs...)
}

// closeConnections waits for a transaction under way, and keeps other processes from starting one meanwhile.
func (s *Store) closeConnections() error {
	if s.wconn != nil {
		ctx, cancel := context.WithTimeout(context.Background(), s.cfg.LockTimeout)
		defer cancel()
		if release, err := s.lock.acquire(ctx); err == nil {
			defer release()
		}
	}
	var errs []error
	for _, st := range s.stmts {
		errs = append(errs, st.Close())
	}
	if s.wconn != nil {
		errs = append(errs, s.wconn.Close())
	}
	if s.rdb != nil {
		errs = append(errs, s.asked.close(), s.rdb.Close())
	}
	if s.wdb != nil {
		errs = append(errs, s.wdb.Close()) // the last connection to close folds the WAL back into the file
	}
	if s.lock.held != nil {
		s.noteClosed()
	}
	return errors.Join(errs...)
}

// checkOpen returns the error for a closed store, or for a read-only one if writing is asked for.
func (s *Store) checkOpen(op string, writing bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return &Error{Op: op, Path: s.paths.db, Msg: "the store is closed", Err: ErrClosed, Hint: "open it again"}
	case writing && s.cfg.ReadOnly:
		return &Error{Op: op, Path: s.paths.db, Msg: "the store was opened read-only", Err: ErrReadOnly, Hint: "open without ReadOnly"}
	}
	return nil
}

// connector opens connections without a driver registered under a name: no package state, no clash with others.
type connector struct{ dsn string }

func (c connector) Connect(context.Context) (driver.Conn, error) { return c.Driver().Open(c.dsn) }
func (c connector) Driver() driver.Driver                        { return &sqlite3.SQLiteDriver{ConnectHook: addFunctions} }

// openPool opens connections with _mutex=no in their DSN: database/sql never lets two goroutines into one connection,
// and SQLite's own mutexes take a tenth of a commit.
func openPool(dsn string, connections int) *sql.DB {
	db := sql.OpenDB(connector{dsn})
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db
}

// readConnections: enough for a busy page, few enough for the file descriptors.
func readConnections() int { return max(4, runtime.NumCPU()) }

// dsn builds a URI file name; characters with a meaning in URIs are escaped.
func dsn(path, params string) string {
	return (&url.URL{Scheme: "file", Path: path}).String() + "?" + params
}

// readingDSN asks for a page cache of 32 MiB a connection: with SQLite's 2 MB a search over many runs reads the same pages
// again and again.
func readingDSN(cfg Config) string {
	return "mode=ro&_mutex=no&_query_only=1&_cache_size=-32768" + busyTimeout(cfg)
}

func busyTimeout(cfg Config) string {
	return "&_busy_timeout=" + strconv.FormatInt(int64(cfg.LockTimeout/time.Millisecond), 10)
}
