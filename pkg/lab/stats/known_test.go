package stats

import (
	_ "embed"
	"encoding/json"
	"math"
	"testing"
)

// known.json holds answers of SciPy and statsmodels; known.py made it.
//
//go:embed testdata/known.json
var knownJSON []byte

// exact is the relative tolerance for closed formulas: both sides are float64,
// and gonum's t quantile inverts the incomplete beta to about 1e-10.
const exact = 1e-8

type knownAnswers struct {
	T []struct {
		DF                 int
		Confidence, Factor float64
	}
	Summary []struct {
		XS                                       []float64
		Confidence, Mean, SD, SE, Lo, Hi, Median float64
	}
	Paired []struct {
		A, B             []float64
		Confidence, T, P float64
		Lo, Hi, Effect   float64
		SignFlip         float64 `json:"sign_flip"`
	}
	Welch []struct {
		A, B             []float64
		Confidence, T, P float64
		DF, Lo, Hi       float64
		Hedges           float64
	}
	Best []struct {
		XS       []float64
		K        int
		Max, Min float64
	}
	Bootstrap []struct {
		XS              []float64
		Confidence      float64
		Percentile, BCa Interval
	}
	Wilson []struct {
		K, N               int
		Confidence, Lo, Hi float64
	}
	Holm  struct{ P, Adjusted []float64 }
	Slope []struct {
		X, Y                                              []float64
		Confidence, Exponent, SE, Lo, Hi, Coefficient, R2 float64
	}
	Spearman []struct {
		X, Y []float64
		Rho  float64
	}
}

func known(t *testing.T) knownAnswers {
	t.Helper()
	var k knownAnswers
	if err := json.Unmarshal(knownJSON, &k); err != nil {
		t.Fatal(err)
	}
	if len(k.T)*len(k.Summary)*len(k.Paired)*len(k.Welch)*len(k.Best)*len(k.Bootstrap)*len(k.Wilson)*len(k.Holm.P)*len(k.Slope)*len(k.Spearman) == 0 {
		t.Fatal("known.json lacks a section: nothing would be checked")
	}
	return k
}

// near fails unless got is within tol of want, relative to |want| or 1.
func near(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol*max(1, math.Abs(want))) {
		t.Errorf("%s: got %.12g, want %.12g (tolerance %g)", what, got, want, tol)
	}
}

func TestKnownTFactors(t *testing.T) {
	for _, k := range known(t).T {
		near(t, "t factor", tFactor(k.Confidence, float64(k.DF)), k.Factor, exact)
	}
	// The printed table's value for three runs.
	near(t, "t(0.975, 2)", tFactor(0.95, 2), 4.303, 5e-4)
}

func TestKnownSummaries(t *testing.T) {
	for _, k := range known(t).Summary {
		s := Summarise(k.XS, k.Confidence)
		near(t, "mean", s.Mean, k.Mean, exact)
		near(t, "sd", s.SD, k.SD, exact)
		near(t, "se", s.SE, k.SE, exact)
		near(t, "lo", s.Lo, k.Lo, exact)
		near(t, "hi", s.Hi, k.Hi, exact)
		near(t, "median", s.Median, k.Median, exact)
	}
}

func TestKnownPaired(t *testing.T) {
	for _, k := range known(t).Paired {
		r := Paired(k.A, k.B, k.Confidence)
		near(t, "t", r.T, k.T, exact)
		near(t, "p", r.P, k.P, exact)
		near(t, "lo", r.Lo, k.Lo, exact)
		near(t, "hi", r.Hi, k.Hi, exact)
		near(t, "effect", r.Effect, k.Effect, exact)
		near(t, "sign flip", r.SignFlipP, k.SignFlip, exact)
	}
}

func TestKnownWelch(t *testing.T) {
	for _, k := range known(t).Welch {
		w := Welch(k.A, k.B, k.Confidence)
		near(t, "t", w.T, k.T, exact)
		near(t, "p", w.P, k.P, exact)
		near(t, "df", w.DF, k.DF, exact)
		near(t, "lo", w.Lo, k.Lo, exact)
		near(t, "hi", w.Hi, k.Hi, exact)
		near(t, "Hedges' g", w.Effect, k.Hedges, exact)
	}
}

func TestKnownBest(t *testing.T) {
	for _, k := range known(t).Best {
		near(t, "best of many", ExpectedBest(k.XS, k.K, true), k.Max, exact)
		near(t, "least of many", ExpectedBest(k.XS, k.K, false), k.Min, exact)
	}
}

func TestKnownBootstrap(t *testing.T) {
	for _, k := range known(t).Bootstrap {
		r := Bootstrap(k.XS, k.Confidence, 400_000, 7)
		// SciPy took two million resamples, we 400,000. The ends sit on a lattice
		// of few values; 1.5 % of the width is some 5 Monte Carlo errors.
		tol := 0.015 * (k.BCa.Hi - k.BCa.Lo)
		near(t, "percentile lo", r.Percentile.Lo, k.Percentile.Lo, tol)
		near(t, "percentile hi", r.Percentile.Hi, k.Percentile.Hi, tol)
		near(t, "BCa lo", r.BCa.Lo, k.BCa.Lo, tol)
		near(t, "BCa hi", r.BCa.Hi, k.BCa.Hi, tol)
	}
}

func TestKnownProportionsAndHolm(t *testing.T) {
	k := known(t)
	for _, w := range k.Wilson {
		r := Wilson(w.K, w.N, w.Confidence)
		near(t, "wilson lo", r.Lo, w.Lo, exact)
		near(t, "wilson hi", r.Hi, w.Hi, exact)
	}
	for i, got := range Holm(k.Holm.P) {
		near(t, "holm", got, k.Holm.Adjusted[i], exact)
	}
}

func TestKnownFits(t *testing.T) {
	k := known(t)
	for _, s := range k.Slope {
		f, err := LogLogSlope(s.X, s.Y, s.Confidence)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "exponent", f.Exponent, s.Exponent, exact)
		near(t, "se", f.SE, s.SE, exact)
		near(t, "lo", f.Lo, s.Lo, exact)
		near(t, "hi", f.Hi, s.Hi, exact)
		near(t, "coefficient", f.Coefficient, s.Coefficient, exact)
		near(t, "r2", f.R2, s.R2, exact)
	}
	for _, s := range k.Spearman {
		near(t, "spearman", Spearman(s.X, s.Y), s.Rho, exact)
	}
}
