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

// A recurrentInput is the sums of all gates that a recurrence starts from, in
// which a product with the state follows.
type recurrentInput struct {
	d      *Device
	l, n   int       // steps of a row of the batch, sums of a step
	x      []float32 // (B,L,n), or nil:
	in     *device.Projection
	packed *gemm.Packed // in.W
}

// recurrentInput prepares the sums x, or those that in computes.
func (d *Device) recurrentInput(l, n int, x device.Buf, in *device.Projection) recurrentInput {
	r := recurrentInput{d: d, l: l, n: n, x: x.F32, in: in}
	if in != nil {
		r.packed = d.packs.get()
		gemm.Pack(true, in.D, n, in.W.F32, in.D, r.packed)
		r.packed.SetBias(in.Bias.F32)
	}
	return r
}

func (r recurrentInput) release() {
	if r.packed != nil {
		r.d.packs.put(r.packed)
	}
}

// inputRows is how many rows of sums are computed together: each part of W is
// used that often while it is in the first-level cache, and the sums stay in the
// second-level one until their step comes.
const inputRows = 96

// steps is how many steps are loaded together for the given rows of the batch.
func (r recurrentInput) steps(rows int) int {
	if r.in == nil {
		return 1
	}
	return max(1, min(inputRows/rows, r.l))
}

// load sets y (steps,rows,n) to the sums of steps t0 to t1 of rows lo to hi of
// the batch.
func (r recurrentInput) load(lo, hi, t0, t1 int, y []float32) {
	if r.in == nil {
		r.gather(lo, hi, t0, t1, r.x, r.n, y)
		return
	}
	m, width := (hi-lo)*(t1-t0), r.in.D
	u := r.d.free.get(m * width)
	defer r.d.free.put(u)
	r.gather(lo, hi, t0, t1, r.in.U.F32, width, u)
	gemm.MulPacked(m, u, width, r.packed, 0, y, r.n)
}

// gather copies steps t0 to t1 of rows lo to hi of x (B,L,n) to y (steps,rows,n).
func (r recurrentInput) gather(lo, hi, t0, t1 int, x []float32, n int, y []float32) {
	for t := t0; t < t1; t++ {
		for b := lo; b < hi; b++ {
			copy(y[:n], x[(b*r.l+t)*n:])
			y = y[n:]
		}
	}
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
