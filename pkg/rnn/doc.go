// Package rnn holds the recurrences that came before the diagonal ones: the
// dense one with and without its nonlinearity, the gated ones, and their minimal
// forms whose gates do not see the state.
//
// Every layer is an nn.Mixer over u (B,L,D): with a nil state Forward takes
// whole sequences; with a state it goes on from it, so that L = 1 is a step of
// generation. States carry no gradient.
//
// # Equations
//
//	Dense    x_t = f(A x_{t−1} + B u_t + b),  y_t = C x_t + D ⊙ u_t     f = tanh or nothing [1]
//	GRU      r, z = σ(W u_t + b + W' h_{t−1} + b')                      [2], as torch.nn.GRU
//	         n = tanh(W_n u_t + b_n + r ⊙ (W'_n h_{t−1} + b'_n))
//	         h_t = (1 − z) ⊙ n + z ⊙ h_{t−1}
//	LSTM     i, f, o = σ(W u_t + W' h_{t−1} + b),  g = tanh(…)          [3, 4], as torch.nn.LSTM
//	         c_t = f ⊙ c_{t−1} + i ⊙ g,  h_t = o ⊙ tanh(c_t)
//	MinGRU   z = σ(W_z u_t + b_z),  h_t = (1−z) ⊙ h_{t−1} + z ⊙ g(W_h u_t + b_h)   [5]
//	MinLSTM  f, i = σ(W u_t + b)
//	         h_t = f/(f+i) ⊙ h_{t−1} + i/(f+i) ⊙ g(W_h u_t + b_h)
//	         g(v) = v + ½ for v ≥ 0, σ(v) otherwise
//
// Dense, GRU and LSTM must run step by step: h_t goes through a matrix and a
// nonlinearity before h_{t+1} can begin. MinGRU and MinLSTM are scans of
// h_t = a_t ⊙ h_{t−1} + b_t, as everything in pkg/ssm. The linear Dense is a
// linear recurrence, too, but its product A·A costs N³.
//
// # Glossary
//
//	symbol  Go name     shape        what
//	u       u           (B,L,D)      input
//	y       y           (B,L,D)      output
//	x, h    x, h        (B,L,N|H)    state of every step
//	c       c           (B,L,H)      cell of the LSTM
//	A       A           (N,N)        recurrent matrix; rows are outputs
//	B       B           (N,D)        input matrix
//	C       C           (D,N)        output matrix
//	D       D           (D)          what of the input goes straight to the output
//	W, W'   weight_ih, weight_hh     gates' matrices, gates stacked along the rows
//
//	B batch, L length (time steps), D channels, N or H hidden units
//
// # References
//
//	[1] Elman 1990, Finding Structure in Time; its linear form and what surrounds it as in Orvieto et al. 2023,
//	    Resurrecting Recurrent Neural Networks for Long Sequences, arXiv 2303.06349 §3.1
//	[2] Cho et al. 2014, arXiv 1406.1078
//	[3] Hochreiter & Schmidhuber 1997   [4] Gers, Schmidhuber, Cummins 2000 (forget gate)
//	[5] Feng et al. 2024, Were RNNs All We Needed?, arXiv 2410.01201
//
// It does not include several layers at once, dropout inside the recurrence,
// both directions, or peepholes: stack nn.Blocks.
package rnn
