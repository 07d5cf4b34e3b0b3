package cpu_test

import (
	"fmt"
	"math"

	"github.com/gophersnake/gophersnake/internal/device"
)

func sequenceCases() []testCase {
	var cs []testCase
	shapes := []device.Conv1D{
		{B: 1, L: 1, D: 1, K: 4}, {B: 2, L: 2, D: 5, K: 4}, {B: 3, L: 7, D: 8, K: 4},
		{B: 2, L: 300, D: 33, K: 4}, {B: 1, L: 1500, D: 3, K: 4}, {B: 2, L: 40, D: 700, K: 4},
		{B: 2, L: 9, D: 7, K: 1}, {B: 2, L: 9, D: 16, K: 2}, {B: 1, L: 3, D: 7, K: 7}, {B: 2, L: 600, D: 40, K: 3},
	}
	for _, s := range shapes {
		for i := range 8 {
			cs = append(cs, convCases(s, i&1 != 0, i&2 != 0, i&4 != 0)...)
		}
	}
	for _, s := range []device.Rotary{
		{B: 1, L: 1, H: 1, Dh: 2, Offset: 3}, {B: 2, L: 7, H: 3, Dh: 6}, {B: 2, L: 200, H: 4, Dh: 32, Offset: 5},
		{B: 1, L: 70, H: 3, Dh: 10, Offset: 1000}, {B: 3, L: 1, H: 2, Dh: 8, Offset: 64},
	} {
		cs = append(cs, rotaryCases(s)...)
	}
	for _, s := range [][3]int{{1, 1, 1}, {2, 5, 7}, {3, 63, 33}, {5, 400, 17}} {
		b, l, d := s[0], s[1], s[2]
		mode := fmt.Sprintf("b=%d l=%d d=%d", b, l, d)
		cs = append(cs,
			testCase{op: "MeanPool", mode: mode, run: func(e *env) { e.MeanPool(b, l, d, e.in(b*l*d), e.out("y", b*d)) }},
			testCase{op: "MeanPoolGrad", mode: mode, run: func(e *env) { e.MeanPoolGrad(b, l, d, e.in(b*d), e.grad("dx", b*l*d)) }})
	}
	return cs
}

// convCases: the forward pass (with the state kept in place if there is one),
// the same step by step, and the gradient.
func convCases(s device.Conv1D, silu, bias, state bool) []testCase {
	mode := fmt.Sprintf("B=%d L=%d D=%d K=%d silu=%v bias=%v state=%v", s.B, s.L, s.D, s.K, silu, bias, state)
	fill := func(e *env) device.Conv1D {
		c := s
		c.SiLU = silu
		c.X, c.W = e.in(s.B*s.L*s.D), e.normal(s.D*s.K, 0.5)
		c.Bias = maybe(bias, e.in(s.D))
		c.State = maybe(state && s.K > 1, e.in(s.B*(s.K-1)*s.D))
		return c
	}
	forward := func(e *env) {
		c := fill(e)
		c.Y = e.out("y", s.B*s.L*s.D)
		c.StateOut = c.State
		if c.State.IsNil() {
			c.StateOut = e.nan(s.B * (s.K - 1) * s.D)
		}
		e.Conv1D(&c)
		e.result("state", c.StateOut)
	}
	cs := []testCase{{op: "Conv1D", mode: mode, run: forward}}
	if state && s.L <= 40 {
		cs = append(cs, testCase{op: "Conv1D", mode: mode + " in steps", run: func(e *env) {
			c := fill(e)
			c.StateOut = c.State
			stepwise(e, s.B, s.L, c.X, s.D, e.out("y", s.B*s.L*s.D), s.D, func(x, y device.Buf) {
				c.L, c.X, c.Y = 1, x, y
				e.Conv1D(&c)
			})
		}})
	}
	return append(cs, testCase{op: "Conv1DGrad", mode: mode, run: func(e *env) {
		c := fill(e)
		c.Y = e.nan(s.B * s.L * s.D)
		e.Conv1D(&c)
		n := s.B * s.L * s.D
		e.Conv1DGrad(&c, e.in(n), e.grad("dx", n), e.grad("dw", s.D*s.K), e.gradIf(bias, "dbias", s.D))
	}})
}

// stepwise runs step on each time step of x (B,L,nx), gathered to (B,nx), and
// scatters its result to y (B,L,ny).
func stepwise(e *env, b, l int, x device.Buf, nx int, y device.Buf, ny int, step func(x, y device.Buf)) {
	xt, yt := e.nan(b*nx), e.nan(b*ny)
	for t := range l {
		e.CopyBlock(b, nx, x, t*nx, l*nx, xt, 0, nx, false)
		e.Fill(yt, math.NaN())
		step(xt, yt)
		e.CopyBlock(b, ny, yt, 0, ny, y, t*ny, l*ny, false)
	}
}

func rotaryCases(r device.Rotary) []testCase {
	r.Base = 10000
	var cs []testCase
	n := r.B * r.L * r.H * r.Dh
	for i := range 4 {
		inverse, add := i&1 != 0, i&2 != 0
		mode := fmt.Sprintf("B=%d L=%d H=%d Dh=%d offset=%d inverse=%v add=%v", r.B, r.L, r.H, r.Dh, r.Offset, inverse, add)
		cs = append(cs, testCase{op: "Rotary", mode: mode, run: func(e *env) {
			x, y := e.in(n), e.result("y", e.in(n))
			if !add {
				e.Fill(y, math.NaN())
			}
			e.Rotary(r, x, y, inverse, add)
		}})
	}
	return append(cs, testCase{op: "Rotary", mode: fmt.Sprintf("B=%d L=%d H=%d Dh=%d in place", r.B, r.L, r.H, r.Dh), run: func(e *env) {
		x := e.result("y", e.in(n))
		e.Rotary(r, x, x, false, false)
	}})
}

func attentionCases() []testCase {
	var cs []testCase
	cs = append(cs, testCase{op: "Attention", mode: "large scores", run: func(e *env) {
		const b, l, d = 2, 150, 16
		e.Attention(&device.Attention{B: b, Lq: l, Lk: l, H: 1, Dh: d, Q: e.normal(b*l*d, 50), K: e.normal(b*l*d, 50), V: e.in(b * l * d),
			KVStride: l * d, Y: e.out("y", b*l*d), LSE: e.out("lse", b*l)})
	}, tol: 1e-3, why: "a score of 1e4 is known to 1e-3, and so is its exponential, relatively"})
	for _, s := range []device.Attention{
		{B: 1, Lq: 1, Lk: 1, H: 1, Dh: 4}, {B: 2, Lq: 7, Lk: 7, H: 3, Dh: 5}, {B: 1, Lq: 1, Lk: 33, H: 2, Dh: 8},
		{B: 2, Lq: 3, Lk: 130, H: 2, Dh: 16}, {B: 2, Lq: 65, Lk: 65, H: 2, Dh: 16}, {B: 1, Lq: 130, Lk: 203, H: 2, Dh: 24},
		{B: 1, Lq: 301, Lk: 301, H: 1, Dh: 20}, {B: 2, Lq: 128, Lk: 256, H: 4, Dh: 32}, {B: 3, Lq: 140, Lk: 140, H: 3, Dh: 7},
	} {
		for _, extra := range []int{0, 11} { // keys' memory may be a longer cache
			cs = append(cs, attentionCasesOf(s, extra)...)
		}
	}
	return cs
}

func attentionCasesOf(s device.Attention, extra int) []testCase {
	nq, stride := s.B*s.Lq*s.H*s.Dh, (s.Lk+extra)*s.H*s.Dh
	mode := fmt.Sprintf("B=%d Lq=%d Lk=%d H=%d Dh=%d stride=+%d", s.B, s.Lq, s.Lk, s.H, s.Dh, extra)
	// cache returns keys or values followed by NaNs that nobody may read.
	cache := func(e *env) device.Buf {
		used := s.Lk * s.H * s.Dh
		x, c := e.in(s.B*used), e.nan(s.B*stride)
		e.CopyBlock(s.B, used, x, 0, used, c, 0, stride, false)
		return c
	}
	forward := func(e *env) device.Attention {
		a := s
		a.KVStride = stride
		a.Q, a.K, a.V = e.normal(nq, 2), cache(e), cache(e)
		a.Y, a.LSE = e.out("y", nq), e.out("lse", s.B*s.H*s.Lq)
		e.Attention(&a)
		return a
	}
	grad := func(e *env, q, k, v bool) {
		a := forward(e)
		nk := s.B * stride
		e.AttentionGrad(&a, e.in(nq), e.gradIf(q, "dq", nq), e.gradIf(k, "dk", nk), e.gradIf(v, "dv", nk))
	}
	cs := []testCase{
		{op: "Attention", mode: mode, run: func(e *env) { forward(e) }},
		// With one key the softmax is 1 whatever q and k are.
		{op: "AttentionGrad", mode: mode, run: func(e *env) { grad(e, s.Lk > 1, s.Lk > 1, true) }},
	}
	if extra == 0 && s.Lk > 1 {
		cs = append(cs,
			testCase{op: "Attention", mode: mode + " no lse", run: func(e *env) {
				a := s
				a.KVStride, a.Q, a.K, a.V, a.Y = stride, e.in(nq), cache(e), cache(e), e.out("y", nq)
				e.Attention(&a)
			}},
			testCase{op: "AttentionGrad", mode: mode + " only q", run: func(e *env) { grad(e, true, false, false) }},
			testCase{op: "AttentionGrad", mode: mode + " only k", run: func(e *env) { grad(e, false, true, false) }},
			testCase{op: "AttentionGrad", mode: mode + " only v", run: func(e *env) { grad(e, false, false, true) }})
	}
	return cs
}
