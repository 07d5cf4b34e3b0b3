package figure

import (
	"errors"
	"fmt"
	"image/color"
	"maps"
	"math"
	"math/cmplx"
	"slices"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Disk is the eigenvalues of one arm or layer, before and after training.
// Either may be nil.
type Disk struct {
	Name   string       `json:"name"`
	Color  Color        `json:"color,omitempty"` // after training; none: by the disk's place
	Before []complex128 `json:"-"`
	After  []complex128 `json:"-"`
}

// Disks draws eigenvalues λ in the complex plane as small multiples: a panel a
// disk, with the unit circle, on which a memory lasts for ever; before training
// in grey, after it in colour, joined by a line where both have the same length.
// Where all of a panel are real, they would lie on one line: their shares along
// the real axis are drawn instead, after training upwards, before it downwards.
// Values that are not finite are left out and counted above the panel.
//
// The error tells what is wrong with cfg or disks, or that no value is finite.
func Disks(cfg Config, disks []Disk) (*Figure, error) {
	cfg.LogX, cfg.LogY = false, false
	errs := []error{cfg.validate()}
	radius, all, lost := 1.05, 0, 0
	for _, d := range disks {
		if err := d.Color.validate(); err != nil {
			errs = append(errs, fmt.Errorf("disk %q: %w", d.Name, err))
		}
		r, n := diskRadius(d.Before, d.After)
		radius, lost, all = max(radius, r), lost+n, all+len(d.Before)+len(d.After)
	}
	if lost == all {
		errs = append(errs, fmt.Errorf("nothing to draw: %d eigenvalues, none finite", all))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("figure.Disks: %w", err)
	}
	if cfg.XLabel == "" && cfg.YLabel == "" {
		cfg.XLabel, cfg.YLabel = "Re λ", "Im λ"
	}
	whole := span{-radius, radius, false}
	g := &multiples{square: true, x: newAxis(whole, cfg.XRange, clean(cfg.XLabel), 3), y: newAxis(whole, cfg.YRange, clean(cfg.YLabel), 3)}
	for i, d := range disks {
		g.heads = append(g.heads, d.head(i))
	}
	return newPanels(cfg, g, func(i int, p panel) { disks[i].draw(p, g.heads[i].color) }), nil
}

func (d Disk) head(i int) head {
	h := head{name: d.Name, color: d.Color.or(i), note: fmt.Sprintf("%d eigenvalues", max(len(d.Before), len(d.After)))}
	if _, n := diskRadius(d.Before, d.After); n > 0 {
		h.note, h.alert = fmt.Sprintf("%s, %d diverged", h.note, n), true
	}
	return h
}

func (d Disk) draw(p panel, paint color.NRGBA) {
	unitCircle()(p.Canvas, p.x, p.y)
	after := look{color: paint, shape: draw.CircleGlyph{}}
	if d.real() {
		d.shares(p, d.Before, beforeLook.color, -1)
		d.shares(p, d.After, paint, 1)
		return
	}
	if len(d.Before) == len(d.After) {
		moves(d.Before, d.After)(p.Canvas, p.x, p.y)
	}
	radius := dotRadius
	if len(d.After) > 100 {
		radius = 1.7
	}
	dots(d.Before, beforeLook, radius, false)(p.Canvas, p.x, p.y)
	dots(d.After, after, radius, true)(p.Canvas, p.x, p.y)
}

// real reports whether all finite eigenvalues are real.
func (d Disk) real() bool {
	for _, set := range [][]complex128{d.Before, d.After} {
		for _, z := range set {
			if finite(cmplx.Abs(z)) && imag(z) != 0 {
				return false
			}
		}
	}
	return true
}

// shareBins are the bins of a unit of the real axis.
const shareBins = 25

// histogram counts the finite values of a set in bins of 1/shareBins, by the
// number of the bin, and returns the largest count.
func histogram(set []complex128) (counts map[int]int, most int) {
	counts = map[int]int{}
	for _, z := range set {
		if !finite(cmplx.Abs(z)) || cmplx.Abs(z) > 1000 {
			continue
		}
		k := int(math.Floor(real(z) * shareBins))
		counts[k]++
		most = max(most, counts[k])
	}
	return counts, most
}

// shares draws the histogram of a set of real values upwards (1) or downwards
// (−1). The tallest column of a panel reaches 0.8.
func (d Disk) shares(p panel, set []complex128, paint color.NRGBA, up float64) {
	counts, _ := histogram(set)
	tallest := 0.0
	for _, s := range [][]complex128{d.Before, d.After} {
		if _, most := histogram(s); len(s) > 0 {
			tallest = max(tallest, float64(most)/float64(len(s)))
		}
	}
	c := p.Canvas
	c.SetColor(paint)
	for _, k := range slices.Sorted(maps.Keys(counts)) {
		lo, hi := float64(k)/shareBins, float64(k+1)/shareBins
		height := up * 0.8 * float64(counts[k]) / float64(len(set)) / tallest
		r := vg.Rectangle{Min: vg.Point{X: p.x(lo), Y: p.y(min(0, height))}, Max: vg.Point{X: p.x(hi), Y: p.y(max(0, height))}}
		if c.Contains(r.Min) && c.Contains(r.Max) {
			c.Fill(r.Path())
		}
	}
	c.StrokeLine2(draw.LineStyle{Color: ink, Width: 0.7}, c.Min.X, p.y(0), c.Max.X, p.y(0))
}
