package live

import (
	"fmt"
	"strings"

	"github.com/gophersnake/gophersnake/tracker"
)

// braille dots of a character cell, by row and column; U+2800 has none set.
var dots = [4][2]rune{{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}}

// Chart draws a metric over its steps as lines of text, width columns and height
// rows without the axis: two by four dots a character. What falls into one column
// of dots is drawn from its least to its greatest value, so that no spike is
// lost. Values that are not finite leave a gap, and are counted below.
func Chart(points []tracker.Point, width, height int) []string {
	const margin = 11 // of the scale
	cols, rows := (width-margin)*2, height*4
	if cols < 2 || rows < 4 || len(points) == 0 {
		return nil
	}
	var values []float64
	first, last := points[0].Step, points[0].Step
	for _, p := range points {
		values = append(values, p.Value)
		first, last = min(first, p.Step), max(last, p.Step)
	}
	lo, hi := span(values)
	grid := make([][]rune, height)
	for i := range grid {
		grid[i] = []rune(strings.Repeat("\u2800", cols/2))
	}
	row := func(v float64) int {
		if hi == lo {
			return rows / 2
		}
		return int((hi-v)/(hi-lo)*float64(rows-1) + 0.5)
	}
	odd, before, reached := 0, -1, -1
	for _, p := range points {
		if !finite(p.Value) {
			odd, reached = odd+1, -1
			continue
		}
		x, y := 0, row(p.Value)
		if last > first {
			x = int(float64(p.Step-first) / float64(last-first) * float64(cols-1))
		}
		from := y
		if reached >= 0 && x-before <= 2 { // neighbours are joined
			from = reached
		}
		for r := min(from, y); r <= max(from, y); r++ {
			grid[r/4][x/2] |= dots[r%4][x%2]
		}
		before, reached = x, y
	}
	return frame(grid, lo, hi, first, last, odd)
}

// frame adds the scale on the left and the steps below.
func frame(grid [][]rune, lo, hi float64, first, last int64, odd int) []string {
	var out []string
	for i, line := range grid {
		label := ""
		switch i {
		case 0:
			label = fmt.Sprintf("%.4g", hi)
		case len(grid) - 1:
			label = fmt.Sprintf("%.4g", lo)
		}
		out = append(out, fmt.Sprintf("%9s │%s", label, string(line)))
	}
	steps := fmt.Sprintf("step %d to %d", first, last)
	if odd > 0 {
		steps += fmt.Sprintf("; %d values are NaN or infinite", odd)
	}
	return append(out, strings.Repeat(" ", 10)+"└"+strings.Repeat("─", len(grid[0])), strings.Repeat(" ", 11)+steps)
}
