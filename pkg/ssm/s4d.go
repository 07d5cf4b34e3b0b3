package ssm

import (
	"fmt"
	"math"
	"math/cmplx"
	"slices"

	initializer "github.com/gophersnake/gophersnake/pkg/init"
	"github.com/gophersnake/gophersnake/pkg/nn"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// AInit names where the continuous-time A of an SSM starts, and with it whether
// A is complex.
type AInit string

// The starts of A (pkg/init has the formulas; n counts from 0).
const (
	AReal   AInit = "s4d_real"  // −(n+1)
	AHalf   AInit = "real_half" // −½
	ARandom AInit = "random"    // −exp(N(0,1))
	ALin    AInit = "s4d_lin"   // −½ + iπn
	AInv    AInit = "s4d_inv"   // −½ + i·(N/π)·(N/(2n+1) − 1)
	ALegS   AInit = "s4d_legs"  // eigenvalues of HiPPO-LegS's normal part
)

// AInits lists the starts of A.
func AInits() []AInit { return []AInit{AReal, AHalf, ARandom, ALin, AInv, ALegS} }

// Complex reports whether A is complex.
func (a AInit) Complex() bool { return a == ALin || a == AInv || a == ALegS }

// states returns how many numbers of A a channel holds for a state of n reals:
// n real ones, or n/2 complex ones, one of each conjugate pair.
func (a AInit) states(n int) int {
	if a.Complex() {
		return n / 2
	}
	return n
}

// aStart returns ln(−Re A) and Im A, (d,states) each; im is nil when A is real.
// Every channel starts alike but for ARandom.
func aStart(b *nn.Builder, a AInit, d, n int) (logRe, im []float64) {
	var re []float64
	switch a {
	case ARandom:
		return initializer.ALogRandom(b.Rand, d, n), nil
	case AReal:
		return initializer.ALogS4DReal(d, n), nil
	case AHalf:
		return initializer.Constant(d*n, math.Log(0.5)), nil
	case ALin:
		re, im = initializer.S4DLin(n / 2)
	case AInv:
		re, im = initializer.S4DInv(n / 2)
	case ALegS:
		re, im = initializer.HiPPOLegS(n / 2)
	}
	for i, v := range re {
		re[i] = math.Log(-v)
	}
	return slices.Repeat(re, d), slices.Repeat(im, d)
}

// S4DConfig describes an S4D.
type S4DConfig struct {
	D     int     `json:"d"`      // channels
	N     int     `json:"n"`      // state per channel in real numbers: N/2 complex states, or N real ones
	A     AInit   `json:"a"`      // where A starts
	DtMin float64 `json:"dt_min"` // Δ starts log-uniform on [DtMin, DtMax)
	DtMax float64 `json:"dt_max"`
}

// DefaultS4DConfig returns S4D-Lin as the official code has it.
func DefaultS4DConfig() S4DConfig {
	return S4DConfig{D: 64, N: 64, A: ALin, DtMin: 0.001, DtMax: 0.1}
}

// Validate reports every field that is out of range.
func (c S4DConfig) Validate() error {
	f := fields{config: "s4d"}
	f.want(c.D >= 1 && c.D <= maxWidth, "d", c.D, "1 to 65536")
	f.wantState(c.A, c.N)
	f.wantStep(c.DtMin, c.DtMax)
	return f.err()
}

// wantState checks the start of A and the state size that goes with it.
func (f *fields) wantState(a AInit, n int) {
	f.want(slices.Contains(AInits(), a), "a", fmt.Sprintf("%q", a), fmt.Sprintf("one of %v", AInits()))
	f.want(n >= 1 && n <= maxState, "n", n, "1 to 256")
	f.want(!a.Complex() || n%2 == 0, "n", n, fmt.Sprintf("even for the complex %s", a))
}

// wantStep checks the range of Δ.
func (f *fields) wantStep(lo, hi float64) {
	f.want(lo > 0 && !math.IsInf(lo, 1), "dt_min", lo, "0 < dt_min, finite")
	f.want(hi >= lo && !math.IsInf(hi, 1), "dt_max", hi, fmt.Sprintf("dt_min = %v <= dt_max, finite", lo))
}

// S4D is one small time-invariant SSM per channel (S4D, arXiv 2206.11893;
// state-spaces/s4 models/s4/s4d.py). For each channel, with B = 1,
//
//	h' = A h + u,  y = 2·Re(C h) + D u          (without the 2·Re when A is real)
//
// sampled by zero-order hold with step Δ = exp(log_dt):
//
//	h_t = exp(ΔA) h_{t−1} + (exp(ΔA) − 1)/A · u_t
//	y_t = 2·Re Σ_n C[n] h_t[n] + D u_t
//
// Tape.SelectiveScan has Euler's Δ·B in the place of (exp(ΔA)−1)/A. The state is
// linear in its input and the input weight is the same at every t, so the ratio
// of the two can be moved from the input to the output: with h = φ ⊙ g,
//
//	g_t = exp(ΔA) g_{t−1} + Δ u_t,   φ = (exp(ΔA) − 1)/(ΔA),   C h = (C ⊙ φ) g
//
// So the scan runs with B = 1 and C ⊙ φ, and the state kept between calls is g.
//
// Parameters are named as in the official code: log_dt (D), log_A_real, A_imag
// (D,N/2), C_re, C_im (D,N/2), D (D); with a real A log_A_real and C are (D,N)
// and there is no A_imag. Unlike there, layer and no more: GELU and output
// projection belong to the Block. log_dt and A are in the recurrent group, C and
// D decay.
type S4D struct {
	cfg        S4DConfig
	dev        *tensor.Device
	logDt      *tensor.Param
	logA, aIm  *tensor.Param // aIm nil when A is real
	c, cIm     *tensor.Param
	skip       *tensor.Param
	one, zero  *tensor.Tensor // B = 1 + 0i, (D,states)
	onesStates *tensor.Tensor // (1,states)
}

// NewS4D returns the layer with log_dt log-uniform, A as configured,
// C ~ N(0,1) (complex: variance ½ each for real and imaginary part) and
// D ~ N(0,1).
func NewS4D(b *nn.Builder, cfg S4DConfig) (*S4D, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	d, n := cfg.D, cfg.A.states(cfg.N)
	m := &S4D{cfg: cfg, dev: b.Device, onesStates: onesRow(b.Device, n)}
	m.logDt = b.Param("log_dt", tensor.Recurrent, initializer.LogStep(b.Rand, d, cfg.DtMin, cfg.DtMax), d)
	logA, aIm := aStart(b, cfg.A, d, cfg.N)
	m.logA = b.Param("log_A_real", tensor.Recurrent, logA, d, n)
	m.one = tensor.From(b.Device, initializer.Constant(d*n, 1), d, n)
	if cfg.A.Complex() {
		m.aIm = b.Param("A_imag", tensor.Recurrent, aIm, d, n)
		m.c = b.Param("C_re", tensor.Decay, initializer.Normal(b.Rand, d*n, math.Sqrt(0.5)), d, n)
		m.cIm = b.Param("C_im", tensor.Decay, initializer.Normal(b.Rand, d*n, math.Sqrt(0.5)), d, n)
		m.zero = tensor.New(b.Device, d, n)
	} else {
		m.c = b.Param("C", tensor.Decay, initializer.Normal(b.Rand, d*n, 1), d, n)
	}
	m.skip = b.Param("D", tensor.Decay, initializer.Normal(b.Rand, d, 1), d)
	return m, nil
}

// Name implements nn.Mixer.
func (m *S4D) Name() string { return fmt.Sprintf("s4d(%s, n=%d)", m.cfg.A, m.cfg.N) }

// Config returns what the layer was built from.
func (m *S4D) Config() S4DConfig { return m.cfg }

// Forward implements nn.Mixer: u (B,L,D) to y (B,L,D).
func (m *S4D) Forward(tp *tensor.Tape, u *tensor.Tensor, s *nn.State) *tensor.Tensor {
	return m.scan(tp, u, nil, s)
}

// ForwardGated implements nn.GatedMixer.
func (m *S4D) ForwardGated(tp *tensor.Tape, u, z *tensor.Tensor, s *nn.State) *tensor.Tensor {
	wantInput("S4D", "z", z, m.cfg.D)
	return m.scan(tp, u, z, s)
}

func (m *S4D) scan(tp *tensor.Tape, u, z *tensor.Tensor, s *nn.State) *tensor.Tensor {
	wantInput("S4D", "u", u, m.cfg.D)
	dt := tp.Map(tensor.Exp, m.logDt.Tensor)
	k := tensor.SelectiveScan{U: u, DeltaBias: dt, A: tp.Map(tensor.Neg, tp.Map(tensor.Exp, m.logA.Tensor)),
		B: m.one, Dskip: m.skip.Tensor, Z: z, State: s.Get("h"), StateIm: s.Get("h_im")}
	x := scaleRows(tp, k.A, dt, m.onesStates)
	if m.aIm == nil {
		k.C = tp.Mul(m.c.Tensor, phiReal(tp, x))
	} else {
		k.AIm, k.BIm = m.aIm.Tensor, m.zero
		phi, phiIm := phiComplex(tp, x, scaleRows(tp, k.AIm, dt, m.onesStates))
		k.C, k.CIm = mulComplex(tp, m.c.Tensor, m.cIm.Tensor, phi, phiIm)
	}
	y := tp.SelectiveScan(k)
	s.Advance(u.Dim(1))
	return y
}

// expm1 returns eˣ − 1 for x ≤ 0 without losing digits near 0:
// tanh(x/2) = (eˣ − 1)/(eˣ + 1).
func expm1(tp *tensor.Tape, x *tensor.Tensor) *tensor.Tensor {
	tau := tp.Map(tensor.Tanh, tp.Scale(0.5, x))
	return tp.Add(tau, tp.Mul(tau, tp.Map(tensor.Exp, x)))
}

// phiReal returns (eˣ − 1)/x for x < 0.
func phiReal(tp *tensor.Tape, x *tensor.Tensor) *tensor.Tensor {
	return tp.Mul(expm1(tp, x), tp.Map(tensor.Recip, x))
}

// phiComplex returns (e^z − 1)/z for z = x + iy, x < 0. The numerator is
//
//	e^z − 1 = (eˣ−1) − 2eˣ sin²(y/2) + i·2eˣ sin(y/2) cos(y/2)
//
// whose real part has two terms of one sign, so that nothing cancels.
func phiComplex(tp *tensor.Tape, x, y *tensor.Tensor) (re, im *tensor.Tensor) {
	half := tp.Scale(0.5, y)
	sin, cos := tp.Map(tensor.Sin, half), tp.Map(tensor.Cos, half)
	w := tp.Scale(2, tp.Mul(tp.Map(tensor.Exp, x), sin)) // 2eˣ sin(y/2)
	re = tp.Sub(expm1(tp, x), tp.Mul(w, sin))
	im = tp.Mul(w, cos)
	over := tp.Map(tensor.Recip, tp.Add(tp.Map(tensor.Square, x), tp.Map(tensor.Square, y)))
	re, im = mulComplex(tp, re, im, x, tp.Map(tensor.Neg, y))
	return tp.Mul(re, over), tp.Mul(im, over)
}

// mulComplex returns (a + ib)(c + id).
func mulComplex(tp *tensor.Tape, a, b, c, d *tensor.Tensor) (re, im *tensor.Tensor) {
	return tp.Sub(tp.Mul(a, c), tp.Mul(b, d)), tp.Add(tp.Mul(a, d), tp.Mul(b, c))
}

// NewState implements nn.Mixer: h, and h_im when A is complex, (B,D,states),
// zero.
func (m *S4D) NewState(batch int) *nn.State {
	return newScanState(m.dev, batch, m.cfg.D, m.cfg.A.states(m.cfg.N), m.cfg.A.Complex())
}

// newScanState returns the state of a Tape.SelectiveScan: h (B,D,N), and h_im
// when it is complex.
func newScanState(dev *tensor.Device, batch, d, n int, imaginary bool) *nn.State {
	s := nn.NewState()
	s.Set("h", tensor.New(dev, batch, d, n))
	if imaginary {
		s.Set("h_im", tensor.New(dev, batch, d, n))
	}
	return s
}

// continuous returns A (D,states) and Δ (D) as they stand now.
func (m *S4D) continuous() (a []complex128, dt []float64) {
	logA, aIm := m.logA.Data(), make([]float64, m.logA.Len())
	if m.aIm != nil {
		aIm = m.aIm.Data()
	}
	a = make([]complex128, len(logA))
	for i := range a {
		a[i] = complex(-math.Exp(logA[i]), aIm[i])
	}
	return a, expAll(m.logDt.Data())
}

// Eigenvalues returns exp(ΔA), (D,states), as it stands now, for plots. When A
// is complex each stands for itself and its conjugate.
func (m *S4D) Eigenvalues() []complex128 {
	a, dt := m.continuous()
	for i := range a {
		a[i] = cmplx.Exp(a[i] * complex(dt[i/(len(a)/len(dt))], 0))
	}
	return a
}

// Kernel returns the first l taps of the convolution that the given channel is:
//
//	K_0 gets D;   K_k = 2·Re Σ_n C_n (exp(ΔA_n)−1)/A_n exp(kΔA_n)
//
// (without 2·Re when A is real), computed by the formula and not by the scan.
func (m *S4D) Kernel(channel, l int) []float64 {
	if channel < 0 || channel >= m.cfg.D || l < 0 {
		panic(fmt.Sprintf("ssm: S4D.Kernel: channel %d, l %d, want channel 0 to %d and l >= 0", channel, l, m.cfg.D-1))
	}
	a, dt := m.continuous()
	n := len(a) / len(dt)
	c, cIm, weight := m.c.Data(), make([]float64, len(a)), 1.0
	if m.cIm != nil {
		cIm, weight = m.cIm.Data(), 2
	}
	k := make([]float64, l)
	for i := channel * n; i < (channel+1)*n; i++ {
		lambda := cmplx.Exp(a[i] * complex(dt[channel], 0))
		w := complex(weight, 0) * complex(c[i], cIm[i]) * (lambda - 1) / a[i]
		for t := range k {
			k[t] += real(w)
			w *= lambda
		}
	}
	if l > 0 {
		k[0] += m.skip.Data()[channel]
	}
	return k
}
