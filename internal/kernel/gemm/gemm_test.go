package gemm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
)

// A product is a test case with its memory: leading dimensions are wider than
// the rows, and the gaps hold NaN, which no kernel may read into a sum.
type product struct {
	operands
	beta float32
}

var nan = float32(math.NaN())

// newProduct fills the operands with values in (-1, 1). With beta = 0, C
// holds NaN.
func newProduct(rng *rand.Rand, transA, transB bool, m, n, k int, beta float32, bias bool) *product {
	p := &product{beta: beta}
	p.transA, p.transB, p.m, p.n, p.k, p.add = transA, transB, m, n, k, beta == 1
	p.a, p.lda = newMatrix(rng, transA, m, k)
	p.b, p.ldb = newMatrix(rng, transB, k, n)
	p.c, p.ldc = newMatrix(rng, false, m, n)
	if beta == 0 {
		for i := range p.c {
			p.c[i] = nan
		}
	}
	if bias {
		p.bias, _ = newMatrix(rng, false, 1, n)
	}
	return p
}

func newMatrix(rng *rand.Rand, trans bool, rows, cols int) (x []float32, ld int) {
	if trans {
		rows, cols = cols, rows
	}
	ld = cols + rng.IntN(4)
	x = make([]float32, max(0, (rows-1)*ld+cols))
	for i := range x {
		x[i] = nan
		if i%ld < cols {
			x[i] = 2*rng.Float32() - 1
		}
	}
	return x, ld
}

func (p *product) String() string {
	return fmt.Sprintf("transA=%v transB=%v m=%d n=%d k=%d beta=%v bias=%v",
		p.transA, p.transB, p.m, p.n, p.k, p.beta, p.bias != nil)
}

// compute runs the product into a copy of C.
func (p *product) compute(workers int) []float32 {
	c := append([]float32(nil), p.c...)
	GemmBias(workers, p.transA, p.transB, p.m, p.n, p.k, p.a, p.lda, p.b, p.ldb, p.beta, c, p.ldc, p.bias)
	return c
}

// check compares c with a float64 sum, element by element.
//
// The error of a float32 sum of k products, each at most 1 in magnitude, in
// any order is at most about (k+2)·u·Σ|terms| with u = 2⁻²⁴; rounding errors
// being random, k is replaced by 8·√k, which an error in the code (a wrong or
// missing term of magnitude 0.1 and more) exceeds by far.
func (p *product) check(t *testing.T, c []float32) {
	t.Helper()
	for i := range p.m {
		for j := range p.n {
			want, size := p.element(i, j)
			tol := (8*math.Sqrt(float64(p.k)) + 2) * size * 0x1p-24
			got := float64(c[i*p.ldc+j])
			if !(math.Abs(got-want) <= tol) {
				t.Fatalf("%v: C[%d,%d] is %v, want %v ± %v", p, i, j, got, want, tol)
			}
		}
	}
	for i, v := range c {
		if i%p.ldc >= p.n && v == v {
			t.Fatalf("%v: c[%d] lies between two rows and was overwritten", p, i)
		}
	}
}

// element returns C[i,j] and the sum of its terms' magnitudes.
func (p *product) element(i, j int) (sum, size float64) {
	if p.add {
		sum += float64(p.c[i*p.ldc+j])
		size += math.Abs(sum)
	}
	if p.bias != nil {
		sum += float64(p.bias[j])
		size += math.Abs(float64(p.bias[j]))
	}
	x, stepX, y, stepY := i*p.lda, 1, j, p.ldb
	if p.transA {
		x, stepX = i, p.lda
	}
	if p.transB {
		y, stepY = j*p.ldb, 1
	}
	for range p.k {
		term := float64(p.a[x]) * float64(p.b[y])
		sum += term
		size += math.Abs(term)
		x, y = x+stepX, y+stepY
	}
	return sum, size
}

// shapes has every edge: single rows and columns, all widths of a last panel
// and heights of a last tile, lengths around a block of k, k sliced or not,
// and more columns than are packed at a time.
func shapes() [][3]int {
	list := [][3]int{{1, 1, 1}, {6, 16, 1}, {64, 64, 64}, {37, 53, 71}, {100, 16, 300}, {150, 130, 513},
		{97, 40, 255}, {97, 36, 256}, {13, 17, 257}, {1, 300, 70}, {300, 1, 70}, {3, 2, 1023}, {5, 3, 1024},
		{16, 20, 2100}, {7, 9, 8200}, {70, 9, 2048}, {7, 2100, 10}, {16, 300, 64}, {1024, 16, 20}, {4, 3, 0}, {0, 3, 4}, {3, 0, 4}}
	for width := 1; width <= 17; width++ {
		list = append(list, [3]int{width, width, 9}, [3]int{12 - width%12, 16 + width, 8})
	}
	return list
}

// eachProduct calls f with every shape, transposition, beta and bias.
func eachProduct(f func(p *product)) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, s := range shapes() {
		for q := range 16 {
			f(newProduct(rng, q&1 != 0, q&2 != 0, s[0], s[1], s[2], float32(q>>2&1), q&8 != 0))
		}
	}
}

func TestGemmAgainstFloat64(t *testing.T) {
	checked := 0
	eachProduct(func(p *product) {
		p.check(t, p.compute(1))
		checked++
	})
	if checked < 500 {
		t.Errorf("%d products checked, want at least 500", checked)
	}
}

func TestGemmSameBitsForAnyWorkers(t *testing.T) {
	eachProduct(func(p *product) {
		if p.m*p.n*p.k < minFlops/2 && p.k < 1000 {
			return // one worker does it
		}
		want := p.compute(1)
		for _, workers := range []int{2, 3, 8} {
			sameBits(t, fmt.Sprintf("%v workers=%d", p, workers), p.compute(workers), want)
		}
	})
}

func sameBits(t *testing.T, name string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", name, len(got), len(want))
	}
	for i := range got {
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) && (got[i] == got[i] || want[i] == want[i]) {
			t.Fatalf("%s: value %d is %v, want %v", name, i, got[i], want[i])
		}
	}
}

// Rows do not influence each other: a row's bits are those of the product of
// this row alone, as long as k is not sliced.
func TestGemmRowsAreIndependent(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	p := newProduct(rng, false, true, 23, 37, 300, 1, true)
	whole := p.compute(1)
	for i := range p.m {
		row := *p
		row.m, row.a, row.c = 1, p.a[i*p.lda:], p.c[i*p.ldc:]
		sameBits(t, fmt.Sprintf("row %d", i), row.compute(1)[:p.n], whole[i*p.ldc:i*p.ldc+p.n])
	}
}

func TestMulPackedEqualsGemm(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	var packed Packed // used again and again
	for _, s := range [][3]int{{1, 1, 1}, {1, 64, 64}, {2, 33, 65}, {3, 40, 513}, {16, 384, 128}, {64, 100, 300},
		{100, 7, 40}, {4, 20, 0}, {0, 3, 3}, {5, 96, 256}, {4, 130, 31}} {
		for q := range 8 {
			p := newProduct(rng, false, q&1 != 0, s[0], s[1], s[2], float32(q>>1&1), q&4 != 0)
			Pack(p.transB, p.k, p.n, p.b, p.ldb, &packed)
			packed.SetBias(p.bias)
			c := append([]float32(nil), p.c...)
			MulPacked(p.m, p.a, p.lda, &packed, p.beta, c, p.ldc)
			sameBits(t, p.String(), c, p.compute(1))
			p.check(t, c)
		}
	}
}

// NaN and infinities go where the formula sends them and nowhere else.
func TestGemmNonFinite(t *testing.T) {
	for _, v := range []float32{nan, float32(math.Inf(1)), float32(math.Inf(-1))} {
		const m, n, k = 14, 25, 19
		a, b, c := ones(m*k), ones(k*n), make([]float32, m*n)
		a[7*k+3] = v
		Gemm(1, false, false, m, n, k, a, k, b, n, 0, c, n)
		for i := range c {
			want := float32(k)
			if i/n == 7 {
				want = v
			}
			if c[i] != want && (c[i] == c[i] || want == want) {
				t.Fatalf("a[7,3] = %v: C[%d,%d] is %v, want %v", v, i/n, i%n, c[i], want)
			}
		}
	}
}

func ones(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = 1
	}
	return x
}

func TestGemmConcurrentCallers(t *testing.T) {
	var wg sync.WaitGroup
	for seed := range uint64(4) {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(seed, 7))
			for _, s := range [][3]int{{200, 64, 64}, {48, 40, 2048}, {97, 130, 300}} {
				p := newProduct(rng, true, true, s[0], s[1], s[2], 1, true)
				want := p.compute(1)
				for range 5 {
					sameBits(t, p.String(), p.compute(2), want)
				}
			}
		})
	}
	wg.Wait()
}

func TestGemmDoesNotAllocate(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 9))
	for _, s := range [][3]int{{256, 32, 32}, {300, 100, 300}, {48, 40, 2048}} {
		p := newProduct(rng, true, false, s[0], s[1], s[2], 1, true)
		c := append([]float32(nil), p.c...)
		f := func() {
			GemmBias(2, p.transA, p.transB, p.m, p.n, p.k, p.a, p.lda, p.b, p.ldb, p.beta, c, p.ldc, p.bias)
		}
		// A garbage collection may empty the pools during the measurement,
		// and the race detector empties them at random: less than one on
		// average, not none.
		if got := testing.AllocsPerRun(200, f); got >= 1 && !raceEnabled {
			t.Errorf("%v: %v allocations a call, want none", p, got)
		}
	}
}

func TestMulPackedDoesNotAllocate(t *testing.T) {
	a, b, c := ones(5*300), ones(300*100), make([]float32, 5*100)
	var packed Packed
	if got := testing.AllocsPerRun(100, func() {
		Pack(true, 300, 100, b, 300, &packed)
		packed.SetBias(b)
		MulPacked(5, a, 300, &packed, 1, c, 100)
	}); got != 0 {
		t.Errorf("%v allocations a call, want none", got)
	}
}

func TestGemmPanics(t *testing.T) {
	x := make([]float32, 12)
	var packed Packed
	Pack(false, 3, 4, x, 4, &packed)
	for want, f := range map[string]func(){
		"beta is 2, want 0 or 1":    func() { Gemm(1, false, false, 2, 2, 2, x, 2, x, 2, 2, x, 2) },
		"(m, n, k) is (-1, 2, 2)":   func() { Gemm(1, false, false, -1, 2, 2, x, 2, x, 2, 0, x, 2) },
		"lda is 3, want at least 4": func() { Gemm(1, false, false, 2, 2, 4, x, 3, x, 2, 0, x, 2) },
		"lda is 3, want at least 5": func() { Gemm(1, true, false, 5, 2, 2, x, 3, x, 2, 0, x, 2) },
		"len(b) is 12, want at least 14 for (2, 7)": func() {
			Gemm(1, false, false, 1, 7, 2, x, 2, x, 7, 0, x, 7)
		},
		"len(c) is 12, want at least 16":        func() { Gemm(1, false, false, 4, 4, 2, x, 2, x, 4, 0, x, 4) },
		"GemmBias: len(bias) is 1, want at lea": func() { GemmBias(1, false, false, 2, 2, 2, x, 2, x, 2, 0, x, 2, x[:1]) },
		"Pack: len(b) is 12, want at least 20":  func() { Pack(true, 4, 5, x, 4, new(Packed)) },
		"MulPacked: len(a) is 12, want at leas": func() { MulPacked(5, x, 3, &packed, 0, x, 4) },
		"MulPacked: beta is 3":                  func() { MulPacked(1, x, 3, &packed, 3, x, 4) },
		"MulPacked: m is -1":                    func() { MulPacked(-1, x, 3, &packed, 0, x, 4) },
		"SetBias: len(bias) is 3, want at leas": func() { packed.SetBias(x[:3]) },
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, want) || !strings.HasPrefix(got, "gemm: ") {
					t.Errorf("panic is %q, want %q in it", got, want)
				}
			}()
			f()
		}()
	}
}

// FuzzGemm compares any small product with float64 sums.
func FuzzGemm(f *testing.F) {
	f.Add(uint64(1), uint8(7), uint8(17), uint16(33), uint8(0))
	f.Add(uint64(2), uint8(13), uint8(40), uint16(1100), uint8(15))
	f.Fuzz(func(t *testing.T, seed uint64, m, n uint8, k uint16, flags uint8) {
		rng := rand.New(rand.NewPCG(seed, 0))
		p := newProduct(rng, flags&1 != 0, flags&2 != 0, int(m), int(n), int(k%2500), float32(flags>>2&1), flags&8 != 0)
		c := p.compute(1)
		p.check(t, c)
		sameBits(t, p.String(), p.compute(2), c)
	})
}
