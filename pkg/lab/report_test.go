package lab

import (
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

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
	r.Config.Seeds, r.Config.LRs = span64(1, len(r.Arms[0].Runs)), []float64{1e-3}
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

// spread returns n values around a mean, the same pattern each time.
func spread(n int, mean, width float64) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = mean + width*math.Sin(float64(3*i+1))
	}
	return out
}

// TestVerdicts: the word follows the adjusted p, the exact test and the interval.
func TestVerdicts(t *testing.T) {
	base := spread(8, 0.5, 0.02)
	for _, c := range []struct {
		rung, from string
		values     []float64
		want       Verdict
		found      string
	}{
		{"rnn", "conv", spread(8, 0.6, 0.03), Better, AsExpected},
		{"rnn", "conv", spread(8, 0.4, 0.03), Worse, AgainstExpectation},
		{"rnn", "conv", []float64{0.9, 0.3, 0.55, 0.4, 0.7, 0.45, 0.5, 0.6}, Undecided, Open},
		{"linear", "rnn", spread(8, 0.5, 0.021), Undecided, Open},
		{"linear", "rnn", base, Equal, AsExpected},
		{"rnn", "conv", base, Equal, AgainstExpectation},
		{"gpt", "attention", spread(8, 0.4, 0.03), Worse, ""},
		{"rnn", "conv", []float64{-1, math.NaN(), 0.9, -1, -1, -1, -1, -1}, TooFew, ""},
		// Four pairs in one direction: p of t is small, the exact test cannot go
		// below 0.125.
		{"rnn", "conv", []float64{0.7, 0.71, 0.69, 0.7, -1, -1, -1, -1}, Undecided, Open},
	} {
		r := scored(map[string][]float64{c.from: base, c.rung: c.values})
		st, ok := r.Step(*r.Arm(c.rung))
		if !ok || st.Verdict != c.want || st.Found() != c.found {
			t.Errorf("%s %v after %v: %q %q (%t), want %q %q: %+v", c.rung, c.values, base, st.Verdict, st.Found(), ok, c.want, c.found, st)
		}
	}
}

// TestWordsNeverContradictNumbers draws studies of all kinds and holds every
// word to the numbers in its row.
func TestWordsNeverContradictNumbers(t *testing.T) {
	if testing.Short() {
		t.Skip("half a million draws for each of many studies")
	}
	rng := rand.New(rand.NewPCG(1, 2))
	words := map[Verdict]int{}
	for range 60 {
		arms := map[string][]float64{}
		n, direction := 2+rng.IntN(11), float64(2*rng.IntN(2)-1)
		for i, name := range []string{"conv", "rnn", "linear", "diagonal", "polar"} {
			values := make([]float64, n)
			for k := range values {
				values[k] = min(1, max(0, 0.5+0.08*direction*float64(i*rng.IntN(2))+0.04*direction*float64(i)+0.03*rng.NormFloat64()))
				switch rng.IntN(25) {
				case 0:
					values[k] = 1 // bimodal
				case 1:
					values[k] = -1
				}
			}
			arms[name] = values
		}
		r := scored(arms)
		for _, a := range r.Arms {
			s, ok := r.Step(a)
			if !ok {
				continue
			}
			words[s.Verdict]++
			directed := s.Verdict == Better || s.Verdict == Worse
			if directed && (s.P >= Alpha || s.Exact >= Alpha) || s.Verdict == Better && !(s.Lo > 0 && s.Paired.MeanDiff > 0) || s.Verdict == Worse && !(s.Hi < 0 && s.Paired.MeanDiff < 0) {
				t.Errorf("%s: %q beside %+v", a.Name, s.Verdict, s)
			}
			if shown := cell(t, r, a.Name, "p"); directed && shown >= "0.05" && !strings.HasPrefix(shown, "<") {
				t.Errorf("%s: %q beside p = %s", a.Name, s.Verdict, shown)
			}
		}
	}
	for _, w := range []Verdict{Better, Worse, Undecided} {
		if words[w] == 0 {
			t.Errorf("no study was found %q: %v", w, words)
		}
	}
}

// TestWordNeedsItsInterval: eight gains in one direction, yet tuning wavers between
// this rate and one that is far worse. The tests of the reported seeds are sure,
// the interval is not, and neither is the word.
func TestWordNeedsItsInterval(t *testing.T) {
	r := scored(map[string][]float64{"conv": spread(8, 0.5, 0.02), "rnn": spread(8, 0.6, 0.03)})
	if s, _ := r.Step(*r.Arm("rnn")); s.Verdict != Better {
		t.Fatalf("without tuning: %+v", s)
	}
	r = scored(map[string][]float64{"conv": spread(8, 0.5, 0.02), "rnn": spread(8, 0.6, 0.03)})
	rates := []float64{1e-3, 1e-2}
	r.Config.LRs, r.Config.TuneSeeds = rates, span64(1001, 4)
	a := r.Arm("rnn")
	a.Tries = triesOf(rates, []float64{.58, .1, .2, .6}, []float64{.7, .6, .1, .75})
	a.LR = r.Tuning(*a).Chosen
	s, _ := r.Step(*a)
	if s.P >= Alpha || s.Exact >= Alpha || s.Lo > 0 || s.Verdict != Undecided {
		t.Errorf("a wavering choice: %+v, want sure tests, an interval over zero, and no word", s)
	}
}

// TestPairsAreDrawnTogether: two arms that differ by the same amount on every seed
// have an interval of no width around it, however far the seeds lie apart.
func TestPairsAreDrawnTogether(t *testing.T) {
	base := spread(8, 0.4, 0.3)
	more := slices.Clone(base)
	for i := range more {
		more[i] += 0.1
	}
	r := scored(map[string][]float64{"conv": base, "rnn": more})
	if s, _ := r.Step(*r.Arm("rnn")); math.Abs(s.Lo-0.1) > 1e-9 || math.Abs(s.Hi-0.1) > 1e-9 {
		t.Errorf("interval [%g, %g], want 0.1 at both ends", s.Lo, s.Hi)
	}
}

// TestExactTestDecidesWhereItCan: with ten pairs and four steps it is adjusted and
// counts; with eight and sixteen it cannot go below 0.05 and is not adjusted.
func TestExactTestDecidesWhereItCan(t *testing.T) {
	four := map[string][]float64{"conv": spread(10, 0.3, 0.02), "rnn": spread(10, 0.4, 0.03), "linear": spread(10, 0.5, 0.02), "diagonal": spread(10, 0.6, 0.03)}
	r := scored(four)
	s, _ := r.Step(*r.Arm("rnn"))
	if want := 3 * s.Paired.SignFlipP; !s.Decides || s.Exact != want || s.Verdict != Better {
		t.Errorf("ten pairs, three steps: %+v, want %g", s, want)
	}
	all := map[string][]float64{}
	for i, name := range RungNames() {
		all[name] = spread(8, 0.1+0.05*float64(i), 0.01)
	}
	r = scored(all)
	s, _ = r.Step(*r.Arm("rnn"))
	if s.Decides || s.Exact != s.Paired.SignFlipP || s.Verdict != Better {
		t.Errorf("eight pairs, %d steps: %+v", len(all)-1, s)
	}
	if notes := strings.Join(r.Table().Notes, " "); !strings.Contains(notes, "cannot go below 0.0078") {
		t.Errorf("the notes do not say that the exact test cannot decide: %s", notes)
	}
}

// TestLostPairsSpareNothing: a step that loses pairs to divergence is adjusted as
// all others of its study are.
func TestLostPairsSpareNothing(t *testing.T) {
	arms := map[string][]float64{"conv": spread(10, 0.3, 0.02), "rnn": spread(10, 0.4, 0.03), "linear": spread(10, 0.5, 0.02), "diagonal": spread(10, 0.6, 0.03)}
	arms["rnn"][3], arms["rnn"][7], arms["rnn"][8] = -1, -1, -1
	r := scored(arms)
	s, _ := r.Step(*r.Arm("rnn"))
	if p := 1.0 / 64; s.Paired.N != 7 || s.Paired.SignFlipP != p || s.Exact != 2*p || !s.Decides {
		t.Errorf("seven of ten pairs in one of two such steps: %+v, want twice the exact p of %g", s, p)
	}
}

// TestTableOfDivergedRuns: no NaN is printed, and a finished run without a
// number counts with the diverged ones.
func TestTableOfDivergedRuns(t *testing.T) {
	r := scored(map[string][]float64{"conv": {0.5, 0.6, 0.7}, "rnn": {-1, -1, -1}, "linear": {math.NaN(), -1, 0.5}})
	for _, text := range []string{r.Table().Markdown(), r.Data().CSV(), SummaryTable([]*StudyResult{r}).Markdown()} {
		if strings.Contains(text, "NaN") || strings.Contains(text, "Inf") {
			t.Errorf("the table shows numbers that are none:\n%s", text)
		}
	}
	for arm, want := range map[string]string{"conv": "0/3", "rnn": "3/3", "linear": "2/3"} {
		if got := cell(t, r, arm, "diverged"); got != want {
			t.Errorf("%s: diverged %q, want %q", arm, got, want)
		}
	}
	r = scored(map[string][]float64{"conv": {0.5, 0.6, 0.7}, "rnn": {-1, math.NaN(), 0.9}})
	if got := cell(t, r, "rnn", "gain"); got != "+0.200" {
		t.Errorf("gain of one pair: %q, want +0.200 without an interval", got)
	}
	if got := r.summaryCell(*r.Arm("rnn"), r.Key()); got != "0.900, 2 diverged" {
		t.Errorf("summary of one finished and two diverged runs: %q", got)
	}
}

// TestHolm: the table's p values are those of the steps, adjusted for their
// number.
func TestHolm(t *testing.T) {
	r := scored(map[string][]float64{"conv": {0.1, 0.2, 0.3}, "rnn": {0.5, 0.61, 0.72}, "linear": {0.5, 0.6, 0.74}})
	rnn, _ := r.Step(*r.Arm("rnn"))
	linear, _ := r.Step(*r.Arm("linear"))
	if want := min(1, 2*rnn.Paired.P); rnn.P != want {
		t.Errorf("rnn: p %g, want twice %g, the smaller of two", rnn.P, rnn.Paired.P)
	}
	if want := max(2*rnn.Paired.P, linear.Paired.P); linear.P != want {
		t.Errorf("linear: p %g, want %g", linear.P, want)
	}
	if text := cell(t, r, "rnn", "p"); text == "" || text == "1.0000" {
		t.Errorf("the table shows p = %q", text)
	}
}

// TestData: every cell of the table for programs is a number, a name or empty.
func TestData(t *testing.T) {
	r := scored(map[string][]float64{"conv": spread(8, 0.5, 0.02), "attention": spread(8, 0.7, 0.02), "rnn": {1, 1, 0.2, 1, -1, 1, 1, 0.3}})
	d := r.Data()
	words := []string{"arm", "change", "state_grows", "learning_rate_at_edge", "metric", "from", "expected", "found"}
	for _, row := range d.Rows {
		if len(row) != len(d.Columns) {
			t.Fatalf("%d cells for %d columns", len(row), len(d.Columns))
		}
		for i, v := range row {
			if _, err := strconv.ParseFloat(v, 64); v != "" && err != nil && !slices.Contains(words, d.Columns[i]) {
				t.Errorf("%s of %s is %q, no number", d.Columns[i], row[0], v)
			}
		}
	}
	if got := d.Rows[2][12]; got != "5" {
		t.Errorf("rnn solved %q of 8, want 5", got)
	}
}

// TestFactorial: sixteen states gain with full selection alone.
func TestFactorial(t *testing.T) {
	arms := map[string][]float64{}
	for name, mean := range map[string]float64{"discrete": 0.4, "discrete16": 0.41, "delta": 0.5, "delta16": 0.51, "selective": 0.6, "mamba": 0.9} {
		arms[name] = spread(10, mean, 0.01+mean/100)
	}
	r := scored(arms)
	f, ok := r.Factorial()
	if !ok || len(f.Cells) != 3 || len(f.Interactions) != 2 {
		t.Fatalf("%+v (%t)", f, ok)
	}
	for i, s := range f.Interactions {
		if s.Verdict != Better || math.Abs(s.Paired.MeanDiff-0.29) > 0.02 || s.Lo > s.Paired.MeanDiff || s.Hi < s.Paired.MeanDiff {
			t.Errorf("interaction with %s: %+v", f.Cells[i].Selected, s)
		}
	}
	if tab := r.FactorialTable(); len(tab.Rows) != 3 || tab.Rows[0][8] != "more" {
		t.Errorf("%v", tab)
	}
	delete(arms, "delta16")
	if r := scored(arms); r.FactorialTable() != nil {
		t.Error("a study without delta16 has a factorial")
	}
}

// TestStability: the table tells the same word, another word and a direction that
// turned round.
func TestStability(t *testing.T) {
	low, high := spread(8, 0.4, 0.02), spread(8, 0.6, 0.03)
	a := scored(map[string][]float64{"conv": low, "rnn": high, "linear": low, "diagonal": high})
	b := scored(map[string][]float64{"conv": low, "rnn": high, "linear": high, "diagonal": low})
	if _, err := Stability([]*StudyResult{a}, []*StudyResult{b}); err == nil || !strings.Contains(err.Error(), "seed 1 is in both") {
		t.Errorf("the same seeds: %v", err)
	}
	b.Config.Seeds = span64(101, 8)
	tab, err := Stability([]*StudyResult{a}, []*StudyResult{b})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, row := range tab.Rows {
		got = append(got, strings.Join(row[6:], " "))
	}
	want := []string{"better better yes", "worse equal no", "better worse no"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if note := tab.Notes[0]; !strings.Contains(note, "for 1 of 3 steps; a direction turned round in 1; intervals of the gain do not meet in 2.") {
		t.Errorf("note %q", note)
	}
	b.Config.Name = "another"
	if _, err := Stability([]*StudyResult{a}, []*StudyResult{b}); err == nil || !strings.Contains(err.Error(), "no study in common") {
		t.Errorf("studies of other names are compared: %v", err)
	}
	b.Config.Name, b.Arms[0].Experiment.Steps = "", 7
	if _, err := Stability([]*StudyResult{a}, []*StudyResult{b}); err == nil || !strings.Contains(err.Error(), "arm conv: the records are of different experiments: steps") {
		t.Errorf("other experiments: %v", err)
	}
}

// TestSolved: a diverged run did not solve the task, and counts.
func TestSolved(t *testing.T) {
	r := scored(map[string][]float64{"conv": {0.5, 0.6, 0.7}, "rnn": {0.99, -1, 1}})
	if p, ok := r.Solved(*r.Arm("rnn")); !ok || p.K != 2 || p.N != 3 {
		t.Errorf("%v (%t), want 2 of 3 at 0.99 or more", p, ok)
	}
	want := "solved: runs with test/accuracy ≥ 0.99; their share with Wilson's interval: rnn 2/3 [0.21, 0.94]; of the other arms none."
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

// TestSummaryShowsLength: beside the trained length stands four times of it.
func TestSummaryShowsLength(t *testing.T) {
	r := scored(map[string][]float64{"conv": {0.5, 0.6, 0.7}, "mamba": {1, 1, 0.4}})
	for _, a := range r.Arms {
		for i, run := range a.Runs {
			run.Final["test@64/accuracy"] = 0.1 * float64(i)
		}
	}
	tab := SummaryTable([]*StudyResult{r})
	if want := []string{"rung", "the one change", "induction test/accuracy ↑", "induction test@64/accuracy ↑", "parameters", "state"}; !slices.Equal(tab.Columns, want) {
		t.Fatalf("columns %q, want %q", tab.Columns, want)
	}
	if len(tab.Rows) != 2 || tab.Rows[1][2] != "0.800 [0.000, 1.000], 2 of 3 solved" || tab.Rows[1][3] != "0.100 [0.000, 0.348]" {
		t.Errorf("rows %q", tab.Rows)
	}
}

// TestStepAtLength: at another length the step has that length's values, and its
// word follows them.
func TestStepAtLength(t *testing.T) {
	r := scored(map[string][]float64{"conv": spread(8, 0.9, 0.02), "rnn": spread(8, 0.9, 0.021)})
	for i, a := range r.Arms {
		for k, run := range a.Runs {
			run.Final["test@64/accuracy"] = 0.2 + 0.5*float64(i) + 0.01*float64(k%3)
		}
	}
	rnn := *r.Arm("rnn")
	near, _ := r.Step(rnn)
	far, ok := r.StepOf(rnn, "test@64/accuracy")
	if !ok || near.Verdict != Undecided || far.Verdict != Better || math.Abs(far.Paired.MeanDiff-0.5) > 1e-9 || far.Lo > 0.5 || far.Hi < 0.5-1e-9 {
		t.Errorf("at the trained length %+v, at four times it %+v", near, far)
	}
	tab := r.LengthTable()
	if row := tab.Rows[1]; row[len(row)-1] != "better" || !strings.HasPrefix(row[len(row)-5], "+0.500") || tab.Columns[5] != "step at 64" {
		t.Errorf("%v %v", tab.Columns, row)
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
