package figure

import (
	"errors"
	"fmt"
	"image/color"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// TextRow is one number for every symbol of a text.
type TextRow struct {
	Name   string    `json:"name"`
	Values []float64 `json:"values"`
}

// LineEnd is the symbol behind which TextBars begins a new line.
const LineEnd = "¶"

// TextBars draws a text with a bar over each of its symbols for every row, the
// first row on top: the taller and darker, the larger the value. Symbols are in
// a monospaced font; write white space as something visible. Lines end behind
// LineEnd and where the page ends. The ends of a row's scale are the smallest
// and the largest of its values, written at the left of its first line, unless YRange gives one
// scale for all rows; LogY makes scales logarithmic. A value without a place on
// the scale has no bar.
//
// The error tells what is wrong with cfg or rows, or that there is no value.
func TextBars(cfg Config, symbols []string, rows []TextRow) (*Figure, error) {
	if err := checkText(cfg, symbols, rows); err != nil {
		return nil, fmt.Errorf("figure.TextBars: %w", err)
	}
	t := &textChart{symbols: symbols, rows: rows}
	for _, r := range rows {
		s := newSpan(cfg.LogY)
		s.add(r.Values...)
		if cfg.YRange[0] != cfg.YRange[1] {
			s.lo, s.hi = cfg.YRange[0], cfg.YRange[1]
		}
		t.scales = append(t.scales, s)
		t.left = max(t.left, smallFont.width(clean(r.Name)), smallFont.width(scaleText(s)))
	}
	t.left = min(t.left, 120) + 8
	f := newFigure(cfg, wide, 4)
	inner := f.width - 2*margin
	t.lines = t.broken(int((inner - t.left) / textCell))
	if cfg.Height == 0 {
		f.height = min(f.headRoom(inner)+vg.Length(len(t.lines))*t.lineHeight()+2*margin, maxInches*vg.Inch)
	}
	f.body = t.draw
	return f, nil
}

func checkText(cfg Config, symbols []string, rows []TextRow) error {
	errs := []error{cfg.validate()}
	values := newSpan(cfg.LogY)
	for _, r := range rows {
		if len(r.Values) != len(symbols) {
			errs = append(errs, fmt.Errorf("row %q has %d values, want one for each of %d symbols", r.Name, len(r.Values), len(symbols)))
		}
		values.add(r.Values...)
	}
	if values.empty() {
		errs = append(errs, fmt.Errorf("nothing to draw: %d rows over %d symbols, no value that has a place on the scale", len(rows), len(symbols)))
	}
	return errors.Join(errs...)
}

// Sizes of a text with bars, in points.
const (
	textCell = 8.2  // width of a symbol
	textBar  = 19.0 // height of a row
	textGap  = 4.0  // between two rows
	textLine = 15.0 // height of the symbols
	textRoom = 7.0  // between two lines
)

var textSymbol = textFont{size: 11, mono: true, color: ink}

// Ends of the bars' colours: one hue, from pale to dark.
var pale, dark = color.NRGBA{198, 219, 239, 255}, color.NRGBA{8, 48, 107, 255}

// textChart is the layout of TextBars.
type textChart struct {
	symbols []string
	rows    []TextRow
	scales  []span
	lines   [][2]int // symbols [from, to) of each line
	left    vg.Length
}

// broken cuts the text into lines of at most columns symbols.
func (t *textChart) broken(columns int) [][2]int {
	var lines [][2]int
	from := 0
	for i, s := range t.symbols {
		if s == LineEnd || i+1-from >= max(1, columns) || i+1 == len(t.symbols) {
			lines = append(lines, [2]int{from, i + 1})
			from = i + 1
		}
	}
	return lines
}

func (t *textChart) lineHeight() vg.Length {
	return vg.Length(len(t.rows))*(textBar+textGap) + textLine + textRoom
}

// draw draws the lines from top to bottom.
func (t *textChart) draw(c draw.Canvas) {
	squeeze := min(1, c.Size().Y/(vg.Length(len(t.lines))*t.lineHeight()))
	top := c.Max.Y
	for _, l := range t.lines {
		y := top
		for k := range t.rows {
			y -= textBar * squeeze
			t.bars(c, k, l, y, textBar*squeeze)
			y -= textGap * squeeze
		}
		f := textSymbol
		f.size *= squeeze
		for i := l[0]; i < l[1]; i++ {
			f.color = ink
			if text := clean(t.symbols[i]); text != "" {
				lines, f := fitText(text, f, textCell, 1)
				f.aligned(c, vg.Point{X: c.Min.X + t.left + (vg.Length(i-l[0])+0.5)*textCell, Y: y - f.size*0.75}, 0.5, lines[0])
			}
		}
		top -= t.lineHeight() * squeeze
	}
}

// bars draws row k over the symbols of a line, on a base line at y.
func (t *textChart) bars(c draw.Canvas, k int, l [2]int, y, height vg.Length) {
	start := c.Min.X + t.left
	s := t.scales[k]
	at := s.on(0, 1)
	if s.lo == s.hi { // all values are equal
		at = func(float64) vg.Length { return 0.5 }
	}
	c.StrokeLine2(draw.LineStyle{Color: grid, Width: 0.7}, start, y, start+vg.Length(l[1]-l[0])*textCell, y)
	for i := l[0]; i < l[1]; i++ {
		v := t.rows[k].Values[i]
		if !usable(v, s.log) {
			continue
		}
		share := clampLength(at(v), 0, 1)
		x := start + vg.Length(i-l[0])*textCell
		c.SetColor(between(pale, dark, float64(share)))
		c.Fill(vg.Rectangle{Min: vg.Point{X: x + 0.7, Y: y}, Max: vg.Point{X: x + textCell - 0.7, Y: y + max(0.06, share)*height}}.Path())
	}
	name := smallFont
	name.color = ink
	lines, name := fitText(clean(t.rows[k].Name), name, t.left-8, 1)
	middle := vg.Point{X: c.Min.X, Y: y + height/2}
	if l[0] > 0 {
		name.stack(c, middle, 0, lines)
		return
	}
	name.stack(c, middle.Add(vg.Point{Y: 5}), 0, lines)
	lines, small := fitText(scaleText(s), smallFont, t.left-8, 1)
	small.stack(c, middle.Add(vg.Point{Y: -5}), 0, lines)
}

// scaleText is the ends of a row's scale.
func scaleText(s span) string {
	switch {
	case s.empty():
		return "no value"
	case s.lo == s.hi:
		return short(s.lo)
	}
	return short(s.lo) + " to " + short(s.hi)
}

// between is the colour at the given share of the way from a to b.
func between(a, b color.NRGBA, share float64) color.NRGBA {
	mix := func(x, y uint8) uint8 { return uint8(float64(x) + share*(float64(y)-float64(x)) + 0.5) }
	return color.NRGBA{mix(a.R, b.R), mix(a.G, b.G), mix(a.B, b.B), 255}
}
