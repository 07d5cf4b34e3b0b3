package cpu

import (
	"github.com/gophersnake/gophersnake/internal/device"
	"github.com/gophersnake/gophersnake/internal/kernel/fused"
	"github.com/gophersnake/gophersnake/internal/kernel/gemm"
	"github.com/gophersnake/gophersnake/internal/kernel/vec"
)

// The gradient's tiles are transposed, keys × queries: the products with the
// scores as their left factor then need no transposition, but one, and what
// belongs to a query (its log-sum-exp, its mean) is a vector along a row.
const (
	attnGradQueries = 128
	attnGradKeys    = 64
	// attnGradHeads is how many heads there must be for each to be one task.
	// Fewer are split in attnGradSplits by queries, each with its own sums of
	// dk and dv.
	attnGradHeads  = 8
	attnGradSplits = 2
)

// attentionGrad is one gradient: the arguments of AttentionGrad.
type attentionGrad struct {
	attention
	dy, dq, dk, dv device.Buf
	splits         int
	parts          []float32 // (B·H, splits, dk and dv, Lk, Dh), empty if splits is 1
}

// AttentionGrad adds the gradients. With p the softmax, computed again from
// the log-sum-exp, and everything per head:
//
//	dv_s += Σ_t p_ts dy_t;  dp_ts = dy_t·v_s;  de_ts = p_ts (dp_ts − dy_t·y_t)
//	dq_t += Σ_s de_ts k_s/√Dh;  dk_s += Σ_t de_ts q_t/√Dh
func (d *Device) AttentionGrad(p *device.Attention, dy, dq, dk, dv device.Buf) {
	g := attentionGrad{attention: d.newAttention(p), dy: dy, dq: dq, dk: dk, dv: dv, splits: 1}
	heads := g.B * g.H
	if heads < attnGradHeads && g.Lq > attnGradQueries {
		g.splits = min(attnGradSplits, (g.Lq+attnGradQueries-1)/attnGradQueries)
		g.parts = d.free.getZero(heads * g.splits * 2 * g.Lk * g.Dh)
		defer d.free.put(g.parts)
	}
	work := heads * g.Lq * g.Lk * g.Dh
	d.tasks(heads*g.splits, work, func(t int) {
		g.task(t/g.splits/g.H, t/g.splits%g.H, t%g.splits)
	})
	if g.splits > 1 {
		d.tasks(heads, heads*g.splits*g.Lk*g.Dh, func(t int) { g.addSplits(t/g.H, t%g.H) })
	}
}

// keySums returns where one task adds its share of dk and dv, and the distance
// of their rows. What nobody wants is nil.
func (g *attentionGrad) keySums(b, h, split int) (dk, dv []float32, ld int) {
	if g.splits > 1 {
		n := g.Lk * g.Dh
		part := g.parts[((b*g.H+h)*g.splits+split)*2*n:][:2*n]
		return part[:n], part[n:], g.Dh
	}
	if !g.dk.IsNil() {
		dk = g.key(g.dk, b, h, 0)
	}
	if !g.dv.IsNil() {
		dv = g.key(g.dv, b, h, 0)
	}
	return dk, dv, g.ld
}

// addSplits adds the shares of the splits to dk and dv, in order.
func (g *attentionGrad) addSplits(b, h int) {
	for split := range g.splits {
		dk, dv, _ := g.keySums(b, h, split)
		for s := range g.Lk {
			if !g.dk.IsNil() {
				row := g.key(g.dk, b, h, s)[:g.Dh]
				vec.AddTo(row, dk[s*g.Dh:][:g.Dh])
			}
			if !g.dv.IsNil() {
				row := g.key(g.dv, b, h, s)[:g.Dh]
				vec.AddTo(row, dv[s*g.Dh:][:g.Dh])
			}
		}
	}
}

// A gradTile is the scratch of one task.
type gradTile struct {
	q      []float32 // (queries,Dh), scaled
	dq     []float32 // (queries,Dh), not yet scaled
	mean   []float32 // (queries) dy·y
	p, de  []float32 // (keys,queries)
	dk, dv []float32 // (Lk,Dh), rows ld apart
	ld     int
	clean  bool // all of q and dy is finite
	// packed factors: q and dy as (queries,Dh), and transposed
	pq, pdy, pqT, pdyT *gemm.Packed
}

// task computes every splits-th tile of the queries of one head, all of its
// keys.
func (g *attentionGrad) task(b, h, split int) {
	d := g.d
	size := attnGradQueries * (2*g.Dh + 1)
	tmp := d.free.get(size + 2*attnGradKeys*attnGradQueries)
	defer d.free.put(tmp)
	w := gradTile{
		q:    tmp[:attnGradQueries*g.Dh],
		dq:   tmp[attnGradQueries*g.Dh:][:attnGradQueries*g.Dh],
		mean: tmp[2*attnGradQueries*g.Dh : size],
		p:    tmp[size:][:attnGradKeys*attnGradQueries],
		de:   tmp[size+attnGradKeys*attnGradQueries:],
		pq:   d.packs.get(), pdy: d.packs.get(), pqT: d.packs.get(), pdyT: d.packs.get(),
	}
	defer d.packs.put(w.pq, w.pdy, w.pqT, w.pdyT)
	w.dk, w.dv, w.ld = g.keySums(b, h, split)
	for q0 := split * attnGradQueries; q0 < g.Lq; q0 += g.splits * attnGradQueries {
		g.queries(b, h, q0, min(q0+attnGradQueries, g.Lq), &w)
	}
}

// queries computes one tile of queries.
func (g *attentionGrad) queries(b, h, q0, q1 int, w *gradTile) {
	n := q1 - q0
	for i := range n {
		vec.Scale(w.q[i*g.Dh:][:g.Dh], g.scale, g.query(g.Q, b, h, q0+i)[:g.Dh])
		w.mean[i] = vec.Dot(g.query(g.dy, b, h, q0+i)[:g.Dh], g.query(g.Y, b, h, q0+i)[:g.Dh])
	}
	// A dy that is not finite shows in its mean, and such a q, whose y is NaN.
	w.clean = finite(vec.Sum(w.mean[:n]))
	clear(w.dq[:n*g.Dh])
	dy := g.query(g.dy, b, h, q0)
	gemm.Pack(true, g.Dh, n, w.q, g.Dh, w.pqT)
	gemm.Pack(true, g.Dh, n, dy, g.ld, w.pdyT)
	gemm.Pack(false, n, g.Dh, w.q, g.Dh, w.pq)
	gemm.Pack(false, n, g.Dh, dy, g.ld, w.pdy)
	for k0 := 0; k0 < q1+g.off; k0 += attnGradKeys {
		g.tile(b, h, q0, n, k0, min(attnGradKeys, q1+g.off-k0), w)
	}
	if g.dq.IsNil() {
		return
	}
	for i := range n {
		vec.Axpy(g.query(g.dq, b, h, q0+i)[:g.Dh], g.scale, w.dq[i*g.Dh:][:g.Dh])
	}
}

// tile computes n queries from q0 on against m keys from k0 on.
func (g *attentionGrad) tile(b, h, q0, n, k0, m int, w *gradTile) {
	k := g.key(g.K, b, h, k0)
	gemm.MulPacked(m, k, g.ld, w.pqT, 0, w.p, n)
	gemm.MulPacked(m, g.key(g.V, b, h, k0), g.ld, w.pdyT, 0, w.de, n)
	lse, clean := g.LSE.F32[(b*g.H+h)*g.Lq+q0:][:n], w.clean
	for s := range m {
		first := g.first(k0+s, q0, n)
		p, de := w.p[s*n:][:n], w.de[s*n:][:n]
		// Where there is a query that does not see the key, p[0] is its product
		// with the key, finite if the key is.
		clean = clean && (first == 0 || finite(p[0]))
		clear(p[:first])
		clear(de[:first])
		fused.ScoreGrad(p[first:], de[first:], lse[first:], w.mean[first:n])
	}
	if !clean {
		g.tileSeen(b, h, q0, n, k0, m, w)
		return
	}
	if w.dv != nil {
		gemm.MulPacked(m, w.p, n, w.pdy, 1, w.dv[k0*w.ld:], w.ld)
	}
	if w.dk != nil {
		gemm.MulPacked(m, w.de, n, w.pq, 1, w.dk[k0*w.ld:], w.ld)
	}
	if !g.dq.IsNil() {
		gemm.Gemm(1, true, false, n, g.Dh, m, w.de, n, k, g.ld, 1, w.dq, g.Dh)
	}
}

// tileSeen is the end of tile where something is not finite: the products go
// over pairs of a query and a key that it sees, because 0 times what is not
// finite is NaN.
func (g *attentionGrad) tileSeen(b, h, q0, n, k0, m int, w *gradTile) {
	for s := range m {
		k := g.key(g.K, b, h, k0+s)[:g.Dh]
		for t := g.first(k0+s, q0, n); t < n; t++ {
			p, de := w.p[s*n+t], w.de[s*n+t]
			if w.dv != nil {
				vec.Axpy(w.dv[(k0+s)*w.ld:][:g.Dh], p, g.query(g.dy, b, h, q0+t)[:g.Dh])
			}
			if w.dk != nil {
				vec.Axpy(w.dk[(k0+s)*w.ld:][:g.Dh], de, w.q[t*g.Dh:][:g.Dh])
			}
			if !g.dq.IsNil() {
				vec.Axpy(w.dq[t*g.Dh:][:g.Dh], de, k)
			}
		}
	}
}

// first returns the first of n queries from q0 on that sees key s, from 0 on; n
// if none does.
func (g *attentionGrad) first(s, q0, n int) int { return min(max(0, s-g.off-q0), n) }
