// Package ssm holds the diagonal recurrences, from the complex diagonal RNN over
// the LRU and S4D to the selective S6 and Mamba's block, and the algorithms that
// scan them.
//
// Every layer is an nn.Mixer over u (B,L,D): with a nil state Forward takes
// whole sequences; with a state it goes on from it, so that L = 1 is a step of
// generation. States carry no gradient.
//
// # Equations
//
//	Diagonal  x_t = λ ⊙ x_{t−1} + γ ⊙ (B u_t)                     many inputs and outputs, N states in all [1]
//	          y_t = Re(C x_t) + D ⊙ u_t
//	          λ = a + ib;  exp(−ν + iθ);  exp(−exp(ν_log) + i·exp(θ_log));   γ = 1 or exp(γ_log)
//	          The LRU is the last λ, on a ring at the start, with γ.
//	S4D       h_t = exp(ΔA) h_{t−1} + (exp(ΔA) − 1)/A · u_t       one input and output per channel, N states each [2]
//	          y_t = 2·Re Σ_n C[n] h_t[n] + D u_t,  Δ = exp(log_dt), A = −exp(log_A_real) + i·A_imag
//	S6        h_t = exp(Δ_t A) h_{t−1} + Δ_t B_t u_t              the same with Δ, B, C computed from u_t [3]
//	          y_t = Σ_n C_t[n] h_t[n] + D u_t,  Δ_t = softplus(W_dt δ_t + bias), (δ_t, B_t, C_t) = W_x u_t
//	Mamba     (x, z) = W_in u,  y = W_out( S6(SiLU(conv x)) ⊙ SiLU(z) )
//
// Diagonal and S4D are time-invariant: each is the convolution that Kernel
// returns. S6 is not. All of them are scans of h_t = a_t h_{t−1} + b_t, which
// [Scan] computes by four algorithms that differ in work and depth [4, 5]:
//
//	sequential      n − 1 combines,            depth n − 1
//	hillis_steele   n·log₂ n − n + 1,          log₂ n
//	blelloch        2(n − 1),                  2·log₂ n
//	chunked         fewer than 2n,             chunk + n/chunk
//
// Layers run on Tape.ComplexScan and Tape.SelectiveScan; Scan is for looking at
// the algorithms themselves.
//
// # Glossary
//
//	symbol  Go name           shape                  what
//	u       u                 (B,L,D)                input
//	y       y                 (B,L,D)                output
//	z       z                 (B,L,D)                argument of the output gate
//	x       x_re, x_im        (B,L,N)                state of a Diagonal
//	h       h, h_im           (B,D,N)                state of an S4D or S6; N/2 complex numbers when A is complex
//	λ       Eigenvalues       (N)                    what a state is multiplied by in a step
//	ν, θ    nu_log, theta_log (N)                    decay rate and phase of λ
//	γ       gamma_log         (N)                    ln of the input's scale
//	B, C    B_re, …, C_im     (N,D), (D,N)           input and output matrix of a Diagonal
//	Δ       log_dt, dt_proj   (D)                    step size
//	A       A_log, A_imag     (D,N)                  ln(−Re A), Im A, in continuous time
//	D       D                 (D)                    what of the input goes straight to the output
//	R       Rank              –                      width of Δ's projection
//	E       –                 –                      Mamba's inner width, Expand·D
//
//	B batch, L length (time steps), D channels, N state size in real numbers per channel (of a Diagonal: complex
//	states in all), K convolution width
//
// # References
//
//	[1] Orvieto et al. 2023, Resurrecting Recurrent Neural Networks for Long Sequences, arXiv 2303.06349;
//	    github.com/NicolasZucchet/minimal-LRU
//	[2] Gu, Gupta, Goel, Ré 2022, On the Parameterization and Initialization of Diagonal SSMs, arXiv 2206.11893;
//	    github.com/state-spaces/s4, models/s4/s4d.py
//	[3] Gu & Dao 2023, Mamba, arXiv 2312.00752; github.com/state-spaces/mamba, modules/mamba_simple.py
//	[4] Hillis & Steele 1986, Data Parallel Algorithms   [5] Blelloch 1990, Prefix Sums and Their Applications
//	[6] Grazzi et al. 2024, Unlocking State-Tracking in Linear RNNs Through Negative Eigenvalues, arXiv 2411.12537
//
// It does not include the FFT convolution as a way to train, S4's low-rank
// correction, S5, both directions, or several groups of B and C: S6 has one, as
// the official Mamba block; Tape.SelectiveScan takes more.
package ssm
