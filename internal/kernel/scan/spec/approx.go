package spec

import "math"

// 2^z is 2^(k/8)·2^f with k = round(8z) and |f| <= 1/16. The first factor is
// exact in the exponent (k>>3) and correctly rounded in the mantissa (a table of
// the eight 2^(i/8)); the second is 1 + f(E1 + f(E2 + f·E3)). E1 and E3 are the
// Taylor coefficients ln2 and ln2³/6. E2 is ln2²/2 raised by
// (2√2−2)/256·ln2⁴/24, which shares the neglected ln2⁴/24·f⁴ between the ends
// and the middle of the interval: relative error 2.6e-8, below the roundings of
// float32. The constant term is 1, so that a decay near one (ΔA → 0) keeps its
// full relative precision.
const (
	E1 = 0.6931471805599453
	E2 = 0.2402265069591007 + 0.8284271247461903/256*0.009618129107628477
	E3 = 0.05550410866482158
)

const (
	// EighthMagic is 1.5·2^20: adding it to |z| < 2^19 leaves round(8z) in the
	// low mantissa bits, and subtracting it again gives round(8z)/8.
	EighthMagic = 1572864

	// EighthBits is the bit pattern of EighthMagic.
	EighthBits = 0x49c00000

	// MinExp2 and MaxExp2 clamp k/8, so that the exponent field never wraps:
	// an underflowing decay becomes 2^-126, the smallest normal float32, and an
	// overflowing one saturates at 2^127. Clamping k rather than z costs
	// nothing, integer instructions having ports of their own. It leaves f
	// unclamped where z has no eighths left (|z| > 2^19), but f is then below
	// 2^22, and zero above 2^45: times 2^-126 the result is still below 1e-18.
	MinExp2 = -126
	MaxExp2 = 127

	// NearExp2 bounds the |z| that need no clamp.
	NearExp2 = 126

	// RoundMagic is 1.5·2^23: adding it to |z| < 2^22 leaves round(z) in the
	// low mantissa bits, and subtracting it again gives round(z).
	RoundMagic = 12582912

	// MinExp clamps the argument of e^x for x <= 0: e^-87 is the last value
	// whose power of two is above 2^-126.
	MinExp = -87

	Log2E = 1.4426950408889634
	Ln2   = 0.6931471805599453

	// Ln2Hi + Ln2Lo = ln 2, Ln2Hi with 9 trailing zero bits, so that
	// k·Ln2Hi is exact for |k| < 2^9 (Cody and Waite; Cephes expf).
	Ln2Hi = 0.693359375
	Ln2Lo = -2.12194440e-4
)

// Eighths are the bits of 2^(i/8), minus i<<20: added to k<<20 they give the
// bits of 2^(k/8), because the low three bits of k are i.
var Eighths = eighths()

func eighths() (t [8]uint32) {
	for i := range t {
		t[i] = math.Float32bits(float32(math.Exp2(float64(i)/8))) - uint32(i)<<20
	}
	return t
}

// ExpPoly are P5..P0 of Cephes expf (S. Moshier, single/expf.c):
// e^r = 1 + r + r²·P(r) on |r| <= ln2/2, relative error 2e-8.
var ExpPoly = [6]float32{
	1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3,
	4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1,
}

// Sin and Cos are the coefficients of Cephes sinf and cosf (single/sinf.c):
// sin x = x + x³·S(x²) and cos x = 1 − x²/2 + x⁴·C(x²) on |x| <= π/4.
var (
	Sin = [3]float32{-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1}
	Cos = [3]float32{2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2}
)

// AtanhPoly are the Taylor coefficients 1/13, 1/11 … 1/3, 1 of atanh(s)/s in
// s². With s = w/(2+w), log1p(w) = 2 atanh(s); w in [0,1] gives s² <= 1/9 and
// the first neglected term is (1/9)^7/15 = 1.4e-8 of the result.
var AtanhPoly = [7]float32{
	1. / 13, 1. / 11, 1. / 9, 1. / 7, 1. / 5, 1. / 3, 1,
}
