package vec

import (
	"math"

	"github.com/gophersnake/gophersnake/internal/kernel/isa"
)

const (
	// partials is the number of partial results of a reduction: 4 registers
	// of 8 lanes, enough to hide the latency of an addition.
	partials = 32
	// sumBlock is the number of elements that are added in float32. The
	// blocks' sums are added in float64, so that the error does not grow
	// with the length: a partial sum has at most sumBlock/partials = 128
	// terms.
	sumBlock = 4096
)

// Sum returns Σ x.
func Sum(x []float32) float32 {
	return blockwise(len(x), func(lo, hi int) float32 {
		if isa.UseAVX2 {
			return sumAVX2(x[lo:hi])
		}
		if isa.UseNEON {
			return neonSum(x[lo:hi])
		}
		return sumGo(x[lo:hi])
	})
}

// SumSquares returns Σ x².
func SumSquares(x []float32) float32 {
	return blockwise(len(x), func(lo, hi int) float32 {
		if isa.UseAVX2 {
			return sumSquaresAVX2(x[lo:hi])
		}
		if isa.UseNEON {
			return neonSumSquares(x[lo:hi])
		}
		return dotGo(x[lo:hi], x[lo:hi])
	})
}

// Dot returns Σ a·b.
func Dot(a, b []float32) float32 {
	check("Dot", "a b", len(a), len(b))
	return blockwise(len(a), func(lo, hi int) float32 {
		if isa.UseAVX2 {
			return dotAVX2(a[lo:hi], b[lo:hi])
		}
		if isa.UseNEON {
			return neonDot(a[lo:hi], b[lo:hi])
		}
		return dotGo(a[lo:hi], b[lo:hi])
	})
}

// dot3 returns Σ (a·b)·c for equal lengths.
func dot3(a, b, c []float32) float32 {
	return blockwise(len(a), func(lo, hi int) float32 {
		if isa.UseAVX2 {
			return dot3AVX2(a[lo:hi], b[lo:hi], c[lo:hi])
		}
		if isa.UseNEON {
			return neonDot3(a[lo:hi], b[lo:hi], c[lo:hi])
		}
		return dot3Go(a[lo:hi], b[lo:hi], c[lo:hi])
	})
}

// blockwise adds up the sums of blocks.
func blockwise(n int, sum func(lo, hi int) float32) float32 {
	if n <= sumBlock {
		return sum(0, n)
	}
	total := 0.0
	for lo := 0; lo < n; lo += sumBlock {
		total += float64(sum(lo, min(lo+sumBlock, n)))
	}
	return float32(total)
}

// Max returns the greatest element of x, NaN if any element is NaN. It panics
// if x is empty.
func Max(x []float32) float32 {
	if len(x) == 0 {
		panic("vec: Max: len(x) is 0, want at least 1")
	}
	if isa.UseAVX2 {
		return maxAVX2(x)
	}
	if isa.UseNEON {
		return neonMax(x)
	}
	greatest := x[0]
	for _, v := range x {
		if v > greatest || v != v {
			greatest = v
		}
		if greatest != greatest {
			return greatest
		}
	}
	return greatest
}

// sumGo adds in the order of the assembly: element i is added to partial sum
// i mod 32, and the partial sums are then added by join.
func sumGo(x []float32) float32 {
	var acc [partials]float32
	for len(x) >= partials {
		for i, v := range x[:partials] {
			acc[i] += v
		}
		x = x[partials:]
	}
	for i, v := range x {
		acc[i] += v
	}
	return join(acc[:])
}

// dotGo is Σ a·b in the order of sumGo.
func dotGo(a, b []float32) float32 {
	var acc [partials]float32
	for i, v := range a {
		acc[i%partials] += v * b[i]
	}
	return join(acc[:])
}

// dot3Go is Σ (a·b)·c in the order of sumGo.
func dot3Go(a, b, c []float32) float32 {
	var acc [partials]float32
	for i, v := range a {
		acc[i%partials] += v * b[i] * c[i]
	}
	return join(acc[:])
}

// join adds partial sums, which are vectors of 8: neighbouring vectors until
// one is left, then its halves, quarters and eighths. It destroys acc.
func join(acc []float32) float32 {
	for ; len(acc) > 8; acc = acc[:len(acc)/2] {
		for i := range len(acc) / 2 {
			pair := i / 8 * 16
			acc[i] = acc[pair+i%8] + acc[pair+8+i%8]
		}
	}
	for half := 4; half > 0; half /= 2 {
		for i := range half {
			acc[i] += acc[i+half]
		}
	}
	return acc[0]
}

// expSum sets dst = exp(x - shift) and returns Σ dst, with 16 partial sums.
func expSum(dst, x []float32, shift float32) float32 {
	if wide(len(dst)) {
		return avx512ExpSum(dst, x, shift)
	}
	if isa.UseAVX2 {
		return expSumAVX2(dst, x, shift)
	}
	if isa.UseNEON {
		neonExpShift(dst, x, shift)
		return neonSum16(dst)
	}
	var acc [16]float32
	for i, v := range x {
		e := exp32(v - shift)
		dst[i] = e
		acc[i%16] += e
	}
	return join(acc[:])
}

func sqrt32(x float32) float32 { return float32(math.Sqrt(float64(x))) }
