package cpu

import (
	"github.com/gophersnake/gophersnake/internal/device"
	"github.com/gophersnake/gophersnake/internal/kernel/vec"
)

// RMSNorm: y = x·rstd·w with rstd = 1/√(mean(x²)+eps) of each row.
func (d *Device) RMSNorm(m, n int, eps float64, x, w, y, rstd device.Buf) {
	d.rows(m, n, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			r := vec.RMSNormRow(y.F32[i*n:][:n], x.F32[i*n:][:n], w.F32[:n], float32(eps))
			set(rstd, i, r)
		}
	})
}

// RMSNormGrad adds, with x̂ = x·rstd and g = dy·w of a row,
//
//	dx = rstd (g − x̂ mean(g x̂));  dw = Σ_rows dy x̂
func (d *Device) RMSNormGrad(m, n int, x, w, rstd, dy, dx, dw device.Buf) {
	d.reduce(m, 3*n, n, func(lo, hi int, part []float32) {
		row := d.free.get(n) // for a dx that nobody wants
		defer d.free.put(row)
		for i := lo; i < hi; i++ {
			if !dx.IsNil() {
				row = dx.F32[i*n:][:n]
			}
			vec.RMSNormRowGrad(row, part, x.F32[i*n:][:n], w.F32[:n], dy.F32[i*n:][:n], rstd.F32[i])
		}
	}, func(sum []float32) { addTo(dw, sum) })
}

// set stores v in x[i], unless nobody wants it.
func set(x device.Buf, i int, v float32) {
	if !x.IsNil() {
		x.F32[i] = v
	}
}

// LayerNorm: y = (x−mean)·rstd·w + b of each row, with the biased variance.
func (d *Device) LayerNorm(m, n int, eps float64, x, w, b, y, mean, rstd device.Buf) {
	d.rows(m, 2*n, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			x, y := x.F32[i*n:][:n], y.F32[i*n:][:n]
			mu := vec.Sum(x) / float32(n)
			addScalar(y, x, -mu)
			rest := vec.Sum(y) / float32(n) // what rounding left in mu
			addScalar(y, y, -rest)
			r := vec.RMSNormRow(y, y, w.F32[:n], float32(eps)) // Σ y² is n times the variance
			set(mean, i, mu+rest)
			set(rstd, i, r)
			vec.AddTo(y, b.F32[:n])
		}
	})
}

// LayerNormGrad adds, with x̂ = (x−mean)·rstd and g = dy·w of a row,
//
//	dx = rstd (g − mean(g) − x̂ mean(g x̂));  dw = Σ_rows dy x̂;  db = Σ_rows dy
func (d *Device) LayerNormGrad(m, n int, x, w, mean, rstd, dy, dx, dw, db device.Buf) {
	d.reduce(m, 4*n, 2*n, func(lo, hi int, part []float32) {
		tmp := d.free.get(2 * n)
		defer d.free.put(tmp)
		xhat, g := tmp[:n], tmp[n:]
		for i := lo; i < hi; i++ {
			r, dy := rstd.F32[i], dy.F32[i*n:][:n]
			addScalar(xhat, x.F32[i*n:][:n], -mean.F32[i])
			vec.Scale(xhat, r, xhat)
			vec.MulAdd(part[:n], dy, xhat)
			vec.AddTo(part[n:], dy)
			if dx.IsNil() {
				continue
			}
			vec.Mul(g, dy, w.F32[:n])
			dx := dx.F32[i*n:][:n]
			vec.Axpy(dx, -r*vec.Dot(g, xhat)/float32(n), xhat)
			addScalar(dx, dx, -r*vec.Sum(g)/float32(n))
			vec.Axpy(dx, r, g)
		}
	}, func(sum []float32) {
		addTo(dw, sum[:n])
		addTo(db, sum[n:])
	})
}
