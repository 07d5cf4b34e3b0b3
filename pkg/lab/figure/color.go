package figure

import (
	"fmt"
	"image/color"
	"strings"
)

// Color names one of the colours of Okabe and Ito that stay apart on white
// paper for readers with normal, red-blind and green-blind sight. The empty
// Color leaves the choice to the figure.
type Color string

// The colours.
const (
	Blue       Color = "blue"
	Vermillion Color = "vermillion"
	Green      Color = "green"
	Purple     Color = "purple"
	Orange     Color = "orange"
	Sky        Color = "sky"
	Black      Color = "black"
)

// Colors lists the colours, in the order in which figures use them up.
func Colors() []Color { return []Color{Blue, Vermillion, Green, Purple, Orange, Sky, Black} }

// or is the colour as a figure paints it, the one at place i of the palette if
// none was chosen.
func (k Color) or(i int) color.NRGBA {
	for j, known := range Colors() {
		if k == known {
			return palette[j]
		}
	}
	return palette[i%len(palette)]
}

// validate reports a name that is none of Colors.
func (k Color) validate() error {
	var names []string
	for _, known := range Colors() {
		if k == known {
			return nil
		}
		names = append(names, string(known))
	}
	if k == "" {
		return nil
	}
	return fmt.Errorf("color is %q, want one of %s, or none", string(k), strings.Join(names, ", "))
}
