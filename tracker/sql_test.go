package tracker

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestSQL: typed cells, arguments, functions that SQLite has only with build tags.
func TestSQL(t *testing.T) {
	s, _ := ladder(t)
	for _, c := range []struct {
		query string
		args  []any
		want  string
	}{
		{"SELECT 1, 2.5, 'a', NULL, x'01'", nil, "int 1|float 2.5|text a||bytes 1 bytes"},
		{"SELECT name FROM v_latest WHERE key = ? AND context = ? ORDER BY last_value DESC LIMIT 1", []any{"loss", "eval"}, "text rnn-12"},
		{"SELECT count(*) FROM v_runs WHERE seed = :seed;  -- trailing", []any{sql.Named("seed", 2)}, "int 4"},
		{"SELECT ';--', \"a;b\" FROM (SELECT 1 AS \"a;b\") /* ; */ ;", nil, "text ;--|int 1"},
		{"SELECT sqrt(16), pow(2, 10), exp(0), ln(1), log2(8), log10(1000), floor(1.5), ceil(1.5), fmod(7, 4)", nil,
			"float 4|float 1024|float 1|float 0|float 3|float 3|float 1|float 2|float 3"},
		{"SELECT sqrt('x'), sqrt(NULL), sqrt(-1), pow(NULL, 0)", nil, "|||"},
		{"SELECT median(seed), percentile(seed, 75), stddev(seed), median(NULL), stddev(NULL) FROM v_runs", nil, "float 1|float 2|float 0.852803||"},
		{"SELECT DISTINCT median(last_step) OVER () FROM v_runs", nil, "error"},
		{"WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 5) SELECT sum(x) FROM c", nil, "int 15"},
		{"PRAGMA user_version", nil, fmt.Sprint("int ", SchemaVersion())},
		{"SELECT name FROM pragma_table_info('v_tags') ORDER BY cid LIMIT 1", nil, "text run"},
		{"SELECT value FROM json_each('[7]')", nil, "int 7"},
		{"VALUES (1, 2)", nil, "int 1|int 2"},
	} {
		table, err := s.SQL(ctx, c.query, c.args...)
		got := "error"
		if err == nil {
			if table.Len() == 0 {
				t.Errorf("%s: no rows", c.query)
				continue
			}
			var cells []string
			for _, cell := range table.Cells[0] {
				cells = append(cells, strings.TrimSpace(string(cell.Type)+" "+cell.String()))
			}
			got = strings.Join(cells, "|")
		}
		if got != c.want {
			t.Errorf("%s\ngot  %s (%v)\nwant %s", c.query, got, err, c.want)
		}
	}
}

// TestSQLRefuses: whatever would write, attach, load or change a setting is refused, whichever way it is dressed up, and
// leaves database, folder and connections as they were.
func TestSQLRefuses(t *testing.T) {
	s, _ := ladder(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "out.db")
	before := search(t, s, "").String()
	for _, q := range []string{
		"INSERT INTO keys (name) VALUES ('x')", "UPDATE runs SET name = 'x'", "DELETE FROM runs", "REPLACE INTO keys (id, name) VALUES (1, 'x')",
		"WITH x AS (SELECT 1) DELETE FROM runs", "WITH x AS (SELECT 1) INSERT INTO keys (name) SELECT 'x' FROM x",
		"DELETE FROM runs RETURNING id", "EXPLAIN DELETE FROM runs",
		"DROP TABLE runs", "CREATE TABLE t (x)", "CREATE TEMP TABLE t (x)", "CREATE TEMP VIEW t AS SELECT 1", "CREATE INDEX i ON runs (name)",
		"CREATE TEMP TRIGGER t AFTER INSERT ON runs BEGIN SELECT 1; END", "CREATE VIRTUAL TABLE t USING fts3 (x)",
		"ALTER TABLE runs RENAME TO r", "ANALYZE", "REINDEX", "VACUUM", "VACUUM INTO '" + file + "'",
		"ATTACH '" + file + "' AS x", "ATTACH ':memory:' AS x", "DETACH main", "BEGIN", "BEGIN IMMEDIATE", "COMMIT", "ROLLBACK", "SAVEPOINT x",
		"PRAGMA journal_mode = delete", "PRAGMA journal_mode(delete)", "PRAGMA query_only = 0", "PRAGMA main.query_only = 0",
		"PRAGMA writable_schema = 1", "PRAGMA user_version = 7", "PRAGMA wal_checkpoint", "PRAGMA trusted_schema = 1", "PRAGMA temp_store_directory = '/'",
		"PRAGMA mmap_size = 0", "PRAGMA optimize", "PRAGMA shrink_memory", "PRAGMA hard_heap_limit = 1", "PRAGMA incremental_vacuum",
		"SELECT load_extension('x')", "SELECT LOAD_EXTENSION('x', 'y')", "SELECT fts3_tokenizer('simple')",
		"SELECT * FROM pragma_wal_checkpoint", "SELECT * FROM pragma_optimize",
		"SELECT 1; DELETE FROM runs", "SELECT 1;; DELETE FROM runs", "/* ; */ SELECT 1 /* */; -- x\n DELETE FROM runs", "SELECT ';'; SELECT 2",
		"", "  ", "-- nothing",
	} {
		table, err := s.SQL(ctx, q)
		if err == nil {
			t.Errorf("%s: not refused, %v", q, table.Cells)
		} else if !errors.Is(err, ErrReadOnly) && !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v is neither ErrReadOnly nor ErrInvalid", q, err)
		}
	}
	for what, err := range map[string]error{"DELETE from runs is refused": sqlError(s, "DELETE FROM runs"),
		"PRAGMA query_only = 0 is refused":       sqlError(s, "PRAGMA query_only = 0"),
		"the function load_extension is refused": sqlError(s, "SELECT load_extension('x')"),
		"a second statement":                     sqlError(s, "SELECT 1; SELECT 2")} {
		if err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("got %v, want %q in it", err, what)
		}
	}
	if after := search(t, s, "").String(); after != before {
		t.Errorf("the runs changed:\n%s", after)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("the folder holds %v, %v", entries, err)
	}
	// The connections are as before: no authorizer left (PRAGMA would be refused), writing runs goes on.
	for range 2 * readConnections() {
		var n int
		must(t, s.rdb.QueryRow("PRAGMA cache_size").Scan(&n))
	}
	must(t, startRun(t, s, RunConfig{}).Finish(StatusFinished))
}

func sqlError(s *Store, query string) error {
	_, err := s.SQL(ctx, query)
	return err
}

// TestSQLLimits: time, rows, size of a value, and the caller's context end a query.
func TestSQLLimits(t *testing.T) {
	s := openTest(t)
	const endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT "
	_, err := s.SQLWith(ctx, SQLConfig{Timeout: 50 * time.Millisecond}, endless+"count(*) FROM c")
	wantError(t, err, context.DeadlineExceeded, "longer than 50ms", "SQLConfig.Timeout")
	table, err := s.SQLWith(ctx, SQLConfig{MaxRows: 7}, endless+"x FROM c")
	must(t, err)
	if table.Len() != 7 || len(table.Notes) != 1 || !strings.Contains(table.Notes[0], "only the first 7 rows") || !table.More() {
		t.Errorf("%d rows, notes %q", table.Len(), table.Notes)
	}
	table, err = s.SQLWith(ctx, SQLConfig{MaxRows: 7}, "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 7) SELECT x FROM c")
	if err != nil || table.Len() != 7 || len(table.Notes) != 0 || table.More() {
		t.Errorf("exactly as many rows as allowed: %v, %v", table, err)
	}
	if _, err = s.SQL(ctx, "SELECT length(zeroblob(200000000))"); err == nil {
		t.Error("a value of 200 MB is not refused")
	}
	canceled, cancel := context.WithCancel(ctx)
	time.AfterFunc(50*time.Millisecond, cancel)
	_, err = s.SQL(canceled, endless+"count(*) FROM c")
	wantError(t, err, context.Canceled)
	_, err = s.SQLWith(ctx, SQLConfig{MaxRows: -1}, "SELECT 1")
	wantError(t, err, ErrInvalid, "SQLConfig.MaxRows is -1")
}

// TestSQLErrors: where the mistake is, and what may be meant.
func TestSQLErrors(t *testing.T) {
	s := openTest(t)
	for query, want := range map[string][]string{
		"SELECT *\nFORM v_runs":             {`near "FORM"`, "line 2, column 1", "\n  FORM v_runs\n  ^^^^"},
		"SELECT nam FROM v_runs":            {"no such column: nam", "line 1, column 8", "did you mean name?"},
		"SELECT r.statu FROM v_runs r":      {"no such column: r.statu", "did you mean status, status_detail?", "column 10"},
		"SELECT 1 FROM metrics":             {"no such table: metrics", "did you mean v_metrics?"},
		"SELECT 1 FROM nonsense":            {"the views are v_runs"},
		"SELECT medan(1)":                   {"no such function: medan", "did you mean median?"},
		"SELECT ? + ?":                      {"not enough args"},
		"SELECT 1 FROM v_runs WHERE name (": {"incomplete input"},
	} {
		_, err := s.SQL(ctx, query)
		wantError(t, err, ErrInvalid, want...)
	}
}

// TestSQLReadOnlyStore: SQL works on a store that was opened for reading, and on several goroutines at once.
func TestSQLReadOnlyStore(t *testing.T) {
	path := testPath(t)
	s := openAt(t, path)
	must(t, startRun(t, s, RunConfig{}).Finish(StatusFinished))
	must(t, s.Close())
	_, err := s.SQL(ctx, "SELECT 1")
	wantError(t, err, ErrClosed)
	ro := openAt(t, path, WithReadOnly())
	errs := make(chan error)
	for i := range 8 {
		go func() {
			for range 20 {
				table, err := ro.SQL(ctx, "SELECT count(*), ? FROM v_runs", i)
				if err == nil && table.String() == "" {
					err = errors.New("no table")
				}
				if _, bad := ro.SQL(ctx, "DELETE FROM runs"); !errors.Is(bad, ErrReadOnly) {
					err = fmt.Errorf("not refused: %v", bad)
				}
				if _, bad := ro.Search(ctx, "seed = 0"); bad != nil {
					err = bad
				}
				if err != nil {
					errs <- err
					return
				}
			}
			errs <- nil
		}()
	}
	for range 8 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}
