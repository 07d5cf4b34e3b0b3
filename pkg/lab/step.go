package lab

import (
	"fmt"
	"math"

	"github.com/gophersnake/gophersnake/pkg/lab/stats"
)

// Alpha is the chance of a false word that a report allows itself over all its
// steps together.
const Alpha = 0.05

// Verdict is the word for a step. It never says more than the numbers beside it.
type Verdict string

// The verdicts.
const (
	Better    Verdict = "better"
	Worse     Verdict = "worse"
	Equal     Verdict = "equal" // every pair has the same value
	Undecided Verdict = "undecided"
	TooFew    Verdict = "too few runs"
)

// Step is the comparison of an arm with the one that it is a single change from.
type Step struct {
	From    string
	Paired  stats.PairedResult // arm − from, by seed, in the direction in which larger is better
	Lo, Hi  float64            // interval of the difference over tuning and reporting seeds
	P       float64            // two-sided t test of Paired, by Holm for all steps of the study
	Exact   float64            // exact sign-flip test of Paired, by Holm, too, where it can decide then
	Decides bool               // whether the exact test could reach Alpha by Holm with so many seeds
	Expect  Expectation
	Verdict Verdict
}

// What a verdict can be to an expectation.
const (
	AsExpected         = "as expected"
	AgainstExpectation = "against expectation"
	Open               = "open"
)

// Found says how the verdict stands to what was expected; "" where nothing is
// predicted or known.
func (s Step) Found() string {
	switch {
	case s.Expect == "" || s.Verdict == TooFew:
		return ""
	case s.Verdict == Undecided:
		return Open
	case s.Expect == ExpectBetter && s.Verdict == Better,
		s.Expect == ExpectNoWorse && s.Verdict != Worse,
		s.Expect == ExpectNoGain && s.Verdict != Better:
		return AsExpected
	}
	return AgainstExpectation
}

// word is the verdict, and that it goes against what was expected.
func (s Step) word() string {
	if s.Found() == AgainstExpectation {
		return string(s.Verdict) + ", " + AgainstExpectation
	}
	return string(s.Verdict)
}

// verdict is the word that the numbers allow: a direction only where the adjusted
// p value, the exact test and the interval all say so.
func (s Step) verdict() Verdict {
	p := s.Paired
	sure := s.P < Alpha && s.Exact < Alpha
	switch {
	case p.N < 2:
		return TooFew
	case p.Wins+p.Losses == 0:
		return Equal
	case sure && s.Lo > 0:
		return Better
	case sure && s.Hi < 0:
		return Worse
	}
	return Undecided
}

// Step compares an arm with the one that its From names or, of a rung, with the
// rung it stems from; ok is false when the study lacks that one or there is none.
func (r *StudyResult) Step(a ArmResult) (s Step, ok bool) {
	s, ok = r.steps(r.Key())[a.Name]
	return s, ok
}

// StepOf is Step by another metric of the reported runs, such as
// "test@64/accuracy". Its interval is Student's t of the pairs: tuning looked at
// the task's metric alone.
func (r *StudyResult) StepOf(a ArmResult, key string) (s Step, ok bool) {
	s, ok = r.steps(key)[a.Name]
	return s, ok
}

// steps returns every comparison of the study by a metric, by the name of the arm.
func (r *StudyResult) steps(key string) map[string]Step {
	out := map[string]Step{}
	var names []string
	var ps, exact []float64
	for i, a := range r.Arms {
		from, expect := a.from()
		j := r.place(from)
		if j < 0 {
			continue
		}
		s := Step{From: from, Expect: expect, Paired: stats.Paired(r.better(a, key), r.better(r.Arms[j], key), Confidence)}
		// Larger is better in s.
		sign := 1.0
		if !r.Spec.Metric.HigherIsBetter() {
			sign = -1
		}
		possible := rangeOf(r.Spec.Metric).differences()
		if key == r.Key() {
			s.Lo, s.Hi = r.drawNoise().combine([]int{i, j}, []float64{sign, -sign}, s.Paired, possible)
		} else {
			s.Lo, s.Hi = possible.cut(s.Paired.Lo, s.Paired.Hi)
		}
		out[a.Name] = s
		names, ps, exact = append(names, a.Name), append(ps, s.Paired.P), append(exact, s.Paired.SignFlipP)
	}
	adjusted, adjustedExact := stats.Holm(ps), stats.Holm(exact)
	// Decided by the number of seeds, once for the study: pairs that a step loses to
	// divergence must not spare it the adjustment.
	decides := 2/math.Pow(2, float64(len(r.Config.Seeds)))*float64(len(names)) < Alpha
	for i, name := range names {
		s := out[name]
		s.P, s.Exact, s.Decides = adjusted[i], exact[i], decides
		if decides {
			s.Exact = adjustedExact[i]
		}
		s.Verdict = s.verdict()
		out[name] = s
	}
	return out
}

// better returns an arm's values of a metric in the direction in which larger is
// better.
func (r *StudyResult) better(a ArmResult, key string) []float64 {
	v := a.Values(key)
	if r.Spec.Metric.HigherIsBetter() {
		return v
	}
	for i := range v {
		v[i] = -v[i]
	}
	return v
}

// place returns where the arm of that name stands, −1 if there is none.
func (r *StudyResult) place(name string) int {
	for i, a := range r.Arms {
		if a.Name == name {
			return i
		}
	}
	return -1
}

// from returns what an arm is compared with, and what is expected of the step.
func (a ArmResult) from() (name string, expect Expectation) {
	rung, err := RungNamed(a.Name)
	if err == nil && (a.From == "" || a.From == rung.From) {
		return rung.From, rung.Expect
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

// testNote says how the words come about.
func (r *StudyResult) testNote() string {
	steps := r.steps(r.Key())
	if len(steps) == 0 {
		return ""
	}
	n, decides := len(r.Config.Seeds), false
	for _, s := range steps {
		decides = s.Decides // of all alike
	}
	note := fmt.Sprintf("p: two-sided t test of the gain paired by seed, adjusted by Holm for %s. exact: sign-flip test of the same pairs, ", counted(len(steps), "step"))
	if decides {
		note += "adjusted likewise."
	} else {
		note += fmt.Sprintf("not adjusted: with %s it cannot go below %.2g, too much for so many steps.", seeds(n), 2/math.Pow(2, float64(n)))
	}
	if least := 2 / math.Pow(2, float64(n)); least >= Alpha {
		note += " So few seeds allow no word but undecided."
	}
	return note + fmt.Sprintf(" A step is called better or worse only where p and exact lie below %g and the interval beside them leaves out zero.", Alpha)
}
