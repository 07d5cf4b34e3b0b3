package reference

import (
	"fmt"
	"math"

	"github.com/gophersnake/gophersnake/internal/device"
)

// softplusMax is where softplus becomes the identity, as in PyTorch and in the
// kernels of Mamba. The jump there is e⁻²⁰ = 2e-9.
const softplusMax = 20

// The tanh approximation of GELU: u = geluScale (x + geluCubic x³).
const geluCubic = 0.044715

var geluScale = math.Sqrt(2 / math.Pi)

// sigmoid is σ(x) = 1/(1+e⁻ˣ), with an exponent that never overflows.
func sigmoid(x float64) float64 {
	if x >= 0 {
		return 1 / (1 + math.Exp(-x))
	}
	e := math.Exp(x)
	return e / (1 + e)
}

// dsigmoid is σ'(x) = σ(x)(1 − σ(x)) = σ(x) σ(−x), without cancellation.
func dsigmoid(x float64) float64 { return sigmoid(x) * sigmoid(-x) }

// silu is x σ(x).
func silu(x float64) float64 { return x * sigmoid(x) }

// dsilu is σ(x) + x σ'(x).
func dsilu(x float64) float64 { return sigmoid(x) + x*dsigmoid(x) }

// softplus is log(1+eˣ), and x itself above 20.
func softplus(x float64) float64 {
	if x > softplusMax {
		return x
	}
	return math.Log1p(math.Exp(x))
}

// dsoftplus is σ(x), and 1 above 20.
func dsoftplus(x float64) float64 {
	if x > softplusMax {
		return 1
	}
	return sigmoid(x)
}

// phi is the standard normal distribution function Φ(x).
func phi(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }

// dphi is the standard normal density.
func dphi(x float64) float64 { return math.Exp(-x*x/2) / math.Sqrt(2*math.Pi) }

// geluTanh is x (1 + tanh u)/2 = x σ(2u), u = √(2/π) (x + 0.044715 x³)
// (Hendrycks & Gimpel §2).
func geluTanh(x float64) float64 { return x * sigmoid(2*geluScale*(x+geluCubic*x*x*x)) }

func dgeluTanh(x float64) float64 {
	u2 := 2 * geluScale * (x + geluCubic*x*x*x)
	du2 := 2 * geluScale * (1 + 3*geluCubic*x*x)
	return sigmoid(u2) + x*dsigmoid(u2)*du2
}

// minG is g of minGRU (Feng et al., app. B): a positive, continuous stand-in
// for the candidate state.
func minG(x float64) float64 {
	if x >= 0 {
		return x + 0.5
	}
	return sigmoid(x)
}

func dminG(x float64) float64 {
	if x >= 0 {
		return 1
	}
	return dsigmoid(x)
}

// dtanh is 1 − tanh², written so that it does not cancel: 1/cosh².
func dtanh(x float64) float64 { c := math.Cosh(x); return 1 / c / c }

// step is the derivative of ReLU; it is 0 at 0, as in PyTorch.
func step(x float64) float64 {
	if x > 0 {
		return 1
	}
	return 0
}

// function returns f and its derivative.
func function(f device.Func) (value, slope func(float64) float64) {
	switch f {
	case device.Tanh:
		return math.Tanh, dtanh
	case device.Sigmoid:
		return sigmoid, dsigmoid
	case device.SiLU:
		return silu, dsilu
	case device.GELU:
		return func(x float64) float64 { return x * phi(x) },
			func(x float64) float64 { return phi(x) + x*dphi(x) }
	case device.GELUTanh:
		return geluTanh, dgeluTanh
	case device.Softplus:
		return softplus, dsoftplus
	case device.ReLU:
		return func(x float64) float64 { return max(x, 0) }, step
	case device.Exp:
		return math.Exp, math.Exp
	case device.Log:
		return math.Log, func(x float64) float64 { return 1 / x }
	case device.Neg:
		return func(x float64) float64 { return -x }, func(float64) float64 { return -1 }
	case device.Square:
		return func(x float64) float64 { return x * x }, func(x float64) float64 { return 2 * x }
	case device.Sin:
		return math.Sin, math.Cos
	case device.Cos:
		return math.Cos, func(x float64) float64 { return -math.Sin(x) }
	case device.Recip:
		return func(x float64) float64 { return 1 / x }, func(x float64) float64 { return -1 / (x * x) }
	case device.MinG:
		return minG, dminG
	}
	panic(fmt.Sprintf("reference: unknown function %q, want one of %v", f, device.Funcs()))
}

// Apply computes y = f(x).
func (*Device) Apply(f device.Func, x, y device.Buf) {
	value, _ := function(f)
	for i, v := range x.F64 {
		y.F64[i] = value(v)
	}
}

// ApplyGrad adds dx += dy f'(x). It does not look at y.
func (*Device) ApplyGrad(f device.Func, x, y, dy, dx device.Buf) {
	_, slope := function(f)
	for i, v := range x.F64 {
		add(dx, i, dy.F64[i]*slope(v))
	}
}

// Add computes y = a + b.
func (*Device) Add(a, b, y device.Buf) {
	for i := range y.F64 {
		y.F64[i] = a.F64[i] + b.F64[i]
	}
}

// Sub computes y = a − b.
func (*Device) Sub(a, b, y device.Buf) {
	for i := range y.F64 {
		y.F64[i] = a.F64[i] - b.F64[i]
	}
}

// Mul computes y = a ⊙ b.
func (*Device) Mul(a, b, y device.Buf) {
	for i := range y.F64 {
		y.F64[i] = a.F64[i] * b.F64[i]
	}
}

// MulGrad adds da += dy ⊙ b and db += dy ⊙ a. da and db may be one buffer.
func (*Device) MulGrad(a, b, dy, da, db device.Buf) {
	for i, g := range dy.F64 {
		add(da, i, g*b.F64[i])
		add(db, i, g*a.F64[i])
	}
}

// Axpy computes y += α x.
func (*Device) Axpy(alpha float64, x, y device.Buf) {
	for i, v := range x.F64 {
		y.F64[i] += alpha * v
	}
}

// Scale computes y = α x.
func (*Device) Scale(alpha float64, x, y device.Buf) {
	for i, v := range x.F64 {
		y.F64[i] = alpha * v
	}
}

// AddRow computes y[i,j] = x[i,j] + row[j] for x (m,n), row (n).
func (*Device) AddRow(m, n int, x, row, y device.Buf) {
	for i := range m {
		for j := range n {
			y.F64[i*n+j] = x.F64[i*n+j] + row.F64[j]
		}
	}
}

// MulRow computes y[i,j] = x[i,j] row[j] for x (m,n), row (n).
func (*Device) MulRow(m, n int, x, row, y device.Buf) {
	for i := range m {
		for j := range n {
			y.F64[i*n+j] = x.F64[i*n+j] * row.F64[j]
		}
	}
}

// MulRowGrad adds dx[i,j] += dy[i,j] row[j] and drow[j] += Σ_i dy[i,j] x[i,j].
func (*Device) MulRowGrad(m, n int, x, row, dy, dx, drow device.Buf) {
	for i := range m {
		for j := range n {
			g := dy.F64[i*n+j]
			add(dx, i*n+j, g*row.F64[j])
			add(drow, j, g*x.F64[i*n+j])
		}
	}
}

// SiLUMul computes y = a SiLU(z), the gate of Mamba's block (Mamba §3.4).
func (*Device) SiLUMul(a, z, y device.Buf) {
	for i := range y.F64 {
		y.F64[i] = a.F64[i] * silu(z.F64[i])
	}
}

// SiLUMulGrad adds da += dy SiLU(z) and dz += dy a SiLU'(z).
func (*Device) SiLUMulGrad(a, z, dy, da, dz device.Buf) {
	for i, g := range dy.F64 {
		add(da, i, g*silu(z.F64[i]))
		add(dz, i, g*a.F64[i]*dsilu(z.F64[i]))
	}
}

// Dropout computes y[i] = x[i]/(1−p) where device.Keep(seed, i, p), else 0.
func (*Device) Dropout(p float64, seed uint64, x, y device.Buf) {
	for i, v := range x.F64 {
		y.F64[i] = 0
		if device.Keep(seed, i, p) {
			y.F64[i] = v / (1 - p)
		}
	}
}

// DropoutGrad adds dx[i] += dy[i]/(1−p) where device.Keep(seed, i, p).
func (*Device) DropoutGrad(p float64, seed uint64, dy, dx device.Buf) {
	for i, g := range dy.F64 {
		if device.Keep(seed, i, p) {
			add(dx, i, g/(1-p))
		}
	}
}

// Sum computes y[0] = Σ_i x[i].
func (*Device) Sum(x, y device.Buf) {
	s := 0.0
	for _, v := range x.F64 {
		s += v
	}
	y.F64[0] = s
}

// SumGrad adds dx[i] += dy[0].
func (*Device) SumGrad(dy, dx device.Buf) {
	for i := range dx.F64 {
		dx.F64[i] += dy.F64[0]
	}
}

// SumSquares returns Σ_i x[i]².
func (*Device) SumSquares(x device.Buf) float64 {
	s := 0.0
	for _, v := range x.F64 {
		s += v * v
	}
	return s
}
