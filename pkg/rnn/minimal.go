package rnn

import (
	"fmt"

	"github.com/gophersnake/gophersnake/pkg/nn"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// MinConfig describes a MinGRU or a MinLSTM.
type MinConfig struct {
	D       int  `json:"d"`       // channels in and out
	H       int  `json:"h"`       // hidden units
	Bias    bool `json:"bias"`    // biases in the projections from the input
	Project bool `json:"project"` // project H to D even when they are equal
}

// DefaultMinConfig returns 64 units with biases, as the paper's equations.
func DefaultMinConfig() MinConfig { return MinConfig{D: 64, H: 64, Bias: true} }

// Validate reports every field that is out of range.
func (c MinConfig) Validate() error {
	f := fields{config: "min"}
	f.wantSizes(c.D, c.H, "h")
	return f.err()
}

// MinGRU is the GRU whose gates see the input alone, so that it is a linear
// recurrence with coefficients that vary in time (Feng et al. 2024, "Were RNNs
// All We Needed?", arXiv 2410.01201 §3.1). For u_t (D) and h_t (H):
//
//	z_t = σ(W_z u_t + b_z),   h̃_t = g(W_h u_t + b_h)
//	h_t = (1 − z_t) ⊙ h_{t−1} + z_t ⊙ h̃_t
//	g(v) = v + ½ for v ≥ 0, σ(v) otherwise
//	y_t = W_out h_t, or h_t itself when H = D and Project is off
//
// g keeps h positive for the paper's scan in log space; ours needs no logarithm
// and keeps g to be the same function. Parameters: gate.weight, hidden.weight
// (H,D), gate.bias, hidden.bias (H), out_proj.weight (D,H), in PyTorch's default
// initialisation.
type MinGRU struct {
	cfg          MinConfig
	dev          *tensor.Device
	gate, hidden *nn.Linear
	out          *nn.Linear // nil without projection
}

// NewMinGRU returns the layer in PyTorch's default initialisation.
func NewMinGRU(b *nn.Builder, cfg MinConfig) (*MinGRU, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return &MinGRU{cfg: cfg, dev: b.Device,
		gate:   nn.NewLinear(b.Sub("gate"), cfg.D, cfg.H, cfg.Bias),
		hidden: nn.NewLinear(b.Sub("hidden"), cfg.D, cfg.H, cfg.Bias),
		out:    newProjection(b, cfg.D, cfg.H, cfg.Project),
	}, nil
}

// Name implements nn.Mixer.
func (m *MinGRU) Name() string { return fmt.Sprintf("mingru(h=%d)", m.cfg.H) }

// Config returns what the layer was built from.
func (m *MinGRU) Config() MinConfig { return m.cfg }

// Forward implements nn.Mixer: u (B,L,D) to y (B,L,D).
func (m *MinGRU) Forward(tp *tensor.Tape, u *tensor.Tensor, s *nn.State) *tensor.Tensor {
	wantInput("MinGRU", u, m.cfg.D)
	h := minGRU(tp, m.gate.Forward(tp, u), m.hidden.Forward(tp, u), s.Get("h"))
	s.Advance(u.Dim(1))
	return project(tp, m.out, h)
}

// minGRU is the recurrence from the arguments of σ and g, (B,L,H) each.
func minGRU(tp *tensor.Tape, gate, hidden, state *tensor.Tensor) *tensor.Tensor {
	keep := tp.Map(tensor.Sigmoid, tp.Map(tensor.Neg, gate)) // 1 − σ(v) = σ(−v)
	return minScan(tp, keep, tp.Map(tensor.Sigmoid, gate), hidden, state)
}

// minScan returns h_t = keep_t ⊙ h_{t−1} + take_t ⊙ g(hidden_t).
func minScan(tp *tensor.Tape, keep, take, hidden, state *tensor.Tensor) *tensor.Tensor {
	return tp.Scan(keep, tp.Mul(take, tp.Map(tensor.MinG, hidden)), state)
}

// NewState implements nn.Mixer: h (B,H), zero.
func (m *MinGRU) NewState(batch int) *nn.State { return newState(m.dev, batch, m.cfg.H, "h") }

// MinLSTM is the LSTM whose gates see the input alone and sum to 1 (Feng et al.
// 2024, §3.2). For u_t (D) and h_t (H):
//
//	f_t = σ(W_f u_t + b_f),  i_t = σ(W_i u_t + b_i),  h̃_t = g(W_h u_t + b_h)
//	h_t = f_t/(f_t+i_t) ⊙ h_{t−1} + i_t/(f_t+i_t) ⊙ h̃_t
//	y_t = W_out h_t, or h_t itself when H = D and Project is off
//
// The quotients are computed as σ(±(ln f − ln i)), ln σ(v) = −softplus(−v), which
// is finite even where f and i both round to 0. Parameters: forget.weight,
// input.weight, hidden.weight (H,D), their biases (H), out_proj.weight (D,H).
type MinLSTM struct {
	cfg                   MinConfig
	dev                   *tensor.Device
	forget, input, hidden *nn.Linear
	out                   *nn.Linear // nil without projection
}

// NewMinLSTM returns the layer in PyTorch's default initialisation.
func NewMinLSTM(b *nn.Builder, cfg MinConfig) (*MinLSTM, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return &MinLSTM{cfg: cfg, dev: b.Device,
		forget: nn.NewLinear(b.Sub("forget"), cfg.D, cfg.H, cfg.Bias),
		input:  nn.NewLinear(b.Sub("input"), cfg.D, cfg.H, cfg.Bias),
		hidden: nn.NewLinear(b.Sub("hidden"), cfg.D, cfg.H, cfg.Bias),
		out:    newProjection(b, cfg.D, cfg.H, cfg.Project),
	}, nil
}

// Name implements nn.Mixer.
func (m *MinLSTM) Name() string { return fmt.Sprintf("minlstm(h=%d)", m.cfg.H) }

// Config returns what the layer was built from.
func (m *MinLSTM) Config() MinConfig { return m.cfg }

// Forward implements nn.Mixer: u (B,L,D) to y (B,L,D).
func (m *MinLSTM) Forward(tp *tensor.Tape, u *tensor.Tensor, s *nn.State) *tensor.Tensor {
	wantInput("MinLSTM", u, m.cfg.D)
	h := minLSTM(tp, m.forget.Forward(tp, u), m.input.Forward(tp, u), m.hidden.Forward(tp, u), s.Get("h"))
	s.Advance(u.Dim(1))
	return project(tp, m.out, h)
}

// minLSTM is the recurrence from the arguments of the two σ and of g.
func minLSTM(tp *tensor.Tape, forget, input, hidden, state *tensor.Tensor) *tensor.Tensor {
	minusLog := func(v *tensor.Tensor) *tensor.Tensor { // −ln σ(v)
		return tp.Map(tensor.Softplus, tp.Map(tensor.Neg, v))
	}
	keep := tp.Sub(minusLog(input), minusLog(forget)) // ln f − ln i
	take := tp.Map(tensor.Sigmoid, tp.Map(tensor.Neg, keep))
	return minScan(tp, tp.Map(tensor.Sigmoid, keep), take, hidden, state)
}

// NewState implements nn.Mixer: h (B,H), zero.
func (m *MinLSTM) NewState(batch int) *nn.State { return newState(m.dev, batch, m.cfg.H, "h") }
