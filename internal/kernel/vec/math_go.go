package vec

import (
	"math"

	"github.com/gophersnake/gophersnake/internal/kernel/vec/coef"
)

// The functions of one element in plain Go, step for step as in gen/math.go.

// reduce splits x into n and r with x = n·ln 2 + r; n is returned in the low
// bits of a float of size coef.Round.
func reduce(x float32) (n int32, r float32) {
	t := x*coef.Log2E + coef.Round
	whole := t - coef.Round
	r = x - whole*coef.Ln2Hi
	r -= whole * coef.Ln2Lo
	return int32(math.Float32bits(t)), r
}

// expTail returns (exp(r) - 1 - r) / r².
func expTail(r float32) float32 {
	p := float32(coef.Exp6)*r + coef.Exp5
	p = p*r + coef.Exp4
	p = p*r + coef.Exp3
	return p*r + coef.Exp2
}

// power returns 2ⁿ for -126 <= n <= 127 in the low bits.
func power(n int32) float32 {
	return math.Float32frombits(uint32(n)<<23 + math.Float32bits(1))
}

// exp32 returns exp(x).
func exp32(x float32) float32 {
	if x > coef.ExpMax { // not min and max: NaN must pass
		x = coef.ExpMax
	}
	if x < coef.ExpMin {
		x = coef.ExpMin
	}
	n, r := reduce(x)
	p := (expTail(r)*r+1)*r + 1
	half := n >> 1
	return p * power(half) * power(n-half)
}

func abs32(x float32) float32 {
	return math.Float32frombits(math.Float32bits(x) &^ (1 << 31))
}

// sigmoidParts returns σ(x) = upper/lower, accurate for any x.
func sigmoidParts(x float32) (upper, lower float32) {
	e := exp32(-abs32(x))
	if math.Signbit(float64(x)) {
		return e, 1 + e
	}
	return 1, 1 + e
}

// sigmoidSlope returns σ(x) and σ'(x).
func sigmoidSlope(x float32) (s, slope float32) {
	e := exp32(-abs32(x))
	inverse := 1 / (1 + e)
	s = inverse
	if math.Signbit(float64(x)) {
		s = e * inverse
	}
	return s, e * inverse * inverse
}

func sigmoid32(x float32) float32 {
	upper, lower := sigmoidParts(x)
	return upper / lower
}

func silu32(x float32) float32 {
	upper, lower := sigmoidParts(x)
	return x * upper / lower
}

func siluSlope(x float32) float32 {
	s, slope := sigmoidSlope(x)
	return s + slope*x
}

// softplus32 returns max(x, 0) + log(1 + exp(-|x|)).
func softplus32(x float32) float32 {
	e := exp32(-abs32(x))
	u := e / (0.5*e + 1)
	square := u * u
	p := float32(coef.Log4)*square + coef.Log3
	p = p*square + coef.Log2
	p = p*square + coef.Log1
	p = (p*square + 1) * u
	if x < 0 {
		return p
	}
	return p + x
}

// tanh32 returns sign(x)·u/(u+2) with u = exp(2|x|) - 1.
func tanh32(x float32) float32 {
	y := abs32(x)
	y += y
	if y > coef.TanhMax {
		y = coef.TanhMax
	}
	n, r := reduce(y)
	u := expTail(r)*r*r + r
	s := power(n)
	u = s*u + (s - 1)
	return float32(math.Copysign(float64(u/(u+2)), float64(x)))
}

// clampGELU cuts x off where σ(v(x)) is 0 or 1.
func clampGELU(x float32) float32 {
	if x > coef.GELUMax {
		return coef.GELUMax
	}
	if x < -coef.GELUMax {
		return -coef.GELUMax
	}
	return x
}

// gelu32 returns x·σ(v), v = x·(GELU1 + GELU3·x²).
func gelu32(x float32) float32 {
	c := clampGELU(x)
	upper, lower := sigmoidParts(c * (coef.GELU3*(c*c) + coef.GELU1))
	return x * upper / lower
}

// geluSlope returns σ(v) + x·σ'(v)·dv/dx.
func geluSlope(x float32) float32 {
	c := clampGELU(x)
	square := c * c
	s, slope := sigmoidSlope(c * (coef.GELU3*square + coef.GELU1))
	dv := 3*coef.GELU3*square + coef.GELU1
	return s + slope*dv*c
}

// normal returns Φ(-|x|) and exp(-x²/2).
func normal(x float32) (tail, e float32) {
	a := abs32(x)
	if a > coef.NormalMax {
		a = coef.NormalMax
	}
	square := a * a
	lost := float32(float64(a)*float64(a)-float64(square)) * 0.5 // exact in float64
	e = exp32(square * -0.5)
	e -= e * lost
	t := 1 / (coef.NormalScale*a + 1)
	for i := len(coef.Normal) - 1; i >= 0; i-- {
		tail = tail*t + coef.Normal[i]
	}
	return tail * t * e, e
}

// normalUpTo returns Φ(x) for tail = Φ(-|x|).
func normalUpTo(x, tail float32) float32 {
	if math.Signbit(float64(x)) {
		return tail
	}
	return 1 - tail
}

// geluExact32 returns x·Φ(x).
func geluExact32(x float32) float32 {
	tail, _ := normal(x)
	return x * normalUpTo(x, tail)
}

// geluExactSlope returns Φ(x) + x·φ(x), φ(x) = exp(-x²/2)/√(2π).
func geluExactSlope(x float32) float32 {
	tail, e := normal(x)
	if x > coef.NormalMax { // where e is 0, so is its product with x
		x = coef.NormalMax
	}
	if x < -coef.NormalMax {
		x = -coef.NormalMax
	}
	return normalUpTo(x, tail) + e*coef.InvSqrt2Pi*x
}
