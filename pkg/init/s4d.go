package initializer

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sort"

	"gonum.org/v1/gonum/mat"
)

// S4DLin returns A_k = −½ + iπk for k = 0 … n−1 (S4D-Lin, arXiv 2206.11893 §4.4), one of each conjugate pair.
// Both results have shape (n); S4D trains ln(−re) and im.
func S4DLin(n int) (re, im []float64) { return S4DLinStep(n, math.Pi) }

// S4DLinStep is S4DLin with another spacing of the frequencies, A_k = −½ + i·step·k. The Mamba paper's Table 8 prints
// its complex start as −½ + ni, which is step 1.
func S4DLinStep(n int, step float64) (re, im []float64) {
	re, im = halves("S4DLinStep", n)
	for k := range im {
		im[k] = step * float64(k)
	}
	return re, im
}

// S4DInv returns A_k = −½ + i·(N/π)·(N/(2k+1) − 1) for k = 0 … n−1 with N = 2n the full state size
// (S4D-Inv, arXiv 2206.11893 §4.4; state-spaces/s4 dplr.py, "inv"). Both results have shape (n).
func S4DInv(n int) (re, im []float64) {
	re, im = halves("S4DInv", n)
	N := float64(2 * n)
	for k := range im {
		im[k] = N / math.Pi * (N/float64(2*k+1) - 1)
	}
	return re, im
}

// HiPPOLegS returns the n eigenvalues with positive imaginary part of the normal part of the 2n × 2n HiPPO-LegS matrix
// (S4D-LegS, arXiv 2206.11893 §4.2), sorted by imaginary part, smallest first. Both results have shape (n).
//
// The normal part is −½·I plus a skew-symmetric matrix, so every real part is −½ and is returned exactly, as the
// official code does; the official code keeps the conjugates, which gives the same layer.
func HiPPOLegS(n int) (re, im []float64) {
	re, im = halves("HiPPOLegS", n)
	if n == 0 {
		return re, im
	}
	var e mat.Eigen
	if !e.Factorize(hippoNormal(2*n), mat.EigenNone) {
		// The QR iteration is given a fixed, normal matrix: failing means a defect in it, not in the caller's input.
		panic(fmt.Sprintf("initializer: HiPPOLegS: eigenvalues for n = %d did not converge", n))
	}
	k := 0
	for _, v := range e.Values(nil) {
		if imag(v) > 0 {
			im[k] = imag(v)
			k++
		}
	}
	sort.Float64s(im)
	return re, im
}

// hippoNormal returns S = A + p pᵀ, shape (N, N), with HiPPO-LegS A_nk = −√((2n+1)(2k+1)) for n > k, −(n+1) for n = k,
// 0 for n < k, and p_n = √(n+½).
func hippoNormal(N int) *mat.Dense {
	s := mat.NewDense(N, N, nil)
	for n := range N {
		s.Set(n, n, -0.5)
		for k := range n {
			half := 0.5 * math.Sqrt(float64((2*n+1)*(2*k+1)))
			s.Set(n, k, -half)
			s.Set(k, n, half)
		}
	}
	return s
}

// halves returns re = −½ everywhere and im = 0, both of shape (n).
func halves(fn string, n int) (re, im []float64) {
	need(n >= 0, fn, "n is %d, want >= 0", n)
	return Constant(n, -0.5), make([]float64, n)
}

// S4DReal returns A_k = −(k+1) for k = 0 … n−1, shape (n) (S4D-Real: the eigenvalues of HiPPO-LegS itself).
func S4DReal(n int) []float64 {
	need(n >= 0, "S4DReal", "n is %d, want >= 0", n)
	a := make([]float64, n)
	for k := range a {
		a[k] = -float64(k + 1)
	}
	return a
}

// ALogS4DReal returns Mamba's start A_log[d,k] = ln(k+1), shape (channels, n) row-major, so that A = −exp(A_log) is
// S4D-Real in every channel (mamba_simple.py).
func ALogS4DReal(channels, n int) []float64 {
	need(channels >= 0 && n >= 0, "ALogS4DReal", "channels is %d and n %d, want >= 0", channels, n)
	a := make([]float64, channels*n)
	for i := range a {
		a[i] = math.Log(float64(i%n + 1))
	}
	return a
}

// ALogRandom returns A_log ~ N(0,1), shape (channels, n) row-major, so that A = −exp(N(0,1)) (Mamba Table 8).
func ALogRandom(rng *rand.Rand, channels, n int) []float64 {
	need(channels >= 0 && n >= 0, "ALogRandom", "channels is %d and n %d, want >= 0", channels, n)
	return Normal(rng, channels*n, 1)
}
