package initializer

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

var rings = []struct{ rMin, rMax float64 }{{0, 1}, {0, 0.99}, {0.5, 0.9}, {0.9, 0.999}, {0.999, 0.9999}, {0.9, 0.9}}

func TestRingIsUniformByArea(t *testing.T) {
	const n = 50_000
	for _, c := range rings {
		for _, maxPhase := range []float64{2 * math.Pi, math.Pi / 10} {
			name := fmt.Sprintf("ring [%g,%g] phase %.3g", c.rMin, c.rMax, maxPhase)
			nuLog, thetaLog := Ring(NewRand(1, name), n, c.rMin, c.rMax, maxPhase)
			r := mapped(nuLog, func(v float64) float64 { return math.Exp(-math.Exp(v)) })
			theta := mapped(thetaLog, math.Exp)
			// 1e-15: the logarithm and exponential there and back cost an ulp or two.
			if lo, hi := slices.Min(r), slices.Max(r); lo < c.rMin-1e-15 || hi > c.rMax+1e-15 || hi >= 1 && c.rMax < 1 {
				t.Errorf("%s: radii in [%g, %g]", name, lo, hi)
			}
			if c.rMin < c.rMax {
				area := mapped(r, func(r float64) float64 { return r * r })
				testKS(t, name+": |λ|²", area, uniformCDF(c.rMin*c.rMin, c.rMax*c.rMax))
			}
			testKS(t, name+": phase", theta, uniformCDF(0, maxPhase))
		}
	}
}

// With ring [0,1] the median radius is √½ and 1.99 % of the states have |λ| > 0.99.
func TestRingFullDiskFacts(t *testing.T) {
	const n = 200_000
	nuLog, _ := Ring(NewRand(2, "disk"), n, 0, 1, 2*math.Pi)
	var beyond, above float64
	for _, v := range nuLog {
		r := math.Exp(-math.Exp(v))
		if r > 0.99 {
			beyond++
		}
		if r > math.Sqrt(0.5) {
			above++
		}
	}
	// Five standard errors of a binomial proportion at n = 200 000: 0.0016 and 0.0056.
	if p := beyond / n; math.Abs(p-0.0199) > 0.0016 {
		t.Errorf("share with |λ| > 0.99 is %.4f, want 0.0199", p)
	}
	if p := above / n; math.Abs(p-0.5) > 0.0056 {
		t.Errorf("share with |λ| > 0.7071 is %.4f, want 0.5", p)
	}
}

func TestRingParametrisationsAgree(t *testing.T) {
	nuLog, thetaLog := Ring(NewRand(3, "x"), 1000, 0.3, 0.999, 2*math.Pi)
	re, im := Lambda(nuLog, thetaLog)
	re2, im2 := RingReIm(NewRand(3, "x"), 1000, 0.3, 0.999, 2*math.Pi)
	nu, theta := RingExp(NewRand(3, "x"), 1000, 0.3, 0.999, 2*math.Pi)
	for j := range re {
		// 4e-15: one rounding each of log, exp, sin and cos, angles up to 2π.
		if math.Hypot(re[j]-re2[j], im[j]-im2[j]) > 4e-15 {
			t.Fatalf("state %d: polar gives %g%+gi, Re/Im %g%+gi", j, re[j], im[j], re2[j], im2[j])
		}
		if math.Log(nu[j]) != nuLog[j] || math.Log(theta[j]) != thetaLog[j] {
			t.Fatalf("state %d: RingExp and Ring differ", j)
		}
	}
	short, _ := Ring(NewRand(3, "x"), 10, 0.3, 0.999, 2*math.Pi)
	if !slices.Equal(short, nuLog[:10]) {
		t.Error("a ring of 10 is not the start of the ring of 1000")
	}
}

func TestHalfLife(t *testing.T) {
	for _, c := range []struct{ r, want float64 }{{0.5, 1}, {0.9, 6.5788}, {0.99, 68.968}, {0.999, 692.80}, {0.9999, 6931.1}} {
		within(t, fmt.Sprintf("half-life of %g", c.r), HalfLife(c.r), c.want, 1e-4) // the literals have five digits
		within(t, "r to the half-life", math.Pow(c.r, HalfLife(c.r)), 0.5, 1e-12)
	}
}

func TestRingGain(t *testing.T) {
	for _, c := range []struct{ rMin, rMax, want float64 }{
		{0, 0.99, 4.00}, {0.5, 0.9, 2.45}, {0.9, 0.999, 24.2}, {0.999, 0.9999, 1280},
	} {
		within(t, "RingGain", RingGain(c.rMin, c.rMax), c.want, 5e-3) // three digits are known
	}
	within(t, "RingGain of a circle", RingGain(0.9, 0.9), 1/(1-0.81), 1e-12)
	within(t, "RingGain of a thin ring", RingGain(0.9, 0.9+1e-7), RingGain(0.9, 0.9), 1e-5)
	if !math.IsInf(RingGain(0, 1), 1) {
		t.Error("RingGain(0, 1) is finite")
	}
}

// Without sampling over time: the mean of a state's own gain 1/(1−|λ|²) over the ring is G, and γ² undoes it exactly.
func TestGainOfTheRingInExpectation(t *testing.T) {
	const n = 400_000
	for _, c := range rings[1:4] {
		nuLog, _ := Ring(NewRand(4, "gain"), n, c.rMin, c.rMax, 2*math.Pi)
		gammaLog := GammaLog(nuLog)
		gain := make([]float64, n)
		for j := range gain {
			r := math.Exp(-math.Exp(nuLog[j]))
			gain[j] = 1 / (1 - r*r)
			// 1e-10: 1−r² loses up to four digits near r = 0.999, and nothing in between amplifies that.
			within(t, "γ²·gain", math.Exp(2*gammaLog[j])*gain[j], 1, 1e-10)
		}
		mean := 0.0
		for _, g := range gain {
			mean += g / n
		}
		se := math.Sqrt(variance(gain) / n)
		if G := RingGain(c.rMin, c.rMax); math.Abs(mean-G) > 4*se {
			t.Errorf("ring [%g,%g]: mean gain %.4f, want %.4f ± %.4f", c.rMin, c.rMax, mean, G, 4*se)
		}
	}
}

func TestGammaLogNearOne(t *testing.T) {
	// ν = 1e-12: |λ| rounds to a number with 1−|λ|² good to four digits only, but γ_log keeps all of them.
	got := GammaLog([]float64{math.Log(1e-12)})[0]
	within(t, "γ_log at ν = 1e-12", got, 0.5*math.Log(2e-12), 1e-13)
}

// LRU Prop. 3.3 and Fig. 9 by simulation: complex white noise of unit power into every state.
func TestProposition3(t *testing.T) {
	const n, burnIn, steps = 2000, 4000, 2000 // burn-in: 0.999^8000 = 3e-4 of the power is still missing
	for _, c := range rings[1:4] {
		rng := NewRand(5, "prop3")
		nuLog, thetaLog := Ring(rng, n, c.rMin, c.rMax, 2*math.Pi)
		re, im := Lambda(nuLog, thetaLog)
		gammaLog := GammaLog(nuLog)
		var off, on float64
		for j := range n {
			lambda := complex(re[j], im[j])
			var x complex128
			var power float64
			for s := range burnIn + steps {
				x = lambda*x + complex(rng.NormFloat64(), rng.NormFloat64())*complex(math.Sqrt2/2, 0)
				if s >= burnIn {
					power += real(x)*real(x) + imag(x)*imag(x)
				}
			}
			power /= steps
			off += power / n
			on += power * math.Exp(2*gammaLog[j]) / n
		}
		name := fmt.Sprintf("ring [%g,%g]", c.rMin, c.rMax)
		// 10 %: on [0.9, 0.999] twelve other seeds spread by 6 % of G, for a few states with |λ| near
		// 0.999 dominate. TestGainOfTheRingInExpectation is the sharp test.
		within(t, name+": gain without γ", off, RingGain(c.rMin, c.rMax), 0.10)
		within(t, name+": gain with γ", on, 1, 0.02) // twelve other seeds spread by 0.4 %
	}
}

func TestRingRefusesBadArguments(t *testing.T) {
	rng := NewRand(1, "p")
	wantPanic(t, "initializer: Ring: rMin is 0.9 and rMax 0.5, want 0 <= rMin <= rMax <= 1, rMax > 0, rMin < 1",
		func() { Ring(rng, 4, 0.9, 0.5, 1) })
	wantPanic(t, "initializer: RingReIm: maxPhase is 7, want (0, 2π]", func() { RingReIm(rng, 4, 0, 1, 7) })
	wantPanic(t, "initializer: RingExp: maxPhase is NaN, want (0, 2π]", func() { RingExp(rng, 4, 0, 1, math.NaN()) })
	wantPanic(t, "initializer: Ring: n is -1, want >= 0", func() { Ring(rng, -1, 0, 1, 1) })
	wantPanic(t, "initializer: Lambda: len(nuLog) is 2 and len(thetaLog) 1, want equal",
		func() { Lambda(make([]float64, 2), make([]float64, 1)) })
	wantPanic(t, "initializer: HalfLife: r is 1, want (0, 1)", func() { HalfLife(1) })
	wantPanic(t, "initializer: RingGain: rMin is 0.5 and rMax 0.4, want 0 <= rMin <= rMax <= 1",
		func() { RingGain(0.5, 0.4) })
}
