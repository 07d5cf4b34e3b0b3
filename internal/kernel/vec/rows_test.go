package vec

import (
	"math"
	"math/rand/v2"
	"testing"
)

// rowError is the relative error of one row's result: that of a sum (see
// sumError), of a root and some products.
const rowError = 60 * 0x1p-24

func TestRMSNormRow(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const eps = 1e-5
	for _, n := range []int{1, 2, 7, 8, 31, 32, 33, 64, 100, 777, 5000} {
		x, w, y := random(rng, n), random(rng, n), make([]float32, n)
		for i := range y {
			y[i] = nan
		}
		r := RMSNormRow(y, x, w, eps)
		squares := 0.0
		for _, v := range x {
			squares += float64(v) * float64(v)
		}
		want := 1 / math.Sqrt(squares/float64(n)+eps)
		if !near(r, want, rowError, 0) {
			t.Errorf("n %d: r is %v, want %v", n, r, want)
		}
		for i := range y {
			if v := float64(x[i]) * want * float64(w[i]); !near(y[i], v, rowError, 0) {
				t.Fatalf("n %d: y[%d] is %v, want %v", n, i, y[i], v)
			}
		}
		checkRMSNormGrad(t, rng, x, w, want)
	}
}

func checkRMSNormGrad(t *testing.T, rng *rand.Rand, x, w []float32, r float64) {
	t.Helper()
	n := len(x)
	dx, dw, dy := random(rng, n), random(rng, n), random(rng, n)
	dx0, dw0 := append([]float32(nil), dx...), append([]float32(nil), dw...)
	RMSNormRowGrad(dx, dw, x, w, dy, float32(r))
	dot, size := 0.0, 0.0
	for i := range x {
		term := float64(w[i]) * float64(dy[i]) * float64(x[i])
		dot += term
		size += math.Abs(term)
	}
	for i := range x {
		direct := r * float64(w[i]) * float64(dy[i])
		through := float64(x[i]) * r * r * r / float64(n)
		tol := rowError * (math.Abs(float64(dx0[i])) + math.Abs(direct) + math.Abs(through)*size)
		if want := float64(dx0[i]) + direct - through*dot; !near(dx[i], want, 0, tol) {
			t.Fatalf("n %d: dx[%d] is %v, want %v", n, i, dx[i], want)
		}
		gain := float64(dy[i]) * r * float64(x[i])
		if want := float64(dw0[i]) + gain; !near(dw[i], want, 0, rowError*(math.Abs(float64(dw0[i]))+math.Abs(gain))) {
			t.Fatalf("n %d: dw[%d] is %v, want %v", n, i, dw[i], want)
		}
	}
}

func TestSoftmaxRow(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{1, 2, 7, 8, 15, 16, 17, 33, 100, 777, 5000} {
		for _, shift := range []float32{0, 1000, -1000} {
			x, y := random(rng, n), make([]float32, n)
			for i := range x {
				x[i] += shift
				y[i] = nan
			}
			greatest, sum := SoftmaxRow(y, x)
			want := 0.0
			for _, v := range x {
				want += math.Exp(float64(v) - float64(greatest))
			}
			if greatest != Max(x) || !near(sum, want, rowError, 0) {
				t.Errorf("n %d: max and sum are %v, %v, want %v, %v", n, greatest, sum, Max(x), want)
			}
			for i, v := range x {
				if p := math.Exp(float64(v)-float64(greatest)) / want; !near(y[i], p, rowError, denormal) {
					t.Fatalf("n %d: y[%d] is %v, want %v", n, i, y[i], p)
				}
			}
			checkSoftmaxGrad(t, rng, y)
		}
	}
}

func checkSoftmaxGrad(t *testing.T, rng *rand.Rand, y []float32) {
	t.Helper()
	dx, dy := random(rng, len(y)), random(rng, len(y))
	dx0 := append([]float32(nil), dx...)
	SoftmaxRowGrad(dx, y, dy)
	dot, size := 0.0, 0.0
	for i := range y {
		dot += float64(y[i]) * float64(dy[i])
		size += math.Abs(float64(y[i]) * float64(dy[i]))
	}
	for i := range y {
		want := float64(dx0[i]) + float64(y[i])*(float64(dy[i])-dot)
		tol := rowError * (math.Abs(float64(dx0[i])) + float64(y[i])*(math.Abs(float64(dy[i]))+size))
		if !near(dx[i], want, 0, tol) {
			t.Fatalf("n %d: dx[%d] is %v, want %v", len(y), i, dx[i], want)
		}
	}
}

func TestNothingAllocates(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	s := make([][]float32, 5)
	for i := range s {
		s[i] = random(rng, 5000)
	}
	for name, f := range map[string]func(){
		"Sum":            func() { Sum(s[0]) },
		"SumSquares":     func() { SumSquares(s[0]) },
		"Dot":            func() { Dot(s[0], s[1]) },
		"Max":            func() { Max(s[0]) },
		"RMSNormRow":     func() { RMSNormRow(s[0], s[1], s[2], 1) },
		"RMSNormRowGrad": func() { RMSNormRowGrad(s[0], s[1], s[2], s[3], s[4], 1) },
		"SoftmaxRow":     func() { SoftmaxRow(s[0], s[1]) },
		"SoftmaxRowGrad": func() { SoftmaxRowGrad(s[0], s[1], s[2]) },
		"AdamW":          func() { AdamW(s[0], s[1], s[2], s[3], 1e-3, 0.9, 0.999, 1e-8, 0, 1, 1, 1) },
		"SiLUMulGrad":    func() { SiLUMulGrad(s[0], s[1], s[2], s[3], s[4]) },
	} {
		if got := testing.AllocsPerRun(20, f); got != 0 {
			t.Errorf("%s allocates %v times, want 0", name, got)
		}
	}
}

// Masked scores are -Inf: their probability is 0 and nothing else changes.
func TestSoftmaxRowMasked(t *testing.T) {
	infinity := float32(math.Inf(-1))
	x := []float32{1, infinity, 1, infinity, infinity, 1, 1, infinity, infinity, infinity}
	y := make([]float32, len(x))
	SoftmaxRow(y, x)
	for i, v := range x {
		want := float32(0.25)
		if v == infinity {
			want = 0
		}
		if y[i] != want {
			t.Errorf("y[%d] is %v, want %v", i, y[i], want)
		}
	}
}
