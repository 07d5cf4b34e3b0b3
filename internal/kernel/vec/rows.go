package vec

import "github.com/gophersnake/gophersnake/internal/kernel/isa"

// RMSNormRow normalises one row x (n) to y (n) and returns r:
//
//	r = 1/√(Σ x²/n + eps)
//	y = x·r·w
//
// (Zhang and Sennrich, arXiv:1910.07467, eq. 4, with eps inside the root as in
// PyTorch.) w (n) is the gain. It panics if x is empty.
func RMSNormRow(y, x, w []float32, eps float32) (r float32) {
	check("RMSNormRow", "y x w", len(y), len(x), len(w))
	if len(x) == 0 {
		panic("vec: RMSNormRow: len(x) is 0, want at least 1")
	}
	r = 1 / sqrt32(SumSquares(x)/float32(len(x))+eps)
	if wide(len(y)) {
		avx512ScaleMul(y, x, w, r)
		return r
	}
	if isa.UseAVX2 {
		scaleMulAVX2(y, x, w, r)
		return r
	}
	if isa.UseNEON {
		neonScaleMul(y, x, w, r)
		return r
	}
	for i, v := range x {
		y[i] = v * r * w[i]
	}
	return r
}

// RMSNormRowGrad is the gradient of RMSNormRow, which returned r:
//
//	dx += r·w·dy - x·(r³/n)·Σ w·dy·x
//	dw += dy·r·x
func RMSNormRowGrad(dx, dw, x, w, dy []float32, r float32) {
	check("RMSNormRowGrad", "dx dw x w dy", len(dx), len(dw), len(x), len(w), len(dy))
	if len(x) == 0 {
		return
	}
	c := dot3(dy, w, x) / float32(len(x)) * r * r * r
	if wide(len(dx)) {
		avx512RmsNormGrad(dx, dw, x, w, dy, r, c)
		return
	}
	if isa.UseAVX2 {
		rmsNormGradAVX2(dx, dw, x, w, dy, r, c)
		return
	}
	if isa.UseNEON {
		neonRmsNormGrad(dx, dw, x, w, dy, r, c)
		return
	}
	for i, v := range x {
		scaled := dy[i] * r
		dx[i] += scaled * w[i]
		dx[i] -= v * c
		dw[i] += scaled * v
	}
}

// SoftmaxRow sets y = exp(x - max)/sum for one row, where max is the greatest
// element of x and sum = Σ exp(x - max). It returns both: max + log(sum) is
// the logarithm of Σ exp(x). A row of nothing but -Inf gives NaN. It panics if
// x is empty.
func SoftmaxRow(y, x []float32) (greatest, sum float32) {
	check("SoftmaxRow", "y x", len(y), len(x))
	if len(x) == 0 {
		panic("vec: SoftmaxRow: len(x) is 0, want at least 1")
	}
	greatest = Max(x)
	sum = expSum(y, x, greatest)
	Scale(y, 1/sum, y)
	return greatest, sum
}

// SoftmaxRowGrad is the gradient of SoftmaxRow with respect to x, from its
// output y: dx += y·(dy - Σ y·dy).
func SoftmaxRowGrad(dx, y, dy []float32) {
	check("SoftmaxRowGrad", "dx y dy", len(dx), len(y), len(dy))
	c := Dot(y, dy)
	if wide(len(dx)) {
		avx512SoftmaxGrad(dx, y, dy, c)
		return
	}
	if isa.UseAVX2 {
		softmaxGradAVX2(dx, y, dy, c)
		return
	}
	if isa.UseNEON {
		neonSoftmaxGrad(dx, y, dy, c)
		return
	}
	for i, v := range y {
		dx[i] += (dy[i] - c) * v
	}
}
