package cpu

import (
	"github.com/gophersnake/gophersnake/internal/device"
	"github.com/gophersnake/gophersnake/internal/kernel/vec"
)

// Apply computes y = f(x).
func (d *Device) Apply(f device.Func, x, y device.Buf) {
	value := function(f).value
	d.flat(len(y.F32), func(lo, hi int) { value(y.F32[lo:hi], x.F32[lo:hi]) })
}

// ApplyGrad adds dx += dy f'(x), for some functions by way of y = f(x).
func (d *Device) ApplyGrad(f device.Func, x, y, dy, dx device.Buf) {
	fn := function(f)
	if fn.ofY {
		x = y
	}
	d.flat(len(dx.F32), func(lo, hi int) { fn.grad(dx.F32[lo:hi], x.F32[lo:hi], dy.F32[lo:hi]) })
}

// Add computes y = a + b.
func (d *Device) Add(a, b, y device.Buf) {
	d.flat(len(y.F32), func(lo, hi int) { vec.Add(y.F32[lo:hi], a.F32[lo:hi], b.F32[lo:hi]) })
}

// Sub computes y = a − b.
func (d *Device) Sub(a, b, y device.Buf) {
	d.flat(len(y.F32), func(lo, hi int) { vec.Sub(y.F32[lo:hi], a.F32[lo:hi], b.F32[lo:hi]) })
}

// Mul computes y = a ⊙ b.
func (d *Device) Mul(a, b, y device.Buf) {
	d.flat(len(y.F32), func(lo, hi int) { vec.Mul(y.F32[lo:hi], a.F32[lo:hi], b.F32[lo:hi]) })
}

// MulGrad adds da += dy ⊙ b and db += dy ⊙ a; da may be db.
func (d *Device) MulGrad(a, b, dy, da, db device.Buf) {
	d.flat(len(dy.F32), func(lo, hi int) {
		if !da.IsNil() {
			vec.MulAdd(da.F32[lo:hi], dy.F32[lo:hi], b.F32[lo:hi])
		}
		if !db.IsNil() {
			vec.MulAdd(db.F32[lo:hi], dy.F32[lo:hi], a.F32[lo:hi])
		}
	})
}

// Axpy computes y += α x.
func (d *Device) Axpy(alpha float64, x, y device.Buf) {
	d.flat(len(y.F32), func(lo, hi int) { vec.Axpy(y.F32[lo:hi], float32(alpha), x.F32[lo:hi]) })
}

// Scale computes y = α x.
func (d *Device) Scale(alpha float64, x, y device.Buf) {
	d.flat(len(y.F32), func(lo, hi int) { vec.Scale(y.F32[lo:hi], float32(alpha), x.F32[lo:hi]) })
}

// AddRow computes y[i,j] = x[i,j] + row[j].
func (d *Device) AddRow(m, n int, x, row, y device.Buf) {
	d.rows(m, n, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			vec.Add(y.F32[i*n:][:n], x.F32[i*n:][:n], row.F32[:n])
		}
	})
}

// MulRow computes y[i,j] = x[i,j] row[j].
func (d *Device) MulRow(m, n int, x, row, y device.Buf) {
	d.rows(m, n, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			vec.Mul(y.F32[i*n:][:n], x.F32[i*n:][:n], row.F32[:n])
		}
	})
}

// MulRowGrad adds dx[i,j] += dy[i,j] row[j] and drow[j] += Σ_i dy[i,j] x[i,j].
func (d *Device) MulRowGrad(m, n int, x, row, dy, dx, drow device.Buf) {
	d.reduce(m, n, n, func(lo, hi int, part []float32) {
		for i := lo; i < hi; i++ {
			dy := dy.F32[i*n:][:n]
			if !dx.IsNil() {
				vec.MulAdd(dx.F32[i*n:][:n], dy, row.F32[:n])
			}
			if !drow.IsNil() {
				vec.MulAdd(part, dy, x.F32[i*n:][:n])
			}
		}
	}, func(sum []float32) { addTo(drow, sum) })
}

// SiLUMul computes y = a SiLU(z).
func (d *Device) SiLUMul(a, z, y device.Buf) {
	d.flat(len(y.F32), func(lo, hi int) { vec.SiLUMul(y.F32[lo:hi], a.F32[lo:hi], z.F32[lo:hi]) })
}

// Sum sets y[0] to the sum of x: blocks in float32, their sum in float64.
func (d *Device) Sum(x, y device.Buf) {
	y.F32[0] = float32(d.sumBlocks(x.F32, vec.Sum))
}

// SumSquares returns the sum of the squares of x, computed like Sum.
func (d *Device) SumSquares(x device.Buf) float64 { return d.sumBlocks(x.F32, vec.SumSquares) }

// sumBlocks adds f of the blocks of x, in order.
func (d *Device) sumBlocks(x []float32, f func([]float32) float32) float64 {
	parts := d.free.get(max(1, (len(x)+grain-1)/grain))
	defer d.free.put(parts)
	d.flat(len(x), func(lo, hi int) { parts[lo/grain] = f(x[lo:hi]) })
	total := 0.0
	for _, v := range parts {
		total += float64(v)
	}
	return total
}

// SumGrad adds dy[0] to every element of dx.
func (d *Device) SumGrad(dy, dx device.Buf) {
	d.flat(len(dx.F32), func(lo, hi int) { addScalar(dx.F32[lo:hi], dx.F32[lo:hi], dy.F32[0]) })
}

// SiLUMulGrad adds da += dy SiLU(z) and dz += dy a SiLU'(z).
func (d *Device) SiLUMulGrad(a, z, dy, da, dz device.Buf) {
	d.flat(len(dy.F32), func(lo, hi int) {
		unwanted := d.free.get(hi - lo)
		defer d.free.put(unwanted)
		part := func(x device.Buf) []float32 {
			if x.IsNil() {
				return unwanted
			}
			return x.F32[lo:hi]
		}
		vec.SiLUMulGrad(part(da), part(dz), part(a), part(z), part(dy))
	})
}
