package tracker

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"time"

	"github.com/gophersnake/gophersnake/tracker/query"
)

// Summary is the state of one metric of a run. Extremes and mean leave NaN out; they are NaN if all values are.
type Summary struct {
	Key      string
	Context  string
	Count    int64 // values, NaN included
	NaNs     int64
	LastStep int64
	LastTime time.Time
	Last     float64 // of the greatest step, and of the latest time there
	Min      float64
	MinStep  int64 // the smallest step with the minimum
	Max      float64
	MaxStep  int64
	Mean     float64
}

// Event is something that happened to a run: started, resumed, replayed, truncated, crashed, finished, ….
type Event struct {
	Time    time.Time
	Kind    string
	Message string
	Data    string // JSON object
}

// query runs a query about one run and calls scan for every row. Values that this process logged to the run are
// committed first, if they can be.
func (s *Store) query(ctx context.Context, op, ref, query string, args []any, scan func(*sql.Rows) error) (RunInfo, error) {
	info, err := s.Run(ctx, ref)
	if err != nil {
		return info, err
	}
	s.mu.Lock()
	_, mine := s.runs[info.ID]
	s.mu.Unlock()
	if mine {
		_ = s.requestFlush(ctx) // a failure is reported by Log, Flush and Finish; reading goes on with what is committed
	}
	return info, s.rowsOf(ctx, op, info, query, args, scan)
}

// rowsOf is query for a run that has been found.
func (s *Store) rowsOf(ctx context.Context, op string, info RunInfo, query string, args []any, scan func(*sql.Rows) error) error {
	rows, err := s.ask(ctx, query, append([]any{info.RowID}, args...)...)
	if err != nil {
		return explain(op, s.paths.db, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return explain(op, s.paths.db, err)
		}
	}
	return explain(op, s.paths.db, rows.Err())
}

// History returns all values of a metric, ordered by step, then time, then order of logging. An unknown metric is
// a *NotFoundError with near names.
func (s *Store) History(ctx context.Context, ref, key, context string) ([]Point, error) {
	var points []Point
	info, err := s.query(ctx, "read history", ref, `SELECT step, ts_ms, value FROM points WHERE series_id =
		(SELECT id FROM series WHERE run_id = ? AND key_id = (SELECT id FROM keys WHERE name = ?)
			AND context_id = (SELECT id FROM contexts WHERE name = ?))
		ORDER BY step, ts_ms, seq`, []any{key, context}, func(rows *sql.Rows) error {
		p, err := scanPoint(rows, key, context)
		points = append(points, p)
		return err
	})
	if err == nil && len(points) == 0 {
		err = s.unknownMetric(ctx, info, key, context)
	}
	return points, err
}

// unknownMetric builds the error for a metric without values: other contexts of the key first, then near keys.
func (s *Store) unknownMetric(ctx context.Context, info RunInfo, key, context string) error {
	summaries, err := s.Latest(ctx, info.ID)
	if err != nil {
		return err
	}
	e := &NotFoundError{Kind: "metric", Ref: key, Within: "run " + info.ID}
	if context != "" {
		e.Within = fmt.Sprintf("context %q of run %s", context, info.ID)
	}
	var keys []string
	for _, m := range summaries {
		if m.Key == key {
			e.Near = append(e.Near, fmt.Sprintf("%s in context %s", key, m.Context))
		}
		keys = append(keys, m.Key)
	}
	if len(e.Near) == 0 {
		e.Near = nearest(key, unique(keys))
	}
	return e
}

const selectSummary = `SELECT s.run_id, k.name, x.name, l.count, l.nan_count, l.last_step, l.last_ts_ms,
	l.last_value, coalesce(l.min_step, 0), l.min_value, coalesce(l.max_step, 0), l.max_value, l.sum_value
	FROM series s JOIN latest l ON l.series_id = s.id JOIN keys k ON k.id = s.key_id
	JOIN contexts x ON x.id = s.context_id WHERE s.run_id `

func scanSummary(rows *sql.Rows) (run int64, m Summary, err error) {
	var ts int64
	var last, lo, hi, sum sql.NullFloat64
	err = rows.Scan(&run, &m.Key, &m.Context, &m.Count, &m.NaNs, &m.LastStep, &ts, &last, &m.MinStep, &lo, &m.MaxStep, &hi, &sum)
	m.LastTime, m.Last, m.Min, m.Max = time.UnixMilli(ts), nanIfNull(last), nanIfNull(lo), nanIfNull(hi)
	m.Mean = nanIfNull(sum) / float64(m.Count-m.NaNs)
	return run, m, err
}

// Latest returns the summary of every metric of a run, ordered by key and context.
func (s *Store) Latest(ctx context.Context, ref string) ([]Summary, error) {
	var list []Summary
	_, err := s.query(ctx, "read metrics", ref, selectSummary+`= ? ORDER BY k.name, x.name`, nil, func(rows *sql.Rows) error {
		_, m, err := scanSummary(rows)
		list = append(list, m)
		return err
	})
	return list, err
}

// LatestOf is Latest for many runs at once, in their order; what this process has logged to them and not committed
// is not in it.
func (s *Store) LatestOf(ctx context.Context, runs []RunInfo) ([][]Summary, error) {
	if err := s.checkOpen("read metrics", false); err != nil {
		return nil, err
	}
	ids, at := make([]int64, len(runs)), make(map[int64]int, len(runs))
	for i, r := range runs {
		ids[i], at[r.RowID] = r.RowID, i
	}
	rows, err := s.rdb.QueryContext(ctx, selectSummary+`IN (SELECT value FROM json_each(?)) ORDER BY s.run_id, k.name, x.name`, query.IDList(ids))
	if err != nil {
		return nil, explain("read metrics", s.paths.db, err)
	}
	defer rows.Close()
	lists := make([][]Summary, len(runs))
	for rows.Next() {
		run, m, err := scanSummary(rows)
		if err != nil {
			return nil, explain("read metrics", s.paths.db, err)
		}
		lists[at[run]] = append(lists[at[run]], m)
	}
	return lists, explain("read metrics", s.paths.db, rows.Err())
}

// scanPoint reads a row of step, ts_ms and value.
func scanPoint(rows *sql.Rows, key, context string) (Point, error) {
	var ts int64
	var value sql.NullFloat64
	p := Point{Key: key, Context: context}
	err := rows.Scan(&p.Step, &ts, &value)
	p.Time, p.Value = time.UnixMilli(ts), nanIfNull(value)
	return p, err
}

func nanIfNull(v sql.NullFloat64) float64 {
	if !v.Valid {
		return math.NaN()
	}
	return v.Float64
}

// Objects returns all objects under a key and context, ordered like History. None is no error.
func (s *Store) Objects(ctx context.Context, ref, key, context string) ([]Object, error) {
	var list []Object
	_, err := s.query(ctx, "read objects", ref, `SELECT step, ts_ms, kind, data FROM objects WHERE series_id =
		(SELECT id FROM series WHERE run_id = ? AND key_id = (SELECT id FROM keys WHERE name = ?)
			AND context_id = (SELECT id FROM contexts WHERE name = ?))
		ORDER BY step, ts_ms, seq`, []any{key, context}, func(rows *sql.Rows) error {
		o := Object{Key: key, Context: context}
		var ts int64
		if err := rows.Scan(&o.Step, &ts, &o.Kind, &o.Data); err != nil {
			return err
		}
		o.Time = time.UnixMilli(ts)
		list = append(list, o)
		return nil
	})
	return list, err
}

// Params returns the params of a run, ordered by key.
func (s *Store) Params(ctx context.Context, ref string) ([]Param, error) {
	var list []Param
	_, err := s.query(ctx, "read params", ref, selectParams, nil, scanParam(&list))
	return list, err
}

const selectParams = `SELECT k.name, p.type, p.value FROM params p JOIN keys k ON k.id = p.key_id WHERE p.run_id = ? ORDER BY k.name`

func scanParam(list *[]Param) func(*sql.Rows) error {
	return func(rows *sql.Rows) error {
		var key, kind string
		var value any
		err := rows.Scan(&key, &kind, &value)
		if err == nil {
			*list = append(*list, loadParam(key, kind, value))
		}
		return err
	}
}

// ConfigJSON returns the config of a run, byte for byte as it was given to StartRun.
func (s *Store) ConfigJSON(ctx context.Context, ref string) ([]byte, error) {
	var config []byte
	_, err := s.query(ctx, "read config", ref, "SELECT c.json FROM runs r JOIN configs c ON c.id = r.config_id WHERE r.id = ?",
		nil, func(rows *sql.Rows) error { return rows.Scan(&config) })
	return config, err
}

// Tags returns the tags of a run.
func (s *Store) Tags(ctx context.Context, ref string) (map[string]string, error) {
	m := map[string]string{}
	_, err := s.query(ctx, "read tags", ref, selectTags, nil, scanPair(m))
	return m, err
}

// Environment returns the environment of a run as Environment.Values gave it; it is empty if none was recorded.
func (s *Store) Environment(ctx context.Context, ref string) (map[string]string, error) {
	m := map[string]string{}
	_, err := s.query(ctx, "read environment", ref, selectEnvironment, nil, scanPair(m))
	return m, err
}

const (
	selectTags        = "SELECT k.name, t.value FROM tags t JOIN keys k ON k.id = t.key_id WHERE t.run_id = ?"
	selectEnvironment = `SELECT v.key, v.value FROM runs r JOIN environment_values v ON v.environment_id = r.environment_id WHERE r.id = ?`
)

func scanPair(into map[string]string) func(*sql.Rows) error {
	return func(rows *sql.Rows) error {
		var k, v string
		err := rows.Scan(&k, &v)
		into[k] = v
		return err
	}
}

// Artifacts returns all artifacts of a run, ordered by name and version.
func (s *Store) Artifacts(ctx context.Context, ref string) ([]Artifact, error) {
	var list []Artifact
	_, err := s.query(ctx, "read artifacts", ref, `SELECT a.name, a.version, a.kind, a.media_type, a.step, a.ts_ms, b.size, b.sha256
		FROM artifacts a JOIN blobs b ON b.id = a.blob_id WHERE a.run_id = ? ORDER BY a.name, a.version`, nil,
		func(rows *sql.Rows) error {
			var a Artifact
			var step sql.NullInt64
			var ts int64
			if err := rows.Scan(&a.Name, &a.Version, &a.Kind, &a.MediaType, &step, &ts, &a.Size, &a.SHA256); err != nil {
				return err
			}
			a.Step, a.HasStep, a.Time, a.Path = step.Int64, step.Valid, time.UnixMilli(ts), s.blobPath(a.SHA256)
			list = append(list, a)
			return nil
		})
	return list, err
}

// Artifacts returns all artifacts of the run, ordered by name and version.
func (r *Run) Artifacts() ([]Artifact, error) {
	return r.store.Artifacts(context.Background(), r.uid)
}

// Events returns what happened to a run, oldest first.
func (s *Store) Events(ctx context.Context, ref string) ([]Event, error) {
	var list []Event
	_, err := s.query(ctx, "read events", ref, "SELECT ts_ms, kind, message, data FROM events WHERE run_id = ? ORDER BY id", nil,
		func(rows *sql.Rows) error {
			var e Event
			var ts int64
			if err := rows.Scan(&ts, &e.Kind, &e.Message, &e.Data); err != nil {
				return err
			}
			e.Time = time.UnixMilli(ts)
			list = append(list, e)
			return nil
		})
	return list, err
}
