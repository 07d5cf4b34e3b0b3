package tracker

import (
	"database/sql"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/gophersnake/gophersnake/tracker/query"
)

// cellReader scans rows of a plan: some leading columns, then its outputs.
type cellReader struct {
	outputs []query.Output
	raw     []any
	dest    []any
}

func newCellReader(outputs []query.Output, leading ...any) *cellReader {
	width := 0
	for _, o := range outputs {
		width += o.Width()
	}
	r := &cellReader{outputs: outputs, raw: make([]any, width), dest: leading}
	for i := range r.raw {
		r.dest = append(r.dest, &r.raw[i])
	}
	return r
}

// scan reads a row; the leading columns go where newCellReader was told.
func (r *cellReader) scan(rows *sql.Rows) ([]Cell, error) {
	if err := rows.Scan(r.dest...); err != nil {
		return nil, err
	}
	cells := make([]Cell, len(r.outputs))
	at := 0
	for i, o := range r.outputs {
		if o.Kind == query.KindParam {
			cells[i] = paramCell(r.raw[at], r.raw[at+1])
		} else {
			cells[i] = outputCell(o.Kind, r.raw[at])
		}
		at += o.Width()
	}
	return cells, nil
}

// outputCell types a value of a plan.
func outputCell(kind query.Kind, raw any) Cell {
	c := sqlCell(raw)
	switch kind {
	case query.KindNumber, query.KindDuration:
		v, ok := number(raw)
		if c.Type == CellText {
			v, ok = math.NaN(), true
		}
		if !ok {
			return Cell{}
		}
		if kind == query.KindDuration {
			return Cell{Type: CellDuration, Num: v}
		}
		return floatCell(v)
	case query.KindTime:
		if v, ok := number(raw); ok {
			return Cell{Type: CellTime, Num: v, I: int64(v)}
		}
		return Cell{}
	case query.KindBool:
		return typed(c, CellBool)
	}
	return c
}

func typed(c Cell, kind CellType) Cell {
	if c.Type != CellNone {
		c.Type = kind
	}
	return c
}

func floatCell(v float64) Cell { return Cell{Type: CellFloat, Num: v} }
func intCell(v int64) Cell     { return Cell{Type: CellInt, Num: float64(v), I: v} }
func textCell(s string) Cell   { return Cell{Type: CellText, Num: math.NaN(), S: s} }

// paramCell types the value of a param.
func paramCell(raw, kind any) Cell {
	c := sqlCell(raw)
	if kind == string(ParamBool) {
		return typed(c, CellBool)
	}
	return c
}

// sqlCell types a value by how SQLite stores it.
func sqlCell(raw any) Cell {
	switch v := raw.(type) {
	case int64:
		return intCell(v)
	case float64:
		return floatCell(v)
	case string:
		return textCell(v)
	case []byte:
		return Cell{Type: CellBytes, Num: math.NaN(), S: string(v)}
	case bool:
		c := Cell{Type: CellBool}
		if v {
			c.Num, c.I = 1, 1
		}
		return c
	case time.Time:
		return Cell{Type: CellTime, Num: float64(v.UnixMilli()), I: v.UnixMilli()}
	}
	return Cell{}
}

// Float returns the value of a number, bool or duration (in seconds); NaN for a time, a text and a missing value.
func (c Cell) Float() float64 {
	switch c.Type {
	case CellFloat, CellInt, CellBool, CellDuration:
		return c.Num
	}
	return math.NaN()
}

// Int returns the value of an int, bool or whole float; ok is false for everything else.
func (c Cell) Int() (v int64, ok bool) {
	switch c.Type {
	case CellInt, CellBool:
		return c.I, true
	case CellFloat:
		if c.Num == math.Trunc(c.Num) && math.Abs(c.Num) < 1<<63 {
			return int64(c.Num), true
		}
	}
	return 0, false
}

// Bool returns the value of a bool; ok is false for everything else.
func (c Cell) Bool() (v, ok bool) { return c.Type == CellBool && c.I != 0, c.Type == CellBool }

// Text returns the value of a text as it is, and of everything else as String shows it.
func (c Cell) Text() string {
	if c.Type == CellText {
		return c.S
	}
	return c.String()
}

// Time returns the value of a time; the zero time for everything else.
func (c Cell) Time() time.Time {
	if c.Type != CellTime {
		return time.Time{}
	}
	return time.UnixMilli(c.I)
}

// Missing reports whether there is no value.
func (c Cell) Missing() bool { return c.Type == CellNone }

// String shows the value for readers: floats with six digits, times as UTC, durations in hours, minutes and seconds;
// "" if it is missing.
func (c Cell) String() string {
	switch c.Type {
	case CellFloat:
		return strconv.FormatFloat(c.Num, 'g', 6, 64)
	case CellInt:
		return strconv.FormatInt(c.I, 10)
	case CellBool:
		return strconv.FormatBool(c.I != 0)
	case CellTime:
		return time.UnixMilli(c.I).UTC().Format("2006-01-02 15:04:05")
	case CellDuration:
		return showSeconds(c.Num)
	case CellBytes:
		return fmt.Sprintf("%d bytes", len(c.S))
	}
	return c.S
}

// showSeconds: 1.5s, 2m3s, 26h0m0s.
func showSeconds(s float64) string {
	if math.IsNaN(s) || math.Abs(s) > 1e9 {
		return strconv.FormatFloat(s, 'g', 6, 64)
	}
	d := time.Duration(s * float64(time.Second))
	if d.Abs() < time.Minute {
		return d.Round(time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}
