package stats

import (
	"math"
	"testing"
)

// The edges that known.json has no answer for.
func TestExpectedBestWithDivergedRuns(t *testing.T) {
	nan := math.NaN()
	// Of the choices {1,3}, {1,×}, {3,×} the best are 3, 1, 3.
	near(t, "one of three diverged", ExpectedBest([]float64{1, nan, 3}, 2, true), 7.0/3, exact)
	near(t, "the least of them", ExpectedBest([]float64{1, math.Inf(1), 3}, 2, false), 5.0/3, exact)
	if v := ExpectedBest([]float64{1, nan, nan}, 2, true); !math.IsNaN(v) {
		t.Errorf("a choice of two diverged runs exists, but the mean of the best is %g", v)
	}
	defer func() {
		if recover() == nil {
			t.Error("k above the number of results was accepted")
		}
	}()
	ExpectedBest([]float64{1}, 2, true)
}

func TestWelchEdges(t *testing.T) {
	one := Welch([]float64{1}, []float64{2, 3}, 0.95)
	if one.MeanDiff != -1.5 || one.P != 1 || !math.IsInf(one.Hi, 1) || one.T != 0 {
		t.Errorf("one run against two says %+v, want a difference of -1.5 and nothing else", one)
	}
	if w := Welch([]float64{math.NaN()}, []float64{2, 3}, 0.95); !math.IsNaN(w.MeanDiff) || w.DivergedA != 1 || w.P != 1 {
		t.Errorf("a side without results says %+v", w)
	}
	if w := Welch([]float64{2, 2}, []float64{1, 1}, 0.95); w.P != 0 || !math.IsInf(w.T, 1) || w.Lo != 1 || w.Hi != 1 {
		t.Errorf("two constants say %+v", w)
	}
	if w := Welch([]float64{2, 2}, []float64{2, 2}, 0.95); w.P != 1 || w.T != 0 {
		t.Errorf("two equal constants say %+v", w)
	}
}
