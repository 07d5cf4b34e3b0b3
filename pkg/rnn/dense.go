package rnn

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	initializer "github.com/gophersnake/gophersnake/pkg/init"
	"github.com/gophersnake/gophersnake/pkg/nn"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// Nonlinearity names what a Dense applies to its state at every step.
type Nonlinearity string

// The nonlinearities: an Elman network, and the same without it.
const (
	Tanh Nonlinearity = "tanh"
	None Nonlinearity = "none"
)

// Nonlinearities lists them.
func Nonlinearities() []Nonlinearity { return []Nonlinearity{Tanh, None} }

// AInit names how the recurrent matrix of a Dense starts.
type AInit string

// The starts of A.
const (
	Orthogonal AInit = "orthogonal" // every |λ| = 1
	Ginibre    AInit = "ginibre"    // N(0,1)/√N: |λ| fills the unit disk
	Glorot     AInit = "glorot"     // uniform ±√(6/2N): a disk of the same radius
)

// AInits lists the starts of A.
func AInits() []AInit { return []AInit{Orthogonal, Ginibre, Glorot} }

// DenseConfig describes a Dense.
type DenseConfig struct {
	D            int          `json:"d"` // channels in and out
	N            int          `json:"n"` // hidden units
	Nonlinearity Nonlinearity `json:"nonlinearity"`
	A            AInit        `json:"a"` // how A starts
}

// DefaultDenseConfig returns a tanh network whose linear part has its
// eigenvalues spread over the unit disk, as the LRU paper's dense arms.
func DefaultDenseConfig() DenseConfig {
	return DenseConfig{D: 64, N: 64, Nonlinearity: Tanh, A: Ginibre}
}

// Validate reports every field that is out of range.
func (c DenseConfig) Validate() error {
	f := fields{config: "dense"}
	f.wantSizes(c.D, c.N, "n")
	f.want(slices.Contains(Nonlinearities(), c.Nonlinearity), "nonlinearity", fmt.Sprintf("%q", c.Nonlinearity), fmt.Sprintf("one of %v", Nonlinearities()))
	f.want(slices.Contains(AInits(), c.A), "a", fmt.Sprintf("%q", c.A), fmt.Sprintf("one of %v", AInits()))
	return f.err()
}

// Dense is the recurrence with a full matrix, nonlinear (Elman 1990) or linear.
// For u_t (D) and x_t (N):
//
//	x_t = tanh(A x_{t−1} + B u_t + b),   x_{−1} = 0     (no tanh when None)
//	y_t = C x_t + D ⊙ u_t
//
// The two differ in nothing but the tanh: same parameters, same start, from the
// same random numbers. Around the recurrence stands what stands around the LRU's
// (LRU §3.1), so that the next rung, a diagonal A, is one change, too.
//
// Parameters: A (N,N), B (N,D), bias (N), C (D,N), D (D). A and B are in the
// recurrent group as the LRU's λ and B; C and D decay, the bias does not.
type Dense struct {
	cfg        DenseConfig
	dev        *tensor.Device
	a, b, bias *tensor.Param
	c, skip    *tensor.Param
}

// NewDense returns the layer with A as configured, B ~ N(0,1)/√D,
// C ~ N(0,1)/√N, D ~ N(0,1) and bias 0.
func NewDense(b *nn.Builder, cfg DenseConfig) (*Dense, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	d, n := cfg.D, cfg.N
	normal := func(count, fanIn int) []float64 {
		return initializer.Normal(b.Rand, count, 1/math.Sqrt(float64(fanIn)))
	}
	return &Dense{cfg: cfg, dev: b.Device,
		a:    b.Param("A", tensor.Recurrent, startOfA(b, cfg), n, n),
		b:    b.Param("B", tensor.Recurrent, normal(n*d, d), n, d),
		bias: b.Param("bias", tensor.NoDecay, initializer.Constant(n, 0), n),
		c:    b.Param("C", tensor.Decay, normal(d*n, n), d, n),
		skip: b.Param("D", tensor.Decay, normal(d, 1), d),
	}, nil
}

func startOfA(b *nn.Builder, cfg DenseConfig) []float64 {
	switch cfg.A {
	case Orthogonal:
		return initializer.Orthogonal(b.Rand, cfg.N, cfg.N, 1)
	case Glorot:
		return initializer.GlorotUniform(b.Rand, cfg.N, cfg.N)
	default:
		return initializer.Ginibre(b.Rand, cfg.N, 1)
	}
}

// Name implements nn.Mixer.
func (m *Dense) Name() string {
	if m.cfg.Nonlinearity == Tanh {
		return fmt.Sprintf("rnn(n=%d)", m.cfg.N)
	}
	return fmt.Sprintf("linear_rnn(n=%d)", m.cfg.N)
}

// Config returns what the layer was built from.
func (m *Dense) Config() DenseConfig { return m.cfg }

// Forward implements nn.Mixer: u (B,L,D) to y (B,L,D).
func (m *Dense) Forward(tp *tensor.Tape, u *tensor.Tensor, s *nn.State) *tensor.Tensor {
	wantInput("Dense", u, m.cfg.D)
	bu := tp.Linear(u, m.b.Tensor, m.bias.Tensor)
	x := tp.Elman(bu, m.a.Tensor, m.cfg.Nonlinearity == None, s.Get("x"))
	tp.Done(bu)
	s.Advance(u.Dim(1))
	cx, skip := tp.Linear(x, m.c.Tensor, nil), tp.MulRow(u, m.skip.Tensor)
	y := tp.Add(cx, skip)
	tp.Done(cx)
	tp.Done(skip)
	return y
}

// NewState implements nn.Mixer: x (B,N), zero.
func (m *Dense) NewState(batch int) *nn.State { return newState(m.dev, batch, m.cfg.N, "x") }

// Eigenvalues returns the eigenvalues of A as it stands now, for plots; an error
// if the iteration did not converge, as for an A that has diverged.
func (m *Dense) Eigenvalues() ([]complex128, error) {
	data := m.a.Data()
	for _, v := range data {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("rnn: Dense.Eigenvalues: A holds %v, want finite numbers", v)
		}
	}
	var e mat.Eigen
	if !e.Factorize(mat.NewDense(m.cfg.N, m.cfg.N, data), mat.EigenNone) {
		return nil, fmt.Errorf("rnn: Dense.Eigenvalues: the QR iteration did not converge for A (%d,%d)", m.cfg.N, m.cfg.N)
	}
	return e.Values(nil), nil
}
