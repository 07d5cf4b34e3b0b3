package rnn

import (
	"fmt"
	"math"

	initializer "github.com/gophersnake/gophersnake/pkg/init"
	"github.com/gophersnake/gophersnake/pkg/nn"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// GRUConfig describes a GRU.
type GRUConfig struct {
	D       int  `json:"d"`       // channels in and out
	H       int  `json:"h"`       // hidden units
	Project bool `json:"project"` // project H to D even when they are equal
}

// DefaultGRUConfig returns a GRU of 64 units.
func DefaultGRUConfig() GRUConfig { return GRUConfig{D: 64, H: 64} }

// Validate reports every field that is out of range.
func (c GRUConfig) Validate() error {
	f := fields{config: "gru"}
	f.wantSizes(c.D, c.H, "h")
	return f.err()
}

// GRU is the gated recurrent unit (Cho et al. 2014) in the form of torch.nn.GRU.
// For u_t (D) and h_t (H):
//
//	r_t = σ(W_ir u_t + b_ir + W_hr h_{t−1} + b_hr)      z_t likewise
//	n_t = tanh(W_in u_t + b_in + r_t ⊙ (W_hn h_{t−1} + b_hn))
//	h_t = (1 − z_t) ⊙ n_t + z_t ⊙ h_{t−1}
//	y_t = W_out h_t, or h_t itself when H = D and Project is off
//
// Parameters are named and drawn as PyTorch's: weight_ih (3H,D), weight_hh
// (3H,H), bias_ih, bias_hh (3H), rows r, z, n, all uniform in ±1/√H; and
// out_proj.weight (D,H).
type GRU struct {
	cfg    GRUConfig
	dev    *tensor.Device
	ih, hh *tensor.Param
	bi, bh *tensor.Param
	out    *nn.Linear // nil without projection
}

// NewGRU returns the layer in PyTorch's default initialisation.
func NewGRU(b *nn.Builder, cfg GRUConfig) (*GRU, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	g := gates{b: b, bound: 1 / math.Sqrt(float64(cfg.H)), rows: 3 * cfg.H}
	m := &GRU{cfg: cfg, dev: b.Device, ih: g.weight("weight_ih", cfg.D), hh: g.weight("weight_hh", cfg.H),
		bi: g.bias("bias_ih"), bh: g.bias("bias_hh")}
	m.out = newProjection(b, cfg.D, cfg.H, cfg.Project)
	return m, nil
}

// gates makes the parameters of a gated layer as PyTorch does.
type gates struct {
	b     *nn.Builder
	bound float64
	rows  int // gates × H
}

func (g gates) weight(name string, in int) *tensor.Param {
	return g.b.Param(name, tensor.Decay, initializer.Uniform(g.b.Rand, g.rows*in, -g.bound, g.bound), g.rows, in)
}

func (g gates) bias(name string) *tensor.Param {
	return g.b.Param(name, tensor.NoDecay, initializer.Uniform(g.b.Rand, g.rows, -g.bound, g.bound), g.rows)
}

// newProjection returns the linear map from h to d, nil if none is needed.
func newProjection(b *nn.Builder, d, h int, always bool) *nn.Linear {
	if d == h && !always {
		return nil
	}
	return nn.NewLinear(b.Sub("out_proj"), h, d, false)
}

// Name implements nn.Mixer.
func (m *GRU) Name() string { return fmt.Sprintf("gru(h=%d)", m.cfg.H) }

// Config returns what the layer was built from.
func (m *GRU) Config() GRUConfig { return m.cfg }

// Forward implements nn.Mixer: u (B,L,D) to y (B,L,D).
func (m *GRU) Forward(tp *tensor.Tape, u *tensor.Tensor, s *nn.State) *tensor.Tensor {
	wantInput("GRU", u, m.cfg.D)
	x := tp.Linear(u, m.ih.Tensor, m.bi.Tensor)
	h := tp.GRU(x, m.hh.Tensor, m.bh.Tensor, s.Get("h"))
	tp.Done(x)
	s.Advance(u.Dim(1))
	return project(tp, m.out, h)
}

// NewState implements nn.Mixer: h (B,H), zero.
func (m *GRU) NewState(batch int) *nn.State { return newState(m.dev, batch, m.cfg.H, "h") }

// LSTMConfig describes an LSTM.
type LSTMConfig struct {
	D          int     `json:"d"`           // channels in and out
	H          int     `json:"h"`           // hidden units
	Project    bool    `json:"project"`     // project H to D even when they are equal
	ForgetBias float64 `json:"forget_bias"` // added to the forget gate's bias at the start
}

// DefaultLSTMConfig returns an LSTM of 64 units whose forget gates start open:
// bias + 1 (Gers et al. 2000; Jozefowicz et al. 2015). PyTorch's is 0.
func DefaultLSTMConfig() LSTMConfig { return LSTMConfig{D: 64, H: 64, ForgetBias: 1} }

// Validate reports every field that is out of range.
func (c LSTMConfig) Validate() error {
	f := fields{config: "lstm"}
	f.wantSizes(c.D, c.H, "h")
	f.want(math.Abs(c.ForgetBias) <= 100, "forget_bias", c.ForgetBias, "-100 to 100")
	return f.err()
}

// LSTM is the long short-term memory (Hochreiter & Schmidhuber 1997, forget gate
// of Gers et al. 2000) in the form of torch.nn.LSTM. For u_t (D), h_t and c_t
// (H):
//
//	i_t = σ(W_ii u_t + W_hi h_{t−1} + b_i)      f_t, o_t likewise
//	g_t = tanh(W_ig u_t + W_hg h_{t−1} + b_g)
//	c_t = f_t ⊙ c_{t−1} + i_t ⊙ g_t,   h_t = o_t ⊙ tanh(c_t)
//	y_t = W_out h_t, or h_t itself when H = D and Project is off
//
// Parameters: weight_ih (4H,D), weight_hh (4H,H), bias (4H), rows i, f, g, o,
// uniform in ±1/√H, and out_proj.weight (D,H). PyTorch has two biases of which
// only the sum acts, bias = bias_ih + bias_hh; two would only double the step
// that an optimiser takes.
type LSTM struct {
	cfg    LSTMConfig
	dev    *tensor.Device
	ih, hh *tensor.Param
	bias   *tensor.Param
	out    *nn.Linear // nil without projection
}

// NewLSTM returns the layer in PyTorch's initialisation plus ForgetBias.
func NewLSTM(b *nn.Builder, cfg LSTMConfig) (*LSTM, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	g := gates{b: b, bound: 1 / math.Sqrt(float64(cfg.H)), rows: 4 * cfg.H}
	m := &LSTM{cfg: cfg, dev: b.Device, ih: g.weight("weight_ih", cfg.D), hh: g.weight("weight_hh", cfg.H), bias: g.bias("bias")}
	data := m.bias.Data()
	for i := cfg.H; i < 2*cfg.H; i++ {
		data[i] += cfg.ForgetBias
	}
	m.bias.SetData(data)
	m.out = newProjection(b, cfg.D, cfg.H, cfg.Project)
	return m, nil
}

// Name implements nn.Mixer.
func (m *LSTM) Name() string { return fmt.Sprintf("lstm(h=%d)", m.cfg.H) }

// Config returns what the layer was built from.
func (m *LSTM) Config() LSTMConfig { return m.cfg }

// Forward implements nn.Mixer: u (B,L,D) to y (B,L,D).
func (m *LSTM) Forward(tp *tensor.Tape, u *tensor.Tensor, s *nn.State) *tensor.Tensor {
	wantInput("LSTM", u, m.cfg.D)
	h := tp.ProjectedLSTM(u, m.ih.Tensor, m.bias.Tensor, m.hh.Tensor, s.Get("h"), s.Get("c"))
	s.Advance(u.Dim(1))
	return project(tp, m.out, h)
}

// NewState implements nn.Mixer: h and c (B,H), zero.
func (m *LSTM) NewState(batch int) *nn.State { return newState(m.dev, batch, m.cfg.H, "h", "c") }
