package figure

import (
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// smallestText is the size in points below which a text is cut: nobody reads
// smaller letters.
const smallestText = vg.Length(5)

// fitText breaks text into lines of at most width, at most most of them, in the
// largest size up to f's that allows it. Words longer than a line are broken.
func fitText(text string, f textFont, width vg.Length, most int) ([]string, textFont) {
	for {
		lines := wrapHard(text, f, width)
		if len(lines) <= most {
			return lines, f
		}
		if f.size <= smallestText {
			rest := strings.Join(lines[most-1:], " ")
			return append(lines[:most-1:most-1], shorten(rest, f, width)), f
		}
		f.size = max(f.size-0.5, smallestText)
	}
}

// wrapHard is wrap for words of any length.
func wrapHard(text string, f textFont, width vg.Length) []string {
	var out []string
	for _, line := range wrap(text, f, width) {
		runes := []rune(line)
		for f.width(string(runes)) > width && len(runes) > 1 {
			n := len(runes) - 1
			for n > 1 && f.width(string(runes[:n])) > width {
				n--
			}
			out, runes = append(out, string(runes[:n])), runes[n:]
		}
		out = append(out, string(runes))
	}
	return out
}

// stack writes lines below each other, their block centred on pt.Y, each with
// the share at of its width before pt.X.
func (t textFont) stack(c draw.Canvas, pt vg.Point, at vg.Length, lines []string) {
	step := t.leading()
	y := pt.Y + step*vg.Length(len(lines)-1)/2 - t.middle()
	for _, line := range lines {
		t.aligned(c, vg.Point{X: pt.X, Y: y}, at, line)
		y -= step
	}
}

// leading is the distance between the baselines of two lines.
func (t textFont) leading() vg.Length { return 1.2 * t.size }
