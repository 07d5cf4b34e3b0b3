package figure

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// drawn fails unless f can be written both ways without a NaN.
func drawn(t *testing.T, f *Figure, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.PNG(); err != nil {
		t.Error(err)
	}
	svg, err := f.SVG()
	if err != nil {
		t.Error(err)
	}
	if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
		t.Error("the SVG holds a coordinate that is no number")
	}
	texts(t, svg)
	return svg
}

func TestErrors(t *testing.T) {
	one := []Series{{Name: "a", X: []float64{1}, Y: []float64{1}}}
	bar := []Bar{{Name: "a", Mean: 1}}
	disk := []complex128{1}
	for want, make := range map[string]func() (*Figure, error){
		"figure.Curves: nothing to draw: 0 series": func() (*Figure, error) { return Curves(Config{}, nil) },
		"figure.Curves: nothing to draw: 1 series": func() (*Figure, error) { return Curves(Config{}, []Series{{X: []float64{1}, Y: []float64{nan}}}) },
		`figure.Curves: series "a" has 2 x, 1 y`: func() (*Figure, error) {
			return Curves(Config{}, []Series{{Name: "a", X: []float64{1, 2}, Y: []float64{1}}})
		},
		`figure.Curves: series "b" has 1 x, 1 y, 1 lo, 0 hi`: func() (*Figure, error) {
			return Curves(Config{}, []Series{{Name: "b", X: []float64{1}, Y: []float64{1}, Lo: []float64{1}}})
		},
		"figure.Curves: x_range is [2, 1]":                    func() (*Figure, error) { return Curves(Config{XRange: [2]float64{2, 1}}, one) },
		"figure.Curves: y_range is [0, 1], want both above 0": func() (*Figure, error) { return Curves(Config{LogY: true, YRange: [2]float64{0, 1}}, one) },
		"figure.Curves: width is 0.5, want 1 to 40 inches":    func() (*Figure, error) { return Curves(Config{Width: 0.5}, one) },
		"figure.Curves: reference is NaN":                     func() (*Figure, error) { return Curves(Config{Reference: nan, ReferenceLabel: "r"}, one) },
		"figure.Bars: nothing to draw: no bar":                func() (*Figure, error) { return Bars(Config{}, nil) },
		"figure.Bars: y_range and log_y are set":              func() (*Figure, error) { return Bars(Config{LogY: true}, bar) },
		"figure.Scaling: nothing to draw: 1 series": func() (*Figure, error) {
			return Scaling(Config{}, []Series{{X: []float64{0, 1}, Y: []float64{1, -1}}}, 0)
		},
		"figure.EigenDisk: nothing to draw: 0 eigenvalues":          func() (*Figure, error) { return EigenDisk(Config{}, nil, nil) },
		"figure.EigenDisk: height is -1, want 1 to 40 inches, or 0": func() (*Figure, error) { return EigenDisk(Config{Height: -1}, disk, nil) },
	} {
		f, err := make()
		if f != nil || err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want an error that starts with %q", err, want)
		}
	}
}

// TestHardInputs draws what a bad night of training leaves behind.
func TestHardInputs(t *testing.T) {
	big := math.MaxFloat64
	series := map[string][]Series{
		"one point":      {{Name: "a", X: []float64{3}, Y: []float64{2}, Lo: []float64{1}, Hi: []float64{3}}},
		"zero":           {{Name: "a", X: []float64{0}, Y: []float64{0}}},
		"gaps":           {{Name: "a", X: []float64{1, 2, nan, 4, 5, 6}, Y: []float64{nan, 1, 2, inf, 3, -inf}}},
		"bad bands":      {{Name: "a", X: []float64{1, 2, 3, 4}, Y: []float64{1, 2, 3, 4}, Lo: []float64{nan, -inf, 0, 3}, Hi: []float64{inf, 5, nan, -1}}},
		"huge":           {{Name: "a", X: []float64{-big, big}, Y: []float64{big, -big}}},
		"huge and small": {{Name: "a", X: []float64{1, 2, 3}, Y: []float64{1e-300, 1, 1e300}, Lo: []float64{0, 0, 0}, Hi: []float64{big, big, big}}},
		"constant":       {{Name: "a", X: []float64{1, 2, 3}, Y: []float64{7, 7, 7}}},
		"same name":      {{Name: "", X: []float64{1, 2}, Y: []float64{1, 2}}, {Name: "", X: []float64{1, 2}, Y: []float64{1, 2}}},
		"one empty":      {{Name: "none"}, {Name: "all lost", X: []float64{1, 2}, Y: []float64{nan, nan}}, {Name: "a", X: []float64{1, 2}, Y: []float64{1, 2}}},
	}
	positive := func(s []Series) bool {
		return slices.ContainsFunc(s, func(s Series) bool { return s.last(Config{LogX: true, LogY: true}) >= 0 })
	}
	for name, s := range series {
		t.Run(name, func(t *testing.T) {
			f, err := Curves(Config{ReferenceLabel: "zero"}, s)
			drawn(t, f, err)
			f, err = Curves(Config{XRange: [2]float64{1, 2}, YRange: [2]float64{1, 1.5}}, s)
			drawn(t, f, err)
			if positive(s) {
				f, err = Curves(Config{LogX: true, LogY: true, ReferenceLabel: "not positive"}, s)
				drawn(t, f, err)
				f, err = Scaling(Config{}, s, 0)
				drawn(t, f, err)
			}
		})
	}
}

func TestHardBars(t *testing.T) {
	bars := []Bar{
		{Name: "plain", Mean: 1}, {Name: "negative", Mean: -2, Lo: -3, Hi: 1}, {Name: "lost", Mean: nan, Points: []float64{nan, inf}},
		{Name: "one seed", Mean: 2, Lo: -inf, Hi: inf}, {Name: "huge", Mean: 1e300, Lo: 0.5, Hi: math.MaxFloat64}, {},
	}
	for _, cfg := range []Config{{}, {LogX: true}, {XRange: [2]float64{0.5, 1}}, {XRange: [2]float64{-1, 1}, Reference: 5, ReferenceLabel: "outside"}} {
		f, err := Bars(cfg, bars)
		drawn(t, f, err)
	}
	f, err := Bars(Config{}, bars[2:3])
	if svg := drawn(t, f, err); !strings.Contains(svg, ">diverged<") {
		t.Error("an arm without a result is not marked")
	}
	f, err = Bars(Config{}, make([]Bar, 200))
	drawn(t, f, err)
}

func TestHostileText(t *testing.T) {
	name := "<script>&\"'\x00\x1b[31m\xff\n名前 \ufffe"
	f, err := Curves(Config{Title: strings.Repeat("long title ", 30), Note: name, XLabel: name, YLabel: name, Reference: 1, ReferenceLabel: name},
		[]Series{{Name: name, X: []float64{1, 2}, Y: []float64{1, 2}}, {Name: strings.Repeat("W", 300), X: []float64{1, 2}, Y: []float64{1, 2}}})
	if svg := drawn(t, f, err); strings.Contains(svg, "<script>") {
		t.Error("markup in a name reaches the SVG")
	}
	f, err = Bars(Config{Title: name}, []Bar{{Name: strings.Repeat("W", 300), Note: name, Mean: 1}})
	drawn(t, f, err)
}

func TestManySeries(t *testing.T) {
	var series []Series
	for i := range 60 {
		series = append(series, Series{Name: "s", X: []float64{0, 1}, Y: []float64{0, float64(i % 7)}})
	}
	f, err := Curves(Config{}, series)
	drawn(t, f, err)
}

// TestSpread: labels stay apart, in order, inside, and where they are if there
// is room.
func TestSpread(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 500 {
		n := 1 + rng.IntN(12)
		ys := make([]float64, n)
		for i := range ys {
			ys[i] = 100 * rng.Float64()
		}
		slices.SortFunc(ys, func(a, b float64) int { return int(math.Copysign(1, b-a)) })
		const step, lo, hi = 8, 0, 100
		got := spread(ys, step, lo, hi)
		room := true
		for i := range got {
			if i > 0 && got[i-1]-got[i] < step-1e-9 {
				t.Fatalf("%v: %v is too close", ys, got)
			}
			if got[i] < lo-1e-9 || got[i] > hi+1e-9 {
				t.Fatalf("%v: %v leaves [%d, %d]", ys, got, lo, hi)
			}
			room = room && (i == 0 || ys[i-1]-ys[i] >= step)
		}
		if room {
			for i := range got {
				if math.Abs(got[i]-ys[i]) > 1e-9 {
					t.Fatalf("%v moved to %v without need", ys, got)
				}
			}
		}
	}
	if got := spread([]float64{50, 50}, 10, 0, 100); got[0] != 55 || got[1] != 45 {
		t.Errorf("two at 50: %v, want 55 and 45", got)
	}
}

func TestTicks(t *testing.T) {
	labels := func(lo, hi float64, log bool) string {
		ticks := linearTicks(lo, hi, 5)
		if log {
			ticks = logTicks(lo, hi)
		}
		var out []string
		for _, tick := range ticks {
			if tick.Label != "" {
				out = append(out, tick.Label)
			}
		}
		return strings.Join(out, " ")
	}
	for _, c := range []struct {
		lo, hi float64
		log    bool
		want   string
	}{
		{0, 1, false, "0.0 0.2 0.4 0.6 0.8 1.0"},
		{-1.1, 1.1, false, "−1.0 −0.5 0.0 0.5 1.0"},
		{0, 41230, false, "0 10,000 20,000 30,000 40,000"},
		{1.85, 2.45, false, "2.0 2.2 2.4"},
		{0.101, 0.112, false, "0.1025 0.1050 0.1075 0.1100"},
		{0.5, 5000, true, "1 10 100 1000"},
		{0.3, 6, true, "0.5 1 2 5"},
		{1e-6, 1e-3, true, "1e−6 1e−5 0.0001 0.001"},
		{1e-20, 1e20, true, "1e−18 1e−12 1e−6 1 1,000,000 1e12 1e18"},
		{100, 150, true, "100 120 140"},
	} {
		if got := labels(c.lo, c.hi, c.log); got != c.want {
			t.Errorf("[%g, %g] log %v: %q, want %q", c.lo, c.hi, c.log, got, c.want)
		}
	}
	if valueTicks([]float64{1, 1.1, 1.2}) != nil || valueTicks([]float64{5}) != nil {
		t.Error("crowded or single values: want no ticks of their own")
	}
}
