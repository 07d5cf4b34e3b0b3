package vec

import "github.com/gophersnake/gophersnake/internal/kernel/isa"

// Exp sets dst = exp(x).
func Exp(dst, x []float32) {
	check("Exp", "dst x", len(dst), len(x))
	if wide(len(dst)) {
		avx512Exp(dst, x)
		return
	}
	if isa.UseAVX2 {
		expAVX2(dst, x)
		return
	}
	if isa.UseNEON {
		neonExp(dst, x)
		return
	}
	for i, v := range x {
		dst[i] = exp32(v)
	}
}

// Sigmoid sets dst = σ(x).
func Sigmoid(dst, x []float32) {
	check("Sigmoid", "dst x", len(dst), len(x))
	if wide(len(dst)) {
		avx512Sigmoid(dst, x)
		return
	}
	if isa.UseAVX2 {
		sigmoidAVX2(dst, x)
		return
	}
	if isa.UseNEON {
		neonSigmoid(dst, x)
		return
	}
	for i, v := range x {
		dst[i] = sigmoid32(v)
	}
}

// SigmoidGrad sets dx += dy·y·(1-y), where y = σ(x) is Sigmoid's output.
func SigmoidGrad(dx, y, dy []float32) {
	check("SigmoidGrad", "dx y dy", len(dx), len(y), len(dy))
	if wide(len(dx)) {
		avx512SigmoidGrad(dx, y, dy)
		return
	}
	if isa.UseAVX2 {
		sigmoidGradAVX2(dx, y, dy)
		return
	}
	if isa.UseNEON {
		neonSigmoidGrad(dx, y, dy)
		return
	}
	for i, v := range y {
		dx[i] += (1 - v) * v * dy[i]
	}
}

// Tanh sets dst = tanh(x).
func Tanh(dst, x []float32) {
	check("Tanh", "dst x", len(dst), len(x))
	if wide(len(dst)) {
		avx512Tanh(dst, x)
		return
	}
	if isa.UseAVX2 {
		tanhAVX2(dst, x)
		return
	}
	if isa.UseNEON {
		neonTanh(dst, x)
		return
	}
	for i, v := range x {
		dst[i] = tanh32(v)
	}
}

// TanhGrad sets dx += dy·(1-y²), where y = tanh(x) is Tanh's output.
func TanhGrad(dx, y, dy []float32) {
	check("TanhGrad", "dx y dy", len(dx), len(y), len(dy))
	if wide(len(dx)) {
		avx512TanhGrad(dx, y, dy)
		return
	}
	if isa.UseAVX2 {
		tanhGradAVX2(dx, y, dy)
		return
	}
	if isa.UseNEON {
		neonTanhGrad(dx, y, dy)
		return
	}
	for i, v := range y {
		dx[i] += (1 - v*v) * dy[i]
	}
}

// SiLU sets dst = x·σ(x), also called swish (Elfwing, Uchibe and Doya,
// arXiv:1702.03118, eq. 5).
func SiLU(dst, x []float32) {
	check("SiLU", "dst x", len(dst), len(x))
	if wide(len(dst)) {
		avx512Silu(dst, x)
		return
	}
	if isa.UseAVX2 {
		siluAVX2(dst, x)
		return
	}
	if isa.UseNEON {
		neonSilu(dst, x)
		return
	}
	for i, v := range x {
		dst[i] = silu32(v)
	}
}

// SiLUGrad sets dx += dy·silu'(x), silu'(x) = σ(x) + x·σ(x)·(1-σ(x)).
func SiLUGrad(dx, x, dy []float32) {
	check("SiLUGrad", "dx x dy", len(dx), len(x), len(dy))
	if wide(len(dx)) {
		avx512SiluGrad(dx, x, dy)
		return
	}
	if isa.UseAVX2 {
		siluGradAVX2(dx, x, dy)
		return
	}
	if isa.UseNEON {
		neonSiluGrad(dx, x, dy)
		return
	}
	for i, v := range x {
		dx[i] += siluSlope(v) * dy[i]
	}
}

// SiLUMul sets y = a·silu(z), a gated value.
func SiLUMul(y, a, z []float32) {
	check("SiLUMul", "y a z", len(y), len(a), len(z))
	if wide(len(y)) {
		avx512SiluMul(y, a, z)
		return
	}
	if isa.UseAVX2 {
		siluMulAVX2(y, a, z)
		return
	}
	if isa.UseNEON {
		neonSiluMul(y, a, z)
		return
	}
	for i, v := range z {
		y[i] = silu32(v) * a[i]
	}
}

// SiLUMulGrad is the gradient of SiLUMul: da += dy·silu(z) and dz +=
// dy·a·silu'(z).
func SiLUMulGrad(da, dz, a, z, dy []float32) {
	check("SiLUMulGrad", "da dz a z dy", len(da), len(dz), len(a), len(z), len(dy))
	if wide(len(da)) {
		avx512SiluMulGrad(da, dz, a, z, dy)
		return
	}
	if isa.UseAVX2 {
		siluMulGradAVX2(da, dz, a, z, dy)
		return
	}
	if isa.UseNEON {
		neonSiluMulGrad(da, dz, a, z, dy)
		return
	}
	for i, v := range z {
		s, slope := sigmoidSlope(v)
		da[i] += s * v * dy[i]
		dz[i] += (slope*v + s) * (dy[i] * a[i])
	}
}

// Softplus sets dst = log(1 + exp(x)). From x = 20 on, where PyTorch's
// softplus passes x through, the result is x too: the difference, exp(-20) or
// 2e-9, is far below half of float32's spacing there.
func Softplus(dst, x []float32) {
	check("Softplus", "dst x", len(dst), len(x))
	if wide(len(dst)) {
		avx512Softplus(dst, x)
		return
	}
	if isa.UseAVX2 {
		softplusAVX2(dst, x)
		return
	}
	if isa.UseNEON {
		neonSoftplus(dst, x)
		return
	}
	for i, v := range x {
		dst[i] = softplus32(v)
	}
}

// SoftplusGrad sets dx += dy·σ(x), the gradient of Softplus.
func SoftplusGrad(dx, x, dy []float32) {
	check("SoftplusGrad", "dx x dy", len(dx), len(x), len(dy))
	if wide(len(dx)) {
		avx512SoftplusGrad(dx, x, dy)
		return
	}
	if isa.UseAVX2 {
		softplusGradAVX2(dx, x, dy)
		return
	}
	if isa.UseNEON {
		neonSoftplusGrad(dx, x, dy)
		return
	}
	for i, v := range x {
		dx[i] += sigmoid32(v) * dy[i]
	}
}

// GELU sets dst = x·(1 + tanh(√(2/π)·(x + 0.044715·x³)))/2, the approximation
// of GELUExact (Hendrycks and Gimpel, arXiv:1606.08415, section 2).
func GELU(dst, x []float32) {
	check("GELU", "dst x", len(dst), len(x))
	if wide(len(dst)) {
		avx512Gelu(dst, x)
		return
	}
	if isa.UseAVX2 {
		geluAVX2(dst, x)
		return
	}
	if isa.UseNEON {
		neonGelu(dst, x)
		return
	}
	for i, v := range x {
		dst[i] = gelu32(v)
	}
}

// GELUGrad sets dx += dy·gelu'(x), the gradient of GELU.
func GELUGrad(dx, x, dy []float32) {
	check("GELUGrad", "dx x dy", len(dx), len(x), len(dy))
	if wide(len(dx)) {
		avx512GeluGrad(dx, x, dy)
		return
	}
	if isa.UseAVX2 {
		geluGradAVX2(dx, x, dy)
		return
	}
	if isa.UseNEON {
		neonGeluGrad(dx, x, dy)
		return
	}
	for i, v := range x {
		dx[i] += geluSlope(v) * dy[i]
	}
}

// GELUExact sets dst = x·Φ(x), Φ(x) = (1 + erf(x/√2))/2 being the
// distribution function of the standard normal distribution (Hendrycks and
// Gimpel, arXiv:1606.08415, section 2).
func GELUExact(dst, x []float32) {
	check("GELUExact", "dst x", len(dst), len(x))
	if wide(len(dst)) {
		avx512GeluExact(dst, x)
		return
	}
	if isa.UseAVX2 {
		geluExactAVX2(dst, x)
		return
	}
	if isa.UseNEON {
		neonGeluExact(dst, x)
		return
	}
	for i, v := range x {
		dst[i] = geluExact32(v)
	}
}

// GELUExactGrad sets dx += dy·(Φ(x) + x·φ(x)), the gradient of GELUExact.
func GELUExactGrad(dx, x, dy []float32) {
	check("GELUExactGrad", "dx x dy", len(dx), len(x), len(dy))
	if wide(len(dx)) {
		avx512GeluExactGrad(dx, x, dy)
		return
	}
	if isa.UseAVX2 {
		geluExactGradAVX2(dx, x, dy)
		return
	}
	if isa.UseNEON {
		neonGeluExactGrad(dx, x, dy)
		return
	}
	for i, v := range x {
		dx[i] += geluExactSlope(v) * dy[i]
	}
}
