package main

import (
	"github.com/gophersnake/gophersnake/internal/kernel/arm64/asm"
	"github.com/gophersnake/gophersnake/internal/kernel/vec/coef"
)

// functionsOfX emits the functions of one element.
func functionsOfX(file *asm.File) {
	of := func(name, formula string, f func(l *loop, x asm.Vec) asm.Vec) {
		l, left := function(file, name, "sets dst = "+formula+".", "dst, x []float32", "dst", "x")
		l.holdExp()
		l.over(left, 2, func(l *loop) { l.store(f(l, l.load("x")), "dst") })
		l.Ret()
	}
	of("Exp", "exp(x)", func(l *loop, x asm.Vec) asm.Vec {
		l.FMin(x, x, l.float(coef.ExpMax))
		return l.exp(x)
	})
	of("Sigmoid", "1/(1+exp(-x))", (*loop).sigmoid)
	of("Silu", "x·sigmoid(x)", (*loop).silu)
	of("Softplus", "log(1+exp(x))", func(l *loop, x asm.Vec) asm.Vec {
		y := l.log1p(l.expMinus(x))
		l.FMax(x, x, l.float(0))
		l.FAdd(y, y, x)
		return y
	})
	of("Tanh", "tanh(x)", (*loop).tanh)
	of("Gelu", "x·sigmoid(v(x))", func(l *loop, x asm.Vec) asm.Vec {
		v, _ := l.geluArgument(x)
		s, d := l.sigmoidParts(v, l.expMinus(v))
		l.FMul(s, s, x)
		l.FDiv(s, s, d)
		return s
	})
	of("GeluExact", "x·Φ(x)", func(l *loop, x asm.Vec) asm.Vec {
		tail, _ := l.normal(x)
		p := l.normalUpTo(x, tail)
		l.FMul(p, p, x)
		return p
	})
}

// elementwise emits a kernel over slices without scalars.
func elementwise(file *asm.File, name, formula, signature string, unroll int, hold, body func(l *loop),
	slices ...string) {
	l, left := function(file, name, "sets "+formula+".", signature, slices...)
	hold(l)
	l.over(left, unroll, body)
	l.Ret()
}

// holdNothing is for kernels without constants.
func holdNothing(*loop) {}

const binary = "dst, a, b []float32"

var dstAB = []string{"dst", "a", "b"}

// arithmetic emits sums and products.
func arithmetic(file *asm.File) {
	two := func(name, formula string, f func(l *loop, a, b asm.Vec)) { // f changes a
		elementwise(file, name, formula, binary, 4, holdNothing, func(l *loop) {
			a, b := l.load("a"), l.load("b")
			f(l, a, b)
			l.store(a, "dst")
		}, dstAB...)
	}
	two("Add", "dst = a + b", func(l *loop, a, b asm.Vec) { l.FAdd(a, a, b) })
	two("Sub", "dst = a - b", func(l *loop, a, b asm.Vec) { l.FSub(a, a, b) })
	two("Mul", "dst = a·b", func(l *loop, a, b asm.Vec) { l.FMul(a, a, b) })
	elementwise(file, "MulAdd", "dst += a·b", binary, 4, holdNothing, func(l *loop) {
		l.addTo("dst", l.load("a"), l.load("b"))
	}, dstAB...)
	elementwise(file, "SiluMul", "y = a·silu(z)", "y, a, z []float32", 2, (*loop).holdExp, func(l *loop) {
		s := l.silu(l.load("z"))
		l.FMul(s, s, l.load("a"))
		l.store(s, "y")
	}, "y", "a", "z")
	const scaled = "dst []float32, alpha float32, x []float32"
	l, left := function(file, "Scale", "sets dst = alpha·x.", scaled, "dst", "x")
	alpha := l.Scalar("alpha")
	l.over(left, 4, func(l *loop) {
		x := l.load("x")
		l.FMul(x, x, alpha)
		l.store(x, "dst")
	})
	l.Ret()
	l, left = function(file, "Axpy", "sets dst += alpha·x.", scaled, "dst", "x")
	alpha = l.Scalar("alpha")
	l.over(left, 4, func(l *loop) { l.addTo("dst", l.load("x"), alpha) })
	l.Ret()
}

// gradientsOfX emits the kernels dx += dy·f'(x).
func gradientsOfX(file *asm.File) {
	of := func(name, slope string, f func(l *loop, x asm.Vec) asm.Vec) {
		elementwise(file, name, "dx += dy·"+slope, "dx, x, dy []float32", 2, (*loop).holdExp, func(l *loop) {
			l.addTo("dx", f(l, l.load("x")), l.load("dy"))
		}, "dx", "x", "dy")
	}
	of("SiluGrad", "silu'(x)", func(l *loop, x asm.Vec) asm.Vec {
		s, slope := l.sigmoidSlope(x, l.expMinus(x))
		l.FMulAdd(s, slope, x)
		return s
	})
	of("SoftplusGrad", "sigmoid(x)", (*loop).sigmoid)
	of("GeluExactGrad", "(Φ(x) + x·φ(x))", func(l *loop, x asm.Vec) asm.Vec {
		tail, e := l.normal(x)
		p := l.normalUpTo(x, tail)
		l.FMul(e, e, l.float(coef.InvSqrt2Pi))
		l.FMulAdd(p, e, l.cut(x, coef.NormalMax)) // where e is 0, so is its product with x
		return p
	})
	of("GeluGrad", "gelu'(x)", func(l *loop, x asm.Vec) asm.Vec {
		v, dv := l.geluArgument(x)
		s, slope := l.sigmoidSlope(v, l.expMinus(v))
		l.FMul(slope, slope, dv)
		l.FMulAdd(s, slope, l.cut(x, coef.GELUMax)) // where slope is 0, so is its product with x
		return s
	})
}

// gradientsOfY emits those that are computed from the output, and SiLUMul's.
func gradientsOfY(file *asm.File) {
	one := func(l *loop) { l.holdFloats(1) }
	elementwise(file, "SigmoidGrad", "dx += dy·y·(1-y)", "dx, y, dy []float32", 4, one, func(l *loop) {
		y, slope := l.load("y"), l.Vec()
		l.FSub(slope, l.float(1), y)
		l.FMul(slope, slope, y)
		l.addTo("dx", slope, l.load("dy"))
	}, "dx", "y", "dy")
	elementwise(file, "TanhGrad", "dx += dy·(1-y²)", "dx, y, dy []float32", 4, one, func(l *loop) {
		y, slope := l.load("y"), l.ConstCopy(asm.Float(1))
		l.FMulSub(slope, y, y)
		l.addTo("dx", slope, l.load("dy"))
	}, "dx", "y", "dy")
	const products = "da += dy·silu(z), dz += dy·a·silu'(z)"
	elementwise(file, "SiluMulGrad", products, "da, dz, a, z, dy []float32", 2, (*loop).holdExp,
		func(l *loop) {
			z := l.load("z")
			s, slope := l.sigmoidSlope(z, l.expMinus(z))
			l.FMul(slope, slope, z)
			l.FAdd(slope, slope, s) // silu'(z)
			l.FMul(s, s, z)         // silu(z)
			dy := l.load("dy")
			l.addTo("da", s, dy)
			l.FMul(dy, dy, l.load("a"))
			l.addTo("dz", slope, dy)
		}, "da", "dz", "a", "z", "dy")
}

// rowKernels emits the pieces of norms and of the softmax.
func rowKernels(file *asm.File) {
	l, left := function(file, "ScaleMul", "sets dst = (a·alpha)·b.", "dst, a, b []float32, alpha float32", dstAB...)
	alpha := l.Scalar("alpha")
	l.over(left, 4, func(l *loop) {
		a := l.load("a")
		l.FMul(a, a, alpha)
		l.FMul(a, a, l.load("b"))
		l.store(a, "dst")
	})
	l.Ret()
	l, left = function(file, "RmsNormGrad", "sets dx += r·w·dy - c·x, dw += dy·(r·x).",
		"dx, dw, x, w, dy []float32, r, c float32", "dx", "dw", "x", "w", "dy")
	r, c := l.Scalar("r"), l.Scalar("c")
	l.over(left, 2, func(l *loop) {
		x, scaled := l.load("x"), l.load("dy")
		l.FMul(scaled, scaled, r)
		dx := l.load("dx")
		l.FMulAdd(dx, scaled, l.load("w"))
		l.FMulSub(dx, x, c)
		l.store(dx, "dx")
		l.addTo("dw", scaled, x)
	})
	l.Ret()
	l, left = function(file, "SoftmaxGrad", "sets dx += y·(dy - c).", "dx, y, dy []float32, c float32", "dx", "y", "dy")
	c = l.Scalar("c")
	l.over(left, 4, func(l *loop) {
		dy := l.load("dy")
		l.FSub(dy, dy, c)
		l.addTo("dx", dy, l.load("y"))
	})
	l.Ret()
	l, left = function(file, "ExpShift", "sets dst = exp(x - shift).", "dst, x []float32, shift float32", "dst", "x")
	l.holdExp()
	shift := l.Scalar("shift")
	l.over(left, 2, func(l *loop) {
		x := l.load("x")
		l.FSub(x, x, shift)
		l.FMin(x, x, l.float(coef.ExpMax))
		l.store(l.exp(x), "dst")
	})
	l.Ret()
}

// adamW emits the step of the optimiser.
func adamW(file *asm.File) {
	l, left := function(file, "AdamW", "is adamScalars.step.",
		"w, g, m, v []float32, decay, rate, beta1, rest1, beta2, rest2, root, eps, gscale float32", "w", "g", "m", "v")
	decay, rate, root, eps := l.Scalar("decay"), l.Scalar("rate"), l.Scalar("root"), l.Scalar("eps")
	beta1, rest1, beta2, rest2 := l.Scalar("beta1"), l.Scalar("rest1"), l.Scalar("beta2"), l.Scalar("rest2")
	gscale := l.Scalar("gscale")
	l.over(left, 2, func(l *loop) {
		grad, m := l.load("g"), l.load("m")
		l.FMul(grad, grad, gscale)
		l.FMul(m, m, beta1)
		l.FMulAdd(m, grad, rest1)
		l.store(m, "m")
		v := l.load("v")
		l.FMul(grad, grad, grad)
		l.FMul(v, v, beta2)
		l.FMulAdd(v, grad, rest2)
		l.store(v, "v")
		l.FSqrt(v, v)
		d := l.Copy(eps)
		l.FMulAdd(d, v, root)
		l.FMul(m, m, rate)
		l.FDiv(m, m, d)
		w := l.load("w")
		l.FMul(w, w, decay)
		l.FSub(w, w, m)
		l.store(w, "w")
	})
	l.Ret()
}
