package cpu

import (
	"github.com/gophersnake/gophersnake/internal/device"
	"github.com/gophersnake/gophersnake/internal/kernel/gemm"
	"github.com/gophersnake/gophersnake/internal/kernel/vec"
)

// Elman, GRU and LSTM share one scheme. W is packed once. A task owns some
// rows of the batch for the whole sequence, so steps need no synchronisation;
// its states and gates lie together in scratch, because in the (B,L,·) arrays
// the rows of one step are a power of two apart and would fight for the same
// cache lines. Products treat rows alike however many there are, so the rows
// may be dealt out by the number of workers. Going back, the gates' gradients
// of all steps are collected, and dW is a single product over B·L rows.

// minRecurrentRows is how many rows a task should have at least: with fewer,
// the product reads W as often as it computes with it.
const minRecurrentRows = 4

// batches runs f on runs of batch rows, about one run per worker.
func (d *Device) batches(b, work int, f func(lo, hi int)) {
	n := min(d.workers, (b+minRecurrentRows-1)/minRecurrentRows)
	if n <= 1 || work <= grain {
		f(0, b)
		return
	}
	d.tasks(n, work, func(t int) { f(t*b/n, (t+1)*b/n) })
}

// A recurrentWeight is W (out,in) as the loop over time needs it.
type recurrentWeight struct {
	d       *Device
	out, in int
	w       []float32
	packed  *gemm.Packed // nil if W is used once, for one row
}

// recurrentWeight prepares W for the products of l steps of b rows.
func (d *Device) recurrentWeight(b, l, out, in int, w device.Buf) recurrentWeight {
	r := recurrentWeight{d: d, out: out, in: in, w: w.F32}
	if b*l > 1 {
		r.packed = d.packs.get()
		gemm.Pack(true, in, out, r.w, in, r.packed)
	}
	return r
}

func (r recurrentWeight) release() {
	if r.packed != nil {
		r.d.packs.put(r.packed)
	}
}

// addTo adds W h to the rows of y.
func (r recurrentWeight) addTo(y []float32, rows int, h []float32) {
	if r.packed == nil {
		r.d.vecMat(true, r.out, r.in, h, r.w, nil, y, true)
		return
	}
	gemm.MulPacked(rows, h, r.in, r.packed, 1, y, r.out)
}

// loadRows copies rows lo to hi of x (B,n) to y, zeros if x is nil.
func loadRows(x device.Buf, lo, hi, n int, y []float32) {
	if x.IsNil() {
		clear(y[:(hi-lo)*n])
		return
	}
	copy(y, x.F32[lo*n:hi*n])
}

// recurrentWeightGrad adds Σ s_tᵀ h_{t−1} to dw (g,h), for gradients s
// (B·L,g) of the gates, rows ld apart, and states out (B,L,h) that start from h0
// (B,h). It leaves s as it was.
//
// Row i of s belongs to row i−1 of out, except at t = 0. These rows are
// gathered for a product with h0 and zeroed, so that the rest is one product.
func (d *Device) recurrentWeightGrad(b, l, g, h int, s []float32, ld int, out, h0, dw device.Buf) {
	first := d.free.get(b * g)
	defer d.free.put(first)
	for i := range b {
		row := s[i*l*ld:][:g]
		copy(first[i*g:], row)
		clear(row)
	}
	if !h0.IsNil() {
		gemm.Gemm(d.workers, true, false, g, h, b, first, g, h0.F32, h, 1, dw.F32, h)
	}
	if n := b*l - 1; n > 0 {
		gemm.Gemm(d.workers, true, false, g, h, n, s[ld:], ld, out.F32, h, 1, dw.F32, h)
	}
	for i := range b {
		copy(s[i*l*ld:], first[i*g:][:g])
	}
}

// addTo adds x to dst, unless nobody wants it.
func addTo(dst device.Buf, x []float32) {
	if !dst.IsNil() {
		vec.AddTo(dst.F32[:len(x)], x)
	}
}

// wanted returns x from element i on, or, if nobody wants x, none.
func wanted(x device.Buf, i int, none []float32) []float32 {
	if x.IsNil() {
		return none
	}
	return x.F32[i:]
}
