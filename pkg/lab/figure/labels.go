package figure

import (
	"slices"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// endLabel names a series at the right of the data, level with its last point.
type endLabel struct {
	text   string
	look   look
	marker bool      // a point in the swatch
	line   bool      // a line in the swatch
	anchor vg.Length // height of the last point on the canvas
	linked bool      // the last point is near the right edge: lead a line from it
	from   vg.Length // and its x
}

// Widths of the column of end labels, in points.
const (
	leadWidth   = 14 // from the data's edge to the swatch, where lines fan out
	swatchWidth = 16
	labelGap    = 5
	lineStep    = 13.5 // between two labels' baselines
)

// labelColumn is the room that texts need, at most 45 % of the figure.
func labelColumn(texts []string, figure vg.Length) vg.Length {
	widest := vg.Length(0)
	for _, text := range texts {
		widest = max(widest, labelFont.width(text))
	}
	return min(widest+leadWidth+swatchWidth+labelGap, 0.45*figure)
}

// drawEndLabels writes the labels right of data, spread so that none covers
// another.
func drawEndLabels(c, data draw.Canvas, labels []endLabel) {
	if len(labels) == 0 {
		return
	}
	slices.SortStableFunc(labels, func(a, b endLabel) int {
		switch {
		case a.anchor > b.anchor:
			return -1
		case a.anchor < b.anchor:
			return 1
		}
		return 0
	})
	anchors := make([]float64, len(labels))
	for i, l := range labels {
		anchors[i] = float64(l.anchor)
	}
	font := labelFont
	low, high := data.Min.Y+font.middle(), data.Max.Y-font.middle()
	step := vg.Length(lineStep)
	if room := (high - low) / vg.Length(max(1, len(labels)-1)); room < step {
		step, font.size = room, min(font.size, 0.85*room)
	}
	for i, y := range spread(anchors, float64(step), float64(low), float64(high)) {
		drawEndLabel(c, data, labels[i], vg.Length(y), font)
	}
}

// drawEndLabel draws one label with its swatch and the line that leads to it.
func drawEndLabel(c, data draw.Canvas, l endLabel, y vg.Length, font textFont) {
	x := data.Max.X
	if l.linked {
		thin := draw.LineStyle{Color: faded(l.look.color, 0.6), Width: 0.7}
		c.StrokeLines(thin, []vg.Point{{X: l.from, Y: l.anchor}, {X: x, Y: l.anchor}, {X: x + leadWidth - 2, Y: y}})
	}
	x += leadWidth
	if l.line {
		c.StrokeLine2(l.look.line(2), x, y, x+swatchWidth, y)
	}
	if l.marker {
		c.DrawGlyphNoClip(draw.GlyphStyle{Color: l.look.color, Radius: 3, Shape: l.look.shape}, vg.Point{X: x + swatchWidth/2, Y: y})
	}
	x += swatchWidth + labelGap
	font.left(c, vg.Point{X: x, Y: y - font.middle()}, shorten(l.text, font, c.Max.X-x))
}

// spread moves falling positions apart to at least step, each as little as
// possible in the sum of squares (isotonic regression by pooling neighbours),
// and into [lo, hi].
func spread(falling []float64, step, lo, hi float64) []float64 {
	type pool struct {
		sum float64
		n   int
	}
	var pools []pool
	for i, y := range falling {
		pools = append(pools, pool{y + float64(i)*step, 1})
		for k := len(pools) - 1; k > 0; k-- {
			a, b := pools[k-1], pools[k]
			if a.sum/float64(a.n) >= b.sum/float64(b.n) {
				break
			}
			pools = append(pools[:k-1], pool{a.sum + b.sum, a.n + b.n})
		}
	}
	out := make([]float64, 0, len(falling))
	floor := lo + float64(len(falling)-1)*step
	for _, p := range pools {
		for range p.n {
			y := max(min(p.sum/float64(p.n), hi), floor)
			out = append(out, y-float64(len(out))*step)
		}
	}
	return out
}
