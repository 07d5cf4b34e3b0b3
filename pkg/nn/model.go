package nn

import (
	"errors"
	"fmt"
	"slices"

	initializer "github.com/gophersnake/gophersnake/pkg/init"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// Head says what a model predicts.
type Head string

// The heads.
const (
	LMHead   Head = "lm"   // Outputs scores at every step
	LastHead Head = "last" // Outputs numbers from the last step
	MeanHead Head = "mean" // Outputs numbers from the mean over time
)

// Heads lists the heads.
func Heads() []Head { return []Head{LMHead, LastHead, MeanHead} }

// ModelConfig is a stack of equal blocks between an input layer and a head.
type ModelConfig struct {
	D       int         `json:"d"`                // width of the residual stream
	Layers  int         `json:"layers"`           // number of blocks
	Vocab   int         `json:"vocab,omitempty"`  // tokens in: an embedding
	Inputs  int         `json:"inputs,omitempty"` // or numbers in: a linear layer from this many channels
	Outputs int         `json:"outputs"`          // classes, tokens or numbers out
	Head    Head        `json:"head"`             //
	Tied    bool        `json:"tied,omitempty"`   // lm head = embedding; needs Vocab = Outputs
	Block   BlockConfig `json:"block"`            //
}

// Validate reports every field that is out of range.
func (c ModelConfig) Validate() error {
	var errs []error
	bad := func(field string, got any, want string) {
		errs = append(errs, fmt.Errorf("%s is %v, want %s", field, got, want))
	}
	if c.D < 1 || c.D > 1<<16 {
		bad("d", c.D, "1 to 65536")
	}
	if c.Layers < 1 || c.Layers > 1000 {
		bad("layers", c.Layers, "1 to 1000")
	}
	if (c.Vocab > 0) == (c.Inputs > 0) || c.Vocab < 0 || c.Inputs < 0 {
		bad("vocab, inputs", fmt.Sprintf("%d, %d", c.Vocab, c.Inputs), "exactly one above 0")
	}
	if c.Outputs < 1 {
		bad("outputs", c.Outputs, "at least 1")
	}
	if !slices.Contains(Heads(), c.Head) {
		bad("head", fmt.Sprintf("%q", c.Head), fmt.Sprintf("one of %v", Heads()))
	}
	if c.Tied && (c.Head != LMHead || c.Vocab != c.Outputs) {
		bad("tied", c.Tied, "false unless head is lm and vocab equals outputs")
	}
	errs = append(errs, c.Block.Validate())
	return errors.Join(errs...)
}

// Model is input layer, blocks, final norm, head.
type Model struct {
	Blocks []*Block
	cfg    ModelConfig
	embed  *tensor.Param
	in     *Linear
	norm   *RMSNorm
	head   *Linear
}

// NewModel builds a model; newMixer makes the mixer of each block. The
// embedding is drawn from N(0, 0.02²) (Mamba, mixer_seq_simple.py).
func NewModel(b *Builder, cfg ModelConfig, newMixer NewMixerFunc) (*Model, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	m := &Model{cfg: cfg}
	if cfg.Vocab > 0 {
		m.embed = b.Sub("embedding").Param("weight", tensor.Decay, initializer.Normal(b.Rand, cfg.Vocab*cfg.D, 0.02), cfg.Vocab, cfg.D)
	} else {
		m.in = NewLinear(b.Sub("input"), cfg.Inputs, cfg.D, true)
	}
	for i := range cfg.Layers {
		k, err := NewBlock(b.Sub(fmt.Sprintf("layers.%d", i)), cfg.Block, cfg.D, cfg.Layers, newMixer)
		if err != nil {
			return nil, err
		}
		m.Blocks = append(m.Blocks, k)
	}
	m.norm = NewRMSNorm(b.Sub("norm_f"), cfg.D)
	if !cfg.Tied {
		m.head = NewLinear(b.Sub("head"), cfg.D, cfg.Outputs, cfg.Head != LMHead)
	}
	return m, nil
}

// Config returns what the model was built from.
func (m *Model) Config() ModelConfig { return m.cfg }

// Tokens runs the model on batch sequences of length tokens each. The result
// is (batch, length, Outputs) with the lm head, (batch, Outputs) otherwise. s
// is as in Mixer.Forward.
func (m *Model) Tokens(tp *tensor.Tape, tokens []int32, batch, length int, s *State) *tensor.Tensor {
	if m.embed == nil {
		panic("nn: Model.Tokens: the model takes numbers, not tokens; use Numbers")
	}
	return m.forward(tp, tp.Embedding(tokens, m.embed.Tensor, batch, length), s)
}

// Numbers is Tokens for a model whose input is numbers: x is (B,L,Inputs).
func (m *Model) Numbers(tp *tensor.Tape, x *tensor.Tensor, s *State) *tensor.Tensor {
	if m.in == nil {
		panic("nn: Model.Numbers: the model takes tokens, not numbers; use Tokens")
	}
	return m.forward(tp, m.in.Forward(tp, x), s)
}

func (m *Model) forward(tp *tensor.Tape, x *tensor.Tensor, s *State) *tensor.Tensor {
	for i, k := range m.Blocks {
		x = k.Forward(tp, x, s.Part(fmt.Sprint(i)))
	}
	s.Advance(x.Dim(1))
	x = m.norm.Forward(tp, x)
	switch m.cfg.Head {
	case LastHead:
		x = tp.SelectTime(x, -1)
	case MeanHead:
		x = tp.MeanPool(x)
	}
	if m.head == nil {
		return tp.Linear(x, m.embed.Tensor, nil)
	}
	return m.head.Forward(tp, x)
}

// NewState returns the state before the first step of a batch.
func (m *Model) NewState(batch int) *State {
	s := NewState()
	for i, k := range m.Blocks {
		s.SetPart(fmt.Sprint(i), k.NewState(batch))
	}
	return s
}
