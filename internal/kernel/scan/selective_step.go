package scan

// stepRows are the rows of n values of some channels for a single step: A and
// the state h, and B and C, where row d is at v[d*ld] (ld 0: shared).
type stepRows struct {
	n, bLd, cLd       int
	signed            bool
	a, h, b, c, dskip []float32
}

// stepWidth is the channels of a frame when each of its rows is eight of them.
const stepWidth = chunk * lanes

// stepScratch is what one task of step works on. Its arrays of channels are
// padded to whole rows.
type stepScratch struct {
	frame              []float32
	u, delta, z, dskip []float32 // stepWidth each
	zero               []float32 // (8)
}

func layStep(ar *arena) stepScratch {
	return stepScratch{ar.take(frameSize), ar.take(stepWidth), ar.take(stepWidth), ar.take(stepWidth), ar.take(stepWidth), ar.take(lanes)}
}

// step is Forward for L = 1 without checkpoints, as in generation. There are
// no steps to amortise a packing over, so the lanes are the states, and A, B,
// C and the state are read where they lie.
func (s *Selective) step(run Runner) {
	var all, h []float32
	var one arena
	layStep(&one)
	tasks, blocks := s.tasks(), s.blocks()
	scratch(s.Alloc, func(ar *arena) {
		all, h = ar.take(tasks*one.off), s.HT
		if h == nil {
			h = ar.take(s.B * s.D * s.N)
		}
	})
	run.do(tasks, func(i int) {
		f := layStep(&arena{buf: all[i*one.off:][:one.off]})
		lo, hi := split(s.groups(), blocks, i%blocks)
		for d := lo * lanes; d < min(hi*lanes, s.D); d += stepWidth {
			s.stepChannels(f, h, i/blocks, d, min(d+stepWidth, hi*lanes, s.D))
		}
	})
}

// stepChannels runs channels lo … hi−1 of batch row b; h is (B, D, N).
func (s *Selective) stepChannels(f stepScratch, h []float32, b, lo, hi int) {
	state := (b*s.D + lo) * s.N
	h = h[state:][:(hi-lo)*s.N]
	switch {
	case s.H0 == nil:
		clear(h)
	case &s.H0[state] != &h[0]:
		copy(h, s.H0[state:])
	}
	if at := s.stepSixteen(f, h, b, lo, hi); at < hi {
		s.stepFrame(f, h[(at-lo)*s.N:], b, at, hi)
	}
}

// stepFrame is stepChannels for the kernels of a frame, h being the channels'
// state already.
func (s *Selective) stepFrame(f stepScratch, h []float32, b, lo, hi int) {
	e, mode, at := engineFor(s.pureGo, 1), s.mode(false), b*s.D
	x := extent{steps: (hi - lo + lanes - 1) / lanes, halves: 1}
	clear(f.zero)
	fill := func(dst, src []float32, from int) {
		n := 0
		if src != nil {
			n = copy(dst, src[from+lo:from+hi])
		}
		clear(dst[n:])
	}
	fill(f.u, s.U, at)
	fill(f.delta, s.Delta, at)
	fill(f.dskip, s.Dskip, 0)
	if s.DeltaBias != nil {
		addTo(f.delta, s.DeltaBias[lo:hi])
	}
	if s.Softplus {
		mode = deltaSoftplus // of a static Δ too: nothing has packed it
	}
	e.prepare(mode, x, f.frame, plane{f.u, lanes}, plane{f.delta, lanes}, f.zero)
	e.step(hi-lo, f.frame, s.stepRows(f, h, b, lo))
	// The feed-through is in Y already.
	z := plane{}
	if s.Z != nil {
		fill(f.z, s.Z, at)
		z = plane{f.z, lanes}
	}
	e.finish(x, f.frame, plane{f.u, lanes}, z, f.zero)
	copy(s.Y[at+lo:at+hi], f.u)
}

// stepRows are the rows from channel lo of batch row b on.
func (s *Selective) stepRows(f stepScratch, h []float32, b, lo int) stepRows {
	r := stepRows{n: s.N, signed: s.Signed, a: s.A[lo*s.N:], h: h, dskip: f.dskip}
	if s.ConstB {
		r.b, r.bLd = s.Bm[lo*s.N:], s.N
	} else {
		r.b = s.Bm[b*s.N:]
	}
	if s.ConstC {
		r.c, r.cLd = s.Cm[lo*s.N:], s.N
	} else {
		r.c = s.Cm[b*s.N:]
	}
	return r
}
