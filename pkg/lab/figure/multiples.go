package figure

import (
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// wide is the width of figures with many arms, in inches: 900 pixels, the
// column of a page of Markdown.
const wide = 9.375

// multiples is small multiples: panels in rows, all with the same axes, which are
// labelled at the left and at the foot of each column.
type multiples struct {
	heads  []head
	x, y   axis
	gutter vg.Length // blank room at the right of every panel's data
	square bool
}

// head is what stands above a panel.
type head struct {
	name  string
	color color.NRGBA
	note  string // small, below the name
	alert bool   // the note is a warning
}

// axis is a scale with its ticks and its name.
type axis struct {
	span
	ticks []plot.Tick
	label string
}

// newAxis is an axis over s, with a little room around it, unless given says
// otherwise.
func newAxis(s span, given [2]float64, label string, wanted int) axis {
	var a plot.Axis
	s.apply(&a, given, wanted)
	return axis{span{a.Min, a.Max, s.log}, a.Tick.Marker.Ticks(a.Min, a.Max), label}
}

// on returns the map from values to the canvas between from and to.
func (s span) on(from, to vg.Length) func(float64) vg.Length {
	return func(v float64) vg.Length {
		lo, hi := s.lo, s.hi
		if s.log {
			v, lo, hi = math.Log(v), math.Log(lo), math.Log(hi)
		}
		// Halves keep the difference of two huge ends finite.
		return far(from + vg.Length((v/2-lo/2)/(hi/2-lo/2))*(to-from))
	}
}

// panel is one of the grid's: the data's canvas and the maps onto it.
type panel struct {
	draw.Canvas
	x, y func(float64) vg.Length
}

// Sizes of a grid, in points.
const (
	panelGap    = 12.0 // between two columns
	panelHeight = 84.0 // of the data
	tickRoom    = 14.0 // below a panel, for numbers
	swatchSide  = 7.0  // of the square before a panel's name
)

var (
	headFont  = textFont{size: 9.5, bold: true, color: ink}
	panelTick = textFont{size: 8.5, color: soft}
	valueFont = textFont{size: 8.5, color: ink}
)

// columns is how many panels stand side by side: 5 or 4, whichever fills the
// last row better.
func (g *multiples) columns() int {
	n := len(g.heads)
	switch {
	case n <= 5:
		return n
	case n == 6:
		return 3
	case (4-n%4)%4 < (5-n%5)%5:
		return 4
	}
	return 5
}

func (g *multiples) rows() int { return (len(g.heads) + g.columns() - 1) / g.columns() }

// cell is the width of a panel when the grid is as wide as given.
func (g *multiples) cell(width vg.Length) vg.Length {
	k := vg.Length(g.columns())
	return (width - g.left() - (k-1)*panelGap) / k
}

// left is the room for the y axis.
func (g *multiples) left() vg.Length {
	widest := vg.Length(0)
	for _, t := range g.y.ticks {
		widest = max(widest, panelTick.width(t.Label))
	}
	if g.y.label != "" {
		widest += axisLabelRoom
	}
	return widest + 4
}

// headHeight is the room for names and notes above every panel.
func (g *multiples) headHeight(width vg.Length) vg.Length {
	height := vg.Length(0)
	for _, h := range g.heads {
		name, f := h.nameLines(width)
		note, small := h.noteLines(width)
		height = max(height, vg.Length(len(name))*f.leading()+vg.Length(len(note))*small.leading())
	}
	return height + 7 // a mark on the upper end of the axis reaches 5 points beyond it
}

func (h head) nameLines(width vg.Length) ([]string, textFont) {
	return fitText(clean(h.name), headFont, width-swatchSide-4, 3)
}

func (h head) noteLines(width vg.Length) ([]string, textFont) {
	f := smallFont
	if h.alert {
		f.color = danger
	}
	return fitText(clean(h.note), f, width, 2)
}

// gap is the room between two rows. Above a blank place of the last row stand
// the x axis's numbers.
func (g *multiples) gap() vg.Length {
	if len(g.heads)%g.columns() == 0 {
		return 9
	}
	return tickRoom + 6
}

// foot is the room below the last row.
func (g *multiples) foot() vg.Length {
	if g.x.label == "" {
		return tickRoom
	}
	return tickRoom + axisLabelRoom
}

// height is the grid's height in points when it is as wide as given and its
// panels have their usual height.
func (g *multiples) height(width vg.Length) vg.Length {
	rows, cell := vg.Length(g.rows()), g.cell(width)
	data := max(vg.Length(panelHeight), min(0.55*cell, 170))
	if g.square {
		data = min(cell-g.gutter, 260)
	}
	return rows*(data+g.headHeight(cell)) + (rows-1)*g.gap() + g.foot()
}

// newPanels returns a figure of the grid's panels, on each of which paint draws.
func newPanels(cfg Config, g *multiples, paint func(i int, p panel)) *Figure {
	f := newFigure(cfg, wide, 4)
	if cfg.Height == 0 {
		inner := f.width - 2*margin
		f.height = min(f.headRoom(inner)+g.height(inner)+2*margin, maxInches*vg.Inch)
	}
	f.body = func(c draw.Canvas) { g.draw(c, paint) }
	return f
}

// draw draws heads, axes and panels.
func (g *multiples) draw(c draw.Canvas, paint func(i int, p panel)) {
	k, rows := g.columns(), vg.Length(g.rows())
	cell := g.cell(c.Size().X)
	above := g.headHeight(cell)
	data := (c.Size().Y - g.foot() - (rows-1)*g.gap() - rows*above) / rows
	side := cell - g.gutter
	if g.square {
		side = min(side, data)
		data = side
	}
	for i, h := range g.heads {
		left := c.Min.X + g.left() + vg.Length(i%k)*(cell+panelGap)
		top := c.Max.Y - vg.Length(i/k)*(above+data+g.gap())
		h.draw(c, vg.Point{X: left, Y: top}, cell)
		p := panel{Canvas: c}
		p.Rectangle = vg.Rectangle{Min: vg.Point{X: left, Y: top - above - data}, Max: vg.Point{X: left + side, Y: top - above}}
		p.x, p.y = g.x.on(p.Min.X, p.Max.X), g.y.on(p.Min.Y, p.Max.Y)
		g.frame(p, i%k == 0, i+k >= len(g.heads))
		paint(i, p)
	}
	g.names(c, above)
}

// draw writes name and note below top.
func (h head) draw(c draw.Canvas, top vg.Point, width vg.Length) {
	lines, f := h.nameLines(width)
	block := vg.Length(len(lines)) * f.leading()
	first := top.Y - f.leading()/2
	c.SetColor(h.color)
	c.Fill(vg.Rectangle{Min: vg.Point{X: top.X, Y: first - swatchSide/2}, Max: vg.Point{X: top.X + swatchSide, Y: first + swatchSide/2}}.Path())
	f.stack(c, vg.Point{X: top.X + swatchSide + 4, Y: top.Y - block/2}, 0, lines)
	note, small := h.noteLines(width)
	small.stack(c, vg.Point{X: top.X, Y: top.Y - block - vg.Length(len(note))*small.leading()/2}, 0, note)
}

// frame draws a panel's grid lines and axes, with numbers where they are asked
// for.
func (g *multiples) frame(p panel, numbersLeft, numbersBelow bool) {
	light, line := draw.LineStyle{Color: grid, Width: 0.6}, draw.LineStyle{Color: soft, Width: 0.7}
	for _, t := range g.y.ticks {
		at := p.y(t.Value)
		if t.Label == "" || !p.ContainsY(at) {
			continue
		}
		p.StrokeLine2(light, p.Min.X, at, p.Max.X, at)
		if numbersLeft {
			panelTick.aligned(p.Canvas, vg.Point{X: p.Min.X - 4, Y: at - panelTick.middle()}, 1, t.Label)
		}
	}
	for _, t := range g.x.ticks {
		if at := p.x(t.Value); t.Label != "" && p.ContainsX(at) {
			p.StrokeLine2(light, at, p.Min.Y, at, p.Max.Y)
		}
	}
	if numbersBelow {
		g.numbersBelow(p)
	}
	p.StrokeLine2(line, p.Min.X, p.Min.Y, p.Max.X, p.Min.Y)
	p.StrokeLine2(line, p.Min.X, p.Min.Y, p.Min.X, p.Max.Y)
}

// numbersBelow writes the x axis's numbers, from the right, and leaves out
// those that would touch one that is written or reach into the next panel.
func (g *multiples) numbersBelow(p panel) {
	next := p.Max.X + g.gutter + panelGap/2
	for i := len(g.x.ticks) - 1; i >= 0; i-- {
		t := g.x.ticks[i]
		at, half := p.x(t.Value), panelTick.width(t.Label)/2
		if t.Label == "" || !p.ContainsX(at) || at+half > next || at-half < p.Min.X-panelGap/2+1 {
			continue
		}
		panelTick.aligned(p.Canvas, vg.Point{X: at, Y: p.Min.Y - panelTick.size - 2}, 0.5, t.Label)
		next = at - half - 5
	}
}

// names writes the names of the axes, once, in letters that fit beside them.
func (g *multiples) names(c draw.Canvas, above vg.Length) {
	middle := (c.Min.X + g.left() + c.Max.X) / 2
	name, f := fitText(g.x.label, axisFont, c.Max.X-c.Min.X-g.left(), 1)
	f.stack(c, vg.Point{X: middle, Y: c.Min.Y + 3 + f.middle()}, 0.5, name)
	name, f = fitText(g.y.label, axisFont, c.Size().Y, 1)
	middle = (c.Min.Y + g.foot() + c.Max.Y - above) / 2
	for _, line := range name {
		half := f.width(line) / 2
		f.upright(c, vg.Point{X: c.Min.X + f.size, Y: clampLength(middle, c.Min.Y+half, c.Max.Y-half)}, line)
	}
}
