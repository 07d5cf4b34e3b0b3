package tracker

import (
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Table is the answer of Search and SQL: rows of typed cells under named columns.
type Table struct {
	// Query is the question in canonical form (Search) or as given (SQL).
	Query string
	// Columns and Cells have the same width; Cells holds one slice per row.
	Columns []Column
	Cells   [][]Cell
	// Runs belong to the rows, one each, if the rows are runs. Nil for a grouped search and for SQL.
	Runs []RunInfo
	// Groups belong to the rows, one each, if the search was grouped.
	Groups []Group
	// Total is the number of rows that there would be without limit and offset.
	Total int
	// Offset is the number of rows skipped.
	Offset int
	// Notes tell what a reader should know: rows that were cut off, values left out of a mean.
	Notes []string
}

// Column describes a column of a Table.
type Column struct {
	Name string // heading
	Expr string // the expression, in canonical form; "" for SQL
}

// CellType is the type of a value in a Table.
type CellType string

// The types of cells. A cell of type CellNone has no value: the run has no such metric, param or tag.
const (
	CellNone     CellType = ""
	CellFloat    CellType = "float"
	CellInt      CellType = "int"
	CellText     CellType = "text"
	CellBool     CellType = "bool"
	CellTime     CellType = "time"
	CellDuration CellType = "duration" // seconds
	CellBytes    CellType = "bytes"    // SQL only
)

// Cell is a typed value of a Table.
type Cell struct {
	Type CellType
	Num  float64 // value of a float, int, bool (0 or 1), time (Unix milliseconds) or duration (seconds)
	I    int64   // exact value of an int, bool or time
	S    string  // value of a text or bytes
}

// Group is a row of a grouped search: runs that agree in what the search groups by.
type Group struct {
	// Key holds the values that the runs share, in the order of Labels.
	Key []Cell
	// Labels name the values of Key: what follows "group by", or for a group by config the params that differ between
	// the groups.
	Labels []string
	// Runs of the group, ordered by seed, then by RowID.
	Runs []RunInfo
	// Samples hold what the aggregates were computed from: for every expression within an aggregate (e.g.
	// "metrics.loss", "min(metrics.loss)"; see SampleNames) one value per run, in the order of Runs.
	Samples map[string][]Sample
}

// Sample is the value of an expression for one run of a group.
type Sample struct {
	Run     string // ID
	Seed    int64  // meaningful if HasSeed
	HasSeed bool
	Value   float64 // NaN if it is NaN, if it is missing, or if it is no number
	Missing bool    // the run has no such value
}

// SampleNames returns the keys of Samples, sorted.
func (g Group) SampleNames() []string { return namesOf(g.Samples) }

// Values returns the finite values of Samples[name], without their runs.
func (g Group) Values(name string) []float64 {
	var values []float64
	for _, s := range g.Samples[name] {
		if !math.IsNaN(s.Value) && !math.IsInf(s.Value, 0) {
			values = append(values, s.Value)
		}
	}
	return values
}

// Label names the group: "params.lr=0.1 params.mixer=s6".
func (g Group) Label() string {
	parts := make([]string, len(g.Key))
	for i, c := range g.Key {
		parts[i] = g.Labels[i] + "=" + c.String()
	}
	return strings.Join(parts, " ")
}

// Len returns the number of rows.
func (t *Table) Len() int { return len(t.Cells) }

// More reports whether rows follow after the last one.
func (t *Table) More() bool { return t.Offset+len(t.Cells) < t.Total }

// Header returns the headings.
func (t *Table) Header() []string {
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = c.Name
	}
	return names
}

// Rows returns the cells as text, one slice per row.
func (t *Table) Rows() [][]string {
	rows := make([][]string, len(t.Cells))
	for i, cells := range t.Cells {
		rows[i] = make([]string, len(cells))
		for j, c := range cells {
			rows[i][j] = c.String()
		}
	}
	return rows
}

// Column returns the cells of the column with this heading or expression; without one, an error with near names.
func (t *Table) Column(name string) ([]Cell, error) {
	at := slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == name })
	if at < 0 {
		at = slices.IndexFunc(t.Columns, func(c Column) bool { return c.Expr == name })
	}
	if at < 0 {
		return nil, &NotFoundError{Kind: "column", Ref: name, Within: "the table", Near: nearest(name, t.Header())}
	}
	cells := make([]Cell, len(t.Cells))
	for i, row := range t.Cells {
		cells[i] = row[at]
	}
	return cells, nil
}

// Floats returns a column as numbers: NaN for a missing value and for what is no number.
func (t *Table) Floats(name string) ([]float64, error) {
	cells, err := t.Column(name)
	values := make([]float64, len(cells))
	for i, c := range cells {
		values[i] = c.Float()
	}
	return values, err
}

// Texts returns a column as texts.
func (t *Table) Texts(name string) ([]string, error) {
	cells, err := t.Column(name)
	texts := make([]string, len(cells))
	for i, c := range cells {
		texts[i] = c.Text()
	}
	return texts, err
}

// maxShown bounds the width of a column in String, in characters.
const maxShown = 60

// String returns the table as aligned text, numbers to the right, with the notes below it.
func (t *Table) String() string {
	rows := append([][]string{t.Header()}, t.Rows()...)
	widths := make([]int, len(t.Columns))
	for _, row := range rows {
		for j := range row {
			row[j] = shorten(row[j])
			widths[j] = max(widths[j], utf8.RuneCountInString(row[j]))
		}
	}
	var b strings.Builder
	for i, row := range rows {
		var line strings.Builder
		for j, text := range row {
			pad := strings.Repeat(" ", widths[j]-utf8.RuneCountInString(text))
			if j > 0 {
				line.WriteString("  ")
			}
			if t.isNumber(j) {
				line.WriteString(pad + text)
			} else {
				line.WriteString(text + pad)
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " "))
		if i < len(rows)-1 || len(t.Notes) > 0 {
			b.WriteByte('\n')
		}
	}
	b.WriteString(strings.Join(t.Notes, "\n"))
	return b.String()
}

// shorten cuts a text for display, and takes its line breaks out.
func shorten(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
	if runes := []rune(s); len(runes) > maxShown {
		return string(runes[:maxShown-1]) + "…"
	}
	return s
}

// isNumber reports whether a column holds numbers and nothing else.
func (t *Table) isNumber(column int) bool {
	some := false
	for _, row := range t.Cells {
		switch row[column].Type {
		case CellFloat, CellInt, CellDuration:
			some = true
		case CellNone:
		default:
			return false
		}
	}
	return some
}
