package tensor

import "github.com/gophersnake/gophersnake/internal/device"

// LSTM is the long short-term memory over x (B,L,4H) = W_ih u + b, gates in the
// order i, f, g, o as in PyTorch, with w (4H,H):
//
//	c' = σ(f) ⊙ c + σ(i) ⊙ tanh(g)   h' = σ(o) ⊙ tanh(c')
//
// It returns h (B,L,H). stateH and stateC (B,H), both or neither, are h and c
// before t = 0 and afterwards the last ones.
func (tp *Tape) LSTM(x, w, stateH, stateC *Tensor) *Tensor {
	const op = "LSTM"
	unread := tp.tracksUnread(op, x)
	track := tp.tracks(op, w) || unread
	h := wantCell(op, "w", w, 4)
	want(op, "x", x, -1, -1, 4*h)
	s := &device.LSTM{B: x.shape[0], L: x.shape[1], H: h, X: x.buf, W: w.buf}
	return tp.lstm(op, s, track, stateH, stateC, func(dh device.Buf, gates *device.Buf) {
		dx, dw := tp.gradIn(x, gates), tp.grad(w)
		tp.d.LSTMGrad(s, dh, dx, dw)
	})
}

// ProjectedLSTM is LSTM of x = u wInᵀ + bias, for u (B,L,D), wIn (4H,D) and bias
// (4H) or nil. x is computed a few steps at a time and never stored as a whole,
// which saves time and memory.
func (tp *Tape) ProjectedLSTM(u, wIn, bias, w, stateH, stateC *Tensor) *Tensor {
	const op = "ProjectedLSTM"
	track := tp.tracks(op, u, wIn, bias, w)
	h := wantCell(op, "w", w, 4)
	b, l, d := want3(op, "u", u)
	want(op, "wIn", wIn, 4*h, d)
	if bias != nil {
		want(op, "bias", bias, 4*h)
	}
	if l == 1 { // there is nothing to save
		x := tp.Linear(u, wIn, bias)
		defer tp.Done(x)
		return tp.LSTM(x, w, stateH, stateC)
	}
	x := &device.Projection{D: d, U: u.buf, W: wIn.buf, Bias: bufOf(bias)}
	s := &device.LSTM{B: b, L: l, H: h, In: x, W: w.buf}
	return tp.lstm(op, s, track, stateH, stateC, func(dh device.Buf, gates *device.Buf) {
		tp.d.LSTMGrad(s, dh, *gates, tp.grad(w)) // dx takes the place of the gates
		tp.linearGrad(u, wIn, bias, *gates)
	})
}

// wantCell panics unless w (gates·H,H) is the recurrent weight of a cell, and
// returns H.
func wantCell(op, name string, w *Tensor, gates int) int {
	want(op, name, w, -1, -1)
	h := w.shape[1]
	want(op, name, w, gates*h, h)
	return h
}

// lstm runs s, of which outputs and states are still to be set. back gets the
// output's gradient and the memory of the gates, which it may destroy or keep.
func (tp *Tape) lstm(op string, s *device.LSTM, track bool, stateH, stateC *Tensor,
	back func(dh device.Buf, gates *device.Buf)) *Tensor {
	wantBoth(op, "stateH", "stateC", stateH, stateC)
	tp.wantState(op, "stateH", stateH, s.B, s.H)
	tp.wantState(op, "stateC", stateC, s.B, s.H)
	n := s.B * s.L * s.H
	out, c := tp.alloc(s.B, s.L, s.H), tp.scratch(n)
	s.Out, s.C = out.buf, c
	saved := []device.Buf{c}
	s.H0, s.C0 = tp.stateIn(stateH, track, &saved), tp.stateIn(stateC, track, &saved)
	if track {
		s.Saved = tp.scratch(4 * n)
		saved = append(saved, s.Saved)
	}
	tp.d.LSTM(s)
	tp.lastStep(out, stateH)
	if stateC != nil {
		tp.d.CopyBlock(s.B, s.H, c, (s.L-1)*s.H, s.L*s.H, stateC.buf, 0, s.H, false)
	}
	if track {
		tp.record([]*Tensor{out}, saved, func() { back(out.grad, &saved[len(saved)-1]) })
	}
	return out
}
