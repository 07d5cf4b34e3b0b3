package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The rows of a state, one register wide: what a convolution of four taps
// knows of some channels beside the present step. The window holds the three
// steps before it, oldest first.
const (
	taps      = 4
	tapRow    = 0        // the taps' weights, then the bias
	windowRow = taps + 1 // of x
	sumRow    = windowRow + taps - 1
	gradRow   = sumRow + taps + 1 // the window of the sums' gradients
	stateRows = gradRow + taps - 1
)

// A conv is a kernel that walks along time, once for every register of
// channels. With AVX-512 the state is in registers meanwhile, with AVX2 they
// are too few.
type conv struct {
	*loop
	state, ahead reg.GPVirtual
	rows         [stateRows]reg.VecVirtual
}

// convolution writes the convolution of four taps.
func (g *generator) convolution() {
	const forward = "channels, steps, step, ahead int, y, x, state *float32"
	g.walk("conv", "is Conv.Forward without SiLU.", forward, []string{"y", "x"}, false, func(c *conv) {
		x := c.load("x")
		y := c.preact(x)
		c.push(windowRow, x)
		c.store(y, "y")
	})
	g.walk("convSiLU", "is Conv.Forward with SiLU.", forward, []string{"y", "x"}, false, func(c *conv) {
		x := c.load("x")
		y := c.preact(x)
		c.push(windowRow, x)
		c.store(c.silu(y), "y")
	})
	g.walk("convWeightGrad", "is Conv.Gradient without dx.", "channels, steps, step, ahead int, dy, x, state *float32",
		[]string{"dy", "x"}, true, func(c *conv) { c.push(gradRow, c.gradient()) })
	g.walk("convGrad", "is Conv.Gradient.", "channels, steps, step, ahead int, dx, dy, x, state *float32",
		[]string{"dx", "dy", "x"}, true, func(c *conv) {
			d, dx := c.gradient(), c.load("dx")
			for lag := range taps - 1 {
				c.addMul(dx, c.value(gradRow+lag), c.row(tapRow+taps-1-lag))
			}
			c.addMul(dx, d, c.row(tapRow))
			c.store(dx, "dx")
			c.push(gradRow, d)
		})
}

// walk writes a kernel: for every register of channels, body for every step,
// after which the arrays' next step lies step floats further and is fetched
// ahead floats further still.
func (g *generator) walk(name, doc, signature string, arrays []string, grad bool, body func(c *conv)) {
	g.function(name, doc, signature)
	c := &conv{loop: g.loop(arrays...), state: g.GP64(), ahead: g.GP64()}
	step, left, steps, count := g.GP64(), g.GP64(), g.GP64(), g.GP64()
	for i, parameter := range []string{"channels", "steps", "step", "ahead", "state"} {
		g.Load(g.Param(parameter), []reg.GPVirtual{left, steps, step, c.ahead, c.state}[i])
	}
	g.SHLQ(operand.Imm(2), step)
	g.SHLQ(operand.Imm(2), c.ahead)
	c.width = 1
	each := func(label string) {
		c.enter(grad)
		g.MOVQ(steps, count)
		g.Label(label)
		c.fetch()
		body(c)
		for _, a := range c.order {
			g.ADDQ(step, a.base)
		}
		g.DECQ(count)
		g.JNZ(operand.LabelRef(label))
		c.leave(grad)
	}
	back := g.GP64()
	g.MOVQ(step, back)
	g.IMULQ(steps, back)
	g.SUBQ(operand.U32(g.lanes), left)
	g.JL(operand.LabelRef("rest"))
	g.Label("strip")
	each("step")
	for _, a := range c.order {
		g.SUBQ(back, a.base)
		g.ADDQ(operand.U32(g.bytes()), a.base)
	}
	g.ADDQ(operand.U32(stateRows*g.bytes()), c.state)
	g.SUBQ(operand.U32(g.lanes), left)
	g.JGE(operand.LabelRef("strip"))
	g.Label("rest")
	g.ADDQ(operand.U32(g.lanes), left)
	g.JZ(operand.LabelRef("end"))
	c.maskOf(left)
	each("restStep")
	g.Label("end")
	g.end()
}

// enter and leave take the state of a register of channels up and put back
// what has changed of it.
func (c *conv) enter(grad bool) {
	if !c.wide() {
		return
	}
	for i := range c.used(grad) {
		c.rows[i] = c.ZMM()
		c.VMOVUPS(c.stateAt(i), c.rows[i])
	}
}

func (c *conv) leave(grad bool) {
	if !c.wide() {
		return
	}
	for i := windowRow; i < c.used(grad); i++ {
		c.VMOVUPS(c.rows[i], c.stateAt(i))
	}
}

// used is how many rows of the state a kernel uses.
func (c *conv) used(grad bool) int {
	if grad {
		return stateRows
	}
	return sumRow
}

func (c *conv) stateAt(row int) operand.Mem {
	return operand.Mem{Base: c.state, Disp: row * c.bytes()}
}

// row returns a row of the state as an operand, value in a register.
func (c *conv) row(i int) any {
	if c.wide() {
		return c.rows[i]
	}
	return c.stateAt(i)
}

func (c *conv) value(i int) vecs {
	if c.wide() {
		return vecs{c.rows[i]}
	}
	v := c.fresh()
	c.VMOVUPS(c.stateAt(i), v[0])
	return v
}

// set changes a row of the state.
func (c *conv) set(i int, v vecs) {
	if c.wide() {
		c.VMOVAPS(v[0], c.rows[i])
	} else {
		c.VMOVUPS(v[0], c.stateAt(i))
	}
}

// push moves a window on by one step.
func (c *conv) push(first int, newest vecs) {
	for i := first; i < first+taps-2; i++ {
		c.set(i, c.value(i+1))
	}
	c.set(first+taps-2, newest)
}

// preact returns bias + Σ_j w_j ⊙ x_j.
func (c *conv) preact(newest vecs) vecs {
	y := c.fresh()
	c.VMOVUPS(op(c.row(tapRow+taps), 0), y[0])
	for j := range taps - 1 {
		c.addMul(y, c.value(windowRow+j), c.row(tapRow+j))
	}
	c.addMul(y, newest, c.row(tapRow+taps-1))
	return y
}

// gradient returns the gradient of the present step's sum, after adding the
// shares of the taps and the bias to theirs and moving on the window of x.
func (c *conv) gradient() vecs {
	x, d := c.load("x"), c.zeros()
	c.addMul(d, c.siluSlope(c.preact(x)), c.load("dy"))
	for j := range taps - 1 {
		c.addTo(sumRow+j, d, c.value(windowRow+j))
	}
	c.addTo(sumRow+taps-1, d, x)
	sum := c.value(sumRow + taps)
	c.add(sum, d)
	if !c.wide() {
		c.set(sumRow+taps, sum)
	}
	c.push(windowRow, x)
	return d
}

// addTo adds a ⊙ b to a row of the state.
func (c *conv) addTo(row int, a, b vecs) {
	sum := c.value(row)
	c.addMul(sum, a, b)
	if !c.wide() {
		c.set(row, sum)
	}
}

// fetch asks for what the arrays hold ahead of the present step.
func (c *conv) fetch() {
	for _, a := range c.order {
		c.PREFETCHT1(operand.Mem{Base: a.base, Index: c.ahead, Scale: 1})
	}
}
