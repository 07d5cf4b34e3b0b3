package figure

import (
	"fmt"
	"image/color"
	"maps"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Tuning is what an arm's tries at several learning rates came to.
type Tuning struct {
	Name   string  `json:"name"`
	Color  Color   `json:"color,omitempty"` // none: by the arm's place
	Tries  []Trial `json:"tries"`
	Chosen float64 `json:"chosen"`         // the rate that was taken, 0 for none
	Edge   bool    `json:"edge,omitempty"` // the best rate, taken or not, is the smallest or largest tried
}

// Trial is one try; a Score that is NaN or infinite has diverged.
type Trial struct {
	Rate  float64 `json:"rate"`
	Score float64 `json:"score"`
}

// Rates draws scores over learning rates as small multiples: a panel an arm, a
// dot a try, a line through the means, a ring around the chosen rate, which
// stands above the panel. Where the best rate lies at the edge of the grid it says
// so: a better one may lie beyond. Tries that
// diverged are × at the upper end, with their number if there are several. Rates need not be the same for all arms; the
// x axis is logarithmic. Without YRange the y axis leaves out a twentieth of the
// scores at each end where they lie far from the rest, and triangles stand for
// them.
//
// The error tells what is wrong with cfg or arms, or that there is no try.
func Rates(cfg Config, arms []Tuning) (*Figure, error) {
	cfg.LogX = true
	xs, err := checkRates(cfg, arms)
	if err != nil {
		return nil, fmt.Errorf("figure.Rates: %w", err)
	}
	g := &multiples{
		x: newAxis(xs, cfg.XRange, clean(cfg.XLabel), 4),
		y: newAxis(scoreSpan(cfg, arms), cfg.YRange, clean(cfg.YLabel), 5),
	}
	if lost(arms) { // a strip for the crosses above the scores
		g.y.hi = g.y.grown(0.15).hi
	}
	if ticks := rateTicks(arms); ticks != nil {
		g.x.ticks = ticks
	}
	for i, a := range arms {
		h := head{name: a.Name, color: a.Color.or(i)}
		h.note, h.alert = a.verdict()
		g.heads = append(g.heads, h)
	}
	return newPanels(cfg, g, func(i int, p panel) {
		levelLine(cfg)(p.Canvas, p.x, p.y)
		arms[i].draw(cfg, p, g.heads[i].color)
	}), nil
}

// checkRates returns the range of the rates.
func checkRates(cfg Config, arms []Tuning) (span, error) {
	xs := newSpan(true)
	if err := cfg.validate(); err != nil {
		return xs, err
	}
	for _, a := range arms {
		if err := a.Color.validate(); err != nil {
			return xs, fmt.Errorf("arm %q: %w", a.Name, err)
		}
		for _, t := range a.Tries {
			if !usable(t.Rate, true) {
				return xs, fmt.Errorf("arm %q: rate is %g, want a finite number above 0", a.Name, t.Rate)
			}
			xs.add(t.Rate)
		}
	}
	if xs.empty() {
		return xs, fmt.Errorf("nothing to draw: %d arms without a try", len(arms))
	}
	return xs.grown(0.06), nil
}

// scoreSpan is the range of the scores as Rates says.
func scoreSpan(cfg Config, arms []Tuning) span {
	var scores []float64
	for _, a := range arms {
		for _, t := range a.Tries {
			if usable(t.Score, cfg.LogY) {
				scores = append(scores, t.Score)
			}
		}
	}
	s, bulk := newSpan(cfg.LogY), newSpan(cfg.LogY)
	if len(scores) == 0 { // all diverged: an axis is drawn all the same
		s.add(1)
		return s
	}
	slices.Sort(scores)
	rare := len(scores) / 20
	bulk.add(scores[rare : len(scores)-rare]...)
	s.add(scores...)
	s = s.cut(bulk.grown(1))
	if cfg.ReferenceLabel != "" && s.near(cfg.Reference) {
		s.add(cfg.Reference)
	}
	return s
}

// lost reports whether any try has diverged.
func lost(arms []Tuning) bool {
	for _, a := range arms {
		for _, t := range a.Tries {
			if !finite(t.Score) {
				return true
			}
		}
	}
	return false
}

// rateTicks are ticks at the tried rates, if they are few.
func rateTicks(arms []Tuning) []plot.Tick {
	var rates []float64
	for _, a := range arms {
		for _, t := range a.Tries {
			rates = append(rates, t.Rate)
		}
	}
	return valueTicks(rates)
}

// verdict is the line above a panel, and whether it is a warning.
func (a Tuning) verdict() (text string, alert bool) {
	rates := slices.Sorted(maps.Keys(a.byRate()))
	switch {
	case len(rates) == 0:
		return "no try", false
	case a.Chosen == 0:
		return "none chosen", false
	case a.Edge && a.Chosen <= rates[0]:
		return logNumber(a.Chosen) + ", the smallest tried", true
	case a.Edge && a.Chosen >= rates[len(rates)-1]:
		return logNumber(a.Chosen) + ", the largest tried", true
	case a.Edge:
		return logNumber(a.Chosen) + ", the best at the edge", true
	}
	return logNumber(a.Chosen), false
}

// byRate is the scores of each rate, in the order of the tries.
func (a Tuning) byRate() map[float64][]float64 {
	out := map[float64][]float64{}
	for _, t := range a.Tries {
		out[t.Rate] = append(out[t.Rate], t.Score)
	}
	return out
}

// draw draws an arm's panel. Where a try has diverged the line has a gap: a
// mean of the others would flatter the rate.
func (a Tuning) draw(cfg Config, p panel, paint color.NRGBA) {
	scores := a.byRate()
	l := look{color: paint, shape: draw.CircleGlyph{}}
	s := Series{}
	for _, rate := range slices.Sorted(maps.Keys(scores)) {
		s.X, s.Y = append(s.X, rate), append(s.Y, mean(scores[rate]))
	}
	for _, r := range runs(len(s.X), func(i int) bool { return s.has(cfg, i) }) {
		var path []vg.Point
		for i := r[0]; i < r[1]; i++ {
			path = append(path, vg.Point{X: p.x(s.X[i]), Y: p.y(s.Y[i])})
		}
		p.StrokeLines(l.line(1.5), p.ClipLinesXY(path)...)
	}
	for i, rate := range s.X {
		a.trials(cfg, p, l, rate, scores[rate])
		at := vg.Point{X: p.x(rate), Y: p.y(s.Y[i])}
		if rate == a.Chosen && s.has(cfg, i) && p.Contains(at) {
			ring(p.Canvas, ink, at, 5)
		}
	}
}

// trials draws the tries at one rate: those that diverged as one cross, with
// their number if there are several.
func (a Tuning) trials(cfg Config, p panel, l look, rate float64, scores []float64) {
	lost, x := 0, p.x(rate)
	for _, v := range scores {
		switch y := p.y(v); {
		case !usable(v, cfg.LogY):
			lost++
		case y > p.Max.Y:
			triangle(p.Canvas, l.color, vg.Point{X: x, Y: p.Max.Y - 3}, false)
		case y < p.Min.Y:
			triangle(p.Canvas, l.color, vg.Point{X: x, Y: p.Min.Y + 3}, true)
		default:
			marked(p.Canvas, l, 2.2, vg.Point{X: x, Y: y})
		}
	}
	if lost > 0 {
		cross(p.Canvas, look{color: danger}, vg.Point{X: x, Y: p.Max.Y - 5})
	}
	if lost > 1 {
		f := smallFont
		f.color = danger
		f.left(p.Canvas, vg.Point{X: x + 6, Y: p.Max.Y - 5 - f.middle()}, fmt.Sprint(lost))
	}
}

// mean is the mean of scores, NaN if one has diverged.
func mean(scores []float64) float64 {
	sum := 0.0
	for _, v := range scores {
		sum += v / float64(len(scores))
	}
	if !finite(sum) {
		return math.NaN()
	}
	return sum
}
