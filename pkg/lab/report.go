package lab

import (
	"fmt"
	"math"
	"strings"

	"github.com/gophersnake/gophersnake/pkg/lab/stats"
	"github.com/gophersnake/gophersnake/pkg/lab/table"
	"github.com/gophersnake/gophersnake/pkg/task"
)

// Confidence is that of every interval in a report.
const Confidence = 0.95

// Key returns the metric a report is about: the task's metric on "test".
func (r *StudyResult) Key() string { return "test/" + string(r.Spec.Metric) }

// Summary returns mean and t interval of an arm over its seeds, the interval
// cut to the values that the metric can take.
func (r *StudyResult) Summary(a ArmResult) stats.Summary {
	return summarise(a.Values(r.Key()), rangeOf(r.Spec.Metric))
}

// Step is the comparison of an arm with the one it is a single change from.
type Step struct {
	From    string
	Paired  stats.PairedResult // arm − from, by seed, in the direction in which larger is better
	Expect  string             // "better", "no worse", or "" when nothing is predicted
	Verdict string
}

// Step compares an arm with the one that its From names or, of a rung, with the
// rung it stems from; ok is false when the study lacks that one or there is none.
func (r *StudyResult) Step(a ArmResult) (Step, bool) {
	from, expect := a.from()
	if from == "" || r.Arm(from) == nil {
		return Step{}, false
	}
	now, before := a.Values(r.Key()), r.Arm(from).Values(r.Key())
	if !r.Spec.Metric.HigherIsBetter() {
		now, before = before, now
	}
	s := Step{From: from, Paired: stats.Paired(now, before, Confidence), Expect: expect}
	s.Paired.Lo, s.Paired.Hi = rangeOf(r.Spec.Metric).differences().cut(s.Paired.Lo, s.Paired.Hi)
	s.Verdict = s.verdict()
	return s, true
}

// from returns what an arm is compared with, and what is expected of the step.
func (a ArmResult) from() (name, expect string) {
	rung, err := RungNamed(a.Name)
	if err == nil && (a.From == "" || a.From == rung.From) {
		return rung.From, string(rung.Expect)
	}
	return a.From, ""
}

// change is the one change of an arm, in words.
func (a ArmResult) change() string {
	if rung, err := RungNamed(a.Name); err == nil && a.Change == "" {
		return rung.Change
	}
	return a.Change
}

// verdict holds a step against what was expected of it. "no worse" is met
// unless the interval lies below zero.
func (s Step) verdict() string {
	p := s.Paired
	switch {
	case p.N < 2:
		return "too few runs"
	case p.Lo > 0:
		return "better"
	case p.Hi < 0:
		if s.Expect == "" {
			return "worse"
		}
		return "worse, against expectation"
	case p.MeanDiff > 0:
		return "better, within noise"
	case p.MeanDiff == 0:
		return "equal"
	case s.Expect == "better":
		return "no gain seen"
	default:
		return "lower, within noise"
	}
}

// Holm returns the p values of the arms' steps, by name of the arm, adjusted
// for there being as many of them as the study has steps (Holm 1979).
func (r *StudyResult) Holm() map[string]float64 {
	var names []string
	var p []float64
	for _, a := range r.Arms {
		if st, ok := r.Step(a); ok {
			names, p = append(names, a.Name), append(p, st.Paired.P)
		}
	}
	out := map[string]float64{}
	for i, v := range stats.Holm(p) {
		out[names[i]] = v
	}
	return out
}

// Table returns the study as a table: one row an arm, with its parameters, the
// chosen learning rate, mean and 95 % t interval of the task's metric on "test"
// over the seeds, the paired difference from the arm it is compared with, its p
// value by Holm, and what became of the prediction. Intervals are cut to the
// values that the metric can take.
func (r *StudyResult) Table() *table.Table {
	t := table.New(r.title(), "arm", "the one change", "params", "lr", r.Key(), "95% interval", "step", "paired gain", "p", "expected", "found", "diverged", "tokens/s")
	t.Align = []table.Align{table.Left}
	holm := r.Holm()
	for _, a := range r.Arms {
		s := r.Summary(a)
		row := []string{a.label(), a.change(), "", fmt.Sprintf("%.3g", a.LR), r.value(s.Mean), r.interval(s), "", "", "", "", "", fmt.Sprintf("%d/%d", s.Diverged, len(a.Runs)), speed(a.Runs)}
		if len(a.Runs) > 0 {
			row[2] = fmt.Sprint(a.Runs[0].Params)
		}
		if st, ok := r.Step(a); ok {
			row[6] = "from " + st.From
			row[7] = gain(st.Paired)
			row[8] = fmt.Sprintf("%.3f", holm[a.Name])
			row[9], row[10] = st.Expect, st.Verdict
		}
		t.Add(row...)
	}
	r.notes(t)
	return t
}

// Solved returns how many of an arm's runs solved the task, with Wilson's
// interval: accuracies that are either high or at chance are told by their
// number, not by their mean. ok is false for a task that is never solved.
func (r *StudyResult) Solved(a ArmResult) (p stats.Proportion, ok bool) {
	if r.Spec.Solved == 0 {
		return p, false
	}
	k := 0
	for _, v := range a.Values(r.Key()) {
		if r.Spec.Metric.HigherIsBetter() && v >= r.Spec.Solved || !r.Spec.Metric.HigherIsBetter() && v <= r.Spec.Solved {
			k++
		}
	}
	return stats.Wilson(k, len(a.Runs), Confidence), true
}

// solvedNote lists the arms of which a run solved the task, "" if the task is
// never solved.
func (r *StudyResult) solvedNote() string {
	var some []string
	for _, a := range r.Arms {
		p, ok := r.Solved(a)
		if !ok {
			return ""
		}
		if p.K > 0 {
			some = append(some, a.label()+" "+p.String())
		}
	}
	sign := "≤"
	if r.Spec.Metric.HigherIsBetter() {
		sign = "≥"
	}
	head := fmt.Sprintf("Solved, %s %s %g: ", r.Key(), sign, r.Spec.Solved)
	if len(some) == 0 {
		return head + "by no run."
	}
	return head + strings.Join(some, ", ") + " of the runs with Wilson's interval; by no run of the other arms."
}

// gain is the paired difference with its interval, as far as there are pairs.
func gain(p stats.PairedResult) string {
	switch p.N {
	case 0:
		return "–"
	case 1:
		return fmt.Sprintf("%+.3f", p.MeanDiff)
	}
	return fmt.Sprintf("%+.3f [%+.3f, %+.3f]", p.MeanDiff, p.Lo, p.Hi)
}

func (r *StudyResult) title() string {
	e := r.Config.Arms[0].Experiment
	return fmt.Sprintf("%s: %d steps of %d × %d, width %d, %d blocks, %s", e.Task.Name, e.Steps, e.Task.Batch, r.Spec.Length, e.Model.D, e.Model.Layers, seeds(len(r.Config.Seeds)))
}

func (r *StudyResult) notes(t *table.Table) {
	better := "lower"
	if r.Spec.Metric.HigherIsBetter() {
		better = "higher"
	}
	t.Note(fmt.Sprintf("%s: %s is better; chance %.4g. Intervals: Student's t over %s%s. Gains: paired by seed, positive is better.", r.Key(), better, r.Spec.Chance, seeds(len(r.Config.Seeds)), rangeOf(r.Spec.Metric).note()))
	if note := r.solvedNote(); note != "" {
		t.Note(note)
	}
	if n := len(r.Holm()); n > 1 {
		t.Note(fmt.Sprintf("p: two-sided t test of the paired gain, adjusted by Holm for %d steps; the intervals and \"found\" are not adjusted.", n))
	}
	if n := len(r.Config.LRs); n > 1 {
		t.Note(fmt.Sprintf("Every arm had the same tuning budget: %d learning rates (%s) × seeds that are not reported (%d); chosen on \"valid\".", n, floats(r.Config.LRs), len(r.Config.TuneSeeds)))
	}
	if n := len(r.Config.Seeds); n < 8 { // 2/2⁸ is the first below 0.01
		t.Note(fmt.Sprintf("So few seeds (%d) show directions more than significance: an exact sign-flip test of as many pairs cannot go below p = %.3g.", n, 2/math.Pow(2, float64(n))))
	}
}

// LengthTable returns accuracy by length for tasks that are also tested at
// other lengths than the trained one, nil for others.
func (r *StudyResult) LengthTable() *table.Table {
	var splits []string
	for _, s := range r.Spec.Splits {
		if strings.HasPrefix(s, "test") {
			splits = append(splits, s)
		}
	}
	if len(splits) < 2 {
		return nil
	}
	t := table.New(string(r.Config.Arms[0].Experiment.Task.Name)+": "+string(r.Spec.Metric)+" by length, trained at "+trainedAt(r.Config.Arms[0].Experiment.Task), append([]string{"arm"}, splits...)...)
	t.Align = []table.Align{table.Left}
	for _, a := range r.Arms {
		row := []string{a.label()}
		for _, s := range splits {
			row = append(row, r.value(stats.Summarise(a.Values(s+"/"+string(r.Spec.Metric)), Confidence).Mean))
		}
		t.Add(row...)
	}
	return t
}

// trainedAt is the length of training batches, counted as "test@LENGTH" counts.
func trainedAt(c task.Config) string {
	if t := c.TrainLengths; len(t) == 2 {
		return fmt.Sprintf("%d to %d", t[0], t[1])
	}
	return fmt.Sprint(c.Length)
}

func (a ArmResult) label() string {
	if a.Label != "" {
		return a.Label
	}
	return a.Name
}

func (r *StudyResult) value(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	return fmt.Sprintf("%.3f", v)
}

func (r *StudyResult) interval(s stats.Summary) string {
	if s.N < 2 {
		return "–"
	}
	return fmt.Sprintf("[%.3f, %.3f]", s.Lo, s.Hi)
}

func speed(runs []*Result) string {
	var v []float64
	for _, r := range runs {
		v = append(v, r.TokensPerSecond)
	}
	if len(v) == 0 {
		return ""
	}
	return fmt.Sprintf("%.0f", stats.Summarise(v, Confidence).Median)
}

func floats(xs []float64) string {
	parts := make([]string, len(xs))
	for i, x := range xs {
		parts[i] = fmt.Sprintf("%g", x)
	}
	return strings.Join(parts, ", ")
}

// seeds is "1 seed", "5 seeds".
func seeds(n int) string {
	if n == 1 {
		return "1 seed"
	}
	return fmt.Sprintf("%d seeds", n)
}
