package ssm

import (
	"errors"
	"fmt"

	initializer "github.com/gophersnake/gophersnake/pkg/init"
	"github.com/gophersnake/gophersnake/pkg/nn"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// MambaConfig describes a Mamba. Its S6 has Expand·D channels; Core's fields D
// and Model are set from here and must be 0.
type MambaConfig struct {
	D      int      `json:"d"`      // width of the model
	Expand int      `json:"expand"` // inner width over D
	Conv   int      `json:"conv"`   // width of the short convolution
	Layers int      `json:"layers"` // out_proj is drawn smaller by 1/√Layers, the depth of the model
	Core   S6Config `json:"core"`
}

// DefaultMambaConfig returns the official defaults for one layer of width 64.
func DefaultMambaConfig() MambaConfig {
	core := DefaultS6Config()
	core.D = 0
	return MambaConfig{D: 64, Expand: 2, Conv: 4, Layers: 1, Core: core}
}

// core returns the config of the S6 inside.
func (c MambaConfig) core() S6Config {
	s := c.Core
	s.D, s.Model = c.Expand*c.D, c.D
	return s
}

// Validate reports every field that is out of range.
func (c MambaConfig) Validate() error {
	f := fields{config: "mamba"}
	f.want(c.D >= 1 && c.D <= maxWidth, "d", c.D, "1 to 65536")
	f.want(c.Expand >= 1 && c.Expand <= 16, "expand", c.Expand, "1 to 16")
	f.want(c.Conv >= 1 && c.Conv <= 64, "conv", c.Conv, "1 to 64")
	f.want(c.Layers >= 1 && c.Layers <= 1000, "layers", c.Layers, "1 to 1000")
	f.want(c.Core.D == 0, "core.d", c.Core.D, "0, it is expand·d")
	f.want(c.Core.Model == 0, "core.model_width", c.Core.Model, "0, it is d")
	core := c.core()
	if len(f.errs) > 0 { // an inner width made of bad numbers would be reported twice
		core.D, core.Model = 1, 0
	}
	return errors.Join(f.err(), core.Validate())
}

// Mamba is the official block without norm and residual (mamba_simple.py), under
// the official parameter names, so that official weights fit it:
//
//	(x, z) = W_in u                  in_proj.weight (2E,D), rows x, then z
//	x      = SiLU(conv(x))           conv1d.weight (E,K), conv1d.bias (E)
//	y      = S6(x) ⊙ SiLU(z)         x_proj, dt_proj, A_log, D over E channels
//	out    = W_out y                 out_proj.weight (D,E)
//
// with E = Expand·D. The official conv1d.weight is (E,1,K): the same numbers. A
// nn.Block of kind "mamba" around an S6 is this plus norm and residual; Mamba
// stands by itself for checks against official vectors and as a plain Mixer.
type Mamba struct {
	cfg  MambaConfig
	e    int
	in   *tensor.Param
	conv *nn.Conv1D
	core *S6
	out  *tensor.Param
}

// NewMamba returns the block in the official initialisation.
func NewMamba(b *nn.Builder, cfg MambaConfig) (*Mamba, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	e := cfg.Expand * cfg.D
	m := &Mamba{cfg: cfg, e: e}
	m.in = b.Sub("in_proj").Param("weight", tensor.Decay, initializer.TorchLinear(b.Rand, 2*e, cfg.D), 2*e, cfg.D)
	m.conv = nn.NewConv1D(b.Sub("conv1d"), e, cfg.Conv)
	var err error
	if m.core, err = NewS6(b, cfg.core()); err != nil {
		return nil, err
	}
	m.out = b.Sub("out_proj").Param("weight", tensor.Decay, initializer.TorchResidual(b.Rand, cfg.D, e, cfg.Layers), cfg.D, e)
	return m, nil
}

// Name implements nn.Mixer.
func (m *Mamba) Name() string { return fmt.Sprintf("mamba(n=%d)", m.cfg.Core.N) }

// Config returns what the block was built from.
func (m *Mamba) Config() MambaConfig { return m.cfg }

// Core returns the S6 inside.
func (m *Mamba) Core() *S6 { return m.core }

// Forward implements nn.Mixer: u (B,L,D) to (B,L,D).
func (m *Mamba) Forward(tp *tensor.Tape, u *tensor.Tensor, s *nn.State) *tensor.Tensor {
	wantInput("Mamba", "u", u, m.cfg.D)
	x := tp.Linear(u, m.in.Rows(0, m.e), nil)
	z := tp.Linear(u, m.in.Rows(m.e, 2*m.e), nil)
	x = m.conv.Forward(tp, x, s.Part("conv"))
	y := m.core.ForwardGated(tp, x, z, s.Part("ssm"))
	s.Advance(u.Dim(1))
	return tp.Linear(y, m.out.Tensor, nil)
}

// NewState implements nn.Mixer: part "conv", the last K−1 inputs of the
// convolution, and part "ssm", the state of the S6.
func (m *Mamba) NewState(batch int) *nn.State {
	s := nn.NewState()
	s.SetPart("conv", m.conv.NewState(batch))
	s.SetPart("ssm", m.core.NewState(batch))
	return s
}
