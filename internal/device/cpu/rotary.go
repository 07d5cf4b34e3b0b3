package cpu

import (
	"math"

	"github.com/gophersnake/gophersnake/internal/device"
)

// angleStride splits a position p into a·angleStride + r, so that the sines of
// all positions need only the exact ones of two short ranges (see angles).
const angleStride = 64

// Rotary rotates the pairs (i, i+Dh/2) of every head, or back if inverse.
func (d *Device) Rotary(r device.Rotary, x, y device.Buf, inverse, add bool) {
	half := r.Dh / 2
	table := d.angles(r, inverse)
	defer d.free.put(table)
	n := r.H * r.Dh
	d.rows(r.B*r.L, n, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			cs := table[i%r.L*r.Dh:][:r.Dh]
			for h := range r.H {
				at := i*n + h*r.Dh
				rotate(cs[:half], cs[half:], x.F32[at:][:r.Dh], y.F32[at:][:r.Dh], add)
			}
		}
	})
}

// rotate sets y (or adds to it) to the pairs of x turned by the angles whose
// cosines and sines are c and s.
func rotate(c, s, x, y []float32, add bool) {
	n := len(c)
	x0, x1, y0, y1 := x[:n], x[n:][:n], y[:n], y[n:][:n]
	s = s[:n]
	if add {
		for i, c := range c {
			a, b := x0[i], x1[i]
			y0[i] += a*c - b*s[i]
			y1[i] += b*c + a*s[i]
		}
		return
	}
	for i, c := range c {
		a, b := x0[i], x1[i]
		y0[i] = a*c - b*s[i]
		y1[i] = b*c + a*s[i]
	}
}

// angles returns (L,Dh): for each step the Dh/2 cosines, then the sines, of
// (Offset+t)·Base^(−2i/Dh); the sines negated if inverse. With p = 64a + r,
//
//	cos pθ = cos 64aθ cos rθ − sin 64aθ sin rθ, and so on
//
// in float64: the cost is two products instead of Go's sine, the error 1e-16,
// and the angle of a position does not depend on where the sequence starts.
func (d *Device) angles(r device.Rotary, inverse bool) []float32 {
	half := r.Dh / 2
	table := d.free.get(r.L * r.Dh)
	sign := 1.0
	if inverse {
		sign = -1
	}
	d.tasks(half, r.L*r.Dh, func(i int) {
		theta := math.Pow(r.Base, -2*float64(i)/float64(r.Dh))
		var fs, fc [angleStride]float64
		for t := range min(angleStride, r.L) {
			k := (r.Offset + t) % angleStride
			fs[k], fc[k] = math.Sincos(float64(k) * theta)
		}
		var as, ac float64
		for t := range r.L {
			k := (r.Offset + t) % angleStride
			if t == 0 || k == 0 {
				as, ac = math.Sincos(float64(r.Offset+t-k) * theta)
			}
			table[t*r.Dh+i] = float32(ac*fc[k] - as*fs[k])
			table[t*r.Dh+half+i] = float32(sign * (as*fc[k] + ac*fs[k]))
		}
	})
	return table
}
