package lab

import (
	"context"
	"math"
	"slices"
	"testing"
)

// replayedKeys are metrics of every kind that a replay compares.
func replayedKeys() []string {
	return []string{KeyTrainLoss, KeyGradNorm, KeyLR, "valid/loss", "valid/accuracy", "test/loss", "test/accuracy", "test@11/loss", "test@11/accuracy"}
}

// copyCurves returns a copy that a test may damage.
func copyCurves(curves map[string]Curve) map[string]Curve {
	out := map[string]Curve{}
	for k, c := range curves {
		out[k] = Curve{Steps: slices.Clone(c.Steps), Values: slices.Clone(c.Values)}
	}
	return out
}

// TestReplaySeesOneBit: a value of any metric that is one unit in the last place
// off, missing or too many is found, and nothing else is.
func TestReplaySeesOneBit(t *testing.T) {
	e := tiny(S6)
	e.Task.EvalLengths = []int{11}
	run := mustRun(t, e, Options{})
	report, err := Replay(context.Background(), e, &PastRun{Curves: run.Curves}, Options{Resume: run.Checkpoint})
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, k := range replayedKeys() {
		compared += len(run.Curves[k].Values)
	}
	if !report.Equal() || report.Compared != compared {
		t.Fatalf("%v, want %d values equal", report, compared)
	}
	wantOne := func(what string, curves map[string]Curve, key string, step int64, was float64) {
		t.Helper()
		r := compareRuns(curves, report.Replayed)
		if r.Equal() || r.Different != 1 || len(r.First) != 1 || r.First[0].Key != key || r.First[0].Step != step ||
			math.Float64bits(r.First[0].Was) != math.Float64bits(was) && !math.IsNaN(was) {
			t.Errorf("%s: %v", what, r)
		}
	}
	for _, k := range replayedKeys() {
		last := len(run.Curves[k].Values) - 1
		step := run.Curves[k].Steps[last]
		off := copyCurves(run.Curves)
		off[k].Values[last] = math.Nextafter(off[k].Values[last], math.Inf(1))
		wantOne(k+" off", off, k, step, off[k].Values[last])
		less := copyCurves(run.Curves)
		less[k] = Curve{Steps: less[k].Steps[:last], Values: less[k].Values[:last]}
		wantOne(k+" missing", less, k, step, math.NaN())
		more := copyCurves(run.Curves)
		more[k] = Curve{Steps: append(more[k].Steps, 99), Values: append(more[k].Values, 3)}
		wantOne(k+" too many", more, k, 99, 3)
	}
}

// TestReplayComparesWhatARunLogs: what depends on the machine and what others
// logged is left out; NaN is NaN; 0 is not −0; nothing compared is not equal.
func TestReplayComparesWhatARunLogs(t *testing.T) {
	curve := func(v float64) Curve { return Curve{Steps: []int64{1}, Values: []float64{v}} }
	nan := math.NaN()
	other := math.Float64frombits(math.Float64bits(nan) ^ 2) // NaN, too
	for _, tt := range []struct {
		key       string
		was, came float64
		compared  int
		equal     bool
	}{
		{KeySpeed, 1, 2, 0, false}, {"mine/loss", 1, 2, 0, false}, {"testing", 1, 2, 0, false},
		{"train/loss", nan, other, 1, true}, {"train/loss", nan, 1, 1, false}, {"train/loss", 0, math.Copysign(0, -1), 1, false},
		{"test@300/accuracy", 1, 1 + 1e-9, 1, false}, {"valid/loss", 1, 1, 1, true},
	} {
		r := compareRuns(map[string]Curve{tt.key: curve(tt.was)}, &Result{Curves: map[string]Curve{tt.key: curve(tt.came)}})
		if r.Compared != tt.compared || r.Equal() != tt.equal {
			t.Errorf("%s %g and %g: %d compared, equal %t, want %d, %t", tt.key, tt.was, tt.came, r.Compared, r.Equal(), tt.compared, tt.equal)
		}
	}
}

// TestReplayTellsTheFirst: of several differences those of the earliest step are
// shown, by name.
func TestReplayTellsTheFirst(t *testing.T) {
	two := func(a, b float64) Curve { return Curve{Steps: []int64{2, 10}, Values: []float64{a, b}} }
	r := compareRuns(map[string]Curve{"train/b": two(1, 1), "train/a": two(1, 1), "valid/c": two(0, 1)},
		&Result{Curves: map[string]Curve{"train/b": two(2, 2), "train/a": two(2, 1), "valid/c": two(0, 9)}})
	want := []Mismatch{{"train/a", 2, 1, 2}, {"train/b", 2, 1, 2}}
	if r.Compared != 6 || r.Different != 4 || !slices.Equal(r.First, want) {
		t.Errorf("%d compared, %d different, first %v, want 6, 4, %v", r.Compared, r.Different, r.First, want)
	}
}
