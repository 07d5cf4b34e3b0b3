package initializer

import (
	"math"
	"math/rand/v2"
)

// Ring draws n eigenvalues uniformly by area on the ring rMin ≤ |λ| ≤ rMax with phases in [0, maxPhase), as the LRU's
// parameters (LRU Lemma 3.2 and App. A):
//
//	λ_j = exp(−exp(nuLog_j) + i·exp(thetaLog_j))
//
// Both results have shape (n). State j uses the j-th pair of draws, so a longer ring starts with the shorter one.
// maxPhase is 2π in the paper, π/10 for Path-X. It panics unless 0 ≤ rMin ≤ rMax ≤ 1, rMax > 0, rMin < 1 and
// 0 < maxPhase ≤ 2π.
func Ring(rng *rand.Rand, n int, rMin, rMax, maxPhase float64) (nuLog, thetaLog []float64) {
	nu, theta := ring("Ring", rng, n, rMin, rMax, maxPhase)
	for j := range nu {
		nu[j], theta[j] = math.Log(nu[j]), math.Log(theta[j])
	}
	return nu, theta
}

// RingExp is Ring for the exponential parametrisation that is not forced to be stable, λ = exp(−nu + i·theta)
// (LRU Table 8): from the same rng state it gives the same λ up to rounding. Both results have shape (n).
func RingExp(rng *rand.Rand, n int, rMin, rMax, maxPhase float64) (nu, theta []float64) {
	return ring("RingExp", rng, n, rMin, rMax, maxPhase)
}

// RingReIm is Ring for the unconstrained parametrisation λ = re + i·im: from the same rng state it gives the same λ up
// to rounding.
// Both results have shape (n).
func RingReIm(rng *rand.Rand, n int, rMin, rMax, maxPhase float64) (re, im []float64) {
	nu, theta := ring("RingReIm", rng, n, rMin, rMax, maxPhase)
	for j := range nu {
		sin, cos := math.Sincos(theta[j])
		r := math.Exp(-nu[j])
		nu[j], theta[j] = r*cos, r*sin
	}
	return nu, theta
}

func ring(fn string, rng *rand.Rand, n int, rMin, rMax, maxPhase float64) (nu, theta []float64) {
	need(n >= 0, fn, "n is %d, want >= 0", n)
	need(0 <= rMin && rMin <= rMax && rMax <= 1 && rMax > 0 && rMin < 1, fn,
		"rMin is %g and rMax %g, want 0 <= rMin <= rMax <= 1, rMax > 0, rMin < 1", rMin, rMax)
	need(0 < maxPhase && maxPhase <= 2*math.Pi, fn, "maxPhase is %g, want (0, 2π]", maxPhase)
	nu, theta = make([]float64, n), make([]float64, n)
	for j := range nu {
		u1, u2 := openUniform(rng), openUniform(rng)
		nu[j] = -0.5 * math.Log(u1*(rMax*rMax-rMin*rMin)+rMin*rMin)
		theta[j] = maxPhase * u2
	}
	return nu, theta
}

// Lambda returns λ = exp(−exp(nuLog) + i·exp(thetaLog)) as real and imaginary parts, each of shape (n).
// It panics when the arguments differ in length.
func Lambda(nuLog, thetaLog []float64) (re, im []float64) {
	need(len(nuLog) == len(thetaLog), "Lambda", "len(nuLog) is %d and len(thetaLog) %d, want equal",
		len(nuLog), len(thetaLog))
	re, im = make([]float64, len(nuLog)), make([]float64, len(nuLog))
	for j := range nuLog {
		r := math.Exp(-math.Exp(nuLog[j]))
		sin, cos := math.Sincos(math.Exp(thetaLog[j]))
		re[j], im[j] = r*cos, r*sin
	}
	return re, im
}

// GammaLog returns ln γ = ½·ln(1 − |λ|²), shape (n), which gives every state unit gain for white noise
// (LRU Prop. 3.3). It is computed as ½·ln(−expm1(−2·exp(nuLog))), which keeps its digits as |λ| → 1.
func GammaLog(nuLog []float64) []float64 {
	g := make([]float64, len(nuLog))
	for j, v := range nuLog {
		g[j] = 0.5 * math.Log(-math.Expm1(-2*math.Exp(v)))
	}
	return g
}

// HalfLife returns the number of steps after which a state of radius r = |λ| has halved, ln ½ / ln r.
// It panics unless 0 < r < 1.
func HalfLife(r float64) float64 {
	need(0 < r && r < 1, "HalfLife", "r is %g, want (0, 1)", r)
	return -math.Ln2 / math.Log(r)
}

// RingGain returns G of LRU Prop. 3.3: how much a ring amplifies white noise when it has no γ,
//
//	E‖x‖² = G·E‖Bu‖²,  G = ln((1−rMin²)/(1−rMax²)) / (rMax²−rMin²), and 1/(1−r²) when rMin = rMax = r.
//
// It is +Inf for rMax = 1. It panics unless 0 ≤ rMin ≤ rMax ≤ 1.
func RingGain(rMin, rMax float64) float64 {
	need(0 <= rMin && rMin <= rMax && rMax <= 1, "RingGain", "rMin is %g and rMax %g, want 0 <= rMin <= rMax <= 1",
		rMin, rMax)
	a, b := rMin*rMin, rMax*rMax
	if a == b {
		return 1 / (1 - a)
	}
	return (math.Log1p(-a) - math.Log1p(-b)) / (b - a)
}
