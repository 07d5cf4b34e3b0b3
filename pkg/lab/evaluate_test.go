package lab

import (
	"math"
	"slices"
	"testing"

	"github.com/gophersnake/gophersnake/pkg/nn"
	"github.com/gophersnake/gophersnake/pkg/optim"
	"github.com/gophersnake/gophersnake/pkg/task"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// fixedTask gives the batches that a test made. It notes which training batches
// were asked for.
type fixedTask struct {
	spec  task.Spec
	train *task.Batch
	eval  []*task.Batch
	asked []int
}

func (f *fixedTask) Name() string    { return "fixed" }
func (f *fixedTask) Spec() task.Spec { return f.spec }

func (f *fixedTask) Train(step int) *task.Batch {
	f.asked = append(f.asked, step)
	return f.train
}

func (f *fixedTask) Eval(_ string, i int) (*task.Batch, bool) {
	if i >= len(f.eval) {
		return nil, false
	}
	return f.eval[i], true
}

// onFixed returns a trainer of an experiment whose task gives f's batches.
func onFixed(t *testing.T, e Experiment, f *fixedTask) *trainer {
	t.Helper()
	tr, err := newTrainer(e, Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	f.spec = tr.spec
	tr.task = f
	return tr
}

// plainForward is a model's output without dropout.
func plainForward(m *nn.Model, d *tensor.Device, b *task.Batch) (y []float64, width int) {
	tp := tensor.NewTape(d)
	tp.SetGrad(false)
	tp.SetTraining(false)
	out := forward(m, tp, b)
	return out.Data(), out.Dim(-1)
}

// crossEntropy is −log softmax(y)[target] by the formula.
func crossEntropy(y []float64, target int32) float64 {
	var sum float64
	for _, v := range y {
		sum += math.Exp(v)
	}
	return math.Log(sum) - y[target]
}

// unevenBatches are of 10 scored positions, of 1, of none and of 2: the mean
// over positions is not that over batches. Each second scored position has the
// model's answer as its target, the others have another.
func unevenBatches(tr *trainer) []*task.Batch {
	var all []*task.Batch
	for i, scored := range []int{10, 1, 0, 2} {
		b := &task.Batch{B: 2, L: 5, Tokens: make([]int32, 10), Targets: slices.Repeat([]int32{task.Ignore}, 10)}
		for j := range b.Tokens {
			b.Tokens[j] = int32((3*j + i) % 10)
		}
		y, width := plainForward(tr.model, tr.tape.Device(), b)
		for j := range scored {
			b.Targets[9-j] = (likeliest(y[(9-j)*width:][:width]) + int32(j%2)) % int32(width)
		}
		all = append(all, b)
	}
	return all
}

// likeliest is the place of the greatest of finite scores.
func likeliest(scores []float64) int32 {
	best, err := greatest(scores)
	if err != nil {
		panic(err)
	}
	return best
}

// TestEvaluateByHand: loss and accuracy are those of the definition, over all
// scored positions of all batches and without dropout.
func TestEvaluateByHand(t *testing.T) {
	e := tiny(S6)
	e.Model.Block.Dropout = 0.5
	f := &fixedTask{}
	tr := onFixed(t, e, f)
	f.eval = unevenBatches(tr)
	var loss float64
	for _, b := range f.eval {
		y, width := plainForward(tr.model, tr.tape.Device(), b)
		for j, target := range b.Targets {
			if target != task.Ignore {
				loss += crossEntropy(y[j*width:][:width], target)
			}
		}
	}
	if err := tr.evaluate("valid"); err != nil {
		t.Fatal(err)
	}
	// float32 sums of ten terms
	if got, want := tr.result.Final["valid/loss"], loss/13; !(math.Abs(got-want) <= 1e-6*want) {
		t.Errorf("loss %.9g, want %.9g", got, want)
	}
	if got, want := tr.result.Final["valid/accuracy"], 7.0/13; got != want {
		t.Errorf("accuracy %g, want %g", got, want)
	}
}

// TestEvaluateBits: bits a byte are nats over ln 2.
func TestEvaluateBits(t *testing.T) {
	e := tiny(S6)
	f := &fixedTask{}
	tr := onFixed(t, e, f)
	f.eval = unevenBatches(tr)
	tr.spec.Metric = task.BitsPerByte
	if err := tr.evaluate("test"); err != nil {
		t.Fatal(err)
	}
	if got, want := tr.result.Final["test/bits_per_byte"], tr.result.Final["test/loss"]/math.Ln2; !(math.Abs(got-want) <= 1e-12) || got == 0 {
		t.Errorf("%g bits a byte, want %g", got, want)
	}
}

// TestEvaluateRegression: the mean squared error over sequences, in batches of
// one and of three.
func TestEvaluateRegression(t *testing.T) {
	e := tiny(S6)
	e.Task = task.DefaultConfig(task.Adding)
	e.Model.Block.Dropout = 0.5
	f := &fixedTask{}
	tr := onFixed(t, e, f)
	var sum float64
	for _, n := range []int{1, 3} {
		b := &task.Batch{B: n, L: 4, Channels: 2, Inputs: make([]float64, 8*n), Values: make([]float64, n)}
		for i := range b.Inputs {
			b.Inputs[i] = float64(i%5) / 4
		}
		y, _ := plainForward(tr.model, tr.tape.Device(), b)
		for i := range b.Values {
			b.Values[i] = float64(i) - 0.5
			sum += (y[i] - b.Values[i]) * (y[i] - b.Values[i])
		}
		f.eval = append(f.eval, b)
	}
	if err := tr.evaluate("valid"); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"valid/mse", "valid/loss"} {
		if got, want := tr.result.Final[key], sum/4; !(math.Abs(got-want) <= 1e-6*want) {
			t.Errorf("%s is %.9g, want %.9g", key, got, want)
		}
	}
}

// TestEvaluationChangesNothing: a run that evaluates at every step trains as one
// that evaluates at the end, and each split is evaluated when it should be.
func TestEvaluationChangesNothing(t *testing.T) {
	e := tiny(S6)
	e.Model.Block.Dropout = 0.3
	e.Task.EvalLengths = []int{11}
	often := e
	often.EvalEvery = 1
	e.EvalEvery = 5
	a, b := mustRun(t, e, Options{Workers: 1}), mustRun(t, often, Options{Workers: 1})
	sameCurves(t, "training", map[string]Curve{KeyTrainLoss: a.Curves[KeyTrainLoss], KeyGradNorm: a.Curves[KeyGradNorm]}, b.Curves)
	for key, want := range map[string][]int64{"valid/loss": {5, 10, 12}, "valid/accuracy": {5, 10, 12}, "test/accuracy": {12}, "test@11/accuracy": {12}} {
		if got := a.Curves[key].Steps; !slices.Equal(got, want) {
			t.Errorf("%s was logged at steps %v, want %v", key, got, want)
		}
	}
}

// TestStepAsksForItsBatch: step i trains on batch i, from 0.
func TestStepAsksForItsBatch(t *testing.T) {
	e := tiny(S6)
	f := &fixedTask{}
	tr := onFixed(t, e, f)
	f.train = unevenBatches(tr)[0]
	for range 3 {
		if _, err := tr.trainStep(); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(f.asked, []int{0, 1, 2}) {
		t.Errorf("asked for batches %v, want 0, 1, 2", f.asked)
	}
}

// TestSeedDrawsWeightsAndData: both follow from the experiment's seed.
func TestSeedDrawsWeightsAndData(t *testing.T) {
	e := tiny(S6)
	e.Seed = 5
	tr, err := newTrainer(e, Options{})
	if err != nil {
		t.Fatal(err)
	}
	data, err := task.New(e.Task, 5)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(tr.task.Train(0).Tokens, data.Train(0).Tokens) {
		t.Error("the data are not those of the seed")
	}
	_, one, err := Build(e, 1)
	if err != nil {
		t.Fatal(err)
	}
	e.Seed = 6
	_, other, err := Build(e, 1)
	if err != nil {
		t.Fatal(err)
	}
	if slices.Equal(one[0].Data(), other[0].Data()) || !slices.Equal(one[0].Data(), tr.params[0].Data()) {
		t.Error("the weights are not those of the seed")
	}
}

// TestLearningRateOfTheStep: what is logged is the schedule's rate of the step,
// and what is applied is that: the first update of AdamW is lr for every
// parameter with a gradient far above ε, without decay in its group.
func TestLearningRateOfTheStep(t *testing.T) {
	e := tiny(S6)
	e.Schedule = optim.Schedule{Kind: optim.Cosine, LR: 0.01, WarmUp: 0.25, Final: 0.1}
	r := mustRun(t, e, Options{})
	for i, lr := range r.Curves[KeyLR].Values {
		if want := e.Schedule.At(i, e.Steps); lr != want {
			t.Errorf("step %d: rate %g, want %g", i+1, lr, want)
		}
	}
	f := &fixedTask{}
	tr := onFixed(t, e, f)
	f.train = unevenBatches(tr)[0]
	before := dataOf(tr)
	if _, err := tr.trainStep(); err != nil {
		t.Fatal(err)
	}
	moved := 0.0
	for i, p := range tr.params {
		if p.Group == tensor.NoDecay {
			for j, v := range p.Data() {
				moved = max(moved, math.Abs(v-before[i][j]))
			}
		}
	}
	// The norms' weights are 1: float32 rounds the step by 6e-8 at most.
	if want := e.Schedule.At(0, e.Steps); !(math.Abs(moved-want) <= 2e-7) {
		t.Errorf("the first step moved by %g, want %g", moved, want)
	}
}

func dataOf(tr *trainer) [][]float64 {
	var all [][]float64
	for _, p := range tr.params {
		all = append(all, p.Data())
	}
	return all
}

// lossesOf returns the losses of three steps on one batch at a rate that moves
// nothing.
func lossesOf(t *testing.T, seed uint64, dropout float64) []float64 {
	t.Helper()
	e := tiny(S6)
	e.Model.Block.Dropout = dropout
	e.Schedule.LR = 1e-30
	f := &fixedTask{}
	tr := onFixed(t, e, f)
	f.train = unevenBatches(tr)[0]
	tr.e.Seed = seed // of the masks alone: the weights are drawn
	for range 3 {
		if _, err := tr.trainStep(); err != nil {
			t.Fatal(err)
		}
	}
	return tr.result.Curves[KeyTrainLoss].Values
}

// TestDropoutMasks: every step has masks of its own, which follow from the
// experiment's seed.
func TestDropoutMasks(t *testing.T) {
	if x := lossesOf(t, 1, 0); x[0] != x[1] || x[1] != x[2] {
		t.Fatalf("without dropout the losses are %v, want them equal", x)
	}
	x := lossesOf(t, 1, 0.5)
	if x[0] == x[1] || x[1] == x[2] || x[0] == x[2] {
		t.Errorf("losses %v: steps share a mask", x)
	}
	if again := lossesOf(t, 1, 0.5); !slices.Equal(x, again) {
		t.Errorf("losses %v and %v of one seed", x, again)
	}
	if y := lossesOf(t, 2, 0.5); x[0] == y[0] || x[1] == y[1] {
		t.Errorf("losses %v and %v: seeds share a mask", x, y)
	}
}
