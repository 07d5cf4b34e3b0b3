package main

import (
	"fmt"
	"math"
	"slices"

	"github.com/gophersnake/gophersnake/pkg/nn"
	"github.com/gophersnake/gophersnake/pkg/optim"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// work is what a process measures.
type work interface {
	step() float64           // once; a loss, a token
	warm(n int) []float64    // n steps, and what the other side must find, too
	params() []*tensor.Param // what is trained
}

// seed of the starting weights.
const seed = 1

func newWork(j Job, dev *tensor.Device) (work, error) {
	b := nn.NewBuilder(dev, seed)
	switch j.Kind {
	case kindTrain:
		return newTrain(b, j)
	case kindScan:
		return &scanWork{p: scanParams(b, j), tape: tensor.NewTape(dev)}, nil
	case kindGenerate:
		return newGenerate(b, j)
	case kindBlock:
		return newBlockWork(b, j)
	}
	return nil, fmt.Errorf("kind %q is not known", j.Kind)
}

// repeat is warm for work whose steps tell what was found.
func repeat(w work, n int) []float64 {
	var out []float64
	for range n {
		out = append(out, w.step())
	}
	return out
}

// train is a full training step: forward, cross-entropy, backward, clipping,
// AdamW.
type train struct {
	j               Job
	m               model
	p               []*tensor.Param
	opt             *optim.AdamW
	tape            *tensor.Tape
	tokens, targets []int32
}

func newTrain(b *nn.Builder, j Job) (*train, error) {
	m, err := buildModel(b, j)
	if err != nil {
		return nil, err
	}
	opt, err := optim.NewAdamW(b.Params(), optim.DefaultAdamWConfig())
	if err != nil {
		return nil, err
	}
	t := drawTokens(j.Batch*j.Length+1, j.Vocab)
	return &train{j: j, m: m, p: b.Params(), opt: opt, tape: tensor.NewTape(b.Device), tokens: t[:len(t)-1], targets: t[1:]}, nil
}

// drawTokens returns n pseudo-random tokens, the same as the peer's draw_tokens.
func drawTokens(n, vocab int) []int32 {
	x := uint32(1)
	out := make([]int32, n)
	for i := range out {
		x = x*1664525 + 1013904223
		out[i] = int32(x >> 16 % uint32(vocab))
	}
	return out
}

func (t *train) step() float64 {
	t.tape.Reset()
	loss := t.tape.CrossEntropy(t.m.Tokens(t.tape, t.tokens, t.j.Batch, t.j.Length, nil), t.targets)
	t.tape.Backward(loss)
	value := loss.Item()
	t.opt.Step(t.j.LR)
	return value
}

func (t *train) warm(n int) []float64    { return repeat(t, n) }
func (t *train) params() []*tensor.Param { return t.p }

// scanWork is the selective scan by itself, gate included.
type scanWork struct {
	p    []*tensor.Param
	tape *tensor.Tape
}

func (w *scanWork) loss() *tensor.Tensor {
	t := func(i int) *tensor.Tensor { return w.p[i].Tensor }
	w.tape.Reset()
	y := w.tape.SelectiveScan(tensor.SelectiveScan{U: t(0), Delta: t(1), Softplus: true, A: t(2), B: t(3), C: t(4), Dskip: t(5), Z: t(6)})
	return w.tape.Mean(y)
}

func (w *scanWork) step() float64 {
	loss := w.loss()
	w.tape.Backward(loss)
	tensor.ZeroGrad(w.p)
	return loss.Item()
}

// warm returns the loss and the norm of every gradient.
func (w *scanWork) warm(n int) []float64 {
	for range n - 1 {
		w.step()
	}
	loss := w.loss()
	w.tape.Backward(loss)
	out := append([]float64{loss.Item()}, gradientNorms(w.p)...)
	tensor.ZeroGrad(w.p)
	return out
}

func (w *scanWork) params() []*tensor.Param { return w.p }

// generate is greedy generation of one stream.
type generate struct {
	p     []*tensor.Param
	s     *nn.Stepper
	token int32
}

func newGenerate(b *nn.Builder, j Job) (*generate, error) {
	m, err := buildModel(b, j)
	if err != nil {
		return nil, err
	}
	c := nn.DefaultStepperConfig()
	if j.Format != "" {
		c.Weights = tensor.Weights(j.Format)
	}
	s, err := nn.NewStepper(m.(*nn.Model), c)
	return &generate{p: b.Params(), s: s}, err
}

func (g *generate) step() float64 {
	scores := g.s.Step([]int32{g.token})
	best := 0
	for i, v := range scores {
		if v > scores[best] {
			best = i
		}
	}
	g.token = int32(best)
	return float64(g.token)
}

// warm returns the tokens, then the greatest score that follows them.
func (g *generate) warm(n int) []float64 {
	out := repeat(g, n)
	before := g.s.State().Export()
	out = append(out, float64(slices.Max(g.s.Step([]int32{g.token}))))
	if err := g.s.State().Import(before); err != nil {
		panic("bench: generate: " + err.Error()) // a state takes back what it gave
	}
	return out
}

func (g *generate) params() []*tensor.Param { return g.p }

// blockWork is forward and backward of one block over one sequence.
type blockWork struct {
	block *nn.Block
	p     []*tensor.Param
	in    *tensor.Tensor
	tape  *tensor.Tape
}

func newBlockWork(b *nn.Builder, j Job) (*blockWork, error) {
	k, err := buildBlock(b, j)
	if err != nil {
		return nil, err
	}
	x := tensor.Variable(b.Device, waves(j.Batch*j.Length*j.D), j.Batch, j.Length, j.D)
	return &blockWork{k, b.Params(), x, tensor.NewTape(b.Device)}, nil
}

// waves returns n numbers without a pattern that matters, mean 0 and variance 1,
// the same as waves of the peers.
func waves(n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = math.Sqrt2 * math.Cos(float64(i*i%65521))
	}
	return x
}

func (w *blockWork) backward() float64 {
	w.tape.Reset()
	loss := w.tape.Mean(w.block.Forward(w.tape, w.in, nil))
	w.tape.Backward(loss)
	return loss.Item()
}

func (w *blockWork) step() float64 {
	loss := w.backward()
	tensor.ZeroGrad(w.p)
	return loss
}

// warm returns the norm of every gradient.
func (w *blockWork) warm(n int) []float64 {
	for range n - 1 {
		w.step()
	}
	w.backward()
	out := gradientNorms(w.p)
	tensor.ZeroGrad(w.p)
	return out
}

func (w *blockWork) params() []*tensor.Param { return w.p }

// gradientNorms returns the norm of each parameter's gradient.
func gradientNorms(p []*tensor.Param) []float64 {
	var out []float64
	for i := range p {
		out = append(out, math.Sqrt(tensor.SumSquaresGrad(p[i:i+1])))
	}
	return out
}
