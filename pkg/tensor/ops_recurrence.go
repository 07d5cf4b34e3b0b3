package tensor

import "github.com/gophersnake/gophersnake/internal/device"

// Scan is the real diagonal linear recurrence over x (B,L,D)
//
//	h_t = a_t ⊙ h_{t−1} + x_t
//
// with a (D), the same for all t, or (B,L,D). It returns h (B,L,D). state
// (B,D), if not nil, is h before t = 0 and afterwards the last h.
func (tp *Tape) Scan(a, x, state *Tensor) *Tensor {
	const op = "Scan"
	unread := tp.tracksUnread(op, x)
	track := tp.tracks(op, a) || unread
	b, l, d := want3(op, "x", x)
	varying := len(a.shape) == 3
	wantCoefficient(op, "a", a, x)
	tp.wantState(op, "state", state, b, d)
	h := tp.like(x)
	s := &device.LinearScan{B: b, L: l, D: d, Varying: varying, A: a.buf, X: x.buf, H: h.buf}
	var saved []device.Buf
	s.H0 = tp.stateIn(state, track, &saved)
	tp.d.LinearScan(s)
	tp.lastStep(h, state)
	if track {
		tp.record([]*Tensor{h}, saved, func() {
			tp.d.LinearScanGrad(s, &device.LinearScanGrad{DH: h.grad, DA: tp.grad(a), DX: tp.grad(x)})
		})
	}
	return h
}

// ComplexScan is Scan over ℂ, real and imaginary parts in tensors of their own.
func (tp *Tape) ComplexScan(aRe, aIm, xRe, xIm, stateRe, stateIm *Tensor) (hRe, hIm *Tensor) {
	const op = "ComplexScan"
	unread := tp.tracksUnread(op, xRe, xIm)
	track := tp.tracks(op, aRe, aIm) || unread
	b, l, d := want3(op, "xRe", xRe)
	wantSame(op, "xIm", xIm, xRe)
	wantCoefficient(op, "aRe", aRe, xRe)
	wantSame(op, "aIm", aIm, aRe)
	wantBoth(op, "stateRe", "stateIm", stateRe, stateIm)
	tp.wantState(op, "stateRe", stateRe, b, d)
	tp.wantState(op, "stateIm", stateIm, b, d)
	hRe, hIm = tp.like(xRe), tp.like(xRe)
	s := &device.LinearScan{B: b, L: l, D: d, Varying: len(aRe.shape) == 3,
		A: aRe.buf, AIm: aIm.buf, X: xRe.buf, XIm: xIm.buf, H: hRe.buf, HIm: hIm.buf}
	var saved []device.Buf
	s.H0, s.H0Im = tp.stateIn(stateRe, track, &saved), tp.stateIn(stateIm, track, &saved)
	tp.d.LinearScan(s)
	tp.lastStep(hRe, stateRe)
	tp.lastStep(hIm, stateIm)
	if track {
		tp.record([]*Tensor{hRe, hIm}, saved, func() {
			tp.d.LinearScanGrad(s, &device.LinearScanGrad{DH: tp.grad(hRe), DHIm: tp.grad(hIm),
				DA: tp.grad(aRe), DAIm: tp.grad(aIm), DX: tp.grad(xRe), DXIm: tp.grad(xIm)})
		})
	}
	return hRe, hIm
}

func wantCoefficient(op, name string, a, x *Tensor) {
	if len(a.shape) == 3 {
		wantSame(op, name, a, x)
	} else {
		want(op, name, a, x.Dim(-1))
	}
}

// wantState panics unless state is nil or has the shape dims on the tape's
// device.
func (tp *Tape) wantState(op, name string, state *Tensor, dims ...int) {
	if state != nil {
		tp.accept(op, state)
		want(op, name, state, dims...)
	}
}

// lastStep copies step L−1 of h (B,L,D) to state (B,D) if there is one.
func (tp *Tape) lastStep(h, state *Tensor) {
	if state == nil {
		return
	}
	b, l, d := h.shape[0], h.shape[1], h.shape[2]
	tp.d.CopyBlock(b, d, h.buf, (l-1)*d, l*d, state.buf, 0, d, false)
}

// SelectiveScan holds the inputs of Tape.SelectiveScan, the recurrence of S6
// (Mamba, arXiv 2312.00752 §3.2; selective_scan of the official code), of which
// any part can be held constant:
//
//	Δ_t = Delta_t + DeltaBias, through softplus if Softplus       (D)
//	Ā_t = exp(Δ_t A), or 2·exp(Δ_t A) − 1 if Signed               (D,N)
//	h_t = Ā_t h_{t−1} + Δ_t B_t u_t                               (D,N)
//	y_t = Σ_n C_t[n] h_t[n] + Dskip u_t, times SiLU(Z_t) if there is a Z
//
// As the official code does, B is discretised by Euler's rule and not by the
// zero-order hold that the paper states. With AIm, A and h are complex and
// Σ_n is 2·Re Σ_n. The (L,D,N) states are never stored: the gradient computes
// them again from check-points.
//
// B and C may come in G groups, (B,L,G,N), the official code's (B,G,N,L): the
// channels fall into G equal runs, and channel d uses group ⌊d·G/D⌋. G divides D
// and is the same in B and C unless one of them has 1, which is the same as
// (B,L,N), or is constant. More than one group is a scan per group, on copies of
// its channels.
type SelectiveScan struct {
	U         *Tensor // (B,L,D)
	Delta     *Tensor // (B,L,D), or nil: Δ is DeltaBias alone
	DeltaBias *Tensor // (D) or nil
	Softplus  bool
	Signed    bool    // eigenvalues in (−1,1) instead of (0,1) (Grazzi et al., arXiv 2411.12537)
	A, AIm    *Tensor // (D,N), negative real part; AIm nil when real
	B, BIm    *Tensor // (B,L,N) or (B,L,G,N) selective, or (D,N) constant; BIm nil when real
	C, CIm    *Tensor // likewise
	Dskip     *Tensor // (D) or nil
	Z         *Tensor // (B,L,D) or nil
	// State (B,D,N), if not nil, is h before t = 0 and afterwards the last h.
	State, StateIm *Tensor
}

func (s *SelectiveScan) inputs() []*Tensor {
	return []*Tensor{s.U, s.Delta, s.DeltaBias, s.A, s.AIm, s.B, s.BIm, s.C, s.CIm, s.Dskip, s.Z}
}

// check panics on inputs that do not fit and returns B, L, D, N and the number
// of groups.
func (s *SelectiveScan) check(op string) (b, l, d, n, groups int) {
	s.checkPresence(op)
	b, l, d = want3(op, "U", s.U)
	want(op, "A", s.A, d, -1)
	n = s.A.shape[1]
	check := func(name string, t *Tensor, dims ...int) {
		if t != nil {
			want(op, name, t, dims...)
		}
	}
	check("AIm", s.AIm, d, n)
	check("Delta", s.Delta, b, l, d)
	check("DeltaBias", s.DeltaBias, d)
	groups = s.checkGroups(op, b, l, d, n)
	check("Dskip", s.Dskip, d)
	check("Z", s.Z, b, l, d)
	check("State", s.State, b, d, n)
	check("StateIm", s.StateIm, b, d, n)
	return b, l, d, n, groups
}

// checkPresence panics on inputs that are missing or do not go together.
func (s *SelectiveScan) checkPresence(op string) {
	bad := func(got, want string) { panic("tensor: " + op + ": " + got + ", want " + want) }
	for _, p := range []struct {
		name string
		t    *Tensor
	}{{"U", s.U}, {"A", s.A}, {"B", s.B}, {"C", s.C}} {
		if p.t == nil {
			bad(p.name+" is nil", "a tensor")
		}
	}
	if s.Delta == nil && s.DeltaBias == nil {
		bad("Delta and DeltaBias are both nil", "at least one")
	}
	if s.AIm == nil {
		if s.BIm != nil || s.CIm != nil || s.StateIm != nil {
			bad("BIm, CIm or StateIm with a real A", "AIm as well")
		}
		return
	}
	if s.Signed {
		bad("Signed with a complex A", "one of the two")
	}
	wantBoth(op, "State", "StateIm", s.State, s.StateIm)
}

// Elman is the dense recurrence over x (B,L,H), already projected and biased,
//
//	h_t = tanh( w h_{t−1} + x_t ),   without the tanh if linear
//
// with w (H,H). It returns h (B,L,H). state (B,H), if not nil, is h before
// t = 0 and afterwards the last h.
func (tp *Tape) Elman(x, w *Tensor, linear bool, state *Tensor) *Tensor {
	const op = "Elman"
	unread := tp.tracksUnread(op, x)
	track := tp.tracks(op, w) || unread
	b, l, h := want3(op, "x", x)
	want(op, "w", w, h, h)
	tp.wantState(op, "state", state, b, h)
	out := tp.like(x)
	e := &device.Elman{B: b, L: l, H: h, Linear: linear, X: x.buf, W: w.buf, Out: out.buf}
	var saved []device.Buf
	e.H0 = tp.stateIn(state, track, &saved)
	tp.d.Elman(e)
	tp.lastStep(out, state)
	if track {
		tp.record([]*Tensor{out}, saved, func() {
			dx, dw := tp.grad(x), tp.grad(w)
			tp.d.ElmanGrad(e, out.grad, dx, dw)
		})
	}
	return out
}

// GRU is the gated recurrent unit over x (B,L,3H) = W_ih u + b_ih, gates in
// the order r, z, n as in PyTorch, with w (3H,H) and bias (3H) or nil:
//
//	r = σ(x_r + W_r h + b_r)   z = σ(x_z + W_z h + b_z)
//	n = tanh(x_n + r ⊙ (W_n h + b_n))   h' = (1−z) ⊙ n + z ⊙ h
//
// It returns h (B,L,H). state (B,H) is as in Elman.
func (tp *Tape) GRU(x, w, bias, state *Tensor) *Tensor {
	const op = "GRU"
	unread := tp.tracksUnread(op, x)
	track := tp.tracks(op, w, bias) || unread
	want(op, "w", w, -1, -1)
	h := w.shape[1]
	want(op, "w", w, 3*h, h)
	want(op, "x", x, -1, -1, 3*h)
	if bias != nil {
		want(op, "bias", bias, 3*h)
	}
	b, l := x.shape[0], x.shape[1]
	tp.wantState(op, "state", state, b, h)
	out := tp.alloc(b, l, h)
	g := &device.GRU{B: b, L: l, H: h, X: x.buf, W: w.buf, Bias: bufOf(bias), Out: out.buf}
	var saved []device.Buf
	g.H0 = tp.stateIn(state, track, &saved)
	if track {
		g.Saved = tp.scratch(b * l * 4 * h)
		saved = append(saved, g.Saved)
	}
	tp.d.GRU(g)
	tp.lastStep(out, state)
	if track {
		tp.record([]*Tensor{out}, saved, func() {
			dx, dw, db := tp.grad(x), tp.grad(w), tp.grad(bias)
			tp.d.GRUGrad(g, out.grad, dx, dw, db)
		})
	}
	return out
}
