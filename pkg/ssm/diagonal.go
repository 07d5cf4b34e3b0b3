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

// Param names how the eigenvalues λ of a Diagonal are trained.
type Param string

// The parametrisations, in the order of the ladder (LRU, Table 8).
const (
	// ParamReIm trains λ = a + ib itself. Nothing keeps |λ| below 1: a step of
	// the optimiser can make the layer diverge, and that is its lesson.
	ParamReIm Param = "re_im"
	// ParamExp trains λ = exp(−ν + iθ). It, too, is unstable once ν < 0.
	ParamExp Param = "exp"
	// ParamPolar trains λ = exp(−exp(ν_log) + i·exp(θ_log)): |λ| < 1 for every
	// ν_log.
	ParamPolar Param = "polar"
)

// Params lists the parametrisations.
func Params() []Param { return []Param{ParamReIm, ParamExp, ParamPolar} }

// DiagonalConfig describes a Diagonal. The steps of the ladder:
//
//	diagonal  re_im, ring [0,1]
//	polar     polar, ring [0,1]
//	ring      polar, ring near 1, such as [0.9, 0.999]
//	lru       the same with Gamma
//
// Ring [0,1] is the whole disk, the spectrum of a dense Ginibre matrix.
type DiagonalConfig struct {
	D        int     `json:"d"`         // channels in and out
	N        int     `json:"n"`         // complex states
	Param    Param   `json:"param"`     // how λ is trained
	RMin     float64 `json:"r_min"`     // λ starts uniform by area on RMin ≤ |λ| ≤ RMax
	RMax     float64 `json:"r_max"`     //
	MaxPhase float64 `json:"max_phase"` // with phases in [0, MaxPhase); 2π, on Path-X π/10
	Gamma    bool    `json:"gamma"`     // scale the input by a trained γ, √(1−|λ|²) at the start
}

// DefaultDiagonalConfig returns the LRU on the ring [0.9, 0.999].
func DefaultDiagonalConfig() DiagonalConfig {
	return DiagonalConfig{D: 64, N: 64, Param: ParamPolar, RMin: 0.9, RMax: 0.999, MaxPhase: 2 * math.Pi, Gamma: true}
}

// Validate reports every field that is out of range.
func (c DiagonalConfig) Validate() error {
	f := fields{config: "diagonal"}
	f.want(c.D >= 1 && c.D <= maxWidth, "d", c.D, "1 to 65536")
	f.want(c.N >= 1 && c.N <= maxWidth, "n", c.N, "1 to 65536")
	f.want(slices.Contains(Params(), c.Param), "param", fmt.Sprintf("%q", c.Param), fmt.Sprintf("one of %v", Params()))
	f.wantRing(c.RMin, c.RMax)
	f.want(c.MaxPhase > 0 && c.MaxPhase <= 2*math.Pi, "max_phase", c.MaxPhase, "0 < max_phase <= 2π")
	return f.err()
}

// Diagonal is the complex diagonal recurrence with many inputs and outputs, of
// which the LRU is the last step (LRU §3 and App. A, minimal-LRU lru/model.py).
// For u_t (D) and x_t (N) complex:
//
//	x_t = λ ⊙ x_{t−1} + γ ⊙ (B u_t),   x_{−1} = 0
//	y_t = Re(C x_t) + D ⊙ u_t
//
// There is no factor 2: unlike S4D, the LRU does not keep one of each conjugate
// pair. γ is 1 without Gamma. It is computed as (γ ⊙ B) u, which is the same
// sum for less work.
//
// Parameters are named as in minimal-LRU: nu_log, theta_log, gamma_log (N),
// B_re, B_im (N,D), C_re, C_im (D,N), D (D). ParamExp has nu and theta, and
// ParamReIm has lambda_re and lambda_im. λ, γ and B are in the recurrent group
// (LRU, App.), C and D decay.
type Diagonal struct {
	cfg      DiagonalConfig
	dev      *tensor.Device
	p1, p2   *tensor.Param // nu_log and theta_log, nu and theta, or lambda_re and lambda_im
	gammaLog *tensor.Param // nil without Gamma
	bRe, bIm *tensor.Param
	cRe, cIm *tensor.Param
	skip     *tensor.Param
	ones     *tensor.Tensor
}

// NewDiagonal returns the layer with λ on its ring, B ~ N(0,1)/√(2D) and
// C ~ N(0,1)/√N for real and imaginary part, D ~ N(0,1). Every Param draws the
// same λ, B, C and D from the same random numbers.
func NewDiagonal(b *nn.Builder, cfg DiagonalConfig) (*Diagonal, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	m := &Diagonal{cfg: cfg, dev: b.Device, ones: onesRow(b.Device, cfg.D)}
	nu := m.newLambda(b)
	if cfg.Gamma {
		m.gammaLog = b.Param("gamma_log", tensor.Recurrent, initializer.GammaLog(nu), cfg.N)
	}
	normal := func(name string, g tensor.Group, std float64, shape ...int) *tensor.Param {
		n := 1
		for _, d := range shape {
			n *= d
		}
		return b.Param(name, g, initializer.Normal(b.Rand, n, std), shape...)
	}
	bStd, cStd := 1/math.Sqrt(float64(2*cfg.D)), 1/math.Sqrt(float64(cfg.N))
	m.bRe = normal("B_re", tensor.Recurrent, bStd, cfg.N, cfg.D)
	m.bIm = normal("B_im", tensor.Recurrent, bStd, cfg.N, cfg.D)
	m.cRe = normal("C_re", tensor.Decay, cStd, cfg.D, cfg.N)
	m.cIm = normal("C_im", tensor.Decay, cStd, cfg.D, cfg.N)
	m.skip = normal("D", tensor.Decay, 1, cfg.D)
	return m, nil
}

// newLambda makes the parameters of λ and returns ν_log of their start, whatever
// the parametrisation.
func (m *Diagonal) newLambda(b *nn.Builder) (nuLog []float64) {
	c := m.cfg
	nuLog, thetaLog := initializer.Ring(b.Rand, c.N, c.RMin, c.RMax, c.MaxPhase)
	name1, name2, v1, v2 := "nu_log", "theta_log", nuLog, thetaLog
	switch c.Param {
	case ParamExp:
		name1, name2, v1, v2 = "nu", "theta", expAll(nuLog), expAll(thetaLog)
	case ParamReIm:
		name1, name2 = "lambda_re", "lambda_im"
		v1, v2 = initializer.Lambda(nuLog, thetaLog)
	}
	m.p1 = b.Param(name1, tensor.Recurrent, v1, c.N)
	m.p2 = b.Param(name2, tensor.Recurrent, v2, c.N)
	return nuLog
}

func expAll(x []float64) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = math.Exp(v)
	}
	return y
}

// Name implements nn.Mixer.
func (m *Diagonal) Name() string {
	if m.cfg.Param == ParamPolar && m.cfg.Gamma {
		return fmt.Sprintf("lru(n=%d)", m.cfg.N)
	}
	return fmt.Sprintf("diagonal(%s, n=%d, gamma=%t)", m.cfg.Param, m.cfg.N, m.cfg.Gamma)
}

// Config returns what the layer was built from.
func (m *Diagonal) Config() DiagonalConfig { return m.cfg }

// lambda returns λ (N) as real and imaginary part.
func (m *Diagonal) lambda(tp *tensor.Tape) (re, im *tensor.Tensor) {
	nu, theta := m.p1.Tensor, m.p2.Tensor
	switch m.cfg.Param {
	case ParamReIm:
		return nu, theta
	case ParamPolar:
		nu, theta = tp.Map(tensor.Exp, nu), tp.Map(tensor.Exp, theta)
	}
	r := tp.Map(tensor.Exp, tp.Map(tensor.Neg, nu))
	return tp.Mul(r, tp.Map(tensor.Cos, theta)), tp.Mul(r, tp.Map(tensor.Sin, theta))
}

// Forward implements nn.Mixer: u (B,L,D) to y (B,L,D).
func (m *Diagonal) Forward(tp *tensor.Tape, u *tensor.Tensor, s *nn.State) *tensor.Tensor {
	wantInput("Diagonal", "u", u, m.cfg.D)
	bRe, bIm := m.bRe.Tensor, m.bIm.Tensor
	if m.gammaLog != nil {
		gamma := tp.Map(tensor.Exp, m.gammaLog.Tensor)
		bRe, bIm = scaleRows(tp, bRe, gamma, m.ones), scaleRows(tp, bIm, gamma, m.ones)
	}
	lRe, lIm := m.lambda(tp)
	uRe, uIm := tp.Linear(u, bRe, nil), tp.Linear(u, bIm, nil)
	xRe, xIm := tp.ComplexScan(lRe, lIm, uRe, uIm, s.Get("x_re"), s.Get("x_im"))
	tp.Done(uRe)
	tp.Done(uIm)
	s.Advance(u.Dim(1))
	yRe, yIm := tp.Linear(xRe, m.cRe.Tensor, nil), tp.Linear(xIm, m.cIm.Tensor, nil)
	cx := tp.Sub(yRe, yIm)
	tp.Done(yRe)
	tp.Done(yIm)
	skip := tp.MulRow(u, m.skip.Tensor)
	y := tp.Add(cx, skip)
	tp.Done(cx)
	tp.Done(skip)
	return y
}

// NewState implements nn.Mixer: x_re and x_im (B,N), zero.
func (m *Diagonal) NewState(batch int) *nn.State {
	s := nn.NewState()
	s.Set("x_re", tensor.New(m.dev, batch, m.cfg.N))
	s.Set("x_im", tensor.New(m.dev, batch, m.cfg.N))
	return s
}

// Eigenvalues returns λ as it stands now, for plots.
func (m *Diagonal) Eigenvalues() []complex128 {
	p1, p2 := m.p1.Data(), m.p2.Data()
	out := make([]complex128, len(p1))
	for i := range out {
		switch m.cfg.Param {
		case ParamReIm:
			out[i] = complex(p1[i], p2[i])
		case ParamExp:
			out[i] = cmplx.Exp(complex(-p1[i], p2[i]))
		default:
			out[i] = cmplx.Exp(complex(-math.Exp(p1[i]), math.Exp(p2[i])))
		}
	}
	return out
}

// Kernel returns the first l taps of the convolution that the layer is, from
// input channel in to output channel out:
//
//	K_0 = Re Σ_n C γ B + D (D only if in = out),   K_k = Re Σ_n C_n λ_n^k γ_n B_n
//
// computed by the formula, not by the scan.
func (m *Diagonal) Kernel(out, in, l int) []float64 {
	d, n := m.cfg.D, m.cfg.N
	if out < 0 || out >= d || in < 0 || in >= d || l < 0 {
		panic(fmt.Sprintf("ssm: Diagonal.Kernel: out %d, in %d, l %d, want channels 0 to %d and l >= 0", out, in, l, d-1))
	}
	bRe, bIm, cRe, cIm := m.bRe.Data(), m.bIm.Data(), m.cRe.Data(), m.cIm.Data()
	gammaLog := make([]float64, n)
	if m.gammaLog != nil {
		gammaLog = m.gammaLog.Data()
	}
	k := make([]float64, l)
	for j, lambda := range m.Eigenvalues() {
		w := complex(bRe[j*d+in], bIm[j*d+in]) * complex(cRe[out*n+j], cIm[out*n+j]) * complex(math.Exp(gammaLog[j]), 0)
		for t := range k {
			k[t] += real(w)
			w *= lambda
		}
	}
	if in == out && l > 0 {
		k[0] += m.skip.Data()[in]
	}
	return k
}
