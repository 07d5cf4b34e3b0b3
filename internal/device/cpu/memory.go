package cpu

import "github.com/gophersnake/gophersnake/internal/device"

// Alloc returns n zeros.
func (*Device) Alloc(n int) device.Buf { return device.Buf{F32: make([]float32, n)} }

// Upload rounds src to float32.
func (d *Device) Upload(dst device.Buf, src []float64) {
	y := dst.F32[:len(src)]
	d.flat(len(src), func(lo, hi int) {
		x := src[lo:hi]
		y := y[lo:hi]
		for i, v := range x {
			y[i] = float32(v)
		}
	})
}

// Download widens src to float64.
func (d *Device) Download(dst []float64, src device.Buf) {
	x := src.F32[:len(dst)]
	d.flat(len(dst), func(lo, hi int) {
		y := dst[lo:hi]
		x := x[lo:hi]
		for i, v := range x {
			y[i] = float64(v)
		}
	})
}

// Zero sets x to zeros.
func (d *Device) Zero(x device.Buf) {
	d.flat(len(x.F32), func(lo, hi int) { clear(x.F32[lo:hi]) })
}

// Fill sets every element of x to v.
func (d *Device) Fill(x device.Buf, v float64) {
	f := float32(v)
	d.flat(len(x.F32), func(lo, hi int) {
		x := x.F32[lo:hi]
		for i := range x {
			x[i] = f
		}
	})
}

// Copy copies src to dst, of the same length.
func (d *Device) Copy(dst, src device.Buf) {
	d.flat(len(src.F32), func(lo, hi int) { copy(dst.F32[lo:hi], src.F32[lo:hi]) })
}
