package ssm_test

import (
	"fmt"

	"github.com/gophersnake/gophersnake/pkg/nn"
	"github.com/gophersnake/gophersnake/pkg/ssm"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// Four ways to the same numbers, at four prices.
func ExampleScan() {
	a := make([]float64, 1024)
	b := make([]float64, 1024)
	for i := range a {
		a[i], b[i] = 0.5, 1
	}
	for _, alg := range ssm.Algorithms() {
		h, cost := ssm.Scan(alg, a, b)
		fmt.Printf("%-14s h = %.3f %.3f … %.3f, work %d, depth %d\n", alg, h[0], h[1], h[1023], cost.Work, cost.Depth)
	}
	// Output:
	// sequential     h = 1.000 1.500 … 2.000, work 1023, depth 1023
	// hillis_steele  h = 1.000 1.500 … 2.000, work 9217, depth 10
	// blelloch       h = 1.000 1.500 … 2.000, work 2046, depth 20
	// chunked        h = 1.000 1.500 … 2.000, work 1790, depth 258
}

// Whole sequences for training; one step at a time for generation.
func ExampleNewS6() {
	dev := tensor.Reference()
	cfg := ssm.DefaultS6Config()
	cfg.D, cfg.N = 2, 4
	layer, err := ssm.NewS6(nn.NewBuilder(dev, 1), cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	tp := tensor.NewTape(dev)
	u := tensor.From(dev, []float64{1, 2, 3, 4, 5, 6}, 1, 3, 2)
	whole := layer.Forward(tp, u, nil).Data()

	state := layer.NewState(1)
	for t := range 3 {
		y := nn.Step(tp, layer, tp.SelectTime(u, t), state).Data()
		fmt.Println(y[0] == whole[2*t], y[1] == whole[2*t+1])
	}
	fmt.Println(layer.Name(), "after", state.Position, "steps")
	// Output:
	// true true
	// true true
	// true true
	// s6(selective Δ,B,C, n=4, s4d_real) after 3 steps
}

// A config says all that is wrong with it at once.
func ExampleS6Config_Validate() {
	cfg := ssm.DefaultS6Config()
	cfg.N, cfg.A, cfg.Signed = 300, ssm.ALin, true
	fmt.Println(cfg.Validate())
	// Output:
	// s6.n is 300, want 1 to 256
	// s6.signed is true, want false for the complex a = s4d_lin
}
