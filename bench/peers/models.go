package main

import (
	"fmt"

	initializer "github.com/gophersnake/gophersnake/pkg/init"
	"github.com/gophersnake/gophersnake/pkg/lab"
	"github.com/gophersnake/gophersnake/pkg/nn"
	"github.com/gophersnake/gophersnake/pkg/rnn"
	"github.com/gophersnake/gophersnake/pkg/ssm"
	"github.com/gophersnake/gophersnake/pkg/task"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// model is what nn.Model and stack have in common.
type model interface {
	Tokens(tp *tensor.Tape, tokens []int32, batch, length int, s *nn.State) *tensor.Tensor
}

// buildModel makes the job's language model on b's device.
func buildModel(b *nn.Builder, j Job) (model, error) {
	c := nn.ModelConfig{D: j.D, Layers: j.Layers, Vocab: j.Vocab, Outputs: j.Vocab, Head: nn.LMHead, Tied: j.Tied}
	switch j.Model {
	case "mamba":
		c.Block = nn.DefaultBlockConfig()
		return nn.NewModel(b, c, func(b *nn.Builder, width int) (nn.Mixer, error) {
			s := ssm.DefaultS6Config()
			s.D, s.Model, s.N = width, j.D, j.State
			return ssm.NewS6(b, s)
		})
	case "lru":
		c.Block = nn.BlockConfig{Kind: nn.GLUBlock}
		return nn.NewModel(b, c, func(b *nn.Builder, width int) (nn.Mixer, error) {
			s := ssm.DefaultDiagonalConfig()
			s.D, s.N = width, width
			return ssm.NewDiagonal(b, s)
		})
	case "gpt":
		c.Block = nn.BlockConfig{Kind: nn.GPTBlock, Hidden: 4 * j.D}
		return nn.NewModel(b, c, func(b *nn.Builder, width int) (nn.Mixer, error) {
			return nn.NewAttention(b, width, j.Heads)
		})
	}
	return newStack(b, j)
}

// stack is what torch.nn.GRU, LSTM and RNN are used in: an embedding, layers one
// after the other without norm or residual, a head.
type stack struct {
	embed  *tensor.Param
	layers []nn.Mixer
	head   *nn.Linear
}

func newStack(b *nn.Builder, j Job) (*stack, error) {
	s := &stack{embed: b.Sub("embedding").Param("weight", tensor.Decay, initializer.Normal(b.Rand, j.Vocab*j.D, 1), j.Vocab, j.D)}
	for i := range j.Layers {
		m, err := newCell(b.Sub(fmt.Sprintf("layers.%d", i)), j)
		if err != nil {
			return nil, err
		}
		s.layers = append(s.layers, m)
	}
	s.head = nn.NewLinear(b.Sub("head"), j.D, j.Vocab, false)
	return s, nil
}

func newCell(b *nn.Builder, j Job) (nn.Mixer, error) {
	switch j.Model {
	case "gru":
		return rnn.NewGRU(b, rnn.GRUConfig{D: j.D, H: j.D})
	case "lstm":
		return rnn.NewLSTM(b, rnn.LSTMConfig{D: j.D, H: j.D})
	case "rnn":
		c := rnn.DefaultDenseConfig()
		c.D, c.N = j.D, j.D
		return rnn.NewDense(b, c)
	}
	return nil, fmt.Errorf("model %q is not known", j.Model)
}

// Tokens implements model.
func (s *stack) Tokens(tp *tensor.Tape, tokens []int32, batch, length int, _ *nn.State) *tensor.Tensor {
	x := tp.Embedding(tokens, s.embed.Tensor, batch, length)
	for _, m := range s.layers {
		x = m.Forward(tp, x, nil)
	}
	return s.head.Forward(tp, x)
}

// scanParams makes the inputs of the selective scan, all trained, so that all
// of them get a gradient.
func scanParams(b *nn.Builder, j Job) []*tensor.Param {
	rows := j.Batch * j.Length
	normal := func(name string, shape ...int) *tensor.Param {
		n := 1
		for _, v := range shape {
			n *= v
		}
		return b.Param(name, tensor.NoDecay, initializer.Normal(b.Rand, n, 1), shape...)
	}
	a := make([]float64, j.D*j.State)
	for i := range a {
		a[i] = -float64(i%j.State + 1)
	}
	delta := initializer.Uniform(b.Rand, rows*j.D, -5, -1) // softplus: 0.007 to 0.3
	return []*tensor.Param{
		normal("u", j.Batch, j.Length, j.D),
		b.Param("delta", tensor.NoDecay, delta, j.Batch, j.Length, j.D),
		b.Param("A", tensor.NoDecay, a, j.D, j.State),
		normal("B", j.Batch, j.Length, j.State),
		normal("C", j.Batch, j.Length, j.State),
		normal("D", j.D),
		normal("z", j.Batch, j.Length, j.D),
	}
}

// buildBlock makes one block of a rung of the ladder, as lab.MeasureScaling does.
func buildBlock(b *nn.Builder, j Job) (*nn.Block, error) {
	r, err := lab.RungNamed(j.Model)
	if err != nil {
		return nil, err
	}
	base := lab.DefaultExperiment(task.SelectiveCopying)
	base.Model.D = j.D
	e, err := r.On(base)
	if err != nil {
		return nil, err
	}
	return nn.NewBlock(b, e.Model.Block, j.D, 1, func(b *nn.Builder, width int) (nn.Mixer, error) {
		return lab.NewMixer(b, width, e.Model)
	})
}
