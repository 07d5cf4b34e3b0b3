package figure

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// DPI is the resolution of a PNG in dots per inch: 7 inches are 1050 pixels,
// sharp at twice the density of a notebook's column.
const DPI = 150

// Config says what stands around the data. The zero value is usable.
type Config struct {
	Title  string `json:"title,omitempty"`
	Note   string `json:"note,omitempty"`    // small line under the title: what band and whiskers mean, how many seeds
	XLabel string `json:"x_label,omitempty"` // with unit: "step", "sequence length L (tokens)"
	YLabel string `json:"y_label,omitempty"`
	LogX   bool   `json:"log_x,omitempty"`
	LogY   bool   `json:"log_y,omitempty"`

	XRange [2]float64 `json:"x_range"` // ends of the axis, automatic if equal
	YRange [2]float64 `json:"y_range"`

	// Reference is a dashed line across the data where ReferenceLabel is not
	// empty: the chance level, a published number.
	Reference      float64 `json:"reference,omitempty"`
	ReferenceLabel string  `json:"reference_label,omitempty"`

	// Mark is an upright line through every panel of Panels where MarkLabel is
	// not empty: the length that models were trained at.
	Mark      float64 `json:"mark,omitempty"`
	MarkLabel string  `json:"mark_label,omitempty"`

	Width  float64 `json:"width,omitempty"`  // inches, 0 for the kind's own size
	Height float64 `json:"height,omitempty"` // inches
}

// maxInches bounds a figure's side: 40 inches are 6000 pixels, 144 MB as RGBA
// for a square.
const maxInches = 40

// validate reports every field that is out of range.
func (c Config) validate() error {
	var errs []error
	check := func(name string, v [2]float64, log bool) {
		switch {
		case !finite(v[0]) || !finite(v[1]) || v[0] > v[1]:
			errs = append(errs, fmt.Errorf("%s is [%g, %g], want two finite numbers, the smaller first", name, v[0], v[1]))
		case log && v[0] != v[1] && v[0] <= 0:
			errs = append(errs, fmt.Errorf("%s is [%g, %g], want both above 0 on a logarithmic axis", name, v[0], v[1]))
		}
	}
	check("x_range", c.XRange, c.LogX)
	check("y_range", c.YRange, c.LogY)
	if c.ReferenceLabel != "" && !finite(c.Reference) {
		errs = append(errs, fmt.Errorf("reference is %g, want a finite number", c.Reference))
	}
	if c.MarkLabel != "" && !finite(c.Mark) {
		errs = append(errs, fmt.Errorf("mark is %g, want a finite number", c.Mark))
	}
	size := func(name string, v float64) {
		if v != 0 && !(v >= 1 && v <= maxInches) {
			errs = append(errs, fmt.Errorf("%s is %g, want 1 to %d inches, or 0 for the usual size", name, v, maxInches))
		}
	}
	size("width", c.Width)
	size("height", c.Height)
	return errors.Join(errs...)
}

// Figure is a drawing that is ready to be written.
type Figure struct {
	cfg           Config
	width, height vg.Length
	plot          *plot.Plot
	left, right   vg.Length // room beside the axes for names and values
	top           vg.Length // and above them
	square        bool      // one unit of x is as long as one unit of y
	// overlay draws beside and over the data once their place is known.
	overlay func(c, data draw.Canvas)
	// body draws everything below title and note in place of plot.
	body func(c draw.Canvas)
}

// newFigure returns a figure with styled, empty axes of the given size in
// inches, unless cfg asks for another.
func newFigure(cfg Config, width, height float64) *Figure {
	if cfg.Width > 0 {
		width = cfg.Width
	}
	if cfg.Height > 0 {
		height = cfg.Height
	}
	cfg.Title, cfg.Note = clean(cfg.Title), clean(cfg.Note)
	cfg.XLabel, cfg.YLabel, cfg.ReferenceLabel = clean(cfg.XLabel), clean(cfg.YLabel), clean(cfg.ReferenceLabel)
	return &Figure{
		cfg: cfg, width: vg.Length(width) * vg.Inch, height: vg.Length(height) * vg.Inch,
		plot: newPlot(cfg),
	}
}

// String is "figure: TITLE (7 × 4.5 in)".
func (f *Figure) String() string {
	title := f.cfg.Title
	if title == "" {
		title = "untitled"
	}
	return fmt.Sprintf("figure: %s (%.4g × %.4g in)", title, f.width/vg.Inch, f.height/vg.Inch)
}

// PNG is the figure as a PNG file of Width·DPI by Height·DPI pixels.
func (f *Figure) PNG() (data []byte, err error) {
	defer recovered(&err)
	c := vgimg.NewWith(vgimg.UseWH(f.width, f.height), vgimg.UseDPI(DPI))
	f.draw(draw.New(c))
	var b bytes.Buffer
	if _, err := (vgimg.PngCanvas{Canvas: c}).WriteTo(&b); err != nil {
		return nil, fmt.Errorf("figure: PNG: %w", err)
	}
	return b.Bytes(), nil
}

// SVG is the figure as an SVG document. Text stays text.
func (f *Figure) SVG() (text string, err error) {
	defer recovered(&err)
	c := vgsvg.NewWith(vgsvg.UseWH(f.width, f.height))
	f.draw(draw.New(c))
	var b strings.Builder
	if _, err := c.WriteTo(&b); err != nil {
		return "", fmt.Errorf("figure: SVG: %w", err)
	}
	return steadyText(b.String()), nil
}

// Save writes path.png and path.svg and makes path's folder if need be.
func (f *Figure) Save(path string) error {
	data, err := f.PNG()
	if err != nil {
		return err
	}
	text, err := f.SVG()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("figure: %w", err)
	}
	if err := os.WriteFile(path+".png", data, 0o644); err != nil {
		return fmt.Errorf("figure: %w", err)
	}
	if err := os.WriteFile(path+".svg", []byte(text), 0o644); err != nil {
		return fmt.Errorf("figure: %w", err)
	}
	return nil
}

// recovered turns a panic of the drawing library into an error: a figure that
// cannot be drawn must not end a night of training.
func recovered(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("figure: cannot draw: %v", r)
	}
}

// margin is the blank frame around everything.
const margin = vg.Length(10)

// draw lays out title, note, axes, data and overlay, top to bottom.
func (f *Figure) draw(c draw.Canvas) {
	c.SetColor(white)
	c.Fill(c.Rectangle.Path())
	c = draw.Crop(c, margin, -margin, margin, -margin)
	c.Max.Y = f.drawHead(c)
	if f.body != nil {
		f.body(c)
		return
	}
	left, bottom := f.left, vg.Length(0)
	if f.cfg.YLabel != "" {
		left += axisLabelRoom
	}
	if f.cfg.XLabel != "" {
		bottom = axisLabelRoom
	}
	inner := draw.Crop(c, left, -f.right, bottom, -f.top)
	if f.square {
		inner = squared(f.plot, inner)
	}
	f.plot.Draw(inner)
	data := f.plot.DataCanvas(inner)
	f.axisLabels(inner, data)
	if f.overlay != nil {
		f.overlay(c, data)
	}
}

// headLines is the title and the note, each broken into lines.
func (f *Figure) headLines(width vg.Length) (title, note []string) {
	return wrapHard(f.cfg.Title, titleFont, width), wrapHard(f.cfg.Note, noteFont, width)
}

// headRoom is the height of title and note with the gap below them.
func (f *Figure) headRoom(width vg.Length) vg.Length {
	title, note := f.headLines(width)
	room := vg.Length(len(title))*titleFont.leading() + vg.Length(len(note))*noteFont.leading()
	if room > 0 {
		room += 8
	}
	return room
}

// drawHead writes title and note and returns where the rest begins.
func (f *Figure) drawHead(c draw.Canvas) vg.Length {
	title, note := f.headLines(c.Size().X)
	top := c.Max.Y
	for _, line := range title {
		top -= titleFont.leading()
		titleFont.left(c, vg.Point{X: c.Min.X, Y: top + 0.25*titleFont.size}, line)
	}
	for _, line := range note {
		top -= noteFont.leading()
		noteFont.left(c, vg.Point{X: c.Min.X, Y: top + 0.25*noteFont.size}, line)
	}
	return c.Max.Y - f.headRoom(c.Size().X)
}

// axisLabelRoom is the height of an axis label with the gap to the ticks.
const axisLabelRoom = vg.Length(18)

// axisLabels names the axes, centred on the data. (gonum/plot would centre a
// logarithmic axis's label elsewhere.)
func (f *Figure) axisLabels(inner, data draw.Canvas) {
	below := vg.Point{X: (data.Min.X + data.Max.X) / 2, Y: inner.Min.Y - axisLabelRoom + 4}
	axisFont.aligned(inner, below, 0.5, f.cfg.XLabel)
	axisFont.upright(inner, vg.Point{X: inner.Min.X - axisLabelRoom + axisFont.size, Y: (data.Min.Y + data.Max.Y) / 2}, f.cfg.YLabel)
}

// squared crops c so that the data's part of it is a square.
func squared(p *plot.Plot, c draw.Canvas) draw.Canvas {
	size := p.DataCanvas(c).Size()
	spare := vg.Length(math.Abs(float64(size.X - size.Y)))
	if size.X > size.Y {
		return draw.Crop(c, 0, -spare, 0, 0)
	}
	return draw.Crop(c, 0, 0, spare, 0)
}
