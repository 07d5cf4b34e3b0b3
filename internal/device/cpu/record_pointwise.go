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
	r.plain(nil, []device.Buf{x}, func() {
		for i := range x.F32 {
			x.F32[i] = float32(v)
		}
	})
}

// Copy implements device.Device.
func (r *recording) Copy(dst, src device.Buf) {
	r.Device.Copy(dst, src)
	r.plain([]device.Buf{src}, []device.Buf{dst}, func() { copy(dst.F32, src.F32) })
}

// Apply implements device.Device.
func (r *recording) Apply(f device.Func, x, y device.Buf) {
	r.Device.Apply(f, x, y)
	value := function(f).value
	r.plain([]device.Buf{x}, []device.Buf{y}, func() { value(y.F32, x.F32) })
}

// binary notes y = f(a, b).
func (r *recording) binary(a, b, y device.Buf, f func(y, a, b []float32)) {
	r.plain([]device.Buf{a, b}, []device.Buf{y}, func() { f(y.F32, a.F32, b.F32) })
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
	r.plain([]device.Buf{x, y}, []device.Buf{y}, func() { vec.Axpy(y.F32, float32(alpha), x.F32) })
}

// Scale implements device.Device.
func (r *recording) Scale(alpha float64, x, y device.Buf) {
	r.Device.Scale(alpha, x, y)
	r.plain([]device.Buf{x}, []device.Buf{y}, func() { vec.Scale(y.F32, float32(alpha), x.F32) })
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
	r.plain([]device.Buf{x, row}, []device.Buf{y}, func() {
		for i := range m {
			f(y.F32[i*n:][:n], x.F32[i*n:][:n], row.F32[:n])
		}
	})
}

// RMSNorm implements device.Device.
func (r *recording) RMSNorm(m, n int, eps float64, x, w, y, rstd device.Buf) {
	r.Device.RMSNorm(m, n, eps, x, w, y, rstd)
	r.plain([]device.Buf{x, w}, []device.Buf{y, rstd}, func() {
		for i := range m {
			set(rstd, i, vec.RMSNormRow(y.F32[i*n:][:n], x.F32[i*n:][:n], w.F32[:n], float32(eps)))
		}
	})
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
