package archive

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/mattn/go-sqlite3"

	"github.com/gophersnake/gophersnake/tracker"
)

// ImportMLflowDB reads the SQLite file of MLflow's database store (sqlite:///mlflow.db). It takes over what ImportMLflow
// does, but for artifacts, which lie elsewhere: a warning counts the runs whose artifact folder holds files.
func ImportMLflowDB(ctx context.Context, s *tracker.Store, path string, opts ImportOptions) (Report, error) {
	abs, err := filepath.Abs(path)
	if err == nil {
		_, err = os.Stat(abs)
	}
	if err != nil {
		return Report{}, err
	}
	db := sql.OpenDB(sqliteFile{(&url.URL{Scheme: "file", Path: abs}).String() + "?mode=ro&_query_only=1"})
	defer db.Close()
	m := &mlflowDB{db: db, path: path}
	runs, err := m.runs(ctx)
	if err != nil {
		return Report{}, &Error{File: path, Msg: "cannot be read as MLflow's database", Err: err}
	}
	report, err := addMLflow(ctx, s, runs, opts)
	if m.artifacts > 0 && !opts.SkipArtifacts {
		report.Warnings = append(report.Warnings, fmt.Sprintf("the artifacts of %d runs were left out", m.artifacts))
	}
	return report, err
}

// sqliteFile opens connections without a driver registered under a name.
type sqliteFile struct{ dsn string }

func (f sqliteFile) Connect(context.Context) (driver.Conn, error) { return f.Driver().Open(f.dsn) }
func (f sqliteFile) Driver() driver.Driver                        { return &sqlite3.SQLiteDriver{} }

type mlflowDB struct {
	db        *sql.DB
	path      string
	artifacts int // runs with files in their artifact folder
}

// each calls scan for every row of a query.
func (m *mlflowDB) each(ctx context.Context, query string, args []any, scan func(*sql.Rows) error) error {
	rows, err := m.db.QueryContext(ctx, query, args...)
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

func (m *mlflowDB) runs(ctx context.Context) ([]*mlflowRun, error) {
	var runs []*mlflowRun
	err := m.each(ctx, `SELECT r.run_uuid, coalesce(r.name, ''), coalesce(r.status, ''), e.name, coalesce(r.start_time, 0),
		coalesce(r.end_time, 0), r.lifecycle_stage = 'deleted', coalesce(r.artifact_uri, '')
		FROM runs r JOIN experiments e ON e.experiment_id = r.experiment_id ORDER BY r.run_uuid`, nil, func(rows *sql.Rows) error {
		r := &mlflowRun{source: m.path}
		var uri string
		if err := rows.Scan(&r.id, &r.name, &r.status, &r.experiment, &r.start, &r.end, &r.deleted, &uri); err != nil {
			return err
		}
		if u, err := url.Parse(uri); err == nil && (u.Scheme == "file" || u.Scheme == "") {
			if files, _ := os.ReadDir(u.Path); u.Path != "" && len(files) > 0 {
				m.artifacts++
			}
		}
		r.points = func(add func(tracker.Point) error) error { return m.points(ctx, r.id, add) }
		runs = append(runs, r)
		return nil
	})
	for _, r := range runs {
		if err == nil {
			r.params, err = m.texts(ctx, "params", r.id)
		}
		if err == nil {
			r.tags, err = m.texts(ctx, "tags", r.id)
		}
	}
	return runs, err
}

func (m *mlflowDB) texts(ctx context.Context, table, id string) (map[string]string, error) {
	texts := map[string]string{}
	err := m.each(ctx, "SELECT key, value FROM "+table+" WHERE run_uuid = ?", []any{id}, func(rows *sql.Rows) error {
		var key string
		var value sql.NullString
		err := rows.Scan(&key, &value)
		texts[key] = value.String
		return err
	})
	return texts, err
}

// points reads the metrics of a run. MLflow stores NaN as 0 with a flag, and ±Inf as the greatest float64.
func (m *mlflowDB) points(ctx context.Context, id string, add func(tracker.Point) error) error {
	return m.each(ctx, "SELECT key, value, timestamp, step, is_nan FROM metrics WHERE run_uuid = ? ORDER BY key, step, timestamp, value",
		[]any{id}, func(rows *sql.Rows) error {
			var p tracker.Point
			var ts int64
			var nan bool
			if err := rows.Scan(&p.Key, &p.Value, &ts, &p.Step, &nan); err != nil {
				return err
			}
			switch {
			case nan:
				p.Value = math.NaN()
			case math.Abs(p.Value) >= math.MaxFloat64:
				p.Value = math.Inf(int(math.Copysign(1, p.Value)))
			}
			p.Time = time.UnixMilli(ts)
			return add(p)
		})
}
