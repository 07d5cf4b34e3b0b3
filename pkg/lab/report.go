package lab

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/gophersnake/gophersnake/pkg/lab/stats"
	"github.com/gophersnake/gophersnake/pkg/lab/table"
	"github.com/gophersnake/gophersnake/pkg/task"
)

// Confidence is that of every interval in a report.
const Confidence = 0.95

// Key returns the metric a report is about: the task's metric on "test".
func (r *StudyResult) Key() string { return "test/" + string(r.Spec.Metric) }

// Summary returns the mean of an arm over its seeds with the interval over tuning
// and reporting seeds, cut to the values that the metric can take.
func (r *StudyResult) Summary(a ArmResult) stats.Summary {
	s := stats.Summarise(a.Values(r.Key()), Confidence)
	if i := r.place(a.Name); i >= 0 && s.N > 1 {
		s.Lo, s.Hi = r.drawNoise().of(i, s, rangeOf(r.Spec.Metric))
	}
	return s
}

// Table returns the study as a table for readers: one row an arm, with its
// parameters and state, the chosen learning rate, mean and 95 % interval of the
// task's metric on "test", how many runs solved the task, and its step: the paired
// gain over the arm it is compared with, p values, what was expected and the word
// that the numbers allow. Data has the same for programs.
func (r *StudyResult) Table() *table.Table {
	t := table.New(r.title(), "arm", "the one change", "params", "state", "lr", r.Key(), "95% interval", "solved", "step", "gain", "p", "exact",
		"expected", "found", "diverged", "tokens/s")
	t.Align = []table.Align{table.Left, table.Left}
	steps := r.steps(r.Key())
	for _, a := range r.Arms {
		s := r.Summary(a)
		row := []string{a.label(), a.change(), r.params(a), a.state(), r.rate(a), r.value(s.Mean), r.interval(s.Lo, s.Hi), "", "", "", "", "", "", "",
			fmt.Sprintf("%d/%d", s.Diverged, len(a.Runs)), speed(a.Runs)}
		if p, ok := r.Solved(a); ok {
			row[7] = fmt.Sprintf("%d of %d", p.K, p.N)
		}
		if st, ok := steps[a.Name]; ok {
			row[8], row[9] = "from "+st.From, gain(st)
			row[10], row[11] = pValue(st.P, st.Paired.N), pValue(st.Exact, st.Paired.N)
			row[12], row[13] = string(st.Expect), st.word()
		}
		t.Add(row...)
	}
	r.notes(t)
	if r.Spec.Solved == 0 {
		return t.Without("solved")
	}
	return t
}

// Data returns the study as a table for programs: every number a cell by itself,
// in full precision, empty where there is none.
func (r *StudyResult) Data() *table.Table {
	t := table.New(r.Config.Name, "arm", "change", "parameters", "state", "state_grows", "learning_rate", "best_learning_rate", "learning_rate_at_edge",
		"metric", "mean", "low", "high", "solved", "runs", "diverged", "from", "gain", "gain_low", "gain_high", "p", "p_exact", "expected", "found",
		"tokens_per_second")
	steps := r.steps(r.Key())
	for _, a := range r.Arms {
		s, tuned := r.Summary(a), r.Tuning(a)
		size, grows := a.Experiment.Model.Mixer.stateSize(a.Experiment.Model.Block.Width(a.Experiment.Model.D))
		row := []string{a.Name, a.change(), r.params(a), fmt.Sprint(size), fmt.Sprint(grows), number(a.LR), number(tuned.Best), fmt.Sprint(tuned.Edge),
			r.Key(), number(s.Mean), number(s.Lo), number(s.Hi), "", fmt.Sprint(len(a.Runs)), fmt.Sprint(s.Diverged), "", "", "", "", "", "", "", "", speed(a.Runs)}
		if p, ok := r.Solved(a); ok {
			row[12] = fmt.Sprint(p.K)
		}
		if st, ok := steps[a.Name]; ok {
			copy(row[15:], []string{st.From, number(st.Paired.MeanDiff), number(st.Lo), number(st.Hi), number(st.P), number(st.Exact), string(st.Expect), string(st.Verdict)})
		}
		t.Add(row...)
	}
	return t
}

// number is v in full precision, "" if it is none.
func number(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return ""
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// gain is the paired difference with its interval, as far as there are pairs.
func gain(s Step) string {
	switch s.Paired.N {
	case 0:
		return "–"
	case 1:
		return fmt.Sprintf("%+.3f", s.Paired.MeanDiff)
	}
	return fmt.Sprintf("%+.3f [%+.3f, %+.3f]", s.Paired.MeanDiff, s.Lo, s.Hi)
}

func (r *StudyResult) interval(lo, hi float64) string {
	if math.IsInf(lo, 0) || math.IsInf(hi, 0) {
		return "–"
	}
	return fmt.Sprintf("[%.3f, %.3f]", lo, hi)
}

func (r *StudyResult) params(a ArmResult) string {
	if len(a.Runs) == 0 {
		return ""
	}
	return fmt.Sprint(a.Runs[0].Params)
}

// state is the numbers that one block carries from step to step; of attention,
// which keeps every step, those of a step.
func (a ArmResult) state() string {
	n, grows := a.Experiment.Model.Mixer.stateSize(a.Experiment.Model.Block.Width(a.Experiment.Model.D))
	switch {
	case a.Experiment.Model.Mixer.Kind == Custom:
		return ""
	case grows:
		return fmt.Sprintf("%d·L", n)
	}
	return fmt.Sprint(n)
}

// rate is the chosen learning rate, with † where the best one lies at the edge of
// what was tried.
func (r *StudyResult) rate(a ArmResult) string {
	text := fmt.Sprintf("%.3g", a.LR)
	if r.Tuning(a).Edge {
		text += "†"
	}
	return text
}

// pValue shows a p value of n pairs such that no word can contradict its digits.
func pValue(p float64, n int) string {
	switch {
	case n < 2:
		return "–"
	case p < 0.0001:
		return "<0.0001"
	case p < Alpha && p >= Alpha-0.0005: // would be rounded to what it is not
		return fmt.Sprintf("%.6f", p)
	}
	return fmt.Sprintf("%.4f", p)
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
	head := fmt.Sprintf("solved: runs with %s %s %g", r.Key(), sign, r.Spec.Solved)
	if len(some) == 0 {
		return head + ", none."
	}
	return head + "; their share with Wilson's interval: " + strings.Join(some, ", ") + "; of the other arms none."
}

func (r *StudyResult) title() string {
	e := r.Config.Arms[0].Experiment
	about := ""
	if r.Config.About != "" {
		about = r.Config.About + ", "
	}
	return fmt.Sprintf("%s: %s%d steps of %d × %d, width %d, %d blocks, %s", e.Task.Name, about, e.Steps, e.Task.Batch, r.Spec.Length, e.Model.D, e.Model.Layers, seeds(len(r.Config.Seeds)))
}

func (r *StudyResult) notes(t *table.Table) {
	better := "lower"
	if r.Spec.Metric.HigherIsBetter() {
		better = "higher"
	}
	add := func(note string) {
		if note != "" {
			t.Note(note)
		}
	}
	add(fmt.Sprintf("%s: %s is better; chance %.4g. Means over %s; Intervals: %s. gain: paired by seed, positive is better.",
		r.Key(), better, r.Spec.Chance, seeds(len(r.Config.Seeds)), r.intervalNote()))
	add(r.solvedNote())
	add(r.testNote())
	add(r.tuningNote())
	add("params: trained numbers. state: numbers that a block's mixer carries from step to step; attention keeps so many for each step.")
	for _, note := range r.Config.Notes {
		add(note)
	}
}

// intervalNote says what the intervals of the report are.
func (r *StudyResult) intervalNote() string {
	return fmt.Sprintf("95 %%, bootstrap over tuning and reporting seeds together, at least as wide as Student's t of the reported seeds%s", rangeOf(r.Spec.Metric).note())
}

// tuningNote says how the rates were chosen, and which arms may have a better one
// outside the grid.
func (r *StudyResult) tuningNote() string {
	n := len(r.Config.LRs)
	if n < 2 {
		return ""
	}
	note := fmt.Sprintf("Every arm had the same tuning budget: %d learning rates (%s) × %s that are not reported. The rate: the smallest whose mean on \"valid\" lies within one standard error of the best.",
		n, floats(r.Config.LRs), seeds(len(r.Config.TuneSeeds)))
	var edge []string
	for _, a := range r.Arms {
		if r.Tuning(a).Edge {
			edge = append(edge, a.label())
		}
	}
	if len(edge) > 0 {
		note += fmt.Sprintf(" † the best rate lies at the edge of the grid, a better one may lie outside: %s.", strings.Join(edge, ", "))
	}
	return note
}

// LengthTable returns accuracy by length for tasks that are also tested at
// other lengths than the trained one, nil for others; and, at the longer length of
// the summary, every arm's step with the word for it.
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
	far := r.summaryKeys()[1]
	at, _, _ := strings.Cut(far, "/")
	t := table.New(string(r.Config.Arms[0].Experiment.Task.Name)+": "+string(r.Spec.Metric)+" by length, trained at "+trainedAt(r.Config.Arms[0].Experiment.Task),
		append(append([]string{"arm"}, splits...), "step at "+strings.TrimPrefix(at, "test@"), "gain", "p", "exact", "expected", "found")...)
	t.Align = []table.Align{table.Left}
	for _, a := range r.Arms {
		row := []string{a.label()}
		for _, s := range splits {
			row = append(row, r.value(stats.Summarise(a.Values(s+"/"+string(r.Spec.Metric)), Confidence).Mean))
		}
		if st, ok := r.StepOf(a, far); ok {
			row = append(row, "from "+st.From, gain(st), pValue(st.P, st.Paired.N), pValue(st.Exact, st.Paired.N), string(st.Expect), st.word())
		}
		t.Add(row...)
	}
	t.Note(fmt.Sprintf("The step: gain in %s paired by seed, [95 %% t interval], p adjusted by Holm, exact test and words as in the table of the ladder. What is expected is said of the task as a whole.", far))
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
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "–"
	}
	return fmt.Sprintf("%.3f", v)
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
func seeds(n int) string { return counted(n, "seed") }

// counted is "1 step", "5 steps".
func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
