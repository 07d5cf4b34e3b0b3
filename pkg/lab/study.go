package lab

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"

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
// rates on the same seeds, none of which is reported; the best rate, by the
// split "valid", is then run on fresh seeds. Arms share seeds, and with them
// the data stream, so they are paired.
type StudyConfig struct {
	Name      string // the collection of runs
	Arms      []Arm
	LRs       []float64 // with one, there is nothing to tune
	TuneSeeds []uint64
	TuneSteps int // steps of a tuning run, 0 for as many as a reported one
	Seeds     []uint64
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

// Try is one tuning run.
type Try struct {
	LR     float64
	Seed   uint64
	Status Status
	Score  float64 // of the task's metric on "valid"; NaN if diverged
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

// StudyResult is what a study came to.
type StudyResult struct {
	Config StudyConfig
	Spec   task.Spec
	Arms   []ArmResult
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

// job is one run of a study.
type job struct {
	arm    int
	lr     float64
	seed   uint64
	tuning bool
	past   *PastRun // an interrupted run that this one goes on from
	log    Recorder // nil when nobody is told
	result *Result
}

// RunStudy carries out a study. When ctx is cancelled the runs under way write
// checkpoints and ctx's error is returned; with the same book the study can be
// gone on with.
func RunStudy(ctx context.Context, c StudyConfig, o StudyOptions) (*StudyResult, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.Corpora == nil {
		o.Corpora = task.NewCache()
	}
	c.Arms = slices.Clone(c.Arms)
	for i := range c.Arms {
		var err error
		if c.Arms[i], err = c.Arms[i].resolve(o.Corpora); err != nil {
			return nil, err
		}
	}
	s := &study{c: c, o: o, all: len(c.Arms) * len(c.Seeds)}
	res := &StudyResult{Config: c, Spec: specOf(c.Arms[0].Experiment.Task), Arms: make([]ArmResult, len(c.Arms))}
	for i, a := range c.Arms {
		res.Arms[i] = ArmResult{Arm: a, LR: c.LRs[0]}
	}
	if len(c.LRs) > 1 {
		s.all += len(c.Arms) * len(c.LRs) * len(c.TuneSeeds)
		tries := s.tuningJobs()
		if err := s.runAll(ctx, tries); err != nil {
			return nil, err
		}
		res.choose(tries)
	}
	jobs := s.reportedJobs(res)
	if err := s.runAll(ctx, jobs); err != nil {
		return nil, err
	}
	for _, j := range jobs {
		res.Arms[j.arm].Runs = append(res.Arms[j.arm].Runs, j.result)
	}
	return res, nil
}

// resolve returns the arm with an experiment that names its data and its mixer
// exactly.
func (a Arm) resolve(corpora *task.Cache) (Arm, error) {
	e, err := Bind(a.Experiment, a.NewMixer)
	if err != nil {
		return a, fmt.Errorf("study: arm %s: %w", a.Name, err)
	}
	a.Experiment, err = Resolve(e, corpora)
	return a, err
}

// tally is what the tuning runs of one learning rate came to.
type tally struct {
	lost int     // runs that diverged or scored no number
	sum  float64 // of the others' worth
}

func (t tally) better(u tally) bool { return t.lost < u.lost || t.lost == u.lost && t.sum > u.sum }

// choose sets each arm's learning rate to the one with the best mean score; a
// tuning run that diverged, or whose score is not a number, counts as worse
// than any score. The first of equals is taken.
func (r *StudyResult) choose(tries []*job) {
	for i := range r.Arms {
		a := &r.Arms[i]
		tallies := map[float64]tally{}
		for _, j := range tries {
			if j.arm != i {
				continue
			}
			score, worth := r.judge(j.result)
			a.Tries = append(a.Tries, Try{LR: j.lr, Seed: j.seed, Status: j.result.Status, Score: score})
			t := tallies[j.lr]
			if math.IsNaN(worth) || math.IsInf(worth, 0) {
				t.lost++
			} else {
				t.sum += worth
			}
			tallies[j.lr] = t
		}
		for _, lr := range r.Config.LRs {
			if tallies[lr].better(tallies[a.LR]) {
				a.LR = lr
			}
		}
	}
}

// judge returns the score of a tuning run and what it is worth, larger being
// better; both are NaN if it diverged.
func (r *StudyResult) judge(run *Result) (score, worth float64) {
	score, ok := run.Final["valid/"+string(r.Spec.Metric)]
	if !ok || run.Status == Diverged {
		return math.NaN(), math.NaN()
	}
	worth = score
	if !r.Spec.Metric.HigherIsBetter() {
		worth = -score
	}
	// Equal accuracies are told apart by the loss. The share is too small to
	// outweigh one position of a million.
	return score, worth - 1e-6*run.Final["valid/loss"]
}

// study is a study under way.
type study struct {
	c    StudyConfig
	o    StudyOptions
	mu   sync.Mutex
	done int
	all  int
}

func (s *study) tuningJobs() []*job {
	var jobs []*job
	for i := range s.c.Arms {
		for _, lr := range s.c.LRs {
			for _, seed := range s.c.TuneSeeds {
				jobs = append(jobs, &job{arm: i, lr: lr, seed: seed, tuning: true})
			}
		}
	}
	return jobs
}

func (s *study) reportedJobs(r *StudyResult) []*job {
	var jobs []*job
	for i, a := range r.Arms {
		for _, seed := range s.c.Seeds {
			jobs = append(jobs, &job{arm: i, lr: a.LR, seed: seed})
		}
	}
	return jobs
}

// runAll runs the jobs: side by side on one core each when there are enough of
// them, which wastes nothing on waiting, otherwise one after another on all.
func (s *study) runAll(ctx context.Context, jobs []*job) error {
	lanes, workers := s.o.Workers, 1
	if len(jobs) < lanes {
		lanes, workers = 1, s.o.Workers
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan *job)
	var wg sync.WaitGroup
	for range lanes {
		wg.Go(func() {
			for j := range next {
				if err := s.runSafely(ctx, j, workers); err != nil {
					cancel(err)
				}
			}
		})
	}
	for _, j := range jobs {
		select {
		case next <- j:
		case <-ctx.Done():
		}
	}
	close(next)
	wg.Wait()
	return context.Cause(ctx)
}

// runSafely turns a panic into an error: a panic in a goroutine of a library
// would take the user's process with it.
func (s *study) runSafely(ctx context.Context, j *job, workers int) (err error) {
	defer func() {
		if p := recover(); p != nil {
			detail := fmt.Sprintf("lab: arm %s, seed %d: panic: %v", s.c.Arms[j.arm].Name, j.seed, p)
			err = fmt.Errorf("%s\n%s", detail, debug.Stack())
			if j.log != nil {
				err = errors.Join(err, j.log.End(Failed, detail))
			}
		}
	}()
	return s.run(ctx, j, workers)
}

// experiment returns the job's experiment.
func (s *study) experiment(j *job) Experiment {
	e := s.c.Arms[j.arm].Experiment
	e.Schedule.LR, e.Seed = j.lr, j.seed
	if j.tuning && s.c.TuneSteps > 0 {
		e.Steps = s.c.TuneSteps
	}
	return e
}

func (s *study) run(ctx context.Context, j *job, workers int) error {
	if ctx.Err() != nil {
		return nil
	}
	e := s.experiment(j)
	o := Options{Workers: workers, Corpora: s.o.Corpora, CheckpointEvery: s.o.CheckpointEvery, NewMixer: s.c.Arms[j.arm].NewMixer}
	if s.o.Progress != nil {
		o.Progress = func(p Progress) { s.tell(j, StudyEvent{Progress: p}) }
	}
	reused, err := s.open(j, e, &o)
	if err != nil {
		return err
	}
	j.log = o.Recorder
	if reused == nil {
		j.result, err = Run(ctx, e, o)
		j.log = nil // closed by Run
		if err != nil {
			return err
		}
		j.result.prepend(j.past)
	} else {
		j.result = reused
	}
	s.mu.Lock()
	s.done++
	s.mu.Unlock()
	s.tell(j, StudyEvent{Done: true, Status: j.result.Status, Reused: reused != nil, Result: j.result})
	return nil
}

// open starts the run in the book or finds it there: finished, in which case
// its result is returned, or to be gone on with.
func (s *study) open(j *job, e Experiment, o *Options) (*Result, error) {
	if s.o.Book == nil {
		return nil, nil
	}
	spec := s.spec(j, e)
	past, err := s.o.Book.Find(spec)
	if err != nil {
		return nil, err
	}
	if past != nil && (past.Status == Finished || past.Status == Diverged) {
		return past.result(s.c.Arms[j.arm], e)
	}
	if past != nil && past.Checkpoint != nil {
		c, err := DecodeCheckpoint(past.Checkpoint)
		if err == nil {
			o.Resume, j.past = past.Checkpoint, past
			o.Recorder, err = s.o.Book.Resume(past, int64(c.Step))
			return nil, err
		}
		// Nothing is lost but time: the run is done anew, and says so.
		spec.Tags["begun_anew"] = fmt.Sprintf("run %s cannot be gone on with: %v", past.ID, err)
	}
	o.Recorder, err = s.o.Book.Start(spec)
	return nil, err
}

func (s *study) spec(j *job, e Experiment) RunSpec {
	arm := s.c.Arms[j.arm].Name
	spec := RunSpec{Experiment: s.c.Name, Group: arm, Name: fmt.Sprintf("%s-seed%d", arm, j.seed),
		Config: e.JSON(), Hash: e.Hash(), Seed: j.seed,
		Tags: map[string]string{"arm": arm, "phase": "report", "kernels": kernelsOf(e.Device)}}
	if j.tuning {
		spec.Group = arm + "/tune"
		spec.Name = fmt.Sprintf("%s-tune-lr%g-seed%d", arm, j.lr, j.seed)
		spec.Tags["phase"] = "tune"
	}
	return spec
}

// tell completes an event and hands it on, one at a time.
func (s *study) tell(j *job, ev StudyEvent) {
	if s.o.Progress == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	ev.Arm, ev.LR, ev.Seed, ev.Tuning = s.c.Arms[j.arm].Name, j.lr, j.seed, j.tuning
	ev.Runs, ev.All = s.done, s.all
	s.o.Progress(ev)
}
