package stats

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

var (
	inf = math.Inf(1)
	nan = math.NaN()
)

// wantPanic fails unless f panics with a message that starts with prefix.
func wantPanic(t *testing.T, prefix string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if msg, _ := recover().(string); !strings.HasPrefix(msg, prefix) {
			t.Errorf("panic %q, want one that starts with %q", msg, prefix)
		}
	}()
	f()
}

func TestDivergedRunsAreCounted(t *testing.T) {
	got := Summarise([]float64{2, nan, 1, inf, 3, -inf}, 0.95)
	want := Summarise([]float64{1, 2, 3}, 0.95)
	want.Diverged = 3
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if s := got.String(); s != "2 [-0.4841, 4.484] (n=3, 3 diverged)" {
		t.Errorf("String is %q", s)
	}
	p := Paired([]float64{1, nan, 3, 4}, []float64{0, 1, inf, 2}, 0.95)
	if p.N != 2 || p.DivergedA != 1 || p.DivergedB != 1 || p.Wins != 2 || p.MeanDiff != 1.5 {
		t.Errorf("paired: %+v", p)
	}
}

func TestOneRunBoundsNothing(t *testing.T) {
	s := Summarise([]float64{0.5}, 0.95)
	if s.Mean != 0.5 || s.Median != 0.5 || s.SD != inf || s.SE != inf || s.Lo != -inf || s.Hi != inf {
		t.Errorf("summary of one run: %+v", s)
	}
	if s.String() != "0.5 (n=1)" {
		t.Errorf("String is %q", s.String())
	}
	b := Bootstrap([]float64{0.5}, 0.95, MinResamples, 1)
	if b.Mean != 0.5 || b.BCa != everywhere() || b.Percentile != everywhere() {
		t.Errorf("bootstrap of one run: %+v", b)
	}
	p := Paired([]float64{1}, []float64{0}, 0.95)
	if p.MeanDiff != 1 || p.P != 1 || p.SignFlipP != 1 || p.T != 0 || p.Effect != 0 || p.Hi != inf {
		t.Errorf("one pair: %+v", p)
	}
}

func TestNoRun(t *testing.T) {
	s := Summarise([]float64{nan}, 0.95)
	if s.N != 0 || s.Diverged != 1 || !math.IsNaN(s.Mean) || s.Lo != -inf || s.String() != "no result (n=0, 1 diverged)" {
		t.Errorf("summary of none: %+v %s", s, s)
	}
	if p := Paired(nil, nil, 0.95); p.N != 0 || p.P != 1 || p.SignFlipP != 1 {
		t.Errorf("no pair: %+v", p)
	}
	if b := Bootstrap(nil, 0.95, MinResamples, 1); !math.IsNaN(b.Mean) || b.BCa != everywhere() {
		t.Errorf("bootstrap of none: %+v", b)
	}
	if w := Wilson(0, 0, 0.95); w.Lo != 0 || w.Hi != 1 {
		t.Errorf("0 of 0: %+v", w)
	}
}

func TestEqualValuesHaveNoSpread(t *testing.T) {
	xs := []float64{0.1, 0.1, 0.1} // their sum over 3 is not 0.1 in float64
	s := Summarise(xs, 0.95)
	if s.Mean != 0.1 || s.Lo != 0.1 || s.Hi != 0.1 {
		t.Errorf("summary: %+v", s)
	}
	b := Bootstrap(xs, 0.95, MinResamples, 1)
	if want := (Interval{0.1, 0.1}); b.BCa != want || b.Percentile != want {
		t.Errorf("bootstrap: %+v", b)
	}
	p := Paired([]float64{2, 3, 4}, []float64{1, 2, 3}, 0.95)
	if p.T != inf || p.Effect != inf || p.P != 0 || p.SignFlipP != 0.25 || p.Lo != 1 || p.Hi != 1 {
		t.Errorf("constant difference: %+v", p)
	}
	if p := Paired(xs, xs, 0.95); p.T != 0 || p.P != 1 || p.SignFlipP != 1 || p.Ties != 3 {
		t.Errorf("no difference: %+v", p)
	}
}

// TestSignFlipSmallest: 2/2^n when every difference has one sign.
func TestSignFlipSmallest(t *testing.T) {
	for n, want := range map[int]float64{3: 0.25, 5: 0.0625, 6: 0.03125, 8: 0.0078125} {
		d := make([]float64, n)
		for i := range d {
			d[i] = 0.1 * float64(i+1)
		}
		if got := SignFlip(d); got != want {
			t.Errorf("n=%d: got %g, want %g", n, got, want)
		}
	}
}

// TestSignFlipAgainstEnumeration counts by the definition, one vector a time.
func TestSignFlipAgainstEnumeration(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for n := 1; n <= 10; n++ {
		d := make([]float64, n)
		for i := range d {
			d[i] = math.Round(rng.NormFloat64()*4) / 4 // quarters: exact sums and many ties
		}
		observed, hits := 0.0, 0
		for mask := range 1 << n {
			sum := 0.0
			for i, v := range d {
				if mask>>i&1 == 1 {
					v = -v
				}
				sum += v
			}
			if mask == 0 {
				observed = math.Abs(sum)
			}
			if math.Abs(sum) >= observed {
				hits++
			}
		}
		if got, want := SignFlip(d), float64(hits)/float64(int(1)<<n); got != want {
			t.Errorf("%v: got %g, want %g", d, got, want)
		}
	}
}

// TestSignFlipDrawn: the random version, used above 20, agrees with the exact
// one to five standard errors of 100,000 draws.
func TestSignFlipDrawn(t *testing.T) {
	d := []float64{0.3, 0.2, -0.1, 0.4, 0.1, 0.25, -0.05, 0.3, -0.2, 0.15}
	want := SignFlip(d)
	got := signFlipDrawn(d, math.Abs(1.35)-1e-12)
	near(t, "drawn", got, want, 5*math.Sqrt(want*(1-want)/signFlipDraws))
	long := make([]float64, 25)
	for i := range long {
		long[i] = 1
	}
	if got := SignFlip(long); got <= 0 || got > 1e-3 {
		t.Errorf("25 equal differences: p = %g, want above 0 and tiny", got)
	}
}

func TestPairedIsAntisymmetric(t *testing.T) {
	k := known(t).Paired[0]
	ab, ba := Paired(k.A, k.B, 0.95), Paired(k.B, k.A, 0.95)
	if ab.MeanDiff != -ba.MeanDiff || ab.Lo != -ba.Hi || ab.T != -ba.T || ab.P != ba.P ||
		ab.SignFlipP != ba.SignFlipP || ab.Wins != ba.Losses || ab.Ties != ba.Ties {
		t.Errorf("swapped arms:\n%+v\n%+v", ab, ba)
	}
}

func TestSummaryIgnoresOrderAndKeepsInput(t *testing.T) {
	xs := []float64{0.7, 0.1, 0.45, 0.3}
	was := []float64{0.7, 0.1, 0.45, 0.3}
	a, b := Summarise(xs, 0.9), Summarise([]float64{0.1, 0.3, 0.45, 0.7}, 0.9)
	if a != b {
		t.Errorf("order matters:\n%+v\n%+v", a, b)
	}
	Bootstrap(xs, 0.9, MinResamples, 1)
	Holm(xs)
	Spearman(xs, xs)
	SignFlip(xs)
	if !reflect.DeepEqual(xs, was) {
		t.Errorf("the argument changed to %v", xs)
	}
}

// TestIntervalCoverage: over 2,000 normal samples of 5, the 95 % t interval
// holds the mean in 95 % of them, to five binomial standard errors (2.4 %).
func TestIntervalCoverage(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	const trials = 2000
	hits := 0
	for range trials {
		xs := make([]float64, 5)
		for i := range xs {
			xs[i] = 3 + 2*rng.NormFloat64()
		}
		s := Summarise(xs, 0.95)
		if (Interval{s.Lo, s.Hi}).Contains(3) {
			hits++
		}
	}
	near(t, "coverage", float64(hits)/trials, 0.95, 0.0244)
}

func TestBootstrapSeed(t *testing.T) {
	xs := known(t).Bootstrap[1].XS
	a := Bootstrap(xs, 0.95, MinResamples, 5)
	if b := Bootstrap(xs, 0.95, MinResamples, 5); a != b {
		t.Errorf("same seed, other bits:\n%+v\n%+v", a, b)
	}
	if b := Bootstrap(xs, 0.95, MinResamples, 6); a.BCa == b.BCa && a.Percentile == b.Percentile {
		t.Error("another seed gave the same intervals")
	}
	if !(a.BCa.Lo > a.Percentile.Lo && a.BCa.Hi > a.Percentile.Hi) {
		t.Errorf("BCa does not lean towards the long tail: %+v", a)
	}
}

func TestWilsonEdges(t *testing.T) {
	for n := 1; n <= 12; n++ {
		for k := 0; k <= n; k++ {
			w, mirror := Wilson(k, n, 0.95), Wilson(n-k, n, 0.95)
			if !(0 <= w.Lo && w.Lo <= w.Share && w.Share <= w.Hi && w.Hi <= 1 && w.Lo < w.Hi) {
				t.Errorf("%+v", w)
			}
			near(t, "mirror", w.Lo, 1-mirror.Hi, 1e-12) // a few roundings of numbers near 1
		}
	}
	if s := Wilson(4, 5, 0.95).String(); s != "4/5 [0.38, 0.96]" {
		t.Errorf("String is %q", s)
	}
}

func TestHolm(t *testing.T) {
	// By hand: 0.01·3, max(0.03, 0.02·2), max(0.04, 0.04·1).
	got := Holm([]float64{0.04, 0.01, 0.02})
	for i, want := range []float64{0.04, 0.03, 0.04} {
		near(t, "holm", got[i], want, 1e-15)
	}
	if got := Holm([]float64{nan, 0.02}); got[0] != 1 || got[1] != 0.04 {
		t.Errorf("a test that could not be made: %v, want it counted as p = 1", got)
	}
	if got := Holm(nil); len(got) != 0 {
		t.Errorf("no tests: %v", got)
	}
}

func TestLogLogSlopeExact(t *testing.T) {
	x := []float64{1, 2, 4, 8, 0, nan, 3}
	y := []float64{3, 12, 48, 192, 5, 5, inf} // 3·x², then three unusable points
	f, err := LogLogSlope(x, y, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "exponent", f.Exponent, 2, 1e-12)
	near(t, "coefficient", f.Coefficient, 3, 1e-12)
	near(t, "at 16", f.At(16), 768, 1e-12)
	near(t, "r2", f.R2, 1, 1e-12)
	if f.N != 4 || f.Skipped != 3 || f.Hi-f.Lo > 1e-6 {
		t.Errorf("%+v", f)
	}
	if f, err := LogLogSlope([]float64{1, 2}, []float64{1, 2}, 0.95); err != nil || f.Hi != inf || f.Lo != -inf {
		t.Errorf("two points: %+v, %v", f, err)
	}
	for _, x := range [][]float64{nil, {1}, {2, 2, 2}, {-1, 0, 2}} {
		if _, err := LogLogSlope(x, x, 0.95); err == nil {
			t.Errorf("x = %v: no error", x)
		}
	}
}

// TestLawTells: three points or a wide interval tell no exponent, NaN neither.
func TestLawTells(t *testing.T) {
	for _, c := range []struct {
		n      int
		lo, hi float64
		want   bool
	}{{4, 0.9, 1.1, true}, {4, 0.5, 1.5, true}, {4, 0.49, 1.5, false}, {7, -2.93, 2.80, false}, {3, 1, 1, false}, {2, -inf, inf, false}, {9, nan, nan, false}} {
		if got := (PowerLaw{N: c.n, Lo: c.lo, Hi: c.hi}).Tells(); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

func TestSpearmanBounds(t *testing.T) {
	x := []float64{1, 5, 2, 9}
	y := []float64{10, 400, 20, 1e6}
	near(t, "monotone", Spearman(x, y), 1, 1e-12)
	near(t, "reversed", Spearman(x, []float64{-1, -5, -2, -9}), -1, 1e-12)
	if !math.IsNaN(Spearman(x, []float64{1, 1, 1, 1})) {
		t.Error("a constant side has no rank correlation")
	}
}

func TestBadArgumentsPanic(t *testing.T) {
	xs := []float64{1, 2}
	wantPanic(t, "stats.Summarise: confidence is 95", func() { Summarise(xs, 95) })
	wantPanic(t, "stats.Summarise: confidence is NaN", func() { Summarise(xs, nan) })
	wantPanic(t, "stats.Paired: got 2 and 1 values", func() { Paired(xs, xs[:1], 0.95) })
	wantPanic(t, "stats.Bootstrap: resamples is 100, want 10000", func() { Bootstrap(xs, 0.95, 100, 1) })
	wantPanic(t, "stats.Wilson: got 3 of 2", func() { Wilson(3, 2, 0.95) })
	wantPanic(t, "stats.Holm: p[1] is 1.5", func() { Holm([]float64{0.5, 1.5}) })
	wantPanic(t, "stats.LogLogSlope: got 2 and 1 values", func() { _, _ = LogLogSlope(xs, xs[:1], 0.95) })
	wantPanic(t, "stats.Spearman: got 2 and 1 values", func() { Spearman(xs, xs[:1]) })
}

func TestJSONWritesNull(t *testing.T) {
	for _, v := range []any{
		Summarise([]float64{0.5}, 0.95), Paired(nil, nil, 0.95), Bootstrap(nil, 0.95, MinResamples, 1),
		Wilson(0, 0, 0.95), PowerLaw{Lo: -inf, Hi: inf}, everywhere(),
	} {
		text, err := json.Marshal(v)
		if err != nil {
			t.Errorf("%T: %v", v, err)
			continue
		}
		var back map[string]any
		if err := json.Unmarshal(text, &back); err != nil || len(back) != reflect.TypeOf(v).NumField() {
			t.Errorf("%T: %s has %d fields (%v)", v, text, len(back), err)
		}
	}
	text, _ := json.Marshal(Summarise([]float64{0.5}, 0.95))
	want := `{"n":1,"diverged":0,"mean":0.5,"sd":null,"se":null,"lo":null,"hi":null,"confidence":0.95,"min":0.5,"max":0.5,"median":0.5}`
	if string(text) != want {
		t.Errorf("got %s\nwant %s", text, want)
	}
}

// TestExpandedLevels: Hesterberg's table has 0.0057 for eight values at 95 %; for
// many values the levels are those of the percentiles.
func TestExpandedLevels(t *testing.T) {
	lo, hi := ExpandedLevels(0.95, 8)
	near(t, "eight values", lo, 0.0057, 0.0001)
	near(t, "both ends alike", hi, 1-lo, exact)
	lo, _ = ExpandedLevels(0.95, 100_000)
	near(t, "many values", lo, 0.025, 1e-4)
	defer func() {
		if recover() == nil {
			t.Error("one value has levels")
		}
	}()
	ExpandedLevels(0.95, 1)
}

func TestQuantile(t *testing.T) {
	xs := []float64{1, 2, 4}
	for p, want := range map[float64]float64{0: 1, 0.25: 1.5, 0.5: 2, 0.75: 3, 1: 4} {
		near(t, "quantile", Quantile(xs, p), want, exact)
	}
}
