package optim

import (
	"fmt"
	"math"

	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// SGD is stochastic gradient descent with momentum:
//
//	u ← momentum·u + g + decay·w;  w ← w − lr·u
type SGD struct {
	momentum, decay, clip float64
	params                []*tensor.Param
	u                     []*tensor.Tensor
}

// NewSGD returns an optimiser for params; decay applies to group decay only,
// clip 0 means no clipping.
func NewSGD(params []*tensor.Param, momentum, decay, clip float64) (*SGD, error) {
	if !(momentum >= 0 && momentum < 1) || !(decay >= 0) || !(clip >= 0) {
		return nil, fmt.Errorf("optim: NewSGD: momentum %g, decay %g, clip %g, want 0 <= momentum < 1, the others 0 or more", momentum, decay, clip)
	}
	s := &SGD{momentum: momentum, decay: decay, clip: clip, params: params}
	for _, p := range params {
		s.u = append(s.u, tensor.New(p.Device(), p.Shape()...))
	}
	return s, nil
}

// Step is as AdamW.Step.
func (s *SGD) Step(lr float64) (norm float64) {
	norm = math.Sqrt(tensor.SumSquaresGrad(s.params))
	if math.IsNaN(norm) || math.IsInf(norm, 0) {
		return norm
	}
	scale := clipScale(norm, s.clip)
	for i, p := range s.params {
		decay := 0.0
		if p.Group == tensor.Decay {
			decay = s.decay
		}
		p.SGD(lr, s.momentum, decay, scale, s.u[i])
	}
	tensor.ZeroGrad(s.params)
	return norm
}
