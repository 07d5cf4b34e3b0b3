package lab

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gophersnake/gophersnake/pkg/lab/figure"
	"github.com/gophersnake/gophersnake/pkg/task"
)

// textStudy is a study of a few steps on a small text.
func textStudy(t *testing.T, kinds ...MixerConfig) *StudyResult {
	t.Helper()
	path := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(path, []byte(strings.Repeat("the quick brown fox jumps over the lazy dog\n", 100)), 0o644); err != nil {
		t.Fatal(err)
	}
	c := StudyConfig{Name: "text", LRs: []float64{1e-3, 1e-2}, TuneSeeds: []uint64{9}, Seeds: []uint64{1, 2}}
	for i, m := range kinds {
		e := DefaultExperiment(task.Text)
		e.Task.Path, e.Task.Length, e.Task.Batch, e.Task.EvalBatches = path, 16, 2, 1
		e.Model.D, e.Model.Mixer = 8, m
		e.Steps, e.EvalEvery, e.LogEvery = 4, 2, 1
		c.Arms = append(c.Arms, Arm{Name: string(rune('a' + i)), Label: m.Label(), Experiment: e})
	}
	r, err := RunStudy(context.Background(), c, StudyOptions{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func suffixes(r *StudyResult) []string {
	var out []string
	for _, f := range r.Figures() {
		out = append(out, f.Suffix)
	}
	return out
}

// drawAll draws every figure of a study, as SVG by suffix.
func drawAll(t *testing.T, r *StudyResult) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, f := range r.Figures() {
		if f.Alt == "" {
			t.Errorf("%s has no words", f.Suffix)
		}
		drawn, err := f.Draw()
		if err != nil {
			t.Fatalf("%q: %v", f.Suffix, err)
		}
		text, err := drawn.SVG()
		if err != nil {
			t.Fatalf("%q: %v", f.Suffix, err)
		}
		out[f.Suffix] = text
	}
	return out
}

func TestFiguresOfText(t *testing.T) {
	still := DefaultMixer(S6)
	still.Select = "none"
	r := textStudy(t, MixerConfig{Kind: Identity}, DefaultMixer(Diagonal), DefaultMixer(S4D), still, DefaultMixer(S6))
	if got, want := suffixes(r), []string{"", "-curves", "-loss", "-rates", "-eigenvalues", "-delta"}; !slices.Equal(got, want) {
		t.Fatalf("figures %q, want %q", got, want)
	}
	svgs := drawAll(t, r)
	for suffix, wanted := range map[string][]string{
		"":             {">selective<", ">diagonal<", ">no recurrence<", "chance is 8"},
		"-rates":       {">learning rate<", "tried"},
		"-eigenvalues": {">64 eigenvalues<", "softplus(bias)"},
		"-delta":       {">block 1<", ">block 2<", ">·<", "seed 1"},
	} {
		for _, w := range wanted {
			if !strings.Contains(svgs[suffix], w) && !strings.Contains(words(svgs[suffix]), w) {
				t.Errorf("%q lacks %q", suffix, w)
			}
		}
	}
	if strings.Contains(svgs["-eigenvalues"], ">identity<") {
		t.Error("the convolution has eigenvalues")
	}
	if again := drawAll(t, r); !slices.Equal(sortedValues(again), sortedValues(svgs)) {
		t.Error("drawn again, the figures differ")
	}
	for i := range r.Arms {
		for _, run := range r.Arms[i].Runs {
			run.Checkpoint = nil
		}
	}
	if got := suffixes(r); slices.Contains(got, "-delta") || slices.Contains(got, "-eigenvalues") {
		t.Errorf("without checkpoints there are %q", got)
	}
	if _, err := r.DeltaFigure(); err == nil || !strings.Contains(err.Error(), "no trained arm of text computes Δ") {
		t.Errorf("DeltaFigure: %v", err)
	}
	if _, err := r.EigenFigure(); err == nil || !strings.Contains(err.Error(), "nothing to draw") {
		t.Errorf("EigenFigure: %v", err)
	}
}

func sortedValues(m map[string]string) []string {
	var out []string
	for _, v := range m {
		out = append(out, v)
	}
	slices.Sort(out)
	return out
}

// TestSpectrum: before is the experiment's start, after what training made of it.
func TestSpectrum(t *testing.T) {
	a := textStudy(t, DefaultMixer(Diagonal)).Arms[0]
	d, err := a.spectrum()
	if err != nil {
		t.Fatal(err)
	}
	e := a.Runs[0].Experiment
	fresh, _, err := BuildWith(e, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := e.Model.Mixer.State * e.Model.Layers; len(d.Before) != n || len(d.After) != n {
		t.Errorf("%d before and %d after, want %d", len(d.Before), len(d.After), n)
	}
	if !slices.Equal(d.Before, eigenvalues(fresh)) || slices.Equal(d.Before, d.After) {
		t.Error("before is not the start, or training changed nothing")
	}
	a.Runs[0].Checkpoint = []byte("no checkpoint")
	if _, err := a.spectrum(); err == nil || !strings.Contains(err.Error(), "EigenFigure: arm a") {
		t.Errorf("a broken checkpoint: %v", err)
	}
	a.Runs[0].Status = Diverged
	if a.trained() != a.Runs[1] {
		t.Error("a run that diverged is shown")
	}
}

// TestDeltaRows: Δ does not depend on what follows, is above zero, and is not
// the same for all bytes.
func TestDeltaRows(t *testing.T) {
	l, err := Load(textStudy(t, DefaultMixer(S6)).Arms[0].Runs[0].Checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	long, err := l.deltaRows("the quick fox")
	if err != nil {
		t.Fatal(err)
	}
	brief, err := l.deltaRows("the q")
	if err != nil {
		t.Fatal(err)
	}
	if len(long) != 2 || len(long[0].Values) != 13 || len(brief[1].Values) != 5 {
		t.Fatalf("rows %v", long)
	}
	for i := range long {
		if !slices.Equal(long[i].Values[:5], brief[i].Values) {
			t.Errorf("block %d: %v changes with what follows: %v", i, brief[i].Values, long[i].Values[:5])
		}
		if slices.Min(long[i].Values) <= 0 || slices.Min(long[i].Values) == slices.Max(long[i].Values) {
			t.Errorf("block %d: Δ is %v", i, long[i].Values)
		}
	}
	if got := geometricMean([]float64{1, 4, 16}); math.Abs(got-4) > 1e-12 {
		t.Errorf("the geometric mean of 1, 4, 16 is %g", got)
	}
}

func TestVisible(t *testing.T) {
	if got, want := visible("a \t\n\x00é"), []string{"a", "·", "→", figure.LineEnd, "▫", "▫", "▫"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
