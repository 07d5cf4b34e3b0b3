package scan

import "fmt"

// Stepper runs a Selective of one step again and again on the same buffers, as
// generation does, and allocates nothing for it.
type Stepper struct {
	s *Selective
	f []stepScratch // for each batch row
}

// NewStepper prepares s. It panics unless L is 1, A is real, there are no
// Checkpoints, HT is given, and the buffers fit.
func NewStepper(s *Selective) *Stepper {
	s.check("NewStepper")
	s.want("Selective.NewStepper", "Y", s.Y, s.bld(), false)
	s.want("Selective.NewStepper", "HT", s.HT, s.bdn(), false)
	if s.L != 1 || s.Im != nil || s.Checkpoints != nil {
		panic(fmt.Sprintf("scan: NewStepper: L is %d, complex %t, checkpoints %t, want 1, false, false", s.L, s.Im != nil, s.Checkpoints != nil))
	}
	t := &Stepper{s: s, f: make([]stepScratch, s.B)}
	for i := range t.f {
		scratch(nil, func(ar *arena) { t.f[i] = layStep(ar) })
	}
	return t
}

// Step computes batch row b of Y and HT, as Forward does. Rows may be computed
// at the same time.
func (t *Stepper) Step(b int) {
	for d := 0; d < t.s.D; d += stepWidth {
		t.s.stepChannels(t.f[b], t.s.HT, b, d, min(d+stepWidth, t.s.D))
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

// Step computes batch row b of H, as Forward does.
func (t *LinearStepper) Step(b int) {
	sp := span{b, 0, t.l.D}
	t.l.forwardSpan(sp, 0, 1, t.l.first(t.l.H0, t.zero, sp), t.l.first(t.l.H0Im, t.zero, sp))
}
