package figure

import (
	"fmt"
	"html"
	"regexp"
	"strconv"
	"strings"

	"gonum.org/v1/plot/vg"
)

// svgText matches a text element as vgsvg writes it: its attributes, its style
// and its text.
var svgText = regexp.MustCompile(`(<text [^>]*?)style="(font-family:[^"]*)">([^<]*)</text>`)

// svgSize, svgBold and svgMono read the style.
var svgSize = regexp.MustCompile(`font-size:([0-9.]+)px`)

const (
	svgBold = "font-weight:bold"
	svgMono = "font-family:Liberation Mono;"
)

// steadyText makes the layout independent of the reader's fonts: it names fonts
// with Liberation's widths first (Arial, Helvetica and Courier New have them) and gives
// every text its measured length, to which another font is squeezed.
func steadyText(svg string) string {
	return svgText.ReplaceAllStringFunc(svg, func(element string) string {
		parts := svgText.FindStringSubmatch(element)
		head, style, text := parts[1], parts[2], parts[3]
		size := svgSize.FindStringSubmatch(style)
		if size == nil {
			return element
		}
		points, err := strconv.ParseFloat(size[1], 64)
		if err != nil {
			return element
		}
		font := textFont{size: vg.Length(points), bold: strings.Contains(style, svgBold), mono: strings.Contains(style, svgMono)}
		style = strings.Replace(style, "font-family:Liberation Sans;", "font-family:'Liberation Sans',Arial,Helvetica,sans-serif;", 1)
		style = strings.Replace(style, svgMono, "font-family:'Liberation Mono','Courier New',monospace;", 1)
		length := font.width(html.UnescapeString(text)).Points()
		return fmt.Sprintf(`%stextLength="%.2f" lengthAdjust="spacingAndGlyphs" style="%s">%s</text>`, head, length, style, text)
	})
}
