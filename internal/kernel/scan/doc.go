// Package scan holds the float32 sequence scans of the models: the selective
// scan of Mamba (real and complex A) and the elementwise linear recurrence of
// LRU and minGRU, forward and backward, fused so that no (L, D, N) array ever
// exists.
//
// # Selective scan
//
// For every batch row b, channel d and step t, with h_{-1} = H0 or zero:
//
//	Δ_t    = softplus(delta_t + bias)            (or delta_t + bias)
//	Ā_t[n] = exp(Δ_t A[n])                       (Signed: 2 exp(Δ_t A[n]) − 1)
//	h_t[n] = Ā_t[n] h_{t-1}[n] + Δ_t B_t[n] u_t
//	y_t    = (Σ_n C_t[n] h_t[n] + Dskip u_t) · SiLU(z_t)
//
// and backward, with g_t = dy_t SiLU(z_t) and X the adjoint of h:
//
//	X_t[n]  = C_t[n] g_t + Ā_{t+1}[n] X_{t+1}[n]
//	S_t[n]  = X_t[n] h_{t-1}[n] ∂Ā_t[n]          (∂Ā = Ā; Signed: Ā + 1)
//	dC_t[n] = Σ_d g_t h_t[n]         dB_t[n] = Σ_d X_t[n] Δ_t u_t
//	dA[n]   = Σ_t S_t[n] Δ_t         dDskip  = Σ_t g_t u_t
//	dΔ_t    = Σ_n (S_t[n] A[n] + X_t[n] B_t[n] u_t)
//	du_t    = Dskip g_t + Δ_t Σ_n X_t[n] B_t[n]
//	ddelta_t = dΔ_t σ(delta_t + bias)            (softplus only)
//	dz_t    = dy_t ypre_t σ(z_t)(1 + z_t(1 − σ(z_t)))
//
// # Linear recurrence
//
//	h_t = a_t ⊙ h_{t-1} + x_t      X_t = dh_t + conj(a_{t+1}) ⊙ X_{t+1}
//	dx_t = X_t                     da_t = X_t ⊙ conj(h_{t-1})
//
// # Glossary
//
//	symbol    Go name      shape                 meaning
//	B L D N   Shape        —                     batch, steps, channels, states
//	u         U            (B, L, D)             input of the scan
//	delta     Delta        (B, L, D) or nil      step size before bias and softplus
//	bias      DeltaBias    (D) or nil            bias of the step size
//	A         A            (D, N)                continuous eigenvalues, negative reals
//	B_t, C_t  Bm, Cm       (B, L, N) or (D, N)   input and output maps
//	Dskip     Dskip        (D) or nil            feed-through
//	z         Z            (B, L, D) or nil      gate
//	h         H0, HT       (B, D, N) or nil      first and last state
//	Im ·      Im           as the real array     imaginary parts; nil: all real
//	y         Y            (B, L, D)             output
//
// # How it runs
//
// Eight channels are the eight lanes of a vector, and the states are a loop.
// A chunk of 32 steps of a pair of such groups, a cache line of every row, is
// loaded into a frame (steps × fields × 8 floats, package spec), scanned a few
// states at a time with h in registers, and written back. Training keeps h at
// the start of every chunk; the backward pass recomputes the chunk from it. A
// single step (generation) has the states as lanes instead.
//
// Work is split over batch rows and blocks of channel groups by a rule that
// sees only the shape; what tasks share is summed in a fixed order. The bits of
// every result are therefore the same for any number of workers. Tasks that run
// at the same time work on memory far apart, their scratch included: a core also
// fetches lines near those it was asked for, and one that another core is writing
// costs both some 100 ns, or 350 where they have no cache in common.
//
// Four engines do the work: AVX-512 or AVX2 assembly written by ./gen (avo), NEON
// assembly by ./gen/neon, or the same in plain Go where there is none of them or
// the build has the tag noasm. To NEON, a group is two registers.
// With AVX-512 a pair of groups is one register. Every lane sees the operations
// of AVX2 in the same order, and what both groups add to (dB, dC) gets the first
// group's terms before the second's, so that both have the same bits.
//
// Floor: a state element takes 8 multiplications (fused or not) forward and 16
// backward, counting exp's 5. A Zen 5 core starts two vectors of 16 in a cycle, so
// at 4.2 GHz a step of one state and channel needs 0.059 ns forward and 0.119
// backward. In the level-one cache the scan loops take 0.077 and 0.164, the work
// of each row (softplus, gate, sums) at N = 16 another 0.034 and 0.06; what is
// left to the time of a large scan is waiting for memory, 40 bytes of it for each
// channel of a step that goes backward.
//
// Does not include: an associative (parallel in time) scan, groups of B and C
// shared by some of the channels, and state in any type but float32.
//
// # References
//
// Gu and Dao, "Mamba" (2023), §3.2 and Algorithm 2; the backward formulas are
// those of state-spaces/mamba csrc/selective_scan. The discretisation is the
// one of that code (exact exponential for A, Euler for B), not the paper's
// zero-order hold. Grazzi et al., "Unlocking State-Tracking in Linear RNNs
// Through Negative Eigenvalues" (2024) for Signed. Orvieto et al.,
// "Resurrecting Recurrent Neural Networks for Long Sequences" (2023) for the
// linear recurrence.
package scan

//go:generate go run ./gen -out zz_kernels_amd64.s -stubs zz_kernels_amd64.go -pkg scan
