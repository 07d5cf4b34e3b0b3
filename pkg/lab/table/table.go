package table

import (
	"slices"
	"strings"
	"unicode"

	"github.com/rivo/uniseg"
)

// Align says where a column's text stands.
type Align string

// The alignments. Auto is Right for a column in which every cell that is not
// empty starts like a number, Left otherwise.
const (
	Auto   Align = ""
	Left   Align = "left"
	Right  Align = "right"
	Center Align = "center"
)

// Table is a title, a header, rows of text and notes below. Rows may be shorter
// or longer than the header: missing cells are empty, and extra cells get a
// column without a name.
type Table struct {
	Title   string     `json:"title,omitempty"`
	Columns []string   `json:"columns"`
	Align   []Align    `json:"align,omitempty"` // by column, Auto where missing or unknown
	Rows    [][]string `json:"rows"`
	Notes   []string   `json:"notes,omitempty"`
}

// New returns an empty table.
func New(title string, columns ...string) *Table {
	return &Table{Title: title, Columns: columns}
}

// Add appends one row.
func (t *Table) Add(cells ...string) { t.Rows = append(t.Rows, cells) }

// Note appends a line below the table.
func (t *Table) Note(line string) { t.Notes = append(t.Notes, line) }

// Without returns a copy of the table that lacks the column of that name, the table
// itself if it has none.
func (t *Table) Without(column string) *Table {
	i := slices.Index(t.Columns, column)
	if i < 0 {
		return t
	}
	cut := func(cells []string) []string {
		if i >= len(cells) {
			return cells
		}
		return slices.Concat(cells[:i], cells[i+1:])
	}
	out := &Table{Title: t.Title, Columns: cut(t.Columns), Align: t.Align, Notes: slices.Clone(t.Notes)}
	if i < len(t.Align) {
		out.Align = slices.Concat(t.Align[:i], t.Align[i+1:])
	}
	for _, row := range t.Rows {
		out.Add(cut(row)...)
	}
	return out
}

// width is the number of columns, named or not.
func (t *Table) width() int {
	n := len(t.Columns)
	for _, row := range t.Rows {
		n = max(n, len(row))
	}
	return n
}

// cell returns cells[i], empty beyond the end.
func cell(cells []string, i int) string {
	if i < len(cells) {
		return cells[i]
	}
	return ""
}

// alignments resolves Auto for every column.
func (t *Table) alignments() []Align {
	out := make([]Align, t.width())
	for i := range out {
		out[i] = t.guess(i)
		if i < len(t.Align) && slices.Contains([]Align{Left, Right, Center}, t.Align[i]) {
			out[i] = t.Align[i]
		}
	}
	return out
}

// guess aligns column i by what its cells look like.
func (t *Table) guess(i int) Align {
	numbers := 0
	for _, row := range t.Rows {
		text := strings.TrimSpace(cell(row, i))
		if text == "" || text == "–" || text == "-" {
			continue
		}
		if !startsLikeNumber(text) {
			return Left
		}
		numbers++
	}
	if numbers == 0 {
		return Left
	}
	return Right
}

// startsLikeNumber: an optional sign, then a digit or a point with a digit.
func startsLikeNumber(text string) bool {
	text = strings.TrimLeft(text, "+-−±~≈<>≤≥$€")
	text = strings.TrimPrefix(strings.TrimSpace(text), ".")
	for _, r := range text {
		return unicode.IsDigit(r)
	}
	return false
}

// oneLine makes text fit a line: every run of white space is one space, and
// other control characters, which could move a terminal's cursor, are dropped.
func oneLine(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, text)
}

// String is the table as aligned plain text with a rule below the header:
//
//	Selective copying
//
//	rung   accuracy  95 % interval
//	─────  ────────  ──────────────
//	rnn       0.312  [0.290, 0.334]
//	mamba     0.981  [0.969, 0.993]
//
//	Mean of 5 seeds.
//
// Widths are those of a terminal: 2 for a wide character, 0 for a combining
// mark. Lines have no trailing space.
func (t *Table) String() string {
	var b strings.Builder
	if t.Title != "" {
		b.WriteString(oneLine(t.Title) + "\n\n")
	}
	align, widths := t.alignments(), t.widths()
	if len(t.Columns) > 0 {
		t.writeLine(&b, t.Columns, align, widths)
		rules := make([]string, len(widths))
		for i, w := range widths {
			rules[i] = strings.Repeat("─", w)
		}
		t.writeLine(&b, rules, align, widths)
	}
	for _, row := range t.Rows {
		t.writeLine(&b, row, align, widths)
	}
	for i, note := range t.Notes {
		if i == 0 {
			b.WriteByte('\n')
		}
		b.WriteString(oneLine(note) + "\n")
	}
	return b.String()
}

// widths is the display width of each column's widest cell.
func (t *Table) widths() []int {
	out := make([]int, t.width())
	for i := range out {
		out[i] = uniseg.StringWidth(oneLine(cell(t.Columns, i)))
		for _, row := range t.Rows {
			out[i] = max(out[i], uniseg.StringWidth(oneLine(cell(row, i))))
		}
	}
	return out
}

// writeLine writes cells padded to widths, two spaces between columns.
func (t *Table) writeLine(b *strings.Builder, cells []string, align []Align, widths []int) {
	var line strings.Builder
	for i, w := range widths {
		text := oneLine(cell(cells, i))
		gap := w - uniseg.StringWidth(text)
		before := 0
		switch align[i] {
		case Right:
			before = gap
		case Center:
			before = gap / 2
		}
		line.WriteString(strings.Repeat(" ", before) + text + strings.Repeat(" ", gap-before+2))
	}
	b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
}
