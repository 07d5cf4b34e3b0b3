package vec

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// near reports whether got is want within a relative error tol, or abs.
// Infinities and NaN must be the same; so must overflow, where want, rounded,
// is infinite.
func near(got float32, want, tol, abs float64) bool {
	g := float64(got)
	switch {
	case math.IsNaN(want) || math.IsNaN(g):
		return math.IsNaN(want) && math.IsNaN(g)
	case math.IsInf(g, 0) || math.Abs(want) > math.MaxFloat32:
		return float32(want*(1-tol)) == got || float32(want*(1+tol)) == got
	}
	return math.Abs(g-want) <= tol*math.Abs(want)+abs
}

// arguments are floats of every size and sign: each exponent with some
// thousand mantissas where functions bend, a few elsewhere, and the edges.
func arguments() []float32 {
	edges := []float32{0, float32(math.Copysign(0, -1)), 1e-45, -1e-45, 1e-38, -1e-38, 1e-30, -1e-30,
		20, 19.999998, 20.000002, -20, -30, 88, -88, 88.7228, 88.73, -87.34, -103.9, -103.98, -104, -150,
		math.MaxFloat32, -math.MaxFloat32, float32(math.Inf(1)), float32(math.Inf(-1)), nan}
	x := edges
	for _, sign := range []uint32{0, 1 << 31} {
		for bits := uint32(0); bits < 0x7f800000; bits += 1<<19 + 777 {
			x = append(x, math.Float32frombits(sign|bits))
		}
		for bits := math.Float32bits(0x1p-12); bits < math.Float32bits(128); bits += 1777 {
			x = append(x, math.Float32frombits(sign|bits))
		}
	}
	return x
}

func TestFunctionsAgainstFloat64(t *testing.T) {
	x := arguments()
	if len(x) < 100_000 {
		t.Fatalf("%d arguments, want at least 100000", len(x))
	}
	for _, k := range unaries() {
		dst := make([]float32, len(x))
		for i := range dst {
			dst[i] = nan
		}
		k.run([][]float32{dst, x})
		worst, at := 0.0, float32(0)
		for i, v := range x {
			want := k.element([]float64{float64(v)})[0]
			if !near(dst[i], want, k.tol, k.abs) {
				t.Errorf("%s(%v) is %v, want %v", k.name, v, dst[i], want)
				break
			}
			if e := math.Abs(float64(dst[i])/want - 1); e > worst && math.Abs(want) > 1e-36 && math.Abs(want) < math.MaxFloat32 {
				worst, at = e, v
			}
		}
		t.Logf("%s: greatest relative error %.2g at %v", k.name, worst, at)
	}
}

// Gradients with arguments of every size and with dy = 1, on top of dx = 0.
func TestGradientsAgainstFloat64(t *testing.T) {
	x := arguments()
	one := make([]float32, len(x))
	for i := range one {
		one[i] = 1
	}
	for _, k := range kernels() {
		if k.args != 2 || !strings.HasSuffix(k.name, "Grad") || strings.HasPrefix(k.name, "Tanh") ||
			strings.HasPrefix(k.name, "Sigmoid") { // those two take y, within 0 … 1
			continue
		}
		dx := make([]float32, len(x))
		k.run([][]float32{dx, x, one})
		for i, v := range x {
			want := k.element([]float64{float64(v), 1})[0]
			switch {
			case math.IsInf(float64(v), 0): // not promised
				continue
			case v > 100: // the formula in float64 may have 0·Inf
				want = 1
			}
			if !near(dx[i], want, k.tol, k.abs) {
				t.Errorf("%s at %v is %v, want %v", k.name, v, dx[i], want)
				break
			}
		}
	}
}

// Every kernel at every length up to some vectors, against its formula.
func TestKernelsAgainstFloat64(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, k := range kernels() {
		for n := range 70 {
			before := k.slicesFor(rng, n)
			after := clone(before)
			k.run(after)
			for i := range n {
				k.checkElement(t, before, after, i)
			}
		}
	}
}

func (k kernel) checkElement(t *testing.T, before, after [][]float32, i int) {
	t.Helper()
	args := make([]float64, k.args)
	for j := range args {
		args[j] = float64(before[k.outs+j][i])
	}
	for j, want := range k.element(args) {
		size := math.Abs(want)
		if k.adds {
			want += float64(before[j][i])
			size += math.Abs(float64(before[j][i]))
		}
		for _, v := range args { // roundings of intermediate products
			size = math.Max(size, math.Abs(v)*k.abs/slopeError)
		}
		if !near(after[j][i], want, k.tol, k.tol*size+k.abs) {
			t.Fatalf("%s, element %d of %d: result %d is %v, want %v", k.name, i, len(before[0]), j, after[j][i], want)
		}
	}
	for j := k.outs; j < len(before); j++ {
		if before[j][i] != after[j][i] {
			t.Fatalf("%s changes its argument %d", k.name, j-k.outs)
		}
	}
}

// An element's bits are the same at every place of slices of every length.
func TestKernelsDoNotDependOnPlace(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, k := range kernels() {
		before := k.slicesFor(rng, 103)
		whole := clone(before)
		k.run(whole)
		for lo := range 9 {
			for hi := lo; hi <= 103; hi += 1 + hi/40 {
				part := clone(before)
				k.run(window(part, lo, hi))
				for j := range k.outs {
					for i, v := range part[j] {
						want := before[j][i]
						if i >= lo && i < hi {
							want = whole[j][i]
						}
						if math.Float32bits(v) != math.Float32bits(want) {
							t.Fatalf("%s over [%d, %d): element %d of result %d is %v, want %v",
								k.name, lo, hi, i, j, v, want)
						}
					}
				}
			}
		}
	}
}

func window(s [][]float32, lo, hi int) [][]float32 {
	w := make([][]float32, len(s))
	for i := range s {
		w[i] = s[i][lo:hi:hi]
	}
	return w
}

// A result may be the same slice as an argument.
func TestKernelsInPlace(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for _, k := range kernels() {
		if k.adds {
			continue
		}
		for arg := k.outs; arg < k.outs+k.args; arg++ {
			apart := k.slicesFor(rng, 77)
			same := clone(apart)
			same[0] = same[arg]
			k.run(apart)
			k.run(same)
			for i := range apart[0] {
				if math.Float32bits(apart[0][i]) != math.Float32bits(same[0][i]) {
					t.Fatalf("%s in place of argument %d: element %d is %v, want %v",
						k.name, arg-k.outs, i, same[0][i], apart[0][i])
				}
			}
		}
	}
}

func TestKernelsPropagateNaN(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for _, k := range kernels() {
		for arg := k.outs; arg < k.outs+k.args; arg++ {
			s := k.slicesFor(rng, 45)
			for _, i := range []int{0, 13, 33, 44} { // in every kind of block
				s[arg][i] = nan
			}
			k.run(s)
			for i := range s[0] {
				bad := false
				for j := range k.outs {
					bad = bad || s[j][i] != s[j][i]
				}
				if want := i == 0 || i == 13 || i == 33 || i == 44; bad != want {
					t.Fatalf("%s with NaN in argument %d: element %d is %v", k.name, arg-k.outs, i, s[0][i])
				}
			}
		}
	}
}

func TestKernelsPanicOnLengths(t *testing.T) {
	for _, k := range kernels() {
		for short := 1; short < k.outs+k.args; short++ {
			s := k.slicesFor(rand.New(rand.NewPCG(9, 9)), 4)
			s[short] = s[short][:3]
			func() {
				defer func() {
					got := fmt.Sprint(recover())
					if !strings.HasPrefix(got, "vec: "+k.name+": len(") || !strings.HasSuffix(got, " = 4") {
						t.Errorf("%s with a short slice %d panics with %q", k.name, short, got)
					}
				}()
				k.run(s)
			}()
		}
	}
}

func TestSoftplusPassesLargeArguments(t *testing.T) {
	x := []float32{20, 20.5, 33, 88, 1e10}
	y := make([]float32, len(x))
	Softplus(y, x)
	for i := range x {
		if y[i] != x[i] {
			t.Errorf("Softplus(%v) is %v, want the same", x[i], y[i])
		}
	}
}
