package gemm

import (
	"math/rand/v2"
	"testing"
)

// TestColumns: a product with some columns of a packed matrix has the bits of
// these columns of the whole product, and touches nothing else.
func TestColumns(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	random := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(rng.NormFloat64())
		}
		return x
	}
	const m, k = 29, 33
	for _, n := range []int{16, 40, 64, 71, 128} {
		a, b := random(m*k), random(k*n)
		var p Packed
		Pack(false, k, n, b, n, &p)
		want := make([]float32, m*n)
		MulPacked(m, a, k, &p, 0, want, n)
		for lo := 0; lo < n; lo += 16 {
			for hi := lo + 16; hi < n+16; hi += 16 {
				end := min(hi, n)
				got := random(m * n)
				before := append([]float32(nil), got...)
				part := p.Columns(lo, end)
				MulPacked(m, a, k, &part, 0, got[lo:], n)
				for i := range got {
					expect := before[i]
					if j := i % n; j >= lo && j < end {
						expect = want[i]
					}
					if got[i] != expect {
						t.Fatalf("n %d, columns %d to %d: element %d is %v, want %v", n, lo, end, i, got[i], expect)
					}
				}
			}
		}
	}
}
