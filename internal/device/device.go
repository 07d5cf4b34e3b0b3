// Package device defines what a compute device is: memory and one small set of
// coarse operations. Two implementations stand behind it, reference (float64,
// plain loops, the truth) and cpu (float32, SIMD, all cores).
//
// # Conventions, the same for every operation
//
//   - Arrays are contiguous and row-major. Rows of a (B,L,D) array are its
//     M = B·L time steps of D channels.
//   - Forward operations overwrite their outputs. Gradient operations ADD to
//     theirs, so a value that is used twice collects both contributions.
//   - A nil Buf (the zero value) stands for an absent optional input, or an
//     output, a value kept for the gradient, or a gradient that nobody wants.
//   - Outputs do not overlap inputs, except where a field says that they may.
//     Imaginary parts are given exactly when their real parts are.
//   - Shapes were checked by the caller (package tensor); an implementation
//     may index without further tests.
//   - The bits of a result do not depend on the number of workers: reductions
//     are split by shape alone and summed in a fixed order.
//
// # Glossary
//
//	B batch, L length (time steps), D channels, N state size, H hidden size
//	M = B·L rows, V vocabulary, K width of a convolution
package device

// Buf is a contiguous run of numbers in one device's memory: float64 on
// reference, float32 on cpu. Its zero value is the nil Buf.
type Buf struct {
	F64 []float64
	F32 []float32
}

// IsNil reports whether b is the nil Buf.
func (b Buf) IsNil() bool { return b.F64 == nil && b.F32 == nil }

// Len returns the number of elements.
func (b Buf) Len() int {
	if b.F64 != nil {
		return len(b.F64)
	}
	return len(b.F32)
}

// Same reports whether b and c begin at the same element.
func (b Buf) Same(c Buf) bool {
	if b.F64 != nil {
		return c.F64 != nil && &b.F64[0] == &c.F64[0]
	}
	return b.F32 != nil && c.F32 != nil && &b.F32[0] == &c.F32[0]
}

// Slice returns elements lo to hi of b, sharing its memory. A slice of the nil
// Buf is nil.
func (b Buf) Slice(lo, hi int) Buf {
	if b.F64 != nil {
		return Buf{F64: b.F64[lo:hi:hi]}
	}
	if b.F32 != nil {
		return Buf{F32: b.F32[lo:hi:hi]}
	}
	return Buf{}
}

// Func names an elementwise function.
type Func string

// The elementwise functions.
const (
	Tanh     Func = "tanh"
	Sigmoid  Func = "sigmoid"
	SiLU     Func = "silu"      // x σ(x)
	GELU     Func = "gelu"      // x Φ(x), exact
	GELUTanh Func = "gelu_tanh" // the tanh approximation of GELU
	Softplus Func = "softplus"  // log(1 + eˣ); x itself for x > 20
	ReLU     Func = "relu"
	Exp      Func = "exp"
	Log      Func = "log"
	Neg      Func = "neg"
	Square   Func = "square"
	Sin      Func = "sin"
	Cos      Func = "cos"
	Recip    Func = "recip" // 1/x
	MinG     Func = "min_g" // minGRU's g: x + ½ for x ≥ 0, σ(x) otherwise
)

// Funcs lists every elementwise function.
func Funcs() []Func {
	return []Func{Tanh, Sigmoid, SiLU, GELU, GELUTanh, Softplus, ReLU, Exp, Log, Neg, Square, Sin, Cos, Recip, MinG}
}

// Device is memory plus the coarse operations. It has more methods than an
// interface should, on purpose: each is one thing that a device must do, and a
// new device is exactly this list.
type Device interface {
	Memory
	Dense
	Pointwise
	Normaliser
	Sequence
	Recurrence
	Loss
	Optimiser
}

// Memory allocates and moves.
type Memory interface {
	Name() string
	// Alloc returns n elements of unspecified content.
	Alloc(n int) Buf
	// Upload rounds src to the device's precision into dst.
	Upload(dst Buf, src []float64)
	Download(dst []float64, src Buf)
	Zero(x Buf)
	Fill(x Buf, v float64)
	Copy(dst, src Buf)
	// CopyBlock copies a (rows, cols) block between two row-major arrays:
	// dst[dstOff + i·dstLD + j] = src[srcOff + i·srcLD + j], or += if add.
	CopyBlock(rows, cols int, src Buf, srcOff, srcLD int, dst Buf, dstOff, dstLD int, add bool)
}

// Dense is matrix products and what surrounds them.
type Dense interface {
	// MatMul computes C (m,n) = op(A) op(B) + bias, or adds to C if add.
	// op(A) is (m,k): A is stored (m,k), or (k,m) if transA; B is stored
	// (k,n), or (n,k) if transB. bias (n) may be nil.
	MatMul(transA, transB bool, m, n, k int, a, b, bias, c Buf, add bool)
	// SumRows adds the column sums of x (m,n) to dst (n).
	SumRows(m, n int, x, dst Buf)
	// Embedding copies row tokens[i] of w (V,d) to row i of y.
	Embedding(tokens []int32, d int, w, y Buf)
	// EmbeddingGrad adds row i of dy to row tokens[i] of dw, i ascending.
	EmbeddingGrad(tokens []int32, d int, dy, dw Buf)
}

// Pointwise is the elementwise family.
type Pointwise interface {
	Apply(f Func, x, y Buf)             // y = f(x)
	ApplyGrad(f Func, x, y, dy, dx Buf) // dx += dy f'(x), from x or from y = f(x), whichever suits
	Add(a, b, y Buf)
	Sub(a, b, y Buf)
	Mul(a, b, y Buf)
	MulGrad(a, b, dy, da, db Buf)   // da += dy b; db += dy a
	Axpy(alpha float64, x, y Buf)   // y += α x
	Scale(alpha float64, x, y Buf)  // y = α x
	AddRow(m, n int, x, row, y Buf) // y[i,j] = x[i,j] + row[j]
	MulRow(m, n int, x, row, y Buf) // y[i,j] = x[i,j] row[j]
	MulRowGrad(m, n int, x, row, dy, dx, drow Buf)
	SiLUMul(a, z, y Buf) // y = a SiLU(z)
	SiLUMulGrad(a, z, dy, da, dz Buf)
	// Dropout keeps element i with probability 1−p, scaled by 1/(1−p); the
	// mask is Keep(seed, i, p), the same on every device.
	Dropout(p float64, seed uint64, x, y Buf)
	DropoutGrad(p float64, seed uint64, dy, dx Buf)
	Sum(x, y Buf)       // y[0] = Σ x
	SumGrad(dy, dx Buf) // dx[i] += dy[0]
	SumSquares(x Buf) float64
}

// Normaliser is the row normalisations over the last axis.
type Normaliser interface {
	// RMSNorm: y = x·rstd·w, rstd = 1/√(mean(x²)+eps), for x (m,n), w (n),
	// rstd (m) kept for the gradient.
	RMSNorm(m, n int, eps float64, x, w, y, rstd Buf)
	RMSNormGrad(m, n int, x, w, rstd, dy, dx, dw Buf)
	// LayerNorm: y = (x−mean)·rstd·w + b, biased variance.
	LayerNorm(m, n int, eps float64, x, w, b, y, mean, rstd Buf)
	LayerNormGrad(m, n int, x, w, mean, rstd, dy, dx, dw, db Buf)
}

// Sequence is what looks along time without a recurrence.
type Sequence interface {
	Conv1D(c *Conv1D)
	Conv1DGrad(c *Conv1D, dy, dx, dw, dbias Buf)
	// Rotary rotates each head's pairs (i, i+Dh/2) of x (B,L,H·Dh) by
	// (offset+t)·base^(−2i/Dh) (RoPE, GPT-NeoX half-split), or back if inverse,
	// which is also its gradient. If add, y += instead of y =.
	Rotary(r Rotary, x, y Buf, inverse, add bool)
	Attention(a *Attention)
	AttentionGrad(a *Attention, dy, dq, dk, dv Buf)
	MeanPool(b, l, d int, x, y Buf) // (B,L,D) → (B,D)
	MeanPoolGrad(b, l, d int, dy, dx Buf)
}

// Conv1D is a causal depthwise convolution, optionally followed by SiLU:
//
//	y[b,t,d] = f( bias[d] + Σ_j w[d,j] x[b, t−K+1+j, d] )
//
// so w[d,K−1] multiplies the current step (Mamba, conv1d with left padding).
type Conv1D struct {
	B, L, D, K int
	SiLU       bool
	X          Buf // (B,L,D)
	W          Buf // (D,K)
	Bias       Buf // (D) or nil
	State      Buf // (B,K−1,D) the inputs before t = 0, oldest first; nil = zeros
	Y          Buf // (B,L,D)
	StateOut   Buf // (B,K−1,D) the last K−1 inputs, or nil; may be State itself when no gradient follows
}

// Rotary holds the shape of a rotation; Dh is even.
type Rotary struct {
	B, L, H, Dh int
	Offset      int     // position of t = 0
	Base        float64 // 10000
}

// Attention is causal softmax attention of Lq queries over Lk ≥ Lq keys; query
// t sees keys 0 to t + Lk − Lq:
//
//	y_t = Σ_s softmax_s( q_t·k_s / √Dh ) v_s    per head
//
// In AttentionGrad dk and dv are laid out as K and V, KVStride included.
type Attention struct {
	B, Lq, Lk, H, Dh int
	Q                Buf // (B,Lq,H·Dh)
	K, V             Buf // (B,Lk,H·Dh), batch stride KVStride elements
	KVStride         int // Lk·H·Dh, or more when K and V are caches
	Y                Buf // (B,Lq,H·Dh)
	LSE              Buf // (B,H,Lq) log-sum-exp of the scaled scores, kept for the gradient
}

// Recurrence is the recurrences along time. Every one takes the state before
// t = 0 and can return the state after t = L−1, so that a step is the same
// operation with L = 1. States carry no gradient.
type Recurrence interface {
	LinearScan(s *LinearScan)
	LinearScanGrad(s *LinearScan, g *LinearScanGrad)
	SelectiveScan(s *SelectiveScan)
	SelectiveScanGrad(s *SelectiveScan, g *SelectiveScanGrad)
	// SelectiveScanSaved returns how many elements s.Saved must hold for
	// SelectiveScanGrad to be callable.
	SelectiveScanSaved(s *SelectiveScan) int
	Elman(e *Elman)
	ElmanGrad(e *Elman, dh, dx, dw Buf)
	GRU(g *GRU)
	GRUGrad(g *GRU, dh, dx, dw, dbias Buf)
	LSTM(s *LSTM)
	// LSTMGrad may get s.Saved for dx; that is then overwritten, not added to.
	LSTMGrad(s *LSTM, dh, dx, dw Buf)
}

// LinearScan is the diagonal linear recurrence
//
//	h_t = a_t ⊙ h_{t−1} + x_t
//
// over D channels, real, or complex when AIm, XIm and HIm are set.
type LinearScan struct {
	B, L, D  int
	Varying  bool // a is (B,L,D); otherwise (D), the same for all t
	A, AIm   Buf
	X, XIm   Buf // (B,L,D)
	H0, H0Im Buf // (B,D) or nil
	H, HIm   Buf // (B,L,D)
}

// LinearScanGrad holds the gradients of a LinearScan, all added to. With X_t
// the adjoint of h_t and ā the conjugate of a,
//
//	X_t = dh_t + ā_{t+1} X_{t+1};  dx_t = X_t;  da_t = X_t conj(h_{t−1})
type LinearScanGrad struct {
	DH, DHIm Buf // (B,L,D) given
	DA, DAIm Buf // as A, or nil
	DX, DXIm Buf // as X, or nil
}

// SelectiveScan is the recurrence of S6 (Mamba §3.2, selective_scan_ref of the
// official code), also with any part held constant:
//
//	Δ_t = delta_t + DeltaBias, through softplus if Softplus      (per channel d)
//	Ā   = exp(Δ_t A),  or 2·exp(Δ_t A) − 1 if Signed             (Grazzi et al.)
//	h_t = Ā h_{t−1} + Δ_t B_t u_t                                (N per channel)
//	y_t = Σ_n C_t[n] h_t[n] + Dskip u_t,  times SiLU(z_t) if Z is set
//
// With AIm set, A, h are complex (Signed must be false) and Σ_n becomes
// 2·Re Σ_n; B and C are complex when BIm, CIm are set, otherwise real. BIm and
// CIm need AIm.
type SelectiveScan struct {
	B, L, D, N int
	Softplus   bool
	Signed     bool
	U          Buf // (B,L,D)
	Delta      Buf // (B,L,D), or nil: Δ is DeltaBias alone, the same for all t
	DeltaBias  Buf // (D) or nil
	A, AIm     Buf // (D,N)
	BVarying   bool
	Bm, BIm    Buf // (B,L,N) if BVarying, else (D,N)
	CVarying   bool
	Cm, CIm    Buf // (B,L,N) if CVarying, else (D,N)
	Dskip      Buf // (D) or nil
	Z          Buf // (B,L,D) or nil
	H0, H0Im   Buf // (B,D,N) or nil
	Y          Buf // (B,L,D)
	HT, HTIm   Buf // (B,D,N) state after the last step, or nil; may be H0 itself
	Saved      Buf // SelectiveScanSaved elements, or nil when no gradient follows
}

// SelectiveScanGrad holds the gradients of a SelectiveScan: DY is given, Y is
// not a gradient, the others are added to, each shaped as its input, or nil when
// not wanted.
type SelectiveScanGrad struct {
	DY         Buf
	DU         Buf
	DDelta     Buf
	DDeltaBias Buf
	DA, DAIm   Buf
	DB, DBIm   Buf
	DC, DCIm   Buf
	DDskip     Buf
	DZ         Buf
	Y          Buf // overwritten with what the scan computed, if it has a Z; may be DY
}

// Elman is a dense recurrence, nonlinear or linear:
//
//	h_t = tanh( W h_{t−1} + x_t )   or, if Linear,  h_t = W h_{t−1} + x_t
//
// x_t is already projected and biased.
type Elman struct {
	B, L, H int
	Linear  bool
	X       Buf // (B,L,H)
	W       Buf // (H,H), rows are outputs
	H0      Buf // (B,H) or nil
	Out     Buf // (B,L,H)
}

// GRU is the gated recurrent unit in the form of cuDNN and PyTorch; gates in
// the order r, z, n:
//
//	r = σ(x_r + W_r h + b_r)   z = σ(x_z + W_z h + b_z)
//	n = tanh(x_n + r ⊙ (W_n h + b_n))
//	h' = (1−z) ⊙ n + z ⊙ h
type GRU struct {
	B, L, H int
	X       Buf // (B,L,3H) W_ih x + b_ih
	W       Buf // (3H,H)
	Bias    Buf // (3H) b_hh, or nil
	H0      Buf // (B,H) or nil
	Out     Buf // (B,L,H)
	Saved   Buf // (B,L,4H): r, z, n and W_n h + b_n, kept for the gradient, which may destroy it; nil when none follows
}

// LSTM in the form of PyTorch; gates in the order i, f, g, o:
//
//	i,f,o = σ(x + W h)   g = tanh(x_g + W_g h)
//	c' = f ⊙ c + i ⊙ g   h' = o ⊙ tanh(c')
type LSTM struct {
	B, L, H int
	X       Buf // (B,L,4H) W_ih x + b; nil if In computes it

	In *Projection // computes X a few steps at a time; nil if there is X

	W      Buf // (4H,H)
	H0, C0 Buf // (B,H) or nil
	Out    Buf // (B,L,H)
	C      Buf // (B,L,H) cell states, kept for the gradient and the next state
	Saved  Buf // (B,L,4H) gates after their nonlinearity, kept for the gradient, which may destroy it; nil when none follows
}

// Projection is the input X = U Wᵀ + b of a gated recurrence.
type Projection struct {
	D    int // width of U
	U    Buf // (B,L,D)
	W    Buf // (columns of X, D)
	Bias Buf // (columns of X) or nil
}

// Loss is the fused losses.
type Loss interface {
	// CrossEntropy returns the mean over scored rows of −log softmax(x)[target]
	// in loss[0] for logits x (m,v); rows with a negative target are not
	// scored. lse (m) is kept for the gradient. No scored row gives 0.
	CrossEntropy(m, v int, x Buf, targets []int32, lse, loss Buf)
	// CrossEntropyGrad adds dloss[0]·(softmax(x) − onehot)/scored to dx. It may
	// get x for dx; that is then overwritten, not added to.
	CrossEntropyGrad(m, v int, x Buf, targets []int32, lse, dloss, dx Buf)
	// Argmax returns the index of each row's largest element, the first of
	// equals; NaN counts as smallest.
	Argmax(m, v int, x Buf) []int32
}

// AdamW holds the numbers of one AdamW update (Loshchilov & Hutter; the order
// of operations is PyTorch's):
//
//	g ← GradScale·g;  w ← w − LR·Decay·w
//	m ← β1 m + (1−β1) g;  v ← β2 v + (1−β2) g²
//	w ← w − LR·(m/C1)/(√(v/C2) + Eps),  C1 = 1−β1^step, C2 = 1−β2^step
//
// The buffer of g itself stays as it is.
type AdamW struct {
	LR, Beta1, Beta2, Eps, Decay, C1, C2, GradScale float64
}

// Optimiser is the parameter updates.
type Optimiser interface {
	AdamW(h AdamW, w, g, m, v Buf)
	// SGD: buf ← momentum·buf + scale·g + decay·w;  w ← w − lr·buf.
	SGD(lr, momentum, decay, scale float64, w, g, buf Buf)
}

// Keep reports whether dropout with probability p keeps element i: one
// splitmix64 draw of (seed, i), so that the mask needs no memory and is the
// same on every device.
func Keep(seed uint64, i int, p float64) bool {
	x := seed + (uint64(i)+1)*0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	x ^= x >> 31
	return float64(x>>11)/(1<<53) >= p
}
