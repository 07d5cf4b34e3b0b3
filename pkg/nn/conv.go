package nn

import (
	"math"

	initializer "github.com/gophersnake/gophersnake/pkg/init"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// Conv1D is a causal depthwise convolution of width K followed by SiLU, the
// short convolution of Mamba's block. Its state is the last K−1 inputs.
type Conv1D struct {
	W, B *tensor.Param
	d, k int
}

// NewConv1D returns a convolution over d channels in PyTorch's default
// initialisation: weight and bias uniform in ±1/√K.
func NewConv1D(b *Builder, d, k int) *Conv1D {
	bound := 1 / math.Sqrt(float64(k))
	return &Conv1D{
		W: b.Param("weight", tensor.Decay, initializer.Uniform(b.Rand, d*k, -bound, bound), d, k),
		B: b.Param("bias", tensor.NoDecay, initializer.Uniform(b.Rand, d, -bound, bound), d),
		d: d, k: k,
	}
}

// Forward maps x (B,L,D) to the same shape.
func (c *Conv1D) Forward(tp *tensor.Tape, x *tensor.Tensor, s *State) *tensor.Tensor {
	return tp.Conv1D(x, c.W.Tensor, c.B.Tensor, true, s.Get("inputs"))
}

// NewState returns K−1 zero inputs.
func (c *Conv1D) NewState(batch int) *State {
	s := NewState()
	if c.k > 1 {
		s.Set("inputs", tensor.New(c.W.Device(), batch, c.k-1, c.d))
	}
	return s
}
