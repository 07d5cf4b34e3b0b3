package analysis

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gophersnake/gophersnake/pkg/lab/stats"
	"github.com/gophersnake/gophersnake/tracker"
)

// accuracies of two arms by seed; NaN diverged.
var (
	mamba = []float64{0.91, 0.94, 0.89, 0.95, 0.93}
	lru   = []float64{0.80, 0.86, math.NaN(), 0.88, 0.81}
)

// history logs both arms on seeds 1 to 5, and one run of another experiment.
func history(t *testing.T) *tracker.Store {
	t.Helper()
	s, err := tracker.Open(filepath.Join(t.TempDir(), "a.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	for i := range mamba {
		add(t, s, "e", "mamba", int64(i+1), mamba[i])
		add(t, s, "e", "lru", int64(i+1), lru[i])
	}
	add(t, s, "other", "lru", 1, 0.1)
	return s
}

func add(t *testing.T, s *tracker.Store, experiment, arm string, seed int64, acc float64) {
	t.Helper()
	run, err := s.StartRun(tracker.RunConfig{Experiment: experiment, Group: arm, Name: fmt.Sprintf("%s-%d", arm, seed), Seed: seed,
		Config: fmt.Appendf(nil, `{"mixer": %q, "seed": %d}`, arm, seed)})
	if err != nil {
		t.Fatal(err)
	}
	for step, v := range []float64{0.1, acc} {
		if err := run.Log("test/accuracy", int64(step), v); err != nil {
			t.Fatal(err)
		}
	}
	if err := run.Finish(tracker.StatusFinished); err != nil {
		t.Fatal(err)
	}
}

var options = Options{Measure: "metrics.`test/accuracy`", HigherIsBetter: true}

func TestGroupsByEverythingButTheSeed(t *testing.T) {
	s := history(t)
	groups, err := Groups(t.Context(), s, "experiment = 'e'", "", options)
	if err != nil {
		t.Fatal(err)
	}
	if len(groups) != 2 {
		t.Fatalf("%d groups, want 2", len(groups))
	}
	Sort(groups, options)
	g := groups[0]
	if !strings.Contains(g.Name, "mamba") {
		t.Errorf("the best group is %q, want mamba's", g.Name)
	}
	if want := stats.Summarise(mamba, 0.95); g.Summary != want {
		t.Errorf("summary %+v, want %+v", g.Summary, want)
	}
	if g.Best.Value != 0.95 || g.Best.Run.Seed != 4 || g.Best.Tries != 5 {
		t.Errorf("best %+v, want 0.95 of seed 4 in 5 tries", g.Best)
	}
	if d := groups[1].Summary.Diverged; d != 1 {
		t.Errorf("%d runs diverged, want 1", d)
	}
	table := Table(groups, options).String()
	for _, want := range []string{"0.924", "[0.8941, 0.9539]", "best of 5"} {
		if !strings.Contains(table, want) {
			t.Errorf("the table lacks %q:\n%s", want, table)
		}
	}
	// The other direction is the other order.
	Sort(groups, Options{})
	if !strings.Contains(groups[0].Name, "lru") {
		t.Errorf("the least mean is that of %q, want lru", groups[0].Name)
	}
}

func TestCompareRunsPairsBySeed(t *testing.T) {
	s := history(t)
	c, err := CompareRuns(t.Context(), s, "group = 'mamba'", "group = 'lru' and experiment = 'e'", options)
	if err != nil {
		t.Fatal(err)
	}
	want := stats.Paired(mamba, lru, 0.95)
	if !c.Pairs || c.Paired.MeanDiff != want.MeanDiff || c.Paired.P != want.P || c.Paired.N != 4 || c.Paired.DivergedB != 1 {
		t.Errorf("paired %+v (%s), want %+v", c.Paired, c.Unpaired, want)
	}
	if c.Verdict() != Better {
		t.Errorf("verdict %s, want better", c.Verdict())
	}
	if w := stats.Welch(mamba, lru, 0.95); c.Welch != w {
		t.Errorf("Welch %+v, want %+v", c.Welch, w)
	}
	if c.BestOf != 5 || c.BestA != 0.95 || c.BestB != 0.88 {
		t.Errorf("best of %d: %g and %g", c.BestOf, c.BestA, c.BestB)
	}
	if text := c.Table().String(); !strings.Contains(text, "A − B, paired by seed") || !strings.Contains(text, "A is better. Best of 5") {
		t.Errorf("its table:\n%s", text)
	}
	if text := c.String(); !strings.Contains(text, "by seed: +0.0") || !strings.Contains(text, "1 diverged") {
		t.Errorf("it says:\n%s", text)
	}
}

func TestWhatDoesNotPairIsSaid(t *testing.T) {
	s := history(t)
	c, err := CompareRuns(t.Context(), s, "group = 'mamba'", "group = 'lru'", options) // two runs of seed 1
	if err != nil {
		t.Fatal(err)
	}
	if c.Pairs || !strings.Contains(c.Unpaired, "several runs of seed 1") || c.P() != c.Welch.P {
		t.Errorf("pairs %v, %q", c.Pairs, c.Unpaired)
	}
	c, err = CompareRuns(t.Context(), s, "group = 'mamba'", "experiment = 'other'", options)
	if err != nil {
		t.Fatal(err)
	}
	if c.Pairs || !strings.Contains(c.Unpaired, "share 1 seeds") || c.Verdict() != Open {
		t.Errorf("pairs %v, %q, verdict %s", c.Pairs, c.Unpaired, c.Verdict())
	}
	// Seeds that only one side has are counted.
	c, err = CompareRuns(t.Context(), s, "group = 'mamba'", "group = 'lru' and experiment = 'e' and seed > 2", options)
	if err != nil {
		t.Fatal(err)
	}
	if !c.Pairs || c.Single != 2 || !strings.Contains(c.String(), "2 runs are left out") {
		t.Errorf("pairs %v, %d left out:\n%s", c.Pairs, c.Single, c)
	}
}

func TestMeasuresOfTheHistory(t *testing.T) {
	s := history(t)
	g, err := Select(t.Context(), s, "group = 'mamba'", Options{Measure: "min(metrics.`test/accuracy`)"})
	if err != nil {
		t.Fatal(err)
	}
	if g.Summary.Mean != 0.1 || g.Summary.SD != 0 {
		t.Errorf("least accuracies have mean %g and sd %g, want 0.1 and 0", g.Summary.Mean, g.Summary.SD)
	}
}

func TestAgainstAdjustsForTheNumberOfComparisons(t *testing.T) {
	s := history(t)
	for i, v := range []float64{0.81, 0.87, 0.83, 0.88, 0.82} {
		add(t, s, "e", "gru", int64(i+1), v)
	}
	groups, err := Groups(t.Context(), s, "experiment = 'e'", "group", options)
	if err != nil {
		t.Fatal(err)
	}
	Sort(groups, options)
	comparisons, adjusted, err := Against(groups, 0, options)
	if err != nil {
		t.Fatal(err)
	}
	if len(comparisons) != 2 || comparisons[0].B.Name != groups[0].Name {
		t.Fatalf("%d comparisons", len(comparisons))
	}
	want := stats.Holm([]float64{comparisons[0].P(), comparisons[1].P()})
	if adjusted[0] != want[0] || adjusted[1] != want[1] || adjusted[0] == comparisons[0].P() && adjusted[1] == comparisons[1].P() {
		t.Errorf("adjusted %v, want %v", adjusted, want)
	}
	if text := AgainstTable(comparisons, adjusted, options).String(); strings.Count(text, "worse") != 2 {
		t.Errorf("both are worse than mamba, the table says:\n%s", text)
	}
	if _, _, err := Against(groups, 3, options); err == nil {
		t.Error("a baseline that is not there was accepted")
	}
}

// TestWordsFollowTheAdjustedP: an interval without zero is no verdict while the p
// value beside it, adjusted for all comparisons, is large.
func TestWordsFollowTheAdjustedP(t *testing.T) {
	c := Comparison{HigherIsBetter: true, Welch: stats.Welch([]float64{0.8, 0.9, 0.85, 0.9}, []float64{0.7, 0.75, 0.8, 0.72}, 0.95)}
	if c.Verdict() != Better || c.P() >= 0.05 || c.P() <= 0.005 {
		t.Fatalf("a clear difference by itself: %s, p %g", c.Verdict(), c.P())
	}
	for p, want := range map[float64]Verdict{c.P(): Better, 0.049: Better, 0.05: Open, 10 * c.P(): Open, math.NaN(): Open} {
		if got := c.VerdictOf(p); got != want {
			t.Errorf("adjusted p %g: %s, want %s", p, got, want)
		}
	}
}

// A run of another task has no such metric; that is not a divergence.
func TestRunsWithoutTheMeasureAreLeftOutAndTold(t *testing.T) {
	s := history(t)
	for name, status := range map[string]tracker.Status{"other task": tracker.StatusFinished, "diverged at once": tracker.StatusDiverged} {
		run, err := s.StartRun(tracker.RunConfig{Experiment: "e", Group: "mamba", Name: name, Seed: 9})
		if err != nil {
			t.Fatal(err)
		}
		if err := run.Finish(status); err != nil {
			t.Fatal(err)
		}
	}
	g, err := Select(t.Context(), s, "group = 'mamba'", options)
	if err != nil {
		t.Fatal(err)
	}
	if len(g.Samples) != 6 || g.Summary.Diverged != 1 || g.Without != 1 {
		t.Errorf("%d runs, %d diverged, %d without; want 6, 1, 1", len(g.Samples), g.Summary.Diverged, g.Without)
	}
	groups, err := Groups(t.Context(), s, "experiment = 'e'", "name", options)
	if err != nil {
		t.Fatal(err)
	}
	if len(groups) != 11 { // five seeds of two arms, and the one that diverged
		t.Errorf("%d groups, want 11 without that of the other task", len(groups))
	}
	c, err := CompareRuns(t.Context(), s, "group = 'mamba'", "group = 'lru'", options)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{c.String(), c.Table().String()} {
		if !strings.Contains(text, "1 runs are left out: they have no such value") {
			t.Errorf("it does not tell of the run without a value:\n%s", text)
		}
	}
	if _, err := Select(t.Context(), s, "name = 'other task'", options); err == nil || !strings.Contains(err.Error(), "but none has metrics.") {
		t.Errorf("runs that all lack the measure give %v", err)
	}
}

func TestMistakesAreNamed(t *testing.T) {
	s := history(t)
	for name, c := range map[string]struct {
		filter string
		o      Options
		want   string
	}{
		"no measure":      {"", Options{}, "Measure is empty"},
		"confidence":      {"", Options{Measure: options.Measure, Confidence: 95}, "Confidence is 95"},
		"resamples":       {"", Options{Measure: options.Measure, Resamples: 5}, "Resamples is 5"},
		"unknown metric":  {"", Options{Measure: "metrics.`test/acuracy`"}, "test/accuracy"},
		"nothing fits":    {"seed = 99", options, "no run fits"},
		"filter mistaken": {"seed >", options, "seed >"},
	} {
		if _, err := CompareRuns(context.Background(), s, c.filter, c.filter, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want it to contain %q", name, err, c.want)
		}
	}
}
