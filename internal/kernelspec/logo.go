package kernelspec

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"strings"
)

// The logo is a snake that is a decaying oscillation, y = exp(−t) sin(ωt) as
// one state of a diagonal recurrence has it, in Go's blue; its head is where
// the memory is fresh.
var (
	blue  = color.NRGBA{0x00, 0xad, 0xd8, 0xff}
	white = color.NRGBA{0xff, 0xff, 0xff, 0xff}
	black = color.NRGBA{0x20, 0x22, 0x24, 0xff}
)

const (
	body  = 0.075 // half the width of the snake; the picture is 1 wide
	joint = 160   // points of the curve: enough for a smooth outline at 64 pixels
)

// spine returns the point of the curve at t in [0, 1], head first.
func spine(t float64) (x, y float64) {
	return 0.2 + 0.68*t, 0.5 - 0.36*math.Exp(-1.6*t)*math.Cos(2*math.Pi*1.6*t)
}

// logos returns the files that Jupyter shows beside the kernel's name.
func logos() map[string][]byte {
	return map[string][]byte{"logo-32x32.png": raster(32), "logo-64x64.png": raster(64), "logo-svg.svg": vector()}
}

// dots are the circles that the logo is made of, from back to front.
func dots(draw func(x, y, r float64, c color.NRGBA)) {
	for i := joint; i >= 0; i-- {
		t := float64(i) / joint
		x, y := spine(t)
		draw(x, y, body*(1-0.6*t), blue)
	}
	x, y := spine(0)
	draw(x, y, 1.7*body, blue)
	for _, dx := range []float64{-0.055, 0.055} {
		draw(x+dx, y-0.02, 0.045, white)
		draw(x+dx, y-0.01, 0.022, black)
	}
}

// raster draws the logo, every pixel the mean of 4×4 samples.
func raster(size int) []byte {
	const fine = 4
	big := image.NewNRGBA(image.Rect(0, 0, size*fine, size*fine))
	dots(func(x, y, r float64, c color.NRGBA) {
		n := float64(size * fine)
		for py := int((y - r) * n); py <= int((y+r)*n); py++ {
			for px := int((x - r) * n); px <= int((x+r)*n); px++ {
				if math.Hypot((float64(px)+0.5)/n-x, (float64(py)+0.5)/n-y) <= r {
					big.SetNRGBA(px, py, c)
				}
			}
		}
	})
	out := image.NewRGBA(image.Rect(0, 0, size, size))
	for py := range size {
		for px := range size {
			out.SetRGBA(px, py, mean(big, px*fine, py*fine, fine))
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, out); err != nil {
		panic(err) // a buffer takes everything
	}
	return b.Bytes()
}

func mean(m *image.NRGBA, x, y, n int) color.RGBA {
	var sum [4]uint32
	for dy := range n {
		for dx := range n {
			r, g, b, a := m.At(x+dx, y+dy).RGBA()
			for i, v := range []uint32{r, g, b, a} {
				sum[i] += v >> 8
			}
		}
	}
	k := uint32(n * n)
	return color.RGBA{uint8(sum[0] / k), uint8(sum[1] / k), uint8(sum[2] / k), uint8(sum[3] / k)}
}

func vector() []byte {
	var b strings.Builder
	b.WriteString(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">` + "\n")
	dots(func(x, y, r float64, c color.NRGBA) {
		fmt.Fprintf(&b, `<circle cx="%.1f" cy="%.1f" r="%.1f" fill="#%02x%02x%02x"/>`+"\n", 100*x, 100*y, 100*r, c.R, c.G, c.B)
	})
	b.WriteString("</svg>\n")
	return []byte(b.String())
}
