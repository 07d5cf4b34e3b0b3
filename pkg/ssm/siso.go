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

// ParamReal trains λ = exp(−exp(ν_log)), the polar form without a phase.
const ParamReal Param = "real"

// SISOParams lists the parametrisations of a SISO.
func SISOParams() []Param { return []Param{ParamPolar, ParamReal} }

// SISOConfig describes a SISO.
type SISOConfig struct {
	D        int     `json:"d"`         // channels
	N        int     `json:"n"`         // states of each channel, complex ones with ParamPolar
	Param    Param   `json:"param"`     // how λ is trained
	RMin     float64 `json:"r_min"`     // λ starts uniform by area on RMin ≤ |λ| ≤ RMax
	RMax     float64 `json:"r_max"`     //
	MaxPhase float64 `json:"max_phase"` // with phases in [0, MaxPhase); 0 with ParamReal, which drops them
	Gamma    bool    `json:"gamma"`     // scale the input by a trained γ, √(1−|λ|²) at the start
}

// DefaultSISOConfig returns one complex state a channel on the ring [0.9, 0.999].
func DefaultSISOConfig() SISOConfig {
	return SISOConfig{D: 64, N: 1, Param: ParamPolar, RMin: 0.9, RMax: 0.999, MaxPhase: 2 * math.Pi, Gamma: true}
}

// Validate reports every field that is out of range.
func (c SISOConfig) Validate() error {
	f := fields{config: "siso"}
	f.want(c.D >= 1 && c.D <= maxWidth, "d", c.D, "1 to 65536")
	f.want(c.N >= 1 && c.N <= maxState, "n", c.N, "1 to 256")
	f.want(slices.Contains(SISOParams(), c.Param), "param", fmt.Sprintf("%q", c.Param), fmt.Sprintf("one of %v", SISOParams()))
	f.wantRing(c.RMin, c.RMax)
	if c.Param == ParamReal {
		f.want(c.MaxPhase == 0, "max_phase", c.MaxPhase, "0 for param real")
	} else {
		f.want(c.MaxPhase > 0 && c.MaxPhase <= 2*math.Pi, "max_phase", c.MaxPhase, "0 < max_phase <= 2π")
	}
	return f.err()
}

// SISO is the LRU cut into single channels: where a Diagonal shares its states
// among all channels through dense B and C, each channel here has states of its
// own (single input, single output, as in S4D). For u_t (D) and x_t (D,N):
//
//	x_t[d,n] = λ[d,n] x_{t−1}[d,n] + γ[d,n] B[d,n] u_t[d],   x_{−1} = 0
//	y_t[d]   = Re Σ_n C[d,n] x_t[d,n] + D[d] u_t[d]
//
// with λ = exp(−exp(ν_log) + i·exp(θ_log)) or, real, exp(−exp(ν_log)), and γ = 1
// or exp(γ_log). There is no factor 2, as in the LRU. It runs as a selective scan
// of constants: A = ln λ, Δ = 1.
//
// λ and γ start as in a Diagonal; B = 1, C ~ N(0,1) (complex: variance ½ each) and
// D = 1 start as the constant ones of an S6, the layer that follows on the ladder.
//
// Parameters: nu_log, theta_log, gamma_log, B or B_re and B_im, C or C_re and C_im
// (D,N), D (D). λ, γ and B are in the recurrent group, C decays, D does not.
type SISO struct {
	cfg      SISOConfig
	dev      *tensor.Device
	nuLog    *tensor.Param
	thetaLog *tensor.Param // nil when real
	gammaLog *tensor.Param // nil without Gamma
	b, bIm   *tensor.Param // the second nil when real
	c, cIm   *tensor.Param
	skip     *tensor.Param
	one      *tensor.Tensor // Δ = 1, (D)
}

// NewSISO returns the layer as its doc comment says it starts. Real or not, it
// draws the same |λ|.
func NewSISO(b *nn.Builder, cfg SISOConfig) (*SISO, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	d, n, size := cfg.D, cfg.N, cfg.D*cfg.N
	m := &SISO{cfg: cfg, dev: b.Device, one: tensor.From(b.Device, initializer.Constant(d, 1), d)}
	phase := cfg.MaxPhase
	if cfg.Param == ParamReal {
		phase = 1 // drawn and dropped
	}
	nuLog, thetaLog := initializer.Ring(b.Rand, size, cfg.RMin, cfg.RMax, phase)
	m.nuLog = b.Param("nu_log", tensor.Recurrent, nuLog, d, n)
	if cfg.Gamma {
		m.gammaLog = b.Param("gamma_log", tensor.Recurrent, initializer.GammaLog(nuLog), d, n)
	}
	if cfg.Param == ParamReal {
		m.b = b.Param("B", tensor.Recurrent, initializer.Constant(size, 1), d, n)
		m.c = b.Param("C", tensor.Decay, initializer.Normal(b.Rand, size, 1), d, n)
	} else {
		m.thetaLog = b.Param("theta_log", tensor.Recurrent, thetaLog, d, n)
		m.b = b.Param("B_re", tensor.Recurrent, initializer.Constant(size, 1), d, n)
		m.bIm = b.Param("B_im", tensor.Recurrent, initializer.Constant(size, 0), d, n)
		m.c = b.Param("C_re", tensor.Decay, initializer.Normal(b.Rand, size, math.Sqrt(0.5)), d, n)
		m.cIm = b.Param("C_im", tensor.Decay, initializer.Normal(b.Rand, size, math.Sqrt(0.5)), d, n)
	}
	m.skip = b.Param("D", tensor.NoDecay, initializer.Constant(d, 1), d)
	return m, nil
}

// Name implements nn.Mixer.
func (m *SISO) Name() string {
	return fmt.Sprintf("siso(%s, n=%d, gamma=%t)", m.cfg.Param, m.cfg.N, m.cfg.Gamma)
}

// Config returns what the layer was built from.
func (m *SISO) Config() SISOConfig { return m.cfg }

// Forward implements nn.Mixer: u (B,L,D) to y (B,L,D).
func (m *SISO) Forward(tp *tensor.Tape, u *tensor.Tensor, s *nn.State) *tensor.Tensor {
	return m.scan(tp, u, nil, s)
}

// ForwardGated implements nn.GatedMixer: Forward(u) ⊙ SiLU(z), in one pass.
func (m *SISO) ForwardGated(tp *tensor.Tape, u, z *tensor.Tensor, s *nn.State) *tensor.Tensor {
	wantInput("SISO", "z", z, m.cfg.D)
	return m.scan(tp, u, z, s)
}

func (m *SISO) scan(tp *tensor.Tape, u, z *tensor.Tensor, s *nn.State) *tensor.Tensor {
	wantInput("SISO", "u", u, m.cfg.D)
	k := tensor.SelectiveScan{U: u, DeltaBias: m.one, A: tp.Map(tensor.Neg, tp.Map(tensor.Exp, m.nuLog.Tensor)),
		B: m.b.Tensor, C: m.c.Tensor, Dskip: m.skip.Tensor, Z: z, State: s.Get("h"), StateIm: s.Get("h_im")}
	if m.gammaLog != nil {
		k.B = tp.Mul(tp.Map(tensor.Exp, m.gammaLog.Tensor), k.B)
	}
	if m.thetaLog != nil {
		k.AIm, k.BIm = tp.Map(tensor.Exp, m.thetaLog.Tensor), m.bIm.Tensor
		if m.gammaLog != nil {
			k.BIm = tp.Mul(tp.Map(tensor.Exp, m.gammaLog.Tensor), k.BIm)
		}
		// The scan of complex states returns 2·Re.
		k.C, k.CIm = tp.Scale(0.5, k.C), tp.Scale(0.5, m.cIm.Tensor)
	}
	y := tp.SelectiveScan(k)
	s.Advance(u.Dim(1))
	return y
}

// NewState implements nn.Mixer: h, and h_im when λ is complex, (B,D,N), zero.
func (m *SISO) NewState(batch int) *nn.State {
	return newScanState(m.dev, batch, m.cfg.D, m.cfg.N, m.thetaLog != nil)
}

// Eigenvalues returns λ (D,N) as it stands now, for plots.
func (m *SISO) Eigenvalues() []complex128 {
	nuLog, thetaLog := m.nuLog.Data(), make([]float64, m.nuLog.Len())
	if m.thetaLog != nil {
		thetaLog = m.thetaLog.Data()
	}
	out := make([]complex128, len(nuLog))
	for i, v := range nuLog {
		out[i] = complex(math.Exp(-math.Exp(v)), 0)
		if m.thetaLog != nil {
			out[i] = cmplx.Exp(complex(-math.Exp(v), math.Exp(thetaLog[i])))
		}
	}
	return out
}

// Kernel returns the first l taps of the convolution that the given channel is,
//
//	K_0 = Re Σ_n C γ B + D,   K_k = Re Σ_n C_n λ_n^k γ_n B_n
//
// computed by the formula, not by the scan.
func (m *SISO) Kernel(channel, l int) []float64 {
	if channel < 0 || channel >= m.cfg.D || l < 0 {
		panic(fmt.Sprintf("ssm: SISO.Kernel: channel %d, l %d, want channel 0 to %d and l >= 0", channel, l, m.cfg.D-1))
	}
	zeros := make([]float64, m.nuLog.Len())
	data := func(p *tensor.Param) []float64 {
		if p == nil {
			return zeros
		}
		return p.Data()
	}
	b, bIm, c, cIm, gammaLog := data(m.b), data(m.bIm), data(m.c), data(m.cIm), data(m.gammaLog)
	k := make([]float64, l)
	lambda := m.Eigenvalues()
	for i := channel * m.cfg.N; i < (channel+1)*m.cfg.N; i++ {
		w := complex(b[i], bIm[i]) * complex(c[i], cIm[i]) * complex(math.Exp(gammaLog[i]), 0)
		for t := range k {
			k[t] += real(w)
			w *= lambda[i]
		}
	}
	if l > 0 {
		k[0] += m.skip.Data()[channel]
	}
	return k
}
