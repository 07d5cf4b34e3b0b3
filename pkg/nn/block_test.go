package nn_test

import (
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/gophersnake/gophersnake/internal/mixertest"
	"github.com/gophersnake/gophersnake/pkg/nn"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// blockCase is one block in one config.
type blockCase struct {
	name  string
	cfg   nn.BlockConfig
	mixer nn.NewMixerFunc
	names []string // of its parameters
}

const blockD, blockLayers = 4, 3

func blockCases() []blockCase {
	mamba := func(conv int, gate bool) nn.BlockConfig {
		return nn.BlockConfig{Kind: nn.MambaBlock, Expand: 2, Conv: conv, Gate: gate}
	}
	dropped := mamba(4, true)
	dropped.Dropout = 0.3
	gpt, glu := nn.BlockConfig{Kind: nn.GPTBlock, Hidden: 7}, nn.BlockConfig{Kind: nn.GLUBlock}
	wet := glu
	wet.Dropout = 0.3
	full := []string{"norm.weight", "in_proj.weight", "conv1d.weight", "conv1d.bias", "mixer.a", "out_proj.weight"}
	attn := []string{"mixer.q_proj.weight", "mixer.k_proj.weight", "mixer.v_proj.weight", "mixer.o_proj.weight"}
	gluNames := []string{"norm.weight", "mixer.a", "glu_value.weight", "glu_value.bias", "glu_gate.weight", "glu_gate.bias"}
	return []blockCase{
		{"mamba", mamba(4, true), newLeaky, full},
		{"mamba with a gated mixer", mamba(4, true), newGatedLeaky, full},
		{"mamba without gate", mamba(4, false), newGatedLeaky, full},
		{"mamba without convolution", mamba(0, true), newLeaky, []string{"norm.weight", "in_proj.weight", "mixer.a", "out_proj.weight"}},
		{"mamba, convolution of width 1", mamba(1, true), newLeaky, full},
		{"mamba, nothing but the mixer", mamba(0, false), newLeaky, []string{"norm.weight", "in_proj.weight", "mixer.a", "out_proj.weight"}},
		{"mamba with dropout", dropped, newLeaky, full},
		{"mamba around identity", mamba(4, true), newIdentity, slices.Delete(slices.Clone(full), 4, 5)},
		{"mamba around attention", mamba(4, true), newAttention, slices.Concat(full[:4], attn, full[5:])},
		{"glu", glu, newLeaky, gluNames},
		{"glu with dropout", wet, newLeaky, gluNames},
		{"gpt", gpt, newAttention, slices.Concat([]string{"norm.weight"}, attn, []string{"norm2.weight", "mlp_in.weight", "mlp_in.bias", "mlp_out.weight", "mlp_out.bias"})},
		{"gpt around leaky", gpt, newLeaky, []string{"norm.weight", "mixer.a", "norm2.weight", "mlp_in.weight", "mlp_in.bias", "mlp_out.weight", "mlp_out.bias"}},
	}
}

func (c blockCase) build(t *testing.T, d *tensor.Device) (*nn.Block, []*tensor.Param) {
	t.Helper()
	b := nn.NewBuilder(d, 11)
	k, err := nn.NewBlock(b, c.cfg, blockD, blockLayers, c.mixer)
	if err != nil {
		t.Fatal(err)
	}
	mixertest.Perturb(b.Params(), 0.1)
	return k, b.Params()
}

// forward runs the block on x (B,L,D) with fixed dropout masks.
func (c blockCase) forward(k *nn.Block, x *tensor.Tensor) func(tp *tensor.Tape) *tensor.Tensor {
	return func(tp *tensor.Tape) *tensor.Tensor {
		tp.SetSeed(2)
		return k.Forward(tp, x, nil)
	}
}

func TestBlocks(t *testing.T) {
	var diff, forward, grad float64
	for _, c := range blockCases() {
		t.Run(c.name, func(t *testing.T) {
			const b, l = 2, 9
			x := mixertest.Noise(3, b*l*blockD)
			d := tensor.Reference()
			k, params := c.build(t, d)
			if got := names(params); !slices.Equal(got, c.names) {
				t.Errorf("parameters %v, want %v", got, c.names)
			}
			in := tensor.Variable(d, x, b, l, blockD)
			diff = max(diff, mixertest.Gradient(t, "whole", c.forward(k, in), mixertest.Tensors(params, in), 0))
			tensor.ZeroGrad(params)
			truth := mixertest.Evaluate(d, c.forward(k, in), mixertest.ByName(params))
			cpu := tensor.CPU(2)
			kc, pc := c.build(t, cpu)
			f, g := mixertest.Compare(t, mixertest.Evaluate(cpu, c.forward(kc, tensor.From(cpu, x, b, l, blockD)), mixertest.ByName(pc)), truth)
			forward, grad = max(forward, f), max(grad, g)
		})
	}
	t.Logf("worst: central differences %.2g, cpu forward %.2g, cpu gradients %.2g", diff, forward, grad)
}

// TestBlockSteps: step by step, in stretches and after export and import, the
// outputs are those of the whole sequence.
func TestBlockSteps(t *testing.T) {
	const b = 2
	for _, d := range mixertest.Devices(t) {
		for _, c := range blockCases() {
			k, _ := c.build(t, d)
			run := func(l int, cuts []int, s *nn.State, imports bool) []float64 {
				return steps(d, mixertest.Noise(4, b*l*blockD), b, l, blockD, cuts, func(tp *tensor.Tape, x *tensor.Tensor) *tensor.Tensor {
					tp.SetTraining(false)
					if imports {
						snap := mixertest.ThroughJSON(t, s.Export())
						s = k.NewState(b)
						if err := s.Import(snap); err != nil {
							t.Fatal(err)
						}
					}
					return k.Forward(tp, x, s)
				})
			}
			for _, l := range []int{1, 2, 63, 64, 65} {
				whole := run(l, nil, nil, false)
				for name, got := range map[string][]float64{
					"one by one": run(l, mixertest.Cuts(l, 1), k.NewState(b), false), "at once": run(l, nil, k.NewState(b), false),
					"in stretches": run(l, []int{l / 3, l / 2}[:min(2, l/3)], k.NewState(b), true),
				} {
					if e := mixertest.RelErr(got, whole); !(e <= mixertest.StepTol(d)) {
						t.Errorf("%s: %s: L=%d %s: error %.2g, want <= %g", d, c.name, l, name, e, mixertest.StepTol(d))
					}
				}
			}
		}
	}
}

// TestBlockUsesGatedMixer: the gate goes through the mixer that can do it, with
// the same result.
func TestBlockUsesGatedMixer(t *testing.T) {
	d := tensor.Reference()
	plain, gated := blockCases()[0], blockCases()[1]
	x := tensor.From(d, mixertest.Noise(3, 2*5*blockD), 2, 5, blockD)
	kp, _ := plain.build(t, d)
	kg, _ := gated.build(t, d)
	tp := tensor.NewTape(d)
	if e := mixertest.RelErr(kg.Forward(tp, x, nil).Data(), kp.Forward(tp, x, nil).Data()); e != 0 {
		t.Errorf("a gated mixer changes the result by %.2g", e)
	}
	if n := kg.Mixer.(*gatedLeaky).calls; n != 1 {
		t.Errorf("ForwardGated was called %d times, want once", n)
	}
}

// TestBlockResidualScale: what goes back into the residual stream starts
// smaller by 1/√layers, and nothing else changes.
func TestBlockResidualScale(t *testing.T) {
	for _, c := range blockCases() {
		build := func(layers int) []*tensor.Param {
			b := nn.NewBuilder(tensor.Reference(), 11)
			if _, err := nn.NewBlock(b, c.cfg, blockD, layers, c.mixer); err != nil {
				t.Fatal(err)
			}
			return b.Params()
		}
		one, nine := build(1), build(9)
		for i, p := range one {
			scale := 1.0
			if p.Name == "out_proj.weight" || p.Name == "mlp_out.weight" {
				scale = 3
			}
			for j, v := range p.Data() {
				if got := nine[i].Data()[j]; math.Abs(got*scale-v) > 1e-15 {
					t.Errorf("%s: %s[%d] is %v in a model of 9 layers, %v in one of 1, want the ratio 1/%v", c.name, p.Name, j, got, v, scale)
				}
			}
		}
	}
}

// TestBlockIsResidual: with the way back at 0 a block is the identity.
func TestBlockIsResidual(t *testing.T) {
	for _, c := range blockCases() {
		k, params := c.build(t, tensor.Reference())
		for _, p := range params {
			if slices.Contains([]string{"out_proj.weight", "glu_value.weight", "glu_value.bias", "mixer.o_proj.weight", "mixer.a", "mlp_out.weight", "mlp_out.bias"}, p.Name) {
				p.Zero()
			}
		}
		if c.name == "gpt around leaky" {
			continue // a = 0 leaves x itself in the branch
		}
		x := mixertest.Noise(3, 2*5*blockD)
		tp := tensor.NewTape(tensor.Reference())
		if got := k.Forward(tp, tensor.From(tensor.Reference(), x, 2, 5, blockD), nil).Data(); !slices.Equal(got, x) {
			t.Errorf("%s: with the way back at 0 the block changes its input", c.name)
		}
	}
}

// TestBlockDropout: in training, dropout p drops about a share p of the branch and
// divides the rest by 1 − p, whether the branch runs in pieces or whole; a GLU's
// drops inside, too. Otherwise the branch is as without.
func TestBlockDropout(t *testing.T) {
	const b, l, p = 4, 60, 0.3
	for _, c := range []struct {
		cfg    nn.BlockConfig
		mixer  nn.NewMixerFunc
		inside bool // there is another dropout
	}{{nn.DefaultBlockConfig(), newLeaky, false}, {nn.DefaultBlockConfig(), newAttention, false}, {nn.BlockConfig{Kind: nn.GLUBlock}, newLeaky, true}} {
		branch := func(dropout float64, training bool) []float64 {
			c.cfg.Dropout = dropout
			k, _ := blockCase{cfg: c.cfg, mixer: c.mixer}.build(t, tensor.Reference())
			x := tensor.From(tensor.Reference(), mixertest.Noise(3, b*l*blockD), b, l, blockD)
			tp := tensor.NewTape(tensor.Reference())
			tp.SetTraining(training)
			return tp.Sub(k.Forward(tp, x, nil), x).Data()
		}
		plain, dropped, other := branch(0, true), branch(p, true), 0.0
		zeros := 0
		for i, v := range dropped {
			if v == 0 {
				zeros++
			} else {
				other = max(other, math.Abs(v*(1-p)-plain[i]))
			}
		}
		n := float64(len(dropped))
		if share := float64(zeros) / n; math.Abs(share-p) > 5*math.Sqrt(p*(1-p)/n) {
			t.Errorf("%s: a share of %g is dropped, want %g", c.cfg.Kind, share, p)
		}
		if (other > 1e-12) != c.inside {
			t.Errorf("%s: the rest is off by %g, dropout inside: %t", c.cfg.Kind, other, c.inside)
		}
		if !slices.Equal(branch(p, false), plain) {
			t.Errorf("%s: drops outside training", c.cfg.Kind)
		}
	}
}

func TestBlockConfigErrors(t *testing.T) {
	if err := nn.DefaultBlockConfig().Validate(); err != nil {
		t.Error(err)
	}
	for _, c := range blockCases() {
		if err := c.cfg.Validate(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	for _, tt := range []struct {
		cfg  nn.BlockConfig
		says []string
	}{
		{nn.BlockConfig{}, []string{`block.kind is "", want one of [mamba glu gpt]`}},
		{nn.BlockConfig{Kind: nn.MambaBlock, Expand: 0, Conv: -1, Hidden: 3, Dropout: 1},
			[]string{"block.expand is 0, want 1 to 16", "block.conv is -1, want 0 (none) to 64", "block.hidden is 3, want 0", "block.dropout is 1, want 0 <= p < 1"}},
		{nn.BlockConfig{Kind: nn.GLUBlock, Expand: 2, Hidden: 3, Dropout: math.NaN()},
			[]string{"block.expand, inner, conv, gate is 2, 0, 0, false", "block.hidden is 3, want 0 for kind glu", "block.dropout is NaN"}},
		{nn.BlockConfig{Kind: nn.GPTBlock, Gate: true}, []string{"block.expand, inner, conv, gate is 0, 0, 0, true", "block.hidden is 0, want 1 to"}},
	} {
		mixertest.WantErrors(t, tt.cfg.Validate(), tt.says...)
		_, err := nn.NewBlock(nn.NewBuilder(tensor.Reference(), 1), tt.cfg, 4, 1, newLeaky)
		mixertest.WantErrors(t, err, tt.says...)
	}
}

func TestBlockPassesMixerError(t *testing.T) {
	boom := errors.New("no such mixer")
	_, err := nn.NewBlock(nn.NewBuilder(tensor.Reference(), 1), nn.DefaultBlockConfig(), 4, 1,
		func(*nn.Builder, int) (nn.Mixer, error) { return nil, boom })
	if !errors.Is(err, boom) {
		t.Errorf("NewBlock returns %v, want the mixer's error", err)
	}
}

// TestStep: one step of a mixer on (B,D).
func TestStep(t *testing.T) {
	d := tensor.Reference()
	m, err := newLeaky(nn.NewBuilder(d, 1), 3)
	if err != nil {
		t.Fatal(err)
	}
	x := mixertest.Noise(5, 2*4*3)
	tp := tensor.NewTape(d)
	whole := m.Forward(tp, tensor.From(d, x, 2, 4, 3), nil).Data()
	s := m.NewState(2)
	for i := range 4 {
		y := nn.Step(tp, m, tensor.From(d, slices.Concat(x[i*3:][:3], x[(4+i)*3:][:3]), 2, 3), s)
		if want := slices.Concat(whole[i*3:][:3], whole[(4+i)*3:][:3]); !slices.Equal(y.Data(), want) || !slices.Equal(y.Shape(), []int{2, 3}) {
			t.Errorf("step %d: %v, want %v", i, y.Data(), want)
		}
	}
}
