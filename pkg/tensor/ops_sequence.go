package tensor

import (
	"fmt"

	"github.com/gophersnake/gophersnake/internal/device"
)

// Conv1D is a causal depthwise convolution along time, through SiLU if asked:
//
//	y[b,t,d] = f( bias[d] + Σ_j w[d,j] x[b, t−K+1+j, d] )
//
// for x (B,L,D), w (D,K), bias (D) or nil. state (B,K−1,D), if not nil, holds
// the inputs before t = 0 and afterwards the last K−1 inputs; it carries no
// gradient.
func (tp *Tape) Conv1D(x, w, bias *Tensor, silu bool, state *Tensor) *Tensor {
	const op = "Conv1D"
	track := tp.tracks(op, x, w, bias)
	tp.accept(op, state)
	b, l, d := want3(op, "x", x)
	want(op, "w", w, d, -1)
	k := w.shape[1]
	if bias != nil {
		want(op, "bias", bias, d)
	}
	if k == 1 {
		state = nil // no earlier input is needed
	}
	if state != nil {
		want(op, "state", state, b, k-1, d)
	}
	y := tp.like(x)
	c := &device.Conv1D{B: b, L: l, D: d, K: k, SiLU: silu, X: x.buf, W: w.buf, Bias: bufOf(bias), Y: y.buf}
	var saved []device.Buf
	if state != nil {
		c.State, c.StateOut = tp.stateIn(state, track, &saved), state.buf
	}
	tp.d.Conv1D(c)
	c.StateOut = device.Buf{}
	if track {
		tp.record([]*Tensor{y}, saved, func() {
			dx, dw, db := tp.grad(x), tp.grad(w), tp.grad(bias)
			tp.d.Conv1DGrad(c, y.grad, dx, dw, db)
		})
	}
	return y
}

// stateIn returns the buffer to read a state from: the state's own or, when a
// gradient will read it again after it was overwritten, a saved copy.
func (tp *Tape) stateIn(state *Tensor, track bool, saved *[]device.Buf) device.Buf {
	if state == nil || !track {
		return bufOf(state)
	}
	c := tp.scratch(state.Len())
	tp.d.Copy(c, state.buf)
	*saved = append(*saved, c)
	return c
}

// Rotary rotates the pairs (i, i+Dh/2) of each of the heads of x (B,L,D) by the
// angle (offset+t)·10000^(−2i/Dh), Dh = D/heads (RoPE, arXiv 2104.09864, in the
// half-split layout of GPT-NeoX). Dh must be even.
func (tp *Tape) Rotary(x *Tensor, heads, offset int) *Tensor {
	const op = "Rotary"
	track := tp.tracksUnread(op, x)
	b, l, d := want3(op, "x", x)
	if heads < 1 || d%heads != 0 || d/heads%2 != 0 {
		panic(fmt.Sprintf("tensor: Rotary: %d heads for %d channels, want heads of an even number of channels", heads, d))
	}
	r := device.Rotary{B: b, L: l, H: heads, Dh: d / heads, Offset: offset, Base: 10000}
	y := tp.like(x)
	tp.d.Rotary(r, x.buf, y.buf, false, false)
	if track {
		tp.recordSpare([]*Tensor{y}, func() { tp.d.Rotary(r, y.grad, tp.grad(x), true, true) })
	}
	return y
}

// Attention is causal softmax attention of q (B,Lq,D) over k and v (B,Lk,D),
// Lk ≥ Lq, with D split into heads; query t sees keys 0 to t+Lk−Lq:
//
//	y_t = Σ_s softmax_s( q_t·k_s / √Dh ) v_s
//
// The L×L matrix is never stored.
func (tp *Tape) Attention(q, k, v *Tensor, heads int) *Tensor {
	want3("Attention", "k", k)
	return tp.attention("Attention", q, k, v, k.shape[1], heads)
}

// AttentionCached is Attention over the first lk of the keys and values that
// the caches k and v (B,cap,D) hold. It carries no gradient.
func (tp *Tape) AttentionCached(q, k, v *Tensor, lk, heads int) *Tensor {
	if tp.tracks("AttentionCached", q, k, v) {
		panic("tensor: AttentionCached: has no gradient; call SetGrad(false)")
	}
	return tp.attention("AttentionCached", q, k, v, lk, heads)
}

func (tp *Tape) attention(op string, q, k, v *Tensor, lk, heads int) *Tensor {
	track := tp.tracks(op, q, k, v)
	b, lq, d := want3(op, "q", q)
	want(op, "k", k, b, -1, d)
	wantSame(op, "v", v, k)
	if heads < 1 || d%heads != 0 {
		panic(fmt.Sprintf("tensor: %s: %d heads for %d channels, want a divisor", op, heads, d))
	}
	if lk < lq || lk > k.shape[1] {
		panic(fmt.Sprintf("tensor: %s: %d keys for %d queries, want %d to %d", op, lk, lq, lq, k.shape[1]))
	}
	var saved []device.Buf
	y, again := tp.keep(q.shape...)
	lse := tp.keepScratch(b*heads*lq, &saved)
	a := &device.Attention{B: b, Lq: lq, Lk: lk, H: heads, Dh: d / heads, Q: q.buf, K: k.buf, V: v.buf,
		KVStride: k.shape[1] * d, Y: y.buf, LSE: lse}
	if !again {
		tp.d.Attention(a)
	}
	if track {
		tp.record([]*Tensor{y}, saved, func() {
			dq, dk, dv := tp.grad(q), tp.grad(k), tp.grad(v)
			tp.d.AttentionGrad(a, y.grad, dq, dk, dv)
		})
	}
	return y
}

// MeanPool returns the mean over time of x (B,L,D), as (B,D).
func (tp *Tape) MeanPool(x *Tensor) *Tensor {
	track := tp.tracks("MeanPool", x)
	b, l, d := want3("MeanPool", "x", x)
	y := tp.alloc(b, d)
	tp.d.MeanPool(b, l, d, x.buf, y.buf)
	if track {
		tp.record([]*Tensor{y}, nil, func() { tp.d.MeanPoolGrad(b, l, d, y.grad, tp.grad(x)) })
	}
	return y
}
