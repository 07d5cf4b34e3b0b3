package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/gophersnake/gophersnake/internal/kernel/vec/coef"
)

// A reduction keeps 8·parts partial results: element i belongs to partial
// i mod 8·parts. They are joined in a fixed order: the vectors of a pair, the
// pairs, then the halves, quarters and eighths of the last vector.
type reduction struct {
	*loop
	acc vecs
}

// reduce writes the loop of a reduction: parts vectors at a time, then a rest
// read through masks. begin is the partials' first value, and term folds the
// next values into them.
func (g *generator) reduce(args []string, parts int, begin operand.Mem, term func(r *reduction)) *reduction {
	l := &loop{generator: g, base: map[string]reg.GPVirtual{}, at: g.GP64(), width: parts}
	for _, name := range args {
		l.base[name] = g.GP64()
		g.Load(g.Param(name).Base(), l.base[name])
	}
	left := g.GP64()
	g.Load(g.Param(args[0]).Len(), left)
	g.XORQ(l.at, l.at)
	all := l.fresh()
	for i := range all {
		g.fill(all[i], begin)
	}
	l.repeat("many", parts, left, func(l *loop) { term(&reduction{l, all}) })
	// The rest: fewer than 8·parts elements, vector after vector.
	for p := range parts {
		rest := *l
		rest.width, rest.part = 1, true
		count, limit := g.GP64(), g.GP64()
		g.TESTQ(left, left)
		g.JLE(operand.LabelRef("join"))
		g.MOVQ(left, count)
		g.MOVQ(operand.U32(l.lanes()), limit)
		g.CMPQ(count, operand.Imm(uint64(l.lanes())))
		g.CMOVQGT(limit, count)
		rest.mask = g.maskOf(count)
		term(&reduction{&rest, all[p : p+1]})
		g.ADDQ(operand.Imm(uint64(l.lanes())), l.at)
		g.SUBQ(operand.Imm(uint64(l.lanes())), left)
	}
	g.Label("join")
	return &reduction{l, all}
}

// join folds the partial results with f, f(x, y) changing y, and returns the
// register with the result in lane 0.
func (r *reduction) join(f func(x, y reg.VecVirtual)) reg.VecVirtual {
	acc := r.acc
	for ; len(acc) > 1; acc = acc[:len(acc)/2] {
		for i := 0; i < len(acc); i += 2 {
			f(acc[i+1], acc[i])
			acc[i/2] = acc[i]
		}
	}
	v, high := acc[0], r.YMM()
	if r.wide { // first the halves, which are the vectors of a pair
		r.VEXTRACTF32X8(operand.Imm(1), v, high)
		low := r.YMM()
		r.VMOVAPS(v.AsY(), low)
		f(high, low)
		v = low
	}
	r.VEXTRACTF128(operand.Imm(1), v, high.AsX())
	f(high, v)
	r.VPERMILPS(operand.Imm(0b1110), v, high) // lanes 2, 3
	f(high, v)
	r.VPERMILPS(operand.Imm(0b01), v, high) // lane 1
	f(high, v)
	return v
}

// total joins by addition and returns from the function.
func (r *reduction) total() {
	v := r.join(func(x, y reg.VecVirtual) { r.VADDPS(x, y, y) })
	r.Store(v.AsX(), r.ReturnIndex(0))
	r.VZEROUPPER()
	r.RET()
}

func (g *generator) reductions() {
	zero := g.float(0)
	g.function("sumAVX2", "sumAVX2 returns Σ x.", "func(x []float32) float32")
	g.reduce([]string{"x"}, 4, zero, func(r *reduction) { r.add(r.acc, r.load("x")) }).total()
	g.function("sumSquaresAVX2", "sumSquaresAVX2 returns Σ x².", "func(x []float32) float32")
	g.reduce([]string{"x"}, 4, zero, func(r *reduction) {
		x := r.load("x")
		r.addMul(r.acc, x, x)
	}).total()
	g.function("dotAVX2", "dotAVX2 returns Σ a·b.", "func(a, b []float32) float32")
	g.reduce([]string{"a", "b"}, 4, zero, func(r *reduction) {
		a := r.load("a")
		r.addMul(r.acc, a, r.load("b"))
	}).total()
	g.function("dot3AVX2", "dot3AVX2 returns Σ (a·b)·c.", "func(a, b, c []float32) float32")
	g.reduce([]string{"a", "b", "c"}, 4, zero, func(r *reduction) {
		a := r.load("a")
		r.mul(a, r.load("b"))
		r.addMul(r.acc, a, r.load("c"))
	}).total()
	g.maximum()
	g.expSum()
}

// maximum writes the greatest element, NaN if there is one among them. The
// lanes of a rest that do not exist are -Inf.
func (g *generator) maximum() {
	g.function("maxAVX2", "maxAVX2 returns the greatest of x, NaN if any is NaN.", "func(x []float32) float32")
	infinity := g.word(0xff800000)
	r := g.reduce([]string{"x"}, 4, infinity, func(r *reduction) {
		x := r.load("x")
		for i := range x {
			if r.part {
				none := r.YMM()
				r.VMOVUPS(infinity, none)
				r.VBLENDVPS(r.mask, x[i], none, x[i])
			}
			g.greater(x[i], r.acc[i])
		}
	})
	v := r.join(g.greater)
	g.Store(v.AsX(), g.ReturnIndex(0))
	g.VZEROUPPER()
	g.RET()
}

// greater sets y to the greater of x and y, or NaN if either is NaN.
func (g *generator) greater(x, y reg.VecVirtual) {
	bad := g.YMM()
	g.VCMPPS(operand.Imm(3), x, y, bad) // unordered: all ones, a NaN
	g.VMAXPS(x, y, y)
	g.VORPS(bad, y, y)
}

// expSum writes the softmax's middle part, with 16 partial results.
func (g *generator) expSum() {
	g.function("expSumAVX2", "expSumAVX2 sets dst = exp(x - shift) and returns the sum of dst.",
		"func(dst, x []float32, shift float32) float32")
	shift := g.scalar("shift")
	g.reduce([]string{"dst", "x"}, 2*lanes/g.lanes(), g.float(0), func(r *reduction) {
		x := r.load("x")
		r.sub(x, shift)
		r.most(x, r.float(coef.ExpMax))
		e := r.exp(x)
		r.store(e, "dst")
		switch {
		case r.part && r.wide:
			r.VADDPS(e[0], r.acc[0], r.mask, r.acc[0])
			return
		case r.part:
			r.and(e, r.mask)
		}
		r.add(r.acc, e)
	}).total()
}
