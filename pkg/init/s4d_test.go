package initializer

import (
	"fmt"
	"math"
	"math/cmplx"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
)

func TestS4DLin(t *testing.T) {
	re, im := S4DLin(4)
	if !slices.Equal(re, []float64{-0.5, -0.5, -0.5, -0.5}) || !slices.Equal(im, []float64{0, math.Pi, 2 * math.Pi, 3 * math.Pi}) {
		t.Errorf("S4DLin(4) = %v, %v", re, im)
	}
	if _, im := S4DLinStep(3, 1); !slices.Equal(im, []float64{0, 1, 2}) {
		t.Errorf("S4DLinStep(3, 1) has imaginary parts %v", im)
	}
}

func TestS4DInv(t *testing.T) {
	re, im := S4DInv(2) // N = 4: (4/π)(4/1 − 1) = 12/π, (4/π)(4/3 − 1) = 4/(3π)
	if !slices.Equal(re, []float64{-0.5, -0.5}) {
		t.Errorf("real parts %v", re)
	}
	within(t, "A_0", im[0], 12/math.Pi, 1e-15)
	within(t, "A_1", im[1], 4/(3*math.Pi), 1e-15)
}

func TestS4DReal(t *testing.T) {
	if a := S4DReal(3); !slices.Equal(a, []float64{-1, -2, -3}) {
		t.Errorf("S4DReal(3) = %v", a)
	}
	want := []float64{0, math.Log(2), math.Log(3), 0, math.Log(2), math.Log(3)}
	if a := ALogS4DReal(2, 3); !slices.Equal(a, want) {
		t.Errorf("ALogS4DReal(2, 3) = %v, want %v", a, want)
	}
}

func TestALogRandom(t *testing.T) {
	testKS(t, "A_log", ALogRandom(NewRand(1, "alog"), 1000, 20), normalCDF(1))
}

// For the skew part K of order N = 2n, ω_k the positive frequencies (by hand):
//
//	Σ ω_k² = ½‖K‖² = Σ_{i<j} (2i+1)(2j+1)/4,   Π ω_k = |Pf K| = √(Π(2i+1))/2ⁿ
//
// and for N = 2, 4 that settles them: √3/2; ω² = (21.5 ± √436)/2.
func TestHiPPOLegSClosedForms(t *testing.T) {
	_, im := HiPPOLegS(1)
	within(t, "n=1", im[0], math.Sqrt(3)/2, 1e-14)
	_, im = HiPPOLegS(2)
	within(t, "n=2, low", im[0], math.Sqrt((21.5-math.Sqrt(436))/2), 1e-13)
	within(t, "n=2, high", im[1], math.Sqrt((21.5+math.Sqrt(436))/2), 1e-13)
	for _, n := range []int{1, 2, 3, 8, 16, 32, 64, 128} {
		re, im := HiPPOLegS(n)
		var squares, logs, wantSquares, wantLogs float64
		for k := range im {
			if re[k] != -0.5 || im[k] <= 0 || k > 0 && im[k] <= im[k-1] {
				t.Fatalf("n=%d: eigenvalue %d is %g%+gi, want −½, positive and rising", n, k, re[k], im[k])
			}
			squares += im[k] * im[k]
			logs += math.Log(im[k])
		}
		for i := range 2 * n {
			wantLogs += 0.5*math.Log(float64(2*i+1)) - 0.5*math.Ln2
			for j := i + 1; j < 2*n; j++ {
				wantSquares += float64((2*i+1)*(2*j+1)) / 4
			}
		}
		// 1e-11: the eigenvalues carry an absolute error of about 1e-16·N², the smallest is about ½.
		within(t, fmt.Sprintf("n=%d: Σω²", n), squares, wantSquares, 1e-11)
		within(t, fmt.Sprintf("n=%d: Σ ln ω", n), logs, wantLogs, 1e-11)
	}
}

// The matrix that is diagonalised is A + p pᵀ written out, and its eigenvalues have real part −½ by calculation too.
func TestHiPPONormalPart(t *testing.T) {
	for _, N := range []int{2, 8, 64} {
		s := hippoNormal(N)
		for n := range N {
			for k := range N {
				a := 0.0
				if n > k {
					a = -math.Sqrt(float64(2*n+1)) * math.Sqrt(float64(2*k+1))
				} else if n == k {
					a = -float64(n + 1)
				}
				want := a + math.Sqrt(float64(n)+0.5)*math.Sqrt(float64(k)+0.5)
				if math.Abs(s.At(n, k)-want) > 1e-13*float64(N) {
					t.Fatalf("N=%d: S[%d,%d] = %g, want %g", N, n, k, s.At(n, k), want)
				}
			}
		}
		var e mat.Eigen
		if !e.Factorize(s, mat.EigenNone) {
			t.Fatal("no convergence")
		}
		for _, v := range e.Values(nil) {
			if math.Abs(real(v)+0.5) > 1e-12*float64(N*N) {
				t.Errorf("N=%d: eigenvalue %g has real part off −½", N, v)
			}
		}
	}
}

func TestGinibreFillsTheDisk(t *testing.T) {
	const n = 256
	var e mat.Eigen
	if !e.Factorize(mat.NewDense(n, n, Ginibre(NewRand(1, "ginibre"), n, 1)), mat.EigenNone) {
		t.Fatal("no convergence")
	}
	radius := 0.0
	squares := make([]float64, 0, n)
	for _, v := range e.Values(nil) {
		radius = math.Max(radius, cmplx.Abs(v))
		squares = append(squares, cmplx.Abs(v)*cmplx.Abs(v))
	}
	if math.Abs(radius-1) > 0.1 { // the edge fluctuates by about n^−½ = 0.06
		t.Errorf("spectral radius is %.3f, want 1 within 0.1", radius)
	}
	testKS(t, "|λ|² of Ginibre", squares, uniformCDF(0, 1)) // eigenvalues repel, so this is if anything too strict
}
