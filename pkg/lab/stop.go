package lab

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/gophersnake/gophersnake/pkg/task"
)

// Stop says when a run ends before its last step. It is looked at after every
// evaluation at a multiple of EvalEvery. The zero value never ends a run.
type Stop struct {
	Metric string `json:"metric,omitempty"` // "valid/loss", "valid/accuracy", …
	// Target ends the run when the metric has come to it, 0 for no target.
	Target float64 `json:"target,omitempty"`
	// Patience ends the run after so many evaluations in a row without
	// improvement, 0 for any number. An improvement is a value that is better than
	// the best so far by more than MinDelta; NaN is none.
	Patience int     `json:"patience,omitempty"`
	MinDelta float64 `json:"min_delta,omitempty"`
}

// validate reports every field that is wrong for a task whose metric is m.
func (s Stop) validate(m task.Metric) error {
	if s == (Stop{}) {
		return nil
	}
	var errs []error
	known := []string{"valid/loss", "valid/" + string(m)}
	if !slices.Contains(known, s.Metric) {
		errs = append(errs, fmt.Errorf("stop.metric is %q, want one of %q", s.Metric, known))
	}
	if math.IsNaN(s.Target) || math.IsInf(s.Target, 0) {
		errs = append(errs, fmt.Errorf("stop.target is %g, want a finite number, or 0 for none", s.Target))
	}
	if s.Metric == "valid/"+string(task.Accuracy) && (s.Target < 0 || s.Target > 1) {
		errs = append(errs, fmt.Errorf("stop.target is %g, want an accuracy, 0 (none) to 1", s.Target))
	}
	if s.Patience < 0 || s.Patience > 1<<30 {
		errs = append(errs, fmt.Errorf("stop.patience is %d, want 0 (none) to %d evaluations", s.Patience, 1<<30))
	}
	if !(s.MinDelta >= 0 && s.MinDelta <= math.MaxFloat64) || s.MinDelta > 0 && s.Patience == 0 {
		errs = append(errs, fmt.Errorf("stop.min_delta is %g, want 0 or more, and a stop.patience that it is for", s.MinDelta))
	}
	if s.Target == 0 && s.Patience == 0 {
		errs = append(errs, errors.New("stop.target and stop.patience are 0, want one of them with a stop.metric"))
	}
	return errors.Join(errs...)
}

// sign is that of an improvement of the metric.
func (s Stop) sign() float64 {
	if s.Metric == "valid/"+string(task.Accuracy) {
		return 1
	}
	return -1
}

// stopState is what a run has seen of its stop metric.
type stopState struct {
	Best    *float64 `json:"best,omitempty"`    // nil before the first number
	Poor    int      `json:"poor,omitempty"`    // evaluations since the best one
	Stopped string   `json:"stopped,omitempty"` // why the run has ended, "" if it has not
}

// observe takes a value of the metric and returns why to stop, "" to go on.
func (w *stopState) observe(s Stop, v float64) string {
	sign := s.sign()
	if s.Target != 0 && sign*(v-s.Target) >= 0 {
		return fmt.Sprintf("%s %.6g has come to %g", s.Metric, v, s.Target)
	}
	if !math.IsNaN(v) && (w.Best == nil || sign*(v-*w.Best) > s.MinDelta) {
		w.Best, w.Poor = &v, 0
		return ""
	}
	w.Poor++
	if s.Patience == 0 || w.Poor < s.Patience {
		return ""
	}
	if w.Best == nil {
		return fmt.Sprintf("%s was no number in %d evaluations", s.Metric, w.Poor)
	}
	return fmt.Sprintf("%s has not improved on %.6g in %d evaluations", s.Metric, *w.Best, w.Poor)
}

// considerStop ends the run after an evaluation if its Stop says so.
func (t *trainer) considerStop() error {
	if t.e.Stop == (Stop{}) {
		return nil
	}
	why := t.stop.observe(t.e.Stop, t.result.Final[t.e.Stop.Metric])
	if why == "" || t.step == t.e.Steps {
		return nil
	}
	t.stop.Stopped = fmt.Sprintf("stopped early at step %d: %s", t.step, why)
	return t.tag("stopped_at_step", fmt.Sprint(t.step))
}
