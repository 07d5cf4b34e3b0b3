package nn

import (
	"fmt"

	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// Attention is causal multi-head softmax attention with rotary positions, the
// rival of every recurrence. Its state is the keys and values of every step so
// far, so a step costs time and memory in proportion to the position.
type Attention struct {
	Q, K, V, O *Linear
	heads, a   int // a channels in all heads
	device     *tensor.Device
}

// NewAttention returns attention over d channels in the given number of heads,
// each of an even number of channels. Projections have no bias.
func NewAttention(b *Builder, d, heads int) (*Attention, error) {
	if heads < 1 || d%heads != 0 || d/heads%2 != 0 {
		return nil, fmt.Errorf("nn: Attention: heads is %d for %d channels, want a divisor that leaves an even number of channels per head", heads, d)
	}
	return NewHeads(b, d, heads, d/heads)
}

// NewHeads returns attention over d channels in heads of a width of their own,
// an even number: queries, keys and values are (heads·headDim, d) projections.
func NewHeads(b *Builder, d, heads, headDim int) (*Attention, error) {
	if heads < 1 || headDim < 2 || headDim%2 != 0 {
		return nil, fmt.Errorf("nn: Attention: heads is %d of %d channels, want at least one head of an even number", heads, headDim)
	}
	a := heads * headDim
	return &Attention{
		Q: NewLinear(b.Sub("q_proj"), d, a, false), K: NewLinear(b.Sub("k_proj"), d, a, false),
		V: NewLinear(b.Sub("v_proj"), d, a, false), O: NewLinear(b.Sub("o_proj"), a, d, false),
		heads: heads, a: a, device: b.Device,
	}, nil
}

// Name implements Mixer.
func (a *Attention) Name() string { return fmt.Sprintf("attention(heads=%d)", a.heads) }

// BySequence implements SequenceMixer.
func (a *Attention) BySequence() bool { return true }

// Forward implements Mixer.
func (a *Attention) Forward(tp *tensor.Tape, x *tensor.Tensor, s *State) *tensor.Tensor {
	offset := 0
	if s != nil {
		offset = s.Position
	}
	q, k := a.rotated(tp, a.Q, x, offset), a.rotated(tp, a.K, x, offset)
	v := a.V.Forward(tp, x)
	if s == nil {
		return a.O.Forward(tp, tp.Attention(q, k, v, a.heads))
	}
	n := offset + x.Dim(1)
	for _, c := range []struct {
		name string
		new  *tensor.Tensor
	}{{"keys", k}, {"values", v}} {
		s.Set(c.name, grown(s.Get(c.name), n))
		tp.StoreSteps(c.new, s.Get(c.name), offset)
	}
	y := tp.AttentionCached(q, s.Get("keys"), s.Get("values"), n, a.heads)
	s.Advance(x.Dim(1))
	return a.O.Forward(tp, y)
}

// rotated returns the queries or keys of x.
func (a *Attention) rotated(tp *tensor.Tape, p *Linear, x *tensor.Tensor, offset int) *tensor.Tensor {
	y := p.Forward(tp, x)
	z := tp.Rotary(y, a.heads, offset)
	tp.Done(y)
	return z
}

// grown returns a cache (B,cap,D) with room for n steps: t itself, or a copy of
// twice its capacity or more.
func grown(t *tensor.Tensor, n int) *tensor.Tensor {
	if t.Dim(1) >= n {
		return t
	}
	big := tensor.New(t.Device(), t.Dim(0), max(n, 2*t.Dim(1)), t.Dim(2))
	tp := tensor.NewTape(t.Device())
	tp.StoreSteps(t, big, 0)
	return big
}

// NewState implements Mixer.
func (a *Attention) NewState(batch int) *State {
	s := NewState()
	s.setCache("keys", tensor.New(a.device, batch, 16, a.a))
	s.setCache("values", tensor.New(a.device, batch, 16, a.a))
	return s
}
