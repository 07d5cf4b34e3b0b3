package tracker

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/mattn/go-sqlite3"
)

// SQLConfig bounds a raw SQL query. A zero field means its default.
type SQLConfig struct {
	// Timeout after which the query is interrupted. Default 10 s.
	Timeout time.Duration
	// MaxRows is the greatest number of rows returned; a note tells if there are more. Default 10,000.
	MaxRows int
}

// Limits of an answer's size: of one value, and of all texts together.
const (
	maxSQLValue = 64 << 20
	maxSQLBytes = 256 << 20
)

// SQL runs one read-only SQL statement on the database and returns its rows. SCHEMA.md describes the views to ask.
// Anything that would write, attach a file, change a setting or load code is refused with ErrReadOnly; args replace "?"
// and "?1" (values) or ":name" (sql.Named). Besides SQLite's own functions there are sqrt, exp, ln, log10, log2, pow, fmod,
// floor, ceil, and the aggregates median(x), stddev(x) and percentile(x, p) with p from 0 to 100.
//
//	table, err := store.SQL(ctx, "SELECT name, last_value FROM v_latest WHERE key = ? ORDER BY 2", "loss")
func (s *Store) SQL(ctx context.Context, query string, args ...any) (*Table, error) {
	return s.SQLWith(ctx, SQLConfig{}, query, args...)
}

// SQLWith is SQL with limits of the caller's choice.
func (s *Store) SQLWith(ctx context.Context, cfg SQLConfig, query string, args ...any) (*Table, error) {
	if err := s.checkOpen("sql", false); err != nil {
		return nil, err
	}
	if cfg.Timeout < 0 || cfg.MaxRows < 0 {
		return nil, invalid("sql", "SQLConfig.Timeout is %v and SQLConfig.MaxRows is %d, allowed are 0 (the default) and more",
			cfg.Timeout, cfg.MaxRows)
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 10 * time.Second
	}
	if cfg.MaxRows == 0 {
		cfg.MaxRows = 10_000
	}
	statement, second := oneStatement(query)
	if second >= 0 {
		return nil, invalid("sql", "there is a second statement after the semicolon\n%s", pointAt(query, second, 1))
	}
	limited, cancel := context.WithTimeout(ctx, cfg.Timeout)
	defer cancel()
	g := &guard{}
	table, err := s.guarded(limited, g, statement, args, cfg.MaxRows)
	switch {
	case err == nil:
		return table, nil
	case ctx.Err() != nil:
		return nil, &Error{Op: "sql", Err: ctx.Err()}
	case limited.Err() != nil:
		return nil, &Error{Op: "sql", Msg: fmt.Sprintf("the query took longer than %v and was stopped", cfg.Timeout),
			Err: context.DeadlineExceeded, Hint: "narrow it, or raise SQLConfig.Timeout"}
	}
	return nil, s.explainSQL(ctx, query, g, err)
}

// guarded runs the query on a connection that refuses everything but reading while it runs.
func (s *Store) guarded(ctx context.Context, g *guard, query string, args []any, maxRows int) (t *Table, err error) {
	conn, err := s.rdb.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	var release func()
	if err := conn.Raw(func(c any) error {
		release = g.protect(c.(*sqlite3.SQLiteConn))
		return nil
	}); err != nil {
		return nil, err
	}
	defer conn.Raw(func(any) error { release(); return nil })
	if err := checkReadOnly(ctx, conn, query); err != nil {
		return nil, err
	}
	rows, err := conn.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	return readTable(rows, query, maxRows)
}

var errWrites = errors.New("the statement writes")

// checkReadOnly asks SQLite whether the statement only reads.
func checkReadOnly(ctx context.Context, conn *sql.Conn, query string) error {
	return conn.Raw(func(c any) error {
		stmt, err := c.(*sqlite3.SQLiteConn).PrepareContext(ctx, query)
		if err != nil {
			return err
		}
		defer stmt.Close()
		if st, ok := stmt.(*sqlite3.SQLiteStmt); ok && !st.Readonly() {
			return errWrites
		}
		return nil
	})
}

// readTable reads rows up to a number and an amount.
func readTable(rows *sql.Rows, query string, maxRows int) (*Table, error) {
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, invalid("sql", "there is no statement that asks for anything")
	}
	t := &Table{Query: query}
	raw, dest := make([]any, len(names)), make([]any, len(names))
	for i, n := range names {
		t.Columns = append(t.Columns, Column{Name: n})
		dest[i] = &raw[i]
	}
	for size := 0; rows.Next(); t.Total++ {
		if len(t.Cells) == maxRows || size > maxSQLBytes {
			t.Total++
			t.Notes = append(t.Notes, fmt.Sprintf("only the first %d rows are shown: add LIMIT and OFFSET, or raise SQLConfig.MaxRows", len(t.Cells)))
			break
		}
		if err := rows.Scan(dest...); err != nil {
			return nil, err
		}
		cells := make([]Cell, len(raw))
		for i, v := range raw {
			cells[i] = sqlCell(v)
			size += len(cells[i].S)
		}
		t.Cells = append(t.Cells, cells)
	}
	return t, rows.Err()
}
