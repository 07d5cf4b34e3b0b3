package tensor

import (
	"fmt"

	"github.com/gophersnake/gophersnake/internal/device"
)

// Weights says how a Plan keeps the matrices that it multiplies by: "float32",
// "bf16" or "int8".
type Weights = device.Weights

// The formats of weights. Arithmetic is float32 with each of them.
const (
	WeightsFloat32 = device.Float32 // exact
	WeightsBF16    = device.BF16    // two bytes: relative error of a weight up to 2⁻⁸
	WeightsInt8    = device.Int8    // one byte: error up to the greatest weight of the row divided by 254
)

// WeightFormats lists the formats of weights.
func WeightFormats() []Weights { return device.WeightFormats() }

// Plan repeats one step of a model: the operations of a forward pass over one
// step of time, on the same memory, without a tape and, for most of them, without
// allocating. It serves one goroutine at a time.
type Plan struct {
	program device.Program
	out     *Tensor
}

// Record runs f, a forward pass without gradient, on a fresh tape of d, and
// returns the plan that repeats the operations which it made. Those take their
// inputs where f found them: tokens in f's slice, states in their tensors, which
// f must update in place. Everything else that f read, such as parameters, must
// not change afterwards.
//
// It is an error if d or an operation of f does not allow it: attention reads
// more with every step, and a Function is outside the device's sight. f itself
// does not run again, so what it decides, by the position say, is decided.
func Record(d *Device, w Weights, f func(tp *Tape) *Tensor) (*Plan, error) {
	if err := CheckWeights(w); err != nil {
		return nil, err
	}
	recorder, ok := d.impl.(device.Recorder)
	if !ok {
		return nil, fmt.Errorf("tensor: Record: device %s cannot repeat operations, want cpu", d.Name())
	}
	recording := recorder.Record(w)
	tp := &Tape{dev: d, d: recording, arena: newArena(d.impl), noGrad: true}
	out := f(tp)
	program, err := recording.Program()
	if err != nil {
		return nil, fmt.Errorf("tensor: Record: %w", err)
	}
	return &Plan{program, out}, nil
}

// CheckWeights returns an error that names the formats unless w is one.
func CheckWeights(w Weights) error {
	for _, known := range WeightFormats() {
		if w == known {
			return nil
		}
	}
	return fmt.Errorf("tensor: weights are %q, want one of %q", w, WeightFormats())
}

// Run repeats the operations.
func (p *Plan) Run() { p.program.Run() }

// Output returns what f returned, in float32. The next Run overwrites it; the
// caller must not.
func (p *Plan) Output() []float32 { return p.out.buf.F32 }

// WeightBytes returns how much memory of weight matrices a Run reads. Embeddings
// count whole.
func (p *Plan) WeightBytes() int { return p.program.WeightBytes() }
