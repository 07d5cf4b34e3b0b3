package main

import "github.com/gophersnake/gophersnake/internal/kernel/vec/coef"

// elementwise writes one kernel over slices.
func (g *generator) elementwise(name, formula, signature string, args []string, unroll int, body func(l *loop)) {
	g.function(name, name+" sets "+formula+".", signature)
	g.over(args, unroll, body)
	g.VZEROUPPER()
	g.RET()
}

// Signatures and arguments that several kernels share.
const (
	unary  = "func(dst, x []float32)"
	binary = "func(dst, a, b []float32)"
)

var (
	dstX  = []string{"dst", "x"}
	dstAB = []string{"dst", "a", "b"}
)

// elementwiseKernels writes the functions of one element and the arithmetic.
func (g *generator) elementwiseKernels() {
	g.functionsOfX()
	g.arithmetic()
}

func (g *generator) functionsOfX() {
	of := func(name, formula string, unroll int, f func(l *loop, x vecs) vecs) {
		g.elementwise(name, "dst = "+formula, unary, dstX, unroll, func(l *loop) {
			l.store(f(l, l.load("x")), "dst")
		})
	}
	of("expAVX2", "exp(x)", 4, func(l *loop, x vecs) vecs {
		l.most(x, l.float(coef.ExpMax))
		return l.exp(x)
	})
	of("sigmoidAVX2", "1/(1+exp(-x))", 3, func(l *loop, x vecs) vecs {
		s, d := l.sigmoidParts(x, l.expMinus(x))
		l.div(s, d)
		return s
	})
	of("siluAVX2", "x·sigmoid(x)", 3, (*loop).silu)
	of("softplusAVX2", "log(1+exp(x))", 3, func(l *loop, x vecs) vecs {
		y := l.log1p(l.expMinus(x))
		l.least(x, l.float(0))
		l.add(y, x)
		return y
	})
	of("tanhAVX2", "tanh(x)", 3, (*loop).tanh)
	of("geluAVX2", "x·sigmoid(v(x))", 3, func(l *loop, x vecs) vecs {
		v, _ := l.geluArgument(x, false)
		s, d := l.sigmoidParts(v, l.expMinus(v))
		l.mul(s, x)
		l.div(s, d)
		return s
	})
	of("geluExactAVX2", "x·Φ(x)", 2, func(l *loop, x vecs) vecs {
		tail, _ := l.normal(x)
		p := l.normalUpTo(x, tail)
		l.mul(p, x)
		return p
	})
	g.elementwise("siluMulAVX2", "y = a·silu(z)", "func(y, a, z []float32)", []string{"y", "a", "z"}, 3, func(l *loop) {
		s := l.silu(l.load("z"))
		l.mul(s, l.load("a"))
		l.store(s, "y")
	})
}

// silu returns x·sigmoid(x).
func (l *loop) silu(x vecs) vecs {
	s, d := l.sigmoidParts(x, l.expMinus(x))
	l.mul(s, x)
	l.div(s, d)
	return s
}

func (g *generator) arithmetic() {
	two := func(name, formula string, f func(l *loop, a, b vecs)) { // f changes a
		g.elementwise(name, formula, binary, dstAB, 4, func(l *loop) {
			a, b := l.load("a"), l.load("b")
			f(l, a, b)
			l.store(a, "dst")
		})
	}
	two("addAVX2", "dst = a + b", func(l *loop, a, b vecs) { l.add(a, b) })
	two("subAVX2", "dst = a - b", func(l *loop, a, b vecs) { l.sub(a, b) })
	two("mulAVX2", "dst = a·b", func(l *loop, a, b vecs) { l.mul(a, b) })
	g.elementwise("mulAddAVX2", "dst += a·b", binary, dstAB, 4, func(l *loop) {
		d, a := l.load("dst"), l.load("a")
		l.addMul(d, a, l.load("b"))
		l.store(d, "dst")
	})
	g.function("scaleAVX2", "scaleAVX2 sets dst = alpha·x.", "func(dst []float32, alpha float32, x []float32)")
	alpha := g.scalar("alpha")
	g.over(dstX, 4, func(l *loop) {
		x := l.load("x")
		l.mul(x, alpha)
		l.store(x, "dst")
	})
	g.VZEROUPPER()
	g.RET()
	g.function("axpyAVX2", "axpyAVX2 sets dst += alpha·x.", "func(dst []float32, alpha float32, x []float32)")
	beta := g.scalar("alpha")
	g.over(dstX, 4, func(l *loop) {
		d := l.load("dst")
		l.addMul(d, l.load("x"), beta)
		l.store(d, "dst")
	})
	g.VZEROUPPER()
	g.RET()
}

// gradientKernels writes the kernels dx += dy·f'(x).
func (g *generator) gradientKernels() {
	g.gradientsOfX()
	const ofOutput = "func(dx, y, dy []float32)"
	args := []string{"dx", "y", "dy"}
	g.elementwise("sigmoidGradAVX2", "dx += dy·y·(1-y)", ofOutput, args, 4, func(l *loop) {
		d, y := l.load("dx"), l.load("y")
		slope := l.all(l.float(1))
		slope = l.difference(slope, y)
		l.mul(slope, y)
		l.addMul(d, slope, l.load("dy"))
		l.store(d, "dx")
	})
	g.elementwise("tanhGradAVX2", "dx += dy·(1-y²)", ofOutput, args, 4, func(l *loop) {
		d, y := l.load("dx"), l.load("y")
		slope := l.constant(1)
		l.subMul(slope, y, y)
		l.addMul(d, slope, l.load("dy"))
		l.store(d, "dx")
	})
	g.elementwise("siluMulGradAVX2", "da += dy·silu(z), dz += dy·a·silu'(z)", "func(da, dz, a, z, dy []float32)",
		[]string{"da", "dz", "a", "z", "dy"}, 2, func(l *loop) {
			z := l.load("z")
			s, slope := l.sigmoidSlope(z, l.expMinus(z))
			l.mul(slope, z)
			l.add(slope, s) // silu'(z)
			l.mul(s, z)     // silu(z)
			dy, da := l.load("dy"), l.load("da")
			l.addMul(da, s, dy)
			l.store(da, "da")
			l.mul(dy, l.load("a"))
			dz := l.load("dz")
			l.addMul(dz, slope, dy)
			l.store(dz, "dz")
		})
}

func (g *generator) gradientsOfX() {
	of := func(name, slope string, f func(l *loop, x vecs) vecs) {
		g.elementwise(name, "dx += dy·"+slope, "func(dx, x, dy []float32)", []string{"dx", "x", "dy"}, 2, func(l *loop) {
			slope := f(l, l.load("x"))
			d := l.load("dx")
			l.addMul(d, slope, l.load("dy"))
			l.store(d, "dx")
		})
	}
	of("siluGradAVX2", "silu'(x)", func(l *loop, x vecs) vecs {
		s, slope := l.sigmoidSlope(x, l.expMinus(x))
		l.addMul(s, slope, x)
		return s
	})
	of("softplusGradAVX2", "sigmoid(x)", func(l *loop, x vecs) vecs {
		s, d := l.sigmoidParts(x, l.expMinus(x))
		l.div(s, d)
		return s
	})
	of("geluExactGradAVX2", "(Φ(x) + x·φ(x))", (*loop).geluExactSlope)
	of("geluGradAVX2", "gelu'(x)", func(l *loop, x vecs) vecs {
		v, dv := l.geluArgument(x, true)
		s, slope := l.sigmoidSlope(v, l.expMinus(v))
		l.mul(slope, dv)
		l.least(x, l.float(-coef.GELUMax)) // where slope is 0, so is its product with x
		l.most(x, l.float(coef.GELUMax))
		l.addMul(s, slope, x)
		return s
	})
}

// geluExactSlope returns Φ(x) + x·φ(x), φ(x) = exp(-x²/2)/√(2π).
func (l *loop) geluExactSlope(x vecs) vecs {
	tail, e := l.normal(x)
	p := l.normalUpTo(x, tail)
	l.least(x, l.float(-coef.NormalMax)) // where e is 0, so is its product with x
	l.most(x, l.float(coef.NormalMax))
	l.mul(e, l.float(coef.InvSqrt2Pi))
	l.addMul(p, e, x)
	return p
}

// rowKernels writes the pieces of norms and of the softmax.
func (g *generator) rowKernels() {
	g.function("scaleMulAVX2", "scaleMulAVX2 sets dst = (a·alpha)·b.", "func(dst, a, b []float32, alpha float32)")
	alpha := g.scalar("alpha")
	g.over(dstAB, 4, func(l *loop) {
		a := l.load("a")
		l.mul(a, alpha)
		l.mul(a, l.load("b"))
		l.store(a, "dst")
	})
	g.VZEROUPPER()
	g.RET()
	g.function("rmsNormGradAVX2", "rmsNormGradAVX2 sets dx += r·w·dy - c·x, dw += dy·(r·x).",
		"func(dx, dw, x, w, dy []float32, r, c float32)")
	r, c := g.scalar("r"), g.scalar("c")
	g.over([]string{"dx", "dw", "x", "w", "dy"}, 2, func(l *loop) {
		x, dy := l.load("x"), l.load("dy")
		dx, scaled := l.load("dx"), l.product(dy, r)
		l.addMul(dx, scaled, l.load("w"))
		l.subMul(dx, x, c)
		l.store(dx, "dx")
		dw := l.load("dw")
		l.addMul(dw, scaled, x)
		l.store(dw, "dw")
	})
	g.VZEROUPPER()
	g.RET()
	g.function("softmaxGradAVX2", "softmaxGradAVX2 sets dx += y·(dy - c).", "func(dx, y, dy []float32, c float32)")
	shift := g.scalar("c")
	g.over([]string{"dx", "y", "dy"}, 4, func(l *loop) {
		dx, dy := l.load("dx"), l.load("dy")
		l.sub(dy, shift)
		l.addMul(dx, dy, l.load("y"))
		l.store(dx, "dx")
	})
	g.VZEROUPPER()
	g.RET()
}

// adamW writes the step of the optimiser.
func (g *generator) adamW() {
	g.function("adamWAVX2", "adamWAVX2 is adamScalars.step.",
		"func(w, g, m, v []float32, decay, rate, beta1, rest1, beta2, rest2, root, eps, gscale float32)")
	decay, rate, root, eps := g.scalar("decay"), g.scalar("rate"), g.scalar("root"), g.scalar("eps")
	beta1, rest1, beta2, rest2 := g.scalar("beta1"), g.scalar("rest1"), g.scalar("beta2"), g.scalar("rest2")
	gscale := g.scalar("gscale")
	g.over([]string{"w", "g", "m", "v"}, 1, func(l *loop) {
		grad, m := l.load("g"), l.load("m")
		l.mul(grad, gscale)
		l.mul(m, beta1)
		l.addMul(m, grad, rest1)
		l.store(m, "m")
		v := l.load("v")
		l.mul(grad, grad)
		l.mul(v, beta2)
		l.addMul(v, grad, rest2)
		l.store(v, "v")
		for i := range v {
			l.VSQRTPS(v[i], v[i])
		}
		l.horner(v, l.same(root), eps)
		l.mul(m, rate)
		l.div(m, v)
		w := l.load("w")
		l.mul(w, decay)
		l.sub(w, m)
		l.store(w, "w")
	})
	g.VZEROUPPER()
	g.RET()
}
