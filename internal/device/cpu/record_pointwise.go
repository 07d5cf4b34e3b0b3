package cpu

import (
	"github.com/gophersnake/gophersnake/internal/device"
	"github.com/gophersnake/gophersnake/internal/kernel/vec"
)

// The operations of one element or row, each with what it reads and writes.

// Upload implements device.Device. Numbers that come from outside may be others
// the next time.
func (r *recording) Upload(dst device.Buf, src []float64) {
	r.Device.Upload(dst, src)
	r.refuse("numbers computed outside the device")
}

// Download implements device.Device.
func (r *recording) Download(dst []float64, src device.Buf) {
	r.Device.Download(dst, src)
	r.refuse("numbers read from the device")
}

// Zero implements device.Device.
func (r *recording) Zero(x device.Buf) { r.Fill(x, 0) }

// Fill implements device.Device.
func (r *recording) Fill(x device.Buf, v float64) {
	r.Device.Fill(x, v)
	r.columns(x.Len(), []device.Buf{x}, nil, func(b [][]float32) {
		for i := range b[0] {
			b[0][i] = float32(v)
		}
	})
}

// Copy implements device.Device.
func (r *recording) Copy(dst, src device.Buf) {
	r.Device.Copy(dst, src)
	r.columns(src.Len(), []device.Buf{dst}, []device.Buf{src}, func(b [][]float32) { copy(b[0], b[1]) })
}

// Apply implements device.Device.
func (r *recording) Apply(f device.Func, x, y device.Buf) {
	r.Device.Apply(f, x, y)
	value := function(f).value
	r.columns(y.Len(), []device.Buf{y}, []device.Buf{x}, func(b [][]float32) { value(b[0], b[1]) })
}

// binary notes y = f(a, b).
func (r *recording) binary(a, b, y device.Buf, f func(y, a, b []float32)) {
	r.columns(y.Len(), []device.Buf{y}, []device.Buf{a, b}, func(b [][]float32) { f(b[0], b[1], b[2]) })
}

// Add implements device.Device.
func (r *recording) Add(a, b, y device.Buf) { r.Device.Add(a, b, y); r.binary(a, b, y, vec.Add) }

// Sub implements device.Device.
func (r *recording) Sub(a, b, y device.Buf) { r.Device.Sub(a, b, y); r.binary(a, b, y, vec.Sub) }

// Mul implements device.Device.
func (r *recording) Mul(a, b, y device.Buf) { r.Device.Mul(a, b, y); r.binary(a, b, y, vec.Mul) }

// SiLUMul implements device.Device.
func (r *recording) SiLUMul(a, z, y device.Buf) {
	r.Device.SiLUMul(a, z, y)
	r.binary(a, z, y, vec.SiLUMul)
}

// Axpy implements device.Device.
func (r *recording) Axpy(alpha float64, x, y device.Buf) {
	r.Device.Axpy(alpha, x, y)
	r.columns(y.Len(), []device.Buf{y}, []device.Buf{x, y}, func(b [][]float32) { vec.Axpy(b[0], float32(alpha), b[1]) })
}

// Scale implements device.Device.
func (r *recording) Scale(alpha float64, x, y device.Buf) {
	r.Device.Scale(alpha, x, y)
	r.columns(y.Len(), []device.Buf{y}, []device.Buf{x}, func(b [][]float32) { vec.Scale(b[0], float32(alpha), b[1]) })
}

// AddRow implements device.Device.
func (r *recording) AddRow(m, n int, x, row, y device.Buf) {
	r.Device.AddRow(m, n, x, row, y)
	r.byRow(m, n, x, row, y, vec.Add)
}

// MulRow implements device.Device.
func (r *recording) MulRow(m, n int, x, row, y device.Buf) {
	r.Device.MulRow(m, n, x, row, y)
	r.byRow(m, n, x, row, y, vec.Mul)
}

// byRow notes y[i] = f(x[i], row) for m rows.
func (r *recording) byRow(m, n int, x, row, y device.Buf, f func(y, x, row []float32)) {
	o := op{reads: join(by(m, x), by(1, row)), writes: by(m, y), units: n}
	o.step = func(c *compiler, lo, hi int) func() {
		x, row, y := c.in(x).F32, c.in(row).F32[lo:hi], c.out(y).F32
		return func() {
			for i := range m {
				f(y[i*n+lo:i*n+hi], x[i*n+lo:i*n+hi], row)
			}
		}
	}
	r.note(o)
}

// RMSNorm implements device.Device.
func (r *recording) RMSNorm(m, n int, eps float64, x, w, y, rstd device.Buf) {
	r.Device.RMSNorm(m, n, eps, x, w, y, rstd)
	o := op{reads: join(by(1, x), whole(w)), writes: by(1, y, rstd), units: m, align: 1, copies: true, work: 3 * m * n}
	o.step = func(c *compiler, lo, hi int) func() {
		x, w, y, rstd := c.in(x).F32, c.in(w).F32[:n], c.out(y).F32, c.out(rstd)
		return func() {
			for i := lo; i < hi; i++ {
				set(rstd, i, vec.RMSNormRow(y[i*n:][:n], x[i*n:][:n], w, float32(eps)))
			}
		}
	}
	r.note(o)
}

// LayerNorm implements device.Device.
func (r *recording) LayerNorm(m, n int, eps float64, x, w, b, y, mean, rstd device.Buf) {
	r.Device.LayerNorm(m, n, eps, x, w, b, y, mean, rstd)
	d := r.Device
	r.plain([]device.Buf{x, w, b}, []device.Buf{y, mean, rstd}, func() { d.LayerNorm(m, n, eps, x, w, b, y, mean, rstd) })
}

// Dropout implements device.Device.
func (r *recording) Dropout(p float64, seed uint64, x, y device.Buf) {
	r.Device.Dropout(p, seed, x, y)
	r.refuse("dropout")
}

// Sum implements device.Device.
func (r *recording) Sum(x, y device.Buf) {
	r.Device.Sum(x, y)
	r.refuse("a sum over all elements")
}
