package nn

import (
	initializer "github.com/gophersnake/gophersnake/pkg/init"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// normEps is the ε of every norm (Mamba's norm_epsilon).
const normEps = 1e-5

// RMSNorm is x / √(mean(x²) + 1e-5) ⊙ w over the last axis.
type RMSNorm struct{ W *tensor.Param }

// NewRMSNorm returns a norm over d channels with w = 1.
func NewRMSNorm(b *Builder, d int) *RMSNorm {
	return &RMSNorm{b.Param("weight", tensor.NoDecay, initializer.Constant(d, 1), d)}
}

// Forward maps x (..., d) to the same shape.
func (n *RMSNorm) Forward(tp *tensor.Tape, x *tensor.Tensor) *tensor.Tensor {
	return tp.RMSNorm(x, n.W.Tensor, normEps)
}

// LayerNorm is (x − mean) / √(var + 1e-5) ⊙ w + b over the last axis.
type LayerNorm struct{ W, B *tensor.Param }

// NewLayerNorm returns a norm over d channels with w = 1, b = 0.
func NewLayerNorm(b *Builder, d int) *LayerNorm {
	return &LayerNorm{
		b.Param("weight", tensor.NoDecay, initializer.Constant(d, 1), d),
		b.Param("bias", tensor.NoDecay, initializer.Constant(d, 0), d),
	}
}

// Forward maps x (..., d) to the same shape.
func (n *LayerNorm) Forward(tp *tensor.Tape, x *tensor.Tensor) *tensor.Tensor {
	return tp.LayerNorm(x, n.W.Tensor, n.B.Tensor, normEps)
}
