package reference

import (
	"math"

	"github.com/gophersnake/gophersnake/internal/device"
)

// AdamW is one update (Loshchilov & Hutter, algorithm 2, in the order of
// torch.optim.AdamW), all arrays of one length:
//
//	g' = GradScale g;  w ← w − LR Decay w
//	m ← β1 m + (1−β1) g';  v ← β2 v + (1−β2) g'²
//	w ← w − LR (m/C1) / (√(v/C2) + Eps)
//
// g itself is left as it is.
func (*Device) AdamW(h device.AdamW, w, g, m, v device.Buf) {
	for i := range w.F64 {
		gi := h.GradScale * g.F64[i]
		w.F64[i] -= h.LR * h.Decay * w.F64[i]
		m.F64[i] = h.Beta1*m.F64[i] + (1-h.Beta1)*gi
		v.F64[i] = h.Beta2*v.F64[i] + (1-h.Beta2)*gi*gi
		w.F64[i] -= h.LR * (m.F64[i] / h.C1) / (math.Sqrt(v.F64[i]/h.C2) + h.Eps)
	}
}

// SGD is one step of gradient descent with momentum (torch.optim.SGD with
// dampening 0); a nil buf counts as zeros:
//
//	buf ← momentum buf + scale g + decay w;  w ← w − lr buf
func (*Device) SGD(lr, momentum, decay, scale float64, w, g, buf device.Buf) {
	for i := range w.F64 {
		b := momentum*at(buf, i) + scale*g.F64[i] + decay*w.F64[i]
		set(buf, i, b)
		w.F64[i] -= lr * b
	}
}
