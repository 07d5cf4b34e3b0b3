package tensor

import "fmt"

// Function is an operation of your own: forward and gradient over float64
// slices, on every device.
//
// Forward reads in and overwrites out. Backward reads in, out and dout, the
// gradient of the loss with respect to out, and adds the gradient with respect
// to each input to din; din[i] is nil when nobody wants it. Shapes are the
// function's own business: slices are the flat row-major elements.
type Function struct {
	Name     string
	Forward  func(in, out [][]float64)
	Backward func(in, out, dout, din [][]float64)
}

// Apply runs f on the inputs and returns one tensor per output shape.
func (tp *Tape) Apply(f Function, shapes [][]int, in ...*Tensor) []*Tensor {
	track := tp.tracks("Apply: "+f.Name, in...)
	for _, s := range shapes {
		wantExtents("Apply: "+f.Name, s)
	}
	if f.Forward == nil || (track && f.Backward == nil) {
		panic(fmt.Sprintf("tensor: Apply: function %q lacks Forward or Backward", f.Name))
	}
	hostIn, hostOut := hostOf(in), make([][]float64, len(shapes))
	for i, s := range shapes {
		hostOut[i] = make([]float64, size(s))
	}
	f.Forward(hostIn, hostOut)
	outs := make([]*Tensor, len(shapes))
	for i, s := range shapes {
		wantCount("Apply: "+f.Name, fmt.Sprintf("elements of output %d", i), len(hostOut[i]), size(s))
		outs[i] = tp.alloc(append([]int(nil), s...)...)
		tp.d.Upload(outs[i].buf, hostOut[i])
	}
	if track {
		tp.record(outs, nil, func() { tp.applyGrad(f, in, outs) })
	}
	return outs
}

func (tp *Tape) applyGrad(f Function, in, outs []*Tensor) {
	dout, din := make([][]float64, len(outs)), make([][]float64, len(in))
	for i, o := range outs {
		dout[i] = o.Grad()
	}
	for i, t := range in {
		if t.needs {
			din[i] = make([]float64, t.Len())
		}
	}
	f.Backward(hostOf(in), hostOf(outs), dout, din)
	for i, t := range in {
		if t.needs {
			g := tp.scratch(t.Len())
			tp.d.Upload(g, din[i])
			tp.addGrad(t, g)
			tp.arena.put(g)
		}
	}
}

func hostOf(ts []*Tensor) [][]float64 {
	out := make([][]float64, len(ts))
	for i, t := range ts {
		out[i] = t.Data()
	}
	return out
}
