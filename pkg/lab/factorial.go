package lab

import (
	"fmt"
	"math"

	"github.com/gophersnake/gophersnake/pkg/lab/stats"
	"github.com/gophersnake/gophersnake/pkg/lab/table"
)

// Cell is one row of a Factorial: the same selection with one state a channel and
// with sixteen.
type Cell struct {
	Selected  string // what is computed from the input
	One, More string // names of the arms with 1 and with 16 states
	Gain      Step   // More − One, paired by seed
}

// Factorial asks whether states pay only where B and C are selected (Mamba, Table
// 10): {nothing, Δ, Δ+B+C selected} × {1, 16 states}, and how much larger the gain
// of sixteen states is with full selection than with less.
type Factorial struct {
	Cells        []Cell
	Interactions []Step // full selection's gain less that of Cells[i], for all cells but the last
}

// FactorialCells lists the arms of the factorial.
func FactorialCells() []Cell {
	return []Cell{{Selected: "nothing", One: "discrete", More: "discrete16"}, {Selected: "Δ", One: "delta", More: "delta16"},
		{Selected: "Δ, B, C", One: "selective", More: "mamba"}}
}

// Factorial returns the factorial of a study that has all six arms; ok is false
// for others. Its p values are adjusted by Holm for the two interactions.
func (r *StudyResult) Factorial() (f Factorial, ok bool) {
	f.Cells = FactorialCells()
	for i, c := range f.Cells {
		if r.place(c.One) < 0 || r.place(c.More) < 0 {
			return Factorial{}, false
		}
		f.Cells[i].Gain = r.contrast([]string{c.More, c.One}, []float64{1, -1})
	}
	full := f.Cells[len(f.Cells)-1]
	var p, exact []float64
	for _, c := range f.Cells[:len(f.Cells)-1] {
		s := r.contrast([]string{full.More, full.One, c.More, c.One}, []float64{1, -1, -1, 1})
		f.Interactions = append(f.Interactions, s)
		p, exact = append(p, s.Paired.P), append(exact, s.Paired.SignFlipP)
	}
	p, exact = stats.Holm(p), stats.Holm(exact)
	for i := range f.Interactions {
		s := &f.Interactions[i]
		s.P, s.Exact, s.Expect = p[i], exact[i], ExpectBetter
		s.Decides = 2/math.Pow(2, float64(len(r.Config.Seeds)))*float64(len(p)) < Alpha
		if !s.Decides {
			s.Exact = s.Paired.SignFlipP
		}
		s.Verdict = s.verdict()
	}
	return f, true
}

// contrast is Σ wᵢ·armᵢ by seed, larger being better, with its interval; p values
// are not adjusted.
func (r *StudyResult) contrast(arms []string, weights []float64) Step {
	sum := make([]float64, len(r.Config.Seeds))
	places, signed := make([]int, len(arms)), make([]float64, len(arms))
	reach := 0.0
	for k, name := range arms {
		places[k] = r.place(name)
		signed[k] = weights[k]
		if !r.Spec.Metric.HigherIsBetter() {
			signed[k] = -weights[k]
		}
		for i, v := range r.better(r.Arms[places[k]], r.Key()) {
			sum[i] += weights[k] * v
		}
		reach += math.Abs(weights[k]) / 2
	}
	s := Step{Paired: stats.Paired(sum, make([]float64, len(sum)), Confidence)}
	d := rangeOf(r.Spec.Metric).differences()
	s.Lo, s.Hi = r.drawNoise().combine(places, signed, s.Paired, span{reach * d.lo, reach * d.hi})
	s.P, s.Exact = s.Paired.P, s.Paired.SignFlipP
	s.Verdict = s.verdict()
	return s
}

// FactorialTable shows the factorial, nil for a study without it.
func (r *StudyResult) FactorialTable() *table.Table {
	f, ok := r.Factorial()
	if !ok {
		return nil
	}
	t := table.New(fmt.Sprintf("%s: do 16 states pay only with selection?", r.Config.Arms[0].Experiment.Task.Name),
		"selected", "1 state", "16 states", "gain of 16", "p", "full selection gains more by", "p", "exact", "found")
	t.Align = []table.Align{table.Left}
	for i, c := range f.Cells {
		one, more := r.Summary(*r.Arm(c.One)), r.Summary(*r.Arm(c.More))
		row := []string{c.Selected, r.value(one.Mean), r.value(more.Mean), gain(c.Gain), pValue(c.Gain.P, c.Gain.Paired.N), "", "", "", ""}
		if i < len(f.Interactions) {
			s := f.Interactions[i]
			row[5], row[6], row[7] = gain(s), pValue(s.P, s.Paired.N), pValue(s.Exact, s.Paired.N)
			row[8] = string(s.Verdict)
			if s.Verdict == Better {
				row[8] = "more"
			} else if s.Verdict == Worse {
				row[8] = "less"
			}
		}
		t.Add(row...)
	}
	t.Note(fmt.Sprintf("%s at equal parameters; gains paired by seed, positive is better; intervals as in the table of the ladder. The p values of single gains are not adjusted, those of the two interactions are, by Holm; found: more or less only where p and exact lie below %g and the interval leaves out zero.", r.Key(), Alpha))
	return t
}
