package figure

import (
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// drawFunc is a plot.Plotter made from a function. It gets the data's canvas
// and the maps from data to canvas.
type drawFunc func(c draw.Canvas, x, y func(float64) vg.Length)

// Plot implements plot.Plotter.
func (f drawFunc) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	f(c, x, y)
}

// gridLines draws light lines at the labelled ticks of the chosen axes.
func gridLines(p *plot.Plot, vertical, horizontal bool) drawFunc {
	style := draw.LineStyle{Color: grid, Width: 0.7}
	return func(c draw.Canvas, x, y func(float64) vg.Length) {
		for _, t := range p.X.Tick.Marker.Ticks(p.X.Min, p.X.Max) {
			if at := x(t.Value); vertical && t.Label != "" && c.ContainsX(at) {
				c.StrokeLine2(style, at, c.Min.Y, at, c.Max.Y)
			}
		}
		for _, t := range p.Y.Tick.Marker.Ticks(p.Y.Min, p.Y.Max) {
			if at := y(t.Value); horizontal && t.Label != "" && c.ContainsY(at) {
				c.StrokeLine2(style, c.Min.X, at, c.Max.X, at)
			}
		}
	}
}

// runs cuts 0…n−1 into stretches [from, to) in which ok holds.
func runs(n int, ok func(int) bool) [][2]int {
	var out [][2]int
	from := -1
	for i := 0; i <= n; i++ {
		good := i < n && ok(i)
		switch {
		case good && from < 0:
			from = i
		case !good && from >= 0:
			out = append(out, [2]int{from, i})
			from = -1
		}
	}
	return out
}

// marked draws a shape with a thin white rim, so that points on top of each
// other stay apart.
func marked(c draw.Canvas, l look, radius vg.Length, at vg.Point) {
	if !c.Contains(at) {
		return
	}
	rim := draw.GlyphStyle{Color: white, Radius: radius + 0.8, Shape: l.shape}
	c.DrawGlyphNoClip(rim, at)
	c.DrawGlyphNoClip(draw.GlyphStyle{Color: l.color, Radius: radius, Shape: l.shape}, at)
}

// cross draws ×, the mark of a run that diverged.
func cross(c draw.Canvas, l look, at vg.Point) {
	const r = 4
	for _, style := range []draw.LineStyle{{Color: white, Width: 4}, {Color: l.color, Width: 2}} {
		c.StrokeLine2(style, at.X-r, at.Y-r, at.X+r, at.Y+r)
		c.StrokeLine2(style, at.X-r, at.Y+r, at.X+r, at.Y-r)
	}
}

// triangle points beyond the frame: the line goes on there.
func triangle(c draw.Canvas, k color.NRGBA, at vg.Point, down bool) {
	tip := vg.Length(3)
	if down {
		tip = -tip
	}
	c.FillPolygon(k, []vg.Point{{X: at.X - 4, Y: at.Y - tip}, {X: at.X + 4, Y: at.Y - tip}, {X: at.X, Y: at.Y + tip}})
}

// whisker draws an interval between two points that differ in one coordinate,
// with a cap at each end that lies inside the canvas.
func whisker(c draw.Canvas, style draw.LineStyle, a, b vg.Point, capSize vg.Length) {
	in := func(p vg.Point) vg.Point {
		return vg.Point{X: clampLength(p.X, c.Min.X, c.Max.X), Y: clampLength(p.Y, c.Min.Y, c.Max.Y)}
	}
	ca, cb := in(a), in(b)
	c.StrokeLine2(style, ca.X, ca.Y, cb.X, cb.Y)
	for _, end := range [][2]vg.Point{{a, ca}, {b, cb}} {
		if end[0] != end[1] {
			continue // cut by the frame: the interval goes on
		}
		p := end[0]
		if a.X == b.X {
			c.StrokeLine2(style, p.X-capSize, p.Y, p.X+capSize, p.Y)
		} else {
			c.StrokeLine2(style, p.X, p.Y-capSize, p.X, p.Y+capSize)
		}
	}
}

func clampLength(v, lo, hi vg.Length) vg.Length { return min(max(v, lo), hi) }

// far keeps a coordinate of a point beyond the axis short enough for the
// canvas's arithmetic: clipping needs the direction, not the distance.
func far(v vg.Length) vg.Length {
	const limit = 1e6 // points, 350 m
	if math.IsNaN(float64(v)) {
		return 0
	}
	return clampLength(v, -limit, limit)
}

var referenceLine = draw.LineStyle{Color: soft, Width: 1, Dashes: []vg.Length{4, 3}}

// haloBox is the pad behind text at at.
func haloBox(f textFont, at vg.Point, text string) vg.Rectangle {
	return vg.Rectangle{
		Min: vg.Point{X: at.X - 2, Y: at.Y - 0.3*f.size},
		Max: vg.Point{X: at.X + f.width(text) + 2, Y: at.Y + 0.85*f.size},
	}
}

// haloed writes text over data, on a pad of white.
func haloed(c draw.Canvas, f textFont, at vg.Point, text string) {
	c.SetColor(faded(white, 0.8))
	c.Fill(haloBox(f, at, text).Path())
	f.left(c, at, text)
}
