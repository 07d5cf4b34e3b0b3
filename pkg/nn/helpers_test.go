package nn_test

import (
	"github.com/gophersnake/gophersnake/internal/mixertest"
	"github.com/gophersnake/gophersnake/pkg/nn"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// leaky is a mixer with a memory: h_t = a ⊙ h_{t−1} + x_t.
type leaky struct{ a *tensor.Param }

func newLeaky(b *nn.Builder, width int) (nn.Mixer, error) {
	a := make([]float64, width)
	for i := range a {
		a[i] = 0.2 + 0.6*b.Rand.Float64()
	}
	return &leaky{b.Param("a", tensor.Recurrent, a, width)}, nil
}

func (*leaky) Name() string { return "leaky" }

func (m *leaky) Forward(tp *tensor.Tape, x *tensor.Tensor, s *nn.State) *tensor.Tensor {
	y := tp.Scan(m.a.Tensor, x, s.Get("h"))
	s.Advance(x.Dim(1))
	return y
}

func (m *leaky) NewState(batch int) *nn.State {
	s := nn.NewState()
	s.Set("h", tensor.New(m.a.Device(), batch, m.a.Len()))
	return s
}

// gatedLeaky applies the gate itself.
type gatedLeaky struct {
	*leaky
	calls int
}

func (m *gatedLeaky) ForwardGated(tp *tensor.Tape, x, z *tensor.Tensor, s *nn.State) *tensor.Tensor {
	m.calls++
	return tp.SiLUMul(m.Forward(tp, x, s), z)
}

func newGatedLeaky(b *nn.Builder, width int) (nn.Mixer, error) {
	m, err := newLeaky(b, width)
	return &gatedLeaky{leaky: m.(*leaky)}, err
}

func newAttention(b *nn.Builder, width int) (nn.Mixer, error) { return nn.NewAttention(b, width, 2) }

func newIdentity(*nn.Builder, int) (nn.Mixer, error) { return nn.Identity{}, nil }

// steps cuts x (B,L,D) at the given points and runs f on the stretches, one
// after the other; it returns the joined outputs (B,L,·).
func steps(d *tensor.Device, x []float64, b, l, w int, cuts []int, f func(tp *tensor.Tape, x *tensor.Tensor) *tensor.Tensor) []float64 {
	tp := mixertest.NewTape(d)
	tp.SetGrad(false)
	return mixertest.InPieces(x, b, l, cuts, func(piece []float64, n int) []float64 {
		y := f(tp, tensor.From(d, piece, b, n, w)).Data()
		tp.Reset()
		return y
	})
}
