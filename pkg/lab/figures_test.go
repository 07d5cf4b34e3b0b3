package lab

import (
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/gophersnake/gophersnake/pkg/lab/figure"
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

var svgTexts = regexp.MustCompile(`<text [^>]*>([^<]*)</text>`)

// words is all text of an SVG document, lines joined by blanks.
func words(svg string) string {
	var out []string
	for _, m := range svgTexts.FindAllStringSubmatch(svg, -1) {
		out = append(out, m[1])
	}
	return strings.Join(out, " ")
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
		bars, err := r.ResultFigure()
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
		if text, err = curves.SVG(); err != nil || !strings.Contains(words(text), "a point is the mean of 2 logged values") {
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

// TestLengths: by rising length, "test" at the length that models are trained
// at, each length once.
func TestLengths(t *testing.T) {
	r := drawnStudy(false)
	r.Spec.Splits = []string{"valid", "test", "test@64", "test@8", "test@16"}
	var got []string
	for _, l := range r.lengths() {
		got = append(got, l.split)
	}
	if want := "test@8 test test@64"; strings.Join(got, " ") != want { // induction is trained at 16
		t.Errorf("%v, want %s", got, want)
	}
	for i, run := range r.Arms[0].Runs {
		run.Final["test@8/accuracy"], run.Final["test@64/accuracy"] = 0.9, 0.2+0.1*float64(i)
	}
	f, err := r.LengthFigure()
	if err != nil {
		t.Fatal(err)
	}
	if text, err := f.SVG(); err != nil || !strings.Contains(words(text), "trained length, 16") || !strings.Contains(text, ">64<") || !strings.Contains(text, ">0.250<") {
		t.Errorf("the trained length or a tick is missing: %v", err)
	}
	r.Spec.Splits = []string{"valid", "test"}
	if _, err := r.LengthFigure(); err == nil || !strings.Contains(err.Error(), "induction is tested at 1 length, want 2 or more") {
		t.Errorf("one length: %v", err)
	}
}

// TestRateFigure: tries of different stages need not have the same rates, and
// one that diverged has no score whatever it says.
func TestRateFigure(t *testing.T) {
	r := drawnStudy(false)
	if _, err := r.RateFigure(); err == nil || !strings.Contains(err.Error(), "nothing to draw: 1 arms without a try") {
		t.Errorf("no tries: %v", err)
	}
	r.Spec.Metric = task.Accuracy
	r.Arms[0].LR = 1e-2
	r.Arms[0].Tries = []Try{{LR: 1e-3, Seed: 7, Status: Finished, Score: 0.2}, {LR: 1e-2, Seed: 7, Status: Finished, Score: 0.8}, {LR: 1e-2, Seed: 8, Status: Finished, Score: 0.7}, {LR: 3e-3, Seed: 8, Status: Diverged, Score: 0.9}}
	f, err := r.RateFigure()
	if err != nil {
		t.Fatal(err)
	}
	text, err := f.SVG()
	if err != nil || !strings.Contains(text, "0.01, the largest tried") {
		t.Errorf("the edge is not told: %v", err)
	}
	r.Arms[0].Tries[3].Status = Finished
	f, err = r.RateFigure()
	if err != nil {
		t.Fatal(err)
	}
	if other, _ := f.SVG(); other == text {
		t.Error("a try that diverged is drawn like another")
	}
}

// TestFamilies: every mixer has a family, every family one colour.
func TestFamilies(t *testing.T) {
	paints := map[string]figure.Color{}
	names := map[figure.Color]string{}
	for _, k := range append(Mixers(), Custom, "unheard of") {
		for _, sel := range []string{"none", "delta"} {
			a := ArmResult{}
			a.Experiment.Model.Mixer = MixerConfig{Kind: k, Select: sel}
			name, paint := a.family()
			if old, ok := paints[name]; name == "" || ok && old != paint {
				t.Errorf("%s: family %q in %s and %s", k, name, paint, old)
			}
			if old, ok := names[paint]; ok && old != name {
				t.Errorf("%s: both %q and %q are %s", k, old, name, paint)
			}
			paints[name], names[paint] = paint, name
		}
	}
	if len(paints) != 6 {
		t.Errorf("families %v, want six", paints)
	}
}
