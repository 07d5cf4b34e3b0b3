package ssm_test

import (
	"slices"
	"testing"

	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// The bits of a step do not depend on the number of workers: with a share of the
// work for each, with several, and on fewer processors than workers.
func TestStepOnWorkers(t *testing.T) {
	const vocab = 60
	for _, batch := range []int{1, 3, 33} {
		for _, w := range tensor.WeightFormats() {
			one := stepper(t, mambaModel(t, tensor.CPU(1), 136, 2, vocab, false), batch, w)
			for _, workers := range []int{2, 3} {
				many := stepper(t, mambaModel(t, tensor.CPU(workers), 136, 2, vocab, false), batch, w)
				if err := many.State().Import(one.State().Export()); err != nil {
					t.Fatal(err)
				}
				tokens := make([]int32, batch)
				for step := range 5 {
					for i := range tokens {
						tokens[i] = int32((step*7 + i) % vocab)
					}
					want := slices.Clone(one.Step(tokens))
					if got := many.Step(tokens); !slices.Equal(got, want) {
						t.Fatalf("%s, %d streams, %d workers, step %d: other scores", w, batch, workers, step)
					}
				}
				if n := testing.AllocsPerRun(20, func() { many.Step(tokens) }); n != 0 {
					t.Errorf("%s, %d streams, %d workers: a step allocates %v times, want 0", w, batch, workers, n)
				}
			}
		}
	}
}
