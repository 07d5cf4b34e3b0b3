package nn_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/gophersnake/gophersnake/pkg/nn"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

func stepModel(t *testing.T, d *tensor.Device, head nn.Head, mixer nn.NewMixerFunc) *nn.Model {
	t.Helper()
	c := nn.ModelConfig{D: 6, Layers: 2, Vocab: 11, Outputs: 11, Head: head, Tied: head == nn.LMHead, Block: nn.DefaultBlockConfig()}
	m, err := nn.NewModel(nn.NewBuilder(d, 1), c, mixer)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// A state of one stream moves into a batch, and there goes on as by itself.
func TestStepperLoad(t *testing.T) {
	d := tensor.CPU(1)
	m := stepModel(t, d, nn.LMHead, newLeaky)
	s, err := nn.NewStepper(m, nn.StepperConfig{Batch: 2, Weights: tensor.WeightsFloat32})
	if err != nil {
		t.Fatal(err)
	}
	state, tp := m.NewState(1), tensor.NewTape(d)
	tp.SetGrad(false)
	m.Tokens(tp, []int32{3, 1, 4, 1}, 1, 4, state)
	s.Step([]int32{7, 8}) // what the load is to replace
	if err := s.Load(1, state); err != nil {
		t.Fatal(err)
	}
	want := m.Tokens(tp, []int32{5}, 1, 1, state).Data()
	for i, got := range s.Step([]int32{9, 5})[11:] {
		if float64(got) != want[i] {
			t.Fatalf("score %d is %v, want %v", i, got, want[i])
		}
	}
	if p := s.State().Position; p != state.Position {
		t.Errorf("position is %d, want %d", p, state.Position)
	}
}

// Export and Import take a stepper back.
func TestStepperStateReturns(t *testing.T) {
	m := stepModel(t, tensor.CPU(1), nn.LMHead, newLeaky)
	s, err := nn.NewStepper(m, nn.DefaultStepperConfig())
	if err != nil {
		t.Fatal(err)
	}
	first := slices.Clone(s.Step([]int32{1}))
	before := s.State().Export()
	second := slices.Clone(s.Step([]int32{1}))
	if slices.Equal(first, second) {
		t.Fatal("the model remembers nothing")
	}
	if err := s.State().Import(before); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(second, s.Step([]int32{1})) {
		t.Error("another step from the same state")
	}
}

func TestNewStepperErrors(t *testing.T) {
	cpu := tensor.CPU(1)
	one := nn.DefaultStepperConfig()
	for _, c := range []struct {
		m    *nn.Model
		c    nn.StepperConfig
		want string
	}{
		{stepModel(t, cpu, nn.LMHead, newAttention), one, "attention"},
		{stepModel(t, cpu, nn.MeanHead, newLeaky), one, `head "mean"`},
		{stepModel(t, tensor.Reference(), nn.LMHead, newLeaky), one, "device reference cannot repeat"},
		{stepModel(t, cpu, nn.LMHead, newLeaky), nn.StepperConfig{Batch: 1, Weights: "half"}, `weights are "half", want one of`},
		{stepModel(t, cpu, nn.LMHead, newLeaky), nn.StepperConfig{Weights: "int8"}, "batch is 0"},
	} {
		if _, err := nn.NewStepper(c.m, c.c); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
	s, err := nn.NewStepper(stepModel(t, cpu, nn.LastHead, newLeaky), one)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Load(1, nil); err == nil || !strings.Contains(err.Error(), "stream 1, want 0 to 0") {
		t.Errorf("Load: error %v", err)
	}
	for _, tokens := range [][]int32{{1, 2}, {11}, {-1}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("tokens %v are accepted", tokens)
				}
			}()
			s.Step(tokens)
		}()
	}
}
