package figure

import (
	"errors"
	"fmt"
	"image/color"
	"slices"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Dots draws arms below each other, each with its mean as a large dot, its
// interval as a thick line, every seed as a small dot, and its value at the
// right. Names and notes stand at the left, in full, broken into as many lines
// as they need. Arms of the same Group stand together
// under its name, groups in the order of their first arms. XLabel names the
// values' axis. An arm without a result is marked as diverged.
//
// The error tells what is wrong with cfg or bars, or that there is no bar.
func Dots(cfg Config, bars []Bar) (*Figure, error) {
	if err := checkDots(cfg, bars); err != nil {
		return nil, fmt.Errorf("figure.Dots: %w", err)
	}
	d := &dotChart{cfg: cfg, rows: grouped(bars)}
	d.x = newAxis(d.span(), cfg.XRange, clean(cfg.XLabel), 6)
	d.measure()
	f := newFigure(cfg, wide, 4)
	if cfg.Height == 0 {
		f.height = min(f.headRoom(f.width-2*margin)+d.height()+2*margin, maxInches*vg.Inch)
	}
	f.body = d.draw
	return f, nil
}

func checkDots(cfg Config, bars []Bar) error {
	errs := []error{cfg.validate()}
	for _, b := range bars {
		if err := b.Color.validate(); err != nil {
			errs = append(errs, fmt.Errorf("bar %q: %w", b.Name, err))
		}
	}
	if len(bars) == 0 {
		errs = append(errs, errors.New("nothing to draw: no bar"))
	}
	if cfg.YRange[0] != cfg.YRange[1] || cfg.LogY {
		errs = append(errs, errors.New("y_range and log_y are set, but the values lie along x: want x_range and log_x"))
	}
	return errors.Join(errs...)
}

// Sizes of a dot chart, in points.
const (
	dotRow     = 31.0 // height of an arm's row
	groupRow   = 20.0 // height of a group's name
	noteColumn = 196.0
	nameColumn = 104.0 // at most
	columnGap  = 10.0
	stripe     = 3.0 // width of the group's colour at the left
)

// dotRowOf is a row: an arm, or the name of a group where bar is nil.
type dotRowOf struct {
	bar         *Bar
	group       string
	color       color.NRGBA
	names       []string // the bar's name and note, broken into lines
	notes       []string
	height      vg.Length
	text, below string // the value, and what stands below it
}

// dotChart is the layout of Dots.
type dotChart struct {
	cfg                 Config
	rows                []dotRowOf
	x                   axis
	decimals            int
	names, notes, right vg.Length // widths of the columns
}

// grouped puts the arms of each group together, below its name.
func grouped(bars []Bar) []dotRowOf {
	var groups []string
	for _, b := range bars {
		if !slices.Contains(groups, b.Group) {
			groups = append(groups, b.Group)
		}
	}
	var rows []dotRowOf
	for k, g := range groups {
		first := len(rows)
		for i := range bars {
			if bars[i].Group != g {
				continue
			}
			paint := bars[i].Color.or(k)
			if len(rows) == first && clean(g) != "" {
				rows = append(rows, dotRowOf{group: clean(g), color: paint})
			}
			rows = append(rows, dotRowOf{bar: &bars[i], group: clean(g), color: paint})
		}
	}
	return rows
}

// span is the range of all that is drawn.
func (d *dotChart) span() span {
	s := newSpan(d.cfg.LogX)
	for _, r := range d.rows {
		if r.bar == nil {
			continue
		}
		s.add(r.bar.Mean)
		s.add(r.bar.Points...)
		if r.bar.interval() {
			s.add(r.bar.Lo, r.bar.Hi)
		}
	}
	if d.cfg.ReferenceLabel != "" {
		s.add(d.cfg.Reference)
	}
	if s.empty() { // no arm has a result: an axis is drawn all the same
		s.add(1)
	}
	return s
}

// measure sets the widths of the columns and the heights of the rows.
func (d *dotChart) measure() {
	d.decimals = rangeDecimals(d.x.span)
	for _, r := range d.rows {
		if r.bar != nil {
			d.names = max(d.names, headFont.width(clean(r.bar.Name)))
			d.notes = max(d.notes, smallFont.width(clean(r.bar.Note)))
		}
	}
	d.names, d.notes = min(d.names, nameColumn), min(d.notes, noteColumn)
	for i := range d.rows {
		r := &d.rows[i]
		if r.height = groupRow; r.bar == nil {
			continue
		}
		r.names = wrapHard(clean(r.bar.Name), headFont, d.names)
		r.notes = wrapHard(clean(r.bar.Note), smallFont, d.notes)
		r.height = max(dotRow, vg.Length(len(r.names))*headFont.leading()+8, vg.Length(len(r.notes))*smallFont.leading()+8)
		r.text, r.below = d.value(*r.bar)
		d.right = max(d.right, labelFont.width(r.text), smallFont.width(r.below))
	}
	d.right += columnGap
}

// value is the text right of a row, and the smaller one below it.
func (d *dotChart) value(b Bar) (text, below string) {
	text, below = b.value(d.decimals)
	if text != "" && below == "" && b.interval() {
		below = fmt.Sprintf("%s to %s", number(b.Lo, d.decimals), number(b.Hi, d.decimals))
	}
	return text, below
}

// left is the room for stripe, names and notes.
func (d *dotChart) left() vg.Length {
	room := stripe + columnGap + d.names
	if d.notes > 0 {
		room += columnGap + d.notes
	}
	return room + columnGap
}

// height is the chart's height below title and note.
func (d *dotChart) height() vg.Length {
	h := d.above() + d.below()
	for _, r := range d.rows {
		h += r.height
	}
	return h
}

// above is the room for the reference's label.
func (d *dotChart) above() vg.Length {
	if d.cfg.ReferenceLabel == "" {
		return 2
	}
	return smallFont.size + 6
}

// below is the room for the axis.
func (d *dotChart) below() vg.Length {
	if d.x.label == "" {
		return tickRoom + 4
	}
	return tickRoom + axisLabelRoom + 4
}

// draw draws the chart on what is left of the canvas below title and note.
func (d *dotChart) draw(c draw.Canvas) {
	data := draw.Crop(c, d.left(), -d.right, d.below(), -d.above())
	x := d.x.on(data.Min.X, data.Max.X)
	d.frame(c, data, x)
	squeeze := data.Size().Y / (d.height() - d.above() - d.below())
	top := data.Max.Y
	for _, r := range d.rows {
		height := r.height * squeeze
		at := vg.Point{X: c.Min.X, Y: top - height/2}
		if r.bar == nil {
			f := smallFont
			f.bold, f.color, at.Y = true, ink, at.Y-3
			lines, f := fitText(r.group, f, d.left()-columnGap, 1)
			f.stack(c, at, 0, lines)
		} else {
			d.arm(c, data, r, at, height, x)
		}
		top -= height
	}
}

// frame draws axis, grid lines and reference.
func (d *dotChart) frame(c, data draw.Canvas, x func(float64) vg.Length) {
	for _, t := range d.x.ticks {
		at := x(t.Value)
		if t.Label == "" || !data.ContainsX(at) {
			continue
		}
		c.StrokeLine2(draw.LineStyle{Color: grid, Width: 0.7}, at, data.Min.Y, at, data.Max.Y)
		tickFont.aligned(c, vg.Point{X: at, Y: data.Min.Y - tickFont.size - 3}, 0.5, t.Label)
	}
	c.StrokeLine2(draw.LineStyle{Color: soft, Width: 0.8}, data.Min.X, data.Min.Y, data.Max.X, data.Min.Y)
	axisFont.aligned(c, vg.Point{X: (data.Min.X + data.Max.X) / 2, Y: c.Min.Y + 4}, 0.5, d.x.label)
	label := clean(d.cfg.ReferenceLabel)
	if at := x(d.cfg.Reference); label != "" && usable(d.cfg.Reference, d.cfg.LogX) && data.ContainsX(at) {
		c.StrokeLine2(referenceLine, at, data.Min.Y, at, data.Max.Y)
		lines, f := fitText(label, smallFont, c.Size().X, 1)
		half := f.width(lines[0]) / 2
		f.aligned(c, vg.Point{X: clampLength(at, c.Min.X+half, c.Max.X-half), Y: data.Max.Y + 4}, 0.5, lines[0])
	}
}

// arm draws a row whose middle is at at.
func (d *dotChart) arm(c, data draw.Canvas, r dotRowOf, at vg.Point, height vg.Length, x func(float64) vg.Length) {
	c.SetColor(r.color)
	c.Fill(vg.Rectangle{Min: vg.Point{X: at.X, Y: at.Y - height/2}, Max: vg.Point{X: at.X + stripe, Y: at.Y + height/2}}.Path())
	c.StrokeLine2(draw.LineStyle{Color: grid, Width: 0.5}, at.X+stripe, at.Y-height/2, c.Max.X, at.Y-height/2)
	at.X += stripe + columnGap
	headFont.stack(c, at, 0, r.names)
	smallFont.stack(c, vg.Point{X: at.X + d.names + columnGap, Y: at.Y}, 0, r.notes)
	d.marks(data, *r.bar, r.color, at.Y, x)
	r.values(c, vg.Point{X: data.Max.X + columnGap, Y: at.Y})
}

// marks draws interval, mean and seeds.
func (d *dotChart) marks(data draw.Canvas, b Bar, paint color.NRGBA, row vg.Length, x func(float64) vg.Length) {
	if !finite(b.Mean) {
		labelDiverged(data, vg.Point{X: data.Min.X + 10, Y: row})
		return
	}
	high := row + 5
	if b.interval() && usable(b.Lo, d.cfg.LogX) {
		from, to := clampLength(x(b.Lo), data.Min.X, data.Max.X), clampLength(x(b.Hi), data.Min.X, data.Max.X)
		data.StrokeLine2(draw.LineStyle{Color: faded(paint, 0.4), Width: 4.5}, from, high, to, high)
	}
	if usable(b.Mean, d.cfg.LogX) {
		marked(data, look{color: paint, shape: draw.CircleGlyph{}}, 4, vg.Point{X: x(b.Mean), Y: high})
	}
	d.seeds(data, b, paint, row, x)
}

// seeds draws a small dot for each seed below the mean; those that would lie on
// each other go one below the other.
func (d *dotChart) seeds(data draw.Canvas, b Bar, paint color.NRGBA, row vg.Length, x func(float64) vg.Length) {
	const levels, step = 3, 3.2
	var ends [levels]vg.Length
	for k := range ends {
		ends[k] = data.Min.X - 100
	}
	points := slices.Clone(b.Points)
	slices.Sort(points)
	for _, v := range points {
		at := vg.Point{X: x(v), Y: row - 3.5}
		if !usable(v, d.cfg.LogX) || !data.ContainsX(at.X) {
			continue
		}
		level := 0
		for k := range ends {
			if at.X >= ends[k]+step {
				level = k
				break
			}
		}
		ends[level] = at.X
		at.Y -= step * vg.Length(level)
		data.DrawGlyphNoClip(draw.GlyphStyle{Color: paint, Radius: 1.5, Shape: draw.CircleGlyph{}}, at)
	}
}

// values writes the mean, and interval or losses below it.
func (r dotRowOf) values(c draw.Canvas, at vg.Point) {
	at.Y -= labelFont.middle()
	if r.below != "" {
		at.Y += 5.5
		f := smallFont
		if r.bar.lost() > 0 {
			f.color = danger
		}
		f.left(c, vg.Point{X: at.X, Y: at.Y - 11}, r.below)
	}
	labelFont.left(c, at, r.text)
}
