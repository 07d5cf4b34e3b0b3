package initializer

import (
	"fmt"
	"math"
	"testing"
)

func TestDeltaBias(t *testing.T) {
	const n = 50_000
	dt := mapped(DeltaBias(NewRand(1, "dt"), n, 1e-3, 0.1, 1e-4), softplus)
	testKS(t, "ln Δ", mapped(dt, math.Log), uniformCDF(math.Log(1e-3), math.Log(0.1)))
	testKS(t, "log_dt", LogStep(NewRand(2, "dt"), n, 1e-3, 0.1), uniformCDF(math.Log(1e-3), math.Log(0.1)))
	low := 0
	for _, v := range mapped(DeltaBias(NewRand(1, "dt"), n, 1e-3, 0.1, 1e-2), softplus) {
		if v < 1e-2*(1-1e-12) {
			t.Fatalf("Δ = %g below the floor of 0.01", v)
		}
		if v < 1e-2*(1+1e-12) {
			low++
		}
	}
	if p := float64(low) / n; math.Abs(p-0.5) > 0.012 { // half of ln Δ lies below; five standard errors
		t.Errorf("share at the floor is %.3f, want 0.5", p)
	}
}

func TestInverseSoftplus(t *testing.T) {
	for _, y := range []float64{1e-300, 1e-12, 1e-4, 1e-3, 0.1, math.Ln2, 1, 5, 19, 25, 700, 1e6} {
		// 1e-13 relative: exp amplifies the rounding of its argument, |x| ≤ 691 at y = 1e-300.
		within(t, fmt.Sprintf("softplus(inverse(%g))", y), softplus(InverseSoftplus(y)), y, 1e-13)
	}
	if x := InverseSoftplus(math.Ln2); math.Abs(x) > 1e-15 {
		t.Errorf("InverseSoftplus(ln 2) = %g, want 0", x)
	}
}

func TestDistributions(t *testing.T) {
	rng := NewRand(7, "dist")
	const rows, cols = 150, 250
	symmetric := func(bound float64) func(float64) float64 { return uniformCDF(-bound, bound) }
	for _, c := range []struct {
		name  string
		x     []float64
		cdf   func(float64) float64
		sigma float64
	}{
		{"Uniform", Uniform(rng, 50_000, -1, 3), uniformCDF(-1, 3), 4 / math.Sqrt(12)},
		{"Normal", Normal(rng, 50_000, 0.02), normalCDF(0.02), 0.02},
		{"GlorotUniform", GlorotUniform(rng, rows, cols), symmetric(math.Sqrt(0.015)), math.Sqrt(2. / 400)},
		{"GlorotNormal", GlorotNormal(rng, rows, cols), normalCDF(math.Sqrt(2. / 400)), math.Sqrt(2. / 400)},
		{"KaimingUniform a=0", KaimingUniform(rng, rows, cols, 0), symmetric(math.Sqrt(6. / 250)), math.Sqrt(2. / 250)},
		{"KaimingUniform a=√5", KaimingUniform(rng, rows, cols, math.Sqrt(5)), symmetric(1 / math.Sqrt(250)), 1 / math.Sqrt(3*250)},
		{"TorchLinear", TorchLinear(rng, rows, cols), symmetric(1 / math.Sqrt(250)), 1 / math.Sqrt(3*250)},
		{"TorchLinear as Conv1D", TorchLinear(rng, 10_000, 4), symmetric(0.5), 1 / math.Sqrt(12)},
		{"TorchBias", TorchBias(rng, 50_000, 4), symmetric(0.5), 1 / math.Sqrt(12)},
		{"TorchResidual", TorchResidual(rng, rows, cols, 4), symmetric(0.5 / math.Sqrt(250)), 0.5 / math.Sqrt(3*250)},
		{"DeltaWeight", DeltaWeight(rng, 5000, 9, 1), symmetric(1. / 3), 1 / math.Sqrt(27)},
	} {
		testKS(t, c.name, c.x, c.cdf)
		// 3 %: four standard errors of a Gaussian's variance at n = 37 500.
		within(t, c.name+": variance", variance(c.x), c.sigma*c.sigma, 0.03)
	}
}

func TestOrthogonal(t *testing.T) {
	for _, c := range []struct {
		rows, cols int
		gain       float64
	}{{1, 1, 1}, {2, 2, 1}, {64, 64, 1}, {65, 33, 1}, {33, 65, 1}, {1, 7, 1}, {128, 128, math.Sqrt2}, {256, 256, 1}} {
		name := fmt.Sprintf("Orthogonal(%d, %d, %g)", c.rows, c.cols, c.gain)
		w := Orthogonal(NewRand(1, name), c.rows, c.cols, c.gain)
		thin := min(c.rows, c.cols)
		for i := range thin {
			for j := range thin {
				dot, want := 0.0, 0.0
				for k := range max(c.rows, c.cols) {
					if c.rows >= c.cols {
						dot += w[k*c.cols+i] * w[k*c.cols+j]
					} else {
						dot += w[i*c.cols+k] * w[j*c.cols+k]
					}
				}
				if i == j {
					want = c.gain * c.gain
				}
				if math.Abs(dot-want) > 1e-12 {
					t.Fatalf("%s: product of vectors %d and %d is %g, want %g", name, i, j, dot, want)
				}
			}
		}
	}
}

// Without the sign fix the first diagonal entry of Q would always have one sign; with it the first column is uniform on
// the sphere, in dimension 3 therefore every coordinate is uniform on [−1, 1] (Archimedes).
func TestOrthogonalIsHaar(t *testing.T) {
	rng := NewRand(1, "haar")
	const n = 20_000
	var corner, middle, last []float64
	for range n {
		q := Orthogonal(rng, 3, 3, 1)
		corner, middle, last = append(corner, q[0]), append(middle, q[4]), append(last, q[8])
	}
	testKS(t, "Q[0,0]", corner, uniformCDF(-1, 1))
	testKS(t, "Q[1,1]", middle, uniformCDF(-1, 1))
	testKS(t, "Q[2,2]", last, uniformCDF(-1, 1))
}

func TestDenseRefuseBadArguments(t *testing.T) {
	rng := NewRand(1, "p")
	wantPanic(t, "initializer: Orthogonal: shape is (0, 3), want both >= 1", func() { Orthogonal(rng, 0, 3, 1) })
	wantPanic(t, "initializer: Orthogonal: gain is NaN, want finite", func() { Orthogonal(rng, 3, 3, math.NaN()) })
	wantPanic(t, "initializer: GlorotUniform: shape is (2, 0), want both >= 1", func() { GlorotUniform(rng, 2, 0) })
	wantPanic(t, "initializer: Normal: std is NaN, want >= 0", func() { Normal(rng, 2, math.NaN()) })
	wantPanic(t, "initializer: Uniform: lo is 2 and hi 1, want lo <= hi", func() { Uniform(rng, 2, 2, 1) })
	wantPanic(t, "initializer: TorchBias: fanIn is 0, want >= 1", func() { TorchBias(rng, 2, 0) })
	wantPanic(t, "initializer: TorchResidual: layers is 0, want >= 1", func() { TorchResidual(rng, 2, 2, 0) })
	wantPanic(t, "initializer: DeltaBias: dtMin is 0 and dtMax 0.1, want 0 < dtMin <= dtMax, finite",
		func() { DeltaBias(rng, 2, 0, 0.1, 0) })
	wantPanic(t, "initializer: DeltaWeight: channels is 4 and rank 0, want channels >= 0, rank >= 1",
		func() { DeltaWeight(rng, 4, 0, 1) })
	wantPanic(t, "initializer: InverseSoftplus: y is 0, want > 0", func() { InverseSoftplus(0) })
	wantPanic(t, "initializer: Ginibre: radius is -1, want >= 0", func() { Ginibre(rng, 2, -1) })
}
