package cpu

import (
	"github.com/gophersnake/gophersnake/internal/device"
	"github.com/gophersnake/gophersnake/internal/kernel/vec"
)

// MeanPool averages x (B,L,D) over time into y (B,D).
func (d *Device) MeanPool(b, l, n int, x, y device.Buf) {
	d.tasks(b, b*l*n, func(i int) {
		sum := y.F32[i*n:][:n]
		clear(sum)
		for t := range l {
			vec.AddTo(sum, x.F32[(i*l+t)*n:][:n])
		}
		vec.Scale(sum, 1/float32(l), sum)
	})
}

// MeanPoolGrad adds dy/L to every step of dx.
func (d *Device) MeanPoolGrad(b, l, n int, dy, dx device.Buf) {
	d.rows(b*l, n, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			vec.Axpy(dx.F32[i*n:][:n], 1/float32(l), dy.F32[i/l*n:][:n])
		}
	})
}
