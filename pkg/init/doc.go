// Package initializer says where weights start: pure functions from a random source to a []float64.
//
// The import path ends in init, a name that a package clause cannot use (an import of it fails: "init must be a func"),
// so the clause is initializer. It is a leaf: it imports the standard library and gonum, and nothing of gophersnake.
//
// # Equations
//
// Complex diagonal recurrence x_t = λ ⊙ x_{t-1} + γ ⊙ (B u)_t of the LRU [1, §3.2–3.4, Lemma 3.2]:
//
//	λ_j       = exp(−exp(ν_log) + i·exp(θ_log)),   |λ_j| = exp(−exp(ν_log)) < 1 for every real ν_log
//	ν         = −½·ln(u₁(r_max² − r_min²) + r_min²),   ν_log = ln ν       u₁ ~ U(0,1): uniform by area
//	θ         = max_phase·u₂,                          θ_log = ln θ       u₂ ~ U(0,1)
//	γ_log     = ½·ln(1 − |λ|²)                                            unit state gain for white noise [1, Prop. 3.3]
//	half-life = ln ½ / ln|λ|                                              0.9: 6.58 steps, 0.99: 69, 0.999: 693
//	G         = ln((1−r_min²)/(1−r_max²)) / (r_max²−r_min²)               E‖x‖² = G·E‖Bu‖² without γ
//
// The LRU's B_re, B_im are Normal with std 1/√(2D), C_re, C_im with std 1/√N, its D with std 1.
//
// Continuous diagonal A, one of each conjugate pair, h' = A h + B u [2, §4]; n = 0 … N/2−1 of a full state size N:
//
//	S4D-Lin    A_n = −½ + iπn
//	S4D-Inv    A_n = −½ + i·(N/π)·(N/(2n+1) − 1)
//	S4D-LegS   eigenvalues of the normal part S of HiPPO-LegS, S = A + p pᵀ, p_n = √(n+½):
//	           S_nk = −½ on the diagonal, −½√((2n+1)(2k+1)) below it, +½√((2n+1)(2k+1)) above it, so −½ ± iω
//	S4D-Real   A_n = −(n+1), kept as A_log = ln(n+1) [3, Mamba's start]
//	random     A_n = −exp(N(0,1)), kept as A_log ~ N(0,1) [3, Table 8]
//
// Step size of a selective layer [3, code]: Δ log-uniform, kept behind a softplus,
//
//	Δ    = max(exp(u·(ln Δ_max − ln Δ_min) + ln Δ_min), floor),  u ~ U(0,1)
//	bias = Δ + ln(−expm1(−Δ))                                    softplus(bias) = Δ
//
// (the paper's text says Uniform([0.001, 0.1]); the released code is log-uniform, and so are we).
//
// Dense W of shape (rows, cols), row-major, y = W x, so rows is the fan out and cols the fan in:
//
//	Glorot uniform ±√(6/(in+out)), normal std √(2/(in+out)) [4];  Kaiming uniform ±√(6/((1+a²)·in)) [5], which with
//	a = √5 is PyTorch's default ±1/√in;  orthogonal: Q of a Gaussian's QR with R's diagonal made positive (Haar) [6, 7];
//	Ginibre: N(0, ρ²/n), whose spectrum fills the disk of radius ρ as n grows (circular law).
//
// # Glossary
//
//	symbol   Go name     shape          unit
//	ν_log    nuLog       (N)            log of nepers per step
//	θ_log    thetaLog    (N)            log of radians per step
//	γ_log    gammaLog    (N)            –
//	A_log    aLog        (channels, N)  log of nepers per unit time
//	Δ        dt          (channels)     time per step
//	λ        re, im      (N)            –
//	r        r           –              |λ|
//
// # Random streams
//
// NewRand turns (seed, stream name) into an independent generator. Parameters, data and dropout draw from separate
// streams, and a layer that asks for its own stream name gets the same numbers whatever other layers exist. Arms of a
// comparison are paired that way.
//
// # References
//
//	[1] Orvieto et al. 2023, Resurrecting Recurrent Neural Networks for Long Sequences, arXiv 2303.06349
//	[2] Gu, Gupta, Goel, Ré 2022, On the Parameterization and Initialization of Diagonal SSMs, arXiv 2206.11893
//	[3] Gu & Dao 2023, Mamba, arXiv 2312.00752, and github.com/state-spaces/mamba, modules/mamba_simple.py
//	[4] Glorot & Bengio 2010   [5] He et al. 2015, arXiv 1502.01852   [6] Saxe et al. 2014, arXiv 1312.6120
//	[7] Mezzadri 2007, How to generate random matrices from the classical compact groups, arXiv math-ph/0609050
//
// It does not include layers: which parameter gets which start is said in pkg/rnn, pkg/ssm and pkg/nn.
package initializer
