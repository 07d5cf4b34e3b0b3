package cpu

import (
	"github.com/gophersnake/gophersnake/internal/device"
	"github.com/gophersnake/gophersnake/internal/kernel/fused"
	"github.com/gophersnake/gophersnake/internal/kernel/gemm"
	"github.com/gophersnake/gophersnake/internal/kernel/vec"
)

// Elman is h_t = tanh(W h_{t−1} + x_t), or without tanh if Linear.
func (d *Device) Elman(e *device.Elman) {
	w := d.recurrentWeight(e.B, e.L, e.H, e.H, e.W)
	defer w.release()
	d.batches(e.B, e.B*e.L*e.H*e.H, func(lo, hi int) {
		n := (hi - lo) * e.H
		tmp := d.free.get(2 * n)
		defer d.free.put(tmp)
		h, next := tmp[:n], tmp[n:]
		loadRows(e.H0, lo, hi, e.H, h)
		for t := range e.L {
			for b := lo; b < hi; b++ {
				copy(next[(b-lo)*e.H:][:e.H], e.X.F32[(b*e.L+t)*e.H:])
			}
			w.addTo(next, hi-lo, h)
			h, next = next, h
			for b := lo; b < hi; b++ {
				row, out := h[(b-lo)*e.H:][:e.H], e.Out.F32[(b*e.L+t)*e.H:]
				if e.Linear {
					copy(out, row)
				} else {
					fused.Elman(row, out)
				}
			}
		}
	})
}

// ElmanGrad goes back through time. With X_t = dL/dh_t,
//
//	X_t = dh_t + Wᵀ s_{t+1};  s_t = X_t ⊙ (1 − h_t²), or X_t if Linear
//	dx_t = s_t;  dW = Σ s_t h_{t−1}ᵀ
func (d *Device) ElmanGrad(e *device.Elman, dh, dx, dw device.Buf) {
	w := d.packs.get()
	defer d.packs.put(w)
	gemm.Pack(false, e.H, e.H, e.W.F32, e.H, w)
	s := d.free.get(e.B * e.L * e.H)
	defer d.free.put(s)
	d.batches(e.B, e.B*e.L*e.H*e.H, func(lo, hi int) {
		n := (hi - lo) * e.H
		tmp := d.free.getZero(2*n + e.H)
		defer d.free.put(tmp)
		x, da, none := tmp[:n], tmp[n:2*n], tmp[2*n:]
		for t := e.L - 1; t >= 0; t-- {
			for b := lo; b < hi; b++ {
				i := (b*e.L + t) * e.H
				x, da := x[(b-lo)*e.H:][:e.H], da[(b-lo)*e.H:][:e.H]
				dx := wanted(dx, i, none)
				if !e.Linear {
					fused.ElmanGrad(x, dh.F32[i:], e.Out.F32[i:], da, s[i:], dx)
					continue
				}
				vec.Add(da, x, dh.F32[i:][:e.H])
				copy(s[i:], da)
				vec.AddTo(dx[:e.H], da)
			}
			gemm.MulPacked(hi-lo, da, e.H, w, 0, x, e.H)
		}
	})
	if !dw.IsNil() {
		d.recurrentWeightGrad(e.B, e.L, e.H, e.H, s, e.H, e.Out, e.H0, dw)
	}
}
