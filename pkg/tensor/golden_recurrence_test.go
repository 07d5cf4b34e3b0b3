package tensor_test

import (
	"math"
	"testing"

	"github.com/gophersnake/gophersnake/internal/golden"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

func TestTorchRNN(t *testing.T) {
	// The states before the first step have no gradient here.
	eachVector(t, "rnn.json", []string{"h0", "c0"}, func(v *vectors) {
		h0 := tensor.From(v.device(), v.Inputs["h0"].Data, v.shape("h0")...)
		x, w, bias := v.in("x"), v.in("weight_hh_l0"), v.in("bias_hh_l0")
		p := v.tp.Linear(x, v.in("weight_ih_l0"), v.in("bias_ih_l0"))
		var y *tensor.Tensor
		switch v.Name {
		case "RNN": // no bias stands between W_hh h and its use: b_hh joins b_ih
			y = v.tp.Elman(v.tp.AddRow(p, bias), w, false, h0)
		case "GRU":
			y = v.tp.GRU(p, w, bias, h0)
		case "LSTM":
			c0 := tensor.From(v.device(), v.Inputs["c0"].Data, v.shape("c0")...)
			y = v.tp.LSTM(v.tp.AddRow(p, bias), w, h0, c0)
			v.out("c_n", c0.Data())
		default:
			v.t.Fatalf("no recurrence %s", v.Name)
		}
		v.out("h_n", h0.Data())
		v.finish(y, nil)
	})
}

// official holds the tolerances of the official test suite at float32
// (tests/ops/test_selective_scan.py: rtol 6e-4, atol 2e-3, "w" 1e-3 and, with z,
// max(atolw, atol)): |got − want| <= atol + rtol·|want|, element by element.
var official = map[string]struct{ rtol, atol float64 }{
	"out": {6e-4, 2e-3}, "last_state": {6e-4, 2e-3}, "u": {12e-4, 4e-3}, "delta": {30e-4, 20e-3},
	"A": {1e-3, 10e-3}, "B": {6e-4, 2e-3}, "C": {6e-4, 2e-3}, "D": {1e-3, 2e-3}, "z": {1e-3, 2e-3}, "delta_bias": {1e-3, 2e-3},
}

// wantOfficial compares with the official tolerances of float32.
func (v *vectors) wantOfficial(name string, got, want []float64) {
	v.t.Helper()
	base := name
	if n := len(name) - 3; n > 0 && (name[n:] == "_re" || name[n:] == "_im") {
		base = name[:n]
	}
	tol, ok := official[base]
	if !ok || len(got) != len(want) || len(got) == 0 {
		v.t.Fatalf("%s: no official tolerance, or %d elements, want %d", name, len(got), len(want))
	}
	for i := range got {
		if !(math.Abs(got[i]-want[i]) <= tol.atol+tol.rtol*math.Abs(want[i])) {
			v.t.Fatalf("%s[%d] is %v, want %v", name, i, got[i], want[i])
		}
	}
}

// TestTorchSelectiveScan: the cases of the official test suite. On cpu they are
// held to the official tolerances and to our narrower ones.
func TestTorchSelectiveScan(t *testing.T) {
	eachVector(t, "selective_scan.json", nil, func(v *vectors) {
		s, states := torchScan(v)
		b, d, l := v.shape("u")[0], v.shape("u")[1], v.shape("u")[2]
		y := v.tp.SelectiveScan(s)
		v.wantOfficial("out", golden.Swap(y.Data(), b, l, d, 1), v.Outputs["out"].Data)
		for name, st := range states {
			v.wantOfficial(name, st.Data(), v.Outputs[name].Data)
			v.out(name, st.Data())
		}
		v.finish(y, v.layout["u"])
		for name, x := range v.vars {
			g := x.Grad()
			if f := v.layout[name]; f != nil {
				g = f(g, true)
			}
			v.wantOfficial(name, g, v.Grads[name].Data)
		}
	})
}

// torchScan makes the operation's inputs, and the states, zero, by the names of
// the case's outputs.
func torchScan(v *vectors) (tensor.SelectiveScan, map[string]*tensor.Tensor) {
	b, d, l := v.shape("u")[0], v.shape("u")[1], v.shape("u")[2]
	re, im := "", "none"
	if v.flag("complex") {
		re, im = "_re", "_im"
	}
	n := v.shape("A" + re)[1]
	along := func(name string) *tensor.Tensor { return v.swapped(name, b, d, l, 1, b, l, d) }
	coefficient := func(name string, varying bool) *tensor.Tensor { // (D,N), or (B,G,N,L)
		switch g := v.Int("groups"); {
		case !varying:
			return v.in(name)
		case g > 1:
			return v.swapped(name, b, g*n, l, 1, b, l, g, n)
		}
		return v.swapped(name, b, n, l, 1, b, l, n)
	}
	states := map[string]*tensor.Tensor{"last_state" + re: tensor.New(v.device(), b, d, n)}
	if v.flag("complex") {
		states["last_state"+im] = tensor.New(v.device(), b, d, n)
	}
	return tensor.SelectiveScan{U: along("u"), Delta: along("delta"), DeltaBias: v.in("delta_bias"), Softplus: v.flag("delta_softplus"),
		A: v.in("A" + re), AIm: v.in("A" + im),
		B: coefficient("B"+re, v.flag("variable_B")), BIm: coefficient("B"+im, v.flag("variable_B")),
		C: coefficient("C"+re, v.flag("variable_C")), CIm: coefficient("C"+im, v.flag("variable_C")),
		Dskip: v.in("D"), Z: along("z"), State: states["last_state"+re], StateIm: states["last_state"+im]}, states
}
