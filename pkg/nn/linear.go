package nn

import (
	"math"

	initializer "github.com/gophersnake/gophersnake/pkg/init"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// Linear is y = x wᵀ + b with w (out,in).
type Linear struct {
	W *tensor.Param
	B *tensor.Param // nil without bias
}

// NewLinear returns a linear layer in PyTorch's default initialisation:
// weights and bias uniform in ±1/√in.
func NewLinear(b *Builder, in, out int, bias bool) *Linear {
	bound := 1 / math.Sqrt(float64(in))
	l := &Linear{W: b.Param("weight", tensor.Decay, initializer.Uniform(b.Rand, in*out, -bound, bound), out, in)}
	if bias {
		l.B = b.Param("bias", tensor.NoDecay, initializer.Uniform(b.Rand, out, -bound, bound), out)
	}
	return l
}

// Forward maps x (..., in) to (..., out).
func (l *Linear) Forward(tp *tensor.Tape, x *tensor.Tensor) *tensor.Tensor {
	return tp.Linear(x, l.W.Tensor, T(l.B))
}

// T returns p's tensor, nil for a nil parameter.
func T(p *tensor.Param) *tensor.Tensor {
	if p == nil {
		return nil
	}
	return p.Tensor
}
