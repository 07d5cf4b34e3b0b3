package lab

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gophersnake/gophersnake/pkg/lab/stats"
	"github.com/gophersnake/gophersnake/pkg/task"
)

// scored is the result of a ladder that never ran: accuracies of each rung by
// seed, NaN for a run that finished without a number, −1 for a diverged one.
func scored(arms map[string][]float64) *StudyResult {
	e := DefaultExperiment(task.Induction)
	r := &StudyResult{Spec: task.SpecOf(e.Task)}
	for _, name := range RungNames() {
		values, ok := arms[name]
		if !ok {
			continue
		}
		a := ArmResult{Arm: Arm{Name: name, Experiment: e}, LR: 1e-3}
		for _, v := range values {
			run := &Result{Experiment: e, Status: Finished, Final: map[string]float64{"test/accuracy": v, "test@32/accuracy": v}}
			if v == -1 {
				run.Status = Diverged
			}
			a.Runs = append(a.Runs, run)
		}
		r.Arms, r.Config.Arms = append(r.Arms, a), append(r.Config.Arms, a.Arm)
	}
	r.Config.Seeds, r.Config.LRs = []uint64{1, 2, 3}, []float64{1e-3}
	return r
}

// cell returns what the study's table shows of an arm in a column.
func cell(t *testing.T, r *StudyResult, arm, column string) string {
	t.Helper()
	tab := r.Table()
	col := slices.Index(tab.Columns, column)
	for _, row := range tab.Rows {
		if row[0] == arm && col >= 0 {
			return row[col]
		}
	}
	t.Fatalf("no row %q or column %q in %v", arm, column, tab.Columns)
	return ""
}

func TestVerdicts(t *testing.T) {
	base := []float64{0.50, 0.51, 0.52}
	for _, c := range []struct {
		rung, from string
		values     []float64
		want       string
	}{
		{"rnn", "conv", []float64{0.60, 0.61, 0.625}, "better"},
		{"rnn", "conv", []float64{0.40, 0.41, 0.425}, "worse, against expectation"},
		{"rnn", "conv", []float64{0.40, 0.51, 0.65}, "better, within noise"},
		{"rnn", "conv", []float64{0.40, 0.51, 0.60}, "no gain seen"},
		{"linear", "rnn", []float64{0.40, 0.51, 0.60}, "lower, within noise"},
		{"linear", "rnn", base, "equal"},
		{"rnn", "conv", []float64{-1, math.NaN(), 0.9}, "too few runs"},
	} {
		r := scored(map[string][]float64{c.from: base, c.rung: c.values})
		st, ok := r.Step(*r.Arm(c.rung))
		if !ok || st.Verdict != c.want {
			t.Errorf("%s %v after %v: %q (%t), want %q", c.rung, c.values, base, st.Verdict, ok, c.want)
		}
	}
}

// TestTableOfDivergedRuns: no NaN is printed, and a finished run without a
// number counts with the diverged ones.
func TestTableOfDivergedRuns(t *testing.T) {
	r := scored(map[string][]float64{"conv": {0.5, 0.6, 0.7}, "rnn": {-1, -1, -1}, "linear": {math.NaN(), -1, 0.5}})
	if text := r.Table().Markdown(); strings.Contains(text, "NaN") || strings.Contains(text, "Inf") {
		t.Errorf("the table shows numbers that are none:\n%s", text)
	}
	for arm, want := range map[string]string{"conv": "0/3", "rnn": "3/3", "linear": "2/3"} {
		if got := cell(t, r, arm, "diverged"); got != want {
			t.Errorf("%s: diverged %q, want %q", arm, got, want)
		}
	}
	r = scored(map[string][]float64{"conv": {0.5, 0.6, 0.7}, "rnn": {-1, math.NaN(), 0.9}})
	if got := cell(t, r, "rnn", "paired gain"); got != "+0.200" {
		t.Errorf("gain of one pair: %q, want +0.200 without an interval", got)
	}
	s := stats.Summarise([]float64{0.5, math.NaN()}, Confidence)
	if got := meanAndHalf(s); got != "0.500 (1 diverged)" {
		t.Errorf("summary of one finished and one diverged run: %q", got)
	}
}

// TestHolm: the table's p values are those of the steps, adjusted for their
// number.
func TestHolm(t *testing.T) {
	r := scored(map[string][]float64{"conv": {0.1, 0.2, 0.3}, "rnn": {0.5, 0.61, 0.72}, "linear": {0.5, 0.6, 0.74}})
	rnn, _ := r.Step(*r.Arm("rnn"))
	linear, _ := r.Step(*r.Arm("linear"))
	got := r.Holm()
	if want := min(1, 2*rnn.Paired.P); len(got) != 2 || got["rnn"] != want {
		t.Errorf("rnn: p %g, want twice %g, the smaller of two: %v", got["rnn"], rnn.Paired.P, got)
	}
	if want := max(2*rnn.Paired.P, linear.Paired.P); got["linear"] != want {
		t.Errorf("linear: p %g, want %g", got["linear"], want)
	}
	if text := cell(t, r, "rnn", "p"); text == "" || text == "1.000" {
		t.Errorf("the table shows p = %q", text)
	}
}

// TestSolved: a diverged run did not solve the task, and counts.
func TestSolved(t *testing.T) {
	r := scored(map[string][]float64{"conv": {0.5, 0.6, 0.7}, "rnn": {0.99, -1, 1}})
	if p, ok := r.Solved(*r.Arm("rnn")); !ok || p.K != 2 || p.N != 3 {
		t.Errorf("%v (%t), want 2 of 3 at 0.99 or more", p, ok)
	}
	want := "Solved, test/accuracy ≥ 0.99: rnn 2/3 [0.21, 0.94] of the runs with Wilson's interval; by no run of the other arms."
	if notes := r.Table().Notes; !slices.Contains(notes, want) {
		t.Errorf("notes %q lack %q", notes, want)
	}
	r.Spec = task.SpecOf(task.DefaultConfig(task.Adding)) // lower is better
	for i, v := range []float64{1e-4, 1e-3, 2e-3} {
		r.Arms[0].Runs[i].Final["test/mse"] = v
	}
	if p, ok := r.Solved(r.Arms[0]); !ok || p.K != 2 {
		t.Errorf("%v (%t), want 2 at 1e-3 or less", p, ok)
	}
	r.Spec.Solved = 0
	if _, ok := r.Solved(r.Arms[0]); ok || r.solvedNote() != "" {
		t.Error("a task without that value is solved")
	}
}

func TestLengthTable(t *testing.T) {
	r := scored(map[string][]float64{"conv": {0.5, 0.6, 0.7}})
	tab := r.LengthTable()
	if tab == nil || !strings.HasSuffix(tab.Title, "trained at 16") {
		t.Fatalf("induction of length 16, 17 steps with the closing symbol: table %v", tab)
	}
	r.Config.Arms[0].Experiment.Task.TrainLengths = []int{3, 40}
	if title := r.LengthTable().Title; !strings.HasSuffix(title, "trained at 3 to 40") {
		t.Errorf("title %q", title)
	}
	r.Spec.Splits = []string{"valid", "test"}
	if r.LengthTable() != nil {
		t.Error("a task without other lengths has a length table")
	}
}
