package lab

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gophersnake/gophersnake/pkg/task"
)

func TestSweep(t *testing.T) {
	book := &memory{}
	c := SweepConfig{Name: "s", Arm: Arm{Name: "a", Experiment: tiny(S6)}, Rates: []float64{1e-2, 1e-3, 3e-3}, Seeds: []uint64{1, 2}}
	var counts []int
	o := StudyOptions{Book: book, Workers: 2, Progress: func(e StudyEvent) {
		if e.Done {
			counts = append(counts, e.Runs)
		}
		if e.All != 6 {
			t.Errorf("%d runs in all, want 6", e.All)
		}
	}}
	r, err := RunSweep(context.Background(), c, o)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(counts, []int{1, 2, 3, 4, 5, 6}) || len(book.runs) != 6 {
		t.Errorf("ends %v, %d runs in the book, want 6", counts, len(book.runs))
	}
	if want := []string{"a-lr0.001", "a-lr0.003", "a-lr0.01"}; !slices.Equal(c.Groups(), want) {
		t.Errorf("groups %v, want %v", c.Groups(), want)
	}
	for i, rate := range []float64{1e-3, 3e-3, 1e-2} {
		for j, run := range r.Arms[i].Runs {
			e := tiny(S6)
			e.Schedule.LR, e.Seed = rate, c.Seeds[j]
			if run.Experiment.Hash() != e.Hash() {
				t.Errorf("rate %g, seed %d ran %v", rate, c.Seeds[j], Diff(e, run.Experiment))
			}
			sameCurves(t, "alone", mustRun(t, e, Options{}).Curves, run.Curves)
		}
	}
	counts = nil
	if _, err := RunSweep(context.Background(), c, o); err != nil || len(book.runs) != 6 || len(counts) != 6 {
		t.Errorf("a finished sweep ran again: %d runs, %d ends, %v", len(book.runs), len(counts), err)
	}
	c.Rates = append(c.Rates, 3e-2) // a wider one trains what is new only
	if _, err := RunSweep(context.Background(), c, StudyOptions{Book: book}); err != nil || len(book.runs) != 8 {
		t.Errorf("%d runs, want two more: %v", len(book.runs), err)
	}
}

func TestSweepGoesOn(t *testing.T) {
	c := SweepConfig{Name: "s", Arm: Arm{Name: "a", Experiment: tiny(S6)}, Rates: []float64{1e-3, 1e-2}, Seeds: []uint64{1, 2}}
	want, err := RunSweep(context.Background(), c, StudyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	book := &memory{}
	ctx, cancel := context.WithCancelCause(context.Background())
	stop, n := errors.New("stop"), 0
	_, err = RunSweep(ctx, c, StudyOptions{Book: book, Workers: 2, Progress: func(StudyEvent) {
		if n++; n == 15 {
			cancel(stop)
		}
	}})
	if !errors.Is(err, stop) {
		t.Fatalf("an interrupted sweep: %v", err)
	}
	got, err := RunSweep(context.Background(), c, StudyOptions{Book: book, Workers: 3})
	if err != nil || len(book.runs) != 4 {
		t.Fatalf("%d runs in the book, want 4: %v", len(book.runs), err)
	}
	for i, a := range want.Arms {
		for j := range a.Runs {
			sameCurves(t, a.Name, a.Runs[j].Curves, got.Arms[i].Runs[j].Curves)
		}
	}
}

// swept makes a result with the values of valid/accuracy by rate; NaN is a run
// that diverged.
func swept(metric task.Metric, rates []float64, values ...[]float64) *SweepResult {
	r := &SweepResult{Spec: task.Spec{Metric: metric, Splits: []string{"valid", "test"}}}
	r.Config.Arm = Arm{Name: "a", Experiment: DefaultExperiment(task.Induction)}
	for i, lr := range rates {
		a := ArmResult{Arm: Arm{Name: fmt.Sprint(lr)}, LR: lr}
		for _, v := range values[i] {
			run := &Result{Status: Finished, Final: map[string]float64{"valid/" + string(metric): v, "valid/loss": 1 / lr}}
			if math.IsNaN(v) {
				run.Status = Diverged
			}
			a.Runs = append(a.Runs, run)
		}
		r.Arms = append(r.Arms, a)
	}
	return r
}

func TestSweepVerdict(t *testing.T) {
	nan := math.NaN()
	rates := []float64{1e-3, 3e-3, 1e-2}
	for _, c := range []struct {
		what   string
		r      *SweepResult
		best   float64 // 0 for none
		phrase string
	}{
		{"inside", swept(task.Accuracy, rates, []float64{0.1, 0.12}, []float64{0.9, 0.91}, []float64{0.5, 0.5}), 3e-3, "inside the range"},
		{"smallest", swept(task.Accuracy, rates, []float64{0.9}, []float64{0.5}, []float64{0.1}), 1e-3, "try 0.00033 too"},
		{"largest", swept(task.Accuracy, rates, []float64{0.1}, []float64{0.5}, []float64{0.9}), 1e-2, "try 0.033 too"},
		{"losses are better when low", swept(task.MSE, rates, []float64{3}, []float64{1}, []float64{2}), 3e-3, "inside the range"},
		{"diverged runs count first", swept(task.Accuracy, rates, []float64{0.5, 0.5}, []float64{0.6, 0.6}, []float64{0.99, nan}), 3e-3, "inside"},
		{"equal means are told apart by the loss", swept(task.Accuracy, rates, []float64{1}, []float64{1}, []float64{1}), 1e-2, "largest"},
		{"all diverged", swept(task.Accuracy, rates, []float64{nan}, []float64{nan}, []float64{nan}), 0, "Every run diverged"},
		{"clear", swept(task.Accuracy, rates, []float64{0.1, 0.11, 0.12}, []float64{0.9, 0.91, 0.93}, []float64{0.5, 0.51, 0.52}), 3e-3, "It is better than the next, 0.01, by 0.403 [0.389, 0.418]"},
		{"not clear", swept(task.Accuracy, rates, []float64{0.1, 0.2, 0.3}, []float64{0.9, 0.1, 0.5}, []float64{0.1, 0.8, 0.4}), 3e-3, "is undecided"},
		{"one seed", swept(task.Accuracy, rates, []float64{0.1}, []float64{0.9}, []float64{0.5}), 3e-3, "so few seeds"},
	} {
		got := 0.0
		if b := c.r.Best(); b != nil {
			got = b.LR
		}
		if text := c.r.Verdict(); got != c.best || !strings.Contains(text, c.phrase) {
			t.Errorf("%s: best %g, want %g; %q, want %q in it", c.what, got, c.best, text, c.phrase)
		}
		if n := len(c.r.Table().Rows); n != 3 {
			t.Errorf("%s: %d rows, want 3", c.what, n)
		}
	}
}

func TestSweepOfSeeds(t *testing.T) {
	c := SweepConfig{Name: "s", Arm: Arm{Name: "a", Experiment: tiny(S6)}, Seeds: []uint64{1, 2, 7}}
	r, err := RunSweep(context.Background(), c, StudyOptions{})
	if err != nil || len(r.Arms) != 1 || len(r.Arms[0].Runs) != 3 {
		t.Fatalf("%v, %v", r, err)
	}
	text := r.Table().Markdown()
	for _, want := range []string{"valid/loss", "test/accuracy", "95% interval", "Student's t over 3 seeds"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func TestSweepRefuses(t *testing.T) {
	arm := Arm{Name: "a", Experiment: tiny(S6)}
	for want, c := range map[string]SweepConfig{
		"learning rate 0.1 is given twice": {Arm: arm, Rates: []float64{0.1, 0.1}},
		"seed 3 is given twice":            {Arm: arm, Seeds: []uint64{3, 3}},
		"schedule.lr is -1":                {Arm: arm, Rates: []float64{-1}},
	} {
		_, err := RunSweep(context.Background(), c, StudyOptions{})
		wantError(t, want, err, want)
	}
}
