// Package coef holds the constants of the functions in package vec, for its
// plain Go kernels and for the generator of its assembly.
//
// The polynomials are least-maximum (Lawson) fits in 40 decimal digits,
// weighted for the relative error of the function that they serve, with
// coefficients then rounded to float32. coef_test.go measures their errors.
package coef

// Exponential: exp(x) = 2ⁿ·exp(r), n = round(x·Log2E), r = x - n·ln 2, and
// exp(r) = 1 + r + r²·(Exp2 + Exp3·r + Exp4·r² + Exp5·r³ + Exp6·r⁴) within 4e-9
// for |r| <= ln(2)/2.
const (
	Log2E = 1.44269504088896341
	// Ln2Hi + Ln2Lo is ln 2. Ln2Hi has 15 significant bits, so that n·Ln2Hi
	// is exact for |n| < 512.
	Ln2Hi = 0.693145751953125
	Ln2Lo = 1.42860682030941723e-6

	Exp2 = 0.49999994
	Exp3 = 0.16666521
	Exp4 = 0.041668393
	Exp5 = 0.0083687464
	Exp6 = 0.0013814531

	// Round, added to a float32 of magnitude below 2²², rounds it to an
	// integer, which then stands in the low bits of the sum: 1.5·2²³.
	Round = 12582912
	// ExpMax is past the largest x with a finite exp(x), 88.73, and ExpMin
	// past the smallest with one above zero, -103.98. Between them the two
	// factors of 2ⁿ are floats.
	ExpMax = 89
	ExpMin = -104.5
)

// Logarithm: log(1+e) = 2·atanh(u/2) with u = e/(1+e/2), and 2·atanh(u/2) =
// u·(1 + u²·(Log1 + Log2·u² + Log3·u⁴ + Log4·u⁶)) within 6e-9 for 0 <= e <= 1,
// also relative to a small e. The fit is in (u/2)², hence the powers of two.
const (
	Log1 = 0.6666642 / 8
	Log2 = 0.40021527 / 32
	Log3 = 0.28001797 / 128
	Log4 = 0.28012013 / 512
)

// TanhMax is where 2|x| is cut off in tanh: 1 - tanh(10) is 4e-9, less than
// half of float32's spacing below 1.
const TanhMax = 20

// GELU by the tangent: gelu(x) = x·sigmoid(x·(GELU1 + GELU3·x²)), where GELU1
// is 2·√(2/π) and GELU3 = 0.044715·GELU1 (Hendrycks and Gimpel,
// arXiv:1606.08415, section 2). Past GELUMax the sigmoid is 0 or 1.
const (
	GELU1   = 1.5957691216057308
	GELU3   = 0.07135481627260025
	GELUMax = 16
)

// Standard normal distribution: Φ(-a) = exp(-a²/2)·t·(Normal[0] + Normal[1]·t
// + … + Normal[9]·t⁹) with t = 1/(1 + NormalScale·a), within 5e-8 of Φ(-a),
// relatively, for 0 <= a <= 14.
const NormalScale = 0.375

// Normal holds the coefficients of Φ.
var Normal = [10]float32{0.14959238, 0.1498989, 0.12514713, 0.10879891, -0.05830098,
	0.21981247, -0.42940223, 0.34907478, -0.13587914, 0.021257764}

const (
	// NormalMax is where a is cut off: Φ(-15) is 4e-51, below all float32s.
	NormalMax = 15
	// InvSqrt2Pi is 1/√(2π), the density at 0.
	InvSqrt2Pi = 0.3989422804014327
)
