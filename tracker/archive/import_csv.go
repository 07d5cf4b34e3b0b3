package archive

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gophersnake/gophersnake/tracker"
)

// CSVColumns names the columns of a file, by their names in its first row.
//
// With Key and Value every row is one value of one metric. Without Key every row is one step, and Metrics are the
// columns that hold the metrics; an empty cell is no value.
type CSVColumns struct {
	Run     string   // tells the runs apart, and names them unless Name is set; "" if the file is one run
	Name    string   // name of the run; "" if there is none
	Key     string   // name of the metric
	Context string   // "" if there is none
	Step    string   // required
	Time    string   // RFC 3339, or Unix seconds, or (beyond 1e11) Unix milliseconds; "" if there is none
	Value   string   // needed with Key
	Metrics []string // without Key; empty means every column that is not named above
}

// DefaultCSVColumns are those that ExportMetricsCSV writes. Files of earlier versions, with run_id and run_name, are read
// too.
func DefaultCSVColumns() CSVColumns {
	return CSVColumns{Run: "id", Name: "name", Key: "key", Context: "context", Step: "step", Time: "time", Value: "value"}
}

// ImportCSV reads the values of metrics. Rows of a run need not stand together, so all values are held in memory until
// the end (about 40 bytes each). The file says nothing about config, status and duration: runs come in as finished,
// with an empty config, and with the times of their first and last value, or the Unix epoch if there is no time column.
// Their ids follow from the experiment and the run column.
func ImportCSV(ctx context.Context, s *tracker.Store, r io.Reader, columns CSVColumns, opts ImportOptions) (Report, error) {
	if opts.Experiment == "" {
		opts.Experiment = "imported"
	}
	in := &csvReader{file: opts.File, r: csv.NewReader(r), runs: map[string]*csvRun{}}
	if err := in.header(columns); err != nil {
		return Report{}, err
	}
	for {
		err := in.row()
		if err == io.EOF {
			break
		}
		if err = errors.Join(err, ctx.Err()); err != nil {
			return Report{}, err
		}
	}
	var report Report
	for _, run := range in.order {
		if err := addForeign(ctx, s, run.foreign(opts), opts, &report, len(in.order)); err != nil {
			return report, err
		}
	}
	return report, nil
}

// csvReader collects the values of a file by run.
type csvReader struct {
	file                                       string
	r                                          *csv.Reader
	names                                      []string
	run, name, key, context, step, time, value int   // positions of the columns, -1 if there is none
	metrics                                    []int // positions, if each row is a step
	runs                                       map[string]*csvRun
	order                                      []*csvRun
}

type csvRun struct {
	id, name string
	series   map[metricName]*[]csvPoint
	order    []metricName
}

// csvPoint is a value without its names.
type csvPoint struct {
	step, time int64
	value      float64
}

func (in *csvReader) error(field, value, msg, hint string) error {
	line := 1
	if len(in.names) > 0 {
		line, _ = in.r.FieldPos(0)
	}
	return &Error{File: in.file, Line: line, Field: field, Value: value, Msg: msg, Hint: hint}
}

// read returns the next row, with the reader's complaint in this package's form.
func (in *csvReader) read() ([]string, error) {
	row, err := in.r.Read()
	var bad *csv.ParseError
	if errors.As(err, &bad) {
		return nil, &Error{File: in.file, Line: bad.Line, Msg: fmt.Sprintf("column %d cannot be read", bad.Column), Err: bad.Err}
	}
	return row, err
}

// header finds the columns.
func (in *csvReader) header(c CSVColumns) error {
	in.r.ReuseRecord = true
	row, err := in.read()
	if err == io.EOF {
		return &Error{File: in.file, Msg: "is empty; the first row must name the columns"}
	}
	if err != nil {
		return err
	}
	in.names = slices.Clone(row)
	in.names[0] = strings.TrimPrefix(in.names[0], "\ufeff") // what spreadsheets put in front
	for _, f := range []struct {
		field, name string
		at          *int
		need        bool
	}{{"Run", c.Run, &in.run, false}, {"Name", c.Name, &in.name, false}, {"Key", c.Key, &in.key, false},
		{"Context", c.Context, &in.context, false}, {"Step", c.Step, &in.step, true}, {"Time", c.Time, &in.time, false},
		{"Value", c.Value, &in.value, c.Key != ""}} {
		if *f.at, err = in.find("CSVColumns."+f.field, f.name, f.need); err != nil {
			return err
		}
	}
	if in.key >= 0 {
		return nil
	}
	for _, name := range c.Metrics {
		at, err := in.find("CSVColumns.Metrics", name, true)
		if err != nil {
			return err
		}
		in.metrics = append(in.metrics, at)
	}
	if len(c.Metrics) == 0 {
		taken := []int{in.run, in.name, in.context, in.step, in.time, in.value}
		for i := range in.names {
			if !slices.Contains(taken, i) {
				in.metrics = append(in.metrics, i)
			}
		}
	}
	return nil
}

// renamed says what columns of ExportMetricsCSV were called before, and the other way round for who names the old ones.
var renamed = map[string]string{"id": "run_id", "name": "run_name", "run_id": "id", "run_name": "name"}

// find returns the position of a column, -1 if none is named.
func (in *csvReader) find(field, name string, need bool) (int, error) {
	if name == "" && !need {
		return -1, nil
	}
	for _, n := range []string{name, renamed[name]} {
		if at := slices.Index(in.names, n); at >= 0 && n != "" {
			return at, nil
		}
	}
	return 0, in.error(field, name, "is no column of the file", fmt.Sprintf("the columns are %.200q", in.names))
}

// row reads one row.
func (in *csvReader) row() error {
	cells, err := in.read()
	if err != nil {
		return err
	}
	cell := func(at int) string {
		if at < 0 {
			return ""
		}
		return cells[at]
	}
	p := csvPoint{}
	if p.step, err = parseStep(cell(in.step)); err != nil {
		return in.error(in.names[in.step], cell(in.step), err.Error(), "")
	}
	if in.time >= 0 {
		if p.time, err = parseTime(cell(in.time)); err != nil {
			return in.error(in.names[in.time], cell(in.time), err.Error(), "")
		}
	}
	run := in.runOf(cell(in.run), cell(in.name))
	if in.key >= 0 {
		if p.value, err = parseValue(cell(in.value)); err != nil {
			return in.error(in.names[in.value], cell(in.value), err.Error(), "")
		}
		run.add(metricName{cell(in.key), cell(in.context)}, p)
		return nil
	}
	for _, at := range in.metrics {
		if strings.TrimSpace(cells[at]) == "" {
			continue
		}
		if p.value, err = parseValue(cells[at]); err != nil {
			return in.error(in.names[at], cells[at], err.Error(), "name the columns that are metrics in CSVColumns.Metrics")
		}
		run.add(metricName{in.names[at], cell(in.context)}, p)
	}
	return nil
}

func (in *csvReader) runOf(id, name string) *csvRun {
	run := in.runs[id]
	if run == nil {
		run = &csvRun{id: strings.Clone(id), name: strings.Clone(name), series: map[metricName]*[]csvPoint{}}
		in.runs[run.id] = run
		in.order = append(in.order, run)
	}
	return run
}

func (r *csvRun) add(name metricName, p csvPoint) {
	list := r.series[name]
	if list == nil {
		name = metricName{strings.Clone(name.key), strings.Clone(name.context)}
		list = &[]csvPoint{}
		r.series[name] = list
		r.order = append(r.order, name)
	}
	*list = append(*list, p)
}

// foreign describes the run for the tracker.
func (r *csvRun) foreign(opts ImportOptions) *foreignRun {
	first, last, any := int64(0), int64(0), false
	for _, list := range r.series {
		for _, p := range *list {
			if !any {
				first, last, any = p.time, p.time, true
			}
			first, last = min(first, p.time), max(last, p.time)
		}
	}
	f := &foreignRun{source: opts.File, rec: tracker.RunRecord{Info: tracker.RunInfo{
		ID: deriveID("csv", opts.Experiment, r.id), Name: firstOf(r.name, r.id, opts.File, "csv"), Experiment: opts.Experiment,
		Status: tracker.StatusFinished, Created: time.UnixMilli(first), Finished: time.UnixMilli(last), Heartbeat: time.UnixMilli(last)}}}
	f.rec.Tags = map[string]string{"source": "csv"}
	f.points = func(add func(tracker.Point) error) error {
		for _, name := range r.order {
			for _, p := range *r.series[name] {
				if err := add(tracker.Point{Key: name.key, Context: name.context, Step: p.step, Value: p.value,
					Time: time.UnixMilli(p.time)}); err != nil {
					return err
				}
			}
		}
		return nil
	}
	return f
}

// firstOf returns the first text that is not blank.
func firstOf(texts ...string) string {
	for _, t := range texts {
		if strings.TrimSpace(t) != "" {
			return t
		}
	}
	return ""
}

// parseStep reads an integer, also one written as 3.0 or 1e3, as other tools do.
func parseStep(text string) (int64, error) {
	text = strings.TrimSpace(text)
	if v, err := strconv.ParseInt(text, 10, 64); err == nil {
		return v, nil
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || v != float64(int64(v)) || v < -1<<53 || v > 1<<53 {
		return 0, errors.New("is no whole number that 64 bits hold")
	}
	return int64(v), nil
}

// Times outside these bounds are mistakes, and ISO text cannot show them: the years 1 and 9999.
const (
	minMS = -62135596800000
	maxMS = 253402300799999
)

// parseTime reads a time as Unix milliseconds.
func parseTime(text string) (int64, error) {
	text = strings.TrimSpace(text)
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UnixMilli(), nil
		}
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || !(v >= minMS && v <= maxMS) {
		return 0, errors.New("is no time: allowed are 2006-01-02T15:04:05.678Z, Unix seconds and Unix milliseconds")
	}
	if v > 1e11 || v < -1e11 {
		return int64(v), nil
	}
	return floatMS(v), nil
}

// floatMS turns Unix seconds into milliseconds.
func floatMS(seconds float64) int64 { return int64(seconds*1000 + 0.5) }
