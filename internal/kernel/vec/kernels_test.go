package vec

import (
	"math"
	"math/rand/v2"
)

// A kernel is an elementwise function in the form that all tests share: the
// first outs slices are results, the rest arguments.
type kernel struct {
	name       string
	outs, args int
	adds       bool // adds to its results
	run        func(s [][]float32)
	// element is the formula in float64: what the results become (or what is
	// added to them).
	element func(a []float64) []float64
	tol     float64 // relative error, with absolute error abs
	abs     float64
}

var nan = float32(math.NaN())

func sigmoid64(x float64) float64 {
	if x < 0 {
		return math.Exp(x) / (1 + math.Exp(x))
	}
	return 1 / (1 + math.Exp(-x))
}

func silu64(x float64) float64 { return x * sigmoid64(x) }

func siluSlope64(x float64) float64 {
	s := sigmoid64(x)
	return s + x*s*sigmoid64(-x)
}

func softplus64(x float64) float64 { return math.Max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }

func gelu64(x float64) float64 {
	return x * sigmoid64(2*math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x))
}

func geluSlope64(x float64) float64 {
	v := 2 * math.Sqrt(2/math.Pi) * (x + 0.044715*x*x*x)
	dv := 2 * math.Sqrt(2/math.Pi) * (1 + 3*0.044715*x*x)
	if math.Abs(x) > 1e3 {
		return sigmoid64(v) // the rest is 0, and may be 0·Inf in float64 too
	}
	return sigmoid64(v) + x*sigmoid64(v)*sigmoid64(-v)*dv
}

func unary(name string, f func(dst, x []float32), ref func(float64) float64, tol, abs float64) kernel {
	return kernel{name: name, outs: 1, args: 1, tol: tol, abs: abs,
		run:     func(s [][]float32) { f(s[0], s[1]) },
		element: func(a []float64) []float64 { return []float64{ref(a[0])} }}
}

// gradient is dx += dy·slope(x).
func gradient(name string, f func(dx, x, dy []float32), slope func(float64) float64, abs float64) kernel {
	return kernel{name: name, outs: 1, args: 2, adds: true, tol: relative, abs: abs,
		run:     func(s [][]float32) { f(s[0], s[1], s[2]) },
		element: func(a []float64) []float64 { return []float64{slope(a[0]) * a[1]} }}
}

func binary(name string, f func(dst, a, b []float32), adds bool, ref func(a, b float64) float64) kernel {
	return kernel{name: name, outs: 1, args: 2, adds: adds, tol: rounding, abs: 0,
		run:     func(s [][]float32) { f(s[0], s[1], s[2]) },
		element: func(a []float64) []float64 { return []float64{ref(a[0], a[1])} }}
}

const (
	relative = 5e-7    // what the package promises: 4 roundings of 2⁻²⁴ and the polynomial's error
	rounding = 0x1p-23 // two roundings: one for a product, one for a sum
	denormal = 0x1p-149
	// slopeError is the absolute error of a derivative of magnitude about 1
	// that is a sum of two terms with a few roundings each.
	slopeError = 3e-7
)

// unaries are the functions of one element.
func unaries() []kernel {
	return []kernel{
		unary("Exp", Exp, math.Exp, relative, denormal),
		unary("Sigmoid", Sigmoid, sigmoid64, relative, denormal),
		unary("SiLU", SiLU, silu64, relative, 100*denormal), // x times a denormal
		unary("Softplus", Softplus, softplus64, relative, denormal),
		unary("Tanh", Tanh, math.Tanh, relative, denormal),
		unary("GELU", GELU, gelu64, relative, slopeError),
		unary("GELUExact", GELUExact, func(x float64) float64 { return x * math.Erfc(-x/math.Sqrt2) / 2 },
			relative, 100*denormal),
	}
}

// kernels are all elementwise functions.
func kernels() []kernel {
	const alpha = -1.7
	phi := func(x float64) float64 {
		return math.Erfc(-x/math.Sqrt2)/2 + x*math.Exp(-x*x/2)/math.Sqrt(2*math.Pi)
	}
	return append(unaries(),
		gradient("SigmoidGrad", SigmoidGrad, func(y float64) float64 { return y * (1 - y) }, slopeError),
		gradient("TanhGrad", TanhGrad, func(y float64) float64 { return 1 - y*y }, slopeError),
		gradient("SiLUGrad", SiLUGrad, siluSlope64, slopeError),
		gradient("SoftplusGrad", SoftplusGrad, sigmoid64, slopeError),
		gradient("GELUGrad", GELUGrad, geluSlope64, slopeError),
		gradient("GELUExactGrad", GELUExactGrad, phi, slopeError),
		kernel{name: "SiLUMul", outs: 1, args: 2, tol: relative, abs: 100 * denormal,
			run:     func(s [][]float32) { SiLUMul(s[0], s[1], s[2]) },
			element: func(a []float64) []float64 { return []float64{a[0] * silu64(a[1])} }},
		kernel{name: "SiLUMulGrad", outs: 2, args: 3, adds: true, tol: relative, abs: slopeError,
			run: func(s [][]float32) { SiLUMulGrad(s[0], s[1], s[2], s[3], s[4]) },
			element: func(a []float64) []float64 {
				return []float64{a[2] * silu64(a[1]), a[2] * a[0] * siluSlope64(a[1])}
			}},
		binary("Add", Add, false, func(a, b float64) float64 { return a + b }),
		binary("Sub", Sub, false, func(a, b float64) float64 { return a - b }),
		binary("Mul", Mul, false, func(a, b float64) float64 { return a * b }),
		binary("MulAdd", MulAdd, true, func(a, b float64) float64 { return a * b }),
		kernel{name: "AddTo", outs: 1, args: 1, adds: true, tol: rounding,
			run:     func(s [][]float32) { AddTo(s[0], s[1]) },
			element: func(a []float64) []float64 { return a }},
		kernel{name: "Axpy", outs: 1, args: 1, adds: true, tol: rounding,
			run:     func(s [][]float32) { Axpy(s[0], alpha, s[1]) },
			element: func(a []float64) []float64 { return []float64{float64(float32(alpha)) * a[0]} }},
		kernel{name: "Scale", outs: 1, args: 1, tol: rounding,
			run:     func(s [][]float32) { Scale(s[0], alpha, s[1]) },
			element: func(a []float64) []float64 { return []float64{float64(float32(alpha)) * a[0]} }},
	)
}

// random returns n values, most of them a few units in size.
func random(rng *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(3 * rng.NormFloat64())
	}
	return x
}

// slicesFor returns a kernel's slices of n elements: NaN in results that are
// overwritten, random values elsewhere.
func (k kernel) slicesFor(rng *rand.Rand, n int) [][]float32 {
	s := make([][]float32, k.outs+k.args)
	for i := range s {
		s[i] = random(rng, n)
		if i < k.outs && !k.adds {
			for j := range s[i] {
				s[i][j] = nan
			}
		}
	}
	return s
}

func clone(s [][]float32) [][]float32 {
	c := make([][]float32, len(s))
	for i := range s {
		c[i] = append([]float32(nil), s[i]...)
	}
	return c
}
