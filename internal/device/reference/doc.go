// Package reference is the device that is the truth: float64, plain loops, one
// goroutine. It is written to be read beside the papers; the fast devices are
// checked against it, and it is checked against central differences and against
// known answers from outside (PyTorch).
//
// The equation and the source of every operation stand on the operation; the
// letters are those of package device:
//
//	B batch, L length (time steps), D channels, N state size, H hidden size
//	M = B·L rows, V vocabulary, K width of a convolution, Dh size of a head
//
// In gradients, dx is dL/dx, the derivative of the loss with respect to x. For
// a complex x it is dL/dRe(x) + i·dL/dIm(x), as in PyTorch. With that, for
// complex numbers
//
//	y = a x        gives  dx = conj(a) dy,  da = conj(x) dy
//	y = exp(x)     gives  dx = conj(y) dy
//	r = Re(a x)    gives  dx = conj(a) dr   (r, dr real)
//
// and a real factor gets the real part.
//
// Three promises that package device leaves open and that hold here: Alloc
// fills memory with NaN, so that code which forgets to write shows; every value
// of a forward operation is read before the output that may share its memory is
// written, so elementwise operations, scans and recurrences may work in place;
// and operations that only keep something for the gradient (rstd, lse, Saved)
// take nil for it.
//
// References:
//
//	Gu & Dao 2023, Mamba, arXiv 2312.00752; selective_scan_ref in
//	  github.com/state-spaces/mamba, mamba_ssm/ops/selective_scan_interface.py
//	Orvieto et al. 2023, LRU, arXiv 2303.06349
//	Grazzi et al. 2024, negative eigenvalues, arXiv 2411.12537
//	Elman 1990, Finding structure in time
//	Cho et al. 2014, GRU, arXiv 1406.1078 (in the form of torch.nn.GRU)
//	Hochreiter & Schmidhuber 1997, LSTM (in the form of torch.nn.LSTM)
//	Feng et al. 2024, minGRU, arXiv 2410.01201
//	Vaswani et al. 2017, attention, arXiv 1706.03762
//	Su et al. 2021, RoPE, arXiv 2104.09864
//	Zhang & Sennrich 2019, RMSNorm, arXiv 1910.07467
//	Ba et al. 2016, LayerNorm, arXiv 1607.06450
//	Hendrycks & Gimpel 2016, GELU, arXiv 1606.08415
//	Loshchilov & Hutter 2017, AdamW, arXiv 1711.05101
package reference
