package cpu

import (
	"github.com/gophersnake/gophersnake/internal/device"
	"github.com/gophersnake/gophersnake/internal/kernel/vec"
)

const (
	// minConvSteps bounds what a task of the gradient computes twice, K−1
	// steps of its successor, to about a tenth.
	minConvSteps = 32
	// convWidth is how many floats a vector operation should have at least.
	// With fewer channels, several steps are one operation.
	convWidth = 256
)

// conv is a device.Conv1D cut into tasks. Its weight is turned into K rows, so
// that loops run over channels, and each row is repeated for steps steps.
type conv struct {
	*device.Conv1D
	d     *Device
	steps int       // of one vector operation
	wide  int       // steps·D
	w     []float32 // (K,steps,D)
	bias  []float32 // (steps,D), after w in memory
	block int       // steps of a task
	tasks int       // B · blocks
}

// newConv prepares the weight in scratch, which release gives back.
func (d *Device) newConv(p *device.Conv1D) *conv {
	c := &conv{Conv1D: p, d: d, steps: max(1, min(convWidth/p.D, p.L-p.K+1))}
	c.wide = c.steps * c.D
	c.block = max(minConvSteps, grain/c.D)
	c.tasks = c.B * ((c.L + c.block - 1) / c.block)
	c.w = d.free.get((c.K + 1) * c.wide)
	c.bias = c.w[c.K*c.wide:]
	for j := range c.K {
		row := c.w[j*c.wide:][:c.D]
		for i := range row {
			row[i] = c.W.F32[i*c.K+j]
		}
	}
	clear(c.bias)
	copy(c.bias, c.Bias.F32)
	for i := range c.K + 1 {
		row := c.w[i*c.wide:][:c.wide]
		for s := 1; s < c.steps; s++ {
			copy(row[s*c.D:], row[:c.D])
		}
	}
	return c
}

func (c *conv) release() { c.d.free.put(c.w) }

// span returns the batch and the steps of a task.
func (c *conv) span(task int) (b, lo, hi int) {
	n := (c.L + c.block - 1) / c.block
	lo = task % n * c.block
	return task / n, lo, min(lo+c.block, c.L)
}

// next returns how many of the steps from t to hi make one operation: one at
// a time as long as the window reaches before the first step.
func (c *conv) next(t, hi int) int {
	if t < c.K-1 {
		return 1
	}
	return min(c.steps, hi-t)
}

// convInput returns n steps of x from t ≥ −(K−1) on, nil if they are zero.
// Before the first step, n is 1.
func convInput(c *device.Conv1D, b, t, n int) []float32 {
	if t >= 0 {
		return c.X.F32[(b*c.L+t)*c.D:][:n*c.D]
	}
	if c.State.IsNil() {
		return nil
	}
	return c.State.F32[(b*(c.K-1)+t+c.K-1)*c.D:][:c.D]
}

// preact sets y to n steps of bias + Σ_j w[j] x[t−K+1+j].
func (c *conv) preact(b, t, n int, y []float32) {
	copy(y, c.bias)
	for j := range c.K {
		if x := convInput(c.Conv1D, b, t-c.K+1+j, n); x != nil {
			vec.MulAdd(y, c.w[j*c.wide:][:n*c.D], x)
		}
	}
}

// Conv1D is the causal depthwise convolution, with SiLU if p says so.
func (d *Device) Conv1D(p *device.Conv1D) {
	if walks(p) {
		d.walkForward(p)
	} else {
		d.convForward(p)
	}
	if !p.StateOut.IsNil() {
		saveState(p)
	}
}

// convForward is Conv1D but for the state.
func (d *Device) convForward(p *device.Conv1D) {
	c := d.newConv(p)
	defer c.release()
	d.tasks(c.tasks, c.B*c.L*c.D*c.K, func(task int) {
		b, lo, hi := c.span(task)
		for t, n := lo, 0; t < hi; t += n {
			n = c.next(t, hi)
			y := c.Y.F32[(b*c.L+t)*c.D:][:n*c.D]
			c.preact(b, t, n, y)
			if c.SiLU {
				vec.SiLU(y, y)
			}
		}
	})
}

// saveState writes the last K−1 inputs, oldest first, in an order that lets
// StateOut be State.
func saveState(p *device.Conv1D) {
	for b := range p.B {
		for i := range p.K - 1 {
			to := p.StateOut.F32[(b*(p.K-1)+i)*p.D:][:p.D]
			if x := convInput(p, b, p.L-p.K+1+i, 1); x != nil {
				copy(to, x)
			} else {
				clear(to)
			}
		}
	}
}

// Conv1DGrad adds the gradients. With g_t = dy_t f'(pre-activation), which is
// computed again,
//
//	dx_t = Σ_j w[j] g_{t+K−1−j};  dw[j] = Σ_t g_t x_{t−K+1+j};  dbias = Σ_t g_t
func (d *Device) Conv1DGrad(p *device.Conv1D, dy, dx, dw, dbias device.Buf) {
	if p.SiLU && walks(p) {
		d.walkGrad(p, dy, dx, dw, dbias)
	} else {
		d.convGrad(p, dy, dx, dw, dbias)
	}
}

func (d *Device) convGrad(p *device.Conv1D, dy, dx, dw, dbias device.Buf) {
	c := d.newConv(p)
	defer c.release()
	width := (c.K + 1) * c.wide
	parts := d.free.getZero(c.tasks * width)
	defer d.free.put(parts)
	d.tasks(c.tasks, 2*c.B*c.L*c.D*c.K, func(task int) {
		b, lo, hi := c.span(task)
		end := min(hi+c.K-1, c.L)
		g := d.free.get((end - lo) * c.D)
		defer d.free.put(g)
		part := parts[task*width:][:width]
		c.preactGrad(b, lo, end, dy.F32, g)
		c.weightGrad(b, lo, hi, g, part)
		if !dx.IsNil() {
			c.inputGrad(b, lo, hi, end, g, dx.F32)
		}
	})
	d.addParts(parts, c.tasks, width)
	if !dw.IsNil() {
		c.addWeightGrad(parts, dw.F32)
	}
	for s := range c.steps {
		addTo(dbias, parts[c.K*c.wide+s*c.D:][:c.D])
	}
}

// preactGrad sets g to the gradient of the pre-activations of steps lo to end.
func (c *conv) preactGrad(b, lo, end int, dy, g []float32) {
	dy = dy[(b*c.L+lo)*c.D : (b*c.L+end)*c.D]
	if !c.SiLU {
		copy(g, dy)
		return
	}
	tmp := c.d.free.get(c.wide)
	defer c.d.free.put(tmp)
	clear(g)
	for t, n := lo, 0; t < end; t += n {
		n = c.next(t, end)
		i, j := (t-lo)*c.D, (t-lo+n)*c.D
		c.preact(b, t, n, tmp[:n*c.D])
		vec.SiLUGrad(g[i:j], tmp[:n*c.D], dy[i:j])
	}
}

// inputGrad adds Σ_j w[j] g_{t+K−1−j} to the steps lo to hi of dx.
func (c *conv) inputGrad(b, lo, hi, end int, g, dx []float32) {
	for t, n := lo, 0; t < hi; t += n {
		n = min(c.steps, hi-t)
		x := dx[(b*c.L+t)*c.D:][:n*c.D]
		for lag := range min(c.K, end-t) {
			m := min(n, end-t-lag) * c.D
			vec.MulAdd(x[:m], c.w[(c.K-1-lag)*c.wide:][:m], g[(t-lo+lag)*c.D:][:m])
		}
	}
}

// weightGrad adds the share of steps lo to hi to part: K wide rows for the
// weight, one for the bias.
func (c *conv) weightGrad(b, lo, hi int, g, part []float32) {
	for t, n := lo, 0; t < hi; t += n {
		n = c.next(t, hi)
		g := g[(t-lo)*c.D:][:n*c.D]
		for j := range c.K {
			if x := convInput(c.Conv1D, b, t-c.K+1+j, n); x != nil {
				vec.MulAdd(part[j*c.wide:][:n*c.D], g, x)
			}
		}
		sum := part[c.K*c.wide:][:n*c.D]
		vec.AddTo(sum, g)
	}
}

// addWeightGrad adds K wide rows to dw (D,K).
func (c *conv) addWeightGrad(sum, dw []float32) {
	for j := range c.K {
		for s := range c.steps {
			for i, v := range sum[j*c.wide+s*c.D:][:c.D] {
				dw[i*c.K+j] += v
			}
		}
	}
}
