package ssm

import (
	"math"
	"math/cmplx"
	"testing"

	"github.com/gophersnake/gophersnake/internal/golden"
	"github.com/gophersnake/gophersnake/internal/mixertest"
	"github.com/gophersnake/gophersnake/pkg/nn"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// naiveS6 is S6's doc comment as loops over plain numbers, the (D,N) state in
// full, with nothing shared with the layer but the names of its parameters.
func naiveS6(cfg S6Config, p map[string][]float64, u []float64, l int) []float64 {
	d, n := cfg.D, cfg.A.states(cfg.N)
	r := len(p["dt_proj.weight"]) / d
	cplx := p["A_imag"] != nil
	h, y := make([]complex128, d*n), make([]float64, l*d)
	for t := range l {
		ut := u[t*d : (t+1)*d]
		low, rest := split(multiply(p["x_proj.weight"], ut), r)
		dt := multiply(p["dt_proj.weight"], low)
		var bt, ct []complex128
		if cfg.Selective.B {
			bt, rest = take(rest, n, cplx)
		}
		if cfg.Selective.C {
			ct, _ = take(rest, n, cplx)
		}
		for i := range d {
			pre := p["dt_proj.bias"][i]
			if dt != nil {
				pre += dt[i]
			}
			delta := math.Log1p(math.Exp(pre))
			out := 0.0
			for k := range n {
				j := i*n + k
				a := complex(-math.Exp(p["A_log"][j]), 0)
				if cplx {
					a += complex(0, p["A_imag"][j])
				}
				abar := cmplx.Exp(complex(delta, 0) * a)
				if cfg.Signed {
					abar = 2*abar - 1
				}
				h[j] = abar*h[j] + complex(delta*ut[i], 0)*pick(bt, k, p, "B", j)
				out += real(pick(ct, k, p, "C", j) * h[j])
			}
			if cplx {
				out *= 2
			}
			y[t*d+i] = out + p["D"][i]*ut[i]
		}
	}
	return y
}

// TestDelta: Δ of every S6 is the formula over plain numbers, for each sequence
// of a batch.
func TestDelta(t *testing.T) {
	const b, l = 2, 9
	for _, entry := range s6Layers() {
		dev := tensor.Reference()
		layer, params := entry.Build(t, dev, 3)
		mixertest.Perturb(params, 0.3)
		m, d := layer.(*S6), entry.D
		u := mixertest.Noise(82, b*l*d)
		got := m.Delta(tensor.NewTape(dev), tensor.From(dev, u, b, l, d))
		if shape := got.Shape(); len(shape) != 3 || shape[0] != b || shape[1] != l || shape[2] != d {
			t.Fatalf("%s: shape %v, want %v", entry.Name, shape, []int{b, l, d})
		}
		want := make([]float64, 0, b*l*d)
		for t := range b * l {
			var dt []float64
			if m.cfg.Selective.Delta {
				low, _ := split(multiply(m.xProj.Data(), u[t*d:(t+1)*d]), m.rank)
				dt = multiply(m.dtProj.Data(), low)
			}
			for i, pre := range m.dtBias.Data() {
				if dt != nil {
					pre += dt[i]
				}
				want = append(want, math.Log1p(math.Exp(pre)))
			}
		}
		if e := golden.RelErr(got.Data(), want); e > 1e-12 {
			t.Errorf("%s: differs from the formula by %.3g", entry.Name, e)
		}
	}
}

// TestS6Eigenvalues: an impulse decays by λ from step to step, in a layer of one
// state a channel whose Δ is constant.
func TestS6Eigenvalues(t *testing.T) {
	for _, signed := range []bool{false, true} {
		cfg := DefaultS6Config()
		cfg.D, cfg.N, cfg.Selective, cfg.Signed = 3, 1, Selective{}, signed
		dev := tensor.Reference()
		params := nn.NewBuilder(dev, 1)
		m, err := NewS6(params, cfg)
		if err != nil {
			t.Fatal(err)
		}
		const l = 4
		u := make([]float64, l*cfg.D)
		for i := range cfg.D {
			u[i] = 1
		}
		y := mixertest.Forward(m, dev, u, 1, l, nil)
		for i, lambda := range m.Eigenvalues() {
			if got, want := y[3*cfg.D+i]/y[2*cfg.D+i], real(lambda); math.Abs(got-want) > 1e-9 || imag(lambda) != 0 {
				t.Errorf("signed %v, channel %d: decays by %g, λ is %g", signed, i, got, lambda)
			}
		}
	}
}

// multiply returns w x, nil for no w.
func multiply(w, x []float64) []float64 {
	if w == nil {
		return nil
	}
	y := make([]float64, len(w)/len(x))
	for i := range y {
		for j, v := range x {
			y[i] += w[i*len(x)+j] * v
		}
	}
	return y
}

func split(x []float64, n int) (head, tail []float64) { return x[:n], x[n:] }

// take reads n numbers from x, and n imaginary parts after them if complex.
func take(x []float64, n int, cplx bool) (v []complex128, rest []float64) {
	re, rest := split(x, n)
	im := make([]float64, n)
	if cplx {
		im, rest = split(rest, n)
	}
	for i := range re {
		v = append(v, complex(re[i], im[i]))
	}
	return v, rest
}

// pick returns element k of a selective vector, or element j of the constant.
func pick(selective []complex128, k int, p map[string][]float64, name string, j int) complex128 {
	if selective != nil {
		return selective[k]
	}
	if c := p[name]; c != nil {
		return complex(c[j], 0)
	}
	return complex(p[name+"_re"][j], p[name+"_im"][j])
}

// TestNaive: every S6 equals the loops; the other layers of this package are
// held to their kernels and to PyTorch.
func TestNaive(t *testing.T) {
	const l = 65
	for _, entry := range s6Layers() {
		dev := tensor.Reference()
		m, params := entry.Build(t, dev, 3)
		mixertest.Perturb(params, 0.05)
		p := map[string][]float64{}
		for _, q := range params {
			p[q.Name] = q.Data()
		}
		u := mixertest.Noise(81, l*entry.D)
		got := mixertest.Forward(m, dev, u, 1, l, nil)
		if e := golden.RelErr(got, naiveS6(m.(*S6).cfg, p, u, l)); e > 1e-12 {
			t.Errorf("%s: differs from the loops by %.3g", entry.Name, e)
		}
	}
}
