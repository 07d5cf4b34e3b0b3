package tensor

import (
	"fmt"
	"slices"

	"github.com/gophersnake/gophersnake/internal/device"
)

// Func names an elementwise function for Tape.Map.
type Func = device.Func

// The elementwise functions.
const (
	Tanh     = device.Tanh
	Sigmoid  = device.Sigmoid
	SiLU     = device.SiLU     // x σ(x)
	GELU     = device.GELU     // x Φ(x), exact
	GELUTanh = device.GELUTanh // the tanh approximation of GELU
	Softplus = device.Softplus // log(1 + eˣ); x itself for x > 20
	ReLU     = device.ReLU
	Exp      = device.Exp
	Log      = device.Log
	Neg      = device.Neg
	Square   = device.Square
	Sin      = device.Sin
	Cos      = device.Cos
	Recip    = device.Recip // 1/x
	MinG     = device.MinG  // minGRU's g: x + ½ for x ≥ 0, σ(x) otherwise
)

// Funcs lists the elementwise functions.
func Funcs() []Func { return device.Funcs() }

// Map returns f(x), element by element.
func (tp *Tape) Map(f Func, x *Tensor) *Tensor {
	if !slices.Contains(device.Funcs(), f) {
		panic(fmt.Sprintf("tensor: Map: function %q, want one of %v", f, device.Funcs()))
	}
	track := tp.tracks("Map", x)
	y := tp.like(x)
	tp.d.Apply(f, x.buf, y.buf)
	if track {
		tp.record([]*Tensor{y}, nil, func() { tp.d.ApplyGrad(f, x.buf, y.buf, y.grad, tp.grad(x)) })
	}
	return y
}

// Add returns a + b, of equal shapes.
func (tp *Tape) Add(a, b *Tensor) *Tensor {
	track := tp.tracksUnread("Add", a, b)
	wantSame("Add", "b", b, a)
	y := tp.like(a)
	tp.d.Add(a.buf, b.buf, y.buf)
	if track {
		tp.recordSpare([]*Tensor{y}, func() {
			tp.addGrad(b, y.grad)
			tp.moveGrad(a, y)
		})
	}
	return y
}

// Sub returns a − b, of equal shapes.
func (tp *Tape) Sub(a, b *Tensor) *Tensor {
	track := tp.tracksUnread("Sub", a, b)
	wantSame("Sub", "b", b, a)
	y := tp.like(a)
	tp.d.Sub(a.buf, b.buf, y.buf)
	if track {
		tp.recordSpare([]*Tensor{y}, func() {
			if g := tp.grad(b); !g.IsNil() {
				tp.d.Axpy(-1, y.grad, g)
			}
			tp.moveGrad(a, y)
		})
	}
	return y
}

// Mul returns a ⊙ b, of equal shapes.
func (tp *Tape) Mul(a, b *Tensor) *Tensor {
	track := tp.tracks("Mul", a, b)
	wantSame("Mul", "b", b, a)
	y := tp.like(a)
	tp.d.Mul(a.buf, b.buf, y.buf)
	if track {
		tp.recordSpare([]*Tensor{y}, func() {
			da, db := tp.grad(a), tp.grad(b)
			tp.d.MulGrad(a.buf, b.buf, y.grad, da, db)
		})
	}
	return y
}

// Scale returns alpha·x.
func (tp *Tape) Scale(alpha float64, x *Tensor) *Tensor {
	track := tp.tracks("Scale", x)
	y := tp.like(x)
	tp.d.Scale(alpha, x.buf, y.buf)
	if track {
		tp.record([]*Tensor{y}, nil, func() { tp.d.Axpy(alpha, y.grad, tp.grad(x)) })
	}
	return y
}

// AddRow returns x + row, where row (n) is added to each row of x (..., n).
func (tp *Tape) AddRow(x, row *Tensor) *Tensor {
	track := tp.tracks("AddRow", x, row)
	n := lastAxis("AddRow", "x", x)
	want("AddRow", "row", row, n)
	y := tp.like(x)
	tp.d.AddRow(x.rows(), n, x.buf, row.buf, y.buf)
	if track {
		tp.record([]*Tensor{y}, nil, func() {
			if g := tp.grad(row); !g.IsNil() {
				tp.d.SumRows(x.rows(), n, y.grad, g)
			}
			tp.moveGrad(x, y)
		})
	}
	return y
}

// MulRow returns x ⊙ row, where row (n) multiplies each row of x (..., n).
func (tp *Tape) MulRow(x, row *Tensor) *Tensor {
	track := tp.tracks("MulRow", x, row)
	n := lastAxis("MulRow", "x", x)
	want("MulRow", "row", row, n)
	y := tp.like(x)
	tp.d.MulRow(x.rows(), n, x.buf, row.buf, y.buf)
	if track {
		tp.recordSpare([]*Tensor{y}, func() {
			dx, drow := tp.grad(x), tp.grad(row)
			tp.d.MulRowGrad(x.rows(), n, x.buf, row.buf, y.grad, dx, drow)
		})
	}
	return y
}

// SiLUMul returns a ⊙ SiLU(z), the output gate of Mamba and of SwiGLU.
func (tp *Tape) SiLUMul(a, z *Tensor) *Tensor {
	track := tp.tracks("SiLUMul", a, z)
	wantSame("SiLUMul", "z", z, a)
	y := tp.like(a)
	tp.d.SiLUMul(a.buf, z.buf, y.buf)
	if track {
		tp.record([]*Tensor{y}, nil, func() {
			da, dz := tp.grad(a), tp.grad(z)
			tp.d.SiLUMulGrad(a.buf, z.buf, y.grad, da, dz)
		})
	}
	return y
}

// Dropout sets each element to 0 with probability p and divides the others by
// 1−p. It returns x itself when p is 0 or the tape is not training. The masks
// follow from SetSeed and the number of dropouts since.
func (tp *Tape) Dropout(p float64, x *Tensor) *Tensor {
	wantProbability("Dropout", p)
	track := tp.tracksUnread("Dropout", x)
	if p == 0 || !tp.train {
		return x
	}
	tp.dropped++
	seed := maskSeed(tp.seed, tp.dropped)
	y := tp.like(x)
	tp.d.Dropout(p, seed, x.buf, y.buf)
	if track {
		tp.recordSpare([]*Tensor{y}, func() { tp.d.DropoutGrad(p, seed, y.grad, tp.grad(x)) })
	}
	return y
}

// maskSeed returns the seed of the n-th mask: splitmix64's finaliser over a
// counter. A mask itself steps its seed by splitmix64's increment from element
// to element, so seeds that differ by multiples of it would give one mask,
// shifted; hence another increment here, and the finaliser.
func maskSeed(seed, n uint64) uint64 {
	x := seed + n*0xd1342543de82ef95
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// Sum returns Σ x as a tensor of one element.
func (tp *Tape) Sum(x *Tensor) *Tensor {
	track := tp.tracks("Sum", x)
	y := tp.alloc(1)
	tp.d.Sum(x.buf, y.buf)
	if track {
		tp.record([]*Tensor{y}, nil, func() { tp.d.SumGrad(y.grad, tp.grad(x)) })
	}
	return y
}

// Mean returns the mean of x as a tensor of one element.
func (tp *Tape) Mean(x *Tensor) *Tensor {
	tp.accept("Mean", x)
	return tp.Scale(1/float64(x.Len()), tp.Sum(x))
}
