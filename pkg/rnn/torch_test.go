package rnn

import (
	"strings"
	"testing"

	"github.com/gophersnake/gophersnake/internal/golden"
	"github.com/gophersnake/gophersnake/internal/mixertest"
	"github.com/gophersnake/gophersnake/pkg/nn"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// devices pairs each device with its tolerance against PyTorch's float64: 1e-9
// is what testdata/torch promises, 1e-4 what the project asks of cpu gradients.
func devices() map[*tensor.Device]func(string) float64 {
	return map[*tensor.Device]func(string) float64{
		tensor.Reference(): func(string) float64 { return 1e-9 },
		tensor.CPU(2):      func(string) float64 { return mixertest.GradTol },
	}
}

func add(a, b golden.Array) golden.Array {
	out := golden.Array{Shape: a.Shape, Data: make([]float64, len(a.Data))}
	for i := range out.Data {
		out.Data[i] = a.Data[i] + b.Data[i]
	}
	return out
}

// rename gives a case's arrays our names.
func rename(c golden.Case, old, name string) {
	for _, set := range []map[string]golden.Array{c.Inputs, c.Grads} {
		if a, ok := set[old]; ok {
			set[name] = a
		}
	}
}

// torchLayer builds the layer of a case of rnn.json, gives the case our names
// and returns the names of the states.
func torchLayer(t *testing.T, c golden.Case, b *nn.Builder) (nn.Mixer, []string) {
	t.Helper()
	d, h := c.Int("D"), c.Int("H")
	var m nn.Mixer
	var err error
	states := []string{"h"}
	switch c.Name {
	case "GRU":
		m, err = NewGRU(b, GRUConfig{D: d, H: h})
		for _, name := range []string{"weight_ih", "weight_hh", "bias_ih", "bias_hh"} {
			rename(c, name+"_l0", name)
		}
	case "LSTM":
		m, err = NewLSTM(b, LSTMConfig{D: d, H: h})
		states = []string{"h", "c"}
		rename(c, "weight_ih_l0", "weight_ih")
		rename(c, "weight_hh_l0", "weight_hh")
		// Only the sum of PyTorch's two biases acts; each has the sum's gradient.
		rename(c, "bias_ih_l0", "bias")
		c.Inputs["bias"] = add(c.Inputs["bias_ih_l0"], c.Inputs["bias_hh_l0"])
	case "RNN":
		m, err = NewDense(b, DenseConfig{D: d, N: h, Nonlinearity: Tanh, A: Glorot})
		states = []string{"x"}
		rename(c, "weight_ih_l0", "B")
		rename(c, "weight_hh_l0", "A")
		rename(c, "bias_ih_l0", "bias")
		c.Inputs["bias"] = add(c.Inputs["bias_ih_l0"], c.Inputs["bias_hh_l0"])
	default:
		t.Fatalf("no layer for case %s", c.Name)
	}
	if err != nil {
		t.Fatal(err)
	}
	return m, states
}

// hiddenStates runs the layer's recurrence without its way out, which torch.nn
// does not have.
func hiddenStates(tp *tensor.Tape, m nn.Mixer, x *tensor.Tensor, s *nn.State) *tensor.Tensor {
	switch m := m.(type) {
	case *Dense:
		return tp.Elman(tp.Linear(x, m.b.Tensor, m.bias.Tensor), m.a.Tensor, false, s.Get("x"))
	case *GRU:
		m.out = nil
		return m.Forward(tp, x, s)
	case *LSTM:
		m.out = nil
		return m.Forward(tp, x, s)
	}
	return nil
}

func TestTorchRNN(t *testing.T) {
	worst := mixertest.Worst{}
	for dev, tol := range devices() {
		for _, c := range golden.Load(t, "rnn.json") {
			b := nn.NewBuilder(dev, 1)
			m, states := torchLayer(t, c, b)
			s := m.NewState(c.Int("B"))
			for i, name := range states {
				s.Get(name).SetData(c.Inputs[[]string{"h0", "c0"}[i]].Data)
			}
			var params []*tensor.Param
			for _, p := range b.Params() {
				if p.Name != "C" && p.Name != "D" && !strings.HasPrefix(p.Name, "out_proj") {
					params = append(params, p)
				}
			}
			x := tensor.Variable(dev, c.Inputs["x"].Data, c.Inputs["x"].Shape...)
			worst.Note("torch "+dev.Name(), mixertest.Vector{Case: c, Params: params, Vars: map[string]*tensor.Tensor{"x": x}, Tol: tol,
				Run: func(tp *tensor.Tape) *tensor.Tensor { return hiddenStates(tp, m, x, s) }}.Check(t))
			for i, name := range states {
				last := []string{"h_n", "c_n"}[i]
				if e := golden.RelErr(s.Get(name).Data(), c.Outputs[last].Data); e > tol("") {
					t.Errorf("%s %s: %s: relative error %.3g", dev.Name(), c.Name, last, e)
				}
			}
		}
	}
	worst.Log(t)
}

func TestTorchMinRNN(t *testing.T) {
	worst := mixertest.Worst{}
	for dev, tol := range devices() {
		for _, c := range golden.Load(t, "minrnn.json") {
			in := map[string]*tensor.Tensor{}
			for name, a := range c.Inputs {
				if name != "h0" && name != "dy" {
					in[name] = tensor.Variable(dev, a.Data, a.Shape...)
				}
			}
			state := tensor.From(dev, c.Inputs["h0"].Data, c.Inputs["h0"].Shape...)
			worst.Note("torch "+dev.Name(), mixertest.Vector{Case: c, Vars: in, Tol: tol, Run: func(tp *tensor.Tape) *tensor.Tensor {
				if in["k"] != nil {
					return minGRU(tp, in["k"], in["h_pre"], state)
				}
				return minLSTM(tp, in["k_f"], in["k_i"], in["h_pre"], state)
			}}.Check(t))
		}
	}
	worst.Log(t)
}
