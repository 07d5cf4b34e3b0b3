package ssm_test

import (
	"fmt"
	"testing"

	"github.com/gophersnake/gophersnake/pkg/nn"
	"github.com/gophersnake/gophersnake/pkg/ssm"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// mambaModel is a language model of Mamba blocks with random weights.
func mambaModel(t testing.TB, dev *tensor.Device, d, layers, vocab int, tied bool) *nn.Model {
	t.Helper()
	c := nn.ModelConfig{D: d, Layers: layers, Vocab: vocab, Outputs: vocab, Head: nn.LMHead, Tied: tied, Block: nn.DefaultBlockConfig()}
	m, err := nn.NewModel(nn.NewBuilder(dev, 1), c, func(b *nn.Builder, width int) (nn.Mixer, error) {
		s := ssm.DefaultS6Config()
		s.D, s.Model = width, d
		return ssm.NewS6(b, s)
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func stepper(t testing.TB, m *nn.Model, batch int, w tensor.Weights) *nn.Stepper {
	t.Helper()
	s, err := nn.NewStepper(m, nn.StepperConfig{Batch: batch, Weights: w})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A step of generation allocates nothing.
func TestStepDoesNotAllocate(t *testing.T) {
	for _, w := range tensor.WeightFormats() {
		for _, batch := range []int{1, 3} {
			s := stepper(t, mambaModel(t, tensor.CPU(2), 40, 2, 50, false), batch, w)
			tokens := make([]int32, batch)
			if n := testing.AllocsPerRun(20, func() { s.Step(tokens) }); n != 0 {
				t.Errorf("%s, %d streams: a step allocates %v times, want 0", w, batch, n)
			}
		}
	}
}

// BenchmarkStep is one token of each stream: the shapes of bench/peers, the last
// the one of Mamba 130M.
func BenchmarkStep(b *testing.B) {
	for _, c := range []struct {
		d, layers, vocab int
		tied             bool
	}{{64, 2, 256, false}, {128, 2, 256, false}, {256, 4, 256, false}, {768, 24, 50280, true}} {
		for _, workers := range []int{1, 2} {
			m := mambaModel(b, tensor.CPU(workers), c.d, c.layers, c.vocab, c.tied)
			for _, w := range tensor.WeightFormats() {
				for _, batch := range []int{1, 16} {
					b.Run(fmt.Sprintf("d%d/workers%d/%s/streams%d", c.d, workers, w, batch), func(b *testing.B) {
						s := stepper(b, m, batch, w)
						tokens := make([]int32, batch)
						b.SetBytes(int64(s.WeightBytes()))
						b.ResetTimer()
						for b.Loop() {
							s.Step(tokens)
						}
						b.ReportMetric(float64(b.N*batch)/b.Elapsed().Seconds(), "tok/s")
					})
				}
			}
		}
	}
}
