package lab

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/gophersnake/gophersnake/pkg/task"
)

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
	c.LRs = slices.Sorted(slices.Values(c.LRs))
	s := &study{c: c, o: o, all: len(c.Arms) * len(c.Seeds)}
	res := &StudyResult{Config: c, Spec: specOf(c.Arms[0].Experiment.Task), Arms: make([]ArmResult, len(c.Arms))}
	for i, a := range c.Arms {
		res.Arms[i] = ArmResult{Arm: a, LR: c.LRs[0]}
	}
	if len(c.LRs) > 1 {
		if err := s.tune(ctx, res); err != nil {
			return nil, err
		}
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

// tune tries every rate of the grid, and further ones while the best rate of an
// arm lies at an end of it, and sets the arms' rates.
func (s *study) tune(ctx context.Context, res *StudyResult) error {
	fresh, down, up := res.Config.LRs, s.c.Extend, s.c.Extend
	for {
		tries := s.tuningJobs(fresh)
		s.mu.Lock()
		s.all += len(tries)
		s.mu.Unlock()
		if err := s.runAll(ctx, tries); err != nil {
			return err
		}
		for _, j := range tries {
			a := &res.Arms[j.arm]
			a.Tries = append(a.Tries, res.try(j))
		}
		low, high := res.edges()
		fresh = nil
		if low && down > 0 {
			down--
			fresh = append(fresh, nextRate(res.Config.LRs, false))
		}
		if high && up > 0 {
			up--
			fresh = append(fresh, nextRate(res.Config.LRs, true))
		}
		if len(fresh) == 0 {
			break
		}
		res.Config.LRs = slices.Sorted(slices.Values(slices.Concat(res.Config.LRs, fresh)))
	}
	for i, a := range res.Arms {
		res.Arms[i].LR = res.Tuning(a).Chosen
	}
	return nil
}

// edges reports whether the best rate of any arm is the smallest or the largest
// that was tried.
func (r *StudyResult) edges() (low, high bool) {
	for _, a := range r.Arms {
		if t := r.Tuning(a); t.Edge {
			low, high = low || t.Best == t.Rates[0].LR, high || t.Best != t.Rates[0].LR
		}
	}
	return low, high
}

// try returns what a tuning run came to.
func (r *StudyResult) try(j *job) Try {
	t := Try{LR: j.lr, Seed: j.seed, Status: j.result.Status, Score: math.NaN(), Test: math.NaN()}
	if loss, ok := j.result.Final["valid/loss"]; t.Status == Diverged || ok && math.IsNaN(loss) {
		return t
	}
	for split, v := range map[string]*float64{"valid": &t.Score, "test": &t.Test} {
		if final, ok := j.result.Final[split+"/"+string(r.Spec.Metric)]; ok {
			*v = final
		}
	}
	return t
}

// study is a study under way.
type study struct {
	c    StudyConfig
	o    StudyOptions
	mu   sync.Mutex
	done int
	all  int
}

func (s *study) tuningJobs(rates []float64) []*job {
	var jobs []*job
	for i := range s.c.Arms {
		for _, lr := range rates {
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
