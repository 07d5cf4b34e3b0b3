package tracker

import (
	"context"
	"database/sql"
	"fmt"
)

// writeTx is one BEGIN IMMEDIATE transaction on the writing connection. Its context is never cancelled in the middle:
// mattn/go-sqlite3 starts a goroutine per call for cancellable contexts, and a half-done commit helps nobody.
type writeTx struct {
	s     *Store
	ctx   context.Context
	fresh map[string]int64 // key and context ids made here; they reach the cache after the commit

	records    int64    // values added, for the ledger
	onRollback []func() // undo what the transaction noted outside the database
}

// turn waits until this process may write, and has the connection to do so.
func (s *Store) turn(ctx context.Context) (release func(), err error) {
	release, err = s.lock.acquire(ctx)
	if err == nil && s.wconn == nil {
		release()
		return nil, ErrClosed
	}
	return release, err
}

// write runs fn in a transaction: all of it is committed, or nothing.
func (s *Store) write(ctx context.Context, fn func(tx *writeTx) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.LockTimeout)
	defer cancel()
	release, err := s.turn(ctx)
	if err != nil {
		return err
	}
	defer release()
	tx := &writeTx{s: s, ctx: context.Background(), fresh: map[string]int64{}}
	if _, err := s.wconn.ExecContext(tx.ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	if err = tx.checkSchema(); err == nil {
		err = fn(tx)
	}
	var counted ledger
	if err == nil {
		counted, err = tx.count()
	}
	if err == nil {
		_, err = s.wconn.ExecContext(tx.ctx, "COMMIT")
	}
	if err != nil {
		// After some errors (disk full) SQLite has rolled back by itself and says that there is no transaction: fine.
		_, _ = s.wconn.ExecContext(tx.ctx, "ROLLBACK")
		for _, undo := range tx.onRollback {
			undo()
		}
		return err
	}
	s.noteCommit(counted)
	s.names.put(tx.fresh)
	return nil
}

// checkSchema: a newer program may have migrated the database while this one had it open. Writing on would break what it
// relies on; what was logged stays in the journals, which the newer program replays.
func (tx *writeTx) checkSchema() error {
	var version int
	if err := tx.scan("PRAGMA user_version", nil, &version); err != nil {
		return err
	}
	if version != tx.s.schema {
		return &Error{Op: "write", Path: tx.s.paths.db, Err: ErrNewerSchema, Hint: "restart with the new gophersnake",
			Msg: fmt.Sprintf("has been migrated to schema version %d, this program writes %d", version, tx.s.schema)}
	}
	return nil
}

// stmt prepares a statement once per connection.
func (tx *writeTx) stmt(query string) (*sql.Stmt, error) {
	if st := tx.s.stmts[query]; st != nil {
		return st, nil
	}
	st, err := tx.s.wconn.PrepareContext(tx.ctx, query)
	if err != nil {
		return nil, err
	}
	tx.s.stmts[query] = st
	return st, nil
}

func (tx *writeTx) exec(query string, args ...any) (sql.Result, error) {
	st, err := tx.stmt(query)
	if err != nil {
		return nil, err
	}
	return st.ExecContext(tx.ctx, args...)
}

// insert runs an INSERT and returns the new row's id.
func (tx *writeTx) insert(query string, args ...any) (int64, error) {
	res, err := tx.exec(query, args...)
	if err != nil {
		return 0, err
	}
	return res.LastInsertId()
}

// scan reads one row.
func (tx *writeTx) scan(query string, args []any, dest ...any) error {
	st, err := tx.stmt(query)
	if err != nil {
		return err
	}
	return st.QueryRowContext(tx.ctx, args...).Scan(dest...)
}

// getOrInsert returns the id of a row, made by insert if the query finds none.
func (tx *writeTx) getOrInsert(query string, args []any, insert string, insertArgs ...any) (int64, error) {
	var id int64
	err := tx.scan(query, args, &id)
	if err == sql.ErrNoRows {
		return tx.insert(insert, insertArgs...)
	}
	return id, err
}

// keyID interns the name of a metric, param or tag.
func (tx *writeTx) keyID(name string) (int64, error) { return tx.nameID("k", "keys", name) }

// contextID interns a context label.
func (tx *writeTx) contextID(name string) (int64, error) {
	if name == "" {
		return 0, nil // the migration put it there
	}
	return tx.nameID("c", "contexts", name)
}

func (tx *writeTx) nameID(prefix, table, name string) (int64, error) {
	if id, ok := tx.fresh[prefix+name]; ok {
		return id, nil
	}
	if id, ok := tx.s.names.get(prefix + name); ok {
		return id, nil
	}
	id, err := tx.getOrInsert("SELECT id FROM "+table+" WHERE name = ?", []any{name},
		"INSERT INTO "+table+" (name) VALUES (?)", name)
	if err != nil {
		return 0, fmt.Errorf("naming %q in %s: %w", name, table, err)
	}
	tx.fresh[prefix+name] = id
	return id, nil
}

// event records something that happened to a run.
func (tx *writeTx) event(run int64, kind, message, data string) error {
	_, err := tx.exec("INSERT INTO events (run_id, ts_ms, kind, message, data) VALUES (?, ?, ?, ?, ?)",
		run, tx.s.cfg.Now().UnixMilli(), kind, message, data)
	return err
}
