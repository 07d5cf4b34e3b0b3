package lab

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gophersnake/gophersnake/pkg/lab/stats"
	"github.com/gophersnake/gophersnake/pkg/task"
)

// TestIntervalsStayInRange: no table or figure shows an accuracy above one or
// below zero, a gain beyond one, or a negative loss.
func TestIntervalsStayInRange(t *testing.T) {
	r := scored(map[string][]float64{"conv": {0.9, 1, 1}, "rnn": {0, 0.1, 0}, "linear": {0, 1, 0}})
	raw := stats.Summarise([]float64{0.9, 1, 1}, Confidence)
	if !(raw.Hi > 1) {
		t.Fatalf("the t interval [%g, %g] does not leave [0, 1]: nothing is tested", raw.Lo, raw.Hi)
	}
	for arm, want := range map[string]string{"conv": "[0.823, 1.000]", "rnn": "[0.000, 0.177]", "linear": "[0.000, 1.000]"} {
		if got := cell(t, r, arm, "95% interval"); got != want {
			t.Errorf("%s: interval %q, want %q", arm, got, want)
		}
	}
	if got := cell(t, r, "linear", "gain"); !strings.HasSuffix(got, "+1.000]") {
		t.Errorf("gain %q, want it cut at +1", got)
	}
	if notes := strings.Join(r.Table().Notes, " "); !strings.Contains(notes, "Student's t of the reported seeds, cut to [0, 1].") {
		t.Errorf("the notes do not say that intervals are cut: %s", notes)
	}
	if s := r.Summary(r.Arms[0]); s.Hi != 1 || s.Lo != raw.Lo || s.Mean != raw.Mean {
		t.Errorf("summary %v, want that of %v cut at 1", s, raw)
	}
}

func TestOneRunStaysUnbounded(t *testing.T) {
	lo, hi := rangeOf(task.Accuracy).cut(math.Inf(-1), math.Inf(1))
	if !math.IsInf(lo, -1) || !math.IsInf(hi, 1) {
		t.Errorf("nothing is known of one run, but its interval is [%g, %g]", lo, hi)
	}
}

func TestRangeOfKey(t *testing.T) {
	for key, want := range map[string]string{"valid/accuracy": ", cut to [0, 1]", "test@64/accuracy": ", cut to [0, 1]",
		"train/loss": ", cut at 0", "test/bits_per_byte": ", cut at 0", "lambda/max": "", "accuracy": ""} {
		if got := rangeOfKey(key).note(); got != want {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
	}
}

func TestScalingTellsTheSpread(t *testing.T) {
	c := ScalingConfig{Rungs: []string{"conv"}, D: 4, Lengths: []int{4, 8, 16}, Repeats: 4, Device: "cpu", Seed: 1}
	r, err := MeasureScaling(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	for repeats, want := range map[int]int{1: 1, 4: 4, 13: 13} {
		c, counted := c, 0
		c.Repeats = repeats
		times, err := c.measure(context.Background(), []func(int) time.Duration{func(int) time.Duration { counted++; return time.Second }})
		if err != nil || len(times[0]) != 3 || len(times[0][2]) != want || counted != 3*(repeats+min(repeats, scalingRounds)) {
			t.Errorf("%d repeats: %d times at a length of %d passes in all (%v)", repeats, len(times[0][2]), counted, err)
		}
	}
	k := r.Curves[0]
	for i := range c.Lengths {
		if lo, mid, hi := k.Fastest[i], k.Seconds[i], k.Slowest[i]; !(0 < lo && lo <= mid && mid <= hi) {
			t.Errorf("length %d: fastest %g, median %g, slowest %g", c.Lengths[i], lo, mid, hi)
		}
	}
	k = ScalingCurve{}
	k.add(8, []float64{3, 1, 2, 9, 4})
	if k.Fastest[0] != 1 || k.Seconds[0] != 3 || k.Slowest[0] != 9 {
		t.Errorf("of 3, 1, 2, 9, 4: %v", k)
	}
	if rows := strings.Split(strings.TrimSpace(r.CSV()), "\n"); len(rows) != 4 || rows[0] != "block,length,median,fastest,slowest" {
		t.Errorf("CSV %q", rows)
	}
	if !slices.ContainsFunc(r.Table().Notes, func(n string) bool { return strings.Contains(n, "median (fastest–slowest) of 4 passes") }) {
		t.Errorf("notes %q", r.Table().Notes)
	}
}

// TestScalingTellsNoChance: an exponent stands in the table and in the figure
// only where the lengths tell it.
func TestScalingTellsNoChance(t *testing.T) {
	lengths := []int{100, 200, 400, 800, 1600, 3200}
	curve := func(rung string, seconds ...float64) ScalingCurve {
		k := ScalingCurve{Rung: rung}
		for i, s := range seconds {
			k.add(lengths[i], []float64{s})
		}
		from := fitFrom(len(seconds))
		var err error
		if k.Fit, err = stats.LogLogSlope(k.Lengths[from:], k.Seconds[from:], Confidence); err != nil {
			t.Fatal(err)
		}
		return k
	}
	straight, uneven, short := curve("straight", 1, 2, 4, 8, 16, 32), curve("uneven", 1, 2, 9, 1, 30, 2), curve("short", 1, 2, 4)
	for _, c := range []struct {
		curves []ScalingCurve
		lines  []string // of the table: the last cell of each row
		note   string   // in the figure
	}{
		{[]ScalingCurve{straight}, []string{"1.00 [1.00, 1.00]"}, "lines: power law from L=400 on"},
		{[]ScalingCurve{straight, uneven}, []string{"1.00 [1.00, 1.00]", "too uneven to tell"}, "where 4 lengths or more tell one"},
		{[]ScalingCurve{short}, []string{"too few lengths to tell"}, "the lengths tell no exponent"},
	} {
		r := &ScalingResult{Config: ScalingConfig{Lengths: lengths[:len(c.curves[0].Lengths)], Repeats: 1}, Curves: c.curves}
		table := r.Table()
		for i, row := range table.Rows {
			if got := row[len(row)-1]; got != c.lines[i] {
				t.Errorf("%s: exponent %q, want %q", row[0], got, c.lines[i])
			}
		}
		if noted := len(table.Notes) == 2; noted == (r.told() == len(c.curves)) {
			t.Errorf("%v: notes %q", c.lines, table.Notes)
		}
		f, err := r.Figure()
		if err != nil {
			t.Fatal(err)
		}
		svg, err := f.SVG()
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(svg), c.note) || strings.Count(string(svg), ": L^") != r.told() {
			t.Errorf("%v: %d exponents in the figure, want %d and the note %q", c.lines, strings.Count(string(svg), ": L^"), r.told(), c.note)
		}
	}
}
