package archive

import (
	"context"
	"fmt"
	"sort"
	"strconv"
	"time"

	"github.com/gophersnake/gophersnake/tracker"
	"github.com/gophersnake/gophersnake/tracker/query"
)

// colType is the type of a column of the runs table.
type colType string

const (
	colText  colType = "text"
	colInt   colType = "int"
	colFloat colType = "float"
	colBool  colType = "bool"
	colTime  colType = "time"
)

// column of the runs table. Its name is an expression of the query language (see
// QUERY.md), which has the same value there. Its cells are nil, string, int64, float64, bool or time.Time.
type column struct {
	name string
	kind colType
	cell func(*runRow) any
}

// runRow is what the cells of one run are made from.
type runRow struct {
	rec     tracker.RunRecord
	params  map[string]tracker.Param
	metrics map[metricName]tracker.Summary
}

type metricName struct{ key, context string }

// readRow reads a run without its history.
func readRow(ctx context.Context, s *tracker.Store, id string) (*runRow, error) {
	rec, err := s.RunRecord(ctx, id)
	if err != nil {
		return nil, err
	}
	row := &runRow{rec: rec, params: map[string]tracker.Param{}, metrics: map[metricName]tracker.Summary{}}
	for _, p := range rec.Params {
		row.params[p.Key] = p
	}
	summaries, err := s.Latest(ctx, id)
	for _, m := range summaries {
		row.metrics[metricName{m.Key, m.Context}] = m
	}
	return row, err
}

// runColumns reads all runs once to find the columns that their table needs.
func runColumns(ctx context.Context, s *tracker.Store, runs []tracker.RunInfo) ([]column, error) {
	params, tags, metrics := map[string]colType{}, map[string]bool{}, map[metricName]bool{}
	ctx, end, err := s.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	for _, info := range runs {
		row, err := readRow(ctx, s, info.ID)
		if err != nil {
			return nil, err
		}
		for key, p := range row.params {
			params[key] = widen(params[key], p)
		}
		for key := range row.rec.Tags {
			tags[key] = true
		}
		for name := range row.metrics {
			metrics[name] = true
		}
	}
	columns := fixedColumns()
	for _, key := range sortedKeys(params) {
		columns = append(columns, paramColumn(key, params[key]))
	}
	for _, key := range sortedKeys(tags) {
		columns = append(columns, column{name(query.RefTag, key, ""), colText, func(r *runRow) any {
			if v, ok := r.rec.Tags[key]; ok {
				return v
			}
			return nil
		}})
	}
	names := make([]metricName, 0, len(metrics))
	for name := range metrics {
		names = append(names, name)
	}
	sort.Slice(names, func(i, j int) bool {
		return names[i].key < names[j].key || (names[i].key == names[j].key && names[i].context < names[j].context)
	})
	for _, name := range names {
		columns = append(columns, metricColumns(name)...)
	}
	return columns, nil
}

// name is what the query language calls a param, a tag or a metric.
func name(kind query.RefKind, key, context string) string {
	return (&query.Ref{Kind: kind, Key: key, Context: context}).String()
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// widen finds the narrowest type that holds all values of a param.
func widen(t colType, p tracker.Param) colType {
	var own colType
	switch p.Type {
	case tracker.ParamNull:
		return t
	case tracker.ParamInt:
		own = colInt
		if _, err := strconv.ParseInt(p.Text, 10, 64); err != nil {
			own = colText // beyond 64 bits: a float would change it
		}
	case tracker.ParamFloat:
		own = colFloat
	case tracker.ParamBool:
		own = colBool
	default:
		own = colText
	}
	switch {
	case t == "" || t == own:
		return own
	case (t == colInt && own == colFloat) || (t == colFloat && own == colInt):
		return colFloat
	}
	return colText
}

func paramColumn(key string, kind colType) column {
	if kind == "" {
		kind = colText // every value is null
	}
	return column{name(query.RefParam, key, ""), kind, func(r *runRow) any {
		p, ok := r.params[key]
		if !ok || p.Type == tracker.ParamNull {
			return nil
		}
		switch kind {
		case colInt:
			v, _ := strconv.ParseInt(p.Text, 10, 64) // widen has tried
			return v
		case colFloat:
			return p.Number
		case colBool:
			return p.Number != 0
		}
		return p.Text
	}}
}

func metricColumns(metric metricName) []column {
	m := name(query.RefMetric, metric.key, metric.context)
	of := func(header string, kind colType, cell func(tracker.Summary) any) column {
		return column{header, kind, func(r *runRow) any {
			if m, ok := r.metrics[metric]; ok {
				return cell(m)
			}
			return nil
		}}
	}
	return []column{
		of(m, colFloat, func(m tracker.Summary) any { return m.Last }),
		of("min("+m+")", colFloat, func(m tracker.Summary) any { return m.Min }),
		of("max("+m+")", colFloat, func(m tracker.Summary) any { return m.Max }),
		of("count("+m+")", colInt, func(m tracker.Summary) any { return m.Count }),
	}
}

// fixedColumns are those that every run has.
func fixedColumns() []column {
	text := func(name string, get func(tracker.RunInfo) string) column {
		return column{name, colText, func(r *runRow) any {
			if v := get(r.rec.Info); v != "" || name == "note" {
				return v
			}
			return nil
		}}
	}
	when := func(name string, get func(*runRow) time.Time) column {
		return column{name, colTime, func(r *runRow) any {
			if t := get(r); !t.IsZero() {
				return t
			}
			return nil
		}}
	}
	whole := func(name string, get func(tracker.RunInfo) (int64, bool)) column {
		return column{name, colInt, func(r *runRow) any {
			if v, ok := get(r.rec.Info); ok {
				return v
			}
			return nil
		}}
	}
	return []column{
		text("id", func(i tracker.RunInfo) string { return i.ID }),
		text("name", func(i tracker.RunInfo) string { return i.Name }),
		text("experiment", func(i tracker.RunInfo) string { return i.Experiment }),
		text("group", func(i tracker.RunInfo) string { return i.Group }),
		text("parent", func(i tracker.RunInfo) string { return i.Parent }),
		text("status", func(i tracker.RunInfo) string { return string(i.Status) }),
		text("status_detail", func(i tracker.RunInfo) string { return i.StatusDetail }),
		whole("seed", func(i tracker.RunInfo) (int64, bool) { return i.Seed, i.HasSeed }),
		when("created", func(r *runRow) time.Time { return r.rec.Info.Created }),
		when("started", func(r *runRow) time.Time { return r.rec.Started }),
		when("finished", func(r *runRow) time.Time { return r.rec.Info.Finished }),
		whole("last_step", func(i tracker.RunInfo) (int64, bool) { return i.LastStep, i.LastStep >= 0 }),
		whole("resumes", func(i tracker.RunInfo) (int64, bool) { return int64(i.Resumes), true }),
		text("host", func(i tracker.RunInfo) string { return i.Host }),
		text("config_sha256", func(i tracker.RunInfo) string { return i.ConfigSHA256 }),
		text("arm", func(i tracker.RunInfo) string { return i.ArmSHA256 }),
		text("note", func(i tracker.RunInfo) string { return i.Note }),
		{"deleted", colBool, func(r *runRow) any { return r.rec.Info.Deleted }},
	}
}

// eachRun calls visit for the row of every selected run.
func eachRun(ctx context.Context, s *tracker.Store, opts ExportOptions, runs []tracker.RunInfo,
	visit func(*runRow) error) (Report, error) {
	var report Report
	ctx, end, err := s.Snapshot(ctx)
	if err != nil {
		return report, err
	}
	defer end()
	for _, info := range runs {
		row, err := readRow(ctx, s, info.ID)
		if err == nil {
			err = visit(row)
		}
		if err != nil {
			return report, err
		}
		report.Runs++
		opts.tell(info.ID, report, len(runs))
	}
	return report, nil
}

// eachPoint calls visit for every value of the selected runs.
func eachPoint(ctx context.Context, s *tracker.Store, opts ExportOptions,
	visit func(tracker.RunInfo, tracker.Point) error) (Report, error) {
	var report Report
	runs, err := selectRuns(ctx, s, opts)
	if err != nil {
		return report, err
	}
	ctx, end, err := s.Snapshot(ctx)
	if err != nil {
		return report, err
	}
	defer end()
	for _, info := range runs {
		err := s.EachPoint(ctx, info.ID, func(p tracker.Point) error {
			report.Points++
			return visit(info, p)
		})
		if err != nil {
			return report, err
		}
		report.Runs++
		opts.tell(info.ID, report, len(runs))
	}
	return report, nil
}

// text writes a cell for CSV.
func text(cell any) string {
	switch v := cell.(type) {
	case nil:
		return ""
	case string:
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return formatValue(v)
	case bool:
		return strconv.FormatBool(v)
	case time.Time:
		return isoTime(v)
	}
	return fmt.Sprint(cell)
}
