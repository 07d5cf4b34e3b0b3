package tracker

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/gophersnake/gophersnake/tracker/query"
)

// Search asks for runs in the language of QUERY.md. Text alone is enough; the other fields are for programs that build
// a question from parts, and narrow or override what Text says.
type Search struct {
	// Text is a filter ("metrics.loss < 0.5 and params.mixer = 's6'") or a whole statement
	// ("select … from … where … group by … order by … limit …"). Empty means all runs.
	Text string
	// Where holds further filters; all must hold.
	Where []string
	// Select replaces the columns of Text, e.g. {"name", "min(metrics.loss) as best"}.
	Select []string
	// Experiments narrows the search to these experiments, by exact name.
	Experiments []string
	// OrderBy replaces the order of Text, e.g. {"metrics.loss", "created desc"}.
	OrderBy []string
	// Limit is the greatest number of rows; it replaces the limit of Text. Default 1000; -1 means all.
	Limit int
	// Offset skips so many rows; it replaces the offset of Text.
	Offset int
	// Deleted searches the deleted runs instead of the others, unless a filter speaks of deleted.
	Deleted bool
	// Lenient makes metrics, params, tags and experiments that the database does not know missing values instead
	// of errors, as MLflow's search does.
	Lenient bool
}

// DefaultSearchLimit is the number of rows that a search returns if nothing is said.
const DefaultSearchLimit = 1000

// Search finds runs: text is a filter or a statement of the language of QUERY.md. A mistake in the text is
// a *query.Error, which points at the character; errors.Is(err, ErrInvalid) holds.
//
//	table, err := store.Search(ctx, "metrics.loss < 0.5 and params.mixer = 's6' order by metrics.loss limit 10")
//	fmt.Println(table)
func (s *Store) Search(ctx context.Context, text string) (*Table, error) {
	return s.SearchWith(ctx, Search{Text: text})
}

// SearchWith is Search for a question that is built from parts.
func (s *Store) SearchWith(ctx context.Context, search Search) (*Table, error) {
	if err := s.checkOpen("search", false); err != nil {
		return nil, err
	}
	stmt, err := search.statement()
	if err != nil {
		return nil, asInvalid(s.betterHint(ctx, err))
	}
	crashed, err := s.prepareSearch(ctx)
	if err != nil {
		return nil, explain("search", s.paths.db, err)
	}
	// One transaction, so that names, counts, values and runs belong to the same moment.
	tx, err := s.rdb.BeginTx(ctx, nil)
	if err != nil {
		return nil, explain("search", s.paths.db, err)
	}
	defer tx.Rollback()
	f := &finder{store: s, tx: tx, ctx: ctx, search: search, stmt: stmt}
	table, err := f.run(crashed)
	if err != nil {
		return nil, explain("search", s.paths.db, asInvalid(err))
	}
	return table, nil
}

// prepareSearch commits what this process logged, marks the runs whose process died, and returns those that could not
// be marked.
func (s *Store) prepareSearch(ctx context.Context) ([]int64, error) {
	s.mu.Lock()
	mine := len(s.runs) > 0
	s.mu.Unlock()
	if mine {
		_ = s.requestFlush(ctx) // a failure is reported by Log, Flush and Finish; reading goes on with what is committed
	}
	if !s.cfg.ReadOnly {
		if err := s.markCrashed(ctx); err != nil {
			return nil, err
		}
	}
	dead, err := s.deadRuns(ctx)
	var ids []int64
	for _, d := range dead {
		ids = append(ids, d.id)
	}
	return ids, err
}

// asInvalid makes errors.Is(err, ErrInvalid) true for a mistake in a query.
func asInvalid(err error) error {
	if e, ok := err.(*query.Error); ok {
		return &Error{Op: "search", Err: &cause{ErrInvalid, e}}
	}
	return err
}

// statement builds the question from its parts.
func (q Search) statement() (*query.Statement, error) {
	if q.Limit < -1 || q.Offset < 0 {
		return nil, invalid("search", "Search.Limit is %d and Search.Offset is %d, allowed are -1 (all) and more, and 0 and more", q.Limit, q.Offset)
	}
	stmt, err := query.Parse(q.Text)
	if err != nil {
		return nil, err
	}
	if len(q.Where)+len(q.Select)+len(q.Experiments)+len(q.OrderBy) > 0 {
		if stmt, err = q.addParts(stmt); err != nil {
			return nil, err
		}
	}
	if q.Limit > 0 {
		stmt.Limit = q.Limit
	} else if q.Limit == 0 && stmt.Limit < 0 {
		stmt.Limit = DefaultSearchLimit
	} else if q.Limit < 0 {
		stmt.Limit = -1
	}
	if q.Offset > 0 {
		stmt.Offset = q.Offset
	}
	return stmt, nil
}

// addParts merges the other fields into what Text says. The result is parsed from its own canonical text, so that errors
// point into one text.
func (q Search) addParts(stmt *query.Statement) (*query.Statement, error) {
	var terms []string
	if stmt.Where != nil {
		terms = append(terms, "("+stmt.Where.String()+")")
	}
	for _, text := range q.Where {
		if strings.TrimSpace(text) == "" {
			continue
		}
		e, err := query.ParseFilter(text)
		if err != nil {
			return nil, err
		}
		terms = append(terms, "("+e.String()+")")
	}
	if len(terms) > 0 {
		where, err := query.ParseFilter(strings.Join(terms, " and "))
		if err != nil {
			return nil, err
		}
		stmt.Where = where
	}
	if len(q.Select) > 0 {
		columns, err := query.ParseColumns(strings.Join(q.Select, ", "))
		if err != nil {
			return nil, err
		}
		stmt.Columns = columns
	}
	if len(q.OrderBy) > 0 {
		orders, err := query.ParseOrder(strings.Join(q.OrderBy, ", "), stmt.Aliases())
		if err != nil {
			return nil, err
		}
		stmt.Orders = orders
	}
	if len(q.Experiments) > 0 {
		stmt.From = q.narrow(stmt.From)
	}
	return query.Parse(stmt.String())
}

// narrow is Experiments, without those that Text excludes.
func (q Search) narrow(from []query.Name) []query.Name {
	var names []query.Name
	for _, e := range q.Experiments {
		in := func(n query.Name) bool { return n.Value == e }
		if len(from) == 0 || slices.ContainsFunc(from, in) {
			names = append(names, query.Name{Value: e})
		}
	}
	if len(names) == 0 {
		names = []query.Name{{Value: ""}} // no experiment has an empty name
	}
	return names
}

// finder is one search under way.
type finder struct {
	store  *Store
	tx     *sql.Tx
	ctx    context.Context
	search Search
	stmt   *query.Statement
}

func (f *finder) run(crashed []int64) (*Table, error) {
	env := query.Env{Now: f.store.cfg.Now(), Crashed: crashed, Deleted: f.search.Deleted}
	if err := f.checkNames(&env); err != nil {
		return nil, err
	}
	plan, err := query.Compile(f.stmt, env)
	if err != nil {
		return nil, err
	}
	if f.stmt.Group != nil {
		return f.groups(plan)
	}
	return f.runs(plan)
}

// runs answers a search whose rows are runs.
func (f *finder) runs(plan *query.Plan) (*Table, error) {
	t := &Table{Query: f.stmt.String(), Offset: f.stmt.Offset, Runs: []RunInfo{}}
	for _, o := range plan.Outputs {
		t.Columns = append(t.Columns, Column{Name: o.Name, Expr: o.Expr})
	}
	ids, err := f.ids(plan.Match(f.stmt.Limit, f.stmt.Offset), &t.Total)
	if err != nil {
		return nil, err
	}
	if len(ids) == 0 { // no row to carry the total
		q := plan.Count()
		if err := f.tx.QueryRowContext(f.ctx, q.Text, q.Args...).Scan(&t.Total); err != nil {
			return nil, err
		}
	}
	if t.Runs, err = f.infos(ids); err != nil {
		return nil, err
	}
	if t.Cells, err = f.cells(plan, ids); err != nil {
		return nil, err
	}
	if n := t.Total - t.Offset - t.Len(); n > 0 {
		t.Notes = append(t.Notes, fmt.Sprintf("%d of %d runs, %d more follow: set limit and offset", t.Len(), t.Total, n))
	}
	return t, nil
}

func (f *finder) ids(q query.SQL, total *int) ([]int64, error) {
	var ids []int64
	err := f.each(q, func(rows *sql.Rows) error {
		var id int64
		err := rows.Scan(&id, total)
		ids = append(ids, id)
		return err
	})
	return ids, err
}

// each runs a query and calls scan for every row.
func (f *finder) each(q query.SQL, scan func(*sql.Rows) error) error {
	rows, err := f.tx.QueryContext(f.ctx, q.Text, q.Args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// infos reads the runs with these ids, in their order.
func (f *finder) infos(ids []int64) ([]RunInfo, error) {
	at := make(map[int64]int, len(ids))
	for i, id := range ids {
		at[id] = i
	}
	list := make([]RunInfo, len(ids))
	q := query.SQL{Text: selectRuns + "WHERE r.id IN (SELECT value FROM json_each(?))", Args: []any{query.IDList(ids)}}
	err := f.each(q, func(rows *sql.Rows) error {
		info, err := f.store.scanRun(rows)
		list[at[info.RowID]] = info
		return err
	})
	return list, err
}

// cells reads the columns of the runs with these ids, in their order.
func (f *finder) cells(plan *query.Plan, ids []int64) ([][]Cell, error) {
	at := make(map[int64]int, len(ids))
	for i, id := range ids {
		at[id] = i
	}
	list := make([][]Cell, len(ids))
	var id int64
	read := newCellReader(plan.Outputs, &id)
	err := f.each(plan.Values(ids), func(rows *sql.Rows) error {
		cells, err := read.scan(rows)
		list[at[id]] = cells
		return err
	})
	return list, err
}
