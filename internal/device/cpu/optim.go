package cpu

import (
	"github.com/gophersnake/gophersnake/internal/device"
	"github.com/gophersnake/gophersnake/internal/kernel/vec"
)

// AdamW is one update of the parameters w and the moments m and v by g.
func (d *Device) AdamW(h device.AdamW, w, g, m, v device.Buf) {
	d.flat(len(w.F32), func(lo, hi int) {
		vec.AdamW(w.F32[lo:hi], g.F32[lo:hi], m.F32[lo:hi], v.F32[lo:hi], float32(h.LR), float32(h.Beta1), float32(h.Beta2),
			float32(h.Eps), float32(h.Decay), float32(h.C1), float32(h.C2), float32(h.GradScale))
	})
}

// SGD is one step of gradient descent: buf ← momentum·buf + scale·g + decay·w;
// w ← w − lr·buf. A nil buf counts as zeros.
func (d *Device) SGD(lr, momentum, decay, scale float64, w, g, buf device.Buf) {
	d.flat(len(w.F32), func(lo, hi int) {
		w, g := w.F32[lo:hi], g.F32[lo:hi]
		step := d.free.get(hi - lo)
		defer d.free.put(step)
		vec.Scale(step, float32(scale), g)
		vec.Axpy(step, float32(decay), w)
		if !buf.IsNil() {
			buf := buf.F32[lo:hi]
			vec.Axpy(step, float32(momentum), buf)
			copy(buf, step)
		}
		vec.Axpy(w, -float32(lr), step)
	})
}
