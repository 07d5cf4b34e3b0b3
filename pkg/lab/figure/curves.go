package figure

import (
	"errors"
	"fmt"
	"slices"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Series is a line: Y over X, with an interval [Lo, Hi] at each point if Lo and
// Hi are given. All four have the same length; Lo and Hi may be nil. A Y that
// is NaN or infinite (or not positive on a logarithmic axis) is a gap, and a
// series that ends in such values is drawn as diverged, so end X and Y where
// the data end. A Lo or Hi that is NaN or infinite is a gap in the band.
type Series struct {
	Name string    `json:"name"`
	X    []float64 `json:"x"`
	Y    []float64 `json:"y"`
	Lo   []float64 `json:"lo,omitempty"`
	Hi   []float64 `json:"hi,omitempty"`

	Color Color `json:"color,omitempty"` // none: by the series's place
}

// look is how the series at place i is drawn.
func (s Series) look(i int) look {
	l := lookOf(i)
	if s.Color != "" {
		l.color = s.Color.or(i)
	}
	return l
}

// validate reports slices of different lengths.
func (s Series) validate() error {
	bad := len(s.Y) != len(s.X) || (s.Lo == nil) != (s.Hi == nil) ||
		(s.Lo != nil && (len(s.Lo) != len(s.X) || len(s.Hi) != len(s.X)))
	if bad {
		return fmt.Errorf("series %q has %d x, %d y, %d lo, %d hi, want as many of each (lo and hi may both be nil)",
			s.Name, len(s.X), len(s.Y), len(s.Lo), len(s.Hi))
	}
	if err := s.Color.validate(); err != nil {
		return fmt.Errorf("series %q: %w", s.Name, err)
	}
	return nil
}

// has reports whether point i is drawn.
func (s Series) has(cfg Config, i int) bool {
	return usable(s.X[i], cfg.LogX) && usable(s.Y[i], cfg.LogY)
}

// last is the index of the last drawn point, −1 for none.
func (s Series) last(cfg Config) int {
	for i := len(s.X) - 1; i >= 0; i-- {
		if s.has(cfg, i) {
			return i
		}
	}
	return -1
}

// diverged reports whether the values stop being finite before the end.
func (s Series) diverged(cfg Config) bool {
	n := len(s.X)
	return n > 0 && !finite(s.Y[n-1]) && s.last(cfg) < n-1
}

// label is the name, with a word if the series diverged.
func (s Series) label(cfg Config) string {
	if s.diverged(cfg) {
		return clean(s.Name) + " (diverged)"
	}
	return clean(s.Name)
}

// Curves draws lines with a shaded interval: losses over steps, accuracy over
// length. So that one uncertain start does not flatten the rest, the axis leaves
// out the widest 4 % of the bands, and what reaches beyond the lines by more
// than half their range; such a band is cut at the frame. YRange overrides
// this. Lines of at most 25 points show the points. The error tells
// what is wrong with cfg or series, or that nothing is left to draw.
func Curves(cfg Config, series []Series) (*Figure, error) {
	if err := checkSeries("Curves", cfg, series); err != nil {
		return nil, err
	}
	f := newFigure(cfg, 7, 4.5)
	xs, ys := seriesSpans(f.cfg, series)
	xs.apply(&f.plot.X, cfg.XRange, 6)
	ys.apply(&f.plot.Y, cfg.YRange, 6)
	f.ownTicks(series)
	f.plot.Add(gridLines(f.plot, true, true))
	for i, s := range series {
		f.plot.Add(band(f.cfg, f.plot.Y.Min, s, s.look(i)))
	}
	f.plot.Add(levelLine(f.cfg))
	for i, s := range series {
		f.plot.Add(line(f.cfg, s, s.look(i)))
	}
	for i, s := range series {
		f.plot.Add(endMark(f.cfg, s, s.look(i)))
	}
	f.labelSeries(series, labelsOf(f.cfg, series), true, false)
	return f, nil
}

// checkSeries is the validation that Curves and Scaling share.
func checkSeries(caller string, cfg Config, series []Series) error {
	errs := []error{cfg.validate()}
	points := 0
	for _, s := range series {
		if err := s.validate(); err != nil {
			errs = append(errs, err)
			continue
		}
		if s.last(cfg) >= 0 {
			points++
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("figure.%s: %w", caller, err)
	}
	if points == 0 {
		return fmt.Errorf("figure.%s: nothing to draw: %d series, none with a point that is finite (and positive on a logarithmic axis)", caller, len(series))
	}
	return nil
}

// seriesSpans is the range of the data in x and y, reference and bands
// included, bands as Curves says.
func seriesSpans(cfg Config, series []Series) (xs, ys span) {
	xs, ys = newSpan(cfg.LogX), newSpan(cfg.LogY)
	var lows, highs []float64
	for _, s := range series {
		for i := range s.X {
			if !s.has(cfg, i) {
				continue
			}
			xs.add(s.X[i])
			ys.add(s.Y[i])
			if s.Lo != nil && usable(s.Lo[i], cfg.LogY) && usable(s.Hi[i], cfg.LogY) {
				lows, highs = append(lows, s.Lo[i]), append(highs, s.Hi[i])
			}
		}
	}
	if cfg.ReferenceLabel != "" {
		ys.add(cfg.Reference)
	}
	if len(lows) > 0 {
		slices.Sort(lows)
		slices.Sort(highs)
		rare := len(lows) / 25
		bands := newSpan(cfg.LogY)
		bands.add(lows[rare], highs[len(highs)-1-rare])
		bands = bands.cut(ys.grown(0.5))
		ys.add(bands.lo, bands.hi)
	}
	return xs, ys
}

// band shades [Lo, Hi], cut to the axes, of which floor is the lower end of y.
func band(cfg Config, floor float64, s Series, l look) drawFunc {
	return func(c draw.Canvas, x, y func(float64) vg.Length) {
		if s.Lo == nil {
			return
		}
		ok := func(i int) bool {
			return s.has(cfg, i) && finite(s.Lo[i]) && usable(s.Hi[i], cfg.LogY)
		}
		for _, r := range runs(len(s.X), ok) {
			if r[1] == r[0]+1 {
				interval(c, s, r[0], l, x, y)
				continue
			}
			var upper, lower []vg.Point
			for i := r[0]; i < r[1]; i++ {
				lo := s.Lo[i]
				if cfg.LogY {
					lo = max(lo, floor)
				}
				at := far(x(s.X[i]))
				upper = append(upper, vg.Point{X: at, Y: far(y(s.Hi[i]))})
				lower = append(lower, vg.Point{X: at, Y: far(y(lo))})
			}
			for i := len(lower) - 1; i >= 0; i-- {
				upper = append(upper, lower[i])
			}
			c.FillPolygon(faded(l.color, 0.18), c.ClipPolygonXY(upper))
		}
	}
}

// interval draws the interval of point i as a whisker.
func interval(c draw.Canvas, s Series, i int, l look, x, y func(float64) vg.Length) {
	at := far(x(s.X[i]))
	style := draw.LineStyle{Color: l.color, Width: 1.1}
	whisker(c, style, vg.Point{X: at, Y: far(y(s.Lo[i]))}, vg.Point{X: at, Y: far(y(s.Hi[i]))}, 3.5)
}

// line draws the means, with points where they are few or stand alone.
func line(cfg Config, s Series, l look) drawFunc {
	return func(c draw.Canvas, x, y func(float64) vg.Length) {
		at := func(i int) vg.Point { return vg.Point{X: far(x(s.X[i])), Y: far(y(s.Y[i]))} }
		for _, r := range runs(len(s.X), func(i int) bool { return s.has(cfg, i) }) {
			var pts []vg.Point
			for i := r[0]; i < r[1]; i++ {
				pts = append(pts, at(i))
			}
			if len(pts) > 1 {
				c.StrokeLines(l.line(1.8), c.ClipLinesXY(pts)...)
			}
			if len(pts) == 1 || len(s.X) <= 25 {
				for _, pt := range pts {
					marked(c, l, 2.6, pt)
				}
			}
		}
	}
}

// endMark draws × where a series diverged.
func endMark(cfg Config, s Series, l look) drawFunc {
	return func(c draw.Canvas, x, y func(float64) vg.Length) {
		k := s.last(cfg)
		if k < 0 || !s.diverged(cfg) {
			return
		}
		if at := (vg.Point{X: far(x(s.X[k])), Y: far(y(s.Y[k]))}); c.Contains(at) {
			cross(c, l, at)
		}
	}
}

// labelsOf is each series's label.
func labelsOf(cfg Config, series []Series) []string {
	texts := make([]string, len(series))
	for i, s := range series {
		texts[i] = s.label(cfg)
	}
	return texts
}
