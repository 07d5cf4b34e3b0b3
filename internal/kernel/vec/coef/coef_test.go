package coef

import (
	"math"
	"testing"
)

// polynomial evaluates Σ cᵢ·xⁱ with coefficients rounded to float32, which is
// how the kernels use them.
func polynomial(x float64, c ...float32) float64 {
	sum := 0.0
	for i := len(c) - 1; i >= 0; i-- {
		sum = sum*x + float64(c[i])
	}
	return sum
}

func TestExpPolynomial(t *testing.T) {
	const steps = 100_000
	for i := -steps; i <= steps; i++ {
		r := math.Ln2 / 2 * float64(i) / steps
		got := 1 + r + r*r*polynomial(r, Exp2, Exp3, Exp4, Exp5, Exp6)
		if e := math.Abs(got/math.Exp(r) - 1); e > 4e-9 {
			t.Fatalf("exp(%v) has relative error %v, want at most 4e-9", r, e)
		}
	}
}

func TestLogPolynomial(t *testing.T) {
	const steps = 100_000
	for i := 1; i <= steps; i++ {
		x := float64(i) / steps
		u := x / (1 + x/2)
		got := u * polynomial(u*u, 1, Log1, Log2, Log3, Log4)
		if e := math.Abs(got/math.Log1p(x) - 1); e > 6e-9 {
			t.Fatalf("log(1+%v) has relative error %v, want at most 6e-9", x, e)
		}
	}
}

func TestLn2Parts(t *testing.T) {
	if got := float64(float32(Ln2Hi)) + float64(float32(Ln2Lo)); math.Abs(got-math.Ln2) > 1e-12 {
		t.Errorf("Ln2Hi + Ln2Lo is %v, want %v", got, math.Ln2)
	}
	for n := -512; n <= 512; n++ {
		if exact := float64(n) * float64(float32(Ln2Hi)); exact != float64(float32(exact)) {
			t.Fatalf("%d·Ln2Hi is not exact in float32", n)
		}
	}
}

func TestGELUConstants(t *testing.T) {
	if want := 2 * math.Sqrt(2/math.Pi); math.Abs(GELU1-want) > 1e-15 {
		t.Errorf("GELU1 is %v, want %v", GELU1, want)
	}
	if want := 0.044715 * 2 * math.Sqrt(2/math.Pi); math.Abs(GELU3-want) > 1e-15 {
		t.Errorf("GELU3 is %v, want %v", GELU3, want)
	}
}

func TestNormalPolynomial(t *testing.T) {
	const steps = 100_000
	for i := range steps {
		a := 14 * float64(i) / steps
		u := 1 / (1 + NormalScale*a)
		got := math.Exp(-a*a/2) * u * polynomial(u, Normal[:]...)
		if e := math.Abs(got/(math.Erfc(a/math.Sqrt2)/2) - 1); e > 5e-8 {
			t.Fatalf("Φ(%v) has relative error %v, want at most 5e-8", -a, e)
		}
	}
	if want := 1 / math.Sqrt(2*math.Pi); math.Abs(InvSqrt2Pi-want) > 1e-15 {
		t.Errorf("InvSqrt2Pi is %v, want %v", InvSqrt2Pi, want)
	}
}
