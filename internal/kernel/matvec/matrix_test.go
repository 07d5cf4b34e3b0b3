package matvec

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gophersnake/gophersnake/internal/kernel/vec"
)

// sets are the kernels that this processor can run.
func sets() []kernelSet {
	if native() == neon {
		return []kernelSet{portable, neon}
	}
	var out []kernelSet
	for s := portable; s <= native(); s++ {
		out = append(out, s)
	}
	return out
}

func random(n int, seed uint64) []float32 {
	r := rand.New(rand.NewPCG(seed, 1))
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

// padded is x filled up to the width of m.
func padded(m *Matrix, x []float32) []float32 { return append(x, make([]float32, m.Width()-len(x))...) }

var shapes = []struct{ n, k int }{{1, 1}, {7, 31}, {8, 32}, {9, 33}, {36, 128}, {17, 64}, {256, 64}, {100, 1000}, {5, 4096}, {517, 512}}

// A product of Float32 has the bits of vec.Dot where both use fused
// multiply-add, and is within its rounding elsewhere.
func TestMulIsDot(t *testing.T) {
	for _, set := range sets() {
		for _, s := range shapes {
			w, x := random(s.n*s.k, 1), random(s.k, 2)
			m := newMatrix(Float32, s.n, s.k, w, set)
			y := make([]float32, s.n)
			m.Mul(0, s.n, padded(m, x), y)
			for i, got := range y {
				want := vec.Dot(w[i*s.k:][:s.k], x)
				if got != want && (set == native() || math.Abs(float64(got-want)) > 1e-6*float64(s.k)) {
					t.Fatalf("set %d, (%d, %d): row %d is %v, want %v", set, s.n, s.k, i, got, want)
				}
			}
		}
	}
}

// Every set multiplies the elements that Row shows: the difference to the sum in
// float64 is that of float32 rounding, at most k·2⁻²⁴ Σ |w x|.
func TestMulUsesRows(t *testing.T) {
	for _, f := range Formats() {
		for _, set := range sets() {
			for _, s := range shapes {
				m := newMatrix(f, s.n, s.k, random(s.n*s.k, 3), set)
				x, row, y := random(s.k, 4), make([]float32, s.k), make([]float32, s.n)
				m.Mul(0, s.n, padded(m, x), y)
				for i := range s.n {
					m.Row(i, row)
					var want, size float64
					for j, v := range row {
						p := float64(v) * float64(x[j])
						want, size = want+p, size+math.Abs(p)
					}
					if d := math.Abs(float64(y[i]) - want); !(d <= (float64(s.k)+2)*0x1p-24*size) {
						t.Fatalf("%s, set %d, (%d, %d): row %d is %v, want %v", f, set, s.n, s.k, i, y[i], want)
					}
				}
			}
		}
	}
}

// The sets with fused multiply-add give the same bits, and so does any cut of
// the rows.
func TestSameBits(t *testing.T) {
	for _, f := range Formats() {
		for _, s := range shapes {
			w, x := random(s.n*s.k, 5), random(s.k, 6)
			var first []float32
			for _, set := range sets() {
				m := newMatrix(f, s.n, s.k, w, set)
				y, cut := make([]float32, s.n), make([]float32, s.n)
				m.Mul(0, s.n, padded(m, x), y)
				for lo := 0; lo < s.n; lo += Align {
					m.Mul(lo, min(lo+Align, s.n), padded(m, x), cut)
				}
				if fmt.Sprint(y) != fmt.Sprint(cut) {
					t.Fatalf("%s, set %d, (%d, %d): a cut changes the product", f, set, s.n, s.k)
				}
				if set == portable {
					continue
				}
				if first == nil {
					first = y
				}
				if fmt.Sprint(y) != fmt.Sprint(first) {
					t.Fatalf("%s, set %d, (%d, %d): %v, want %v", f, set, s.n, s.k, y, first)
				}
			}
		}
	}
}

// The formats keep what they promise.
func TestFormatErrors(t *testing.T) {
	const n, k = 9, 77
	w := random(n*k, 7)
	row := make([]float32, k)
	for _, f := range Formats() {
		m := New(f, n, k, w)
		for i := range n {
			m.Row(i, row)
			top := float64(vec.Max(abs(w[i*k:][:k])))
			for j, got := range row {
				v := float64(w[i*k+j])
				// of Int8 half a scale, and the rounding of the scale
				bound := map[Format]float64{Float32: 0, BF16: math.Abs(v) * 0x1p-8, Int8: top / 254 * (1 + 1e-4)}[f]
				if math.Abs(float64(got)-v) > bound {
					t.Fatalf("%s: element (%d, %d) is %v, want %v within %v", f, i, j, got, v, bound)
				}
			}
		}
	}
}

func abs(x []float32) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = float32(math.Abs(float64(v)))
	}
	return y
}

func TestSpecialRows(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, f := range Formats() {
		m := New(f, 3, 2, []float32{0, 0, nan, 1, inf, 1})
		y := make([]float32, 3)
		m.Mul(0, 3, padded(m, []float32{1, 1}), y)
		if y[0] != 0 || y[1] == y[1] || !(math.IsInf(float64(y[2]), 1) || y[2] != y[2]) {
			t.Errorf("%s: rows of zeros, NaN, Inf give %v", f, y)
		}
	}
	for v, want := range map[float32]float32{1: 1, 1 + 0x1p-8: 1, 1 + 3*0x1p-8: 1 + 0x1p-6, -3: -3, 0x1p-133: 0x1p-133} {
		if got := fromBF16(toBF16(v)); got != want {
			t.Errorf("%v as bf16 is %v, want %v", v, got, want)
		}
	}
}

func TestMulDoesNotAllocate(t *testing.T) {
	for _, f := range Formats() {
		m := New(f, 37, 64, random(37*64, 1))
		x, y := random(64, 2), make([]float32, 37)
		if n := testing.AllocsPerRun(10, func() { m.Mul(0, 37, x, y) }); n != 0 {
			t.Errorf("%s: Mul allocates %v times", f, n)
		}
	}
}

func TestMulPanics(t *testing.T) {
	m := New(BF16, 16, 40, random(16*40, 1))
	for name, f := range map[string]func(){
		"short x": func() { m.Mul(0, 16, make([]float32, 40), make([]float32, 16)) },
		"short y": func() { m.Mul(0, 16, make([]float32, 64), make([]float32, 15)) },
		"begin":   func() { m.Mul(4, 16, make([]float32, 64), make([]float32, 16)) },
		"end":     func() { m.Mul(0, 17, make([]float32, 64), make([]float32, 17)) },
		"size":    func() { New(BF16, 2, 2, make([]float32, 3)) },
		"format":  func() { New("fp4", 1, 1, make([]float32, 1)) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			f()
		})
	}
}
