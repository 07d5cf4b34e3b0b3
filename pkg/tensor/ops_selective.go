package tensor

import "github.com/gophersnake/gophersnake/internal/device"

// SelectiveScan runs the recurrence and returns y (B,L,D).
func (tp *Tape) SelectiveScan(s SelectiveScan) *Tensor {
	const op = "SelectiveScan"
	track := tp.tracks(op, s.inputs()...)
	tp.accept(op, s.State, s.StateIm)
	_, _, _, _, groups := s.check(op)
	if groups > 1 {
		return tp.selectiveGroups(s, groups)
	}
	y, again := tp.keep(s.U.shape...)
	k := s.device(y.buf)
	saved := tp.runSelective(&s, k, track, again)
	if track {
		tp.record([]*Tensor{y}, saved, func() {
			g := tp.selectiveGrads(&s)
			g.DY = y.grad
			tp.d.SelectiveScanGrad(k, g)
		})
	}
	return y
}

// SelectiveScanLinear returns y wᵀ (B,L,M) for the y of SelectiveScan(s) and w
// (M,D). It is Linear(SelectiveScan(s), w, nil) in less memory: with a Z, y is
// not kept, as the gradient computes it on its way.
func (tp *Tape) SelectiveScanLinear(s SelectiveScan, w *Tensor) *Tensor {
	const op = "SelectiveScanLinear"
	track := tp.tracks(op, append(s.inputs(), w)...)
	tp.accept(op, s.State, s.StateIm)
	b, l, d, _, groups := s.check(op)
	want(op, "w", w, -1, d)
	if !track || s.Z == nil || groups > 1 {
		return tp.Linear(tp.SelectiveScan(s), w, nil)
	}
	m := w.shape[0]
	out, again := tp.linearOut([]int{b, l, m})
	y := tp.scratch(b * l * d)
	k := s.device(y)
	saved := tp.runSelective(&s, k, track, again)
	if !again {
		tp.d.MatMul(false, true, b*l, m, d, y, w.buf, device.Buf{}, out.buf, false)
	}
	tp.arena.put(y)
	k.Y = device.Buf{}
	tp.record([]*Tensor{out}, saved, func() { tp.selectiveLinearGrad(&s, k, w, out.grad) })
	return out
}

// selectiveLinearGrad adds the gradients of SelectiveScanLinear.
func (tp *Tape) selectiveLinearGrad(s *SelectiveScan, k *device.SelectiveScan, w *Tensor, dout device.Buf) {
	rows, m, d := k.B*k.L, w.shape[0], k.D
	dy := tp.scratch(rows * d)
	tp.d.MatMul(false, false, rows, d, m, dout, w.buf, device.Buf{}, dy, false)
	g := tp.selectiveGrads(s)
	g.DY, g.Y = dy, dy
	tp.d.SelectiveScanGrad(k, g)
	if dw, fresh := tp.gradFresh(w); !dw.IsNil() {
		tp.d.MatMul(true, false, m, d, rows, dout, dy, device.Buf{}, dw, !fresh)
	}
	tp.arena.put(dy)
}

// device is s, checked, in the words of the device, without states.
func (s *SelectiveScan) device(y device.Buf) *device.SelectiveScan {
	u := s.U.shape
	return &device.SelectiveScan{B: u[0], L: u[1], D: u[2], N: s.A.shape[1], Softplus: s.Softplus, Signed: s.Signed,
		U: s.U.buf, Delta: bufOf(s.Delta), DeltaBias: bufOf(s.DeltaBias), A: s.A.buf, AIm: bufOf(s.AIm),
		BVarying: len(s.B.shape) > 2, Bm: s.B.buf, BIm: bufOf(s.BIm),
		CVarying: len(s.C.shape) > 2, Cm: s.C.buf, CIm: bufOf(s.CIm),
		Dskip: bufOf(s.Dskip), Z: bufOf(s.Z), Y: y}
}

// runSelective runs k, unless again, with the states of s and with what the
// gradient needs if track; it returns what record is to give back.
func (tp *Tape) runSelective(s *SelectiveScan, k *device.SelectiveScan, track, again bool) (saved []device.Buf) {
	k.H0, k.HT = tp.stateIn(s.State, track, &saved), bufOf(s.State)
	k.H0Im, k.HTIm = tp.stateIn(s.StateIm, track, &saved), bufOf(s.StateIm)
	if track {
		k.Saved = tp.keepScratch(tp.d.SelectiveScanSaved(k), &saved)
	}
	if !again {
		tp.d.SelectiveScan(k)
	}
	k.HT, k.HTIm = device.Buf{}, device.Buf{}
	return saved
}

// selectiveGrads returns the buffers for the gradients of s.
func (tp *Tape) selectiveGrads(s *SelectiveScan) *device.SelectiveScanGrad {
	return &device.SelectiveScanGrad{
		DU: tp.grad(s.U), DDelta: tp.grad(s.Delta), DDeltaBias: tp.grad(s.DeltaBias),
		DA: tp.grad(s.A), DAIm: tp.grad(s.AIm), DB: tp.grad(s.B), DBIm: tp.grad(s.BIm),
		DC: tp.grad(s.C), DCIm: tp.grad(s.CIm), DDskip: tp.grad(s.Dskip), DZ: tp.grad(s.Z)}
}
