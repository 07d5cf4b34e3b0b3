package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/gophersnake/gophersnake/internal/kernel/vec/coef"
)

// attention writes the softmax's exponentials, forwards and backwards.
func (g *generator) attention() {
	g.expSum()
	g.function("scoreGrad", "is ScoreGrad.", "n int, p, dp, lse, mean *float32")
	l := g.loop("p", "dp", "lse", "mean")
	l.run(2, func() {
		p := l.load("p")
		l.sub(p, l.load("lse"))
		l.most(p, coef.ExpMax)
		p = l.exp(p)
		l.store(p, "p")
		dp := l.load("dp")
		l.sub(dp, l.load("mean"))
		l.mul(dp, p)
		l.store(dp, "dp")
	})
}

// expSum writes a reduction: element i is added to partial sum i mod 32, and
// the partial sums are joined as those of vec.Sum.
func (g *generator) expSum() {
	const partials = 32
	g.function("expSum", "sets x to exp(x - shift) and returns the sum.", "n int, x *float32, shift float32) (sum float32")
	l := g.loop("x")
	shift, left := g.broadcast("shift"), g.GP64()
	g.Load(g.Param("n"), left)
	acc := make(vecs, partials/g.lanes)
	for i := range acc {
		acc[i] = g.zero()
	}
	exp := func() vecs {
		x := l.load("x")
		l.sub(x, shift)
		l.most(x, coef.ExpMax)
		e := l.exp(x)
		l.store(e, "x")
		return e
	}
	g.SUBQ(operand.Imm(partials), left)
	g.JL(operand.LabelRef("rest"))
	g.Label("many")
	for l.width = 2; l.first < len(acc); l.first += l.width {
		l.add(acc[l.first:l.first+l.width], exp())
	}
	l.move(len(acc))
	g.SUBQ(operand.Imm(partials), left)
	g.JGE(operand.LabelRef("many"))
	g.Label("rest")
	g.ADDQ(operand.Imm(partials), left)
	l.width = 1
	for i := range acc {
		l.first = i
		g.TESTQ(left, left)
		g.JLE(operand.LabelRef("join"))
		count, limit := g.GP64(), g.GP64()
		g.MOVQ(left, count)
		g.MOVQ(operand.U32(g.lanes), limit)
		g.CMPQ(count, limit)
		g.CMOVQGT(limit, count)
		l.maskOf(count)
		e := exp()
		if g.wide() {
			g.VADDPS(e[0], acc[i], l.kMask, acc[i])
		} else {
			g.VANDPS(l.yMask, e[0], e[0])
			g.VADDPS(e[0], acc[i], acc[i])
		}
		g.SUBQ(operand.U32(g.lanes), left)
	}
	g.Label("join")
	g.Store(g.join(acc).AsX(), g.Return("sum"))
	g.end()
}

// join adds partial sums: the AVX vectors of a pair, the pairs, then the
// halves, quarters and eighths of the last vector.
func (g *generator) join(acc vecs) reg.VecVirtual {
	var eights vecs
	for _, v := range acc {
		if g.wide() {
			high := g.YMM()
			g.VEXTRACTF32X8(operand.Imm(1), v, high)
			eights = append(eights, v.AsY().(reg.VecVirtual), high)
		} else {
			eights = append(eights, v)
		}
	}
	for ; len(eights) > 1; eights = eights[:len(eights)/2] {
		for i := 0; i < len(eights); i += 2 {
			g.VADDPS(eights[i+1], eights[i], eights[i])
			eights[i/2] = eights[i]
		}
	}
	v, high := eights[0], g.YMM()
	g.VEXTRACTF128(operand.Imm(1), v, high.AsX())
	g.VADDPS(high, v, v)
	for _, lanes := range []uint8{0b1110, 0b01} {
		g.VPERMILPS(operand.Imm(uint64(lanes)), v, high)
		g.VADDPS(high, v, v)
	}
	return v
}

// lstm writes the cell of an LSTM. Gates are rows in the order i, f, g, o.
func (g *generator) lstm() {
	g.function("lstm", "is LSTM.", "n int, sum, gates, c, cOut, h, hOut *float32")
	l := g.loop("sum", "gates", "c", "cOut", "h", "hOut")
	l.rows("n", "sum", "gates", "cOut", "hOut")
	l.run(1, func() {
		l.expect("gates", 4, 4)
		l.expect("cOut", 1, 1)
		l.expect("hOut", 1, 1)
		f := l.sigmoid(l.loadRow("sum", 1))
		l.storeRow(f, "gates", 1)
		c := l.load("c")
		l.mul(c, f)
		i := l.sigmoid(l.loadRow("sum", 0))
		l.storeRow(i, "gates", 0)
		g := l.tanh(l.loadRow("sum", 2))
		l.storeRow(g, "gates", 2)
		l.addMul(c, i, g)
		l.store(c, "c")
		l.store(c, "cOut")
		h := l.tanh(c)
		o := l.sigmoid(l.loadRow("sum", 3))
		l.storeRow(o, "gates", 3)
		l.mul(h, o)
		l.store(h, "h")
		l.store(h, "hOut")
	})

	g.function("lstmGrad", "is LSTMGrad.", "n int, x, dh, gates, c, cPrev, carry, s, sOut, dx *float32")
	l = g.loop("x", "dh", "gates", "c", "cPrev", "carry", "s", "sOut", "dx")
	l.rows("n", "gates", "s", "sOut", "dx", "cPrev", "dh")
	l.run(g.abreast(), func() {
		l.expect("gates", -4, 4)
		l.expect("cPrev", -1, 1)
		l.expect("dh", -1, 1)
		x := l.load("x")
		l.add(x, l.load("dh"))
		t, o := l.tanh(l.load("c")), l.loadRow("gates", 3)
		carry := l.tanhGrad(l.load("carry"), t, l.product(x, o))
		l.mul(x, t)
		l.gateGrad(l.sigmoidGrad(l.zeros(), o, x), 3)
		i, g := l.loadRow("gates", 0), l.loadRow("gates", 2)
		l.gateGrad(l.sigmoidGrad(l.zeros(), i, l.product(carry, g)), 0)
		l.gateGrad(l.tanhGrad(l.zeros(), g, l.product(carry, i)), 2)
		f := l.loadRow("gates", 1)
		l.gateGrad(l.sigmoidGrad(l.zeros(), f, l.product(carry, l.load("cPrev"))), 1)
		l.mul(carry, f)
		l.store(carry, "carry")
	})
}

// gateGrad stores the gradient of a gate and adds it to dx.
func (l *loop) gateGrad(s vecs, row int) {
	l.storeRow(s, "s", row)
	l.storeRow(s, "sOut", row)
	l.addRow(s, "dx", row)
}

// gru writes the cell of a GRU. Gates are rows in the order r, z, n; a fourth
// is q.
func (g *generator) gru() {
	g.function("gru", "is GRU.", "n int, sum, xn, gates, h, hOut *float32")
	l := g.loop("sum", "xn", "gates", "h", "hOut")
	l.rows("n", "sum", "gates", "hOut", "xn")
	l.run(g.abreast(), func() {
		l.expect("gates", 4, 4)
		l.expect("hOut", 1, 1)
		l.expect("xn", 1, 3) // all of the next step's row
		r, q, n := l.sigmoid(l.loadRow("sum", 0)), l.loadRow("sum", 2), l.load("xn")
		l.storeRow(r, "gates", 0)
		l.storeRow(q, "gates", 3)
		l.addMul(n, r, q)
		n = l.tanh(n)
		l.storeRow(n, "gates", 2)
		z := l.sigmoid(l.loadRow("sum", 1))
		l.storeRow(z, "gates", 1)
		h := l.load("h")
		l.sub(h, n)
		l.mul(h, z)
		l.add(h, n)
		l.store(h, "h")
		l.store(h, "hOut")
	})

	g.function("gruGrad", "is GRUGrad.", "n int, x, dh, gates, hPrev, s, sOut, dx *float32")
	l = g.loop("x", "dh", "gates", "hPrev", "s", "sOut", "dx")
	l.rows("n", "gates", "s", "sOut", "dx", "dh", "hPrev")
	l.run(g.abreast(), func() {
		l.expect("gates", -4, 4)
		l.expect("dh", -1, 1)
		l.expect("hPrev", -1, 1)
		l.expect("dx", -3, 3)
		x, z, n := l.load("x"), l.loadRow("gates", 1), l.loadRow("gates", 2)
		l.add(x, l.load("dh"))
		zx := l.product(z, x)
		l.store(zx, "x")
		a := l.tanhGrad(l.zeros(), n, l.difference(x, zx))
		l.addRow(a, "dx", 2)
		h := l.load("hPrev")
		l.sub(h, n)
		l.mul(h, x)
		l.gateGrad(l.sigmoidGrad(l.zeros(), z, h), 1)
		r := l.loadRow("gates", 0)
		l.gateGrad(l.sigmoidGrad(l.zeros(), r, l.product(a, l.loadRow("gates", 3))), 0)
		l.mul(a, r)
		l.storeRow(a, "s", 2)
		l.storeRow(a, "sOut", 2)
	})
}

// elman writes the cell of an Elman network.
func (g *generator) elman() {
	g.function("elman", "is Elman.", "n int, h, hOut *float32")
	l := g.loop("h", "hOut")
	l.rows("n", "hOut")
	l.run(2, func() {
		l.expect("hOut", 1, 1)
		h := l.tanh(l.load("h"))
		l.store(h, "h")
		l.store(h, "hOut")
	})

	g.function("elmanGrad", "is ElmanGrad.", "n int, x, dh, h, s, sOut, dx *float32")
	l = g.loop("x", "dh", "h", "s", "sOut", "dx")
	l.rows("n", "dh", "h", "sOut", "dx")
	l.run(2, func() {
		for _, name := range []string{"dh", "h", "sOut", "dx"} {
			l.expect(name, -1, 1)
		}
		x := l.load("x")
		l.add(x, l.load("dh"))
		l.gateGrad(l.tanhGrad(l.zeros(), l.load("h"), x), 0)
	})
}
