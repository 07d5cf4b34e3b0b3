package tensor

import (
	"fmt"

	"github.com/gophersnake/gophersnake/internal/device"
)

// MatMul returns op(a) op(b) for matrices, where op transposes if asked:
// (m,k)·(k,n) → (m,n).
//
//	da = dy op(b)ᵀ,  db = op(a)ᵀ dy   (transposed back where op transposed)
func (tp *Tape) MatMul(a, b *Tensor, transA, transB bool) *Tensor {
	const op = "MatMul"
	track := tp.tracks(op, a, b)
	want(op, "a", a, -1, -1)
	m, k := a.shape[0], a.shape[1]
	if transA {
		m, k = k, m
	}
	n := 0
	if transB {
		want(op, "b", b, -1, k)
		n = b.shape[0]
	} else {
		want(op, "b", b, k, -1)
		n = b.shape[1]
	}
	y := tp.alloc(m, n)
	tp.d.MatMul(transA, transB, m, n, k, a.buf, b.buf, device.Buf{}, y.buf, false)
	if track {
		tp.recordSpare([]*Tensor{y}, func() {
			if da, fresh := tp.gradFresh(a); !da.IsNil() {
				if transA { // a is (k,m): da = op(b) dyᵀ
					tp.d.MatMul(transB, true, k, m, n, b.buf, y.grad, device.Buf{}, da, !fresh)
				} else {
					tp.d.MatMul(false, !transB, m, k, n, y.grad, b.buf, device.Buf{}, da, !fresh)
				}
			}
			if db, fresh := tp.gradFresh(b); !db.IsNil() {
				if transB { // b is (n,k): db = dyᵀ op(a)
					tp.d.MatMul(true, transA, n, k, m, y.grad, a.buf, device.Buf{}, db, !fresh)
				} else {
					tp.d.MatMul(!transA, false, k, n, m, a.buf, y.grad, device.Buf{}, db, !fresh)
				}
			}
		})
	}
	return y
}

// Linear returns y = x wᵀ + bias for x (..., in), w (out,in) and bias (out),
// which may be nil: y is (..., out).
func (tp *Tape) Linear(x, w, bias *Tensor) *Tensor {
	const op = "Linear"
	track := tp.tracks(op, x, w, bias)
	want(op, "w", w, -1, -1)
	out, in := w.shape[0], w.shape[1]
	wantLast(op, "x", x, in)
	if bias != nil {
		want(op, "bias", bias, out)
	}
	m := x.rows()
	y, again := tp.linearOut(append(append([]int(nil), x.shape[:len(x.shape)-1]...), out))
	if !again {
		tp.d.MatMul(false, true, m, out, in, x.buf, w.buf, bufOf(bias), y.buf, false)
	}
	if track {
		tp.recordSpare([]*Tensor{y}, func() { tp.linearGrad(x, w, bias, y.grad) })
	}
	return y
}

// linearGrad adds the gradients of y = x wᵀ + bias, dy being that of y.
func (tp *Tape) linearGrad(x, w, bias *Tensor, dy device.Buf) {
	m, out, in := x.rows(), w.shape[0], w.shape[1]
	if dx, fresh := tp.gradFresh(x); !dx.IsNil() {
		tp.d.MatMul(false, false, m, in, out, dy, w.buf, device.Buf{}, dx, !fresh)
	}
	if dw, fresh := tp.gradFresh(w); !dw.IsNil() {
		tp.d.MatMul(true, false, out, in, m, dy, x.buf, device.Buf{}, dw, !fresh)
	}
	if db := tp.grad(bias); !db.IsNil() {
		tp.d.SumRows(m, out, dy, db)
	}
}

// Embedding returns row tokens[i] of w (V,d) for every i, shaped (shape..., d);
// the product of shape is the number of tokens. It panics on a token outside
// [0,V).
func (tp *Tape) Embedding(tokens []int32, w *Tensor, shape ...int) *Tensor {
	const op = "Embedding"
	track := tp.tracks(op, w)
	want(op, "w", w, -1, -1)
	wantExtents(op, shape)
	wantCount(op, "tokens", len(tokens), size(shape))
	v, d := w.shape[0], w.shape[1]
	for i, t := range tokens {
		if t < 0 || int(t) >= v {
			panic(fmt.Sprintf("tensor: Embedding: token %d is %d, want 0 to %d", i, t, v-1))
		}
	}
	y := tp.alloc(append(append([]int(nil), shape...), d)...)
	tp.d.Embedding(tokens, d, w.buf, y.buf)
	if track {
		tp.record([]*Tensor{y}, nil, func() {
			tp.d.EmbeddingGrad(tokens, d, y.grad, tp.grad(w))
		})
	}
	return y
}

// Split returns the columns of x (..., Σ sizes) as one tensor per size.
func (tp *Tape) Split(x *Tensor, sizes ...int) []*Tensor {
	const op = "Split"
	track := tp.tracksUnread(op, x)
	total := 0
	for _, n := range sizes {
		total += n
	}
	wantLast(op, "x", x, total)
	wantExtents(op, sizes)
	m := x.rows()
	lead := x.shape[:len(x.shape)-1]
	outs := make([]*Tensor, len(sizes))
	at := 0
	for i, n := range sizes {
		outs[i] = tp.alloc(append(append([]int(nil), lead...), n)...)
		tp.d.CopyBlock(m, n, x.buf, at, total, outs[i].buf, 0, n, false)
		at += n
	}
	if track {
		tp.recordSpare(outs, func() {
			dx := tp.grad(x)
			at := 0
			for i, n := range sizes {
				if g := outs[i].grad; !g.IsNil() {
					tp.d.CopyBlock(m, n, g, 0, n, dx, at, total, true)
				}
				at += n
			}
		})
	}
	return outs
}

// Concat joins tensors of equal leading axes along the last axis.
func (tp *Tape) Concat(parts ...*Tensor) *Tensor {
	const op = "Concat"
	track := tp.tracks(op, parts...)
	if len(parts) == 0 {
		panic("tensor: Concat: 0 parts, want at least 1")
	}
	lastAxis(op, "part 0", parts[0])
	lead := parts[0].shape[:len(parts[0].shape)-1]
	total := 0
	for i, p := range parts {
		want(op, fmt.Sprintf("part %d", i), p, append(append([]int(nil), lead...), -1)...)
		total += p.Dim(-1)
	}
	y := tp.alloc(append(append([]int(nil), lead...), total)...)
	m := y.rows()
	at := 0
	for _, p := range parts {
		n := p.Dim(-1)
		tp.d.CopyBlock(m, n, p.buf, 0, n, y.buf, at, total, false)
		at += n
	}
	if track {
		tp.record([]*Tensor{y}, nil, func() {
			at := 0
			for _, p := range parts {
				n := p.Dim(-1)
				if g := tp.grad(p); !g.IsNil() {
					tp.d.CopyBlock(m, n, y.grad, at, total, g, 0, n, true)
				}
				at += n
			}
		})
	}
	return y
}

// SelectTime returns step t of x (B,L,D), counted from the end if negative, as
// (B,D).
func (tp *Tape) SelectTime(x *Tensor, t int) *Tensor {
	const op = "SelectTime"
	track := tp.tracks(op, x)
	b, l, d := want3(op, "x", x)
	at := t
	if t < 0 {
		t += l
	}
	if t < 0 || t >= l {
		panic(fmt.Sprintf("tensor: SelectTime: step %d, want -%d to %d", at, l, l-1))
	}
	y := tp.alloc(b, d)
	tp.d.CopyBlock(b, d, x.buf, t*d, l*d, y.buf, 0, d, false)
	if track {
		tp.record([]*Tensor{y}, nil, func() {
			tp.d.CopyBlock(b, d, y.grad, 0, d, tp.grad(x), t*d, l*d, true)
		})
	}
	return y
}

// bufOf returns t's buffer, nil for a nil tensor.
func bufOf(t *Tensor) device.Buf {
	if t == nil {
		return device.Buf{}
	}
	return t.buf
}

// StoreSteps copies x (B,L,D) to steps at to at+L−1 of cache (B,cap,D). It
// carries no gradient.
func (tp *Tape) StoreSteps(x, cache *Tensor, at int) {
	const op = "StoreSteps"
	tp.accept(op, x, cache)
	b, l, d := want3(op, "x", x)
	want(op, "cache", cache, b, -1, d)
	if at < 0 || at+l > cache.shape[1] {
		panic(fmt.Sprintf("tensor: StoreSteps: steps %d to %d, want 0 to %d", at, at+l-1, cache.shape[1]-1))
	}
	tp.d.CopyBlock(b, l*d, x.buf, 0, l*d, cache.buf, at*d, cache.shape[1]*d, false)
}
