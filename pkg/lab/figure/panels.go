package figure

import (
	"image/color"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Panels draws many lines as small multiples: a panel a series, in their order,
// the series in its colour with its band, all others thin and grey behind it,
// the same axes everywhere, and the last value at the end of the line. Panels
// say more than Curves does once bands would lie on each other.
//
// Without YRange the y axis shows what becomes of the lines: all their values
// but those of the first quarter of the x axis, and without the lines that end
// far above the others; bands that reach far beyond the lines are cut. A line
// that leaves the axis has a triangle there, and the note says so.
//
// A series without a point keeps its panel, which says so. The error tells what
// is wrong with cfg or series, or that no series has a point.
func Panels(cfg Config, series []Series) (*Figure, error) {
	if err := checkSeries("Panels", cfg, series); err != nil {
		return nil, err
	}
	xs, ys := seriesSpans(cfg, series)
	if cfg.YRange[0] == cfg.YRange[1] {
		ys = settled(cfg, series, xs)
	}
	g := &multiples{
		x: newAxis(xs, cfg.XRange, clean(cfg.XLabel), 3),
		y: newAxis(ys, cfg.YRange, clean(cfg.YLabel), 4),
	}
	if ticks := seriesTicks(cfg, series); ticks != nil {
		g.x.ticks = ticks
	}
	decimals := rangeDecimals(g.y.span)
	ends := make([]endValue, len(series))
	outside := false
	for i, s := range series {
		g.heads = append(g.heads, head{name: s.Name, color: s.Color.or(i)})
		ends[i] = s.end(cfg, decimals)
		g.gutter = max(g.gutter, valueFont.width(ends[i].text)+6)
		outside = outside || g.clips(cfg, s)
	}
	cfg.Note = panelsNote(cfg, outside)
	return newPanels(cfg, g, func(i int, p panel) {
		g.backdrop(cfg, p, series, i)
		g.curve(cfg, p, series[i], lookOf(i).in(g.heads[i].color))
		ends[i].draw(p)
	}), nil
}

// in is the look in another colour.
func (l look) in(c color.NRGBA) look {
	l.color, l.dash, l.shape = c, nil, draw.CircleGlyph{}
	return l
}

// panelsNote is cfg's note with what the marks mean.
func panelsNote(cfg Config, outside bool) string {
	notes := []string{}
	if cfg.Note != "" {
		notes = append(notes, cfg.Note)
	}
	if cfg.ReferenceLabel != "" {
		notes = append(notes, "dashed: "+cfg.ReferenceLabel)
	}
	if cfg.MarkLabel != "" {
		notes = append(notes, "upright line: "+cfg.MarkLabel)
	}
	if outside {
		notes = append(notes, "triangles: the line leaves the axis there")
	}
	return strings.Join(notes, "; ")
}

// settled is the range of the last three quarters of the lines, but of those
// that end far above the others.
func settled(cfg Config, series []Series, xs span) span {
	share, fence := xs.on(0, 1), endFence(cfg, series)
	ys, bands := newSpan(cfg.LogY), newSpan(cfg.LogY)
	for _, s := range series {
		last := s.last(cfg)
		for i := range s.X {
			if !s.has(cfg, i) || s.Y[last] > fence || (share(s.X[i]) < 0.25 && i != last) {
				continue
			}
			ys.add(s.Y[i])
			if s.Lo != nil {
				bands.add(s.Lo[i], s.Hi[i])
			}
		}
	}
	if !bands.empty() {
		bands = bands.cut(ys.grown(0.5))
		ys.add(bands.lo, bands.hi)
	}
	if cfg.ReferenceLabel != "" && ys.near(cfg.Reference) {
		ys.add(cfg.Reference)
	}
	return ys
}

// endFence is the height above which the end of a line is far from the others':
// the upper quartile of the ends and three times the distance of the quartiles
// (Tukey's outer fence).
func endFence(cfg Config, series []Series) float64 {
	var ends []float64
	for _, s := range series {
		if k := s.last(cfg); k >= 0 {
			ends = append(ends, s.Y[k])
		}
	}
	if len(ends) < 5 { // too few to say what is usual
		return math.Inf(1)
	}
	slices.Sort(ends)
	lower, upper := ends[len(ends)/4], ends[len(ends)*3/4]
	return upper + 3*(upper-lower)
}

// near reports whether v lies within half of the span's length around it.
func (s span) near(v float64) bool {
	wider := s.grown(0.5)
	return v >= wider.lo && v <= wider.hi
}

// seriesTicks are ticks at the series's own positions, if they are few.
func seriesTicks(cfg Config, series []Series) []plot.Tick {
	if !cfg.LogX || cfg.XRange[0] != cfg.XRange[1] {
		return nil
	}
	var xs []float64
	for _, s := range series {
		for i, x := range s.X {
			if s.has(cfg, i) {
				xs = append(xs, x)
			}
		}
	}
	return valueTicks(xs)
}

// backdrop draws the reference, the mark and all series but one.
func (g *multiples) backdrop(cfg Config, p panel, series []Series, but int) {
	levelLine(cfg)(p.Canvas, p.x, p.y)
	if at := p.x(cfg.Mark); cfg.MarkLabel != "" && usable(cfg.Mark, cfg.LogX) && p.ContainsX(at) {
		p.StrokeLine2(draw.LineStyle{Color: soft, Width: 1}, at, p.Min.Y, at, p.Max.Y)
	}
	style := draw.LineStyle{Color: others, Width: 0.7}
	for k, s := range series {
		if k == but {
			continue
		}
		for _, r := range runs(len(s.X), func(i int) bool { return s.has(cfg, i) }) {
			p.StrokeLines(style, p.ClipLinesXY(s.thinned(p, r))...)
		}
	}
}

// thinned is the path through points r[0]…r[1]−1 of s, by about 30 of them:
// behind another line nobody sees more, and each panel holds all series.
func (s Series) thinned(p panel, r [2]int) []vg.Point {
	every := max(1, (r[1]-r[0])/30)
	var path []vg.Point
	for i := r[0]; i < r[1]; i += every {
		path = append(path, vg.Point{X: p.x(s.X[i]), Y: p.y(s.Y[i])})
	}
	if last := r[1] - 1; (last-r[0])%every != 0 {
		path = append(path, vg.Point{X: p.x(s.X[last]), Y: p.y(s.Y[last])})
	}
	return path
}

// curve draws a panel's own series.
func (g *multiples) curve(cfg Config, p panel, s Series, l look) {
	band(cfg, g.y.lo, s, l)(p.Canvas, p.x, p.y)
	line(cfg, s, l)(p.Canvas, p.x, p.y)
	endMark(cfg, s, l)(p.Canvas, p.x, p.y)
	for _, e := range g.exits(cfg, s) {
		at := vg.Point{X: clampLength(p.x(e.x), p.Min.X+4, p.Max.X-4), Y: p.Max.Y - 3}
		if e.below {
			at.Y = p.Min.Y + 3
		}
		triangle(p.Canvas, l.color, at, e.below)
	}
}

// exit is a place where a line crosses the upper or lower end of the y axis.
type exit struct {
	x     float64
	below bool
}

// exits are the places where s leaves the axis or comes back; of a line that
// is outside throughout, its last point.
func (g *multiples) exits(cfg Config, s Series) []exit {
	side := func(i int) int {
		switch {
		case s.Y[i] > g.y.hi:
			return 1
		case s.Y[i] < g.y.lo:
			return -1
		}
		return 0
	}
	var out []exit
	for _, r := range runs(len(s.X), func(i int) bool { return s.has(cfg, i) }) {
		for i := r[0]; i+1 < r[1]; i++ {
			a, b := side(i), side(i+1)
			if a == b {
				continue
			}
			for _, edge := range []int{a, b} {
				if edge != 0 {
					out = append(out, exit{g.crossing(s, i, edge), edge < 0})
				}
			}
		}
	}
	if k := s.last(cfg); len(out) == 0 && k >= 0 && side(k) != 0 {
		out = append(out, exit{s.X[k], side(k) < 0})
	}
	return out
}

// crossing is the x at which the segment from point i to the next meets the
// upper (edge 1) or lower (−1) end of the y axis.
func (g *multiples) crossing(s Series, i, edge int) float64 {
	end := g.y.hi
	if edge < 0 {
		end = g.y.lo
	}
	y := g.y.on(0, 1)
	from, to := float64(y(s.Y[i])), float64(y(s.Y[i+1]))
	share := (float64(y(end)) - from) / (to - from)
	if g.x.log {
		return s.X[i] * math.Pow(s.X[i+1]/s.X[i], share)
	}
	return s.X[i] + share*(s.X[i+1]-s.X[i])
}

// clips reports whether s leaves the axis.
func (g *multiples) clips(cfg Config, s Series) bool { return len(g.exits(cfg, s)) > 0 }

// endValue is what is written at the end of a line.
type endValue struct {
	text string
	lost bool
	at   float64 // height; NaN for a line without a point
}

func (s Series) end(cfg Config, decimals int) endValue {
	k := s.last(cfg)
	switch {
	case k < 0 && len(s.X) > 0:
		return endValue{"diverged", true, math.NaN()}
	case k < 0:
		return endValue{"no data", false, math.NaN()}
	case s.diverged(cfg):
		return endValue{"diverged", true, s.Y[k]}
	}
	return endValue{number(s.Y[k], decimals), false, s.Y[k]}
}

// draw writes the value right of the data, level with the line's end.
func (e endValue) draw(p panel) {
	f := valueFont
	if e.lost {
		f.color = danger
	}
	y := (p.Min.Y + p.Max.Y) / 2
	if finite(e.at) {
		y = clampLength(p.y(e.at), p.Min.Y+f.middle(), p.Max.Y-f.middle())
	}
	f.left(p.Canvas, vg.Point{X: p.Max.X + 5, Y: y - f.middle()}, e.text)
}

// rangeDecimals shows a thousandth of an axis.
func rangeDecimals(s span) int {
	if s.log {
		return max(0, min(6, 2-int(math.Floor(math.Log10(s.lo)))))
	}
	return max(0, min(6, 3-int(math.Ceil(math.Log10(s.hi-s.lo)-0.1))))
}
