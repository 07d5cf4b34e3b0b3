package lab

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gophersnake/gophersnake/pkg/optim"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// resting makes two parameters and an optimiser; the second parameter gets a
// gradient from step rest on.
func resting(t *testing.T, d *tensor.Device, steps, rest int) ([]*tensor.Param, *optim.AdamW) {
	t.Helper()
	params := []*tensor.Param{
		tensor.NewParam(d, "a", tensor.Decay, []float64{1, 2}, 2), tensor.NewParam(d, "b", tensor.Recurrent, []float64{3}, 1)}
	opt, err := optim.NewAdamW(params, optim.DefaultAdamWConfig())
	if err != nil {
		t.Fatal(err)
	}
	for step := range steps {
		stepParams(params, opt, step >= rest)
	}
	return params, opt
}

// stepParams takes a step with the gradients 2a and, if both, 2b.
func stepParams(params []*tensor.Param, opt *optim.AdamW, both bool) {
	tp := tensor.NewTape(params[0].Device())
	loss := tp.Sum(tp.Map(tensor.Square, params[0].Tensor))
	if both {
		loss = tp.Add(loss, tp.Sum(tp.Map(tensor.Square, params[1].Tensor)))
	}
	tp.Backward(loss)
	opt.Step(0.01)
}

// TestCheckpointKeepsEachCount: the parameters' numbers of updates come back,
// and the next step is that of a run without a pause. Equal counts are written
// as the one number that checkpoints held before.
func TestCheckpointKeepsEachCount(t *testing.T) {
	for _, tt := range []struct {
		rest  int
		steps []int
	}{{0, nil}, {3, []int{5, 2}}, {9, []int{5, 0}}} {
		for _, name := range tensor.DeviceNames() {
			d, err := tensor.OpenDevice(name, 1)
			if err != nil {
				t.Fatal(err)
			}
			e := tiny(S6)
			e.Device = name
			params, opt := resting(t, d, 5, tt.rest)
			run := &trainer{e: e, step: 5, watch: divergence{First: 2, High: 1}, params: params, opt: opt}
			data := run.encodeCheckpoint()
			if got := strings.Contains(string(data), `"optimiser_steps"`); got != (tt.steps != nil) {
				t.Errorf("%s: gradients from step %d on: counts written: %t", name, tt.rest, got)
			}
			c, err := DecodeCheckpoint(data)
			if err != nil {
				t.Fatal(err)
			}
			if c.Step != 5 || c.watch != (divergence{First: 2, High: 1}) || c.optimiser.Step != 5 || !slices.Equal(c.optimiser.Steps, tt.steps) {
				t.Errorf("%s: read step %d, %+v, counts %d %v", name, c.Step, c.watch, c.optimiser.Step, c.optimiser.Steps)
			}
			again, second := resting(t, d, 0, 0)
			if err := c.restore(again); err != nil {
				t.Fatal(err)
			}
			if err := second.Import(c.optimiser); err != nil {
				t.Fatal(err)
			}
			stepParams(params, opt, true)
			stepParams(again, second, true)
			for i, p := range params {
				if !slices.Equal(again[i].Data(), p.Data()) {
					t.Errorf("%s: %s is %v after the pause, want %v", name, p.Name, again[i].Data(), p.Data())
				}
			}
			if got, want := fmt.Sprint(second.Export()), fmt.Sprint(opt.Export()); got != want {
				t.Errorf("%s: %s after the pause, want %s", name, got, want)
			}
		}
	}
}

// TestRestoreRefusesOtherParameters: names, sizes and number must be the
// model's, and nothing is overwritten before that is known.
func TestRestoreRefusesOtherParameters(t *testing.T) {
	d := tensor.Reference()
	params, opt := resting(t, d, 1, 0)
	run := &trainer{e: onReference(tiny(S6)), step: 1, params: params, opt: opt}
	c, err := DecodeCheckpoint(run.encodeCheckpoint())
	if err != nil {
		t.Fatal(err)
	}
	a := tensor.NewParam(d, "a", tensor.Decay, []float64{7, 7}, 2)
	for _, tt := range []struct {
		params []*tensor.Param
		says   string
	}{
		{[]*tensor.Param{a}, "holds 2 parameters, the model has 1"},
		{[]*tensor.Param{a, tensor.NewParam(d, "c", tensor.Decay, []float64{7}, 1)}, "parameter 1 is b, [1], the model's c, [1]"},
		{[]*tensor.Param{a, tensor.NewParam(d, "b", tensor.Decay, []float64{7, 7}, 2)}, "parameter 1 is b, [1], the model's b, [2]"},
	} {
		if err := c.restore(tt.params); err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("error %v, want one with %q", err, tt.says)
		}
	}
	c.params[1].Shape = nil // a file from before shapes were noted: the size still counts
	other := []*tensor.Param{a, tensor.NewParam(d, "b", tensor.Decay, []float64{7, 7}, 2)}
	if err := c.restore(other); err == nil || !strings.Contains(err.Error(), "parameter 1 is b, 1 elements, the model's b, [2]") {
		t.Errorf("another size in a file without shapes: %v", err)
	}
	if !slices.Equal(a.Data(), []float64{7, 7}) {
		t.Errorf("a refused checkpoint wrote %v", a.Data())
	}
}

func onReference(e Experiment) Experiment {
	e.Device = "reference"
	return e
}
