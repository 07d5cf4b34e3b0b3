package lab

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"

	"github.com/gophersnake/gophersnake/pkg/optim"
	"github.com/gophersnake/gophersnake/pkg/task"
)

// Arm is one competitor of a study. The learning rate and seed of its
// experiment are set by the study.
type Arm struct {
	Name       string
	Label      string // for figures
	Experiment Experiment
	NewMixer   MixerFunc // makes the mixers of an experiment of kind Custom; nil for a built-in kind
	// What the arm is compared with and how it differs; a rung of the ladder
	// needs neither.
	From   string // name of the arm, "" for the rung's or none
	Change string // the one change, in words
}

// CountParams returns the number of trained scalars of the arm's model.
func (a Arm) CountParams() (int, error) { return countParams(a.Experiment, a.NewMixer) }

// StudyConfig compares arms fairly: every arm is tried with the same learning
// rates on the same seeds, none of which is reported; the rate that the split
// "valid" chooses, by the rule of Tuning, is then run on fresh seeds. Arms share
// seeds, and with them the data stream, so they are paired.
type StudyConfig struct {
	Name      string // the collection of runs
	About     string // what is held equal or varied, for titles; may be empty
	Arms      []Arm
	LRs       []float64 // with one, there is nothing to tune
	TuneSeeds []uint64
	TuneSteps int // steps of a tuning run, 0 for as many as a reported one
	Seeds     []uint64
	// Extend is how often the grid of learning rates may grow at each of its ends:
	// by one rate, tried by every arm, while the best rate of any arm lies there.
	Extend int
	Notes  []string // for the reader of the results: what was left out, and why
}

// Validate reports everything that is wrong.
func (c StudyConfig) Validate() error {
	var errs []error
	if len(c.Arms) == 0 || len(c.LRs) == 0 || len(c.Seeds) == 0 {
		errs = append(errs, fmt.Errorf("study: %d arms, %d learning rates, %d seeds, want at least one of each", len(c.Arms), len(c.LRs), len(c.Seeds)))
	}
	if len(c.LRs) > 1 && len(c.TuneSeeds) == 0 {
		errs = append(errs, fmt.Errorf("study: %d learning rates and no tuning seed, want one or more", len(c.LRs)))
	}
	for _, s := range c.TuneSeeds {
		if slices.Contains(c.Seeds, s) {
			errs = append(errs, fmt.Errorf("study: seed %d both tunes and reports, want different ones", s))
		}
	}
	if c.TuneSteps < 0 {
		errs = append(errs, fmt.Errorf("study: %d tuning steps, want 0 (as many as a reported run) or more", c.TuneSteps))
	}
	if c.Extend < 0 || c.Extend > maxExtend {
		errs = append(errs, fmt.Errorf("study: extend is %d, want 0 to %d", c.Extend, maxExtend))
	}
	for _, lr := range c.LRs {
		schedule := optim.DefaultSchedule()
		schedule.LR = lr
		if err := schedule.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("study: %w", err))
		}
	}
	// A run that counts twice would make the intervals too narrow.
	errs = append(errs, once("learning rate", c.LRs), once("tuning seed", c.TuneSeeds), once("seed", c.Seeds))
	var names []string
	for _, a := range c.Arms {
		names = append(names, a.Name)
	}
	errs = append(errs, once("arm", names))
	for i, a := range c.Arms {
		if err := errors.Join(a.Experiment.Validate(), a.Experiment.Model.Mixer.wantConstructor(a.NewMixer)); err != nil {
			errs = append(errs, fmt.Errorf("study: arm %s: %w", a.Name, err))
		}
		if a.From != "" && (a.From == a.Name || !slices.Contains(names, a.From)) {
			errs = append(errs, fmt.Errorf("study: arm %s is compared with %q, want another arm of the study", a.Name, a.From))
		}
		if !reflect.DeepEqual(a.Experiment.Task, c.Arms[0].Experiment.Task) {
			errs = append(errs, fmt.Errorf("study: arm %d is on another task than arm 0, want one for all: arms are paired by their data", i))
		}
	}
	return errors.Join(errs...)
}

// maxExtend keeps a grid within what a schedule accepts and a figure can show.
const maxExtend = 8

// once returns an error that names the first value that stands in the list
// twice.
func once[T comparable](what string, list []T) error {
	for i, v := range list {
		if slices.Contains(list[:i], v) {
			return fmt.Errorf("study: %s %v is given twice, want each once", what, v)
		}
	}
	return nil
}

// StudyOptions says how a study is carried out. Nothing in it changes a result.
type StudyOptions struct {
	Book     Book             // where runs are logged and found again; nil for nowhere
	Progress func(StudyEvent) // called from several goroutines, one at a time
	Workers  int              // cores, 0 for all
	Corpora  *task.Cache      // shares corpora between studies
	// CheckpointEvery is as in Options.
	CheckpointEvery int
}

// StudyEvent says that a run of a study has moved.
type StudyEvent struct {
	Arm       string
	LR        float64
	Seed      uint64
	Tuning    bool
	Progress  Progress
	Done      bool // the run has ended; Status says how
	Status    Status
	Reused    bool    // it was found in the book
	Result    *Result // of a run that has ended
	Runs, All int     // runs ended, runs in the study
}

// ArmResult is what became of an arm.
type ArmResult struct {
	Arm
	LR    float64 // the chosen learning rate
	Tries []Try
	Runs  []*Result // one a seed, in order
}

// Values returns the last value of a metric for every seed, NaN for a run that
// diverged.
func (a ArmResult) Values(key string) []float64 {
	out := make([]float64, len(a.Runs))
	for i, r := range a.Runs {
		v, ok := r.Final[key]
		if !ok || r.Status == Diverged {
			v = math.NaN()
		}
		out[i] = v
	}
	return out
}

// Diverged counts the runs that did.
func (a ArmResult) Diverged() int {
	n := 0
	for _, r := range a.Runs {
		if r.Status == Diverged {
			n++
		}
	}
	return n
}

// StudyResult is what a study came to. Its methods may not be called from several
// goroutines at once: the first that needs intervals draws a bootstrap and keeps it.
type StudyResult struct {
	Config StudyConfig // with every rate that was tried
	Spec   task.Spec
	Arms   []ArmResult

	noise *noise // nil until it is needed
	views *views // of a recorded study, whose runs have no weights
}

// Arm returns the result of the arm of that name, nil if there is none.
func (r *StudyResult) Arm(name string) *ArmResult {
	for i := range r.Arms {
		if r.Arms[i].Name == name {
			return &r.Arms[i]
		}
	}
	return nil
}
