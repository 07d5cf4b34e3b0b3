package scan

import (
	"fmt"

	"github.com/gophersnake/gophersnake/internal/kernel/scan/spec"
)

// Stepper runs a Selective of one step again and again on the same buffers, as
// generation does, and allocates nothing for it. It serves one goroutine at a
// time; several Steppers may run different channels of the same buffers.
type Stepper struct {
	s *Selective
	f stepScratch

	// of a complex scan
	p params
	c forwardScratch
}

// NewStepper prepares s. It panics unless L is 1, there are no Checkpoints, HT
// is given, and the buffers fit.
func NewStepper(s *Selective) *Stepper {
	s.check("NewStepper")
	s.want("Selective.NewStepper", "Y", s.Y, s.bld(), false)
	s.want("Selective.NewStepper", "HT", s.HT, s.bdn(), false)
	if s.L != 1 || s.Checkpoints != nil {
		panic(fmt.Sprintf("scan: NewStepper: L is %d, checkpoints %t, want 1, false", s.L, s.Checkpoints != nil))
	}
	t := &Stepper{s: s}
	scratch(nil, func(ar *arena) {
		if s.Im == nil {
			t.f = layStep(ar)
			return
		}
		t.p, t.c = s.layParams(ar), forwardScratch{ar.take(spec.Pair), ar.take(edgeSize), ar.take(spec.Halves * s.width())}
	})
	t.Load()
	return t
}

// Load takes A, constant B and C, DeltaBias and Dskip again, which a complex scan
// keeps in its own order: they have changed since NewStepper or the last Load.
func (t *Stepper) Load() {
	if t.s.Im != nil {
		t.s.packParams(t.p)
	}
}

// Step computes channels lo … hi−1 of batch row b of Y and HT, as Forward does.
// lo is a multiple of 16.
func (t *Stepper) Step(b, lo, hi int) {
	if t.s.Im != nil {
		t.stepComplex(b, lo, hi)
		return
	}
	for d := lo; d < hi; d += stepWidth {
		t.s.stepChannels(t.f, t.s.HT, b, d, min(d+stepWidth, hi))
	}
}

// stepComplex is Step of a complex scan, a pair of groups at a time.
func (t *Stepper) stepComplex(b, lo, hi int) {
	s, last := t.s, (hi+lanes-1)/lanes
	w := window{Shape: s.Shape, b: b, edge: t.c.edge}
	w.seekTime(0)
	for k := lo / lanes; k < last; k += w.halves {
		w.seekGroup(k, k, last, 0)
		e, h := engineFor(s.pureGo, w.halves), t.c.h[:w.halves*s.width()]
		s.loadState(h, s.H0, s.Im.H0, b, k, k+w.halves)
		s.prepare(e, s.mode(false), &w, &t.p, t.c.frame)
		e.scanComplex(w.extent, t.c.frame, s.system(&w, &t.p), h)
		y := w.out(s.Y, slotY)
		e.finish(w.extent, t.c.frame, y, s.gate(&w), t.p.dskip[k*lanes:])
		w.settle(s.Y, y, true)
		s.eachState(h, b, k, k+w.halves, s.HT, s.Im.HT, unpackGroup)
	}
}

// LinearStepper is to Linear what Stepper is to Selective.
type LinearStepper struct {
	l    *Linear
	zero []float32
}

// NewLinearStepper prepares l. It panics unless L is 1 and the buffers fit.
func NewLinearStepper(l *Linear) *LinearStepper {
	l.check("NewLinearStepper")
	if l.L != 1 {
		panic(fmt.Sprintf("scan: NewLinearStepper: L is %d, want 1", l.L))
	}
	return &LinearStepper{l, make([]float32, l.D)}
}

// Step computes channels lo … hi−1 of batch row b of H, as Forward does.
func (t *LinearStepper) Step(b, lo, hi int) {
	sp := span{b, lo, hi}
	t.l.forwardSpan(sp, 0, 1, t.l.first(t.l.H0, t.zero, sp), t.l.first(t.l.H0Im, t.zero, sp))
}
