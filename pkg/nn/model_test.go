package nn_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/gophersnake/gophersnake/internal/mixertest"
	"github.com/gophersnake/gophersnake/pkg/nn"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// tinyModel reads and predicts 5 tokens.
func tinyModel() nn.ModelConfig {
	return nn.ModelConfig{D: 4, Layers: 2, Vocab: 5, Outputs: 5, Head: nn.LMHead, Block: nn.DefaultBlockConfig()}
}

// models are each head, tied and untied, on tokens and on numbers.
func models() []nn.ModelConfig {
	var all []nn.ModelConfig
	for _, head := range nn.Heads() {
		tokens := tinyModel()
		tokens.Head, tokens.Outputs = head, 3
		numbers := tokens
		numbers.Vocab, numbers.Inputs = 0, 2
		all = append(all, tokens, numbers)
	}
	tied := tinyModel()
	tied.Tied = true
	return append(all, tied)
}

func label(c nn.ModelConfig) string {
	return fmt.Sprintf("%s vocab=%d inputs=%d tied=%t", c.Head, c.Vocab, c.Inputs, c.Tied)
}

const modelB, modelL = 2, 7

// built is a model and what to run it on.
type built struct {
	*nn.Model
	params []*tensor.Param
	tokens []int32
	x      []float64
}

func buildModel(t *testing.T, d *tensor.Device, cfg nn.ModelConfig) built {
	t.Helper()
	b := nn.NewBuilder(d, 13)
	m, err := nn.NewModel(b, cfg, newGatedLeaky)
	if err != nil {
		t.Fatal(err)
	}
	mixertest.Perturb(b.Params(), 0.1)
	k := built{Model: m, params: b.Params(), x: mixertest.Noise(8, modelB*modelL*2)}
	for i := range modelB * modelL {
		k.tokens = append(k.tokens, int32(i*i%5))
	}
	return k
}

// run is the model on steps lo to hi of its input.
func (m built) run(tp *tensor.Tape, lo, hi int, s *nn.State) *tensor.Tensor {
	if m.Config().Vocab > 0 {
		return m.Tokens(tp, mixertest.Part(m.tokens, modelB, modelL, lo, hi), modelB, hi-lo, s)
	}
	return m.Numbers(tp, tensor.From(tp.Device(), mixertest.Part(m.x, modelB, modelL, lo, hi), modelB, hi-lo, 2), s)
}

func (m built) whole(tp *tensor.Tape) *tensor.Tensor { return m.run(tp, 0, modelL, nil) }

func TestModels(t *testing.T) {
	var diff, forward, grad float64
	for _, cfg := range models() {
		t.Run(label(cfg), func(t *testing.T) {
			d, cpu := tensor.Reference(), tensor.CPU(2)
			m := buildModel(t, d, cfg)
			diff = max(diff, mixertest.Gradient(t, "whole", m.whole, mixertest.Tensors(m.params), 12))
			tensor.ZeroGrad(m.params)
			truth := mixertest.Evaluate(d, m.whole, mixertest.ByName(m.params))
			want := []int{modelB, modelL, cfg.Outputs}
			if cfg.Head != nn.LMHead {
				want = []int{modelB, cfg.Outputs}
			}
			if got := m.whole(tensor.NewTape(d)).Shape(); !slices.Equal(got, want) {
				t.Errorf("output has shape %v, want %v", got, want)
			}
			mc := buildModel(t, cpu, cfg)
			f, g := mixertest.Compare(t, mixertest.Evaluate(cpu, mc.whole, mixertest.ByName(mc.params)), truth)
			forward, grad = max(forward, f), max(grad, g)
		})
	}
	t.Logf("worst: central differences %.2g, cpu forward %.2g, cpu gradients %.2g", diff, forward, grad)
}

// TestModelSteps: step by step an lm head gives every step, a last head the last.
func TestModelSteps(t *testing.T) {
	for _, d := range mixertest.Devices(t) {
		for _, cfg := range models() {
			if cfg.Head == nn.MeanHead {
				continue // the mean of a step is the step
			}
			m := buildModel(t, d, cfg)
			whole := m.whole(tensor.NewTape(d)).Data()
			tp, s := tensor.NewTape(d), m.NewState(modelB)
			tp.SetGrad(false)
			rows := make([][]float64, modelB)
			for i := range modelL {
				y := m.run(tp, i, i+1, s).Data()
				for b := range rows {
					if cfg.Head == nn.LastHead {
						rows[b] = nil
					}
					rows[b] = append(rows[b], y[b*cfg.Outputs:(b+1)*cfg.Outputs]...)
				}
				tp.Reset()
			}
			if e := mixertest.RelErr(slices.Concat(rows...), whole); !(e <= mixertest.StepTol(d)) || s.Position != modelL {
				t.Errorf("%s: %s: error %.2g at position %d, want <= %g at %d", d, label(cfg), e, s.Position, mixertest.StepTol(d), modelL)
			}
		}
	}
}

// TestModelStateImport: generation goes on from an exported state, bit for bit.
func TestModelStateImport(t *testing.T) {
	for _, d := range mixertest.Devices(t) {
		m := buildModel(t, d, tinyModel())
		tp := tensor.NewTape(d)
		tp.SetGrad(false)
		s := m.NewState(modelB)
		m.run(tp, 0, 3, s)
		other := m.NewState(modelB)
		if err := other.Import(mixertest.ThroughJSON(t, s.Export())); err != nil {
			t.Fatal(err)
		}
		want := m.run(tp, 3, modelL, s).Data()
		if got := m.run(tp, 3, modelL, other).Data(); !slices.Equal(got, want) || other.Position != modelL {
			t.Errorf("%s: the imported state gives %v, want %v", d, got, want)
		}
	}
}

// TestModelParams: names, groups and number; tying saves the head.
func TestModelParams(t *testing.T) {
	tied := tinyModel()
	tied.Tied = true
	untied, numbers := tinyModel(), models()[1]
	numbers.Head = nn.LastHead
	count := func(cfg nn.ModelConfig) (int, []string) {
		m := buildModel(t, tensor.Reference(), cfg)
		return nn.CountParams(m.params), names(m.params)
	}
	nTied, namesTied := count(tied)
	nUntied, namesUntied := count(untied)
	_, namesNumbers := count(numbers)
	if nUntied-nTied != 5*4 || !slices.Equal(namesUntied, append(namesTied, "head.weight")) {
		t.Errorf("untied has %d parameters %v, tied %d %v", nUntied, namesUntied, nTied, namesTied)
	}
	for _, want := range []string{"embedding.weight", "layers.0.norm.weight", "layers.1.mixer.a", "norm_f.weight"} {
		if !slices.Contains(namesTied, want) {
			t.Errorf("no parameter %s in %v", want, namesTied)
		}
	}
	for _, want := range []string{"input.weight", "input.bias", "head.weight", "head.bias"} {
		if !slices.Contains(namesNumbers, want) {
			t.Errorf("no parameter %s in %v", want, namesNumbers)
		}
	}
	for _, p := range buildModel(t, tensor.Reference(), untied).params {
		want := tensor.NoDecay
		switch {
		case len(p.Shape()) == 2:
			want = tensor.Decay
		case p.Name == "layers.0.mixer.a" || p.Name == "layers.1.mixer.a":
			want = tensor.Recurrent
		}
		if p.Group != want {
			t.Errorf("%s %v is in group %s, want %s", p.Name, p.Shape(), p.Group, want)
		}
	}
}

// TestModelEmbeddingStart: N(0, 0.02²), within five standard errors.
func TestModelEmbeddingStart(t *testing.T) {
	cfg := tinyModel()
	cfg.Vocab, cfg.D = 500, 20
	b := nn.NewBuilder(tensor.Reference(), 1)
	if _, err := nn.NewModel(b, cfg, newIdentity); err != nil {
		t.Fatal(err)
	}
	data, sum, squares := b.Params()[0].Data(), 0.0, 0.0
	for _, v := range data {
		sum += v
		squares += v * v
	}
	n := float64(len(data))
	std := math.Sqrt(squares / n)
	if math.Abs(sum/n) > 5*0.02/math.Sqrt(n) || math.Abs(std-0.02) > 5*0.02/math.Sqrt(2*n) {
		t.Errorf("embedding has mean %g and standard deviation %g, want 0 and 0.02", sum/n, std)
	}
}

func TestModelRefusesWrongInput(t *testing.T) {
	d := tensor.Reference()
	tp := tensor.NewTape(d)
	tokens, numbers := buildModel(t, d, models()[0]), buildModel(t, d, models()[1])
	mixertest.MustPanic(t, "numbers to a model of tokens", func() { tokens.Numbers(tp, tensor.New(d, 1, 1, 2), nil) }, "nn: Model.Numbers", "takes tokens", "use Tokens")
	mixertest.MustPanic(t, "tokens to a model of numbers", func() { numbers.Tokens(tp, []int32{0}, 1, 1, nil) }, "nn: Model.Tokens", "takes numbers", "use Numbers")
	mixertest.MustPanic(t, "too few tokens", func() { tokens.Tokens(tp, []int32{0}, 1, 2, nil) }, "1 tokens, want 2")
	mixertest.MustPanic(t, "numbers of another width", func() { numbers.Numbers(tp, tensor.New(d, 1, 1, 3), nil) }, "x is (1, 1, 3), want (..., 2)")
}

// TestModelConfigErrors: every mistake is told at once.
func TestModelConfigErrors(t *testing.T) {
	for _, cfg := range models() {
		if err := cfg.Validate(); err != nil {
			t.Errorf("%s: %v", label(cfg), err)
		}
	}
	ok := tinyModel()
	change := func(f func(c *nn.ModelConfig)) nn.ModelConfig { c := ok; f(&c); return c }
	for _, tt := range []struct {
		cfg  nn.ModelConfig
		says []string
	}{
		{nn.ModelConfig{Tied: true, Block: nn.BlockConfig{Kind: nn.MambaBlock, Expand: 17, Conv: 65}},
			[]string{"d is 0, want 1 to 65536", "layers is 0, want 1 to 1000", "vocab, inputs is 0, 0, want exactly one above 0", "outputs is 0, want at least 1",
				`head is "", want one of [lm last mean]`, "tied is true, want false unless", "block.expand is 17", "block.conv is 65"}},
		{change(func(c *nn.ModelConfig) { c.Inputs = 3 }), []string{"vocab, inputs is 5, 3"}},
		{change(func(c *nn.ModelConfig) { c.Vocab = -5; c.Inputs = 3 }), []string{"vocab, inputs is -5, 3"}},
		{change(func(c *nn.ModelConfig) { c.Tied, c.Outputs = true, 4 }), []string{"tied is true"}},
		{change(func(c *nn.ModelConfig) { c.Tied, c.Head = true, nn.MeanHead }), []string{"tied is true"}},
	} {
		mixertest.WantErrors(t, tt.cfg.Validate(), tt.says...)
		_, err := nn.NewModel(nn.NewBuilder(tensor.Reference(), 1), tt.cfg, newLeaky)
		mixertest.WantErrors(t, err, tt.says...)
	}
}
