package tracker

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Experiment collects runs under a name.
type Experiment struct {
	Name    string
	Note    string
	Runs    int // without deleted ones
	Created time.Time
	Latest  time.Time // start of the newest run, zero if there is none
}

// RunInfo describes a run.
type RunInfo struct {
	ID           string // text id
	RowID        int64  // integer id
	Name         string
	Experiment   string
	Group        string // "" if none
	Parent       string // ID, "" if none
	Status       Status
	StatusDetail string
	Seed         int64 // meaningful if HasSeed
	HasSeed      bool
	Created      time.Time
	Finished     time.Time // zero while running; the last heartbeat of a crashed run
	Heartbeat    time.Time // last sign of life
	LastStep     int64     // greatest step logged, -1 if there is none
	Resumes      int
	Host         string
	PID          int
	ConfigSHA256 string
	ArmSHA256    string // equal for runs whose configs differ only in the seed
	Note         string
	Deleted      bool
}

// Order of a listing.
type Order string

// The orders of Filter.
const (
	OrderNewest  Order = "newest" // by creation, newest first; the default
	OrderOldest  Order = "oldest"
	OrderName    Order = "name"
	OrderUpdated Order = "updated" // by heartbeat, latest first
)

// Filter selects runs: those to which every field that is set applies.
type Filter struct {
	Experiment string            // exact name
	Group      string            // exact name
	Name       string            // exact name
	Parent     string            // reference to the parent run
	Statuses   []Status          // any of them
	Tags       map[string]string // all of them
	Arm        string            // ArmSHA256
	Deleted    bool              // deleted runs instead of the others
	Order      Order             // default OrderNewest
	Limit      int               // at most so many; 0 means all
	Offset     int               // skip so many
}

const selectRuns = `SELECT r.id, r.uid, r.name, e.name, coalesce(g.name, ''), coalesce(p.uid, ''), r.status, r.status_detail,
	r.seed, r.created_ms, r.finished_ms, r.resumes, coalesce(c.sha256, ''), coalesce(c.arm_sha256, ''), r.note,
	r.deleted_ms IS NOT NULL, coalesce(h.beat_ms, r.created_ms), h.last_step, coalesce(h.host, ''), coalesce(h.pid, 0),
	coalesce(h.process_start, '')
	FROM runs r JOIN experiments e ON e.id = r.experiment_id
	LEFT JOIN run_groups g ON g.id = r.group_id LEFT JOIN runs p ON p.id = r.parent_id
	LEFT JOIN configs c ON c.id = r.config_id LEFT JOIN heartbeats h ON h.run_id = r.id `

// Experiments lists the experiments, the one with the newest run first.
func (s *Store) Experiments(ctx context.Context) ([]Experiment, error) {
	if err := s.checkOpen("list experiments", false); err != nil {
		return nil, err
	}
	rows, err := s.rdb.QueryContext(ctx, `SELECT e.name, e.note, count(r.id), e.created_ms, max(r.created_ms)
		FROM experiments e LEFT JOIN runs r ON r.experiment_id = e.id AND r.deleted_ms IS NULL
		WHERE e.deleted_ms IS NULL GROUP BY e.id ORDER BY 5 DESC, e.id DESC`)
	if err != nil {
		return nil, explain("list experiments", s.paths.db, err)
	}
	defer rows.Close()
	var list []Experiment
	for rows.Next() {
		var e Experiment
		var created int64
		var latest sql.NullInt64
		if err := rows.Scan(&e.Name, &e.Note, &e.Runs, &created, &latest); err != nil {
			return nil, explain("list experiments", s.paths.db, err)
		}
		e.Created, e.Latest = time.UnixMilli(created), nullTime(latest)
		list = append(list, e)
	}
	return list, explain("list experiments", s.paths.db, rows.Err())
}

// Runs lists the runs that a filter selects. Runs whose process has died are marked crashed on the way.
func (s *Store) Runs(ctx context.Context, f Filter) ([]RunInfo, error) {
	if err := s.checkOpen("list runs", false); err != nil {
		return nil, err
	}
	query := f
	if err := f.validate(); err != nil {
		return nil, err
	}
	if s.cfg.ReadOnly {
		// The stored status of a run that died may still be "running": choose by the status that is shown.
		query.Statuses, query.Limit, query.Offset = nil, 0, 0
	}
	where, args, err := s.compile(ctx, query)
	if err != nil {
		return nil, err
	}
	if s.cfg.ReadOnly {
		list, err := s.queryRuns(ctx, where, args)
		return f.choose(list), explain("list runs", s.paths.db, err)
	}
	if err := s.markCrashed(ctx); err != nil {
		return nil, explain("list runs", s.paths.db, err)
	}
	list, err := s.queryRuns(ctx, where, args)
	return list, explain("list runs", s.paths.db, err)
}

// conditions collects the terms of a WHERE and their arguments.
type conditions struct {
	terms []string
	args  []any
}

func (c *conditions) add(term string, args ...any) {
	c.terms, c.args = append(c.terms, term), append(c.args, args...)
}

// compile turns a filter into SQL with parameters.
func (s *Store) compile(ctx context.Context, f Filter) (where string, args []any, err error) {
	var c conditions
	c.add("(r.deleted_ms IS NOT NULL) = ?", f.Deleted)
	if f.Experiment != "" {
		id, err := s.experimentID(ctx, f.Experiment)
		if err != nil {
			return "", nil, err
		}
		c.add("r.experiment_id = ?", id)
	}
	if f.Parent != "" {
		parent, err := s.Run(ctx, f.Parent)
		if err != nil {
			return "", nil, fmt.Errorf("Filter.Parent: %w", err)
		}
		c.add("r.parent_id = ?", parent.RowID)
	}
	for _, exact := range [][2]string{{"g.name", f.Group}, {"r.name", f.Name}, {"c.arm_sha256", f.Arm}} {
		if exact[1] != "" {
			c.add(exact[0]+" = ?", exact[1])
		}
	}
	if len(f.Statuses) > 0 {
		marks := strings.TrimSuffix(strings.Repeat("?, ", len(f.Statuses)), ", ")
		c.terms = append(c.terms, "r.status IN ("+marks+")")
		for _, st := range f.Statuses {
			c.args = append(c.args, string(st))
		}
	}
	for _, key := range sortedKeys(f.Tags) {
		c.add("r.id IN (SELECT run_id FROM tags WHERE key_id = (SELECT id FROM keys WHERE name = ?) AND value = ?)",
			key, f.Tags[key])
	}
	return "WHERE " + strings.Join(c.terms, " AND ") + f.tail(), c.args, nil
}

// orders are the SQL of the orders of a listing.
var orders = map[Order]string{
	OrderNewest:  "r.created_ms DESC, r.id DESC",
	OrderOldest:  "r.created_ms, r.id",
	OrderName:    "r.name, r.id",
	OrderUpdated: "h.beat_ms DESC, r.id DESC",
}

// validate names the first bad field.
func (f Filter) validate() error {
	for _, st := range f.Statuses {
		if !st.valid() {
			return invalid("list runs", "Filter.Statuses holds %q, allowed are %q", st, Statuses())
		}
	}
	if _, ok := orders[f.Order]; f.Order != "" && !ok {
		return invalid("list runs", "Filter.Order is %q, allowed are %q, %q, %q and %q", f.Order, OrderNewest, OrderOldest,
			OrderName, OrderUpdated)
	}
	if f.Limit < 0 || f.Offset < 0 {
		return invalid("list runs", "Filter.Limit is %d and Filter.Offset is %d, allowed are 0 and more", f.Limit, f.Offset)
	}
	return nil
}

// choose applies Statuses, Offset and Limit to a list.
func (f Filter) choose(list []RunInfo) []RunInfo {
	var chosen []RunInfo
	for _, r := range list {
		if len(f.Statuses) == 0 || slices.Contains(f.Statuses, r.Status) {
			chosen = append(chosen, r)
		}
	}
	chosen = chosen[min(f.Offset, len(chosen)):]
	if f.Limit > 0 {
		chosen = chosen[:min(f.Limit, len(chosen))]
	}
	return chosen
}

// tail is ORDER BY and LIMIT.
func (f Filter) tail() string {
	order, limit := f.Order, f.Limit
	if order == "" {
		order = OrderNewest
	}
	if limit == 0 {
		limit = -1
	}
	return fmt.Sprintf(" ORDER BY %s LIMIT %d OFFSET %d", orders[order], limit, f.Offset)
}

func (s *Store) experimentID(ctx context.Context, name string) (id int64, err error) {
	err = s.rdb.QueryRowContext(ctx, "SELECT id FROM experiments WHERE name = ?", name).Scan(&id)
	if err == nil {
		return id, nil
	}
	if err != sql.ErrNoRows {
		return 0, explain("list runs", s.paths.db, err)
	}
	names, err := s.strings(ctx, "SELECT name FROM experiments")
	if err != nil {
		return 0, err
	}
	return 0, &NotFoundError{Kind: "experiment", Ref: name, Near: nearest(name, names)}
}

func (s *Store) queryRuns(ctx context.Context, where string, args []any) ([]RunInfo, error) {
	rows, err := s.rdb.QueryContext(ctx, selectRuns+where, args...)
	return s.scanRuns(rows, err)
}

// scanRuns reads the answer to selectRuns, or passes the error of asking on.
func (s *Store) scanRuns(rows *sql.Rows, err error) ([]RunInfo, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []RunInfo
	for rows.Next() {
		info, err := s.scanRun(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, info)
	}
	return list, rows.Err()
}

func (s *Store) scanRun(rows *sql.Rows) (RunInfo, error) {
	var r RunInfo
	var seed, finished, step sql.NullInt64
	var created, beat int64
	var start string
	err := rows.Scan(&r.RowID, &r.ID, &r.Name, &r.Experiment, &r.Group, &r.Parent, &r.Status, &r.StatusDetail,
		&seed, &created, &finished, &r.Resumes, &r.ConfigSHA256, &r.ArmSHA256, &r.Note, &r.Deleted, &beat, &step,
		&r.Host, &r.PID, &start)
	if err != nil {
		return r, err
	}
	r.Seed, r.HasSeed = seed.Int64, seed.Valid
	r.Created, r.Finished, r.Heartbeat = time.UnixMilli(created), nullTime(finished), time.UnixMilli(beat)
	r.LastStep = -1
	if step.Valid {
		r.LastStep = step.Int64
	}
	// Shown as crashed at once; a store open for writing also marks it, in Runs and Run.
	if r.Status == StatusRunning && !s.alive(r.ID, process{r.Host, r.PID, start}, r.Heartbeat) {
		r.Status, r.StatusDetail, r.Finished = StatusCrashed, "the process ended without finishing the run", r.Heartbeat
	}
	return r, nil
}

func nullTime(ms sql.NullInt64) time.Time {
	if !ms.Valid {
		return time.Time{}
	}
	return time.UnixMilli(ms.Int64)
}

// Run finds the run that a reference names: "#" and an integer id, an id, a name that only one run has, the beginning of
// an id that only one run has, or a bare integer id, in this order. Deleted runs are found by id only. Several candidates give an
// *AmbiguousError that lists them, none a *NotFoundError with near names.
func (s *Store) Run(ctx context.Context, ref string) (RunInfo, error) {
	if err := s.checkOpen("find run", false); err != nil {
		return RunInfo{}, err
	}
	shot := s.snapshotOf(ctx)
	if shot != nil && ref == shot.last.ID && ref != "" {
		return shot.last, nil
	}
	info, err := s.resolve(ctx, ref)
	if err != nil {
		return RunInfo{}, explain("find run", s.paths.db, err)
	}
	if shot != nil {
		shot.last = info
		return info, nil // what is marked now would not be seen
	}
	if info.Status == StatusCrashed && !s.cfg.ReadOnly {
		// Perhaps only shown as crashed so far: mark it, and bring its journal in.
		if err := s.markCrashed(ctx); err != nil {
			return RunInfo{}, explain("find run", s.paths.db, err)
		}
		return s.resolve(ctx, "#"+strconv.FormatInt(info.RowID, 10))
	}
	return info, nil
}

func (s *Store) resolve(ctx context.Context, ref string) (RunInfo, error) {
	type attempt struct {
		where string
		args  []any
	}
	var attempts []attempt
	if row, err := strconv.ParseInt(strings.TrimPrefix(ref, "#"), 10, 64); err == nil && strings.HasPrefix(ref, "#") {
		attempts = append(attempts, attempt{"WHERE r.id = ?", []any{row}})
	}
	lower := strings.ToLower(ref)
	attempts = append(attempts,
		attempt{"WHERE r.uid = ?", []any{lower}},
		attempt{"WHERE r.name = ? AND r.deleted_ms IS NULL ORDER BY r.created_ms DESC, r.id DESC", []any{ref}})
	if lower != "" {
		attempts = append(attempts, attempt{"WHERE r.uid >= ?1 AND r.uid < ?1 || '~' AND r.deleted_ms IS NULL " +
			"ORDER BY r.created_ms DESC, r.id DESC", []any{lower}})
	}
	for _, a := range attempts {
		list, err := s.scanRuns(s.ask(ctx, selectRuns+a.where, a.args...))
		switch {
		case err != nil:
			return RunInfo{}, err
		case len(list) == 1:
			return list[0], nil
		case len(list) > 1:
			n := min(len(list), 10)
			return RunInfo{}, &AmbiguousError{Ref: ref, Candidates: list[:n], More: len(list) - n}
		}
	}
	if _, err := strconv.ParseInt(ref, 10, 64); err == nil { // the shell takes "#12" for a comment
		if list, err := s.queryRuns(ctx, "WHERE r.id = ?", []any{ref}); err != nil || len(list) == 1 {
			return first(list), err
		}
	}
	names, err := s.strings(ctx, `SELECT name FROM (SELECT name, uid FROM runs WHERE deleted_ms IS NULL ORDER BY id DESC LIMIT 5000)
		UNION SELECT uid FROM (SELECT name, uid FROM runs WHERE deleted_ms IS NULL ORDER BY id DESC LIMIT 5000)`)
	if err != nil {
		return RunInfo{}, err
	}
	return RunInfo{}, &NotFoundError{Kind: "run", Ref: ref, Near: nearest(ref, names)}
}

// HasRun reports whether there is a run with this very id; deleted ones count.
func (s *Store) HasRun(ctx context.Context, id string) (bool, error) {
	if err := s.checkOpen("find run", false); err != nil {
		return false, err
	}
	found, err := scanStrings(s.ask(ctx, "SELECT uid FROM runs WHERE uid = ?", id))
	return len(found) > 0, explain("find run", s.paths.db, err)
}

func first(list []RunInfo) RunInfo {
	if len(list) == 0 {
		return RunInfo{}
	}
	return list[0]
}

// strings runs a query with one text column.
func (s *Store) strings(ctx context.Context, query string, args ...any) ([]string, error) {
	return scanStrings(s.rdb.QueryContext(ctx, query, args...))
}

// scanStrings reads an answer with one text column, or passes the error of asking on.
func scanStrings(rows *sql.Rows, err error) ([]string, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var v string
		if err := rows.Scan(&v); err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}
