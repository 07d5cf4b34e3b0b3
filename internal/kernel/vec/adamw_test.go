package vec

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// Ten steps against float64, at lengths with and without a rest.
func TestAdamW(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const lr, beta1, beta2, eps, wd, gscale = float32(1e-2), float32(0.9), float32(0.999), float32(1e-8), float32(0.1), float32(0.5)
	for _, n := range []int{1, 7, 8, 9, 64, 101} {
		w, m, v := random(rng, n), make([]float32, n), make([]float32, n)
		w64, m64, v64 := make([]float64, n), make([]float64, n), make([]float64, n)
		for i := range w {
			w64[i] = float64(w[i])
		}
		for step := 1; step <= 10; step++ {
			g := random(rng, n)
			c1 := 1 - math.Pow(float64(beta1), float64(step))
			c2 := 1 - math.Pow(float64(beta2), float64(step))
			AdamW(w, g, m, v, lr, beta1, beta2, eps, wd, float32(c1), float32(c2), gscale)
			for i := range w {
				grad := float64(gscale) * float64(g[i])
				w64[i] -= float64(lr) * float64(wd) * w64[i]
				m64[i] = float64(beta1)*m64[i] + (1-float64(beta1))*grad
				v64[i] = float64(beta2)*v64[i] + (1-float64(beta2))*grad*grad
				w64[i] -= float64(lr) * (m64[i] / c1) / (math.Sqrt(v64[i]/c2) + float64(eps))
			}
		}
		for i := range w {
			// Ten steps of about 1e-2, each rounded to float32 some five
			// times, and w's own rounding in each step.
			if tol := 10 * 0x1p-24 * (math.Abs(w64[i]) + 5e-2); math.Abs(float64(w[i])-w64[i]) > tol {
				t.Errorf("n %d: w[%d] is %v, want %v ± %v", n, i, w[i], w64[i], tol)
			}
		}
	}
}

// The first step moves each parameter by lr against the gradient's sign.
func TestAdamWFirstStep(t *testing.T) {
	w, m, v := []float32{1, 1, 1}, make([]float32, 3), make([]float32, 3)
	AdamW(w, []float32{2, -3, 0}, m, v, 0.5, 0.9, 0.999, 1e-8, 0, 0.1, 0.001, 1)
	for i, want := range []float64{0.5, 1.5, 1} {
		if !near(w[i], want, 2e-5, 0) { // 1 - float32(0.999) differs from 0.001 by 1.3e-5
			t.Errorf("w[%d] is %v, want %v", i, w[i], want)
		}
	}
}

func TestAdamWDoesNotDependOnPlace(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	s := [][]float32{random(rng, 40), random(rng, 40), random(rng, 40), random(rng, 40)}
	for i, v := range s[3] {
		s[3][i] = v * v // second moments are not negative
	}
	step := func(s [][]float32) { AdamW(s[0], s[1], s[2], s[3], 1e-3, 0.9, 0.999, 1e-8, 0.1, 0.3, 0.2, 0.7) }
	whole := clone(s)
	step(whole)
	for lo := range 9 {
		part := window(clone(s), lo, 37)
		step(part)
		for j := range s {
			if got, want := fmt.Sprint(part[j]), fmt.Sprint(whole[j][lo:37]); got != want {
				t.Errorf("over [%d, 37): slice %d is %s, want %s", lo, j, got, want)
			}
		}
	}
}

func TestAdamWPanicsOnLengths(t *testing.T) {
	defer func() {
		if got, want := recover(), "vec: AdamW: len(v) is 2, want len(w) = 3"; got != want {
			t.Errorf("panic is %v, want %q", got, want)
		}
	}()
	x := make([]float32, 3)
	AdamW(x, x, x, x[:2], 1, 0, 0, 0, 0, 1, 1, 1)
}
