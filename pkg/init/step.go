package initializer

import (
	"math"
	"math/rand/v2"
)

// DeltaBias returns the bias of the Δ projection, shape (n): softplus(bias) is log-uniform on [dtMin, dtMax) and at
// least floor (mamba_simple.py; its defaults are 0.001, 0.1 and 1e-4). It panics unless 0 < dtMin ≤ dtMax, both
// finite, and floor ≥ 0.
func DeltaBias(rng *rand.Rand, n int, dtMin, dtMax, floor float64) []float64 {
	need(floor >= 0 && !math.IsInf(floor, 1), "DeltaBias", "floor is %g, want >= 0 and finite", floor)
	b := logStep("DeltaBias", rng, n, dtMin, dtMax)
	for i, v := range b {
		b[i] = InverseSoftplus(math.Max(math.Exp(v), floor))
	}
	return b
}

// LogStep returns ln Δ with Δ log-uniform on [dtMin, dtMax), shape (n): S4D's log_dt. It panics as DeltaBias does.
func LogStep(rng *rand.Rand, n int, dtMin, dtMax float64) []float64 {
	return logStep("LogStep", rng, n, dtMin, dtMax)
}

func logStep(fn string, rng *rand.Rand, n int, dtMin, dtMax float64) []float64 {
	need(0 < dtMin && dtMin <= dtMax && !math.IsInf(dtMax, 1), fn,
		"dtMin is %g and dtMax %g, want 0 < dtMin <= dtMax, finite", dtMin, dtMax)
	lo, hi := math.Log(dtMin), math.Log(dtMax)
	return fill(fn, n, func() float64 { return rng.Float64()*(hi-lo) + lo })
}

// DeltaWeight returns the weight of the Δ projection, shape (channels, rank) row-major, uniform on ±scale/√rank
// (mamba_simple.py, dt_init "random"; its dt_scale is 1). It panics unless rank ≥ 1 and scale ≥ 0.
func DeltaWeight(rng *rand.Rand, channels, rank int, scale float64) []float64 {
	need(channels >= 0 && rank >= 1, "DeltaWeight", "channels is %d and rank %d, want channels >= 0, rank >= 1",
		channels, rank)
	need(scale >= 0, "DeltaWeight", "scale is %g, want >= 0", scale)
	bound := scale / math.Sqrt(float64(rank))
	return Uniform(rng, channels*rank, -bound, bound)
}

// InverseSoftplus returns x with ln(1+eˣ) = y, computed as y + ln(−expm1(−y)), which neither overflows for large y nor
// loses digits for small y. It panics unless y > 0.
func InverseSoftplus(y float64) float64 {
	need(y > 0, "InverseSoftplus", "y is %g, want > 0", y)
	return y + math.Log(-math.Expm1(-y))
}
