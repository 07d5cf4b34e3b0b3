package tensor_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gophersnake/gophersnake/internal/golden"
	"github.com/gophersnake/gophersnake/internal/mixertest"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// goldenTol is what testdata/torch/README.md says to ask of float64 code.
const goldenTol = 1e-9

// vectors is one PyTorch case on one device. Its loss is Σ out ⊙ dy.
type vectors struct {
	golden.Case
	t       *testing.T
	tp      *tensor.Tape
	vars    map[string]*tensor.Tensor
	layout  map[string]func(x []float64, back bool) []float64 // to the tape's order of elements, or back
	checked map[string]bool
	worst   *goldenWorst
}

// goldenWorst is the largest relative errors on one device.
type goldenWorst struct{ out, grad float64 }

// eachVector runs f on every case of file on every device, and fails if f left
// an output or a gradient uncompared, save those named in except.
func eachVector(t *testing.T, file string, except []string, f func(v *vectors)) {
	for _, d := range mixertest.Devices(t) {
		var w goldenWorst
		for _, c := range golden.Load(t, file) {
			t.Run(d.Name()+"/"+c.Name, func(t *testing.T) {
				v := &vectors{Case: c, t: t, tp: tensor.NewTape(d), vars: map[string]*tensor.Tensor{},
					layout: map[string]func([]float64, bool) []float64{}, checked: map[string]bool{}, worst: &w}
				v.tp.Poison(true)
				f(v)
				for k := range c.Outputs {
					if !v.checked["out "+k] && !slices.Contains(except, k) {
						t.Errorf("output %s was not compared", k)
					}
				}
				for k := range c.Grads {
					if !v.checked["grad "+k] && !slices.Contains(except, k) {
						t.Errorf("gradient of %s was not compared", k)
					}
				}
			})
		}
		t.Logf("%s on %s: worst output %.2g, worst gradient %.2g", file, d, w.out, w.grad)
	}
}

func (v *vectors) device() *tensor.Device { return v.tp.Device() }

func (v *vectors) shape(name string) []int { return v.Inputs[name].Shape }

func (v *vectors) flag(name string) bool { return v.Meta[name].(bool) }

// in makes a variable of an input, nil if the case has none of that name.
func (v *vectors) in(name string) *tensor.Tensor {
	a, ok := v.Inputs[name]
	if !ok {
		return nil
	}
	return v.variable(name, a.Data, a.Shape...)
}

func (v *vectors) variable(name string, data []float64, shape ...int) *tensor.Tensor {
	v.vars[name] = tensor.Variable(v.device(), data, shape...)
	return v.vars[name]
}

// swapped makes a variable of an input (b,m,n,k), as (b,n,m,k) but of the given
// shape.
func (v *vectors) swapped(name string, b, m, n, k int, shape ...int) *tensor.Tensor {
	a, ok := v.Inputs[name]
	if !ok {
		return nil
	}
	v.layout[name] = func(x []float64, back bool) []float64 {
		if back {
			return golden.Swap(x, b, n, m, k)
		}
		return golden.Swap(x, b, m, n, k)
	}
	return v.variable(name, v.layout[name](a.Data, false), shape...)
}

// whole returns an array of whole numbers.
func (v *vectors) whole(name string) (x []int32) {
	for _, f := range v.Inputs[name].Data {
		x = append(x, int32(f))
	}
	return x
}

// finish compares the output and every gradient. swap, if not nil, takes the
// output's elements to the order of the case.
func (v *vectors) finish(out *tensor.Tensor, swapOut func(x []float64, back bool) []float64) {
	v.t.Helper()
	y, dy := out.Data(), v.Inputs["dy"].Data
	if swapOut != nil {
		y, dy = swapOut(y, true), swapOut(dy, false)
	}
	v.out("out", y)
	v.tp.Backward(v.tp.Sum(v.tp.Mul(out, tensor.From(v.device(), dy, out.Shape()...))))
	for name, x := range v.vars {
		g := x.Grad()
		if f := v.layout[name]; f != nil {
			g = f(g, true)
		}
		if _, ok := v.Grads[name]; ok {
			v.grad(name, g)
		}
	}
}

// out compares an output with the tolerance of the device.
func (v *vectors) out(name string, got []float64) {
	v.t.Helper()
	v.checked["out "+name] = true
	v.compare("out "+name, got, v.Outputs[name].Data, forwardTol, &v.worst.out)
}

func (v *vectors) grad(name string, got []float64) {
	v.t.Helper()
	v.checked["grad "+name] = true
	if zero, _ := v.Meta["zero_grads"].([]any); slices.Contains(zero, any(name)) {
		for i, g := range got {
			if !(math.Abs(g) <= 1e-12) { // nothing is added up: 0 on every device
				v.t.Errorf("d%s[%d] is %g, want 0", name, i, g)
			}
		}
		return
	}
	v.compare("grad "+name, got, v.Grads[name].Data, gradTol, &v.worst.grad)
}

func (v *vectors) compare(name string, got, want []float64, tolCPU float64, worst *float64) {
	v.t.Helper()
	tol := goldenTol
	if v.device().Name() != "reference" {
		tol = tolCPU
	}
	e := golden.RelErr(got, want)
	*worst = max(*worst, e)
	if !(e <= tol) {
		v.t.Errorf("%s: relative error %.2g, want <= %g", name, e, tol)
	}
}

func TestTorchOps(t *testing.T) {
	eachVector(t, "ops.json", nil, func(v *vectors) {
		name, _, _ := strings.Cut(v.Name, "_L")
		f, ok := torchOps[name]
		if !ok {
			v.t.Fatalf("%s: no operation", v.Name)
		}
		f(v)
	})
}

// torchOps is the operation behind each case of ops.json, less its length.
var torchOps = map[string]func(v *vectors){
	"gelu_exact": torchMap(tensor.GELU), "gelu_tanh": torchMap(tensor.GELUTanh),
	"softplus": torchMap(tensor.Softplus), "silu": torchMap(tensor.SiLU),
	"tanh": torchMap(tensor.Tanh), "sigmoid": torchMap(tensor.Sigmoid),
	"layer_norm": torchNorm, "rms_norm": torchNorm, "rms_norm_small": torchNorm,
	"linear": torchLinear, "linear_no_bias": torchLinear, "conv1d": torchConv, "conv1d_silu": torchConv,
	"cross_entropy": torchCrossEntropy, "cross_entropy_large": torchCrossEntropy, "mse": torchMSE, "embedding": torchEmbedding,
	"rotary": torchRotary, "rotary_dim8": torchRotary, "attention_causal": torchAttention, "attention_causal_rotary": torchAttention,
}

func torchMap(f tensor.Func) func(v *vectors) {
	return func(v *vectors) { v.finish(v.tp.Map(f, v.in("x")), nil) }
}

func torchNorm(v *vectors) {
	x, w, b, eps := v.in("x"), v.in("weight"), v.in("bias"), v.Meta["eps"].(float64)
	if b == nil {
		v.finish(v.tp.RMSNorm(x, w, eps), nil)
		return
	}
	v.finish(v.tp.LayerNorm(x, w, b, eps), nil)
}

func torchLinear(v *vectors) { v.finish(v.tp.Linear(v.in("x"), v.in("weight"), v.in("bias")), nil) }

func torchConv(v *vectors) {
	s := v.shape("x")
	b, d, l := s[0], s[1], s[2]
	x := v.swapped("x", b, d, l, 1, b, l, d)
	w := v.variable("weight", v.Inputs["weight"].Data, d, v.shape("weight")[2])
	v.finish(v.tp.Conv1D(x, w, v.in("bias"), strings.Contains(v.Name, "silu"), nil), v.layout["x"])
}

func torchCrossEntropy(v *vectors) {
	v.finish(v.tp.CrossEntropy(v.in("logits"), v.whole("target")), nil)
}

// torchMSE: the tape's target is a constant, so its gradient is −dx.
func torchMSE(v *vectors) {
	x := v.in("x")
	v.finish(v.tp.MSE(x, v.Inputs["target"].Data), nil)
	minus := x.Grad()
	for i := range minus {
		minus[i] = -minus[i]
	}
	v.grad("target", minus)
}

func torchEmbedding(v *vectors) {
	s := v.shape("index")
	v.finish(v.tp.Embedding(v.whole("index"), v.in("weight"), s...), nil)
}

// heads makes a variable of an array (B,heads,L,Dh), as (B,L,heads·Dh).
func (v *vectors) heads(name string) *tensor.Tensor {
	s := v.shape(name)
	return v.swapped(name, s[0], s[1], s[2], s[3], s[0], s[2], s[1]*s[3])
}

func torchRotary(v *vectors) {
	v.finish(v.tp.Rotary(v.heads("x"), v.shape("x")[1], 0), v.layout["x"])
}

func torchAttention(v *vectors) {
	h := v.shape("q")[1]
	q, k := v.heads("q"), v.heads("k")
	if strings.HasSuffix(v.Name, "rotary") {
		q, k = v.tp.Rotary(q, h, 0), v.tp.Rotary(k, h, 0)
	}
	v.finish(v.tp.Attention(q, k, v.heads("v"), h), v.layout["q"])
}
