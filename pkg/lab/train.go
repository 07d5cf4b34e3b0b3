package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/gophersnake/gophersnake/pkg/nn"
	"github.com/gophersnake/gophersnake/pkg/optim"
	"github.com/gophersnake/gophersnake/pkg/task"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// Options says how a run is carried out. Nothing in it changes a result, but
// that NewMixer and From must be those that the experiment names.
type Options struct {
	Recorder        Recorder       // who is told; nil for nobody
	Progress        func(Progress) // called after every step; nil for nobody
	Resume          []byte         // a checkpoint of the same experiment to go on from
	From            []byte         // the checkpoint that the experiment's From names; not needed with Resume, nor with a Recorder that is an OriginFinder
	CheckpointEvery int            // steps between checkpoints, 0 for one at the end or interruption only
	Workers         int            // cores for the cpu device, 0 for all
	Corpora         *task.Cache    // shares corpora between runs; nil reads them anew
	NewMixer        MixerFunc      // makes the mixers of an experiment of kind Custom; nil for a built-in kind
}

// Progress is where a run stands.
type Progress struct {
	Step, Steps     int
	Loss            float64 // training loss of the step, nats (mean squared error for regression)
	TokensPerSecond float64
}

// Result is what a run came to.
type Result struct {
	Experiment      Experiment
	Status          Status
	Why             string             // how the run diverged or stopped early, "" if it did neither
	Steps           int                // steps done, those of a checkpoint that the run goes on from included
	Params          int                // trained scalars
	Final           map[string]float64 // last value of every logged metric
	Curves          map[string]Curve   // "train/loss" and every evaluated metric by step
	TokensPerSecond float64            // of the training steps, 0 if none was run
	Seconds         float64
	Checkpoint      []byte // of the last step
}

// String says in a line how the run ended.
func (r *Result) String() string {
	early := ""
	if r.Status == Finished && r.Steps < r.Experiment.Steps {
		early = " early"
	}
	return fmt.Sprintf("%s%s after %d of %d steps, %d parameters, %.0f tokens/s", r.Status, early, r.Steps, r.Experiment.Steps, r.Params, r.TokensPerSecond)
}

// Metric keys. Those under "system/" depend on the machine and are not part of
// what a replay compares.
const (
	KeyTrainLoss = "train/loss"
	KeyGradNorm  = "train/grad_norm"
	KeyLR        = "train/lr"
	KeySpeed     = "system/tokens_per_second"
)

// Run trains the experiment's model and returns what came out. A result with
// status Diverged or Interrupted is not an error; the error is ctx's own when
// interrupted.
func Run(ctx context.Context, e Experiment, o Options) (*Result, error) {
	t, err := newTrainer(e, o)
	if err != nil {
		return nil, end(o.Recorder, Failed, "", err)
	}
	if err := errors.Join(t.saveManifest(), t.saveOrigin()); err != nil {
		return nil, end(o.Recorder, Failed, "", err)
	}
	status, err := t.train(ctx)
	if err != nil {
		return nil, end(o.Recorder, Failed, "", err)
	}
	t.result.Status, t.result.Why = status, t.why
	if err := t.saveCheckpoint(); err != nil {
		return t.result, end(o.Recorder, Failed, "", err)
	}
	if err := end(o.Recorder, status, t.why, nil); err != nil {
		return t.result, err
	}
	if status == Interrupted {
		return t.result, context.Cause(ctx)
	}
	return t.result, nil
}

// end closes the recorder, if there is one, and joins its error to err.
func end(r Recorder, s Status, detail string, err error) error {
	if r == nil {
		return err
	}
	if err != nil {
		detail = err.Error()
	}
	return errors.Join(err, r.End(s, detail))
}

// trainer is one run under way.
type trainer struct {
	e      Experiment
	o      Options
	task   task.Task
	spec   task.Spec
	model  *nn.Model
	params []*tensor.Param
	opt    *optim.AdamW
	tape   *tensor.Tape
	watch  divergence
	stop   stopState
	why    string // how the run diverged or stopped early
	step   int    // steps done
	tokens int
	began  time.Time
	spent  time.Duration // on training steps
	result *Result
}

func newTrainer(e Experiment, o Options) (*trainer, error) {
	if err := e.Validate(); err != nil {
		return nil, err
	}
	t := &trainer{e: e, o: o, began: time.Now()}
	cache := o.Corpora
	if cache == nil {
		cache = task.NewCache()
	}
	var err error
	if t.task, err = cache.New(e.Task, e.Seed); err != nil {
		return nil, err
	}
	t.spec = t.task.Spec()
	if t.model, t.params, err = BuildWith(e, o.Workers, o.NewMixer); err != nil {
		return nil, err
	}
	if t.opt, err = optim.NewAdamW(t.params, e.Optimiser); err != nil {
		return nil, err
	}
	t.tape = tensor.NewTape(t.params[0].Device())
	t.result = &Result{Experiment: e, Params: nn.CountParams(t.params), Final: map[string]float64{}, Curves: map[string]Curve{}}
	return t, t.begin()
}

// Resolve reads the corpus of the experiment, if it has one, and writes its
// digest into the config, so that the experiment names its data exactly.
func Resolve(e Experiment, corpora *task.Cache) (Experiment, error) {
	if errs := e.Task.Validate(); len(errs) > 0 {
		return e, errors.Join(errs...)
	}
	t, err := corpora.New(e.Task, e.Seed)
	if err != nil {
		return e, err
	}
	if m := task.ManifestOf(t); m != nil {
		e.Task.Digest = m.SHA256
	}
	return e, nil
}

// Build makes the experiment's model with weights drawn from its seed, whatever
// its From says, on its device with the given number of workers (0 for all cores).
func Build(e Experiment, workers int) (*nn.Model, []*tensor.Param, error) {
	return BuildWith(e, workers, nil)
}

// BuildWith is Build with the constructor of the experiment's mixer, nil for a
// built-in one. If the experiment has the mixer's fingerprint, the mixers made
// must have it too.
func BuildWith(e Experiment, workers int, newMixer MixerFunc) (*nn.Model, []*tensor.Param, error) {
	if err := e.Model.Mixer.wantConstructor(newMixer); err != nil {
		return nil, nil, err
	}
	if e.Model.Mixer.Fingerprint != "" {
		if _, err := Bind(e, newMixer); err != nil {
			return nil, nil, err
		}
	}
	dev, err := tensor.OpenDevice(e.Device, workers)
	if err != nil {
		return nil, nil, err
	}
	b := nn.NewBuilder(dev, e.Seed)
	m, err := nn.NewModel(b, e.modelConfig(specOf(e.Task)), e.Model.maker(newMixer))
	if err != nil {
		return nil, nil, err
	}
	return m, b.Params(), nil
}

func (t *trainer) resume(data []byte) error {
	c, err := DecodeCheckpoint(data)
	if err != nil {
		return err
	}
	if c.Experiment.Hash() != t.e.Hash() {
		return fmt.Errorf("lab: the checkpoint is of another experiment: %v", Diff(c.Experiment, t.e))
	}
	if err := c.restore(t.params); err != nil {
		return err
	}
	t.step, t.watch, t.stop = c.Step, c.watch, c.stop
	t.result.Steps = c.Step
	return t.opt.Import(c.optimiser)
}

// train runs the remaining steps and the final evaluation.
func (t *trainer) train(ctx context.Context) (Status, error) {
	for t.step < t.e.Steps && t.stop.Stopped == "" {
		if ctx.Err() != nil {
			return Interrupted, nil
		}
		ok, err := t.trainStep()
		if err != nil {
			return Failed, err
		}
		if !ok {
			return Diverged, nil
		}
		last := t.step == t.e.Steps
		if t.step%t.e.EvalEvery == 0 || last {
			if err := t.evaluate("valid"); err != nil {
				return Failed, err
			}
		}
		if t.step%t.e.EvalEvery == 0 {
			if err := t.considerStop(); err != nil {
				return Failed, err
			}
		}
		if n := t.o.CheckpointEvery; n > 0 && t.step%n == 0 && !last {
			if err := t.saveCheckpoint(); err != nil {
				return Failed, err
			}
		}
	}
	for _, split := range t.spec.Splits {
		if split != "valid" {
			if err := t.evaluate(split); err != nil {
				return Failed, err
			}
		}
	}
	t.finish()
	t.why = t.stop.Stopped
	return Finished, t.logSystem()
}

// finish fills in what the result says of speed.
func (t *trainer) finish() {
	t.result.Seconds = time.Since(t.began).Seconds()
	if t.spent > 0 {
		t.result.TokensPerSecond = float64(t.tokens) / t.spent.Seconds()
	}
}

// trainStep does one update. It returns false when the run has diverged.
func (t *trainer) trainStep() (bool, error) {
	start := time.Now()
	value := t.gradient()
	lr := t.e.Schedule.At(t.step, t.e.Steps)
	norm := t.opt.Step(lr)
	t.step++
	t.result.Steps = t.step
	t.spent += time.Since(start)
	diverged := t.watch.observe(value, norm)
	if diverged || t.step%t.e.LogEvery == 0 || t.step == t.e.Steps || t.step == 1 {
		for _, m := range []struct {
			key   string
			value float64
		}{{KeyTrainLoss, value}, {KeyGradNorm, norm}, {KeyLR, lr}} {
			if err := t.log(m.key, m.value); err != nil {
				return false, err
			}
		}
	}
	if t.o.Progress != nil {
		t.o.Progress(Progress{Step: t.step, Steps: t.e.Steps, Loss: value, TokensPerSecond: float64(t.tokens) / t.spent.Seconds()})
	}
	if diverged {
		t.finish()
		t.why = fmt.Sprintf("diverged at step %d: loss %.4g, gradient norm %.4g, first loss %.4g", t.step, value, norm, t.watch.First)
		return false, t.tag("diverged_at_step", fmt.Sprint(t.step))
	}
	return true, nil
}

// gradient leaves the gradient of a step with the parameters and returns its
// loss: Σ nᵢ lossᵢ / Σ nᵢ over the batches of the step, with nᵢ scored positions
// each, which is the mean over all positions however they are spread.
func (t *trainer) gradient() float64 {
	batches := make([]*task.Batch, max(1, t.e.Accumulate))
	first, scored := t.step*len(batches), 0
	for i := range batches {
		batches[i] = t.task.Train(first + i)
		scored += batches[i].Scored()
	}
	var value float64
	for i, b := range batches {
		t.tape.Reset()
		t.tape.SetGrad(true)
		t.tape.SetTraining(true)
		t.tape.SetSeed(t.e.Seed ^ uint64(first+i)*0x9e3779b97f4a7c15)
		loss := t.loss(b, t.forward(b))
		if len(batches) > 1 {
			// With nothing scored at all, every loss is 0 and so is the step's.
			loss = t.tape.Scale(float64(b.Scored())/float64(max(1, scored)), loss)
		}
		t.tape.Backward(loss)
		value += loss.Item()
		t.tokens += b.B * b.L
	}
	return value
}

// forward runs the model on a batch.
func (t *trainer) forward(b *task.Batch) *tensor.Tensor {
	return forward(t.model, t.tape, b)
}

// loss is the cross-entropy in nats over scored positions, or the mean squared
// error.
func (t *trainer) loss(b *task.Batch, y *tensor.Tensor) *tensor.Tensor {
	if t.spec.Regression {
		return t.tape.MSE(y, b.Values)
	}
	return t.tape.CrossEntropy(y, b.Targets)
}

// log records a value at the current step.
func (t *trainer) log(key string, v float64) error {
	t.result.Final[key] = v
	c := t.result.Curves[key]
	c.Steps, c.Values = append(c.Steps, int64(t.step)), append(c.Values, v)
	t.result.Curves[key] = c
	if t.o.Recorder == nil {
		return nil
	}
	return t.o.Recorder.Log(key, int64(t.step), v)
}

func (t *trainer) tag(key, value string) error {
	if t.o.Recorder == nil {
		return nil
	}
	return t.o.Recorder.SetTag(key, value)
}

// logSystem records what depends on the machine.
func (t *trainer) logSystem() error {
	if err := t.log(KeySpeed, t.result.TokensPerSecond); err != nil {
		return err
	}
	return t.tag("parameters", fmt.Sprint(t.result.Params))
}

// saveManifest keeps the exact list of a corpus's files with the run, and tags
// it with what its evaluation shares with training.
func (t *trainer) saveManifest() error {
	m := task.ManifestOf(t.task)
	if m == nil || t.o.Recorder == nil || t.o.Resume != nil {
		return nil
	}
	data, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return err
	}
	if err := t.tag("corpus_overlap", m.Overlap.String()); err != nil {
		return err
	}
	return t.o.Recorder.SaveArtifact("corpus.json", data)
}

func (t *trainer) saveCheckpoint() error {
	t.result.Checkpoint = t.encodeCheckpoint()
	if t.o.Recorder == nil {
		return nil
	}
	return t.o.Recorder.SaveArtifact(CheckpointArtifact, t.result.Checkpoint)
}

// divergence notices early that a run will come to nothing.
type divergence struct {
	First float64 // loss of the first step
	High  int     // steps in a row with a loss beyond divergeFactor·First
}

// A loss of ten times the first one, fifty steps in a row, has never been seen
// to come back; a single spike often does.
const (
	divergeFactor = 10
	divergeSteps  = 50
)

// observe takes the loss and gradient norm of a step and reports divergence.
func (d *divergence) observe(loss, norm float64) bool {
	if math.IsNaN(loss+norm) || math.IsInf(loss+norm, 0) {
		return true
	}
	if d.First == 0 {
		d.First = loss
	}
	if loss > divergeFactor*d.First {
		d.High++
	} else {
		d.High = 0
	}
	return d.High >= divergeSteps
}

// kernelsOf names the code path of a device in this process.
func kernelsOf(device string) string {
	d, err := tensor.OpenDevice(device, 1)
	if err != nil {
		return ""
	}
	return d.Kernels()
}
