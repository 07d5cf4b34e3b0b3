package archive

import (
	"context"
	"io"
	"sort"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/gophersnake/gophersnake/tracker"
)

// rowGroup is the number of rows that the Parquet writer holds in memory.
const rowGroup = 1 << 17

// metricRow is one row of the metrics table. time is milliseconds, UTC.
type metricRow struct {
	RunID      string  `parquet:"id,dict"`
	RunName    string  `parquet:"name,dict"`
	Experiment string  `parquet:"experiment,dict"`
	Key        string  `parquet:"key,dict"`
	Context    string  `parquet:"context,dict"`
	Step       int64   `parquet:"step"`
	Time       int64   `parquet:"time,timestamp(millisecond)"`
	Value      float64 `parquet:"value"`
}

// ExportMetricsParquet writes the table of ExportMetricsCSV: texts, step int64, time in milliseconds UTC, value double.
func ExportMetricsParquet(ctx context.Context, s *tracker.Store, w io.Writer, opts ExportOptions) (Report, error) {
	out := parquet.NewGenericWriter[metricRow](w, parquet.Compression(&parquet.Snappy), parquet.MaxRowsPerRowGroup(rowGroup))
	buf := make([]metricRow, 0, 1024)
	flush := func() error {
		_, err := out.Write(buf)
		buf = buf[:0]
		return err
	}
	report, err := eachPoint(ctx, s, opts, func(r tracker.RunInfo, p tracker.Point) error {
		buf = append(buf, metricRow{r.ID, r.Name, r.Experiment, p.Key, p.Context, p.Step, ms(p.Time), p.Value})
		if len(buf) < cap(buf) {
			return nil
		}
		return flush()
	})
	if err == nil {
		err = flush()
	}
	if err != nil {
		return report, err
	}
	return report, out.Close()
}

// ExportRunsParquet writes the table of ExportRunsCSV, its columns in alphabetical order. A param is int64, double or
// boolean if all its values are, and text otherwise. What a run does not have is null; NaN is a value.
func ExportRunsParquet(ctx context.Context, s *tracker.Store, w io.Writer, opts ExportOptions) (Report, error) {
	runs, err := selectRuns(ctx, s, opts)
	if err != nil {
		return Report{}, err
	}
	columns, err := runColumns(ctx, s, runs)
	if err != nil {
		return Report{}, err
	}
	sort.Slice(columns, func(i, j int) bool { return columns[i].name < columns[j].name })
	group := parquet.Group{}
	for _, c := range columns {
		group[c.name] = parquet.Optional(c.node())
	}
	out := parquet.NewGenericWriter[any](w, parquet.NewSchema("runs", group), parquet.Compression(&parquet.Snappy),
		parquet.MaxRowsPerRowGroup(rowGroup))
	row := make(parquet.Row, len(columns))
	report, err := eachRun(ctx, s, opts, runs, func(r *runRow) error {
		for i, c := range columns {
			row[i] = parquetValue(c.cell(r), i)
		}
		_, err := out.WriteRows([]parquet.Row{row})
		return err
	})
	if err != nil {
		return report, err
	}
	return report, out.Close()
}

func (c column) node() parquet.Node {
	switch c.kind {
	case colInt:
		return parquet.Int(64)
	case colFloat:
		return parquet.Leaf(parquet.DoubleType)
	case colBool:
		return parquet.Leaf(parquet.BooleanType)
	case colTime:
		return parquet.Timestamp(parquet.Millisecond)
	}
	return parquet.Encoded(parquet.String(), &parquet.RLEDictionary)
}

// parquetValue is the cell of an optional column: definition level 1 if there is a value, 0 for null.
func parquetValue(cell any, index int) parquet.Value {
	if t, ok := cell.(time.Time); ok {
		cell = ms(t)
	}
	if cell == nil {
		return parquet.NullValue().Level(0, 0, index)
	}
	return parquet.ValueOf(cell).Level(0, 1, index)
}
