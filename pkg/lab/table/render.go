package table

import (
	"encoding/csv"
	"html"
	"strconv"
	"strings"

	"github.com/rivo/uniseg"
)

// markdownEscape keeps a cell's text from ending the cell or being read as
// markup.
var markdownEscape = strings.NewReplacer(
	`\`, `\\`, `|`, `\|`, `*`, `\*`, `_`, `\_`, "`", "\\`", `<`, `&lt;`, `>`, `&gt;`, `[`, `\[`, `]`, `\]`)

// Markdown is the table as a GitHub pipe table, readable as text too: the title
// in bold above, the notes below.
func (t *Table) Markdown() string {
	var b strings.Builder
	if t.Title != "" {
		b.WriteString("**" + markdownEscape.Replace(oneLine(t.Title)) + "**\n\n")
	}
	align := t.alignments()
	if len(align) > 0 {
		t.markdownRows(&b, align)
	}
	for _, note := range t.Notes {
		b.WriteString("\n" + markdownEscape.Replace(oneLine(note)) + "\n")
	}
	return b.String()
}

// markdownRows writes header, delimiter row and rows, padded so that the
// source lines up.
func (t *Table) markdownRows(b *strings.Builder, align []Align) {
	lines := make([][]string, 0, len(t.Rows)+1)
	widths := make([]int, len(align))
	for _, row := range append([][]string{t.Columns}, t.Rows...) {
		line := make([]string, len(align))
		for i := range line {
			line[i] = markdownEscape.Replace(oneLine(cell(row, i)))
			widths[i] = max(widths[i], uniseg.StringWidth(line[i]), 3) // "---" is the shortest delimiter everywhere
		}
		lines = append(lines, line)
	}
	for n, line := range lines {
		b.WriteByte('|')
		for i, text := range line {
			pad := strings.Repeat(" ", widths[i]-uniseg.StringWidth(text))
			if align[i] == Right {
				b.WriteString(" " + pad + text + " |")
			} else {
				b.WriteString(" " + text + pad + " |")
			}
		}
		b.WriteByte('\n')
		if n == 0 {
			b.WriteByte('|')
			for i, w := range widths {
				b.WriteString(delimiter(align[i], w) + "|")
			}
			b.WriteByte('\n')
		}
	}
}

// delimiter is the cell of Markdown's second line, w+2 characters wide.
func delimiter(a Align, w int) string {
	switch a {
	case Right:
		return " " + strings.Repeat("-", w-1) + ": "
	case Center:
		return " :" + strings.Repeat("-", w-2) + ": "
	}
	return " " + strings.Repeat("-", w) + " "
}

// HTML is the table as a fragment for a notebook or a report: a <table> with
// caption, header and footer of class "gophersnake", every text escaped. The
// few inline styles make it readable without a style sheet, in the colours of
// the page around it.
func (t *Table) HTML() string {
	var b strings.Builder
	b.WriteString(`<table class="gophersnake" style="border-collapse:collapse">` + "\n")
	if t.Title != "" {
		b.WriteString(`<caption style="caption-side:top;text-align:left;font-weight:bold">` + html.EscapeString(t.Title) + "</caption>\n")
	}
	align := t.alignments()
	if len(t.Columns) > 0 {
		b.WriteString("<thead>\n")
		htmlRow(&b, "th", t.Columns, align)
		b.WriteString("</thead>\n")
	}
	b.WriteString("<tbody>\n")
	for _, row := range t.Rows {
		htmlRow(&b, "td", row, align)
	}
	b.WriteString("</tbody>\n")
	if len(t.Notes) > 0 {
		b.WriteString("<tfoot>\n")
		for _, note := range t.Notes {
			b.WriteString(`<tr><td colspan="` + strconv.Itoa(max(1, len(align))) + `" style="text-align:left;opacity:0.75">` + html.EscapeString(note) + "</td></tr>\n")
		}
		b.WriteString("</tfoot>\n")
	}
	b.WriteString("</table>\n")
	return b.String()
}

// unbroken is the length up to which a cell's text is kept on one line: in a
// narrow page the long texts give way, and then the table is scrolled.
const unbroken = 24

// htmlRow writes one row of <th> or <td>.
func htmlRow(b *strings.Builder, tag string, cells []string, align []Align) {
	extra := ""
	if tag == "th" {
		extra = ";border-bottom:1px solid currentColor"
	}
	b.WriteString("<tr>")
	for i, a := range align {
		text, wrap := cell(cells, i), ""
		if uniseg.StringWidth(text) <= unbroken {
			wrap = ";white-space:nowrap"
		}
		b.WriteString("<" + tag + ` style="text-align:` + string(a) + extra + wrap + `">` + html.EscapeString(text) + "</" + tag + ">")
	}
	b.WriteString("</tr>\n")
}

// CSV is header and rows as RFC 4180, without title and notes, every record
// as wide as the table.
func (t *Table) CSV() string {
	var b strings.Builder
	w := csv.NewWriter(&b)
	n := t.width()
	record := func(cells []string) {
		line := make([]string, n)
		copy(line, cells)
		_ = w.Write(line) // a strings.Builder takes every write
	}
	if len(t.Columns) > 0 {
		record(t.Columns)
	}
	for _, row := range t.Rows {
		record(row)
	}
	w.Flush()
	return b.String()
}
