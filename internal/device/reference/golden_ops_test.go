package reference

import (
	"strings"
	"testing"

	"github.com/gophersnake/gophersnake/internal/device"
	"github.com/gophersnake/gophersnake/internal/golden"
)

func TestGoldenOps(t *testing.T) {
	eachVector(t, "ops.json", nil, func(v vectors) {
		name, _, _ := strings.Cut(v.Name, "_L")
		if f, ok := goldenOps[name]; ok {
			f(v)
			return
		}
		t.Errorf("%s: no operation", v.Name)
	})
}

// goldenOps is the operation behind each case of ops.json, less its length.
var goldenOps = map[string]func(v vectors){
	"gelu_exact": goldenApply(device.GELU), "gelu_tanh": goldenApply(device.GELUTanh),
	"softplus": goldenApply(device.Softplus), "silu": goldenApply(device.SiLU),
	"tanh": goldenApply(device.Tanh), "sigmoid": goldenApply(device.Sigmoid),
	"layer_norm": goldenNorm, "rms_norm": goldenNorm, "rms_norm_small": goldenNorm,
	"linear": goldenLinear, "linear_no_bias": goldenLinear,
	"conv1d": goldenConv, "conv1d_silu": goldenConv,
	"cross_entropy": goldenCrossEntropy, "cross_entropy_large": goldenCrossEntropy,
	"mse": goldenMSE, "embedding": goldenEmbedding, "rotary": goldenRotary, "rotary_dim8": goldenRotary,
	"attention_causal": goldenAttention, "attention_causal_rotary": goldenAttention,
}

func goldenApply(f device.Func) func(v vectors) {
	return func(v vectors) {
		x := buf(v.in("x"))
		y, dx := dev.Alloc(x.Len()), zeros(x)
		dev.Apply(f, x, y)
		dev.ApplyGrad(f, x, y, buf(v.in("dy")), dx)
		v.out("out", y.F64)
		v.grad("x", dx.F64)
	}
}

func goldenNorm(v vectors) {
	x, w, b, dy := buf(v.in("x")), buf(v.in("weight")), buf(v.in("bias")), buf(v.in("dy"))
	n := w.Len()
	m := x.Len() / n
	y, mean, rstd, dx, dw, db := dev.Alloc(m*n), dev.Alloc(m), dev.Alloc(m), zeros(x), zeros(w), zeros(b)
	if eps := v.Meta["eps"].(float64); b.IsNil() {
		dev.RMSNorm(m, n, eps, x, w, y, rstd)
		dev.RMSNormGrad(m, n, x, w, rstd, dy, dx, dw)
	} else {
		dev.LayerNorm(m, n, eps, x, w, b, y, mean, rstd)
		dev.LayerNormGrad(m, n, x, w, mean, rstd, dy, dx, dw, db)
		v.grad("bias", db.F64)
	}
	v.out("out", y.F64)
	v.grad("x", dx.F64)
	v.grad("weight", dw.F64)
}

func goldenLinear(v vectors) {
	x, w, b, dy := buf(v.in("x")), buf(v.in("weight")), buf(v.in("bias")), buf(v.in("dy"))
	n, k := v.shape("weight")[0], v.shape("weight")[1]
	m := x.Len() / k
	y, dx, dw, no := dev.Alloc(m*n), zeros(x), zeros(w), device.Buf{}
	dev.MatMul(false, true, m, n, k, x, w, b, y, false)
	dev.MatMul(false, false, m, k, n, dy, w, no, dx, true)
	dev.MatMul(true, false, n, k, m, dy, x, no, dw, true)
	v.out("out", y.F64)
	v.grad("x", dx.F64)
	v.grad("weight", dw.F64)
	if !b.IsNil() {
		db := zeros(b)
		dev.SumRows(m, n, dy, db)
		v.grad("bias", db.F64)
	}
}

func goldenConv(v vectors) {
	s := v.shape("x")
	b, d, l := s[0], s[1], s[2]
	c := device.Conv1D{B: b, L: l, D: d, K: v.shape("weight")[2], SiLU: strings.Contains(v.Name, "silu"),
		X: buf(golden.Swap(v.in("x"), b, d, l, 1)), W: buf(v.in("weight")), Bias: buf(v.in("bias")), Y: dev.Alloc(b * l * d)}
	dx, dw, dbias := zeros(c.X), zeros(c.W), zeros(c.Bias)
	dev.Conv1D(&c)
	dev.Conv1DGrad(&c, buf(golden.Swap(v.in("dy"), b, d, l, 1)), dx, dw, dbias)
	v.out("out", golden.Swap(c.Y.F64, b, l, d, 1))
	v.grad("x", golden.Swap(dx.F64, b, l, d, 1))
	v.grad("weight", dw.F64)
	v.grad("bias", dbias.F64)
}

// integers returns an array of whole numbers.
func (v vectors) integers(name string) (x []int32) {
	for _, f := range v.in(name) {
		x = append(x, int32(f))
	}
	return x
}

func goldenCrossEntropy(v vectors) {
	m, n := v.shape("logits")[0], v.shape("logits")[1]
	x := buf(v.in("logits"))
	lse, loss, dx := dev.Alloc(m), dev.Alloc(1), zeros(x)
	dev.CrossEntropy(m, n, x, v.integers("target"), lse, loss)
	dev.CrossEntropyGrad(m, n, x, v.integers("target"), lse, buf(v.in("dy")), dx)
	v.out("out", loss.F64)
	v.grad("logits", dx.F64)
}

// goldenMSE composes the mean square error of Sub, Square, Sum and Scale.
func goldenMSE(v vectors) {
	x, target := buf(v.in("x")), buf(v.in("target"))
	n := x.Len()
	e, sq, loss, g, gs, de, dt := dev.Alloc(n), dev.Alloc(n), dev.Alloc(1), dev.Alloc(1), zeros(x), zeros(x), dev.Alloc(n)
	dev.Sub(x, target, e)
	dev.Apply(device.Square, e, sq)
	dev.Sum(sq, loss)
	dev.Scale(1/float64(n), loss, loss)
	dev.Scale(1/float64(n), buf(v.in("dy")), g)
	dev.SumGrad(g, gs)
	dev.ApplyGrad(device.Square, e, sq, gs, de)
	dev.Apply(device.Neg, de, dt)
	v.out("out", loss.F64)
	v.grad("x", de.F64)
	v.grad("target", dt.F64)
}

func goldenEmbedding(v vectors) {
	w, tokens, d := buf(v.in("weight")), v.integers("index"), v.shape("weight")[1]
	y, dw := dev.Alloc(len(tokens)*d), zeros(w)
	dev.Embedding(tokens, d, w, y)
	dev.EmbeddingGrad(tokens, d, buf(v.in("dy")), dw)
	v.out("out", y.F64)
	v.grad("weight", dw.F64)
}

// heads reads an array (B,heads,L,Dh) as (B,L,heads·Dh).
func (v vectors) heads(name string) device.Buf {
	s := v.shape(name)
	return buf(golden.Swap(v.in(name), s[0], s[1], s[2], s[3]))
}

// rotary is the rotation for the arrays of the case.
func (v vectors) rotary() device.Rotary {
	s := v.shape("dy")
	return device.Rotary{B: s[0], H: s[1], L: s[2], Dh: s[3], Base: v.Meta["base"].(float64)}
}

func goldenRotary(v vectors) {
	x, r := v.heads("x"), v.rotary()
	y, dx := dev.Alloc(x.Len()), zeros(x)
	dev.Rotary(r, x, y, false, false)
	dev.Rotary(r, v.heads("dy"), dx, true, true)
	v.out("out", golden.Swap(y.F64, r.B, r.L, r.H, r.Dh))
	v.grad("x", golden.Swap(dx.F64, r.B, r.L, r.H, r.Dh))
}

func goldenAttention(v vectors) {
	s := v.shape("q")
	b, h, l, dh := s[0], s[1], s[2], s[3]
	a := device.Attention{B: b, Lq: l, Lk: l, H: h, Dh: dh, KVStride: l * h * dh,
		Q: v.heads("q"), K: v.heads("k"), V: v.heads("v"), Y: dev.Alloc(b * l * h * dh), LSE: dev.Alloc(b * h * l)}
	rotated := strings.HasSuffix(v.Name, "rotary")
	if rotated { // in place
		dev.Rotary(v.rotary(), a.Q, a.Q, false, false)
		dev.Rotary(v.rotary(), a.K, a.K, false, false)
	}
	dq, dk, dv := zeros(a.Q), zeros(a.K), zeros(a.V)
	dev.Attention(&a)
	dev.AttentionGrad(&a, v.heads("dy"), dq, dk, dv)
	if rotated {
		dev.Rotary(v.rotary(), dq, dq, true, false)
		dev.Rotary(v.rotary(), dk, dk, true, false)
	}
	v.out("out", golden.Swap(a.Y.F64, b, l, h, dh))
	for k, g := range map[string]device.Buf{"q": dq, "k": dk, "v": dv} {
		v.grad(k, golden.Swap(g.F64, b, l, h, dh))
	}
}
