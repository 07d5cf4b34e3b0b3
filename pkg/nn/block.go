package nn

import (
	"errors"
	"fmt"
	"math"

	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// BlockKind names what surrounds a Mixer.
type BlockKind string

// The blocks. Every one is pre-norm with a residual.
const (
	// MambaBlock: x + W_out( mixer(SiLU(conv(W_x n))) ⊙ SiLU(W_z n) ), n =
	// RMSNorm(x), with inner width E = Expand·D (Mamba, Fig. 3 and
	// mamba_simple.py) or, to meet a number of parameters, E = Inner.
	// Convolution and gate can be switched off.
	MambaBlock BlockKind = "mamba"
	// GLUBlock: x + GLU(GELU(mixer(n))), GLU(v) = (W1 v + b1) ⊙ σ(W2 v + b2)
	// (LRU, §2; its BatchNorm replaced by RMSNorm as everywhere here; GELU in
	// the tanh approximation, JAX's default).
	GLUBlock BlockKind = "glu"
	// GPTBlock: x + mixer(n), then x + MLP(RMSNorm(x)) with a GELU MLP of width
	// Hidden (GPT-2; GELU in the tanh approximation, as there).
	GPTBlock BlockKind = "gpt"
)

// BlockKinds lists the blocks.
func BlockKinds() []BlockKind { return []BlockKind{MambaBlock, GLUBlock, GPTBlock} }

// BlockConfig says what surrounds the mixer.
type BlockConfig struct {
	Kind    BlockKind `json:"kind"`
	Expand  int       `json:"expand,omitempty"`  // mamba: inner width over D
	Inner   int       `json:"inner,omitempty"`   // mamba: inner width itself, in the place of Expand
	Conv    int       `json:"conv,omitempty"`    // mamba: width of the short convolution, 0 for none
	Gate    bool      `json:"gate,omitempty"`    // mamba: output gate
	Hidden  int       `json:"hidden,omitempty"`  // gpt: width of the MLP
	Dropout float64   `json:"dropout,omitempty"` // on the branch before the residual
}

// DefaultBlockConfig returns Mamba's block.
func DefaultBlockConfig() BlockConfig {
	return BlockConfig{Kind: MambaBlock, Expand: 2, Conv: 4, Gate: true}
}

// Validate reports every field that is out of range.
func (c BlockConfig) Validate() error {
	var errs []error
	bad := func(field string, got any, want string) {
		errs = append(errs, fmt.Errorf("block.%s is %v, want %s", field, got, want))
	}
	switch c.Kind {
	case MambaBlock:
		switch {
		case c.Inner == 0 && (c.Expand < 1 || c.Expand > 16):
			bad("expand", c.Expand, "1 to 16")
		case c.Inner != 0 && c.Expand != 0:
			bad("expand", c.Expand, fmt.Sprintf("0, since inner is %d: one of the two", c.Inner))
		case c.Inner < 0 || c.Inner > 1<<16:
			bad("inner", c.Inner, "0 (expand says it) to 65536")
		}
		if c.Conv < 0 || c.Conv > 64 {
			bad("conv", c.Conv, "0 (none) to 64")
		}
		if c.Hidden != 0 {
			bad("hidden", c.Hidden, "0 for kind mamba")
		}
	case GLUBlock, GPTBlock:
		if c.Expand != 0 || c.Inner != 0 || c.Conv != 0 || c.Gate {
			bad("expand, inner, conv, gate", fmt.Sprintf("%d, %d, %d, %t", c.Expand, c.Inner, c.Conv, c.Gate), "0, 0, 0, false for kind "+string(c.Kind))
		}
		if c.Kind == GPTBlock && (c.Hidden < 1 || c.Hidden > 1<<20) {
			bad("hidden", c.Hidden, "1 to 1048576 for kind gpt")
		}
		if c.Kind == GLUBlock && c.Hidden != 0 {
			bad("hidden", c.Hidden, "0 for kind glu")
		}
	default:
		bad("kind", fmt.Sprintf("%q", c.Kind), fmt.Sprintf("one of %v", BlockKinds()))
	}
	if !(c.Dropout >= 0 && c.Dropout < 1) {
		bad("dropout", c.Dropout, "0 <= p < 1")
	}
	return errors.Join(errs...)
}

// Width returns the number of channels that the mixer of a block over d
// channels sees.
func (c BlockConfig) Width(d int) int {
	switch {
	case c.Kind != MambaBlock:
		return d
	case c.Inner > 0:
		return c.Inner
	}
	return c.Expand * d
}

// NewMixerFunc makes a mixer over the given number of channels.
type NewMixerFunc func(b *Builder, width int) (Mixer, error)

// Block is a mixer in its surroundings.
type Block struct {
	Mixer Mixer
	cfg   BlockConfig
	e     int
	norm  *RMSNorm
	in    *Linear // mamba: rows x, then z if gated
	conv  *Conv1D
	out   *Linear
	glu   [2]*Linear
	norm2 *RMSNorm
	mlp   [2]*Linear
}

// NewBlock returns a block over d channels of a model of the given number of
// layers. As in the official code, the projection back into the residual
// stream is drawn smaller by 1/√layers.
func NewBlock(b *Builder, cfg BlockConfig, d, layers int, newMixer NewMixerFunc) (*Block, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	k := &Block{cfg: cfg, e: cfg.Width(d), norm: NewRMSNorm(b.Sub("norm"), d)}
	if cfg.Kind == MambaBlock {
		rows := k.e
		if cfg.Gate {
			rows *= 2
		}
		k.in = NewLinear(b.Sub("in_proj"), d, rows, false)
		if cfg.Conv > 0 {
			k.conv = NewConv1D(b.Sub("conv1d"), k.e, cfg.Conv)
		}
	}
	var err error
	if k.Mixer, err = newMixer(b.Sub("mixer"), k.e); err != nil {
		return nil, err
	}
	switch cfg.Kind {
	case MambaBlock:
		k.out = newResidualLinear(b.Sub("out_proj"), k.e, d, layers, false)
	case GLUBlock:
		k.glu = [2]*Linear{NewLinear(b.Sub("glu_value"), d, d, true), NewLinear(b.Sub("glu_gate"), d, d, true)}
	case GPTBlock:
		k.norm2 = NewRMSNorm(b.Sub("norm2"), d)
		k.mlp = [2]*Linear{NewLinear(b.Sub("mlp_in"), d, cfg.Hidden, true), newResidualLinear(b.Sub("mlp_out"), cfg.Hidden, d, layers, true)}
	}
	return k, nil
}

// newResidualLinear is NewLinear with the weight divided by √layers (GPT-2's
// scaling, mixer_seq_simple.py _init_weights).
func newResidualLinear(b *Builder, in, out, layers int, bias bool) *Linear {
	l := NewLinear(b, in, out, bias)
	w := l.W.Data()
	for i := range w {
		w[i] /= math.Sqrt(float64(layers))
	}
	l.W.SetData(w)
	return l
}

// Forward maps the residual stream x (B,L,D) to the same shape.
func (k *Block) Forward(tp *tensor.Tape, x *tensor.Tensor, s *State) *tensor.Tensor {
	if k.cfg.Kind == GPTBlock {
		x = k.residual(tp, x, k.bySequence(s), func(tp *tensor.Tape, x *tensor.Tensor) *tensor.Tensor {
			return k.Mixer.Forward(tp, k.norm.Forward(tp, x), s.Part("mixer"))
		})
		return k.residual(tp, x, true, k.perceptron)
	}
	return k.residual(tp, x, k.bySequence(s), func(tp *tensor.Tape, x *tensor.Tensor) *tensor.Tensor {
		n := k.norm.Forward(tp, x)
		if k.cfg.Kind == MambaBlock {
			return k.mamba(tp, n, s)
		}
		return k.gated(tp, n, s)
	})
}

// bySequence reports whether the mixer may run on some sequences at a time.
func (k *Block) bySequence(s *State) bool {
	m, ok := k.Mixer.(SequenceMixer)
	return s == nil && ok && m.BySequence()
}

// branchFunc is what a block adds to the residual stream x.
type branchFunc = func(tp *tensor.Tape, x *tensor.Tensor) *tensor.Tensor

// residual returns x + Dropout(branch(x)), piece by piece if the branch allows
// it.
func (k *Block) residual(tp *tensor.Tape, x *tensor.Tensor, pieces bool, branch branchFunc) *tensor.Tensor {
	if pieces {
		return tp.Residual(k.cfg.Dropout, x, branch)
	}
	return tp.AddBranch(k.cfg.Dropout, x, branch(tp, x))
}

// gated is the branch of GLUBlock after the norm.
func (k *Block) gated(tp *tensor.Tape, n *tensor.Tensor, s *State) *tensor.Tensor {
	y := tp.Dropout(k.cfg.Dropout, tp.Map(tensor.GELUTanh, k.Mixer.Forward(tp, n, s.Part("mixer"))))
	return tp.Mul(k.glu[0].Forward(tp, y), tp.Map(tensor.Sigmoid, k.glu[1].Forward(tp, y)))
}

// perceptron is the second branch of GPTBlock.
func (k *Block) perceptron(tp *tensor.Tape, x *tensor.Tensor) *tensor.Tensor {
	n := k.norm2.Forward(tp, x)
	y := k.mlp[0].Forward(tp.Kept(), n)
	return k.mlp[1].Forward(tp, tp.Map(tensor.GELUTanh, y))
}

// mamba is the branch of MambaBlock, between norm and residual.
func (k *Block) mamba(tp *tensor.Tape, n *tensor.Tensor, s *State) *tensor.Tensor {
	x := tp.Kept().Linear(n, k.in.W.Rows(0, k.e), nil)
	if k.conv != nil {
		x = k.conv.Forward(tp, x, s.Part("conv"))
	}
	ms := s.Part("mixer")
	if !k.cfg.Gate {
		return k.out.Forward(tp, k.Mixer.Forward(tp, x, ms))
	}
	z := tp.Kept().Linear(n, k.in.W.Rows(k.e, 2*k.e), nil)
	switch g := k.Mixer.(type) {
	case ProjectedMixer:
		return g.ForwardProjected(tp, x, z, k.out.W.Tensor, ms)
	case GatedMixer:
		return k.out.Forward(tp, g.ForwardGated(tp, x, z, ms))
	}
	return k.out.Forward(tp, tp.SiLUMul(k.Mixer.Forward(tp, x, ms), z))
}

// NewState returns the state before the first step of a batch.
func (k *Block) NewState(batch int) *State {
	s := NewState()
	s.SetPart("mixer", k.Mixer.NewState(batch))
	if k.conv != nil {
		s.SetPart("conv", k.conv.NewState(batch))
	}
	return s
}
