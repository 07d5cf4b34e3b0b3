package ssm

import (
	"fmt"
	"math"
	"math/cmplx"

	initializer "github.com/gophersnake/gophersnake/pkg/init"
	"github.com/gophersnake/gophersnake/pkg/nn"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// Selective says which parts of an S6 are computed from the input at each step;
// the others are trained constants. All eight combinations work.
type Selective struct {
	Delta bool `json:"delta"` // Δ_t = softplus(W_dt W_x u_t + bias) instead of softplus(bias)
	B     bool `json:"b"`     // B_t (N), shared by the channels, instead of B (D,N)
	C     bool `json:"c"`     // C_t (N), shared by the channels, instead of C (D,N)
}

// String names the selective parts: "Δ,B,C", "Δ", "none".
func (s Selective) String() string {
	out := ""
	for _, p := range []struct {
		on   bool
		name string
	}{{s.Delta, "Δ"}, {s.B, "B"}, {s.C, "C"}} {
		if p.on && out != "" {
			out += ","
		}
		if p.on {
			out += p.name
		}
	}
	if out == "" {
		return "none"
	}
	return out
}

// S6Config describes an S6. Every part of selection, of the parametrisation and
// of the start is a field, so that each can be ablated by itself.
type S6Config struct {
	D         int       `json:"d"`           // channels
	N         int       `json:"n"`           // state per channel in real numbers: N real states, or N/2 complex ones
	DeltaRank int       `json:"delta_rank"`  // width of Δ's projection; 0 for ⌈Model/16⌉; a static Δ is Selective.Delta = false
	Model     int       `json:"model_width"` // width of the model around the layer; 0 for D
	Selective Selective `json:"selective"`
	A         AInit     `json:"a"`             // where A starts, and whether it is complex
	Signed    bool      `json:"signed"`        // Ā = 2exp(ΔA) − 1 in (−1,1) instead of (0,1); real A only
	DtMin     float64   `json:"dt_min"`        // Δ starts log-uniform on [DtMin, DtMax),
	DtMax     float64   `json:"dt_max"`        //
	DtFloor   float64   `json:"dt_init_floor"` // and at least DtFloor
}

// DefaultS6Config returns the official code's choices: all parts selective, 16
// real states, A = −(n+1), Δ in [0.001, 0.1].
func DefaultS6Config() S6Config {
	return S6Config{D: 64, N: 16, Selective: Selective{Delta: true, B: true, C: true}, A: AReal,
		DtMin: 0.001, DtMax: 0.1, DtFloor: 1e-4}
}

// Validate reports every field that is out of range.
func (c S6Config) Validate() error {
	f := fields{config: "s6"}
	f.want(c.D >= 1 && c.D <= maxWidth, "d", c.D, "1 to 65536")
	f.want(c.DeltaRank >= 0 && c.DeltaRank <= maxWidth, "delta_rank", c.DeltaRank, "0 (automatic) to 65536")
	f.want(c.Model >= 0 && c.Model <= maxWidth, "model_width", c.Model, "0 (as d) to 65536")
	f.wantState(c.A, c.N)
	f.wantStep(c.DtMin, c.DtMax)
	f.want(c.DtFloor >= 0 && !math.IsInf(c.DtFloor, 1), "dt_init_floor", c.DtFloor, "0 or more, finite")
	f.want(!c.Signed || !c.A.Complex(), "signed", c.Signed, fmt.Sprintf("false for the complex a = %s", c.A))
	return f.err()
}

// Rank returns the width of Δ's projection: DeltaRank, or ⌈Model/16⌉ as
// the official code sets it; 0 when Δ is not selective.
func (c S6Config) Rank() int {
	switch {
	case !c.Selective.Delta:
		return 0
	case c.DeltaRank > 0:
		return c.DeltaRank
	case c.Model > 0:
		return (c.Model + 15) / 16
	}
	return (c.D + 15) / 16
}

// S6 is the selective state-space layer of Mamba (arXiv 2312.00752 §3.2; official
// mamba_simple.py), every part of which can be held constant. For u_t (D) and a
// state h_t (D,N):
//
//	(δ_t, B_t, C_t) = W_x u_t                                   (R + N + N)
//	Δ_t = softplus(W_dt δ_t + bias)                             (D)
//	h_t[d,n] = exp(Δ_t[d] A[d,n]) h_{t−1}[d,n] + Δ_t[d] B_t[n] u_t[d]
//	y_t[d]   = Σ_n C_t[n] h_t[d,n] + D[d] u_t[d]
//
// with A = −exp(A_log). B is discretised by Euler's rule, Δ·B, as in the released
// code and unlike the paper's text, which states a zero-order hold.
//
//   - Δ not selective: Δ = softplus(bias), no dt_proj.weight.
//   - B not selective: a constant B (D,N), 1 at the start, as in S4D.
//   - C not selective: a constant C (D,N), N(0,1) at the start, as in S4D.
//   - Signed: Ā = 2exp(ΔA) − 1 (Grazzi et al., arXiv 2411.12537).
//   - A complex: N/2 states, A = −exp(A_log) + i·A_imag, y = 2·Re Σ C h + D u, and
//     of B and C the real parts come first, then the imaginary parts. A constant
//     C has variance ½ in each.
//
// Parameters are named as in the official code: x_proj.weight (R+2N,D) with rows
// δ, B, C, dt_proj.weight (D,R), dt_proj.bias (D), A_log (D,N), D (D); and where
// they are in use A_imag, B, C, or B_re, B_im, C_re, C_im. Weights and the
// constant C decay, everything else does not.
type S6 struct {
	cfg     S6Config
	dev     *tensor.Device
	states  int // numbers of A per channel
	rank    int
	xProj   *tensor.Param // nil when no part is selective
	dtProj  *tensor.Param // nil when Δ is not
	dtBias  *tensor.Param
	aLog    *tensor.Param
	aIm     *tensor.Param // nil when A is real
	b, bIm  *tensor.Param // nil when B is selective
	c, cIm  *tensor.Param // nil when C is selective
	skip    *tensor.Param
	columns []int // what x_proj returns: δ, B, B_im, C, C_im, as far as selective
}

// NewS6 returns the layer as the official code starts it: x_proj uniform in
// ±1/√D, dt_proj.weight in ±1/√R, softplus(dt_proj.bias) log-uniform, D = 1.
func NewS6(b *nn.Builder, cfg S6Config) (*S6, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	d, n := cfg.D, cfg.A.states(cfg.N)
	m := &S6{cfg: cfg, dev: b.Device, states: n, rank: cfg.Rank()}
	m.columns = m.selectiveColumns()
	if rows := sum(m.columns); rows > 0 {
		m.xProj = b.Sub("x_proj").Param("weight", tensor.Decay, initializer.TorchLinear(b.Rand, rows, d), rows, d)
	}
	dt := b.Sub("dt_proj")
	if cfg.Selective.Delta {
		m.dtProj = dt.Param("weight", tensor.Decay, initializer.DeltaWeight(b.Rand, d, m.rank, 1), d, m.rank)
	}
	m.dtBias = dt.Param("bias", tensor.NoDecay, initializer.DeltaBias(b.Rand, d, cfg.DtMin, cfg.DtMax, cfg.DtFloor), d)
	aLog, aIm := aStart(b, cfg.A, d, cfg.N)
	m.aLog = b.Param("A_log", tensor.NoDecay, aLog, d, n)
	if cfg.A.Complex() {
		m.aIm = b.Param("A_imag", tensor.NoDecay, aIm, d, n)
	}
	m.newConstants(b)
	m.skip = b.Param("D", tensor.NoDecay, initializer.Constant(d, 1), d)
	return m, nil
}

// newConstants makes B and C as far as they are not selective.
func (m *S6) newConstants(b *nn.Builder) {
	d, n := m.cfg.D, m.states
	cplx := m.cfg.A.Complex()
	re, im, std := "", "", 1.0
	if cplx {
		re, im, std = "_re", "_im", math.Sqrt(0.5)
	}
	if !m.cfg.Selective.B {
		m.b = b.Param("B"+re, tensor.NoDecay, initializer.Constant(d*n, 1), d, n)
		if cplx {
			m.bIm = b.Param("B"+im, tensor.NoDecay, initializer.Constant(d*n, 0), d, n)
		}
	}
	if !m.cfg.Selective.C {
		m.c = b.Param("C"+re, tensor.Decay, initializer.Normal(b.Rand, d*n, std), d, n)
		if cplx {
			m.cIm = b.Param("C"+im, tensor.Decay, initializer.Normal(b.Rand, d*n, std), d, n)
		}
	}
}

// selectiveColumns returns the widths of what x_proj computes.
func (m *S6) selectiveColumns() []int {
	var out []int
	if m.cfg.Selective.Delta {
		out = append(out, m.rank)
	}
	for _, on := range []bool{m.cfg.Selective.B, m.cfg.Selective.C} {
		if on {
			out = append(out, m.states)
		}
		if on && m.cfg.A.Complex() {
			out = append(out, m.states)
		}
	}
	return out
}

func sum(x []int) int {
	s := 0
	for _, v := range x {
		s += v
	}
	return s
}

// Name implements nn.Mixer.
func (m *S6) Name() string {
	return fmt.Sprintf("s6(selective %s, n=%d, %s)", m.cfg.Selective, m.cfg.N, m.cfg.A)
}

// Config returns what the layer was built from.
func (m *S6) Config() S6Config { return m.cfg }

// BySequence implements nn.SequenceMixer.
func (m *S6) BySequence() bool { return true }

// Forward implements nn.Mixer: u (B,L,D) to y (B,L,D).
func (m *S6) Forward(tp *tensor.Tape, u *tensor.Tensor, s *nn.State) *tensor.Tensor {
	return m.scan(tp, u, nil, nil, s)
}

// ForwardGated implements nn.GatedMixer: Forward(u) ⊙ SiLU(z), in one pass.
func (m *S6) ForwardGated(tp *tensor.Tape, u, z *tensor.Tensor, s *nn.State) *tensor.Tensor {
	wantInput("S6", "z", z, m.cfg.D)
	return m.scan(tp, u, z, nil, s)
}

// ForwardProjected implements nn.ProjectedMixer: ForwardGated(u, z) wᵀ, w (M,D).
func (m *S6) ForwardProjected(tp *tensor.Tape, u, z, w *tensor.Tensor, s *nn.State) *tensor.Tensor {
	wantInput("S6", "z", z, m.cfg.D)
	return m.scan(tp, u, z, w, s)
}

func (m *S6) scan(tp *tensor.Tape, u, z, w *tensor.Tensor, s *nn.State) *tensor.Tensor {
	wantInput("S6", "u", u, m.cfg.D)
	k := tensor.SelectiveScan{U: u, DeltaBias: m.dtBias.Tensor, Softplus: true, Signed: m.cfg.Signed,
		A: tp.Map(tensor.Neg, tp.Map(tensor.Exp, m.aLog.Tensor)), AIm: nn.T(m.aIm),
		B: nn.T(m.b), BIm: nn.T(m.bIm), C: nn.T(m.c), CIm: nn.T(m.cIm),
		Dskip: m.skip.Tensor, Z: z, State: s.Get("h"), StateIm: s.Get("h_im")}
	m.selected(tp, u, &k)
	s.Advance(u.Dim(1))
	if w != nil {
		return tp.SelectiveScanLinear(k, w)
	}
	return tp.SelectiveScan(k)
}

// selected fills in what is computed from the input.
func (m *S6) selected(tp *tensor.Tape, u *tensor.Tensor, k *tensor.SelectiveScan) {
	if m.xProj == nil {
		return
	}
	parts := []*tensor.Tensor{tp.Kept().Linear(u, m.xProj.Tensor, nil)}
	if len(m.columns) > 1 {
		parts = tp.Split(parts[0], m.columns...)
	}
	next := func() *tensor.Tensor {
		p := parts[0]
		parts = parts[1:]
		return p
	}
	cplx := m.cfg.A.Complex()
	if m.cfg.Selective.Delta {
		k.Delta = tp.Linear(next(), m.dtProj.Tensor, nil)
	}
	if m.cfg.Selective.B {
		k.B = next()
		if cplx {
			k.BIm = next()
		}
	}
	if m.cfg.Selective.C {
		k.C = next()
		if cplx {
			k.CIm = next()
		}
	}
}

// Delta returns Δ_t, (B,L,D), of an input u (B,L,D): how far each channel moves
// its state on at each step, with softplus and bias. Where Δ is not selective it
// is softplus(bias) at every step. A u of another width panics.
func (m *S6) Delta(tp *tensor.Tape, u *tensor.Tensor) *tensor.Tensor {
	wantInput("S6", "u", u, m.cfg.D)
	low, weight := tensor.New(m.dev, u.Dim(0), u.Dim(1), 1), tensor.New(m.dev, m.cfg.D, 1)
	if m.cfg.Selective.Delta {
		low, weight = tp.Linear(u, m.xProj.Tensor, nil), m.dtProj.Tensor
		if len(m.columns) > 1 {
			low = tp.Split(low, m.columns...)[0]
		}
	}
	return tp.Map(tensor.Softplus, tp.Linear(low, weight, m.dtBias.Tensor))
}

// Eigenvalues returns exp(ΔA), (D,states), as it stands now, for plots: with
// Δ = softplus(bias), which is Δ itself where it is not selective, and elsewhere
// that of an input from which nothing is added. If the layer is Signed they are
// 2exp(ΔA) − 1; when A is complex each stands for itself and its conjugate.
func (m *S6) Eigenvalues() []complex128 {
	aLog, bias := m.aLog.Data(), m.dtBias.Data()
	im := make([]float64, len(aLog))
	if m.aIm != nil {
		im = m.aIm.Data()
	}
	out := make([]complex128, len(aLog))
	for i := range out {
		pre := bias[i/m.states]
		delta := max(pre, 0) + math.Log1p(math.Exp(-math.Abs(pre))) // softplus, without overflow
		out[i] = cmplx.Exp(complex(delta, 0) * complex(-math.Exp(aLog[i]), im[i]))
		if m.cfg.Signed {
			out[i] = 2*out[i] - 1
		}
	}
	return out
}

// NewState implements nn.Mixer: h, and h_im when A is complex, (B,D,states),
// zero.
func (m *S6) NewState(batch int) *nn.State {
	return newScanState(m.dev, batch, m.cfg.D, m.states, m.cfg.A.Complex())
}
