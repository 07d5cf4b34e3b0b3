package cpu

import (
	"math"
	"sync"

	"github.com/gophersnake/gophersnake/internal/device"
)

// angleStride splits a position p into a·angleStride + r, so that the sines of
// all positions need only the exact ones of two short ranges (see angles).
const angleStride = 64

// Rotary rotates the pairs (i, i+Dh/2) of every head, or back if inverse.
func (d *Device) Rotary(r device.Rotary, x, y device.Buf, inverse, add bool) {
	half := r.Dh / 2
	table, scratch := d.angles(r, inverse)
	defer d.free.put(scratch)
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

// An angleKey is what a table of angles from position 0 on depends on.
type angleKey struct {
	l, dh   int
	base    float64
	inverse bool
}

// angleTables is how many tables of angles a device keeps: forward and gradient
// of two lengths.
const angleTables = 4

// angleCache keeps tables of angles, which a training step asks for many times.
// Several goroutines may use it; the tables do not change. One more than it may
// keep makes it forget the others.
type angleCache struct {
	mu     sync.Mutex
	tables map[angleKey][]float32
}

// get returns the table of key, made by fill if it is not there.
func (c *angleCache) get(key angleKey, fill func(table []float32)) []float32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t := c.tables[key]; t != nil {
		return t
	}
	if c.tables == nil || len(c.tables) == angleTables {
		c.tables = map[angleKey][]float32{}
	}
	t := make([]float32, key.l*key.dh)
	fill(t)
	c.tables[key] = t
	return t
}

// angles returns the table of fillAngles, and what of it is scratch. Steps of
// generation, each from another position on, do not keep theirs.
func (d *Device) angles(r device.Rotary, inverse bool) (table, scratch []float32) {
	if r.Offset == 0 && r.L > angleStride {
		key := angleKey{r.L, r.Dh, r.Base, inverse}
		return d.turns.get(key, func(t []float32) { d.fillAngles(r, inverse, t) }), nil
	}
	t := d.free.get(r.L * r.Dh)
	d.fillAngles(r, inverse, t)
	return t, t
}

// fillAngles sets table to (L,Dh): for each step the Dh/2 cosines, then the sines,
// of (Offset+t)·Base^(−2i/Dh); the sines negated if inverse. With p = 64a + r,
//
//	cos pθ = cos 64aθ cos rθ − sin 64aθ sin rθ, and so on
//
// in float64: the cost is two products instead of Go's sine, the error 1e-16,
// and the angle of a position does not depend on where the sequence starts.
func (d *Device) fillAngles(r device.Rotary, inverse bool, table []float32) {
	half := r.Dh / 2
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
}
