package nb

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/gophersnake/gophersnake/internal/nbhook"
	"github.com/gophersnake/gophersnake/pkg/lab/figure"
)

// Plot is a figure of lines that grow while it is shown.
type Plot struct {
	live *live

	mu    sync.Mutex
	cfg   figure.Config
	lines []*line
	over  bool // nothing is added any more
}

// line has a name, which never changes, and a label for the legend, "" for the
// name.
type line struct {
	name, label string
	x, y        []float64
}

// Curve shows a figure to which Add appends points; the labels name the axes
// with their units.
func Curve(title, xLabel, yLabel string) *Plot {
	return CurveWith(figure.Config{Title: title, XLabel: xLabel, YLabel: yLabel})
}

// CurveWith is Curve with everything that a figure can be told: logarithmic
// axes, ranges, a reference line.
func CurveWith(c figure.Config) *Plot {
	p := &Plot{cfg: c}
	p.live = newLive(p.draw)
	return p
}

// Add appends a point to the line of that name, which the first point makes.
// NaN and infinite values are gaps.
func (p *Plot) Add(name string, x, y float64) {
	p.mu.Lock()
	l := p.line(name)
	l.x, l.y = append(l.x, x), append(l.y, y)
	p.mu.Unlock()
	p.live.changed()
}

// Restart empties a line, which keeps its place and colour.
func (p *Plot) Restart(name string) {
	p.mu.Lock()
	l := p.line(name)
	l.x, l.y = nil, nil
	p.mu.Unlock()
	p.live.changed()
}

// replace gives a line other points and another label; it keeps its place and
// colour.
func (p *Plot) replace(name, label string, x, y []float64) {
	p.mu.Lock()
	l := p.line(name)
	l.label, l.x, l.y = label, slices.Clone(x), slices.Clone(y)
	p.mu.Unlock()
	p.live.changed()
}

// Note sets the small line under the title.
func (p *Plot) Note(text string) {
	p.mu.Lock()
	p.cfg.Note = text
	p.mu.Unlock()
	p.live.changed()
}

// Done says that nothing is added any more and draws the figure a last time.
func (p *Plot) Done() {
	p.mu.Lock()
	p.over = true
	p.mu.Unlock()
	p.live.finish()
}

// Figure returns the figure as it stands.
func (p *Plot) Figure() (*figure.Figure, error) {
	p.mu.Lock()
	cfg, series := p.cfg, p.series()
	p.mu.Unlock()
	return figure.Curves(cfg, series)
}

// String is "training loss: 2 lines, 300 points".
func (p *Plot) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, l := range p.lines {
		n += len(l.x)
	}
	return fmt.Sprintf("%s: %d lines, %d points", p.cfg.Title, len(p.lines), n)
}

func (p *Plot) line(name string) *line {
	for _, l := range p.lines {
		if l.name == name {
			return l
		}
	}
	l := &line{name: name}
	p.lines = append(p.lines, l)
	return l
}

// plotPoints is how many points of a line are drawn: a figure's axis has about
// 700 pixels, and twice as many points as pixels would cost time and show
// nothing.
const plotPoints = 350

// series is what is drawn. Of a longer line each point is the mean of
// consecutive values, and the line's name says of how many.
func (p *Plot) series() []figure.Series {
	out := make([]figure.Series, 0, len(p.lines))
	for _, l := range p.lines {
		if len(l.x) == 0 {
			continue
		}
		bin := (len(l.x) + plotPoints - 1) / plotPoints
		s := figure.Series{Name: cmp.Or(l.label, l.name)}
		if bin > 1 {
			s.Name = fmt.Sprintf("%s (means of %d)", s.Name, bin)
		}
		for from := 0; from < len(l.x); from += bin {
			to := min(from+bin, len(l.x))
			s.X, s.Y = append(s.X, mean(l.x[from:to])), append(s.Y, mean(l.y[from:to]))
		}
		out = append(out, s)
	}
	return out
}

func mean(xs []float64) float64 {
	var sum float64
	for _, x := range xs {
		sum += x
	}
	return sum / float64(len(xs))
}

func (p *Plot) draw() output {
	p.mu.Lock()
	cfg, series, over := p.cfg, p.series(), p.over
	p.mu.Unlock()
	text := sparks(cfg.Title, series)
	if len(series) == 0 {
		if over {
			return textOutput(text + ": no points")
		}
		return textOutput(text + ": nothing yet")
	}
	f, err := figure.Curves(cfg, series)
	if err != nil {
		return textOutput(text + "\n" + err.Error())
	}
	out := figureOutput(f)
	out.data["text/plain"] = text
	return out
}

// sparkCells is the length of a line drawn with characters.
const sparkCells = 40

// sparks draws lines as text:
//
//	training
//	train/loss  █▆▅▃▂▂▁  2.31 → 0.12
func sparks(title string, series []figure.Series) string {
	lines := []string{title}
	width := 0
	for _, s := range series {
		width = max(width, len([]rune(s.Name)))
	}
	for _, s := range series {
		lines = append(lines, fmt.Sprintf("%-*s  %s  %.4g → %.4g", width, s.Name, spark(s.Y), s.Y[0], s.Y[len(s.Y)-1]))
	}
	return strings.Join(lines, "\n")
}

// spark draws values as one character each, "×" where there is none.
func spark(y []float64) string {
	bin := (len(y) + sparkCells - 1) / sparkCells
	var values []float64
	lo, hi := math.Inf(1), math.Inf(-1)
	for from := 0; from < len(y); from += bin {
		v := mean(y[from:min(from+bin, len(y))])
		values = append(values, v)
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	marks := []rune("▁▂▃▄▅▆▇█")
	var b strings.Builder
	for _, v := range values {
		switch {
		case math.IsNaN(v) || math.IsInf(v, 0):
			b.WriteRune('×')
		case lo == hi:
			b.WriteRune(marks[0])
		default:
			// Halves first: hi − lo may be beyond float64's range.
			b.WriteRune(marks[int(math.Round((v/2-lo/2)/(hi/2-lo/2)*float64(len(marks)-1)))])
		}
	}
	return b.String()
}

// figureOutput is a figure as SVG, sharp at every size and drawn in less than a
// millisecond. In a narrow page it is shrunk where
// SVG is part of the page; JupyterLab, where it is an image, scrolls it.
func figureOutput(f *figure.Figure) output {
	svg, err := f.SVG()
	if err != nil {
		return textOutput(err.Error())
	}
	svg = strings.Replace(svg, "<svg ", `<svg style="max-width:100%;height:auto" `, 1)
	return output{data: nbhook.Bundle{"text/plain": f.String(), "image/svg+xml": svg}}
}
