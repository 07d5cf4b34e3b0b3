package cpu

import (
	"math"

	"github.com/gophersnake/gophersnake/internal/device"
	"github.com/gophersnake/gophersnake/internal/kernel/fused"
	"github.com/gophersnake/gophersnake/internal/kernel/gemm"
	"github.com/gophersnake/gophersnake/internal/kernel/vec"
)

// Attention is computed in tiles of queries × keys with an online softmax
// (Milakov & Gimelshein 2018; Dao et al. 2022, algorithm 1), so that memory
// grows as L and not as L². The scores of a tile (32 KiB) stay in the
// second-level cache together with its keys and values; sizes from 32 × 64 to
// 128 × 256 differ by less than a tenth.
const (
	attnQueries = 64  // queries of a tile
	attnKeys    = 128 // keys of a tile
	attnTask    = 256 // queries of a task; packs of K and V serve all of them
	attnDirect  = 4   // up to as many queries are done without tiles
)

// attention adds its index arithmetic to the description of an attention.
type attention struct {
	*device.Attention
	d     *Device
	ld    int     // distance of time steps, H·Dh
	off   int     // Lk − Lq
	scale float32 // 1/√Dh
}

func (d *Device) newAttention(p *device.Attention) attention {
	return attention{p, d, p.H * p.Dh, p.Lk - p.Lq, float32(1 / math.Sqrt(float64(p.Dh)))}
}

// query returns x, shaped as Q, from batch b, head h and query t on.
func (a attention) query(x device.Buf, b, h, t int) []float32 {
	return x.F32[(b*a.Lq+t)*a.ld+h*a.Dh:]
}

// key returns x, shaped as K, from batch b, head h and key s on.
func (a attention) key(x device.Buf, b, h, s int) []float32 {
	return x.F32[b*a.KVStride+s*a.ld+h*a.Dh:]
}

// Attention is causal softmax attention.
func (d *Device) Attention(p *device.Attention) {
	a := d.newAttention(p)
	heads := a.B * a.H
	work := heads * a.Lq * a.Lk * a.Dh / 4
	if a.Lq <= attnDirect {
		d.tasks(heads, work, func(t int) { a.direct(t/a.H, t%a.H, 0, a.Lq) })
		return
	}
	blocks := (a.Lq + attnTask - 1) / attnTask
	d.tasks(heads*blocks, work, func(t int) {
		q0 := (blocks - 1 - t/heads) * attnTask // the longest tasks first
		a.forward(t%heads/a.H, t%heads%a.H, q0, min(q0+attnTask, a.Lq))
	})
}

// direct computes queries q0 to q1 of one head one by one, each from what it
// sees alone: in generation, where packing keys and values would cost more than
// their use, and where there are values that a tile must not touch.
func (a attention) direct(b, h, q0, q1 int) {
	tmp := a.d.free.get(a.Lk + a.Dh)
	defer a.d.free.put(tmp)
	q, e := tmp[:a.Dh], tmp[a.Dh:]
	for t := q0; t < q1; t++ {
		vec.Scale(q, a.scale, a.query(a.Q, b, h, t)[:a.Dh])
		e := e[:t+a.off+1]
		for s := range e {
			e[s] = vec.Dot(q, a.key(a.K, b, h, s)[:a.Dh])
		}
		top := vec.Max(e)
		sum := fused.ExpSum(e, top)
		y := a.query(a.Y, b, h, t)[:a.Dh]
		clear(y)
		for s, p := range e {
			vec.Axpy(y, p/sum, a.key(a.V, b, h, s)[:a.Dh])
		}
		if !finite(top) {
			sum = 1 // log Σ exp(score − top) is NaN, and top the log-sum-exp
		}
		a.setLSE(b, h, t, top, sum)
	}
}

func (a attention) setLSE(b, h, t int, top, sum float32) {
	set(a.LSE, (b*a.H+h)*a.Lq+t, float32(float64(top)+math.Log(float64(sum))))
}

// forward computes queries q0 to q1 of one head. For every query it keeps the
// largest score so far and the sum of exp(score − largest); y holds Σ exp(…) v
// until the end. Where a score is not finite, a sum is not; a value that is not
// shows in the last query's y, because that sees them all. The queries are then
// done one by one: a tile multiplies what a query does not see by 0, which makes
// NaN of it.
func (a attention) forward(b, h, q0, q1 int) {
	d, rows := a.d, q1-q0
	tmp := d.free.get(rows*(a.Dh+2) + attnQueries*attnKeys)
	defer d.free.put(tmp)
	q, tmp2 := tmp[:rows*a.Dh], tmp[rows*a.Dh:]
	top, sum, score := tmp2[:rows], tmp2[rows:2*rows], tmp2[2*rows:]
	for i := range rows {
		vec.Scale(q[i*a.Dh:][:a.Dh], a.scale, a.query(a.Q, b, h, q0+i)[:a.Dh])
		top[i], sum[i] = float32(math.Inf(-1)), 0
		clear(a.query(a.Y, b, h, q0+i)[:a.Dh])
	}
	pk, pv := d.packs.get(), d.packs.get()
	defer d.packs.put(pk, pv)
	for k0 := 0; k0 < q1+a.off; k0 += attnKeys {
		keys := min(k0+attnKeys, q1+a.off) - k0
		gemm.Pack(true, a.Dh, keys, a.key(a.K, b, h, k0), a.ld, pk)
		gemm.Pack(false, keys, a.Dh, a.key(a.V, b, h, k0), a.ld, pv)
		for i0 := 0; i0 < rows; i0 += attnQueries {
			i1 := min(i0+attnQueries, rows)
			if q0+i1-1+a.off < k0 {
				continue // sees none of these keys
			}
			gemm.MulPacked(i1-i0, q[i0*a.Dh:], a.Dh, pk, 0, score, keys)
			for i := i0; i < i1; i++ {
				seen := min(keys, q0+i+a.off+1-k0)
				a.softmax(score[(i-i0)*keys:][:keys], seen, &top[i], &sum[i], a.query(a.Y, b, h, q0+i)[:a.Dh])
			}
			gemm.MulPacked(i1-i0, score, keys, pv, 1, a.query(a.Y, b, h, q0+i0), a.ld)
		}
	}
	if !finite(vec.Sum(sum)) || !finite(vec.Sum(a.query(a.Y, b, h, q1-1)[:a.Dh])) {
		a.direct(b, h, q0, q1)
		return
	}
	for i := range rows {
		y := a.query(a.Y, b, h, q0+i)[:a.Dh]
		vec.Scale(y, 1/sum[i], y)
		a.setLSE(b, h, q0+i, top[i], sum[i])
	}
}

// softmax turns the scores of one query for one tile of keys, of which it sees
// the first few, into exp(score − top), after raising top and shrinking sum
// and y if the tile holds a larger score.
func (a attention) softmax(score []float32, seen int, top, sum *float32, y []float32) {
	if seen <= 0 {
		clear(score)
		return
	}
	if m := vec.Max(score[:seen]); m > *top {
		if *sum > 0 {
			shrink := float32(math.Exp(float64(*top) - float64(m)))
			*sum *= shrink
			vec.Scale(y, shrink, y)
		}
		*top = m
	}
	*sum += fused.ExpSum(score[:seen], *top)
	clear(score[seen:])
}

// finite reports whether x is neither NaN nor infinite.
func finite(x float32) bool { return x-x == 0 }
