package figure

import (
	"fmt"
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/gophersnake/gophersnake/pkg/lab/stats"
)

// fitConfidence is the coverage of the exponent's interval. The figure shows
// only the exponent; stats.LogLogSlope gives the interval.
const fitConfidence = 0.95

// Scaling draws y against x on two logarithmic axes, with a fitted power law
// through each series and its exponent behind the name: "attention: L^1.98".
// Points below fitFrom are drawn but not fitted, because a fixed cost bends
// short measurements. Lo and Hi become whiskers. A series whose points do not
// tell the exponent (stats.PowerLaw.Tells) keeps its plain name. LogX and LogY are implied. The error tells
// what is wrong with cfg or series, or that nothing is left to draw.
func Scaling(cfg Config, series []Series, fitFrom float64) (*Figure, error) {
	cfg.LogX, cfg.LogY = true, true
	if err := checkSeries("Scaling", cfg, series); err != nil {
		return nil, err
	}
	f := newFigure(cfg, 7, 4.5)
	xs, ys := seriesSpans(f.cfg, series)
	xs.apply(&f.plot.X, cfg.XRange, 6)
	ys.apply(&f.plot.Y, cfg.YRange, 6)
	f.ownTicks(series)
	f.plot.Add(gridLines(f.plot, true, true), levelLine(f.cfg))
	texts := labelsOf(f.cfg, series)
	for i, s := range series {
		if fit, ok := fitted(f.cfg, s, fitFrom); ok {
			texts[i] = fmt.Sprintf("%s: L^%.2f", texts[i], fit.Exponent)
			f.plot.Add(fitLine(f.cfg, s, fit, fitFrom, s.look(i)))
		}
	}
	for i, s := range series {
		f.plot.Add(measured(f.cfg, s, s.look(i)), endMark(f.cfg, s, s.look(i)))
	}
	f.labelSeries(series, texts, true, true)
	return f, nil
}

// fitted is the power law through the points of s from fitFrom on.
func fitted(cfg Config, s Series, fitFrom float64) (stats.PowerLaw, bool) {
	var x, y []float64
	for i := range s.X {
		if s.has(cfg, i) && s.X[i] >= fitFrom {
			x, y = append(x, s.X[i]), append(y, s.Y[i])
		}
	}
	fit, err := stats.LogLogSlope(x, y, fitConfidence)
	return fit, err == nil && fit.Tells()
}

// fitLine draws the law over the range that it was fitted on.
func fitLine(cfg Config, s Series, fit stats.PowerLaw, fitFrom float64, l look) drawFunc {
	xs := newSpan(true)
	for i, x := range s.X {
		if s.has(cfg, i) && x >= fitFrom {
			xs.add(x)
		}
	}
	return func(c draw.Canvas, x, y func(float64) vg.Length) {
		ends := []vg.Point{}
		for _, at := range []float64{xs.lo, xs.hi} {
			// An extreme exponent can leave float64's range.
			v := math.Min(math.Max(fit.At(at), math.SmallestNonzeroFloat64), math.MaxFloat64)
			ends = append(ends, vg.Point{X: far(x(at)), Y: far(y(v))})
		}
		c.StrokeLines(l.line(1.5), c.ClipLinesXY(ends)...)
	}
}

// measured draws the points, whiskers and a thin line that joins them.
func measured(cfg Config, s Series, l look) drawFunc {
	return func(c draw.Canvas, x, y func(float64) vg.Length) {
		thin := draw.LineStyle{Color: faded(l.color, 0.35), Width: 1}
		for _, r := range runs(len(s.X), func(i int) bool { return s.has(cfg, i) }) {
			var path []vg.Point
			for i := r[0]; i < r[1]; i++ {
				path = append(path, vg.Point{X: far(x(s.X[i])), Y: far(y(s.Y[i]))})
			}
			c.StrokeLines(thin, c.ClipLinesXY(path)...)
		}
		for i := range s.X {
			if !s.has(cfg, i) {
				continue
			}
			at := vg.Point{X: far(x(s.X[i])), Y: far(y(s.Y[i]))}
			marked(c, l, 3.2, at)
			if s.Lo != nil && usable(s.Lo[i], true) && usable(s.Hi[i], true) {
				interval(c, s, i, l, x, y)
			}
		}
	}
}
