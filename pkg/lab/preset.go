package lab

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gophersnake/gophersnake/pkg/task"
)

// Preset is a ladder of a stated size on several tasks.
type Preset struct {
	Name    string
	Studies []StudyConfig
}

// PresetNames lists the presets.
func PresetNames() []string { return []string{"quick", "full"} }

// PresetTasks lists the tasks of the presets.
func PresetTasks() []task.Name {
	return []task.Name{task.SelectiveCopying, task.Induction, task.GoSource}
}

// NewPreset returns a preset cut down to the named tasks and rungs; none means
// all that the preset has.
//
//	quick  every rung on the two synthetic tasks, on text those that carry the
//	       story; 8 reported seeds: directions, minutes on two cores
//	full   every rung on every task, two to five times the steps, 10 reported seeds,
//	       so that an exact test can decide; the grid of rates grows where it must;
//	       the recurrences once more at equal state: about an hour
func NewPreset(name string, tasks, rungs []string) (Preset, error) {
	if !slices.Contains(PresetNames(), name) {
		return Preset{}, fmt.Errorf("lab: preset %q, want one of %s", name, strings.Join(PresetNames(), ", "))
	}
	p := Preset{Name: name}
	for _, t := range tasks {
		if !slices.Contains(PresetTasks(), task.Name(t)) {
			return Preset{}, fmt.Errorf("lab: task %q is not in the presets, want some of %v", t, PresetTasks())
		}
	}
	for _, equal := range Sizings() {
		for _, t := range PresetTasks() {
			if len(tasks) > 0 && !slices.Contains(tasks, string(t)) || equal == EqualState && (name != "full" || t == task.GoSource) {
				continue
			}
			s, err := presetStudy(name, t, equal, rungs)
			if err != nil {
				return Preset{}, err
			}
			if len(s.Arms) > 0 { // equal state leaves some rungs out
				p.Studies = append(p.Studies, s)
			}
		}
	}
	return p, nil
}

// presetStudy is the ladder on one task. All arms of a study have the same rates,
// tuning seeds, steps and data.
func presetStudy(preset string, t task.Name, equal Sizing, rungs []string) (StudyConfig, error) {
	e := presetExperiment(t)
	e.Steps = presetSteps(preset, t, equal)
	s := StudyConfig{Name: fmt.Sprintf("ladder-%s/%s", preset, t), About: "equal " + string(equal),
		LRs: presetRates(t), TuneSeeds: span64(1001, 4), Seeds: span64(1, 8)}
	switch {
	case preset == "full":
		s.Seeds, s.Extend = span64(1, 10), 2
		if equal == EqualState {
			s.Name += "-state"
			s.Notes = append(s.Notes, "Second view: every recurrence carries as many numbers from step to step as mamba, whatever parameters that takes. Fewer steps: states of hundreds of numbers cost ten times the work.")
		}
	case t == task.GoSource && len(rungs) == 0:
		rungs = textRungs
		s.Notes = append(s.Notes, fmt.Sprintf("Preset quick leaves to preset full: %s; longer runs; more learning rates where the best lies at the edge.", strings.Join(leftOut(rungs), ", ")))
	default:
		s.Notes = append(s.Notes, "Preset quick leaves to preset full: longer runs; more learning rates where the best lies at the edge; the recurrences at equal state.")
	}
	e.EvalEvery = e.Steps / 8
	var err error
	s.Arms, err = LadderSized(e, equal, rungs...)
	return s, err
}

// presetExperiment is a task at the size of preset quick, at which the steps of the
// ladder begin to show within minutes on two cores.
func presetExperiment(t task.Name) Experiment {
	e := DefaultExperiment(t)
	// One rate for all parameters: what the LRU's own factor would do to its rungs
	// is no step of the ladder.
	e.Optimiser.RecurrentFactor = 1
	e.Task.EvalBatches = 32
	if t == task.GoSource {
		e.Model.D, e.Model.Tied = 32, true
		e.Task.Length, e.Task.Batch, e.Task.EvalBatches = 128, 8, 16
	}
	return e
}

// presetSteps is the length of a run. Quick ones are those at which the steps of
// the ladder begin to show.
func presetSteps(preset string, t task.Name, equal Sizing) int {
	full := preset == "full"
	switch {
	case equal == EqualState && t == task.SelectiveCopying:
		return 1000
	case t == task.SelectiveCopying && full:
		return 4000
	case t == task.SelectiveCopying:
		return 1250
	case t == task.Induction && full && equal == EqualParameters:
		return 1200
	case t == task.Induction:
		return 600
	case full:
		return 2000
	}
	return 300
}

// presetRates is the grid of learning rates: around those at which small models
// train best in so few steps, on text higher ones.
func presetRates(t task.Name) []float64 {
	if t == task.GoSource {
		return []float64{3e-3, 1e-2, 3e-2, 1e-1}
	}
	return []float64{1e-3, 3e-3, 1e-2, 3e-2}
}

// textRungs are the rungs that preset quick runs on text: those between which the
// papers claim something for language modelling.
var textRungs = []string{"conv", "attention", "rnn", "lru", "discrete", "delta", "selective", "mamba"}

// leftOut lists the rungs that are not among the named ones.
func leftOut(names []string) []string {
	return slices.DeleteFunc(RungNames(), func(n string) bool { return slices.Contains(names, n) })
}

// span64 is n seeds from the first on.
func span64(first uint64, n int) []uint64 {
	out := make([]uint64, n)
	for i := range out {
		out[i] = first + uint64(i)
	}
	return out
}
