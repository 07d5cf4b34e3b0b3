package tensor_test

import (
	"slices"
	"testing"

	"github.com/gophersnake/gophersnake/internal/mixertest"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// cellFunc runs a cell on the projection of u, from the states s.
type cellFunc func(tp *tensor.Tape, u, wIn, bias, w *tensor.Tensor, s []*tensor.Tensor) *tensor.Tensor

// projectedCell is a cell with its input's projection inside and outside.
type projectedCell struct {
	name            string
	gates, states   int
	inside, outside cellFunc
}

func projectedCells() []projectedCell {
	type ts = []*tensor.Tensor
	return []projectedCell{
		{"LSTM", 4, 2,
			func(tp *tensor.Tape, u, wIn, bias, w *tensor.Tensor, s ts) *tensor.Tensor {
				return tp.ProjectedLSTM(u, wIn, bias, w, s[0], s[1])
			},
			func(tp *tensor.Tape, u, wIn, bias, w *tensor.Tensor, s ts) *tensor.Tensor {
				return tp.LSTM(tp.Linear(u, wIn, bias), w, s[0], s[1])
			}},
	}
}

// TestProjectedIsLinearAndCell: a projection inside the cell gives the bits of
// one outside, in the output, the states and every gradient, at batches and
// lengths that are cut into whole and broken runs of steps.
func TestProjectedIsLinearAndCell(t *testing.T) {
	const d, h = 12, 17
	for _, dev := range mixertest.Devices(t) {
		for _, c := range projectedCells() {
			for _, s := range [][2]int{{1, 1}, {1, 200}, {3, 33}, {16, 13}, {130, 2}} {
				inside, outside := c.results(dev, c.inside, s[0], s[1], d, h), c.results(dev, c.outside, s[0], s[1], d, h)
				for name := range outside {
					if !slices.Equal(inside[name], outside[name]) {
						t.Errorf("%s: %s of batch and length %v: %s differs", dev.Name(), c.name, s, name)
					}
				}
			}
		}
	}
}

// results runs cell forwards and back.
func (c projectedCell) results(dev *tensor.Device, cell cellFunc, b, l, d, h int) map[string][]float64 {
	variable := func(name string, shape ...int) *tensor.Tensor {
		return tensor.Variable(dev, in(name, gauss(0.5), shape...).data, shape...)
	}
	u, wIn, bias := variable("u", b, l, d), variable("wIn", c.gates*h, d), variable("bias", c.gates*h)
	w, weight := variable("w", c.gates*h, h), tensor.From(dev, in("dh", gauss(1), b, l, h).data, b, l, h)
	var states []*tensor.Tensor
	for range c.states {
		states = append(states, tensor.From(dev, in("state", gauss(1), b, h).data, b, h))
	}
	tp := tensor.NewTape(dev)
	out := cell(tp, u, wIn, bias, w, states)
	found := map[string][]float64{"output": out.Data()}
	tp.Backward(tp.Mean(tp.Mul(out, weight)))
	for name, x := range map[string]*tensor.Tensor{"du": u, "dwIn": wIn, "dbias": bias, "dw": w} {
		found[name] = x.Grad()
	}
	for i, s := range states {
		found[[]string{"h", "c"}[i]] = s.Data()
	}
	return found
}

// TestProjectedLSTMTakesLessMemory: the sums of all steps, which are as large as
// the gates kept for the gradient, are never there.
func TestProjectedLSTMTakesLessMemory(t *testing.T) {
	const b, l, d, h = 4, 50, 8, 16
	for _, dev := range mixertest.Devices(t) {
		var bytes []int
		for _, cell := range []cellFunc{projectedCells()[0].inside, projectedCells()[0].outside} {
			tp := tensor.NewTape(dev)
			u, wIn := tensor.Variable(dev, make([]float64, b*l*d), b, l, d), tensor.Variable(dev, make([]float64, 4*h*d), 4*h, d)
			w := tensor.Variable(dev, make([]float64, 4*h*h), 4*h, h)
			tp.Backward(tp.Mean(cell(tp, u, wIn, nil, w, make([]*tensor.Tensor, 2))))
			bytes = append(bytes, tp.Bytes())
		}
		if sums := b * l * 4 * h * 4; bytes[0] > bytes[1]-sums {
			t.Errorf("%s: %d bytes with the projection inside, %d outside, want %d less", dev.Name(), bytes[0], bytes[1], sums)
		}
	}
}
