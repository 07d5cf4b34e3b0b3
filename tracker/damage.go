package tracker

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// Recovery is what opening the store found and did: for one run whose process had died, or, if Run is "", for the
// database as a whole.
type Recovery struct {
	Run          string   // ID; "" for the database itself
	Points       int      // points and objects brought back from the journal
	DamagedBytes int      // bytes of the journal that could not be read
	Missing      int      // accepted records that neither journal nor database has
	Unknown      bool     // the run is not in this database; its journal was moved aside whole
	LostCommits  int64    // of the database: commits that are gone, its WAL being damaged or the file an older one
	LostValues   int64    // values in those commits, of which journals may have brought some back
	Repaired     int      // of the database: runs whose summaries did not fit their values and were made anew
	Problem      error    // what could not be mended: the next open tries again, and Verify tells more
	Aside        []string // where damaged files were moved or copied to
}

// String gives one line, for a terminal.
func (rec Recovery) String() string {
	if rec.Run != "" {
		if rec.Problem != nil {
			return fmt.Sprintf("run %s: its journal could not be replayed: %v", rec.Run, rec.Problem)
		}
		return "run " + rec.Run + ": " + rec.message()
	}
	return "the database: " + rec.message()
}

func (rec Recovery) message() string {
	var parts []string
	add := func(n int64, format string) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf(format, n))
		}
	}
	if rec.Run != "" {
		parts = append(parts, fmt.Sprintf("%d values brought back from the journal", rec.Points))
	}
	add(int64(rec.DamagedBytes), "%d bytes were damaged")
	add(int64(rec.Missing), "%d records are missing")
	add(rec.LostCommits, "%d commits are missing")
	add(rec.LostValues, "with %d values")
	add(int64(rec.Repaired), "the summaries of %d runs were made anew")
	if rec.Unknown {
		parts = append(parts, "the run is not in this database")
	}
	if rec.Problem != nil {
		parts = append(parts, rec.Problem.Error())
	}
	if len(parts) == 0 {
		parts = append(parts, "examined and sound")
	}
	return strings.Join(parts, "; ")
}

// Recovered lists what was found and brought back since the store was opened. The same facts stand in the events; those
// about the database have no run.
func (s *Store) Recovered() []Recovery {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Recovery(nil), s.recovered...)
}

// querier is a connection or a pool of them.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// assess examines a database whose WAL was damaged, or that has gone back in time. One that SQLite finds malformed is not
// opened; summaries that do not fit their values are made anew; the rest is reported.
func (s *Store) assess(ctx context.Context, d damage) error {
	if d.suspect == "" {
		return nil
	}
	structure, err := s.structureProblems(ctx)
	if err != nil {
		return err
	}
	if len(structure) > 0 {
		return &Error{Op: "open", Path: s.paths.db, Err: ErrCorrupt, Msg: d.suspect + ", and the database is malformed: " + structure[0],
			Hint: "restore a backup over it; what can be read, `sqlite3 " + s.paths.db + " .recover` brings out"}
	}
	s.malformed = false
	rec := Recovery{LostCommits: d.commits, LostValues: d.records, Aside: d.aside}
	orphans, err := s.referenceProblems(ctx)
	if err != nil {
		return err
	}
	if len(orphans) > 0 {
		rec.Problem = &Error{Op: "open", Path: s.paths.db, Err: ErrCorrupt, Msg: d.suspect + ": " + strings.Join(orphans, "; "),
			Hint: "restore a backup, or go on with what there is"}
	}
	wrong, _, err := s.summaryProblems(ctx, nil)
	if err != nil {
		return err
	}
	rec.Repaired = len(wrong)
	if len(d.aside) == 0 && rec.LostCommits == 0 && rec.Repaired == 0 && rec.Problem == nil {
		return s.settle(ctx) // a WAL that another program folded in
	}
	s.mu.Lock()
	s.recovered = append(s.recovered, rec)
	s.mu.Unlock()
	return s.mend(ctx, wrong, d, rec)
}

// mend makes summaries anew and keeps the report as an event.
func (s *Store) mend(ctx context.Context, wrong map[int64][]string, d damage, rec Recovery) error {
	return s.write(ctx, func(tx *writeTx) error {
		for run := range wrong {
			if err := tx.rebuild(run); err != nil {
				return err
			}
		}
		_, err := tx.exec("INSERT INTO events (run_id, ts_ms, kind, message, data) VALUES (NULL, ?, 'damaged', ?, ?)",
			s.cfg.Now().UnixMilli(), d.suspect+": "+rec.message(),
			fmt.Sprintf(`{"lost_commits":%d,"lost_values":%d,"repaired":%d}`, rec.LostCommits, rec.LostValues, rec.Repaired))
		return err
	})
}

// readDamage is what a read-only store can tell: whether commits are missing.
func (s *Store) readDamage(ctx context.Context) error {
	side, ok := s.outsideLedger() // first: a commit may follow at any moment
	db, err := s.loadLedger(ctx, s.rdb)
	if err != nil || !ok {
		return err
	}
	var d damage
	if d.compare(side, db); d.commits > 0 {
		s.recovered = append(s.recovered, Recovery{LostCommits: d.commits, LostValues: d.records})
	}
	return nil
}

// settle brings the ledger's copy up to date without a commit.
func (s *Store) settle(ctx context.Context) error {
	release, err := s.lock.acquire(ctx)
	if err != nil {
		return err
	}
	defer release()
	db, err := s.loadLedger(ctx, s.wconn)
	if err == nil {
		s.noteCommit(db)
	}
	return err
}

// structureProblems asks SQLite about its file.
func (s *Store) structureProblems(ctx context.Context) ([]string, error) {
	lines, err := s.strings(ctx, "PRAGMA integrity_check(20)")
	if err != nil {
		if _, kind := diagnose(err); errors.Is(kind, ErrCorrupt) || errors.Is(kind, ErrNotTracker) {
			return []string{err.Error()}, nil
		}
		return nil, err
	}
	if len(lines) == 1 && lines[0] == "ok" {
		return nil, nil
	}
	return lines, nil
}

// referenceProblems finds rows that refer to rows which are not there.
func (s *Store) referenceProblems(ctx context.Context) ([]string, error) {
	return s.strings(ctx, `SELECT format('%d rows of %s refer to rows missing from %s', count(*), "table", parent)
		FROM pragma_foreign_key_check GROUP BY "table", parent ORDER BY "table", parent`)
}

// wrongSummaries finds the metrics of a run whose row in latest is not what their points say. The sum is a sum of sums,
// rounded otherwise than one from left to right; 1e-9 of the sum of magnitudes leaves room for 10⁶ roundings.
const wrongSummaries = `WITH a AS (
		SELECT series_id, count(*) AS n, sum(value IS NULL) AS nans, min(value) AS lo, max(value) AS hi, total(value) AS s,
			total(abs(value)) AS m
		FROM points WHERE series_id IN (SELECT id FROM series WHERE run_id = ?1) GROUP BY series_id)
	SELECT k.name || CASE x.name WHEN '' THEN '' ELSE ' in context ' || x.name END
	FROM series s JOIN keys k ON k.id = s.key_id JOIN contexts x ON x.id = s.context_id
		LEFT JOIN a ON a.series_id = s.id LEFT JOIN latest l ON l.series_id = s.id
		LEFT JOIN points p ON (p.series_id, p.step, p.ts_ms, p.seq) = (SELECT series_id, step, ts_ms, seq FROM points
			WHERE series_id = s.id ORDER BY step DESC, ts_ms DESC, seq DESC LIMIT 1)
	WHERE s.run_id = ?1 AND NOT (a.n IS l.count AND a.nans IS l.nan_count AND a.lo IS l.min_value AND a.hi IS l.max_value
		AND p.step IS l.last_step AND p.ts_ms IS l.last_ts_ms AND p.value IS l.last_value
		AND (a.lo IS NULL OR l.min_step = (SELECT min(step) FROM points WHERE series_id = s.id AND value = a.lo))
		AND (a.hi IS NULL OR l.max_step = (SELECT min(step) FROM points WHERE series_id = s.id AND value = a.hi))
		AND (l.series_id IS NULL OR (l.run_id = s.run_id AND l.key_id = s.key_id AND l.context_id = s.context_id))
		AND coalesce(a.m > 1e300 OR abs(a.s - l.sum_value) <= 1e-9 * a.m, 1))`

// summaryProblems compares latest with points, run by run, and returns the metrics that do not fit by the run's row id.
func (s *Store) summaryProblems(ctx context.Context, progress func(done, total int64)) (wrong map[int64][]string, names map[int64]string, err error) {
	var runs []int64
	names, wrong = map[int64]string{}, map[int64][]string{}
	rows, err := s.rdb.QueryContext(ctx, "SELECT id, uid FROM runs ORDER BY id")
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var uid string
		if err := rows.Scan(&id, &uid); err != nil {
			return nil, nil, err
		}
		runs, names[id] = append(runs, id), uid
	}
	if err := rows.Err(); err != nil {
		return nil, nil, err
	}
	for i, id := range runs {
		metrics, err := scanStrings(s.ask(ctx, wrongSummaries, id))
		if err != nil {
			return nil, nil, err
		}
		if len(metrics) > 0 {
			wrong[id] = metrics
		}
		if progress != nil {
			progress(int64(i+1), int64(len(runs)))
		}
	}
	return wrong, names, nil
}
