package rnn_test

import (
	"fmt"

	"github.com/gophersnake/gophersnake/pkg/nn"
	"github.com/gophersnake/gophersnake/pkg/rnn"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// The first two rungs of the ladder differ in one field: without the tanh, twice
// the input is twice the output.
func ExampleNewDense() {
	dev := tensor.Reference()
	for _, f := range rnn.Nonlinearities() {
		cfg := rnn.DefaultDenseConfig()
		cfg.D, cfg.N, cfg.A, cfg.Nonlinearity = 1, 8, rnn.Orthogonal, f
		layer, err := rnn.NewDense(nn.NewBuilder(dev, 1), cfg)
		if err != nil {
			fmt.Println(err)
			return
		}
		out := func(u float64) []float64 { // the answer to an impulse
			return layer.Forward(tensor.NewTape(dev), tensor.From(dev, []float64{u, 0, 0, 0}, 1, 4, 1), nil).Data()
		}
		fmt.Println(layer.Name(), "doubles:", out(2)[3] == 2*out(1)[3])
	}
	// Output:
	// rnn(n=8) doubles: false
	// linear_rnn(n=8) doubles: true
}

// A sequence in two parts: the state carries over.
func ExampleGRU_NewState() {
	dev := tensor.Reference()
	cfg := rnn.DefaultGRUConfig()
	cfg.D, cfg.H = 2, 2
	layer, err := rnn.NewGRU(nn.NewBuilder(dev, 1), cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	tp := tensor.NewTape(dev)
	whole := layer.Forward(tp, tensor.From(dev, []float64{1, 2, 3, 4}, 1, 2, 2), nil).Data()

	state := layer.NewState(1)
	layer.Forward(tp, tensor.From(dev, []float64{1, 2}, 1, 1, 2), state)
	last := layer.Forward(tp, tensor.From(dev, []float64{3, 4}, 1, 1, 2), state).Data()
	fmt.Println(last[0] == whole[2], last[1] == whole[3])
	// Output: true true
}
