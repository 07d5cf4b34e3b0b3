package tensor

import "github.com/gophersnake/gophersnake/internal/device"

// RMSNorm returns x / √(mean(x²) + eps) ⊙ w over the last axis of x (..., n),
// w (n) (Zhang & Sennrich, arXiv 1910.07467).
func (tp *Tape) RMSNorm(x, w *Tensor, eps float64) *Tensor {
	track := tp.tracks("RMSNorm", x, w)
	n := lastAxis("RMSNorm", "x", x)
	m := x.rows()
	want("RMSNorm", "w", w, n)
	y, rstd := tp.like(x), tp.scratch(m)
	tp.d.RMSNorm(m, n, eps, x.buf, w.buf, y.buf, rstd)
	if track {
		tp.record([]*Tensor{y}, []device.Buf{rstd}, func() {
			dx, dw := tp.grad(x), tp.grad(w)
			tp.d.RMSNormGrad(m, n, x.buf, w.buf, rstd, y.grad, dx, dw)
		})
	}
	return y
}

// LayerNorm returns (x − mean) / √(var + eps) ⊙ w + b over the last axis of x
// (..., n), w and b (n), with the biased variance (arXiv 1607.06450).
func (tp *Tape) LayerNorm(x, w, b *Tensor, eps float64) *Tensor {
	track := tp.tracks("LayerNorm", x, w, b)
	n := lastAxis("LayerNorm", "x", x)
	m := x.rows()
	want("LayerNorm", "w", w, n)
	want("LayerNorm", "b", b, n)
	y, mean, rstd := tp.like(x), tp.scratch(m), tp.scratch(m)
	tp.d.LayerNorm(m, n, eps, x.buf, w.buf, b.buf, y.buf, mean, rstd)
	if track {
		tp.record([]*Tensor{y}, []device.Buf{mean, rstd}, func() {
			dx, dw, db := tp.grad(x), tp.grad(w), tp.grad(b)
			tp.d.LayerNormGrad(m, n, x.buf, w.buf, mean, rstd, y.grad, dx, dw, db)
		})
	}
	return y
}
