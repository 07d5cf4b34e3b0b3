package tensor

import (
	"fmt"
	"slices"
)

// checkGroups panics on B or C that do not fit and returns the number of groups
// of channels, 1 when neither has groups.
func (s *SelectiveScan) checkGroups(op string, b, l, d, n int) int {
	groups := 1
	for _, p := range []struct {
		name   string
		re, im *Tensor
	}{{"B", s.B, s.BIm}, {"C", s.C, s.CIm}} {
		g := 1
		switch len(p.re.shape) {
		case 4:
			want(op, p.name, p.re, b, l, -1, n)
			g = p.re.shape[2]
		case 3:
			want(op, p.name, p.re, b, l, n)
		default:
			want(op, p.name, p.re, d, n)
		}
		if p.im != nil {
			wantSame(op, p.name+"Im", p.im, p.re)
		}
		if d%g != 0 {
			panic(fmt.Sprintf("tensor: %s: %s is %s, %d groups for %d channels, want a divisor", op, p.name, shapeString(p.re.shape), g, d))
		}
		if groups > 1 && g > 1 && g != groups {
			panic(fmt.Sprintf("tensor: %s: %s is %s, %d groups, want %d as B has, or 1", op, p.name, shapeString(p.re.shape), g, groups))
		}
		groups = max(groups, g)
	}
	return groups
}

// selectiveGroups runs s, checked, as one scan per group of channels. Each works
// on copies of its columns of U, Delta, Z and of its part of the states, and on
// views of the rest.
func (tp *Tape) selectiveGroups(s SelectiveScan, groups int) *Tensor {
	ys := make([]*Tensor, groups)
	for g, part := range tp.splitGroups(s, groups) {
		part.State, part.StateIm = tp.groupState(s.State, g, groups), tp.groupState(s.StateIm, g, groups)
		ys[g] = tp.SelectiveScan(part)
		tp.putGroupState(part.State, s.State, g)
		tp.putGroupState(part.StateIm, s.StateIm, g)
	}
	return tp.Concat(ys...)
}

// splitGroups returns the scan of each group, without states.
func (tp *Tape) splitGroups(s SelectiveScan, groups int) []SelectiveScan {
	split := func(x *Tensor) []*Tensor { // the columns of (B,L,·)
		return tp.Split(x, slices.Repeat([]int{x.Dim(-1) / groups}, groups)...)
	}
	along := func(x *Tensor) []*Tensor { // (B,L,D)
		if x == nil {
			return make([]*Tensor, groups)
		}
		return split(x)
	}
	rows := func(x *Tensor, g int) *Tensor { // (D) or (D,N)
		if x == nil {
			return nil
		}
		width := x.shape[0] / groups
		return x.Rows(g*width, (g+1)*width)
	}
	coefficient := func(x *Tensor) []*Tensor { // B or C
		switch {
		case x == nil || len(x.shape) == 3 || len(x.shape) == 4 && x.shape[2] == 1: // the groups share it
			return slices.Repeat([]*Tensor{x}, groups)
		case len(x.shape) == 4:
			return split(x.Reshape(x.shape[0], x.shape[1], -1))
		}
		parts := make([]*Tensor, groups)
		for g := range parts {
			parts[g] = rows(x, g)
		}
		return parts
	}
	u, delta, z := along(s.U), along(s.Delta), along(s.Z)
	b, bIm, c, cIm := coefficient(s.B), coefficient(s.BIm), coefficient(s.C), coefficient(s.CIm)
	parts := make([]SelectiveScan, groups)
	for g := range parts {
		parts[g] = SelectiveScan{U: u[g], Delta: delta[g], DeltaBias: rows(s.DeltaBias, g), Softplus: s.Softplus, Signed: s.Signed,
			A: rows(s.A, g), AIm: rows(s.AIm, g), B: b[g], BIm: bIm[g], C: c[g], CIm: cIm[g], Dskip: rows(s.Dskip, g), Z: z[g]}
	}
	return parts
}

// groupState returns a copy of group g's part (B,D/groups,N) of state (B,D,N),
// nil if there is none. putGroupState takes it back.
func (tp *Tape) groupState(state *Tensor, g, groups int) *Tensor {
	if state == nil {
		return nil
	}
	b, d, n := state.shape[0], state.shape[1], state.shape[2]
	width := d / groups * n
	part := &Tensor{dev: tp.dev, shape: []int{b, d / groups, n}, buf: tp.scratch(b * width)}
	tp.d.CopyBlock(b, width, state.buf, g*width, d*n, part.buf, 0, width, false)
	return part
}

// putGroupState copies a part from groupState to its place in state and gives
// its memory back: a gradient works from a copy of its own.
func (tp *Tape) putGroupState(part, state *Tensor, g int) {
	if state == nil {
		return
	}
	b, width := part.shape[0], part.shape[1]*part.shape[2]
	tp.d.CopyBlock(b, width, part.buf, 0, width, state.buf, g*width, state.shape[1]*state.shape[2], false)
	tp.arena.put(part.buf)
}
