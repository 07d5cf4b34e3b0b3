package figure

import (
	"fmt"
	"image/color"
	"math"
	"math/cmplx"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// EigenDisk draws the eigenvalues λ of a diagonal recurrence in the complex
// plane with the unit circle, on which a memory lasts for ever: before training
// as rings, after it as dots, joined by a line where both have the same length.
// Either may be nil. Values that are not finite are left out and counted beside
// the name. The error tells what is wrong with cfg, or that nothing is left to
// draw.
func EigenDisk(cfg Config, before, after []complex128) (*Figure, error) {
	cfg.LogX, cfg.LogY = false, false
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("figure.EigenDisk: %w", err)
	}
	radius, lost := diskRadius(before, after)
	if lost == len(before)+len(after) {
		return nil, fmt.Errorf("figure.EigenDisk: nothing to draw: %d eigenvalues, none finite", lost)
	}
	if cfg.XLabel == "" && cfg.YLabel == "" {
		cfg.XLabel, cfg.YLabel = "Re λ", "Im λ"
	}
	f := newFigure(cfg, 6, 4.9)
	f.square = true
	whole := span{-radius, radius, false}
	whole.apply(&f.plot.X, cfg.XRange, 5)
	whole.apply(&f.plot.Y, cfg.YRange, 5)
	f.plot.Add(gridLines(f.plot, true, true), unitCircle())
	if len(before) == len(after) {
		f.plot.Add(moves(before, after))
	}
	f.plot.Add(dots(before, beforeLook, dotRadius, false), dots(after, lookOf(0), dotRadius, true))
	f.diskLegend(before, after)
	return f, nil
}

// beforeLook is the grey of a start that training has left.
var beforeLook = look{color: soft, shape: draw.CircleGlyph{}}

// diskRadius is the largest |λ|, at least 1, and how many are not finite.
func diskRadius(sets ...[]complex128) (radius float64, lost int) {
	radius = 1.05
	for _, set := range sets {
		for _, z := range set {
			if a := cmplx.Abs(z); finite(a) {
				radius = max(radius, a)
			} else {
				lost++
			}
		}
	}
	return radius, lost
}

func unitCircle() drawFunc {
	return func(c draw.Canvas, x, y func(float64) vg.Length) {
		var pts []vg.Point
		const sides = 360 // a side is 1° and cannot be seen
		for k := range sides + 1 {
			sin, cos := math.Sincos(2 * math.Pi * float64(k) / sides)
			pts = append(pts, vg.Point{X: far(x(cos)), Y: far(y(sin))})
		}
		c.StrokeLines(draw.LineStyle{Color: ink, Width: 1}, c.ClipLinesXY(pts)...)
	}
}

// moves joins each start with its end.
func moves(before, after []complex128) drawFunc {
	style := draw.LineStyle{Color: faded(soft, 0.5), Width: 0.7}
	return func(c draw.Canvas, x, y func(float64) vg.Length) {
		for i := range before {
			if !finite(cmplx.Abs(before[i])) || !finite(cmplx.Abs(after[i])) {
				continue
			}
			path := []vg.Point{
				{X: far(x(real(before[i]))), Y: far(y(imag(before[i])))},
				{X: far(x(real(after[i]))), Y: far(y(imag(after[i])))},
			}
			c.StrokeLines(style, c.ClipLinesXY(path)...)
		}
	}
}

// dotRadius is the radius of an eigenvalue's dot in points.
const dotRadius = vg.Length(2.6)

// dots draws a set, filled or as rings.
func dots(set []complex128, l look, radius vg.Length, filled bool) drawFunc {
	return func(c draw.Canvas, x, y func(float64) vg.Length) {
		for _, z := range set {
			if !finite(cmplx.Abs(z)) {
				continue
			}
			at := vg.Point{X: far(x(real(z))), Y: far(y(imag(z)))}
			if c.Contains(at) {
				dot(c, l, at, radius, filled)
			}
		}
	}
}

// dot draws one eigenvalue.
func dot(c draw.Canvas, l look, at vg.Point, radius vg.Length, filled bool) {
	if filled {
		marked(c, l, radius, at)
		return
	}
	ring(c, l.color, at, radius)
}

// ring draws a circle.
func ring(c draw.Canvas, k color.NRGBA, at vg.Point, radius vg.Length) {
	var path vg.Path
	path.Move(vg.Point{X: at.X + radius, Y: at.Y})
	path.Arc(at, radius, 0, 2*math.Pi)
	path.Close()
	c.SetLineStyle(draw.LineStyle{Color: k, Width: 1})
	c.Stroke(path)
}

// diskLegend names the sets in a column at the right.
func (f *Figure) diskLegend(before, after []complex128) {
	texts := []string{"before training", "after training"}
	lost := make([]string, 2)
	for i, set := range [][]complex128{before, after} {
		texts[i] += fmt.Sprintf(" (%d)", len(set))
		if _, n := diskRadius(set); n > 0 {
			lost[i] = fmt.Sprintf("%d diverged", n)
		}
		f.right = max(f.right, labelFont.width(texts[i])+22)
	}
	f.overlay = func(c, data draw.Canvas) {
		at := vg.Point{X: data.Max.X + 14, Y: data.Max.Y - 8}
		small := smallFont
		small.color = danger
		for i, set := range [][]complex128{before, after} {
			if len(set) == 0 {
				continue
			}
			dot(c, []look{beforeLook, lookOf(0)}[i], at, dotRadius, i == 1)
			labelFont.left(c, vg.Point{X: at.X + 8, Y: at.Y - labelFont.middle()}, texts[i])
			small.left(c, vg.Point{X: at.X + 8, Y: at.Y - labelFont.middle() - 11}, lost[i])
			at.Y -= 2 * lineStep
		}
	}
}
