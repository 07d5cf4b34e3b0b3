package main

import (
	"github.com/gophersnake/gophersnake/internal/kernel/arm64/asm"
	"github.com/gophersnake/gophersnake/internal/kernel/scan/spec"
)

// The complex kernels run one state at a time. See ../../complex.go for the
// formulas.

// pair is a quad of complex numbers.
type pair struct{ re, im asm.Vec }

// holdCosSin holds the constants of cosSin but for its polynomials'.
func (k *kernel) holdCosSin() { k.Hold(four, roundMagic, halfPi, two) }

// cosSin is e^(2πi·turns), as the Go function of this name.
func (k *kernel) cosSin(turns asm.Vec) pair {
	x, t, n, y := k.Vec(), k.Vec(), k.Vec(), k.Vec()
	k.FMul(x, turns, k.Const(four))
	k.FAdd(t, x, k.Const(roundMagic))
	k.FSub(n, t, k.Const(roundMagic))
	k.FSub(x, x, n)
	k.FMul(x, x, k.Const(halfPi))
	k.FMul(y, x, x)
	sin, cos := floats(spec.Sin[:]), floats(spec.Cos[:])
	s := k.horner(sin[1:], k.Const(sin[0]), y)
	k.FMul(s, s, y)
	k.FMulAdd(x, x, s) // sin of the rest
	c := k.horner(append(cos[1:], minusHalf, one), k.Const(cos[0]), y)
	return k.quadrant(t, c, x)
}

// quadrant turns cos and sin of the rest by t quarters: odd t exchanges them;
// bit 1 of t+1 is the sign of cos, bit 1 of t that of sin.
func (k *kernel) quadrant(t, c, s asm.Vec) pair {
	odd, flip, p := k.Vec(), k.Vec(), pair{k.Copy(c), k.Copy(s)}
	k.ShiftLeft(odd, t, 31)
	k.ShiftLeft(flip, t, 30)
	cosFlip := k.Vec()
	k.Xor(cosFlip, flip, odd) // bit 31: bit 1 of t, flipped when t is odd
	k.ShiftRight(odd, odd, 31)
	k.Take(p.re, s, odd)
	k.Take(p.im, c, odd)
	k.And(flip, flip, k.Const(sign))
	k.And(cosFlip, cosFlip, k.Const(sign))
	k.Xor(p.im, p.im, flip)
	k.Xor(p.re, p.re, cosFlip)
	return p
}

// complexDecay is exp(dt·a), a packed as log2(e) Re A and Im A / 2π.
func (k *kernel) complexDecay(dt asm.Vec, a pair) pair {
	turns := k.Vec()
	k.FMul(turns, a.im, dt)
	p, r := k.cosSin(turns), k.exp2(dt, a.re)
	k.FMul(p.re, p.re, r)
	k.FMul(p.im, p.im, r)
	return p
}

// complexOperand is the state's value of B or C at the step.
type complexOperand struct{ re, im operand }

// planes are the addresses of both planes of a state in a parameter of shape
// (2, states, 8).
type planes struct{ re, im asm.GP }

// stateLoop is what the two loops over the steps of a complex kernel share.
type stateLoop struct {
	*kernel
	v          spec.Variant
	frame, tmp asm.GP
	names      []string // the pointers that move, each by the parameter <name>Step
	at, step   map[string]asm.GP
	forward    bool
}

// move takes all pointers by one step, forward or back.
func (l *stateLoop) move(forward bool) {
	tmpBytes, op := 4*vector, l.Add
	row := rowBytes
	if !forward {
		tmpBytes, row, op = -tmpBytes, -row, l.Sub
	}
	l.AddI(l.frame, l.frame, row)
	if !l.forward {
		l.AddI(l.tmp, l.tmp, tmpBytes)
	}
	for _, name := range l.names {
		op(l.at[name], l.at[name], l.step[name])
	}
}

func (l *stateLoop) operands() (b, c complexOperand) {
	b = complexOperand{l.operand(l.v.ConstB, l.at["b"], 1), l.operand(l.v.ConstB, l.at["bIm"], 1)}
	c = complexOperand{l.operand(l.v.ConstC, l.at["c"], 1), l.operand(l.v.ConstC, l.at["cIm"], 1)}
	return b, c
}

// planes are those of a parameter.
func (k *kernel) planes(name string) planes {
	p := planes{k.Arg(name), k.Arg("plane")}
	k.Add(p.im, p.re, p.im)
	return p
}

func (k *kernel) loadPlanes(p planes) [2]pair {
	re, im := k.LoadPair(p.re, 0), k.LoadPair(p.im, 0)
	return [2]pair{{re[0], im[0]}, {re[1], im[1]}}
}

func (k *kernel) storePlanes(x [2]pair, p planes) {
	k.StorePair([2]asm.Vec{x[0].re, x[1].re}, p.re, 0)
	k.StorePair([2]asm.Vec{x[0].im, x[1].im}, p.im, 0)
}

// advance is h = abar h + du b, for the quad at q.
func (k *kernel) advance(h, abar pair, b complexOperand, du asm.Vec, q int) {
	re, im := k.Vec(), k.Vec()
	k.FMul(re, abar.re, h.re)
	k.FMulSub(re, abar.im, h.im)
	k.FMul(im, abar.re, h.im)
	k.FMulAdd(im, abar.im, h.re)
	k.mulAdd(re, du, b.re, 0, q)
	k.mulAdd(im, du, b.im, 0, q)
	k.Move(h.re, re)
	k.Move(h.im, im)
}

// output is field Y += 2 Re(c h), for the quad at q.
func (l *stateLoop) output(h pair, c complexOperand, q int) {
	y, x := l.field(l.frame, spec.Y, q), l.Zero()
	l.mulAdd(x, h.re, c.re, 0, q)
	l.mulSub(x, h.im, c.im, 0, q)
	l.FMulAdd(y, x, l.Const(two))
	l.Store(y, l.frame, 4*spec.Y+q)
}

// eachComplexState emits the loop over the states, and the function's end.
// vectors names the parameters that move by a vector from state to state.
func (k *kernel) eachComplexState(v spec.Variant, vectors []string, body func()) {
	k.Label("states")
	body()
	for _, name := range vectors {
		k.AddToArg(name, vector)
	}
	for _, name := range []string{"b", "bIm"} {
		k.AddToArg(name, stateBytes(v.ConstB))
	}
	for _, name := range []string{"c", "cIm"} {
		k.AddToArg(name, stateBytes(v.ConstC))
	}
	k.AddToArg("states", -1)
	k.JumpIf(k.Arg("states"), "NE", 0, "states")
	k.Ret()
}

// begin loads the pointers of a loop over the steps.
func (k *kernel) begin(v spec.Variant, forward bool, names ...string) *stateLoop {
	l := &stateLoop{kernel: k, v: v, frame: k.Arg("frame"), names: names, forward: forward,
		at: map[string]asm.GP{}, step: map[string]asm.GP{}}
	if !forward {
		l.tmp = k.Arg("tmp")
	}
	for _, name := range names {
		l.at[name], l.step[name] = k.Arg(name), k.Arg(name+"Step")
	}
	return l
}

// complexes emits the complex kernels.
func complexes(file *asm.File) {
	for i := range 4 {
		v := spec.Variant{ConstB: i&1 != 0, ConstC: i&2 != 0}
		complexForward(file, v)
		complexBackward(file, v)
	}
}

func complexForward(file *asm.File, v spec.Variant) {
	k := function(file, "Complex"+v.String(),
		"steps int, frame *float32, states int, a, h, b, bIm, c, cIm *float32, bStep, bImStep, cStep, cImStep, plane int",
		"runs h = Ā h + Δu b and field Y += 2 Re(c h) over the chunk, complex; steps and plane in bytes.")
	k.holdExp2(false)
	k.holdCosSin()
	k.eachComplexState(v, []string{"a", "h"}, func() {
		l, steps := k.begin(v, true, "b", "bIm", "c", "cIm"), k.Arg("steps")
		hAt := k.planes("h")
		a, h := k.planes("a"), k.loadPlanes(hAt)
		k.Label("steps")
		b, c := l.operands()
		for i, q := range quads {
			dt := k.field(l.frame, spec.Dt, q)
			abar := k.complexDecay(dt, pair{k.Load(a.re, q), k.Load(a.im, q)})
			k.advance(h[i], abar, b, k.field(l.frame, spec.DtU, q), q)
			l.output(h[i], c, q)
		}
		l.move(true)
		k.CountDown(steps, 1, "NE", "steps")
		k.storePlanes(h, hAt)
	})
}

func complexBackward(file *asm.File, v spec.Variant) {
	k := function(file, "ComplexBack"+v.String(),
		"steps int, frame *float32, states int, a, h, carry, da, b, bIm, c, cIm, db, dbIm, dc, dcIm *float32, "+
			"bStep, bImStep, cStep, cImStep, dbStep, dbImStep, dcStep, dcImStep int, tmp *float32, plane int",
		"is the adjoint of neonComplex"+v.String()+" over the chunk; steps and plane in bytes.")
	k.eachComplexState(v, []string{"a", "h", "carry", "da", "db", "dbIm", "dc", "dcIm"}, func() {
		l := k.begin(v, false, "b", "bIm", "c", "cIm", "db", "dbIm", "dc", "dcIm")
		l.recompute()
		l.reverse()
	})
}

// recompute emits the forward half of a state: field Y and dc.
func (l *stateLoop) recompute() {
	l.holdExp2(false)
	l.holdCosSin()
	defer l.Forget()
	h := l.loadPlanes(l.planes("h"))
	a, steps := l.planes("a"), l.Arg("steps")
	l.Label("recompute")
	b, c := l.operands()
	for i, q := range quads {
		abar := l.complexDecay(l.field(l.frame, spec.Dt, q), pair{l.Load(a.re, q), l.Load(a.im, q)})
		for j, x := range []asm.Vec{abar.re, abar.im, h[i].re, h[i].im} {
			l.Store(x, l.tmp, j*vector+q)
		}
		l.advance(h[i], abar, b, l.field(l.frame, spec.DtU, q), q)
		l.output(h[i], c, q)
		g := l.field(l.frame, spec.G, q)
		l.FAdd(g, g, g)
		l.addProduct(l.FMulAdd, g, h[i].re, "dc", q)
		l.addProduct(l.FMulSub, g, h[i].im, "dcIm", q)
	}
	l.move(true)
	l.CountDown(steps, 1, "NE", "recompute")
}

// addProduct adds g·x to the array's quad at q, or takes it away.
func (l *stateLoop) addProduct(op func(d, a, b asm.Vec), g, x asm.Vec, array string, q int) {
	sum := l.Load(l.at[array], q)
	op(sum, g, x)
	l.Store(sum, l.at[array], q)
}

// reverse emits the adjoint half of a state, from one step past the last.
func (l *stateLoop) reverse() {
	x, da := l.loadPlanes(l.planes("carry")), l.loadPlanes(l.planes("da"))
	a, steps := l.planes("a"), l.Arg("steps")
	l.Label("reverse")
	l.move(false)
	b, c := l.operands()
	for i, q := range quads {
		h := l.reverseQuad(x[i], b, c, q)
		s := l.timesConj(x[i], h)
		dt, sd := l.field(l.frame, spec.Dt, q), l.field(l.frame, spec.Sd, q)
		l.FMulAdd(da[i].re, dt, s.re)
		l.FMulAdd(da[i].im, dt, s.im)
		l.FMulAdd(sd, l.Load(a.re, q), s.re)
		l.FMul(s.im, s.im, l.Const(turn)) // both planes as A log2(e), the unit of Sd
		l.FMulAdd(sd, l.Load(a.im, q), s.im)
		l.Store(sd, l.frame, 4*spec.Sd+q)
	}
	l.CountDown(steps, 1, "NE", "reverse")
	l.storePlanes(x, l.planes("carry"))
	l.storePlanes(da, l.planes("da"))
}

// reverseQuad adds the step's gradient to x, adds x to the gradients of B and
// of the step's input, multiplies it by conj(Ā), and returns h_{t−1}.
func (l *stateLoop) reverseQuad(x pair, b, c complexOperand, q int) pair {
	g, du, sx := l.field(l.frame, spec.G, q), l.field(l.frame, spec.DtU, q), l.field(l.frame, spec.Sx, q)
	l.FAdd(g, g, g)
	l.mulAdd(x.re, g, c.re, 0, q)
	l.mulSub(x.im, g, c.im, 0, q)
	l.addProduct(l.FMulAdd, du, x.re, "db", q)
	l.addProduct(l.FMulAdd, du, x.im, "dbIm", q)
	l.mulAdd(sx, x.re, b.re, 0, q)
	l.mulAdd(sx, x.im, b.im, 0, q)
	l.Store(sx, l.frame, 4*spec.Sx+q)
	abar := pair{l.Load(l.tmp, q), l.Load(l.tmp, vector+q)}
	re, im := l.Vec(), l.Vec()
	l.FMul(re, abar.re, x.re)
	l.FMulAdd(re, abar.im, x.im)
	l.FMul(im, abar.re, x.im)
	l.FMulSub(im, abar.im, x.re)
	l.Move(x.re, re)
	l.Move(x.im, im)
	return pair{l.Load(l.tmp, 2*vector+q), l.Load(l.tmp, 3*vector+q)}
}

// timesConj is x conj(h).
func (k *kernel) timesConj(x, h pair) pair {
	s := pair{k.Vec(), k.Vec()}
	k.FMul(s.re, x.re, h.re)
	k.FMulAdd(s.re, x.im, h.im)
	k.FMul(s.im, x.im, h.re)
	k.FMulSub(s.im, x.re, h.im)
	return s
}
