package scan

import (
	"math"

	"github.com/gophersnake/gophersnake/internal/kernel/scan/spec"
)

// exp2 is 2^z with a relative error below 1.3e-7 on [MinExp2, MaxExp2], clamped
// outside; NaN stays NaN. See package spec; the assembly does the same.
func exp2(z float32) float32 {
	t := z + spec.EighthMagic
	f := z - (t - spec.EighthMagic)
	k := int32(math.Float32bits(t))
	k = min(max(k, spec.EighthBits+8*spec.MinExp2), spec.EighthBits+8*spec.MaxExp2)
	s := math.Float32frombits(spec.Eighths[k&7] + uint32(k)<<20)
	return s + s*f*((spec.E3*f+spec.E2)*f+spec.E1)
}

// expNeg is e^x for x <= 0, 0 < result <= 1.
func expNeg(x float32) float32 {
	if x < spec.MinExp {
		x = spec.MinExp
	}
	t := x*spec.Log2E + spec.RoundMagic
	k := t - spec.RoundMagic
	r := (x - k*spec.Ln2Hi) - k*spec.Ln2Lo
	p := spec.ExpPoly[0]
	for _, c := range spec.ExpPoly[1:] {
		p = p*r + c
	}
	p = p*(r*r) + r + 1
	return math.Float32frombits(math.Float32bits(p) + math.Float32bits(t)<<23)
}

func abs32(x float32) float32 {
	return math.Float32frombits(math.Float32bits(x) &^ (1 << 31))
}

// softplus is log(1 + e^x) = max(x, 0) + log1p(e^-|x|), precise in relative
// terms for every sign of x.
func softplus(x float32) float32 {
	w := expNeg(-abs32(x))
	s := w / (2 + w)
	q := s * s
	p := spec.AtanhPoly[0]
	for _, c := range spec.AtanhPoly[1:] {
		p = p*q + c
	}
	return max(x, 0) + 2*s*p
}

// sigmoid is 1/(1 + e^-x).
func sigmoid(x float32) float32 {
	w := expNeg(-abs32(x))
	r := 1 / (1 + w)
	if x < 0 {
		return w * r
	}
	return r
}
