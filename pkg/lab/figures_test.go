package lab

import (
	"math"
	"strings"
	"testing"

	"github.com/gophersnake/gophersnake/pkg/task"
)

// drawnStudy is the result of a study that never ran: two seeds of an arm, the
// second of which diverges at step 30 if asked.
func drawnStudy(diverged bool) *StudyResult {
	e := DefaultExperiment(task.Induction)
	run := func(status Status, losses ...float64) *Result {
		r := &Result{Experiment: e, Status: status, Final: map[string]float64{"test/accuracy": 0.5}, Curves: map[string]Curve{}}
		c := Curve{}
		for i, v := range losses {
			c.Steps, c.Values = append(c.Steps, int64(10*i+10)), append(c.Values, v)
		}
		r.Curves[KeyTrainLoss] = c
		return r
	}
	second := run(Finished, 3, 2, 1, 1, 0)
	if diverged {
		second = run(Diverged, 3, 2, math.NaN())
	}
	a := Arm{Name: "conv", Label: "0 conv", Experiment: e}
	return &StudyResult{Config: StudyConfig{Name: "s", Arms: []Arm{a}, Seeds: []uint64{1, 2}}, Spec: task.SpecOf(e.Task),
		Arms: []ArmResult{{Arm: a, LR: 1e-3, Runs: []*Result{run(Finished, 1, 2, 3, 1, 2), second}}}}
}

func TestSeriesBins(t *testing.T) {
	s := drawnStudy(false).Arms[0].series(KeyTrainLoss, 2)
	wantX, wantY := []float64{20, 40, 50}, []float64{2, 1.5, 1}
	for i := range wantX {
		if len(s.X) != 3 || s.X[i] != wantX[i] || s.Y[i] != wantY[i] {
			t.Fatalf("x %v, y %v, want %v, %v", s.X, s.Y, wantX, wantY)
		}
	}
	if !(s.Lo[0] < s.Y[0] && s.Y[0] < s.Hi[0]) {
		t.Errorf("interval [%g, %g] of %g", s.Lo[0], s.Hi[0], s.Y[0])
	}
}

func TestSeriesEndsWhereASeedDiverges(t *testing.T) {
	s := drawnStudy(true).Arms[0].series(KeyTrainLoss, 1)
	for i, y := range s.Y {
		if math.IsNaN(y) != (i >= 2) {
			t.Errorf("means %v, want two and then none", s.Y)
		}
	}
}

func TestStudyFigures(t *testing.T) {
	for _, diverged := range []bool{false, true} {
		r := drawnStudy(diverged)
		bars, err := r.BarFigure()
		if err != nil {
			t.Fatal(err)
		}
		text, err := bars.SVG()
		if err != nil || !strings.Contains(text, "chance") {
			t.Errorf("bars: %v", err)
		}
		curves, err := r.CurveFigure(KeyTrainLoss, 2)
		if err != nil {
			t.Fatal(err)
		}
		if text, err = curves.SVG(); err != nil || !strings.Contains(text, "a point is the mean of 2 logged values") {
			t.Errorf("curves do not say how they were smoothed: %v", err)
		}
	}
	if _, err := drawnStudy(false).CurveFigure(KeyTrainLoss, 0); err == nil {
		t.Error("a bin of 0 is accepted")
	}
	if n := drawnStudy(false).LossBin(); n != 1 {
		t.Errorf("LossBin is %d, want 1", n)
	}
}
