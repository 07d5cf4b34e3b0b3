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
	About   string
	Studies []StudyConfig
}

// PresetNames lists the presets.
func PresetNames() []string { return []string{"quick", "full"} }

// PresetTasks lists the tasks of the presets.
func PresetTasks() []task.Name {
	return []task.Name{task.SelectiveCopying, task.Induction, task.GoSource}
}

// NewPreset returns a preset cut down to the named tasks and rungs; none means
// all.
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
	for _, t := range PresetTasks() {
		if len(tasks) > 0 && !slices.Contains(tasks, string(t)) {
			continue
		}
		s, err := presetStudy(name, t, rungs)
		if err != nil {
			return Preset{}, err
		}
		p.Studies = append(p.Studies, s)
	}
	return p, nil
}

// presetStudy is the ladder on one task. The sizes of quick are those at which
// the steps of the ladder begin to show within minutes on two cores; full is
// the same with more of everything.
func presetStudy(preset string, t task.Name, rungs []string) (StudyConfig, error) {
	e := DefaultExperiment(t)
	e.Task.EvalBatches = 32
	s := StudyConfig{LRs: []float64{3e-3, 1e-2, 3e-2}, TuneSeeds: []uint64{1001, 1002}, Seeds: []uint64{1, 2, 3, 4, 5}}
	switch t {
	case task.SelectiveCopying:
		e.Steps = 2000
	case task.Induction:
		e.Steps = 1000
	case task.GoSource:
		e.Model.D, e.Model.Tied = 32, true
		e.Task.Length, e.Task.Batch, e.Task.EvalBatches = 128, 8, 16
		e.Steps, s.TuneSteps, s.TuneSeeds = 1500, 500, s.TuneSeeds[:1]
	}
	if preset == "full" {
		e.Steps *= 4
		s.TuneSteps = 0
		s.LRs = []float64{1e-3, 3e-3, 1e-2, 3e-2}
		s.TuneSeeds = []uint64{1001, 1002}
		s.Seeds = []uint64{1, 2, 3, 4, 5, 6, 7, 8}
		e.Task.EvalBatches *= 2
	}
	e.EvalEvery = e.Steps / 10
	s.Name = fmt.Sprintf("ladder-%s/%s", preset, t)
	var err error
	s.Arms, err = Ladder(e, rungs...)
	return s, err
}
