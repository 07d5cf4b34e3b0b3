package cpu

import (
	"github.com/gophersnake/gophersnake/internal/device"
	"github.com/gophersnake/gophersnake/internal/kernel/gemm"
	"github.com/gophersnake/gophersnake/internal/kernel/matvec"
	"github.com/gophersnake/gophersnake/internal/kernel/vec"
)

// blockFloats is how many elements of a matrix meet all vectors before the next
// ones: they stay in the first-level cache.
const blockFloats = 1 << 13

// MatMul implements device.Device. A row is computed alike however many there
// are, so that a stream of a batch has the bits of a stream by itself. A matrix
// of fewer than minDirect columns stays float32: such are few.
func (r *recording) MatMul(transA, transB bool, m, n, k int, a, b, bias, c device.Buf, add bool) {
	r.Device.MatMul(transA, transB, m, n, k, a, b, bias, c, add)
	direct, few := transB && k >= minDirect, k < minDirect && bias.IsNil()
	if transA || add || n*k == 0 || !direct && !few {
		r.anyMatMul(transA, transB, m, n, k, a, b, bias, c, add)
		return
	}
	right := by(1, b, bias)
	if !transB {
		right = whole(b)
	}
	r.note(op{reads: join(whole(a), right), writes: by(m, c), units: n, copies: true, work: m * n * k,
		step: func(p *compiler, lo, hi int) func() {
			x, y := p.in(a).F32, p.out(c).F32
			switch {
			case direct && p.constant(b):
				return p.product(p.matrix(n, k, b), lo, hi, m, k, x, bias.F32, y).run
			case direct:
				return dots(lo, hi, m, n, k, x, p.in(b).F32, p.in(bias).F32, y)
			}
			return packedProduct(transB, lo, hi, m, n, k, x, p.in(b).F32, y, p.constant(b))
		}})
}

// anyMatMul notes a product that one worker repeats.
func (r *recording) anyMatMul(transA, transB bool, m, n, k int, a, b, bias, c device.Buf, add bool) {
	reads, d := []device.Buf{a, b, bias}, r.Device
	if add {
		reads = append(reads, c)
	}
	r.plain(reads, []device.Buf{c}, func() {
		if transA || add || n*k == 0 {
			d.MatMul(transA, transB, m, n, k, a, b, bias, c, add)
			return
		}
		for i := range m {
			d.MatMul(false, transB, 1, n, k, a.Slice(i*k, (i+1)*k), b, bias, c.Slice(i*n, (i+1)*n), false)
		}
	})
}

// dots returns columns lo … hi−1 of y = x bᵀ + bias for a b that changes.
func dots(lo, hi, m, n, k int, x, b, bias, y []float32) func() {
	return func() {
		for i := range m {
			for j := lo; j < hi; j++ {
				y[i*n+j] = vec.Dot(x[i*k:][:k], b[j*k:][:k])
			}
			if bias != nil {
				vec.AddTo(y[i*n+lo:i*n+hi], bias[lo:hi])
			}
		}
	}
}

// packedProduct returns columns lo … hi−1 of y = x op(b) for few terms, of a b
// that is packed once if it is constant.
func packedProduct(trans bool, lo, hi, m, n, k int, x, b, y []float32, constant bool) func() {
	packed, ld := new(gemm.Packed), n
	b = b[lo:]
	if trans {
		b, ld = b[lo*(k-1):], k
	}
	pack := func() { gemm.Pack(trans, k, hi-lo, b, ld, packed) }
	pack()
	return func() {
		if !constant {
			pack()
		}
		gemm.MulPacked(m, x, k, packed, 0, y[lo:], n)
	}
}

// product is rows lo … hi−1 of y = x wᵀ + bias for m rows x (k), the bits of
// vecMat for each.
type product struct {
	w       *matvec.Matrix
	lo, hi  int
	m, k, n int
	x, y    []float32
	padded  []float32 // (m, width), x filled up with zeros; x itself where that is its width
	bias    []float32
	block   int // rows of w that meet all vectors before the next do
}

// product prepares y = x wᵀ + bias.
func (c *compiler) product(w *matvec.Matrix, lo, hi, m, k int, x, bias, y []float32) *product {
	p := &product{w: w, lo: lo, hi: hi, m: m, k: k, n: w.Rows(), x: x, y: y, padded: x, bias: bias, block: hi - lo}
	if w.Width() != k {
		p.padded = make([]float32, m*w.Width())
	}
	if m > 1 {
		p.block = max(matvec.Align, blockFloats/w.Width()/matvec.Align*matvec.Align)
	}
	return p
}

// run computes the product.
func (p *product) run() {
	width := p.w.Width()
	if width != p.k {
		for i := range p.m {
			copy(p.padded[i*width:], p.x[i*p.k:][:p.k])
		}
	}
	for at := p.lo; at < p.hi; at += p.block {
		end := min(at+p.block, p.hi)
		for i := range p.m {
			y := p.y[i*p.n:][:p.n]
			p.w.Mul(at, end, p.padded[i*width:][:width], y)
			if p.bias != nil {
				vec.AddTo(y[at:end], p.bias[at:end])
			}
		}
	}
}

// Embedding implements device.Device: the tokens may change from run to run, and
// there is one of each stream.
func (r *recording) Embedding(tokens []int32, n int, w, y device.Buf) {
	r.Device.Embedding(tokens, n, w, y)
	r.streams = max(1, len(tokens))
	r.note(op{reads: whole(w), writes: by(1, y), units: len(tokens), align: 1, copies: true, tokens: true,
		step: func(c *compiler, lo, hi int) func() {
			table, y := c.matrix(len(w.F32)/n, n, w), c.out(y).F32
			return func() {
				for i := lo; i < hi; i++ {
					table.Row(int(tokens[i]), y[i*n:][:n])
				}
			}
		}})
}

// CopyBlock implements device.Device.
func (r *recording) CopyBlock(rows, cols int, src device.Buf, srcOff, srcLD int, dst device.Buf, dstOff, dstLD int, add bool) {
	r.Device.CopyBlock(rows, cols, src, srcOff, srcLD, dst, dstOff, dstLD, add)
	all := !add && cols == dstLD && dst.Len() == rows*cols
	reads := whole(src)
	if !all {
		reads = whole(src, dst)
	}
	r.note(op{reads: reads, writes: whole(dst), copies: all, step: func(c *compiler, _, _ int) func() {
		x, y := c.in(src).F32[srcOff:], c.out(dst).F32[dstOff:]
		return func() {
			for i := range rows {
				from, to := x[i*srcLD:][:cols], y[i*dstLD:][:cols]
				if add {
					vec.AddTo(to, from)
				} else {
					copy(to, from)
				}
			}
		}
	}})
}

// SumRows implements device.Device.
func (r *recording) SumRows(m, n int, x, dst device.Buf) {
	r.Device.SumRows(m, n, x, dst)
	r.refuse("a sum over rows")
}
