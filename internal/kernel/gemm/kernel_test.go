package gemm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// Each kernel against its plain Go version, for every height, width and
// number of terms. The Go version rounds products that the assembly fuses:
// a difference of at most one rounding, 2⁻²⁴, for each of k terms below 1.
func TestKernelsAgree(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for rows := 1; rows <= tileRows; rows++ {
		for width := 1; width <= tileCols; width++ {
			_, lanes := panelWidth(width)
			for _, k := range []int{1, 2, 3, 4, 5, 8, 11} {
				for add := range 2 {
					compareKernels(t, rng, rows, width, lanes, k, add)
				}
			}
		}
	}
}

func compareKernels(t *testing.T, rng *rand.Rand, rows, width, lanes, k, add int) {
	const count, ldc = 3, 19
	random := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = 2*rng.Float32() - 1
		}
		return x
	}
	x := tiles{a: random(count * tileRows * k), b: random(k * lanes), c: random(count * tileRows * ldc),
		start: random(tileCols), count: count, k: k, aRow: k, aCol: 1, aStep: rows * k,
		cRow: ldc, cStep: rows * ldc, width: width, add: add}
	y := x
	y.c = append([]float32(nil), x.c...)
	multiply(rows, lanes, &x)
	multiplyGo(rows, lanes, &y)
	for i := range x.c {
		if d := math.Abs(float64(x.c[i]) - float64(y.c[i])); !(d <= float64(k+2)*0x1p-23) {
			t.Fatalf("rows %d, width %d, k %d, add %d: C[%d,%d] is %v, in Go %v",
				rows, width, k, add, i/ldc, i%ldc, x.c[i], y.c[i])
		}
	}
}

// Packing moves bits, so assembly and Go must agree exactly.
func TestPackingAgrees(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	for _, k := range []int{1, 2, 7, 8, 9, 16, 23, 64} {
		for width := 1; width <= 3*tileCols; width++ {
			_, lanes := panelWidth(width)
			ld := max(k, width) + 3
			src := make([]float32, max((k-1)*ld+width, (width-1)*ld+k))
			for i := range src {
				src[i] = rng.Float32()
			}
			name := fmt.Sprintf("k %d, width %d: ", k, width)
			comparePackedColumns(t, name, k, src, ld, width)
			got, want := make([]float32, k*packedCols(width)), make([]float32, k*packedCols(width))
			packRows(k, src, ld, width, got)
			packRowsGo(k, src, ld, width, want)
			sameBits(t, name+"packRows", got, want)
			if width > tileCols {
				continue // packTransposed fills one panel
			}
			packTransposed(k, src, ld, width, lanes, got)
			packTransposedGo(k, src, ld, width, lanes, want)
			sameBits(t, name+"packTransposed", got, want)
		}
	}
}

func comparePackedColumns(t *testing.T, name string, k int, src []float32, ld, width int) {
	t.Helper()
	step := tileRows*k + tileGap
	got, want := make([]float32, 8*step), make([]float32, 8*step)
	packColumns(k, src, ld, width, got, step)
	packColumnsGo(k, src, ld, width, want, step)
	for i := range want {
		if column := i/step*tileRows + i%step%tileRows; i%step >= tileRows*k || column >= width {
			got[i], want[i] = 0, 0 // not promised
		}
	}
	sameBits(t, name+"packColumns", got, want)
}

func TestSlicesCoverK(t *testing.T) {
	for _, s := range [][3]int{{64, 64, 8192}, {64, 64, 1024}, {16, 40, 5000}, {1, 1, 100000}, {100, 100, 1100}} {
		o := operands{m: s[0], n: s[1], k: s[2]}
		j := takeJob(1, &o)
		next := 0
		for i := range j.slices {
			k0, k1 := j.sliceBounds(i)
			if k0 != next || k1 <= k0 {
				t.Errorf("%v: slice %d of %d is [%d, %d), want it to begin at %d", s, i, j.slices, k0, k1, next)
			}
			next = k1
		}
		if j.slices < 2 || next != s[2] {
			t.Errorf("%v: %d slices end at %d, want at least 2, up to %d", s, j.slices, next, s[2])
		}
		j.release()
	}
}
