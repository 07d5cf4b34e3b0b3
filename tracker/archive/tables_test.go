package archive

import (
	"bytes"
	"encoding/csv"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"github.com/gophersnake/gophersnake/tracker"
)

// allPoints reads the metrics of all runs in the order of the tables.
func allPoints(t *testing.T, s *tracker.Store) (points []tracker.Point, runs []tracker.RunInfo) {
	t.Helper()
	_, err := eachPoint(ctx, s, ExportOptions{}, func(r tracker.RunInfo, p tracker.Point) error {
		points, runs = append(points, p), append(runs, r)
		return nil
	})
	must(t, err)
	return points, runs
}

func sameFloat(a, b float64) bool { return a == b || (math.IsNaN(a) && math.IsNaN(b)) }

func TestMetricsCSV(t *testing.T) {
	s := openStore(t, 1)
	fillRandom(t, s, 5, 6)
	var b, again bytes.Buffer
	report, err := ExportMetricsCSV(ctx, s, &b, ExportOptions{})
	must(t, err)
	rows, err := csv.NewReader(bytes.NewReader(b.Bytes())).ReadAll()
	must(t, err)
	points, runs := allPoints(t, s)
	if len(rows)-1 != len(points) || int(report.Points) != len(points) || report.Runs != 5 {
		t.Fatalf("%d rows, report %+v, want %d points of 5 runs", len(rows), report, len(points))
	}
	for i, p := range points {
		got, err := strconv.ParseFloat(rows[i+1][7], 64)
		want := []string{runs[i].ID, runs[i].Name, runs[i].Experiment, p.Key, p.Context, strconv.FormatInt(p.Step, 10), isoTime(p.Time)}
		if err != nil || !sameFloat(got, p.Value) || !slices.Equal(rows[i+1][:7], want) {
			t.Fatalf("row %d is %q, want %q %v", i, rows[i+1], want, p.Value)
		}
	}
	_, err = ExportMetricsCSV(ctx, s, &again, ExportOptions{})
	must(t, err)
	if !bytes.Equal(b.Bytes(), again.Bytes()) {
		t.Error("two exports differ")
	}
}

func TestMetricsParquet(t *testing.T) {
	s := openStore(t, 1)
	fillRandom(t, s, 5, 6)
	var b bytes.Buffer
	_, err := ExportMetricsParquet(ctx, s, &b, ExportOptions{})
	must(t, err)
	rows, err := parquet.Read[metricRow](bytes.NewReader(b.Bytes()), int64(b.Len()))
	must(t, err)
	points, runs := allPoints(t, s)
	if len(rows) != len(points) {
		t.Fatalf("%d rows, want %d", len(rows), len(points))
	}
	for i, p := range points {
		got, want := rows[i], metricRow{runs[i].ID, runs[i].Name, runs[i].Experiment, p.Key, p.Context, p.Step, ms(p.Time), p.Value}
		same := sameFloat(got.Value, want.Value)
		got.Value, want.Value = 0, 0
		if !same || got != want {
			t.Fatalf("row %d is %+v, want %+v", i, rows[i], want)
		}
	}
}

// wideStore has one run with every kind of param, and one without any.
func wideStore(t *testing.T) *tracker.Store {
	s := openStore(t, 1)
	r, err := s.StartRun(tracker.RunConfig{Experiment: "e", Name: "full", Seed: 7, Tags: map[string]string{"team": "x,\ny"},
		Config: []byte(`{"n":3,"f":2,"mix":1,"on":true,"big":18446744073709551615,"none":null,"list":[1],"text":"t"}`)})
	must(t, err)
	must(t, r.Log("loss", 1, math.NaN()))
	must(t, r.LogContext("eval", "loss", 1, math.Inf(-1)))
	must(t, r.Log("loss@eval", 1, 0.25))
	must(t, r.Finish(tracker.StatusFinished))
	r, err = s.StartRun(tracker.RunConfig{Experiment: "e", Name: "bare", NoSeed: true, Config: []byte(`{"n":4,"f":0.5,"mix":"two"}`)})
	must(t, err)
	must(t, r.Finish(tracker.StatusFailed))
	return s
}

var wideWant = map[string][2]string{
	"name": {"full", "bare"}, "seed": {"7", ""}, "last_step": {"1", ""}, "params.n": {"3", "4"}, "params.f": {"2", "0.5"},
	"params.mix": {"1", "two"}, "params.on": {"true", ""}, "params.big": {"18446744073709551615", ""}, "params.none": {"", ""},
	"params.list": {"[1]", ""}, "params.text": {"t", ""}, "tags.team": {"x,\ny", ""}, "metrics.loss": {"NaN", ""},
	"min(metrics.loss)": {"NaN", ""}, "metrics.loss@eval": {"-Infinity", ""}, "metrics.`loss@eval`": {"0.25", ""}, "count(metrics.loss)": {"1", ""},
	"deleted": {"false", "false"}, "note": {"", ""},
}

func TestRunsCSV(t *testing.T) {
	var b bytes.Buffer
	report, err := ExportRunsCSV(ctx, wideStore(t), &b, ExportOptions{})
	must(t, err)
	rows, err := csv.NewReader(&b).ReadAll()
	must(t, err)
	if len(rows) != 3 || report.Runs != 2 {
		t.Fatalf("%d rows, report %+v", len(rows), report)
	}
	for name, want := range wideWant {
		i := slices.Index(rows[0], name)
		if i < 0 {
			t.Errorf("no column %q in %q", name, rows[0])
		} else if got := [2]string{rows[1][i], rows[2][i]}; got != want {
			t.Errorf("column %q holds %q, want %q", name, got, want)
		}
	}
}

func TestRunsParquet(t *testing.T) {
	var b bytes.Buffer
	_, err := ExportRunsParquet(ctx, wideStore(t), &b, ExportOptions{})
	must(t, err)
	f, err := parquet.OpenFile(bytes.NewReader(b.Bytes()), int64(b.Len()))
	must(t, err)
	rows := make([]parquet.Row, 2)
	if n, _ := f.RowGroups()[0].Rows().ReadRows(rows); n != 2 {
		t.Fatalf("%d rows, want 2", n)
	}
	kinds := map[string]string{"params.n": "INT(64,true)", "params.f": "DOUBLE", "params.mix": "STRING", "params.on": "BOOLEAN",
		"created": "TIMESTAMP(isAdjustedToUTC=true,unit=MILLIS)", "params.big": "STRING"}
	for i, path := range f.Schema().Columns() {
		name := strings.Join(path, "/")
		if kind, ok := kinds[name]; ok {
			if got := f.Schema().Fields()[i].Type().String(); got != kind {
				t.Errorf("column %q has type %s, want %s", name, got, kind)
			}
		}
		want, ok := wideWant[name]
		for j := range want {
			v := rows[j][i]
			got := v.String()
			switch {
			case v.IsNull():
				got = ""
			case v.Kind() == parquet.Double:
				got = formatValue(v.Double())
			}
			if ok && got != want[j] {
				t.Errorf("column %q, row %d holds %q, want %q", name, j, got, want[j])
			}
		}
	}
	if len(f.Schema().Columns()) < len(wideWant) {
		t.Errorf("only %d columns", len(f.Schema().Columns()))
	}
}

// TestColumnsAreQueries: what stands at the head of a column of the runs table is an expression of the query language,
// and its values are those of a query for it.
func TestColumnsAreQueries(t *testing.T) {
	s := openStore(t, 1)
	fillRandom(t, s, 5, 12)
	var b bytes.Buffer
	_, err := ExportRunsCSV(ctx, s, &b, ExportOptions{})
	must(t, err)
	rows, err := csv.NewReader(&b).ReadAll()
	must(t, err)
	checked := 0
	for i, head := range rows[0] {
		table, err := s.Search(ctx, "select "+head+" order by run")
		if err != nil {
			t.Errorf("column %s is no query: %v", head, err)
			continue
		}
		if got := table.Header()[0]; got != head || table.Len() != len(rows)-1 {
			t.Fatalf("column %q is %q with %d rows in a query, want %d", head, got, table.Len(), len(rows)-1)
		}
		for j, cells := range table.Cells {
			if csv := rows[j+1][i]; !sameCell(csv, cells[0]) {
				t.Errorf("column %s of run %d: %q, a query gives %+v", head, j, csv, cells[0])
			}
			checked++
		}
	}
	if checked < 1000 {
		t.Errorf("only %d cells were compared", checked)
	}
}

// sameCell compares a cell of CSV with one of a query.
func sameCell(text string, c tracker.Cell) bool {
	switch c.Type {
	case tracker.CellNone:
		return text == ""
	case tracker.CellText:
		return text == strings.ReplaceAll(c.S, "\r\n", "\n") // as the CSV reader has it
	case tracker.CellInt:
		return text == strconv.FormatInt(c.I, 10) || text == "" && c.I == 0 // count of a metric that is not there
	case tracker.CellBool:
		return text == strconv.FormatBool(c.I != 0)
	case tracker.CellTime:
		ms, err := parseTime(text)
		return err == nil && ms == c.I
	}
	v, err := strconv.ParseFloat(text, 64)
	return err == nil && sameFloat(v, c.Num)
}
