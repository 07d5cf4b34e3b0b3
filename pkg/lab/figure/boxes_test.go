package figure

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/recorder"
)

// textBox is where a figure writes a text.
type textBox struct {
	text     string
	min, max vg.Point
}

// place is a turn by quarters and a shift, which is all that figures use.
type place struct {
	origin  vg.Point
	upright bool
}

// textBoxes draws f and returns the box of every text: as wide as its letters,
// as high as its capitals and small letters.
func textBoxes(t *testing.T, f *Figure) []textBox {
	t.Helper()
	var rec recorder.Canvas
	f.draw(draw.NewCanvas(&rec, f.width, f.height))
	var out []textBox
	var now place
	var saved []place
	for _, a := range rec.Actions {
		switch a := a.(type) {
		case *recorder.Push:
			saved = append(saved, now)
		case *recorder.Pop:
			now, saved = saved[len(saved)-1], saved[:len(saved)-1]
		case *recorder.Translate:
			if now.upright {
				t.Fatal("a shift of turned text: the helper does not know it")
			}
			now.origin = now.origin.Add(a.Point)
		case *recorder.Rotate:
			if math.Abs(a.Angle-math.Pi/2) > 1e-9 {
				t.Fatalf("text turned by %g: the helper knows a quarter only", a.Angle)
			}
			now.upright = true
		case *recorder.FillString:
			font := textFont{size: a.Size, bold: a.Font.Weight > 0, mono: a.Font.Variant == "Mono"}
			out = append(out, now.box(a.String, a.Point, font))
		}
	}
	return out
}

// box is the box of a text that is written from pt on. Descenders are ignored:
// they meet no letter of the line below unless it is closer than a letter.
func (p place) box(text string, pt vg.Point, f textFont) textBox {
	from := vg.Point{X: pt.X, Y: pt.Y}
	to := vg.Point{X: pt.X + f.width(text), Y: pt.Y + 0.72*f.size}
	if p.upright {
		from, to = vg.Point{X: -to.Y, Y: from.X}, vg.Point{X: -from.Y, Y: to.X}
	}
	return textBox{text, p.origin.Add(from), p.origin.Add(to)}
}

// legible fails if a text of f leaves the canvas, touches another or is cut.
func legible(t *testing.T, f *Figure) {
	t.Helper()
	if err := illegible(textBoxes(t, f), f.width, f.height); err != nil {
		t.Error(err)
	}
}

func illegible(boxes []textBox, width, height vg.Length) error {
	if len(boxes) == 0 {
		return fmt.Errorf("no text at all")
	}
	const slack = 0.05 // points: rounding
	for i, a := range boxes {
		if a.min.X < -slack || a.min.Y < -slack || a.max.X > width+slack || a.max.Y > height+slack {
			return fmt.Errorf("%q at %v to %v leaves the canvas of %g × %g", a.text, a.min, a.max, width, height)
		}
		for _, b := range boxes[:i] {
			if a.min.X < b.max.X-slack && b.min.X < a.max.X-slack && a.min.Y < b.max.Y-slack && b.min.Y < a.max.Y-slack {
				return fmt.Errorf("%q at %v to %v covers %q at %v to %v", a.text, a.min, a.max, b.text, b.min, b.max)
			}
		}
	}
	return nil
}

// TestIllegible: the helper sees what it is for.
func TestIllegible(t *testing.T) {
	box := func(text string, x, y vg.Length) textBox {
		return place{}.box(text, vg.Point{X: x, Y: y}, labelFont)
	}
	for name, boxes := range map[string][]textBox{
		"no text":  nil,
		"covered":  {box("one", 10, 10), box("two", 15, 12)},
		"outside":  {box("one", 95, 10)},
		"upright":  {place{origin: vg.Point{X: 5, Y: 50}, upright: true}.box("a long text", vg.Point{}, labelFont), box("one", 0, 70)},
		"below":    {box("one", 10, -3)},
		"too high": {box("one", 10, 95)},
	} {
		if illegible(boxes, 100, 100) == nil {
			t.Errorf("%s: nothing is found", name)
		}
	}
	if err := illegible([]textBox{box("one", 10, 10), box("two", 10, 20), box("three", 40, 10)}, 100, 100); err != nil {
		t.Error(err)
	}
}
