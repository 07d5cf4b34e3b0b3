package reference

import (
	"math"

	"github.com/gophersnake/gophersnake/internal/device"
)

// RMSNorm scales each row to unit root mean square (Zhang & Sennrich, eq. 4,
// with eps as in PyTorch):
//
//	y = x·rstd·w,  rstd = 1/√(mean(x²) + eps)
//
// for x, y (m,n), w (n), rstd (m).
func (*Device) RMSNorm(m, n int, eps float64, x, w, y, rstd device.Buf) {
	for i := range m {
		xi, yi := x.Slice(i*n, (i+1)*n).F64, y.Slice(i*n, (i+1)*n).F64
		ms := 0.0
		for _, v := range xi {
			ms += v * v / float64(n)
		}
		r := 1 / math.Sqrt(ms+eps)
		for j, v := range xi {
			yi[j] = v * r * w.F64[j]
		}
		set(rstd, i, r)
	}
}

// RMSNormGrad adds the gradients of RMSNorm. With x̂ = x·rstd and g = dy ⊙ w,
//
//	dx = rstd (g − x̂ mean(g ⊙ x̂)),  dw = Σ_rows dy ⊙ x̂
func (*Device) RMSNormGrad(m, n int, x, w, rstd, dy, dx, dw device.Buf) {
	for i := range m {
		r := rstd.F64[i]
		mean := 0.0 // of g ⊙ x̂
		for j := range n {
			mean += dy.F64[i*n+j] * w.F64[j] * x.F64[i*n+j] * r / float64(n)
		}
		for j := range n {
			g, xhat := dy.F64[i*n+j]*w.F64[j], x.F64[i*n+j]*r
			add(dx, i*n+j, r*(g-xhat*mean))
			add(dw, j, dy.F64[i*n+j]*xhat)
		}
	}
}

// LayerNorm shifts and scales each row to mean 0 and variance 1 (Ba et al.,
// eq. 4, with eps as in PyTorch; the variance is the biased one):
//
//	y = (x − mean)·rstd·w + b,  rstd = 1/√(mean((x − mean)²) + eps)
//
// for x, y (m,n), w, b (n), mean, rstd (m).
func (*Device) LayerNorm(m, n int, eps float64, x, w, b, y, mean, rstd device.Buf) {
	for i := range m {
		xi, yi := x.Slice(i*n, (i+1)*n).F64, y.Slice(i*n, (i+1)*n).F64
		mu := 0.0
		for _, v := range xi {
			mu += v / float64(n)
		}
		variance := 0.0
		for _, v := range xi {
			variance += (v - mu) * (v - mu) / float64(n)
		}
		r := 1 / math.Sqrt(variance+eps)
		for j, v := range xi {
			yi[j] = (v-mu)*r*w.F64[j] + b.F64[j]
		}
		set(mean, i, mu)
		set(rstd, i, r)
	}
}

// LayerNormGrad adds the gradients of LayerNorm. With x̂ = (x − mean)·rstd and
// g = dy ⊙ w,
//
//	dx = rstd (g − mean(g) − x̂ mean(g ⊙ x̂)),  dw = Σ_rows dy ⊙ x̂,  db = Σ_rows dy
func (*Device) LayerNormGrad(m, n int, x, w, mean, rstd, dy, dx, dw, db device.Buf) {
	for i := range m {
		mu, r := mean.F64[i], rstd.F64[i]
		meanG, meanGX := 0.0, 0.0
		for j := range n {
			g, xhat := dy.F64[i*n+j]*w.F64[j], (x.F64[i*n+j]-mu)*r
			meanG += g / float64(n)
			meanGX += g * xhat / float64(n)
		}
		for j := range n {
			g, xhat := dy.F64[i*n+j]*w.F64[j], (x.F64[i*n+j]-mu)*r
			add(dx, i*n+j, r*(g-meanG-xhat*meanGX))
			add(dw, j, dy.F64[i*n+j]*xhat)
			add(db, j, dy.F64[i*n+j])
		}
	}
}
