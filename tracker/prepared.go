package tracker

import (
	"context"
	"database/sql"
	"errors"
	"sync"
)

// prepared keeps statements parsed: parsing takes several times as long as the answer for one run. Its zero value is
// empty. It is for the fixed statements of this package only, so that it cannot grow.
type prepared struct {
	mu     sync.Mutex
	byText map[string]*sql.Stmt
}

func (p *prepared) statement(ctx context.Context, db *sql.DB, text string) (*sql.Stmt, error) {
	p.mu.Lock()
	st := p.byText[text]
	p.mu.Unlock()
	if st != nil {
		return st, nil
	}
	st, err := db.PrepareContext(ctx, text) // may wait for a connection, and so not under the lock
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if first := p.byText[text]; first != nil {
		return first, st.Close()
	}
	if p.byText == nil {
		p.byText = map[string]*sql.Stmt{}
	}
	p.byText[text] = st
	return st, nil
}

func (p *prepared) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	for _, st := range p.byText {
		errs = append(errs, st.Close())
	}
	p.byText = nil
	return errors.Join(errs...)
}

// ask runs one of the fixed reading statements, within the snapshot that ctx carries, if any.
func (s *Store) ask(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	st, err := s.asked.statement(ctx, s.rdb, text)
	if err != nil {
		return nil, err
	}
	if shot := s.snapshotOf(ctx); shot != nil {
		st = shot.tx.StmtContext(ctx, st)
	}
	return st.QueryContext(ctx, args...)
}

type snapshotKey struct{}

// snapshot is a reading transaction on a store.
type snapshot struct {
	store *Store
	tx    *sql.Tx
	last  RunInfo // found last: what is read of a run follows in a row
}

// snapshotOf is the snapshot of this store that ctx carries, nil if there is none.
func (s *Store) snapshotOf(ctx context.Context) *snapshot {
	if shot, ok := ctx.Value(snapshotKey{}).(*snapshot); ok && shot.store == s {
		return shot
	}
	return nil
}

// Snapshot returns a context for reading many runs one after another: with it the methods that read one run (Run,
// RunRecord, Latest, History, EachPoint, …) see the database as it was at the first of them, and need a fraction of the
// time. Lists and searches are as ever. Use it from one goroutine, for seconds or minutes rather than hours: the WAL
// grows until end is called.
func (s *Store) Snapshot(ctx context.Context) (reading context.Context, end func(), err error) {
	if err := s.checkOpen("read", false); err != nil {
		return nil, nil, err
	}
	tx, err := s.rdb.BeginTx(ctx, nil)
	if err != nil {
		return nil, nil, explain("read", s.paths.db, err)
	}
	return context.WithValue(ctx, snapshotKey{}, &snapshot{store: s, tx: tx}), func() { _ = tx.Rollback() }, nil
}
