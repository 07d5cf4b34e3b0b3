package tensor

import "github.com/gophersnake/gophersnake/internal/device"

// Group says how an optimiser treats a parameter. It belongs to the parameter
// from its making.
type Group string

// The parameter groups.
const (
	Decay     Group = "decay"     // weight matrices: weight decay
	NoDecay   Group = "no_decay"  // biases, norms, A_log, D: none
	Recurrent Group = "recurrent" // λ, γ and B of an LRU, A of an SSM: none, and a learning rate of its own (LRU, app.)
)

// Param is a named tensor that is trained.
type Param struct {
	*Tensor
	Name  string
	Group Group
}

// NewParam returns a parameter with a gradient, holding data.
func NewParam(d *Device, name string, g Group, data []float64, shape ...int) *Param {
	return &Param{Tensor: Variable(d, data, shape...), Name: name, Group: g}
}

// HasGrad reports whether a gradient has arrived since ZeroGrad.
func (p *Param) HasGrad() bool { return !p.grad.IsNil() }

// ZeroGrad forgets the gradients of all parameters: they read as 0, and an
// optimiser passes over a parameter until a gradient arrives again, as torch
// does. So a step depends on nothing but the parameters, the moments and the
// gradients of that step, and a resumed run equals an uninterrupted one.
func ZeroGrad(params []*Param) {
	for _, p := range params {
		if p.HasGrad() {
			p.idle, p.grad = p.grad, device.Buf{}
		}
	}
}

// SumSquaresGrad returns Σ g² over the gradients of all parameters, summed in
// their order.
func SumSquaresGrad(params []*Param) float64 {
	var s float64
	for _, p := range params {
		if p.HasGrad() {
			s += p.dev.impl.SumSquares(p.grad)
		}
	}
	return s
}

// AdamWStep holds the numbers of one AdamW update.
type AdamWStep = device.AdamW

// AdamW updates p in place from its gradient and the moments m and v:
//
//	g ← GradScale·g;  w ← w − LR·Decay·w
//	m ← β1 m + (1−β1) g;  v ← β2 v + (1−β2) g²
//	w ← w − LR·(m/C1)/(√(v/C2) + Eps)
//
// Without a gradient nothing changes.
func (p *Param) AdamW(h AdamWStep, m, v *Tensor) {
	if p.HasGrad() {
		p.dev.impl.AdamW(h, p.buf, p.grad, m.buf, v.buf)
	}
}

// SGD updates p in place: buf ← momentum·buf + scale·g + decay·w, w ← w − lr·buf.
// Without a gradient nothing changes.
func (p *Param) SGD(lr, momentum, decay, scale float64, buf *Tensor) {
	if p.HasGrad() {
		p.dev.impl.SGD(lr, momentum, decay, scale, p.buf, p.grad, buf.buf)
	}
}
