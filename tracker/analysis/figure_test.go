package analysis

import (
	"context"
	"slices"
	"strings"
	"testing"
)

func TestFigure(t *testing.T) {
	s := history(t)
	ask := func(text, x, y string) (string, error) {
		t.Helper()
		table, err := s.Search(context.Background(), text)
		if err != nil {
			t.Fatal(err)
		}
		f, err := Figure(table, x, y)
		if err != nil {
			return "", err
		}
		svg, err := f.SVG()
		if err != nil {
			t.Fatal(err)
		}
		return svg, nil
	}
	grouped := "select group, mean(metrics.`test/accuracy`) as acc from e group by group"
	svg, err := ask(grouped, "group", "acc")
	if err != nil || !strings.Contains(svg, ">mamba<") || !strings.Contains(svg, ">lru<") || !strings.Contains(svg, ">acc<") {
		t.Errorf("bars: error %v, figure %.300s", err, svg)
	}
	svg, err = ask("select seed, metrics.`test/accuracy` as acc from e where group = 'mamba' order by acc", "seed", "acc")
	if err != nil || !strings.Contains(svg, ">seed<") || !strings.Contains(svg, ">acc<") {
		t.Errorf("line: error %v, figure %.300s", err, svg)
	}
	if _, err := ask("select name, group from e", "name", "group"); err == nil || !strings.Contains(err.Error(), "column group holds no number") {
		t.Errorf("a column of texts: error %v", err)
	}
	if _, err := ask(grouped, "group", "accc"); err == nil || !strings.Contains(err.Error(), "accc") {
		t.Errorf("no such column: error %v", err)
	}
}

// TestFigureParts: what is drawn is what the table holds.
func TestFigureParts(t *testing.T) {
	s := history(t)
	table, err := s.Search(context.Background(), "select group, mean(metrics.`test/accuracy`) as acc from e group by group order by acc desc")
	if err != nil {
		t.Fatal(err)
	}
	list := bars(table, mustColumn(t, table.Column, "group"), mustColumn(t, table.Column, "acc"))
	if len(list) != 2 || list[0].Name != "mamba" || !slices.Equal(list[0].Points, mamba) || len(list[1].Points) != 4 {
		t.Errorf("bars %+v", list)
	}
	table, err = s.Search(context.Background(), "select seed, metrics.`test/accuracy` as acc from e where group = 'mamba' order by acc")
	if err != nil {
		t.Fatal(err)
	}
	l := line("acc", mustColumn(t, table.Column, "seed"), mustColumn(t, table.Column, "acc"))
	if !slices.Equal(l.X, []float64{1, 2, 3, 4, 5}) || !slices.Equal(l.Y, mamba) {
		t.Errorf("line %+v", l)
	}
}

func mustColumn[T any](t *testing.T, column func(string) (T, error), name string) T {
	t.Helper()
	v, err := column(name)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestResampleGivesTheSameBits(t *testing.T) {
	s := history(t)
	o := Options{Measure: "metrics.`test/accuracy`", HigherIsBetter: true}
	whole, err := Groups(context.Background(), s, "experiment = 'e'", "group", o)
	if err != nil {
		t.Fatal(err)
	}
	quick := o
	quick.Resamples = -1
	bare, err := Groups(context.Background(), s, "experiment = 'e'", "group", quick)
	if err != nil {
		t.Fatal(err)
	}
	for i, g := range bare {
		if g.Bootstrap.BCa.Lo == g.Bootstrap.BCa.Lo || g.Bootstrap.Resamples != 0 {
			t.Errorf("%s: a bootstrap that was not asked for: %+v", g.Name, g.Bootstrap)
		}
		if got := g.Resample(o).Bootstrap; got != whole[i].Bootstrap {
			t.Errorf("%s: %+v, want %+v", g.Name, got, whole[i].Bootstrap)
		}
	}
}
