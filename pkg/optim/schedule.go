package optim

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// ScheduleKind names the shape of a learning-rate schedule after warm-up.
type ScheduleKind string

// The schedules.
const (
	Constant ScheduleKind = "constant"
	Cosine   ScheduleKind = "cosine"
	Linear   ScheduleKind = "linear"
)

// ScheduleKinds lists the schedules.
func ScheduleKinds() []ScheduleKind { return []ScheduleKind{Constant, Cosine, Linear} }

// Schedule is a learning rate over steps: linear warm-up from 0 over
// WarmUp·Steps steps, then the kind's way down to Final·LR at the last step.
type Schedule struct {
	Kind   ScheduleKind `json:"kind"`
	LR     float64      `json:"lr"`     // peak
	WarmUp float64      `json:"warmup"` // share of the steps
	Final  float64      `json:"final"`  // last learning rate over the peak
}

// DefaultSchedule returns cosine to a tenth after 10 % warm-up.
func DefaultSchedule() Schedule { return Schedule{Kind: Cosine, LR: 3e-3, WarmUp: 0.1, Final: 0.1} }

// Validate reports every field that is out of range.
func (s Schedule) Validate() error {
	var errs []error
	if !slices.Contains(ScheduleKinds(), s.Kind) {
		errs = append(errs, fmt.Errorf("schedule.kind is %q, want one of %v", s.Kind, ScheduleKinds()))
	}
	if !(s.LR > 0 && s.LR <= 10) {
		errs = append(errs, fmt.Errorf("schedule.lr is %g, want above 0, at most 10", s.LR))
	}
	if !(s.WarmUp >= 0 && s.WarmUp <= 1) {
		errs = append(errs, fmt.Errorf("schedule.warmup is %g, want a share of the steps, 0 to 1", s.WarmUp))
	}
	if !(s.Final >= 0 && s.Final <= 1) {
		errs = append(errs, fmt.Errorf("schedule.final is %g, want a share of lr, 0 to 1", s.Final))
	}
	return errors.Join(errs...)
}

// At returns the learning rate of step (from 0) of steps.
func (s Schedule) At(step, steps int) float64 {
	// 1e-9 of a step undoes the rounding of shares such as 0.07·100.
	warm := int(math.Ceil(s.WarmUp*float64(steps) - 1e-9))
	if step < warm {
		return s.LR * float64(step+1) / float64(warm)
	}
	if s.Kind == Constant {
		return s.LR
	}
	done := 1.0
	if last := steps - 1 - warm; last > 0 {
		done = math.Min(1, float64(step-warm)/float64(last))
	}
	left := 1 - done
	if s.Kind == Cosine {
		left = (1 + math.Cos(math.Pi*done)) / 2
	}
	return s.LR * (s.Final + (1-s.Final)*left)
}
