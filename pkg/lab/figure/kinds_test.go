package figure

import (
	"math"
	"slices"
	"strings"
	"testing"
)

// TestPanelsClip: an arm that ends far above the others leaves the axis, with
// its value still written, and the note says so.
func TestPanelsClip(t *testing.T) {
	var series []Series
	for i, end := range []float64{2, 2.1, 2.2, 2.3, 2.4, 40} {
		s := Series{Name: string(rune('a' + i))}
		for j := range 20 {
			s.X, s.Y = append(s.X, float64(j)), append(s.Y, end+3*math.Exp(-float64(j)))
		}
		series = append(series, s)
	}
	xs, _ := seriesSpans(Config{}, series)
	ys := settled(Config{}, series, xs)
	if ys.lo > 2.01 || ys.hi < 2.4 || ys.hi > 3 {
		t.Errorf("the axis is [%g, %g], want about [2, 2.5]", ys.lo, ys.hi)
	}
	f, err := Panels(Config{}, series)
	if err != nil {
		t.Fatal(err)
	}
	found := texts(t, drawn(t, f, nil))
	if !found["40.000"] || !found["triangles: the line leaves the axis there"] {
		t.Errorf("the value or the note is missing: %v", found)
	}
	f, err = Panels(Config{YRange: [2]float64{0, 100}}, series)
	if found = texts(t, drawn(t, f, err)); found["triangles: the line leaves the axis there"] {
		t.Error("the note speaks of triangles and there are none")
	}
}

// TestExits: where a line crosses the ends of the axis.
func TestExits(t *testing.T) {
	g := &multiples{x: axis{span: span{0, 4, false}}, y: axis{span: span{0, 1, false}}}
	for name, c := range map[string]struct {
		y    []float64
		want []exit
	}{
		"inside":       {[]float64{0, 0.5, 1, 0, 0}, nil},
		"from above":   {[]float64{2, 0, 0, 0, 0}, []exit{{0.5, false}}},
		"out and back": {[]float64{0.5, 1.5, 0.5, 0.5, -0.5}, []exit{{0.5, false}, {1.5, false}, {3.5, true}}},
		"right across": {[]float64{-1, 3, 3, 3, 3}, []exit{{0.25, true}, {0.5, false}}},
		"outside":      {[]float64{2, 2, 2, 2, 2}, []exit{{4, false}}},
	} {
		s := Series{X: []float64{0, 1, 2, 3, 4}, Y: c.y}
		got := g.exits(Config{}, s)
		if !slices.EqualFunc(got, c.want, func(a, b exit) bool { return a.below == b.below && math.Abs(a.x-b.x) < 1e-9 }) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestEndValues(t *testing.T) {
	x := []float64{1, 2}
	for want, s := range map[string]Series{"0.50": {X: x, Y: []float64{1, 0.5}}, "diverged": {X: x, Y: []float64{1, nan}}, "no data": {}} {
		if got := s.end(Config{}, 2).text; got != want {
			t.Errorf("%v: %q, want %q", s, got, want)
		}
	}
	if got := (Series{X: x, Y: []float64{nan, nan}}).end(Config{}, 2).text; got != "diverged" {
		t.Errorf("lost from the start: %q", got)
	}
}

// TestVerdicts: a best rate at the end of those that the arm itself was tried with
// is called so, whichever was chosen.
func TestVerdicts(t *testing.T) {
	tries := []Trial{{1e-2, 1}, {1e-3, 0.5}, {3e-3, 2}, {1e-3, nan}}
	for _, c := range []struct {
		chosen float64
		edge   bool
		tries  []Trial
		want   string
		alert  bool
	}{
		{3e-3, false, tries, "0.003", false}, {1e-3, true, tries, "0.001, the smallest tried", true}, {1e-2, true, tries, "0.01, the largest tried", true},
		{3e-3, true, tries, "0.003, the best at the edge", true}, {1e-3, false, tries, "0.001", false},
		{1e-2, false, tries[:1], "0.01", false}, {0, false, tries, "none chosen", false}, {1, false, nil, "no try", false},
	} {
		if got, alert := (Tuning{Tries: c.tries, Chosen: c.chosen, Edge: c.edge}).verdict(); got != c.want || alert != c.alert {
			t.Errorf("%g of %v: %q, %v, want %q, %v", c.chosen, c.tries, got, alert, c.want, c.alert)
		}
	}
}

func TestRatesHard(t *testing.T) {
	for name, arms := range map[string][]Tuning{
		"all lost":     {{Name: "a", Chosen: 1, Tries: []Trial{{1, nan}, {2, inf}}}},
		"one try":      {{Name: "a", Chosen: 1, Tries: []Trial{{1, 5}}}},
		"others' grid": {{Name: "a", Tries: []Trial{{1, 5}, {2, 6}}}, {Name: "b", Tries: []Trial{{30, 5}}}, {Name: "none"}},
		"outlier":      {{Name: "a", Tries: append(slices.Repeat([]Trial{{1, 5}, {2, 5.1}}, 20), Trial{3, 1e30})}},
	} {
		f, err := Rates(Config{}, arms)
		drawn(t, f, err)
		if !t.Failed() {
			legible(t, f)
		}
		if t.Failed() {
			t.Fatal(name)
		}
	}
	s := scoreSpan(Config{}, []Tuning{{Tries: append(slices.Repeat([]Trial{{1, 5}, {2, 6}}, 20), Trial{3, 1e30})}})
	if s.lo != 5 || s.hi > 8 {
		t.Errorf("with an outlier the axis is [%g, %g]", s.lo, s.hi)
	}
	for want, arms := range map[string][]Tuning{"nothing to draw: 1 arms without a try": {{}}, `arm "a": rate is 0, want a finite number above 0`: {{Name: "a", Tries: []Trial{{0, 1}}}}} {
		if _, err := Rates(Config{}, arms); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestRatesMean(t *testing.T) {
	if got := mean([]float64{1, 2, 6}); math.Abs(got-3) > 1e-12 {
		t.Errorf("mean is %g, want 3", got)
	}
	if !math.IsNaN(mean([]float64{1, inf})) || !math.IsNaN(mean([]float64{1, nan})) {
		t.Error("a lost run does not lose the mean")
	}
}

func TestHistogram(t *testing.T) {
	counts, most := histogram([]complex128{0.001, 0.002, 0.5, -0.001, complex(nan, 0), 1})
	want := map[int]int{0: 2, shareBins / 2: 1, -1: 1, shareBins: 1}
	for k, n := range want {
		if counts[k] != n || most != 2 || len(counts) != len(want) {
			t.Fatalf("counts %v, most %d, want %v", counts, most, want)
		}
	}
	if (Disk{After: []complex128{1, 1i}}).real() || !(Disk{Before: []complex128{0.5}, After: []complex128{complex(nan, 1)}}).real() {
		t.Error("what is real is not")
	}
}

// TestGroups: arms of a group stand together, in their order.
func TestGroups(t *testing.T) {
	bars := []Bar{{Name: "a", Group: "x"}, {Name: "b", Group: "y"}, {Name: "c", Group: "x"}, {Name: "d"}}
	var got []string
	for _, r := range grouped(bars) {
		if r.bar == nil {
			got = append(got, "["+r.group+"]")
		} else {
			got = append(got, r.bar.Name)
		}
	}
	if want := "[x] a c [y] b d"; strings.Join(got, " ") != want {
		t.Errorf("%v, want %s", got, want)
	}
}

// TestNothingCut: names and notes of any length are written in full.
func TestNothingCut(t *testing.T) {
	f, err := cast{arms: 17, seeds: 2, long: true}.dots()
	if err != nil {
		t.Fatal(err)
	}
	for text := range texts(t, drawn(t, f, nil)) {
		if strings.Contains(text, "…") {
			t.Errorf("%q is cut", text)
		}
	}
}

func TestTextLines(t *testing.T) {
	symbols := strings.Split("ab¶cdefg", "")
	chart := &textChart{symbols: symbols}
	if got := chart.broken(3); !slices.Equal(got, [][2]int{{0, 3}, {3, 6}, {6, 8}}) {
		t.Errorf("lines %v", got)
	}
	if _, err := TextBars(Config{}, symbols, []TextRow{{Name: "r", Values: []float64{1}}}); err == nil || !strings.Contains(err.Error(), `row "r" has 1 values, want one for each of 8 symbols`) {
		t.Errorf("got %v", err)
	}
	if _, err := TextBars(Config{LogY: true}, symbols[:1], []TextRow{{Values: []float64{0}}}); err == nil || !strings.Contains(err.Error(), "nothing to draw") {
		t.Errorf("got %v", err)
	}
	if _, err := Disks(Config{}, []Disk{{After: []complex128{complex(nan, 0)}}}); err == nil || !strings.Contains(err.Error(), "nothing to draw: 1 eigenvalues, none finite") {
		t.Errorf("got %v", err)
	}
}

func TestShort(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 0.00123: "0.0012", 0.5: "0.50", 12.3: "12", -3: "−3.0", 1e-7: "1e−07", 123456: "1.2e+05"} {
		if got := short(v); got != want {
			t.Errorf("%g: %q, want %q", v, got, want)
		}
	}
}

func TestFitText(t *testing.T) {
	lines, f := fitText("some words that do not fit", labelFont, 50, 2)
	if len(lines) > 2 || f.size >= labelFont.size || strings.Join(lines, " ") != "some words that do not fit" {
		t.Errorf("%q at %g points", lines, f.size)
	}
	for _, line := range wrapHard(strings.Repeat("W", 50), labelFont, 60) {
		if labelFont.width(line) > 60 {
			t.Errorf("%q is too wide", line)
		}
	}
	if lines, f := fitText(strings.Repeat("word ", 60), labelFont, 60, 2); len(lines) != 2 || f.size != smallestText || !strings.HasSuffix(lines[1], "…") {
		t.Errorf("%q at %g points", lines, f.size)
	}
}
