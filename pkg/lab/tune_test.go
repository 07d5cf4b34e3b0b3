package lab

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/gophersnake/gophersnake/pkg/task"
)

// triesOf makes tuning runs from scores by rate and seed; NaN is a lost run.
func triesOf(rates []float64, scores ...[]float64) (out []Try) {
	for i, lr := range rates {
		for j, v := range scores[i] {
			status := Finished
			if math.IsNaN(v) {
				status = Diverged
			}
			out = append(out, Try{LR: lr, Seed: uint64(1001 + j), Status: status, Score: v, Test: v - 0.01})
		}
	}
	return out
}

func TestChooseRate(t *testing.T) {
	nan := math.NaN()
	rates := []float64{1e-3, 3e-3, 1e-2, 3e-2}
	for _, c := range []struct {
		name         string
		scores       [][]float64
		lower        bool
		best, chosen float64
		edge         bool
	}{
		{"a clear peak", [][]float64{{.1, .1, .1, .1}, {.4, .41, .42, .4}, {.9, .91, .9, .92}, {.2, .3, .2, .2}}, false, 1e-2, 1e-2, false},
		{"a cliff behind the best: the rate before it", [][]float64{{.2, .2, .2, .2}, {.6, .6, .6, .6}, {.80, .81, .84, .79}, {.95, .96, .94, .45}}, false, 3e-2, 1e-2, true},
		{"within a standard error: the smallest", [][]float64{{.1, .1, .1, .1}, {.88, .9, .86, .9}, {.85, .95, .8, .98}, {.5, .5, .5, .5}}, false, 1e-2, 3e-3, false},
		{"all solve it: the smallest of those, no edge", [][]float64{{1, 1, 1, 1}, {1, 1, 1, 1}, {1, 1, 1, 1}, {1, 1, 1, 1}}, false, 1e-3, 1e-3, false},
		{"a lost run counts as worse than any score", [][]float64{{.1, .1, .1, .1}, {.3, .3, .3, .3}, {.9, .9, .9, nan}, {nan, nan, nan, nan}}, false, 3e-3, 3e-3, false},
		{"lower is better", [][]float64{{3.5, 3.5, 3.6, 3.5}, {3.2, 3.2, 3.2, 3.21}, {3.0, 3.01, 3.02, 3.0}, {2.9, 2.91, 2.9, 2.9}}, true, 3e-2, 3e-2, true},
		{"all lost", [][]float64{{nan}, {nan}, {nan}, {nan}}, false, 1e-3, 1e-3, false},
	} {
		tries := triesOf(rates, c.scores...)
		rand.Shuffle(len(tries), func(i, j int) { tries[i], tries[j] = tries[j], tries[i] })
		got := chooseRate([]float64{1e-2, 1e-3, 3e-2, 3e-3}, tries, !c.lower)
		if got.Best != c.best || got.Chosen != c.chosen || got.Edge != c.edge || len(got.Rates) != 4 {
			t.Errorf("%s: %+v, want best %g, chosen %g, edge %t", c.name, got, c.best, c.chosen, c.edge)
		}
	}
}

func TestNextRate(t *testing.T) {
	for _, c := range []struct {
		rates    []float64
		down, up float64
	}{
		{[]float64{1e-3, 3e-3, 1e-2, 3e-2}, 3e-4, 1e-1},
		{[]float64{3e-3, 1e-2, 3e-2}, 1e-3, 1e-1},
		{[]float64{1e-3, 2e-3}, 5e-4, 4e-3},
		{[]float64{1e-2}, 0.00316228, 0.0316228},
	} {
		if d, u := nextRate(c.rates, false), nextRate(c.rates, true); d != c.down || u != c.up {
			t.Errorf("%v goes on with %g and %g, want %g and %g", c.rates, d, u, c.down, c.up)
		}
	}
}

// TestBootstrapChoosesAsTuning: the quick choice inside the bootstrap is
// chooseRate's on the same draw.
func TestBootstrapChoosesAsTuning(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	rates := []float64{1e-3, 3e-3, 1e-2, 3e-2}
	chosen := map[float64]int{}
	for range 500 {
		r := &StudyResult{Config: StudyConfig{LRs: rates, TuneSeeds: span64(1001, 4)}, Spec: task.SpecOf(task.DefaultConfig(task.Induction))}
		if rng.IntN(2) == 0 {
			r.Spec = task.SpecOf(task.DefaultConfig(task.GoSource))
		}
		scores := make([][]float64, len(rates))
		for i := range scores {
			for range 4 {
				v := 0.5 + 0.1*float64(i) + 0.3*rng.NormFloat64()
				if rng.IntN(10) == 0 {
					v = math.NaN()
				}
				scores[i] = append(scores[i], v)
			}
		}
		a := ArmResult{Tries: triesOf(rates, scores...), LR: rates[1]}
		draw := []int{rng.IntN(4), rng.IntN(4), rng.IntN(4), rng.IntN(4)}
		var drawn []Try
		for i := range rates {
			for _, j := range draw {
				drawn = append(drawn, a.Tries[4*i+j])
			}
		}
		want := chooseRate(rates, drawn, r.Spec.Metric.HigherIsBetter())
		s := newShift(r, a)
		got := s.rates[s.choose(draw)]
		all := slices.IndexFunc(want.Rates, func(x RateScore) bool { return x.N > 0 }) < 0
		if got != want.Chosen && !all {
			t.Fatalf("draw %v of %v: %g, want %g", draw, scores, got, want.Chosen)
		}
		chosen[got]++
	}
	if len(chosen) != len(rates) {
		t.Errorf("only %v were ever chosen", chosen)
	}
}

// TestIntervalsHoldTheNoiseOfTheChoice: where tuning is certain the interval is
// that of the reported seeds; where it wavers between a good and a bad rate it is
// wider and reaches to what the other rate would have given.
func TestIntervalsHoldTheNoiseOfTheChoice(t *testing.T) {
	make := func(scores ...[]float64) (lo, hi float64) {
		r := scored(map[string][]float64{"conv": spread(8, 0.8, 0.02)})
		rates := []float64{1e-3, 1e-2}
		r.Config.LRs, r.Config.TuneSeeds = rates, span64(1001, 4)
		r.Arms[0].Tries = triesOf(rates, scores...)
		r.Arms[0].LR = r.Tuning(r.Arms[0]).Chosen
		s := r.Summary(r.Arms[0])
		return s.Lo, s.Hi
	}
	lo, hi := make([]float64{.2, .2, .2, .2}, []float64{.8, .81, .8, .8})
	if lo < 0.77 || hi > 0.83 || hi-lo < 0.01 {
		t.Errorf("a certain choice: [%g, %g], want about 0.8 ± 0.02", lo, hi)
	}
	wlo, whi := make([]float64{.78, .1, .2, .8}, []float64{.9, .8, .3, .95})
	if whi-wlo < 4*(hi-lo) || wlo > 0.7 {
		t.Errorf("a wavering choice: [%g, %g], want far wider than [%g, %g]", wlo, whi, lo, hi)
	}
}

// TestBootstrapCoverage: of studies whose true mean is known, about 95 % of the
// intervals hold it. Binomial noise of 400 studies is 1.1 %; a plain percentile
// bootstrap of eight values covers some 89 %.
func TestBootstrapCoverage(t *testing.T) {
	if testing.Short() {
		t.Skip("four million draws")
	}
	rng := rand.New(rand.NewPCG(5, 6))
	const studies, n = 400, 8
	held := 0
	for range studies {
		values := make([]float64, n)
		for i := range values {
			values[i] = 0.5 + 0.05*rng.NormFloat64()
		}
		r := scored(map[string][]float64{"conv": values})
		if s := r.Summary(r.Arms[0]); s.Lo <= 0.5 && 0.5 <= s.Hi {
			held++
		}
	}
	if share := float64(held) / studies; share < 0.92 || share > 0.99 {
		t.Errorf("%.3f of the intervals hold the mean, want about 0.95", share)
	}
}

// TestRecordIsTheStudy: through JSON and back, every table is the same.
func TestRecordIsTheStudy(t *testing.T) {
	r := scored(map[string][]float64{"conv": spread(8, 0.5, 0.02), "rnn": {1, 1, 0.2, 1, -1, 1, 1, 0.3}})
	r.Config.Name, r.Config.About, r.Config.Notes = "ladder-x/induction", "equal parameters", []string{"a note"}
	r.Config.LRs, r.Config.TuneSeeds = []float64{1e-3, 3e-3, 1e-2}, span64(1001, 2)
	for i := range r.Arms {
		r.Arms[i].Tries = triesOf(r.Config.LRs, []float64{.1, .2}, []float64{.5, math.NaN()}, []float64{.3, .4})
		for k, run := range r.Arms[i].Runs {
			run.Experiment.Schedule.LR, run.Experiment.Seed = r.Arms[i].LR, r.Config.Seeds[k]
			run.Curves = map[string]Curve{"valid/accuracy": {Steps: []int64{1, 2}, Values: []float64{.1, .2}}}
		}
	}
	raw, err := json.Marshal(LadderRecord{Preset: "x", Studies: []StudyRecord{r.Record()}})
	if err != nil {
		t.Fatal(err)
	}
	var rec LadderRecord
	if err := json.Unmarshal(raw, &rec); err != nil {
		t.Fatal(err)
	}
	back, err := rec.Results()
	if err != nil || len(back) != 1 {
		t.Fatal(len(back), err)
	}
	for what, f := range map[string]func(*StudyResult) any{
		"table": func(r *StudyResult) any { return r.Table() }, "data": func(r *StudyResult) any { return r.Data() },
		"lengths": func(r *StudyResult) any { return r.LengthTable() }, "summary": func(r *StudyResult) any { return SummaryTable([]*StudyResult{r}) },
		"curves": func(r *StudyResult) any { return r.Arms[1].Runs[0].Curves }, "record": func(r *StudyResult) any { raw, _ := json.Marshal(r.Record()); return string(raw) },
	} {
		if a, b := f(r), f(back[0]); !reflect.DeepEqual(a, b) {
			t.Errorf("%s: %v, want %v", what, b, a)
		}
	}
	hash := &rec.Studies[0].Arms[1].Runs[2].Hash
	was := *hash
	*hash = "x" + was[1:]
	if _, err := rec.Results(); err == nil || !strings.Contains(err.Error(), "seed 3") {
		t.Errorf("a record that was changed: %v", err)
	}
	*hash = was
}

// TestRecordIsHeldToItself: whatever is changed in a record, it is refused, and
// nothing is written.
func TestRecordIsHeldToItself(t *testing.T) {
	fresh := func() LadderRecord {
		r := scored(map[string][]float64{"conv": spread(8, 0.5, 0.02), "rnn": spread(8, 0.6, 0.02)})
		r.Config.Name, r.Config.LRs, r.Config.TuneSeeds = "ladder-x/induction", []float64{1e-3, 3e-3}, span64(1001, 2)
		for i := range r.Arms {
			r.Arms[i].Tries = triesOf(r.Config.LRs, []float64{.1, .2}, []float64{.5, .4})
			for k, run := range r.Arms[i].Runs {
				run.Experiment.Schedule.LR, run.Experiment.Seed = r.Arms[i].LR, r.Config.Seeds[k]
				c := Curve{Steps: []int64{1, 2}, Values: []float64{0.1, 0.2}}
				run.Curves = map[string]Curve{"valid/accuracy": c, KeyTrainLoss: c}
			}
		}
		return LadderRecord{Preset: "x", Studies: []StudyRecord{r.Record()}}
	}
	dir := t.TempDir()
	if err := fresh().Publish(dir); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "ladder-x.json")
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ReadLadder(path); err != nil {
		t.Fatalf("as written: %v", err)
	}
	digit := bytes.Index(good, []byte(`"test/accuracy":0.`)) + len(`"test/accuracy":0.`)
	changed := slices.Clone(good)
	changed[digit] = '0' + (changed[digit]-'0'+1)%10
	if err := os.WriteFile(path, changed, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadLadder(path); err == nil || !strings.Contains(err.Error(), "a number in it was changed") {
		t.Errorf("another accuracy: %v", err)
	}
	for want, edit := range map[string]func(*LadderRecord){
		"8 seeds, 2 arms":                 func(l *LadderRecord) { l.Studies[0].LRs = nil },
		"arm conv is given twice":         func(l *LadderRecord) { s := &l.Studies[0]; s.Arms = append(s.Arms, s.Arms[0]) },
		`status is "quux"`:                func(l *LadderRecord) { l.Studies[0].Arms[0].Runs[2].Status = "quux" },
		"finished without a value":        func(l *LadderRecord) { l.Studies[0].Arms[0].Runs[2].Final = nil },
		"3 tries, want 4":                 func(l *LadderRecord) { a := &l.Studies[0].Arms[0]; a.Tries = a.Tries[1:] },
		"learning_rate is 7, want one of": func(l *LadderRecord) { l.Studies[0].Arms[1].LR = 7 },
		"7 runs, want one for each of 8":  func(l *LadderRecord) { a := &l.Studies[0].Arms[0]; a.Runs = a.Runs[1:] },
		"written by an earlier version":   func(l *LadderRecord) { l.Studies[0].Arms[0].Experiment = nil },
		`preset is "../x"`:                func(l *LadderRecord) { l.Preset = "../x" },
		`name is "ladder/../../up"`:       func(l *LadderRecord) { l.Studies[0].Name = "ladder/../../up" },
		"the record was changed":          func(l *LadderRecord) { l.Studies[0].Arms[0].Runs[0].Hash = "00" },
	} {
		l, empty := fresh(), filepath.Join(t.TempDir(), "out")
		edit(&l)
		if err := l.Publish(empty); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
		if _, err := os.Stat(empty); err == nil {
			t.Errorf("%s: something was written", want)
		}
	}
}
