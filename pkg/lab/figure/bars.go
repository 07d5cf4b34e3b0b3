package figure

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Bar is one arm: its mean, its interval [Lo, Hi] and each seed's result. A
// mean that is NaN or infinite is an arm without a result. A Lo and Hi that are
// infinite, NaN or both 0 are no interval. Points that are not finite are
// counted beside the value as diverged.
type Bar struct {
	Name      string    `json:"name"`
	Note      string    `json:"note,omitempty"` // small under the name: the one change
	Mean      float64   `json:"mean"`
	Lo        float64   `json:"lo"`
	Hi        float64   `json:"hi"`
	Points    []float64 `json:"points,omitempty"`
	Highlight bool      `json:"highlight,omitempty"`
	Group     string    `json:"group,omitempty"` // Dots only: the heading that the arm stands under
	Color     Color     `json:"color,omitempty"` // Dots only; none: by the group
}

// interval reports whether the bar has whiskers.
func (b Bar) interval() bool {
	return finite(b.Lo) && finite(b.Hi) && b.Lo <= b.Hi && (b.Lo != 0 || b.Hi != 0)
}

// lost is the number of seeds without a finite result.
func (b Bar) lost() int {
	n := 0
	for _, v := range b.Points {
		if !finite(v) {
			n++
		}
	}
	return n
}

// value is the text right of the bar, and the smaller one below it.
func (b Bar) value(decimals int) (text, below string) {
	if !finite(b.Mean) {
		return "", ""
	}
	if lost := b.lost(); lost > 0 {
		below = fmt.Sprintf("%d of %d diverged", lost, len(b.Points))
	}
	return number(b.Mean, decimals), below
}

// color is full for a highlighted bar and, if none is, for all.
func (b Bar) color(anyHighlight bool) look {
	l := lookOf(0)
	if anyHighlight && !b.Highlight {
		l.color = muted
	}
	return l
}

// Sizes of a bar chart, in points.
const (
	barRow   = 30.0 // height of one row
	barThick = 16.0
	valueGap = 8.0
)

// Bars draws horizontal bars, the first on top: the ladder in its order, with
// intervals as whiskers and seeds as dots. XLabel names the values' axis.
// Values are written at the right, names and notes at the left. Bars start at
// zero. Where zero is off the axis (XRange, LogX) a bar's length would mean
// nothing, and a large dot stands for the mean instead. The error tells what is
// wrong with cfg, or that there is no bar.
func Bars(cfg Config, bars []Bar) (*Figure, error) {
	err := cfg.validate()
	switch {
	case err != nil:
	case len(bars) == 0:
		err = errors.New("nothing to draw: no bar")
	case cfg.YRange[0] != cfg.YRange[1] || cfg.LogY:
		err = errors.New("y_range and log_y are set, but a bar chart's values lie along x: want x_range and log_x")
	}
	if err != nil {
		return nil, fmt.Errorf("figure.Bars: %w", err)
	}
	f := newFigure(cfg, 7, barsHeight(cfg, len(bars)))
	f.plot.Y.Min, f.plot.Y.Max = -0.5, float64(len(bars))-0.5
	f.plot.HideY()
	values := barSpan(f.cfg, bars)
	values.apply(&f.plot.X, barRange(f.cfg, values), 6)
	f.plot.Add(gridLines(f.plot, true, false))
	origin := f.plot.X.Min
	solid := !cfg.LogX && f.plot.X.Min <= 0 && f.plot.X.Max >= 0
	if solid {
		origin = 0
	}
	f.plot.Add(barMarks(f.cfg, bars, origin, solid))
	f.barTexts(bars)
	return f, nil
}

// barsHeight is the figure's height in inches for n rows and what surrounds
// them.
func barsHeight(cfg Config, n int) float64 {
	points := barRow*float64(n) + 62 // axis, its label, margins
	if cfg.Title != "" {
		points += 26
	}
	if cfg.Note != "" {
		points += 14
	}
	if cfg.ReferenceLabel != "" {
		points += 12
	}
	return math.Min(math.Max(points/72, 1.6), maxInches)
}

// barSpan is the range of all that is drawn, zero included unless on a
// logarithmic axis.
func barSpan(cfg Config, bars []Bar) span {
	s := newSpan(cfg.LogX)
	s.add(0)
	for _, b := range bars {
		s.add(b.Mean)
		s.add(b.Points...)
		if b.interval() {
			s.add(b.Lo, b.Hi)
		}
	}
	if cfg.ReferenceLabel != "" {
		s.add(cfg.Reference)
	}
	if s.empty() || s.lo == s.hi {
		s.add(1) // no arm has a result: an axis is drawn all the same
	}
	return s
}

// barRange keeps an automatic axis from leaving a gap before bars that start at
// zero.
func barRange(cfg Config, s span) [2]float64 {
	if cfg.XRange[0] != cfg.XRange[1] || s.log {
		return cfg.XRange
	}
	g := s.grown(0.04)
	if s.lo == 0 {
		g.lo = 0
	}
	if s.hi == 0 {
		g.hi = 0
	}
	return [2]float64{g.lo, g.hi}
}

// barMarks draws the bars or dots, whiskers, seeds and the reference.
func barMarks(cfg Config, bars []Bar, origin float64, solid bool) drawFunc {
	highlight := false
	for _, b := range bars {
		highlight = highlight || b.Highlight
	}
	return func(c draw.Canvas, x, y func(float64) vg.Length) {
		if solid {
			c.StrokeLine2(draw.LineStyle{Color: soft, Width: 0.8}, x(origin), c.Min.Y, x(origin), c.Max.Y)
		}
		place := func(v float64) vg.Length { return far(x(v)) }
		for i, b := range bars {
			row := y(float64(len(bars) - 1 - i))
			if solid && finite(b.Mean) {
				drawBar(c, b.color(highlight), place(origin), place(b.Mean), row)
			}
		}
		if cfg.ReferenceLabel != "" && usable(cfg.Reference, cfg.LogX) && c.ContainsX(x(cfg.Reference)) {
			c.StrokeLine2(referenceLine, x(cfg.Reference), c.Min.Y, x(cfg.Reference), c.Max.Y)
		}
		for i, b := range bars {
			row := y(float64(len(bars) - 1 - i))
			if !finite(b.Mean) {
				labelDiverged(c, vg.Point{X: clampLength(place(origin), c.Min.X, c.Max.X) + 10, Y: row})
				continue
			}
			drawSeeds(c, cfg, b, place, row, solid)
			if b.interval() && usable(b.Lo, cfg.LogX) {
				style := draw.LineStyle{Color: ink, Width: 1.2}
				whisker(c, style, vg.Point{X: place(b.Lo), Y: row}, vg.Point{X: place(b.Hi), Y: row}, 3.5)
			}
			if !solid && usable(b.Mean, cfg.LogX) {
				marked(c, b.color(highlight), 4.2, vg.Point{X: place(b.Mean), Y: row})
			}
		}
	}
}

// drawBar draws a bar from origin to at.
func drawBar(c draw.Canvas, l look, origin, at, row vg.Length) {
	origin, at = clampLength(origin, c.Min.X, c.Max.X), clampLength(at, c.Min.X, c.Max.X)
	r := vg.Rectangle{
		Min: vg.Point{X: min(origin, at), Y: row - barThick/2},
		Max: vg.Point{X: max(origin, at), Y: row + barThick/2},
	}
	c.SetColor(l.color)
	c.Fill(r.Path())
}

// drawSeeds puts a dot for each seed: over a bar in two rows that alternate, so
// that equal results show as two dots, and small below a mean that is a dot
// itself.
func drawSeeds(c draw.Canvas, cfg Config, b Bar, place func(float64) vg.Length, row vg.Length, solid bool) {
	for i, v := range b.Points {
		if !usable(v, cfg.LogX) {
			continue
		}
		at := vg.Point{X: place(v), Y: row + vg.Length(2*(i%2)-1)*barThick*0.27}
		dot := draw.GlyphStyle{Color: ink, Radius: 1.9, Shape: draw.CircleGlyph{}}
		if !solid {
			at.Y = row - barThick*0.55
			dot.Color, dot.Radius = faded(ink, 0.6), 1.7
		}
		if !c.Contains(at) {
			continue
		}
		if solid {
			c.DrawGlyphNoClip(draw.GlyphStyle{Color: white, Radius: 2.7, Shape: dot.Shape}, at)
		}
		c.DrawGlyphNoClip(dot, at)
	}
}

// labelDiverged marks an arm without a result.
func labelDiverged(c draw.Canvas, at vg.Point) {
	cross(c, look{color: danger}, at)
	f := labelFont
	f.color = danger
	haloed(c, f, vg.Point{X: at.X + 9, Y: at.Y - f.middle()}, "diverged")
}

// barTexts makes room for names and values and writes them.
func (f *Figure) barTexts(bars []Bar) {
	decimals := barDecimals(f.plot.X)
	names := labelFont
	names.bold = true
	for _, b := range bars {
		f.left = max(f.left, names.width(clean(b.Name)), smallFont.width(clean(b.Note)))
		text, below := b.value(decimals)
		f.right = max(f.right, labelFont.width(text), smallFont.width(below))
	}
	f.left = min(f.left+valueGap, 0.4*f.width)
	f.right = min(f.right+valueGap, 0.35*f.width)
	label := f.cfg.ReferenceLabel
	f.overlay = func(c, data draw.Canvas) {
		x, y := f.plot.Transforms(&data)
		for i, b := range bars {
			row := y(float64(len(bars) - 1 - i))
			f.barName(c, names, b, row)
			barValue(c, b, vg.Point{X: data.Max.X + valueGap, Y: row}, decimals)
		}
		if label == "" || !usable(f.cfg.Reference, f.cfg.LogX) {
			return
		}
		if at := x(f.cfg.Reference); data.ContainsX(at) {
			half := smallFont.width(label) / 2
			at = clampLength(at, c.Min.X+half, c.Max.X-half)
			smallFont.aligned(c, vg.Point{X: at, Y: data.Max.Y + 4}, 0.5, label)
		}
	}
	if label != "" {
		f.top = smallFont.size + 4
	}
}

// barName writes a bar's name, and its note below in up to two lines,
// right-aligned at the axis.
func (f *Figure) barName(c draw.Canvas, names textFont, b Bar, row vg.Length) {
	room := f.left - valueGap
	at := vg.Point{X: c.Min.X + room, Y: row}
	name, names := fitText(clean(b.Name), names, room, 1)
	note, small := fitText(clean(b.Note), smallFont, room, 2)
	below := vg.Length(len(note)) * 9.5
	small.size = min(small.size, 8)
	names.stack(c, at.Add(vg.Point{Y: below / 2}), 1, name)
	small.stack(c, at.Add(vg.Point{Y: -5}), 1, note)
}

// barValue writes the mean right of the data, and below it how many diverged.
func barValue(c draw.Canvas, b Bar, at vg.Point, decimals int) {
	text, below := b.value(decimals)
	at.Y -= labelFont.middle()
	if below != "" {
		at.Y += 5.5
		small := smallFont
		small.color = danger
		small.left(c, vg.Point{X: at.X, Y: at.Y - 10.5}, shorten(below, small, c.Max.X-at.X))
	}
	labelFont.left(c, at, shorten(text, labelFont, c.Max.X-at.X))
}

// barDecimals shows a thousandth of the axis.
func barDecimals(a plot.Axis) int {
	_, log := a.Scale.(plot.LogScale)
	return rangeDecimals(span{a.Min, a.Max, log})
}
