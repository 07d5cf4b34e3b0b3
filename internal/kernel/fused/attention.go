package fused

import (
	"github.com/gophersnake/gophersnake/internal/kernel/isa"
	"github.com/gophersnake/gophersnake/internal/kernel/vec"
)

// sumBlock is the number of elements that are added in float32, as in vec.Sum;
// the blocks' sums are added in float64.
const sumBlock = 4096

// at returns the address of a slice that has n > 0 elements at least.
func at(x []float32, n int) *float32 { return &x[:n][0] }

// ExpSum sets x to exp(x - shift) and returns the sum, in vec.Sum's order.
func ExpSum(x []float32, shift float32) float32 {
	if len(x) <= sumBlock {
		return expSum(x, shift)
	}
	total := 0.0
	for lo := 0; lo < len(x); lo += sumBlock {
		total += float64(expSum(x[lo:min(lo+sumBlock, len(x))], shift))
	}
	return float32(total)
}

func expSum(x []float32, shift float32) float32 {
	switch {
	case len(x) == 0:
		return 0
	case isa.UseAVX512:
		return expSumAVX512(len(x), &x[0], shift)
	case isa.UseAVX2:
		return expSumAVX2(len(x), &x[0], shift)
	}
	for i := range x {
		x[i] -= shift
	}
	vec.Exp(x, x)
	return vec.Sum(x)
}

// ScoreGrad sets p = exp(p - lse) and dp = (dp - mean)·p, what attention's
// gradient makes of scores p and of their gradients.
func ScoreGrad(p, dp, lse, mean []float32) {
	n := len(p)
	switch {
	case n == 0:
	case isa.UseAVX512:
		scoreGradAVX512(n, &p[0], at(dp, n), at(lse, n), at(mean, n))
	case isa.UseAVX2:
		scoreGradAVX2(n, &p[0], at(dp, n), at(lse, n), at(mean, n))
	default:
		vec.Sub(p, p, lse[:n])
		vec.Exp(p, p)
		vec.Sub(dp[:n], dp[:n], mean[:n])
		vec.Mul(dp[:n], dp[:n], p)
	}
}
