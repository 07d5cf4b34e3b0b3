package analysis

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/gophersnake/gophersnake/pkg/lab/figure"
	"github.com/gophersnake/gophersnake/tracker"
)

// Figure draws one column of a search's answer over another: a line, if all
// values of x are numbers, else a bar for each row in the order of the rows. The
// bars of a grouped search show the value of every run of the group as a dot. Rows
// without a number in y, and for a line those without one in x, are left out.
//
//	t, err := store.Search(ctx, "select params.lr, mean(metrics.loss) as loss group by params.lr")
//	f, err := analysis.Figure(t, "params.lr", "loss") // the last line of a cell shows it
func Figure(t *tracker.Table, x, y string) (*figure.Figure, error) {
	xs, err := t.Column(x)
	if err != nil {
		return nil, err
	}
	ys, err := t.Column(y)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(ys, isNumber) {
		return nil, fmt.Errorf("analysis: column %s holds no number; allowed is one that can be drawn", y)
	}
	if slices.ContainsFunc(xs, func(c tracker.Cell) bool { return !isNumber(c) && !c.Missing() }) {
		return figure.Bars(figure.Config{XLabel: y}, bars(t, xs, ys))
	}
	return figure.Curves(figure.Config{XLabel: x, YLabel: y}, []figure.Series{line(y, xs, ys)})
}

func isNumber(c tracker.Cell) bool {
	return c.Type == tracker.CellFloat || c.Type == tracker.CellInt || c.Type == tracker.CellDuration
}

func bars(t *tracker.Table, xs, ys []tracker.Cell) []figure.Bar {
	var out []figure.Bar
	for i, c := range ys {
		if !isNumber(c) {
			continue
		}
		b := figure.Bar{Name: xs[i].String(), Mean: c.Float()}
		if t.Groups != nil {
			if names := t.Groups[i].SampleNames(); len(names) == 1 { // else it is not said which the column is made of
				b.Points = t.Groups[i].Values(names[0])
			}
		}
		out = append(out, b)
	}
	return out
}

// line is the points by x, those of one x in the order of the rows.
func line(name string, xs, ys []tracker.Cell) figure.Series {
	var points [][2]float64
	for i := range xs {
		if isNumber(xs[i]) && isNumber(ys[i]) {
			points = append(points, [2]float64{xs[i].Float(), ys[i].Float()})
		}
	}
	slices.SortStableFunc(points, func(a, b [2]float64) int { return cmp.Compare(a[0], b[0]) })
	s := figure.Series{Name: name}
	for _, p := range points {
		s.X, s.Y = append(s.X, p[0]), append(s.Y, p[1])
	}
	return s
}
