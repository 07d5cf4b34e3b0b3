package ssm

import (
	"math"
	"math/cmplx"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/dsp/fourier"

	"github.com/gophersnake/gophersnake/internal/golden"
	"github.com/gophersnake/gophersnake/internal/mixertest"
	"github.com/gophersnake/gophersnake/pkg/nn"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// convolve returns the first len(u) elements of k * u, by FFT.
func convolve(k, u []float64) []float64 {
	n := 2 * len(u)
	fft := fourier.NewFFT(n)
	pad := func(x []float64) []complex128 {
		return fft.Coefficients(nil, append(slices.Clone(x), make([]float64, n-len(x))...))
	}
	a, b := pad(k), pad(u)
	for i := range a {
		a[i] *= b[i] / complex(float64(n), 0)
	}
	return fft.Sequence(nil, a)[:len(u)]
}

// channel returns channel d of x (L,D).
func channel(x []float64, d, width int) []float64 {
	var out []float64
	for i := d; i < len(x); i += width {
		out = append(out, x[i])
	}
	return out
}

// TestLTIIsConvolution: the scan of a time-invariant
// layer is the convolution with its kernel, to 1e-10.
func TestLTIIsConvolution(t *testing.T) {
	const l, tol = 200, 1e-10
	dev := tensor.Reference()
	checked := 0
	for _, entry := range slices.Concat(diagonalLayers(), sisoLayers(), s4dLayers()) {
		m, _ := entry.Build(t, dev, 3)
		d := entry.D
		u := mixertest.Noise(31, l*d)
		got := mixertest.Forward(m, dev, u, 1, l, nil)
		for out := range d {
			want := make([]float64, l)
			for in := range d {
				var k []float64
				switch m := m.(type) {
				case *Diagonal:
					k = m.Kernel(out, in, l)
				case *SISO:
					if in != out {
						continue
					}
					k = m.Kernel(out, l)
				case *S4D:
					if in != out {
						continue
					}
					k = m.Kernel(out, l)
				}
				for i, v := range convolve(k, channel(u, in, d)) {
					want[i] += v
				}
			}
			if e := golden.RelErr(channel(got, out, d), want); e > tol {
				t.Errorf("%s: channel %d is not the convolution: relative error %.3g", entry.Name, out, e)
			}
			checked++
		}
	}
	if checked == 0 {
		t.Fatal("checked nothing")
	}
}

// TestSelectionIsNotConvolution: with any part selective the layer is no
// convolution, since it is not even linear; with none it is linear.
func TestSelectionIsNotConvolution(t *testing.T) {
	for _, entry := range s6Layers() {
		m, params := entry.Build(t, tensor.Reference(), 3)
		mixertest.Perturb(params, 0.05)
		for _, p := range params {
			if p.Name == "dt_proj.bias" { // Δ near 1: what it selects shows beside D u
				p.SetData(slices.Repeat([]float64{0.5}, p.Len()))
			}
		}
		e := mixertest.Superposition(m, entry.D, 50)
		selective := m.(*S6).cfg.Selective != Selective{}
		if selective && e < 1e-2 {
			t.Errorf("%s: superposition holds to %.3g, want it broken by 1e-2", entry.Name, e)
		}
		if !selective && e > 1e-12 {
			t.Errorf("%s: superposition is broken by %.3g", entry.Name, e)
		}
	}
}

// TestTheorem1: with N = 1, A = −1 and B = C = 1 the
// selective layer is a gated RNN, h = (1−g) h + g u with g = σ(z), when B is
// discretised by zero-order hold (Mamba, Theorem 1). The released code, and so
// this package, has Euler's rule: the input's coefficient is softplus(z).
func TestTheorem1(t *testing.T) {
	const l, d = 40, 3
	dev := tensor.Reference()
	z, u := mixertest.Noise(51, l*d), mixertest.Noise(52, l*d)
	one := func(v float64) *tensor.Tensor { return tensor.From(dev, slices.Repeat([]float64{v}, d), d, 1) }
	run := func(u []float64) []float64 {
		return mixertest.NewTape(dev).SelectiveScan(tensor.SelectiveScan{U: tensor.From(dev, u, 1, l, d), Delta: tensor.From(dev, z, 1, l, d),
			Softplus: true, A: one(-1), B: one(1), C: one(1)}).Data()
	}
	gated := func(coefficient func(z float64) float64) []float64 {
		h, out := make([]float64, d), make([]float64, l*d)
		for i := range out {
			g := 1 / (1 + math.Exp(-z[i]))
			h[i%d] = (1-g)*h[i%d] + coefficient(z[i])*u[i]
			out[i] = h[i%d]
		}
		return out
	}
	sigma := func(z float64) float64 { return 1 / (1 + math.Exp(-z)) }
	softplus := func(z float64) float64 { return math.Log1p(math.Exp(z)) }
	if e := golden.RelErr(run(u), gated(softplus)); e > 1e-12 {
		t.Errorf("Euler: differs from h = (1−g)h + softplus(z)u by %.3g", e)
	}
	if e := golden.RelErr(run(u), gated(sigma)); e < 1e-2 {
		t.Errorf("Euler: equals the gated RNN to %.3g, want a difference", e)
	}
	hold := slices.Clone(u) // (1 − e^−Δ)/Δ turns Euler's Δ into the hold's 1 − e^−Δ = σ(z)
	for i := range hold {
		hold[i] *= sigma(z[i]) / softplus(z[i])
	}
	if e := golden.RelErr(run(hold), gated(sigma)); e > 1e-12 {
		t.Errorf("zero-order hold: differs from the gated RNN by %.3g", e)
	}
}

// TestBlockAroundS6IsMamba: the ladder's block of kind "mamba" around an S6 is
// the official block, norm and residual apart, from the same random numbers.
func TestBlockAroundS6IsMamba(t *testing.T) {
	const d, l, layers = 6, 9, 4
	for _, dev := range mixertest.Devices(t) {
		bb := nn.NewBuilder(dev, 3)
		block, err := nn.NewBlock(bb, nn.DefaultBlockConfig(), d, layers, func(b *nn.Builder, width int) (nn.Mixer, error) {
			cfg := DefaultS6Config()
			cfg.D, cfg.Model = width, d
			return NewS6(b, cfg)
		})
		if err != nil {
			t.Fatal(err)
		}
		mb := nn.NewBuilder(dev, 3)
		cfg := DefaultMambaConfig()
		cfg.D, cfg.Layers = d, layers
		mamba, err := NewMamba(mb, cfg)
		if err != nil {
			t.Fatal(err)
		}
		inBlock := map[string]*tensor.Param{}
		for _, p := range bb.Params() {
			inBlock[strings.TrimPrefix(p.Name, "mixer.")] = p
		}
		for _, p := range mb.Params() {
			q := inBlock[p.Name]
			if q == nil || q.Group != p.Group || !slices.Equal(q.Data(), p.Data()) {
				t.Fatalf("%s: %s is not the block's", dev.Name(), p.Name)
			}
		}
		tp := mixertest.NewTape(dev)
		x := tensor.From(dev, mixertest.Noise(61, l*d), 1, l, d)
		norm := tp.RMSNorm(x, tensor.From(dev, slices.Repeat([]float64{1}, d), d), 1e-5)
		want := tp.Add(x, mamba.Forward(tp, norm, nil)).Data()
		if got := block.Forward(tp, x, nil).Data(); !slices.Equal(got, want) {
			t.Errorf("%s: the block is not x + Mamba(RMSNorm(x))", dev.Name())
		}
	}
}

// TestLambda: every parametrisation starts at the same λ, on its ring, and keeps
// or loses stability as promised.
func TestLambda(t *testing.T) {
	var want []complex128
	for _, param := range Params() {
		cfg := DefaultDiagonalConfig()
		cfg.Param, cfg.MaxPhase = param, math.Pi/10
		b := nn.NewBuilder(tensor.Reference(), 9)
		m, err := NewDiagonal(b, cfg)
		if err != nil {
			t.Fatal(err)
		}
		got := m.Eigenvalues()
		if want == nil {
			want = got
		}
		for i, v := range got {
			if r := cmplx.Abs(v); r < cfg.RMin-1e-12 || r > cfg.RMax+1e-12 || cmplx.Phase(v) < 0 || cmplx.Phase(v) > cfg.MaxPhase {
				t.Errorf("%s: λ[%d] = %v is off the ring", param, i, v)
			}
			if cmplx.Abs(v-want[i]) > 1e-12 {
				t.Errorf("%s: λ[%d] is %v, want %v as %s", param, i, v, want[i], Params()[0])
			}
		}
		checkStability(t, m, b.Params()[0])
	}
}

// checkStability moves the first parameter of λ far and looks at |λ|.
func checkStability(t *testing.T, m *Diagonal, p *tensor.Param) {
	for _, v := range []float64{-3, 2} {
		p.SetData(slices.Repeat([]float64{v}, p.Len()))
		unstable := slices.ContainsFunc(m.Eigenvalues(), func(l complex128) bool { return cmplx.Abs(l) >= 1 })
		mayBe := map[Param]bool{ParamReIm: true, ParamExp: v < 0}[m.cfg.Param]
		if unstable != mayBe {
			t.Errorf("%s at %s = %g: |λ| >= 1 is %t, want %t", m.cfg.Param, p.Name, v, unstable, mayBe)
		}
	}
}

// TestStartOfS6 holds the start to the official code.
func TestStartOfS6(t *testing.T) {
	cfg := DefaultS6Config()
	cfg.D, cfg.Model = 128, 64
	b := nn.NewBuilder(tensor.Reference(), 1)
	if _, err := NewS6(b, cfg); err != nil {
		t.Fatal(err)
	}
	names := []string{"x_proj.weight", "dt_proj.weight", "dt_proj.bias", "A_log", "D"}
	groups := []tensor.Group{tensor.Decay, tensor.Decay, tensor.NoDecay, tensor.NoDecay, tensor.NoDecay}
	for i, p := range b.Params() {
		if p.Name != names[i] || p.Group != groups[i] {
			t.Errorf("parameter %d is %s in group %s, want %s in %s", i, p.Name, p.Group, names[i], groups[i])
		}
	}
	within := func(name string, x []float64, lo, hi float64) {
		if slices.Min(x) < lo || slices.Max(x) > hi || slices.Max(x)-slices.Min(x) < 0.9*(hi-lo) {
			t.Errorf("%s lies in [%g, %g], want all of [%g, %g]", name, slices.Min(x), slices.Max(x), lo, hi)
		}
	}
	p := b.Params()
	within(p[0].Name, p[0].Data(), -1/math.Sqrt(128), 1/math.Sqrt(128))
	within(p[1].Name, p[1].Data(), -0.5, 0.5) // R = ⌈64/16⌉ = 4
	logDt := p[2].Data()
	for i, v := range logDt {
		logDt[i] = math.Log(math.Log1p(math.Exp(v)))
	}
	within("ln softplus(dt_proj.bias)", logDt, math.Log(0.001), math.Log(0.1))
	for i, v := range p[3].Data() {
		if v != math.Log(float64(i%16+1)) {
			t.Fatalf("A_log[%d] is %g", i, v)
		}
	}
	within("D", p[4].Data(), 1, 1)
	if s := p[0].Shape(); !slices.Equal(s, []int{4 + 2*16, 128}) {
		t.Errorf("x_proj.weight is %v", s)
	}
}

// TestS6Sizes: real and complex layers of the same N have parameters of the same
// number but for A's imaginary part, and Rank follows the official rule.
func TestS6Sizes(t *testing.T) {
	for _, c := range []struct{ d, model, rank, want int }{{128, 64, 0, 4}, {128, 0, 0, 8}, {100, 0, 0, 7}, {128, 64, 3, 3}, {8, 1, 0, 1}} {
		cfg := DefaultS6Config()
		cfg.D, cfg.Model, cfg.DeltaRank = c.d, c.model, c.rank
		if got := cfg.Rank(); got != c.want {
			t.Errorf("D=%d model=%d rank=%d: Rank is %d, want %d", c.d, c.model, c.rank, got, c.want)
		}
	}
	count := func(a AInit, parts Selective) int {
		cfg := DefaultS6Config()
		cfg.A, cfg.Selective = a, parts
		b := nn.NewBuilder(tensor.Reference(), 1)
		if _, err := NewS6(b, cfg); err != nil {
			t.Fatal(err)
		}
		return nn.CountParams(b.Params())
	}
	for _, parts := range []Selective{{}, {Delta: true, B: true, C: true}} {
		if r, c := count(AReal, parts), count(ALin, parts); r != c {
			t.Errorf("selective %s: %d real parameters, %d complex", parts, r, c)
		}
	}
}
