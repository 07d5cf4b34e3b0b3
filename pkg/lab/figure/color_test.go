package figure

import (
	"image/color"
	"math"
	"strings"
	"testing"
)

// sight turns linear RGB into what a reader sees: the matrices of Machado,
// Oliveira and Fernandes (2009) for complete red- and green-blindness.
var sight = map[string][3][3]float64{
	"normal":       {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
	"protanopia":   {{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}},
	"deuteranopia": {{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}},
}

// lab is a colour in CIELAB as a reader sees it, in which distances are roughly
// those that are felt.
func lab(c color.NRGBA, eye [3][3]float64) [3]float64 {
	linear := func(v uint8) float64 {
		x := float64(v) / 255
		if x <= 0.04045 {
			return x / 12.92
		}
		return math.Pow((x+0.055)/1.055, 2.4)
	}
	in := [3]float64{linear(c.R), linear(c.G), linear(c.B)}
	times := func(m [3][3]float64, v [3]float64) (out [3]float64) {
		for i := range out {
			out[i] = m[i][0]*v[0] + m[i][1]*v[1] + m[i][2]*v[2]
		}
		return out
	}
	seen := times(eye, in)
	for i := range seen {
		seen[i] = math.Min(1, math.Max(0, seen[i]))
	}
	// sRGB to CIE XYZ, each divided by that of white.
	xyz := times([3][3]float64{{0.4339, 0.3762, 0.1899}, {0.2126, 0.7152, 0.0722}, {0.0177, 0.1095, 0.8727}}, seen)
	f := func(t float64) float64 {
		if t > 0.008856 {
			return math.Cbrt(t)
		}
		return 7.787*t + 16./116
	}
	x, y, z := f(xyz[0]), f(xyz[1]), f(xyz[2])
	return [3]float64{116*y - 16, 500 * (x - y), 200 * (y - z)}
}

func distance(a, b color.NRGBA, eye [3][3]float64) float64 {
	p, q := lab(a, eye), lab(b, eye)
	return math.Sqrt((p[0]-q[0])*(p[0]-q[0]) + (p[1]-q[1])*(p[1]-q[1]) + (p[2]-q[2])*(p[2]-q[2]))
}

// apart is the distance at which two patches are told apart without thinking;
// 2.3 is just noticeable.
const apart = 15

// TestColorsApart: any two colours are told apart by every reader, and each from
// the grey of the other arms' lines and from paper.
func TestColorsApart(t *testing.T) {
	for name, eye := range sight {
		for i, a := range Colors() {
			for _, b := range Colors()[:i] {
				if d := distance(a.or(0), b.or(0), eye); d < apart {
					t.Errorf("%s: %s and %s are %.1f apart, want %d", name, a, b, d, apart)
				}
			}
			for what, paper := range map[string]color.NRGBA{"white": white, "the others' grey": others} {
				if d := distance(a.or(0), paper, eye); d < apart {
					t.Errorf("%s: %s is %.1f from %s, want %d", name, a, d, what, apart)
				}
			}
		}
	}
	red, green := color.NRGBA{200, 60, 0, 255}, color.NRGBA{120, 120, 0, 255}
	if d := distance(red, green, sight["deuteranopia"]); d > apart {
		t.Errorf("the simulation tells red from green, by %.1f", d)
	}
}

func TestColorNames(t *testing.T) {
	if Color("").or(1) != palette[1] || Vermillion.or(0) != danger {
		t.Error("a name, or none, gives another colour")
	}
	for _, make := range []func(Color) error{
		func(c Color) error {
			_, err := Panels(Config{}, []Series{{X: []float64{1}, Y: []float64{1}, Color: c}})
			return err
		},
		func(c Color) error { _, err := Dots(Config{}, []Bar{{Mean: 1, Color: c}}); return err },
		func(c Color) error {
			_, err := Rates(Config{}, []Tuning{{Color: c, Tries: []Trial{{1, 1}}}})
			return err
		},
		func(c Color) error { _, err := Disks(Config{}, []Disk{{Color: c, After: []complex128{1}}}); return err },
	} {
		if err := make("pink"); err == nil || !strings.Contains(err.Error(), `color is "pink", want one of blue, vermillion,`) {
			t.Errorf("pink: %v", err)
		}
		if err := make(Sky); err != nil {
			t.Error(err)
		}
	}
}
