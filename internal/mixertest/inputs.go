package mixertest

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gophersnake/gophersnake/pkg/nn"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// Devices opens every device, with two workers where it has any.
func Devices(t testing.TB) []*tensor.Device {
	t.Helper()
	var all []*tensor.Device
	for _, name := range tensor.DeviceNames() {
		d, err := tensor.OpenDevice(name, 2)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, d)
	}
	return all
}

// NewTape returns a tape that fills freed memory with NaN.
func NewTape(d *tensor.Device) *tensor.Tape {
	tp := tensor.NewTape(d)
	tp.Poison(true)
	return tp
}

func toFloat32(v float64) float64 { return float64(float32(v)) }

// Noise returns n float32 numbers of variance 1.
func Noise(seed uint64, n int) []float64 {
	rng := rand.New(rand.NewPCG(seed, 13))
	out := make([]float64, n)
	for i := range out {
		out[i] = toFloat32(rng.NormFloat64())
	}
	return out
}

// Perturb moves every parameter by noise of the given size off its start, where
// ones and zeros could hide an error, to the same float32 numbers on every
// device: the start is rounded first, as a float32 device has rounded it. (A
// coarser grid afterwards would part two starts that lie across its edge.)
func Perturb(params []*tensor.Param, size float64) {
	rng := rand.New(rand.NewPCG(7, 11))
	for _, p := range params {
		data := p.Data()
		for i, v := range data {
			data[i] = toFloat32(toFloat32(v) + size*rng.NormFloat64())
		}
		p.SetData(data)
	}
}

// Tensors returns what to differentiate by: others, then the parameters.
func Tensors(params []*tensor.Param, others ...*tensor.Tensor) []*tensor.Tensor {
	for _, p := range params {
		others = append(others, p.Tensor)
	}
	return others
}

// Forward returns m's output (B,L,·) for x (B,L,D) on a new tape.
func Forward(m nn.Mixer, dev *tensor.Device, x []float64, batch, length int, s *nn.State) []float64 {
	return m.Forward(NewTape(dev), tensor.From(dev, x, batch, length, len(x)/(batch*length)), s).Data()
}

// Part returns steps lo to hi of x (B,L,D).
func Part[T any](x []T, batch, length, lo, hi int) []T {
	width := len(x) / (batch * length)
	var out []T
	for b := range batch {
		out = append(out, x[(b*length+lo)*width:(b*length+hi)*width]...)
	}
	return out
}

// Cuts are the points that cut the given length into pieces.
func Cuts(length, piece int) []int {
	var cuts []int
	for at := piece; at < length; at += piece {
		cuts = append(cuts, at)
	}
	return cuts
}

// InPieces cuts x (B,L,D) at the given points, runs f on the pieces (B,steps,D)
// one after the other, and joins the outputs to (B,L,·).
func InPieces(x []float64, batch, length int, cuts []int, f func(piece []float64, steps int) []float64) []float64 {
	rows := make([][]float64, batch)
	lo := 0
	for _, hi := range append(slices.Clone(cuts), length) {
		y := f(Part(x, batch, length, lo, hi), hi-lo)
		for b := range rows {
			n := len(y) / batch
			rows[b] = append(rows[b], y[b*n:(b+1)*n]...)
		}
		lo = hi
	}
	return slices.Concat(rows...)
}

// ThroughJSON is what a file does to a snapshot.
func ThroughJSON(t testing.TB, s *nn.Snapshot) *nn.Snapshot {
	t.Helper()
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	out := new(nn.Snapshot)
	if err := json.Unmarshal(text, out); err != nil {
		t.Fatal(err)
	}
	return out
}
