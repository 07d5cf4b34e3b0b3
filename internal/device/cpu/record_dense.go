package cpu

import (
	"github.com/gophersnake/gophersnake/internal/device"
	"github.com/gophersnake/gophersnake/internal/kernel/gemm"
	"github.com/gophersnake/gophersnake/internal/kernel/matvec"
	"github.com/gophersnake/gophersnake/internal/kernel/vec"
	"github.com/gophersnake/gophersnake/internal/pool"
)

const (
	// minShared is from how many multiplications on a product is shared between
	// workers: some ten microseconds' worth, several times what handing it over
	// and waiting costs.
	minShared = 1 << 18
	// blockFloats is how many elements of a matrix meet all vectors before the
	// next ones: they stay in the first-level cache.
	blockFloats = 1 << 13
)

// MatMul implements device.Device. A row is computed alike however many there
// are, so that a stream of a batch has the bits of a stream by itself. A matrix of fewer than minDirect
// columns stays float32: such are few.
func (r *recording) MatMul(transA, transB bool, m, n, k int, a, b, bias, c device.Buf, add bool) {
	r.Device.MatMul(transA, transB, m, n, k, a, b, bias, c, add)
	reads := []device.Buf{a, b, bias}
	if add {
		reads = append(reads, c)
	}
	r.note(reads, []device.Buf{c}, func(p *compiler) func() {
		whole := func() { p.d.MatMul(transA, transB, m, n, k, a, b, bias, c, add) }
		switch {
		case transA || add || n*k == 0:
			return whole
		case transB && k >= minDirect && p.constant(b):
			return newProduct(p, m, n, k, a, b, bias, c).run
		case k < minDirect && bias.IsNil() && p.constant(b):
			packed := new(gemm.Packed)
			gemm.Pack(transB, k, n, b.F32, ldB(transB, n, k), packed)
			return func() { gemm.MulPacked(m, a.F32, k, packed, 0, c.F32, n) }
		case m == 1:
			return whole
		}
		return func() {
			for i := range m {
				p.d.MatMul(false, transB, 1, n, k, a.Slice(i*k, (i+1)*k), b, bias, c.Slice(i*n, (i+1)*n), false)
			}
		}
	})
}

func ldB(transB bool, n, k int) int {
	if transB {
		return k
	}
	return n
}

// product is y = x wᵀ + bias for m rows x (k), the bits of vecMat for each.
type product struct {
	d      *Device
	w      *matvec.Matrix
	m, k   int
	x, y   []float32
	padded []float32 // (m, width), x filled up with zeros; x itself where that is its width
	bias   []float32
	n      int // rows of w
	block  int // of them, that meet all vectors before the next do
	each   int // of them, in a task
	tasks  int
	task   func(i int)
}

func newProduct(c *compiler, m, n, k int, a, b, bias, y device.Buf) *product {
	return c.product(c.matrix(n, k, b), m, k, a.F32, bias.F32, y.F32)
}

// product prepares y = x wᵀ + bias.
func (c *compiler) product(w *matvec.Matrix, m, k int, x, bias, y []float32) *product {
	n := w.Rows()
	p := &product{d: c.d, w: w, m: m, k: k, n: n, x: x, y: y, padded: x, bias: bias}
	if w.Width() != k {
		p.padded = make([]float32, m*w.Width())
	}
	p.block = max(matvec.Align, blockFloats/w.Width()/matvec.Align*matvec.Align)
	p.tasks = 1
	if work := m * n * k; work >= minShared && c.d.workers > 1 {
		p.tasks = min(work/(minShared/4), 8*c.d.workers)
	}
	p.each = ((n+p.tasks-1)/p.tasks + matvec.Align - 1) / matvec.Align * matvec.Align
	p.tasks = (n + p.each - 1) / p.each
	p.task = p.multiply
	return p
}

// run computes the product.
func (p *product) run() {
	if width := p.w.Width(); width != p.k {
		for i := range p.m {
			copy(p.padded[i*width:], p.x[i*p.k:][:p.k])
		}
	}
	if p.tasks == 1 {
		p.multiply(0)
		return
	}
	pool.Run(p.d.workers, p.tasks, p.task)
}

// multiply computes the rows of w of one task.
func (p *product) multiply(task int) {
	lo, hi := task*p.each, min((task+1)*p.each, p.n)
	step, width := p.block, p.w.Width()
	if p.m == 1 {
		step = hi - lo
	}
	for at := lo; at < hi; at += step {
		end := min(at+step, hi)
		for i := range p.m {
			y := p.y[i*p.n:][:p.n]
			p.w.Mul(at, end, p.padded[i*width:][:width], y)
			if p.bias != nil {
				vec.AddTo(y[at:end], p.bias[at:end])
			}
		}
	}
}

// Embedding implements device.Device: the tokens may change from run to run.
func (r *recording) Embedding(tokens []int32, n int, w, y device.Buf) {
	r.Device.Embedding(tokens, n, w, y)
	r.ops = append(r.ops, op{reads: []device.Buf{w}, writes: []device.Buf{y}, tokens: true, step: func(c *compiler) func() {
		table := c.matrix(len(w.F32)/n, n, w)
		return func() {
			for i, t := range tokens {
				table.Row(int(t), y.F32[i*n:][:n])
			}
		}
	}})
}

// CopyBlock implements device.Device.
func (r *recording) CopyBlock(rows, cols int, src device.Buf, srcOff, srcLD int, dst device.Buf, dstOff, dstLD int, add bool) {
	r.Device.CopyBlock(rows, cols, src, srcOff, srcLD, dst, dstOff, dstLD, add)
	reads, writes := []device.Buf{src}, []device.Buf{dst}
	if add {
		reads = append(reads, dst)
	}
	r.plain(reads, writes, func() {
		for i := range rows {
			from, to := src.F32[srcOff+i*srcLD:][:cols], dst.F32[dstOff+i*dstLD:][:cols]
			if add {
				vec.AddTo(to, from)
			} else {
				copy(to, from)
			}
		}
	})
}

// SumRows implements device.Device.
func (r *recording) SumRows(m, n int, x, dst device.Buf) {
	r.Device.SumRows(m, n, x, dst)
	r.refuse("a sum over rows")
}
