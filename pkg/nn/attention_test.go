package nn_test

import (
	"testing"

	"github.com/gophersnake/gophersnake/internal/mixertest"
	"github.com/gophersnake/gophersnake/pkg/nn"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// attention makes attention over 6 channels in heads of a width of their own,
// and an input.
func attention(t *testing.T, d *tensor.Device) (a *nn.Attention, params []*tensor.Param, x []float64) {
	t.Helper()
	b := nn.NewBuilder(d, 5)
	a, err := nn.NewHeads(b, 6, 2, 4)
	if err != nil {
		t.Fatal(err)
	}
	mixertest.Perturb(b.Params(), 0.1)
	return a, b.Params(), mixertest.Noise(6, 2*70*6)
}

// TestAttentionSteps: with a cache that starts at 16 steps and grows to 70,
// step by step and in stretches, outputs are those of the whole.
func TestAttentionSteps(t *testing.T) {
	const b, l, w = 2, 70, 6
	for _, d := range mixertest.Devices(t) {
		a, _, x := attention(t, d)
		whole := steps(d, x, b, l, w, nil, func(tp *tensor.Tape, x *tensor.Tensor) *tensor.Tensor { return a.Forward(tp, x, nil) })
		for name, cuts := range map[string][]int{"one by one": mixertest.Cuts(l, 1), "in stretches": {16, 17, 50}, "at once": nil} {
			s := a.NewState(b)
			got := steps(d, x, b, l, w, cuts, func(tp *tensor.Tape, x *tensor.Tensor) *tensor.Tensor { return a.Forward(tp, x, s) })
			if e := mixertest.RelErr(got, whole); !(e <= mixertest.StepTol(d)) || s.Position != l {
				t.Errorf("%s: %s: error %.2g at position %d, want <= %g at %d", d, name, e, s.Position, mixertest.StepTol(d), l)
			}
			if n := s.Get("keys").Dim(1); n < l || n > 2*l {
				t.Errorf("%s: %s: a cache of %d steps for %d", d, name, n, l)
			}
		}
	}
}

// TestAttentionImport: a run goes on from an exported state whose cache has
// grown, in a new state whose cache has not.
func TestAttentionImport(t *testing.T) {
	const b, l, w, at = 2, 70, 6, 41
	for _, d := range mixertest.Devices(t) {
		a, _, x := attention(t, d)
		s := a.NewState(b)
		whole := steps(d, x, b, l, w, mixertest.Cuts(l, 1), func(tp *tensor.Tape, x *tensor.Tensor) *tensor.Tensor { return a.Forward(tp, x, s) })
		s = a.NewState(b)
		got := steps(d, x, b, l, w, mixertest.Cuts(l, 1), func(tp *tensor.Tape, x *tensor.Tensor) *tensor.Tensor {
			if s.Position == at {
				snap := mixertest.ThroughJSON(t, s.Export())
				s = a.NewState(b)
				if err := s.Import(snap); err != nil {
					t.Fatal(err)
				}
			}
			return a.Forward(tp, x, s)
		})
		if e := mixertest.RelErr(got, whole); e != 0 {
			t.Errorf("%s: the interruption changed the output by %.2g", d, e)
		}
	}
}

func TestAttentionGradient(t *testing.T) {
	a, params, x := attention(t, tensor.Reference())
	in := tensor.Variable(tensor.Reference(), x[:2*5*6], 2, 5, 6)
	e := mixertest.Gradient(t, "whole", func(tp *tensor.Tape) *tensor.Tensor { return a.Forward(tp, in, nil) }, mixertest.Tensors(params, in), 0)
	t.Logf("worst %.2g", e)
}

// TestAttentionWithStateHasNoGradient: better a panic than a silent cut.
func TestAttentionWithStateHasNoGradient(t *testing.T) {
	a, _, x := attention(t, tensor.Reference())
	tp := tensor.NewTape(tensor.Reference())
	mixertest.MustPanic(t, "generation with gradients on", func() {
		a.Forward(tp, tensor.From(tensor.Reference(), x[:2*6], 2, 1, 6), a.NewState(2))
	}, "AttentionCached", "SetGrad(false)")
}

func TestAttentionConfigErrors(t *testing.T) {
	for _, tt := range [][2]int{{6, 0}, {6, 4}, {6, 2}, {6, -3}} {
		_, err := nn.NewAttention(nn.NewBuilder(tensor.Reference(), 1), tt[0], tt[1])
		mixertest.WantErrors(t, err, "want a divisor that leaves an even number of channels")
	}
}
