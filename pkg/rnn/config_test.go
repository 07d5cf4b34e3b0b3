package rnn

import (
	"math"
	"testing"

	"github.com/gophersnake/gophersnake/internal/mixertest"
	"github.com/gophersnake/gophersnake/pkg/nn"
)

func TestDefaultsAreValid(t *testing.T) {
	for _, err := range []error{DefaultDenseConfig().Validate(), DefaultGRUConfig().Validate(), DefaultLSTMConfig().Validate(), DefaultMinConfig().Validate()} {
		if err != nil {
			t.Error(err)
		}
	}
}

// Each bad config is refused by its constructor, before a parameter is made, by
// an error that names all bad fields with value and range.
func TestBadConfigs(t *testing.T) {
	for _, c := range []struct {
		want []string
		make func(b *nn.Builder) error
	}{
		{[]string{"dense.d is 0, want 1 to 65536", "dense.n is -1, want 1 to 65536", `dense.nonlinearity is "relu", want one of [tanh none]`, `dense.a is "", want one of [orthogonal ginibre glorot]`},
			func(b *nn.Builder) error {
				_, err := NewDense(b, DenseConfig{D: 0, N: -1, Nonlinearity: "relu"})
				return err
			}},
		{[]string{"gru.d is 0, want 1 to 65536", "gru.h is 70000, want 1 to 65536"},
			func(b *nn.Builder) error { _, err := NewGRU(b, GRUConfig{D: 0, H: 70000}); return err }},
		{[]string{"lstm.h is 0, want", "lstm.forget_bias is NaN, want -100 to 100"},
			func(b *nn.Builder) error {
				_, err := NewLSTM(b, LSTMConfig{D: 1, ForgetBias: math.NaN()})
				return err
			}},
		{[]string{"min.d is -3, want"}, func(b *nn.Builder) error { _, err := NewMinGRU(b, MinConfig{D: -3, H: 1}); return err }},
		{[]string{"min.h is 0, want"}, func(b *nn.Builder) error { _, err := NewMinLSTM(b, MinConfig{D: 3}); return err }},
	} {
		mixertest.BadConfig(t, c.make, c.want...)
	}
}
