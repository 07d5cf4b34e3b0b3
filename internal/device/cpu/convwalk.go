package cpu

import (
	"github.com/gophersnake/gophersnake/internal/device"
	"github.com/gophersnake/gophersnake/internal/kernel/fused"
)

const (
	// walkTask is how many elements a task of a walk has: some ten
	// microseconds' worth.
	walkTask = 2 * grain
	// walkAhead is how many elements a walk takes of one register of channels
	// after the other: one step at least, and few enough that those of all
	// arrays, and the next, which are fetched meanwhile, fit in the
	// second-level cache.
	walkAhead = 1 << 14
	// minWalkSteps bounds what a task of the gradient computes twice, the
	// three first steps of its successor.
	minWalkSteps = 64
)

// walks reports whether package fused has the kernels.
func walks(p *device.Conv1D) bool { return p.K == fused.Taps && fused.HasConv() }

// A walk is a device.Conv1D by package fused, cut into tasks by batch and
// time.
type walk struct {
	*device.Conv1D
	d      *Device
	start  fused.Conv // the weights, at the beginning of time
	state  []float32  // of start
	block  int        // steps of a task
	blocks int        // of a sequence
	chunk  int        // steps of a call
}

func (d *Device) newWalk(p *device.Conv1D) *walk {
	w := &walk{Conv1D: p, d: d, block: max(minWalkSteps, walkTask/p.D), chunk: max(1, walkAhead/p.D)}
	w.blocks = (p.L + w.block - 1) / w.block
	w.state = d.free.get(fused.ConvState(p.D))
	w.start = fused.NewConv(p.D, p.W.F32, p.Bias.F32, w.state)
	return w
}

func (w *walk) release() { w.d.free.put(w.state) }

// begin returns the convolution before the first step of a task, its batch
// and its steps, lo to hi.
func (w *walk) begin(task int, state []float32) (c fused.Conv, b, lo, hi int) {
	c = w.start.CopyTo(state)
	b, lo = task/w.blocks, task%w.blocks*w.block
	for lag := 1; lag < w.K; lag++ {
		c.Saw(lag, convInput(w.Conv1D, b, lo-lag, 1))
	}
	return c, b, lo, min(lo+w.block, w.L)
}

// from returns step t of a sequence and what follows in x, shaped as X.
func (w *walk) from(x device.Buf, b, t int) []float32 { return x.F32[(b*w.L+t)*w.D:] }

func (d *Device) walkForward(p *device.Conv1D) {
	w := d.newWalk(p)
	defer w.release()
	d.tasks(w.B*w.blocks, w.B*w.L*w.D*w.K, func(task int) {
		state := d.free.get(len(w.state))
		defer d.free.put(state)
		c, b, lo, hi := w.begin(task, state)
		for t := lo; t < hi; t += w.chunk {
			n := min(w.chunk, hi-t)
			c.Forward(w.SiLU, n, w.D, n*w.D, w.from(w.Y, b, t), w.from(w.X, b, t))
		}
	})
}

func (d *Device) walkGrad(p *device.Conv1D, dy, dx, dw, dbias device.Buf) {
	w := d.newWalk(p)
	defer w.release()
	tasks, width := w.B*w.blocks, (w.K+1)*w.D
	parts := d.free.get(tasks * width)
	defer d.free.put(parts)
	d.tasks(tasks, 2*w.B*w.L*w.D*w.K, func(task int) {
		w.gradient(task, dy, dx, parts[task*width:][:width])
	})
	d.addParts(parts, tasks, width)
	if !dw.IsNil() {
		for j := range w.K {
			for i, v := range parts[j*w.D:][:w.D] {
				dw.F32[i*w.K+j] += v
			}
		}
	}
	addTo(dbias, parts[w.K*w.D:][:w.D])
}

// gradient adds to dx, and sets sums to the sums of the weights' gradients.
func (w *walk) gradient(task int, dy, dx device.Buf, sums []float32) {
	scratch := w.d.free.getZero(len(w.state) + w.D)
	defer w.d.free.put(scratch)
	c, b, lo, hi := w.begin(task, scratch)
	for t, n := lo, 0; t < hi; t += n {
		n = min(w.chunk, hi-t)
		var to []float32
		if t < lo+w.K-1 {
			n = min(n, lo+w.K-1-t)
		} else if !dx.IsNil() {
			to = w.from(dx, b, t-w.K+1)
		}
		c.Gradient(n, w.D, n*w.D, to, w.from(dy, b, t), w.from(w.X, b, t))
	}
	c.Sums(sums)
	if !dx.IsNil() {
		w.finish(&c, b, lo, hi, dy, dx, scratch[len(w.state):])
	}
}

// finish adds to the last steps of dx what they contribute to the steps from
// hi on.
func (w *walk) finish(c *fused.Conv, b, lo, hi int, dy, dx device.Buf, zeros []float32) {
	for t := hi; t < hi+w.K-1; t++ {
		var to []float32
		if t-w.K+1 >= lo {
			to = w.from(dx, b, t-w.K+1)
		}
		if t < w.L {
			c.Gradient(1, w.D, 0, to, w.from(dy, b, t), w.from(w.X, b, t))
		} else {
			c.Gradient(1, w.D, 0, to, zeros, zeros)
		}
	}
}
