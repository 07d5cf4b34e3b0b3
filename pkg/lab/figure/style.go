package figure

import (
	"image/color"
	"math"
	"strings"
	"unicode"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Greys, from paper to ink.
var (
	white  = color.NRGBA{255, 255, 255, 255}
	grid   = color.NRGBA{229, 229, 229, 255}
	muted  = color.NRGBA{178, 191, 203, 255} // bars beside a highlighted one
	others = color.NRGBA{205, 205, 205, 255} // lines of the arms that a panel is not about
	soft   = color.NRGBA{110, 110, 110, 255} // notes, reference lines
	ink    = color.NRGBA{38, 38, 38, 255}
	danger = color.NRGBA{213, 94, 0, 255} // vermillion: diverged
)

// palette is Okabe and Ito's without yellow, too pale for a line on white, and
// with a grey in its place.
var palette = []color.NRGBA{
	{0, 114, 178, 255},   // blue
	{213, 94, 0, 255},    // vermillion
	{0, 158, 115, 255},   // bluish green
	{204, 121, 167, 255}, // reddish purple
	{230, 159, 0, 255},   // orange
	{86, 180, 233, 255},  // sky blue
	{38, 38, 38, 255},    // near black
	{140, 140, 140, 255}, // grey
}

// dashes follow each other when the colours start again.
var dashes = [][]vg.Length{nil, {5, 2.5}, {1.5, 2}, {7, 2, 1.5, 2}}

// shapes are the point marks, by series.
var shapes = []draw.GlyphDrawer{draw.CircleGlyph{}, draw.BoxGlyph{}, draw.PyramidGlyph{}}

// look is how series i is drawn.
type look struct {
	color color.NRGBA
	dash  []vg.Length
	shape draw.GlyphDrawer
}

func lookOf(i int) look {
	return look{
		color: palette[i%len(palette)],
		dash:  dashes[i/len(palette)%len(dashes)],
		shape: shapes[i%len(shapes)],
	}
}

// line is the look as a line of width w.
func (l look) line(w vg.Length) draw.LineStyle {
	return draw.LineStyle{Color: l.color, Width: w, Dashes: l.dash}
}

// faded is c at the given opacity.
func faded(c color.NRGBA, opacity float64) color.NRGBA {
	c.A = uint8(math.Round(255 * opacity))
	return c
}

// textFont is one of the figure's fonts with its colour.
type textFont struct {
	size  vg.Length // points
	bold  bool
	color color.NRGBA
	mono  bool // every symbol as wide as the others
}

var (
	titleFont = textFont{size: 13, bold: true, color: ink}
	noteFont  = textFont{size: 9.5, color: soft}
	axisFont  = textFont{size: 11, color: ink}
	tickFont  = textFont{size: 10, color: ink}
	labelFont = textFont{size: 10, color: ink}
	smallFont = textFont{size: 8.5, color: soft}
)

// font is the description that gonum/plot looks fonts up by.
func (t textFont) font() font.Font {
	f := font.Font{Typeface: "Liberation", Variant: "Sans", Size: t.size}
	if t.mono {
		f.Variant = "Mono"
	}
	if t.bold {
		f.Weight = xfont.WeightBold
	}
	return f
}

// width is the length of a line of text.
func (t textFont) width(text string) vg.Length {
	face := font.DefaultCache.Lookup(t.font(), t.size)
	return face.Width(text)
}

// left writes text from pt on, the baseline at pt.Y.
func (t textFont) left(c draw.Canvas, pt vg.Point, text string) {
	if text == "" {
		return
	}
	c.SetColor(t.color)
	c.FillString(font.DefaultCache.Lookup(t.font(), t.size), pt, text)
}

// aligned writes text with the share at (0 left, ½ middle, 1 right) of its
// width before pt.X.
func (t textFont) aligned(c draw.Canvas, pt vg.Point, at vg.Length, text string) {
	pt.X -= at * t.width(text)
	t.left(c, pt, text)
}

// upright writes text upwards, centred on pt.
func (t textFont) upright(c draw.Canvas, pt vg.Point, text string) {
	c.Push()
	c.Translate(pt)
	c.Rotate(math.Pi / 2)
	t.aligned(c, vg.Point{}, 0.5, text)
	c.Pop()
}

// middle is the distance from a line's vertical centre down to its baseline:
// half the height of Liberation Sans's capitals, 0.72 of the size.
func (t textFont) middle() vg.Length { return 0.36 * t.size }

// newPlot returns axes in the house style: thin grey lines, short ticks, no gap
// between axis and data.
func newPlot(cfg Config) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.Tick.Label.Font, a.Tick.Label.Color = tickFont.font(), tickFont.color
		a.LineStyle = draw.LineStyle{Color: soft, Width: 0.8}
		a.Tick.LineStyle = draw.LineStyle{Color: soft, Width: 0.8}
		a.Tick.Length = 3.5
		a.Padding = 0
	}
	if cfg.LogX {
		p.X.Scale = plot.LogScale{}
	}
	if cfg.LogY {
		p.Y.Scale = plot.LogScale{}
	}
	return p
}

// clean makes text fit one line of an XML document: white space becomes a
// space, control characters and broken UTF-8 disappear.
func clean(text string) string {
	text = strings.ToValidUTF8(text, "")
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), r == 0xFFFE, r == 0xFFFF:
			return -1
		}
		return r
	}, text)
	return strings.TrimSpace(text)
}

// wrap breaks text at spaces into lines of at most width.
func wrap(text string, f textFont, width vg.Length) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		longer := strings.TrimSpace(line + " " + word)
		if line != "" && f.width(longer) > width {
			lines = append(lines, line)
			longer = word
		}
		line = longer
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// shorten cuts text to width and ends it with "…" if it had to.
func shorten(text string, f textFont, width vg.Length) string {
	if f.width(text) <= width {
		return text
	}
	runes := []rune(text)
	for len(runes) > 1 && f.width(string(runes)+"…") > width {
		runes = runes[:len(runes)-1]
	}
	return strings.TrimSpace(string(runes)) + "…"
}
