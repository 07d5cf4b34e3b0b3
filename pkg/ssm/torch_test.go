package ssm

import (
	"testing"

	"github.com/gophersnake/gophersnake/internal/golden"
	"github.com/gophersnake/gophersnake/internal/mixertest"
	"github.com/gophersnake/gophersnake/pkg/nn"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// What the vectors of testdata/torch promise at float64 (its README).
const torchTol = 1e-9

// The tolerances of the official test suite at float32 (tests/ops/test_selective_scan.py), as bound
// on the largest error over the largest value: its rtol. The cpu device is held
// to them where an absolute part would only loosen it.
func officialTol(name string) float64 {
	switch name {
	case "delta", "delta_bias": // rtol × 5
		return 3e-3
	case "A", "A_re", "A_im", "D", "z":
		return 1e-3
	case "u":
		return 1.2e-3
	}
	return 6e-4
}

// devices pairs each device with its tolerances against PyTorch's float64.
func devices() map[*tensor.Device]func(string) float64 {
	return map[*tensor.Device]func(string) float64{
		tensor.Reference(): func(string) float64 { return torchTol },
		tensor.CPU(2):      officialTol,
	}
}

func TestTorchLRU(t *testing.T) {
	worst := mixertest.Worst{}
	for dev, tol := range devices() {
		for _, c := range golden.Load(t, "lru.json") {
			cfg := DefaultDiagonalConfig()
			cfg.D, cfg.N = c.Int("D"), c.Int("N")
			b := nn.NewBuilder(dev, 1)
			m, err := NewDiagonal(b, cfg)
			if err != nil {
				t.Fatal(err)
			}
			u := tensor.Variable(dev, c.Inputs["u"].Data, c.Inputs["u"].Shape...)
			s := m.NewState(c.Int("B"))
			worst.Note("torch "+dev.Name(), mixertest.Vector{Case: c, Params: b.Params(), Vars: map[string]*tensor.Tensor{"u": u}, Tol: tol,
				Run: func(tp *tensor.Tape) *tensor.Tensor { return m.Forward(tp, u, s) }}.Check(t))
			for _, part := range []string{"re", "im"} {
				want := c.Outputs["last_state_"+part].Data
				if e := golden.RelErr(s.Get("x_"+part).Data(), want); e > tol("") {
					t.Errorf("%s %s: last state %s: relative error %.3g", dev.Name(), c.Name, part, e)
				}
			}
		}
	}
	worst.Log(t)
}

// toLayout turns the time axis of a case's arrays to where ours is.
func toLayout(c golden.Case, rows int, names ...string) {
	for _, set := range []map[string]golden.Array{c.Inputs, c.Outputs, c.Grads} {
		for _, name := range names {
			a, ok := set[name]
			if !ok {
				continue
			}
			l := a.Shape[len(a.Shape)-1]
			batch := len(a.Data) / (rows * l)
			set[name] = golden.Array{Shape: []int{batch, l, rows}, Data: golden.Swap(a.Data, batch, rows, l, 1)}
		}
	}
}

// toGroups turns (B,G,rows,L) into (B,L,G,rows).
func toGroups(c golden.Case, rows int, names ...string) {
	groups := c.Int("groups")
	toLayout(c, groups*rows, names...)
	for _, set := range []map[string]golden.Array{c.Inputs, c.Grads} {
		for _, name := range names {
			if a, ok := set[name]; ok {
				set[name] = golden.Array{Shape: []int{a.Shape[0], a.Shape[1], groups, rows}, Data: a.Data}
			}
		}
	}
}

func TestTorchS4D(t *testing.T) {
	worst := mixertest.Worst{}
	for dev, tol := range devices() {
		for _, c := range golden.Load(t, "s4d.json") {
			d, n, l := c.Int("H"), c.Int("half_N"), c.Int("L")
			toLayout(c, d, "u", "dy", "out")
			b := nn.NewBuilder(dev, 1)
			m, err := NewS4D(b, S4DConfig{D: d, N: 2 * n, A: ALin, DtMin: 1e-3, DtMax: 1e-1})
			if err != nil {
				t.Fatal(err)
			}
			u := tensor.Variable(dev, c.Inputs["u"].Data, c.Inputs["u"].Shape...)
			worst.Note("torch "+dev.Name(), mixertest.Vector{Case: c, Params: b.Params(), Vars: map[string]*tensor.Tensor{"u": u}, Tol: tol,
				Run: func(tp *tensor.Tape) *tensor.Tensor { return m.Forward(tp, u, nil) }}.Check(t))
			for ch := range d { // torch's K is without D
				got := m.Kernel(ch, l)
				got[0] -= c.Inputs["D"].Data[ch]
				if e := golden.RelErr(got, c.Outputs["K"].Data[ch*l:(ch+1)*l]); e > tol("") {
					t.Errorf("%s %s: kernel of channel %d: relative error %.3g", dev.Name(), c.Name, ch, e)
				}
			}
		}
	}
	worst.Log(t)
}

func TestTorchMamba(t *testing.T) {
	worst := mixertest.Worst{}
	for dev, tol := range devices() {
		for _, c := range golden.Load(t, "mamba_block.json") {
			cfg := DefaultMambaConfig()
			cfg.D, cfg.Core.N, cfg.Conv = c.Int("D"), c.Int("N"), c.Int("d_conv")
			b := nn.NewBuilder(dev, 1)
			m, err := NewMamba(b, cfg)
			if err != nil {
				t.Fatal(err)
			}
			if got := m.Core().Config().Rank(); got != c.Int("R") {
				t.Errorf("rank is %d, want %d", got, c.Int("R"))
			}
			x := tensor.Variable(dev, c.Inputs["hidden_states"].Data, c.Inputs["hidden_states"].Shape...)
			s := m.NewState(c.Int("B"))
			worst.Note("torch "+dev.Name(), mixertest.Vector{Case: c, Params: b.Params(), Vars: map[string]*tensor.Tensor{"hidden_states": x}, Tol: tol,
				Run: func(tp *tensor.Tape) *tensor.Tensor { return m.Forward(tp, x, s) }}.Check(t))
			if e := golden.RelErr(s.Part("ssm").Get("h").Data(), c.Outputs["ssm_state"].Data); e > tol("") {
				t.Errorf("%s %s: state of the S6: relative error %.3g", dev.Name(), c.Name, e)
			}
			// The official state holds K inputs, of which only K−1 are read again.
			k, e := cfg.Conv, cfg.Expand*cfg.D
			official := golden.Swap(c.Outputs["conv_state"].Data, c.Int("B"), e, k, 1)
			want := mixertest.Part(official, c.Int("B"), k, 1, k)
			if e := golden.RelErr(s.Part("conv").Get("inputs").Data(), want); e > tol("") {
				t.Errorf("%s %s: state of the convolution: relative error %.3g", dev.Name(), c.Name, e)
			}
		}
	}
	worst.Log(t)
}

// TestTorchSelectiveScan holds the operation under S4D, S6 and Mamba to the
// official selective_scan_ref, with every part present and absent.
func TestTorchSelectiveScan(t *testing.T) {
	worst := mixertest.Worst{}
	for dev, tol := range devices() {
		for _, c := range golden.Load(t, "selective_scan.json") {
			d, n := c.Int("D"), c.Int("N")
			toLayout(c, d, "u", "delta", "z", "dy", "out")
			for name, varying := range map[string]string{"B": "variable_B", "C": "variable_C"} {
				if c.Meta[varying].(bool) {
					toGroups(c, n, name, name+"_re", name+"_im")
				}
			}
			in := map[string]*tensor.Tensor{}
			for name, a := range c.Inputs {
				if name != "dy" {
					in[name] = tensor.Variable(dev, a.Data, a.Shape...)
				}
			}
			pick := func(name, other string) *tensor.Tensor {
				if t := in[name]; t != nil {
					return t
				}
				return in[other]
			}
			state, stateIm := tensor.New(dev, c.Int("B"), d, n), tensor.New(dev, c.Int("B"), d, n)
			k := tensor.SelectiveScan{U: in["u"], Delta: in["delta"], DeltaBias: in["delta_bias"],
				Softplus: c.Meta["delta_softplus"].(bool), A: pick("A", "A_re"), AIm: in["A_im"],
				B: pick("B", "B_re"), BIm: in["B_im"], C: pick("C", "C_re"), CIm: in["C_im"],
				Dskip: in["D"], Z: in["z"], State: state}
			last := map[string]*tensor.Tensor{"last_state": state}
			if k.AIm != nil {
				k.StateIm = stateIm
				last = map[string]*tensor.Tensor{"last_state_re": state, "last_state_im": stateIm}
			}
			worst.Note("torch "+dev.Name(), mixertest.Vector{Case: c, Vars: in, Tol: tol, Run: func(tp *tensor.Tape) *tensor.Tensor { return tp.SelectiveScan(k) }}.Check(t))
			for name, s := range last {
				if e := golden.RelErr(s.Data(), c.Outputs[name].Data); e > tol("") {
					t.Errorf("%s %s: %s: relative error %.3g", dev.Name(), c.Name, name, e)
				}
			}
		}
	}
	worst.Log(t)
}
