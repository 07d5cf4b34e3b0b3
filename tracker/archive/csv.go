package archive

import (
	"bufio"
	"context"
	"encoding/csv"
	"io"
	"strconv"

	"github.com/gophersnake/gophersnake/tracker"
)

// metricColumnNames are the columns of the metrics table, in CSV and Parquet.
func metricColumnNames() []string {
	return []string{"id", "name", "experiment", "key", "context", "step", "time", "value"}
}

// ExportMetricsCSV writes one row per logged value, with the columns id and name of the run, experiment, key, context,
// step, time (UTC, milliseconds) and value.
func ExportMetricsCSV(ctx context.Context, s *tracker.Store, w io.Writer, opts ExportOptions) (Report, error) {
	out := csv.NewWriter(bufio.NewWriterSize(w, 1<<16))
	if err := out.Write(metricColumnNames()); err != nil {
		return Report{}, err
	}
	row := make([]string, 8)
	report, err := eachPoint(ctx, s, opts, func(r tracker.RunInfo, p tracker.Point) error {
		row[0], row[1], row[2], row[3], row[4] = r.ID, r.Name, r.Experiment, p.Key, p.Context
		row[5], row[6], row[7] = strconv.FormatInt(p.Step, 10), isoTime(p.Time), formatValue(p.Value)
		return out.Write(row)
	})
	if err != nil {
		return report, err
	}
	out.Flush()
	return report, out.Error()
}

// ExportRunsCSV writes one row per run. Its columns have the names of the query language: the run's fields (id, name,
// experiment, group, …), params.<key>, tags.<key>, and of every metric metrics.<key> or metrics.<key>@<context>, its last
// value, and min(…), max(…) and count(…) of it. Keys that are more than letters, digits, _ and dots stand in backticks. A
// field that a run does not have is empty.
func ExportRunsCSV(ctx context.Context, s *tracker.Store, w io.Writer, opts ExportOptions) (Report, error) {
	runs, err := selectRuns(ctx, s, opts)
	if err != nil {
		return Report{}, err
	}
	columns, err := runColumns(ctx, s, runs)
	if err != nil {
		return Report{}, err
	}
	out := csv.NewWriter(bufio.NewWriterSize(w, 1<<16))
	cells := make([]string, len(columns))
	for i, c := range columns {
		cells[i] = c.name
	}
	if err := out.Write(cells); err != nil {
		return Report{}, err
	}
	report, err := eachRun(ctx, s, opts, runs, func(r *runRow) error {
		for i, c := range columns {
			cells[i] = text(c.cell(r))
		}
		return out.Write(cells)
	})
	if err != nil {
		return report, err
	}
	out.Flush()
	return report, out.Error()
}
