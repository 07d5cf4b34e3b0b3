package reference

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gophersnake/gophersnake/internal/device"
	"github.com/gophersnake/gophersnake/internal/golden"
)

// goldenTol is what testdata/torch/README.md says to ask of float64 code.
const goldenTol = 1e-9

// vectors is one case of testdata/torch, with short ways to its arrays.
type vectors struct {
	golden.Case
	t       *testing.T
	checked map[string]bool
}

// eachVector runs f on every case of file, and fails if f left an output or a
// gradient uncompared, save those named in except.
func eachVector(t *testing.T, file string, except []string, f func(v vectors)) {
	for _, c := range golden.Load(t, file) {
		t.Run(c.Name, func(t *testing.T) {
			v := vectors{c, t, map[string]bool{}}
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
}

// in returns an input, or nil if the case has none of that name.
func (v vectors) in(name string) []float64 { return v.Inputs[name].Data }

func (v vectors) shape(name string) []int { return v.Inputs[name].Shape }

func (v vectors) flag(name string) bool { return v.Meta[name].(bool) }

func (v vectors) out(name string, got []float64) {
	v.t.Helper()
	v.compare("out "+name, got, v.Outputs[name].Data)
}

// grad compares a gradient; one that is exactly 0 must be below 1e-12, which is
// some rounding of sums of terms of size 1.
func (v vectors) grad(name string, got []float64) {
	v.t.Helper()
	zero, _ := v.Meta["zero_grads"].([]any)
	if slices.Contains(zero, any(name)) {
		v.checked["grad "+name] = true
		for i, g := range got {
			if !(math.Abs(g) <= 1e-12) {
				v.t.Errorf("d%s[%d] is %g, want 0", name, i, g)
			}
		}
		return
	}
	v.compare("grad "+name, got, v.Grads[name].Data)
}

func (v vectors) compare(name string, got, want []float64) {
	v.t.Helper()
	v.checked[name] = true
	if e := golden.RelErr(got, want); !(e <= goldenTol) {
		v.t.Errorf("%s: relative error %.2g", name, e)
	}
}

// elsewhere leaves the case to the test of another package.
func (v vectors) elsewhere() {
	for k := range v.Outputs {
		v.checked["out "+k] = true
	}
	for k := range v.Grads {
		v.checked["grad "+k] = true
	}
}

// zeros returns the buffer into which the gradient of x is added.
func zeros(x device.Buf) device.Buf {
	if x.IsNil() {
		return x
	}
	return buf(make([]float64, x.Len()))
}

func TestGoldenSelectiveScan(t *testing.T) {
	eachVector(t, "selective_scan.json", nil, func(v vectors) {
		if v.Int("groups") > 1 {
			v.elsewhere() // a scan per group; they belong to pkg/tensor
			return
		}
		s, names, channels := goldenScan(v)
		re, im := "", ""
		if v.flag("complex") {
			re, im = "_re", "_im"
			s.HTIm = dev.Alloc(s.HT.Len())
		}
		s.Saved = dev.Alloc(dev.SelectiveScanSaved(&s))
		dev.SelectiveScan(&s)
		v.out("out", golden.Swap(s.Y.F64, s.B, s.L, s.D, 1))
		v.out("last_state"+re, s.HT.F64)
		if v.flag("complex") {
			v.out("last_state"+im, s.HTIm.F64)
		}
		in := []device.Buf{s.U, s.Delta, s.DeltaBias, s.A, s.AIm, s.Bm, s.BIm, s.Cm, s.CIm, s.Dskip, s.Z}
		g := make([]device.Buf, len(in))
		for i := range in {
			g[i] = zeros(in[i])
		}
		dev.SelectiveScanGrad(&s, &device.SelectiveScanGrad{DY: buf(golden.Swap(v.in("dy"), s.B, s.D, s.L, 1)), DU: g[0], DDelta: g[1],
			DDeltaBias: g[2], DA: g[3], DAIm: g[4], DB: g[5], DBIm: g[6], DC: g[7], DCIm: g[8], DDskip: g[9], DZ: g[10]})
		for i, k := range names {
			x := g[i].F64
			if x == nil {
				continue
			}
			if w := channels[i]; w > 0 {
				x = golden.Swap(x, s.B, s.L, w, 1)
			}
			v.grad(k, x)
		}
	})
}

// goldenScan returns the scan of a case, and for each input in the order of
// newSelectiveScan its name and, if it varies with time, its channels: those lie
// (B,channels,L) in the file and (B,L,channels) here.
func goldenScan(v vectors) (s device.SelectiveScan, names []string, channels [11]int) {
	names = []string{"u", "delta", "delta_bias", "A", "", "B", "", "C", "", "D", "z"}
	if v.flag("complex") {
		names = []string{"u", "delta", "delta_bias", "A_re", "A_im", "B_re", "B_im", "C_re", "C_im", "D", "z"}
	}
	u := v.shape("u")
	b, d, l, n := u[0], u[1], u[2], v.shape(names[3])[1]
	channels[0], channels[1], channels[10] = d, d, d
	if v.flag("variable_B") {
		channels[5], channels[6] = n, n
	}
	if v.flag("variable_C") {
		channels[7], channels[8] = n, n
	}
	in := make([]device.Buf, len(names))
	for i, k := range names {
		in[i] = buf(v.in(k))
		if w := channels[i]; w > 0 {
			in[i] = buf(golden.Swap(v.in(k), b, w, l, 1))
		}
	}
	return withInputs(device.SelectiveScan{B: b, L: l, D: d, N: n, Softplus: v.flag("delta_softplus"),
		BVarying: v.flag("variable_B"), CVarying: v.flag("variable_C"), Y: dev.Alloc(b * l * d), HT: dev.Alloc(b * d * n)}, in), names, channels
}

func TestGoldenRNN(t *testing.T) {
	// The states before the first step have no gradient here.
	eachVector(t, "rnn.json", []string{"h0", "c0"}, func(v vectors) {
		s := v.shape("x")
		b, l, d, h := s[0], s[1], s[2], v.shape("h0")[1]
		r := goldenRecurrence(v, b, l, h)
		rows := r.x.Len() / (b * l)
		// The projection x W_ih + b_ih; where no bias stands between W_hh h and
		// its use, b_hh joins it.
		w, m := buf(v.in("weight_ih_l0")), b*l
		dev.MatMul(false, true, m, rows, d, buf(v.in("x")), w, buf(v.in("bias_ih_l0")), r.x, false)
		if !r.ownBias {
			dev.AddRow(m, rows, r.x, buf(v.in("bias_hh_l0")), r.x)
		}
		r.forward()
		v.out("out", r.out.F64)
		v.out("h_n", last(r.out, b, l, h))
		if !r.c.IsNil() {
			v.out("c_n", last(r.c, b, l, h))
		}
		dxp, dwhh, dbhh := zeros(r.x), zeros(buf(v.in("weight_hh_l0"))), zeros(buf(v.in("bias_hh_l0")))
		r.backward(buf(v.in("dy")), dxp, dwhh, dbhh)
		if !r.ownBias {
			dev.SumRows(m, rows, dxp, dbhh)
		}
		dx, dwih, dbih := dev.Alloc(m*d), dev.Alloc(w.Len()), zeros(dbhh)
		dev.MatMul(false, false, m, d, rows, dxp, w, device.Buf{}, dx, false)
		dev.MatMul(true, false, rows, d, m, dxp, buf(v.in("x")), device.Buf{}, dwih, false)
		dev.SumRows(m, rows, dxp, dbih)
		for k, g := range map[string]device.Buf{"x": dx, "weight_ih_l0": dwih, "weight_hh_l0": dwhh, "bias_ih_l0": dbih, "bias_hh_l0": dbhh} {
			v.grad(k, g.F64)
		}
	})
}

// recurrence is an Elman network, a GRU or an LSTM.
type recurrence struct {
	x, out, c device.Buf
	ownBias   bool // the operation itself adds b_hh
	forward   func()
	backward  func(dh, dx, dw, dbias device.Buf)
}

func goldenRecurrence(v vectors, b, l, h int) recurrence {
	w, h0, out := buf(v.in("weight_hh_l0")), buf(v.in("h0")), dev.Alloc(b*l*h)
	switch v.Name {
	case "RNN":
		e := &device.Elman{B: b, L: l, H: h, X: dev.Alloc(b * l * h), W: w, H0: h0, Out: out}
		return recurrence{x: e.X, out: out, forward: func() { dev.Elman(e) },
			backward: func(dh, dx, dw, _ device.Buf) { dev.ElmanGrad(e, dh, dx, dw) }}
	case "GRU":
		g := &device.GRU{B: b, L: l, H: h, X: dev.Alloc(b * l * 3 * h), W: w, Bias: buf(v.in("bias_hh_l0")), H0: h0,
			Out: out, Saved: dev.Alloc(b * l * 4 * h)}
		return recurrence{x: g.X, out: out, ownBias: true, forward: func() { dev.GRU(g) },
			backward: func(dh, dx, dw, dbias device.Buf) { dev.GRUGrad(g, dh, dx, dw, dbias) }}
	case "LSTM":
		s := &device.LSTM{B: b, L: l, H: h, X: dev.Alloc(b * l * 4 * h), W: w, H0: h0, C0: buf(v.in("c0")),
			Out: out, C: dev.Alloc(b * l * h), Saved: dev.Alloc(b * l * 4 * h)}
		return recurrence{x: s.X, out: out, c: s.C, forward: func() { dev.LSTM(s) },
			backward: func(dh, dx, dw, _ device.Buf) { dev.LSTMGrad(s, dh, dx, dw) }}
	}
	v.t.Fatalf("no recurrence %s", v.Name)
	return recurrence{}
}

// last returns the last step of x (b,l,h).
func last(x device.Buf, b, l, h int) []float64 {
	var y []float64
	for i := range b {
		y = append(y, x.F64[((i+1)*l-1)*h:][:h]...)
	}
	return y
}

func TestGoldenAdamW(t *testing.T) {
	eachVector(t, "optim.json", nil, func(v vectors) {
		if v.Meta["rests"] != nil {
			v.elsewhere() // which parameter takes part in a step is pkg/optim's
			return
		}
		num := func(k string) float64 { return v.Meta[k].(float64) }
		params := []string{"p0", "p1"}
		var w, m, s [2]device.Buf
		var norms []float64
		history := map[string][]float64{}
		for i, p := range params {
			w[i] = buf(slices.Clone(v.in(p)))
			m[i], s[i] = zeros(w[i]), zeros(w[i])
		}
		for step := range int(num("steps")) {
			var g [2]device.Buf
			norm := 0.0
			for i, p := range params {
				g[i] = buf(v.in("g_"+p)).Slice(step*w[i].Len(), (step+1)*w[i].Len())
				norm += dev.SumSquares(g[i])
			}
			norms = append(norms, math.Sqrt(norm))
			h := device.AdamW{LR: num("lr"), Beta1: num("beta1"), Beta2: num("beta2"), Eps: num("eps"), Decay: num("weight_decay"), GradScale: 1}
			h.C1, h.C2 = 1-math.Pow(h.Beta1, float64(step+1)), 1-math.Pow(h.Beta2, float64(step+1))
			if c := num("max_norm"); c > 0 {
				h.GradScale = min(1, c/(norms[step]+1e-6))
			}
			for i, p := range params {
				dev.AdamW(h, w[i], g[i], m[i], s[i])
				history[p] = append(history[p], w[i].F64...)
			}
		}
		v.out("norm", norms)
		for i, p := range params {
			v.out(p, history[p])
			v.out("m_"+p, m[i].F64)
			v.out("v_"+p, s[i].F64)
		}
	})
}

// TestGoldenMinGRU checks LinearScan and g on minGRU: h_t = (1−z) h + z g(x).
func TestGoldenMinGRU(t *testing.T) {
	eachVector(t, "minrnn.json", []string{"h0"}, func(v vectors) {
		if !strings.HasPrefix(v.Name, "minGRU") {
			v.elsewhere() // minLSTM adds a division; it belongs to pkg/rnn
			return
		}
		s := v.shape("k")
		k, x := buf(v.in("k")), buf(v.in("h_pre"))
		n := k.Len()
		var z, a, g, zg device.Buf
		for _, p := range []*device.Buf{&z, &a, &g, &zg} {
			*p = dev.Alloc(n)
		}
		dev.Apply(device.Sigmoid, k, z)
		for i := range n {
			a.F64[i] = sigmoid(-k.F64[i])
		}
		dev.Apply(device.MinG, x, g)
		dev.Mul(z, g, zg)
		scan := device.LinearScan{B: s[0], L: s[1], D: s[2], Varying: true, A: a, X: zg, H0: buf(v.in("h0")), H: dev.Alloc(n)}
		dev.LinearScan(&scan)
		v.out("out", scan.H.F64)
		da, dzg, dz, dg, dk, dx := zeros(k), zeros(k), zeros(k), zeros(k), zeros(k), zeros(k)
		dev.LinearScanGrad(&scan, &device.LinearScanGrad{DH: buf(v.in("dy")), DA: da, DX: dzg})
		dev.MulGrad(z, g, dzg, dz, dg)
		dev.Axpy(-1, da, dz) // a = 1 − z
		dev.ApplyGrad(device.Sigmoid, k, z, dz, dk)
		dev.ApplyGrad(device.MinG, x, g, dg, dx)
		v.grad("k", dk.F64)
		v.grad("h_pre", dx.F64)
	})
}

// TestGoldenLRU checks the complex LinearScan on the LRU:
// x_t = λ x_{t−1} + exp(gamma_log)(B u_t), out = Re(C x) + D u.
func TestGoldenLRU(t *testing.T) {
	for _, c := range golden.Load(t, "lru.json") {
		t.Run(c.Name, func(t *testing.T) {
			v := vectors{c, t, map[string]bool{}}
			s, n := v.shape("u"), len(v.in("nu_log"))
			b, l, d := s[0], s[1], s[2]
			scan := device.LinearScan{B: b, L: l, D: n, A: dev.Alloc(n), AIm: dev.Alloc(n),
				X: dev.Alloc(b * l * n), XIm: dev.Alloc(b * l * n), H: dev.Alloc(b * l * n), HIm: dev.Alloc(b * l * n)}
			gamma, no := dev.Alloc(n), device.Buf{}
			dev.Apply(device.Exp, buf(v.in("gamma_log")), gamma)
			for i := range n {
				r, theta := math.Exp(-math.Exp(v.in("nu_log")[i])), math.Exp(v.in("theta_log")[i])
				scan.A.F64[i], scan.AIm.F64[i] = r*math.Cos(theta), r*math.Sin(theta)
			}
			for part, x := range map[string]device.Buf{"B_re": scan.X, "B_im": scan.XIm} {
				dev.MatMul(false, true, b*l, n, d, buf(v.in("u")), buf(v.in(part)), no, x, false)
				dev.MulRow(b*l, n, x, gamma, x)
			}
			dev.LinearScan(&scan)
			v.out("last_state_re", last(scan.H, b, l, n))
			v.out("last_state_im", last(scan.HIm, b, l, n))
			y, minus, sum := dev.Alloc(b*l*d), dev.Alloc(b*l*d), dev.Alloc(b*l*d)
			dev.MulRow(b*l, d, buf(v.in("u")), buf(v.in("D")), y)
			dev.MatMul(false, true, b*l, d, n, scan.H, buf(v.in("C_re")), no, y, true)
			dev.MatMul(false, true, b*l, d, n, scan.HIm, buf(v.in("C_im")), no, minus, false)
			dev.Sub(y, minus, sum)
			v.out("out", sum.F64)
			goldenLRUGrad(v, &scan, b, l, d, n)
		})
	}
}

// goldenLRUGrad compares what LinearScanGrad alone decides: dν and dθ through
// da, and dγ through dx.
func goldenLRUGrad(v vectors, s *device.LinearScan, b, l, d, n int) {
	no := device.Buf{}
	g := device.LinearScanGrad{DH: dev.Alloc(b * l * n), DHIm: dev.Alloc(b * l * n),
		DA: zeros(s.A), DAIm: zeros(s.A), DX: zeros(s.X), DXIm: zeros(s.X)}
	dev.MatMul(false, false, b*l, n, d, buf(v.in("dy")), buf(v.in("C_re")), no, g.DH, false)
	dev.MatMul(false, false, b*l, n, d, buf(v.in("dy")), buf(v.in("C_im")), no, g.DHIm, false)
	dev.Scale(-1, g.DHIm, g.DHIm)
	dev.LinearScanGrad(s, &g)
	dnu, dtheta, dgamma := make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range n {
		re, im, a, aIm := g.DA.F64[i], g.DAIm.F64[i], s.A.F64[i], s.AIm.F64[i]
		dnu[i] = -math.Exp(v.in("nu_log")[i]) * (re*a + im*aIm)
		dtheta[i] = math.Exp(v.in("theta_log")[i]) * (-re*aIm + im*a)
	}
	for i := range b * l * n {
		dgamma[i%n] += g.DX.F64[i]*s.X.F64[i] + g.DXIm.F64[i]*s.XIm.F64[i]
	}
	v.grad("nu_log", dnu)
	v.grad("theta_log", dtheta)
	v.grad("gamma_log", dgamma)
}

// TestGoldenFailsWhenWrong makes sure that the comparison can fail.
func TestGoldenFailsWhenWrong(t *testing.T) {
	for _, got := range [][]float64{{1, 2.00001}, {1}, {1, math.NaN()}, {}} {
		if e := golden.RelErr(got, []float64{1, 2}); e <= goldenTol {
			t.Errorf("%s passes", fmt.Sprint(got))
		}
	}
}
