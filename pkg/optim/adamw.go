package optim

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// AdamWConfig holds the settings of AdamW (Loshchilov & Hutter, arXiv
// 1711.05101). The learning rate is given to every step.
type AdamWConfig struct {
	Beta1       float64 `json:"beta1"`
	Beta2       float64 `json:"beta2"`
	Eps         float64 `json:"eps"`
	WeightDecay float64 `json:"weight_decay"` // on parameters of group decay only
	// RecurrentFactor multiplies the learning rate of group recurrent (LRU,
	// app.: 0.1 to 0.5).
	RecurrentFactor float64 `json:"recurrent_factor"`
	Clip            float64 `json:"clip"` // largest global gradient norm, 0 for no clipping
}

// DefaultAdamWConfig returns the settings of Mamba's language models (app.
// E.2), with LRU's factor for recurrent parameters.
func DefaultAdamWConfig() AdamWConfig {
	return AdamWConfig{Beta1: 0.9, Beta2: 0.95, Eps: 1e-8, WeightDecay: 0.1, RecurrentFactor: 0.5, Clip: 1}
}

// Validate reports every field that is out of range.
func (c AdamWConfig) Validate() error {
	var errs []error
	check := func(field string, v float64, ok bool, want string) {
		if !ok {
			errs = append(errs, fmt.Errorf("optimiser.%s is %g, want %s", field, v, want))
		}
	}
	check("beta1", c.Beta1, c.Beta1 >= 0 && c.Beta1 < 1, "0 <= beta1 < 1")
	check("beta2", c.Beta2, c.Beta2 >= 0 && c.Beta2 < 1, "0 <= beta2 < 1")
	check("eps", c.Eps, c.Eps > 0 && c.Eps < 1, "0 < eps < 1")
	check("weight_decay", c.WeightDecay, c.WeightDecay >= 0 && c.WeightDecay <= 10, "0 to 10")
	check("recurrent_factor", c.RecurrentFactor, c.RecurrentFactor >= 0 && c.RecurrentFactor <= 10, "0 to 10")
	check("clip", c.Clip, c.Clip >= 0 && !math.IsInf(c.Clip, 0), "0 (none) or more")
	return errors.Join(errs...)
}

// AdamW updates a fixed list of parameters.
type AdamW struct {
	cfg    AdamWConfig
	params []*tensor.Param
	m, v   []*tensor.Tensor
	steps  []int // updates of each parameter
}

// NewAdamW returns an optimiser for params with zero moments.
func NewAdamW(params []*tensor.Param, cfg AdamWConfig) (*AdamW, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	a := &AdamW{cfg: cfg, params: params, steps: make([]int, len(params))}
	for _, p := range params {
		a.m = append(a.m, tensor.New(p.Device(), p.Shape()...))
		a.v = append(a.v, tensor.New(p.Device(), p.Shape()...))
	}
	return a, nil
}

// Step clips the gradients, updates every parameter that got one since the last
// step with learning rate lr, and sets the gradients to zero. Bias correction
// counts the updates of each parameter, as torch.optim.AdamW does; one that got
// no gradient keeps its value, its moments and its count. Step returns the
// global gradient norm before clipping; if that is NaN or infinite nothing is
// updated, and the gradients stay as they are, to be looked at.
func (a *AdamW) Step(lr float64) (norm float64) {
	norm = math.Sqrt(tensor.SumSquaresGrad(a.params))
	if math.IsNaN(norm) || math.IsInf(norm, 0) {
		return norm
	}
	h := tensor.AdamWStep{Beta1: a.cfg.Beta1, Beta2: a.cfg.Beta2, Eps: a.cfg.Eps, GradScale: clipScale(norm, a.cfg.Clip)}
	for i, p := range a.params {
		if !p.HasGrad() {
			continue
		}
		a.steps[i]++
		h.C1 = 1 - math.Pow(a.cfg.Beta1, float64(a.steps[i]))
		h.C2 = 1 - math.Pow(a.cfg.Beta2, float64(a.steps[i]))
		h.LR, h.Decay = lr, 0
		switch p.Group {
		case tensor.Decay:
			h.Decay = a.cfg.WeightDecay
		case tensor.Recurrent:
			h.LR = lr * a.cfg.RecurrentFactor
		}
		p.AdamW(h, a.m[i], a.v[i])
	}
	tensor.ZeroGrad(a.params)
	return norm
}

// clipScale is PyTorch's clip_grad_norm_: gradients are multiplied by
// min(1, clip/(norm+1e-6)).
func clipScale(norm, clip float64) float64 {
	if clip == 0 {
		return 1
	}
	return math.Min(1, clip/(norm+1e-6))
}

// AdamWState is an optimiser's memory as plain numbers, one slice a parameter.
type AdamWState struct {
	Step  int         `json:"step"`            // updates of the parameter that had most
	Steps []int       `json:"steps,omitempty"` // updates of each parameter; empty if all had Step
	M     [][]float64 `json:"m"`
	V     [][]float64 `json:"v"`
}

// Export returns a copy of the counts and the moments.
func (a *AdamW) Export() AdamWState {
	var s AdamWState
	for i, n := range a.steps {
		s.Step = max(s.Step, n)
		s.M = append(s.M, a.m[i].Data())
		s.V = append(s.V, a.v[i].Data())
	}
	if slices.ContainsFunc(a.steps, func(n int) bool { return n != s.Step }) {
		s.Steps = slices.Clone(a.steps)
	}
	return s
}

// Import overwrites the optimiser's memory, of the same parameters.
func (a *AdamW) Import(s AdamWState) error {
	steps := s.Steps
	if len(steps) == 0 {
		steps = slices.Repeat([]int{s.Step}, len(a.params))
	}
	if err := a.check(s, steps); err != nil {
		return fmt.Errorf("optim: AdamW.Import: %w", err)
	}
	for i := range a.params {
		a.m[i].SetData(s.M[i])
		a.v[i].SetData(s.V[i])
	}
	copy(a.steps, steps)
	return nil
}

// check holds moments and counts against the parameters.
func (a *AdamW) check(s AdamWState, steps []int) error {
	if len(s.M) != len(a.params) || len(s.V) != len(a.params) {
		return fmt.Errorf("moments of %d and %d parameters, want %d", len(s.M), len(s.V), len(a.params))
	}
	if len(steps) != len(a.params) {
		return fmt.Errorf("steps of %d parameters, want %d", len(steps), len(a.params))
	}
	for i, p := range a.params {
		if len(s.M[i]) != p.Len() || len(s.V[i]) != p.Len() {
			return fmt.Errorf("moments of %s have %d and %d elements, want %d", p.Name, len(s.M[i]), len(s.V[i]), p.Len())
		}
		if steps[i] < 0 {
			return fmt.Errorf("step of %s is %d, want 0 or more", p.Name, steps[i])
		}
	}
	return nil
}
