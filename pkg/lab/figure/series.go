package figure

import (
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// ownTicks labels a logarithmic x axis at the data's own positions, such as
// lengths 256, 512, 1024, if they are few.
func (f *Figure) ownTicks(series []Series) {
	if ticks := seriesTicks(f.cfg, series); ticks != nil {
		f.plot.X.Tick.Marker = plot.ConstantTicks(ticks)
	}
}

// levelLine draws the reference as a horizontal line.
func levelLine(cfg Config) drawFunc {
	return func(c draw.Canvas, _, y func(float64) vg.Length) {
		if cfg.ReferenceLabel != "" && usable(cfg.Reference, cfg.LogY) && c.ContainsY(y(cfg.Reference)) {
			c.StrokeLine2(referenceLine, c.Min.X, y(cfg.Reference), c.Max.X, y(cfg.Reference))
		}
	}
}

// labelSeries makes room right of the data and names each series there, and
// the reference line beside it.
func (f *Figure) labelSeries(series []Series, texts []string, lines, markers bool) {
	f.right = labelColumn(texts, f.width)
	f.overlay = func(c, data draw.Canvas) {
		x, y := f.plot.Transforms(&data)
		labels := make([]endLabel, len(series))
		for i, s := range series {
			labels[i] = endLabel{text: texts[i], look: s.look(i), line: lines, marker: markers || len(s.X) <= 25, anchor: data.Min.Y}
			if k := s.last(f.cfg); k >= 0 {
				labels[i].anchor = clampLength(y(s.Y[k]), data.Min.Y, data.Max.Y)
				// Beside the last tenth of the axis no other line is crossed by much.
				labels[i].linked = x(s.X[k]) > data.Max.X-0.1*data.Size().X && !s.diverged(f.cfg)
				labels[i].from = min(x(s.X[k])+4, data.Max.X)
			}
		}
		drawEndLabels(c, data, labels)
		f.labelLevel(data, trace(f.cfg, series, x, y))
	}
}

// labelLevel writes the reference's label along its line, where it hides least
// of the lines, of which ink holds points.
func (f *Figure) labelLevel(data draw.Canvas, ink []vg.Point) {
	_, y := f.plot.Transforms(&data)
	text := f.cfg.ReferenceLabel
	if text == "" || !usable(f.cfg.Reference, f.cfg.LogY) || !data.ContainsY(y(f.cfg.Reference)) {
		return
	}
	level, width := y(f.cfg.Reference), smallFont.width(text)
	best, fewest := vg.Point{}, math.MaxInt
	const places = 12 // along the line, from right to left
	for k := range places + 1 {
		at := vg.Point{X: data.Max.X - 5 - width - vg.Length(k)/places*(data.Size().X-10-width)}
		for _, at.Y = range []vg.Length{level + 4, level - 10} {
			if box := haloBox(smallFont, at, text); data.Contains(box.Min) && data.Contains(box.Max) {
				if n := within(box, ink); n < fewest {
					best, fewest = at, n
				}
			}
		}
	}
	if fewest < math.MaxInt {
		haloed(data, smallFont, best, text)
	}
}

// within counts the points inside r.
func within(r vg.Rectangle, pts []vg.Point) int {
	n := 0
	for _, p := range pts {
		if p.X >= r.Min.X && p.X <= r.Max.X && p.Y >= r.Min.Y && p.Y <= r.Max.Y {
			n++
		}
	}
	return n
}

// trace returns points along every line, at most 3 pt apart where the line is
// on the canvas.
func trace(cfg Config, series []Series, x, y func(float64) vg.Length) []vg.Point {
	var out []vg.Point
	for _, s := range series {
		for _, r := range runs(len(s.X), func(i int) bool { return s.has(cfg, i) }) {
			for i := r[0]; i < r[1]; i++ {
				at := vg.Point{X: far(x(s.X[i])), Y: far(y(s.Y[i]))}
				if i > r[0] {
					from := out[len(out)-1]
					// Beyond 600 steps a segment leaves any canvas that matters here.
					steps := min(600, int(math.Hypot(float64(at.X-from.X), float64(at.Y-from.Y))/3))
					for k := 1; k < steps; k++ {
						w := vg.Length(k) / vg.Length(steps)
						out = append(out, vg.Point{X: from.X + w*(at.X-from.X), Y: from.Y + w*(at.Y-from.Y)})
					}
				}
				out = append(out, at)
			}
		}
	}
	return out
}
