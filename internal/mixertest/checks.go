package mixertest

import (
	"fmt"
	"runtime"
	"slices"
	"testing"

	"github.com/gophersnake/gophersnake/internal/golden"
	"github.com/gophersnake/gophersnake/pkg/nn"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// checkGradient compares every parameter's and the input's gradient with central
// differences: whole sequences, from a state, and through the fused gate.
func checkGradient(t *testing.T, l Layer, w Worst) {
	const batch, length = 2, 5
	dev := tensor.Reference()
	m, params := l.Build(t, dev, 1)
	Perturb(params, 0.05)
	x := tensor.Variable(dev, Noise(3, batch*length*l.D), batch, length, l.D)
	z := tensor.Variable(dev, Noise(4, batch*length*l.D), batch, length, l.D)
	wrt := Tensors(params, x)
	state := startedState(m, dev, batch, l.D).Export()
	from := func() *nn.State {
		s := m.NewState(batch)
		if err := s.Import(state); err != nil {
			t.Fatal(err)
		}
		return s
	}
	check := func(name string, f func(tp *tensor.Tape) *tensor.Tensor, wrt []*tensor.Tensor) {
		w.Note("gradient", Gradient(t, name, f, wrt, l.PerTensor))
	}
	check("whole", func(tp *tensor.Tape) *tensor.Tensor { return m.Forward(tp, x, nil) }, wrt)
	check("from a state", func(tp *tensor.Tape) *tensor.Tensor { return m.Forward(tp, x, from()) }, wrt)
	if g, ok := m.(nn.GatedMixer); ok {
		check("gated", func(tp *tensor.Tape) *tensor.Tensor { return g.ForwardGated(tp, x, z, nil) }, append(wrt, z))
	}
}

// startedState returns a state that has seen a few steps.
func startedState(m nn.Mixer, d *tensor.Device, batch, width int) *nn.State {
	tp := NewTape(d)
	tp.SetGrad(false)
	s := m.NewState(batch)
	m.Forward(tp, tensor.From(d, Noise(21, batch*3*width), batch, 3, width), s)
	return s
}

// checkSteps compares a whole sequence with the same one step by step and in
// uneven pieces, the states at the end included, and the gate with its formula.
func checkSteps(t *testing.T, l Layer, w Worst) {
	const batch = 2
	for _, dev := range Devices(t) {
		tol := StepTol(dev)
		m, params := l.Build(t, dev, 1)
		Perturb(params, 0.05)
		for _, length := range []int{1, 2, 63, 64, 65} {
			x := Noise(5, batch*length*l.D)
			whole := Forward(m, dev, x, batch, length, nil)
			s := m.NewState(batch)
			inOne := Forward(m, dev, x, batch, length, s)
			if e := RelErr(inOne, whole); !(e <= tol) {
				t.Errorf("%s L=%d: with a state differs from without by %.3g", dev.Name(), length, e)
			}
			for _, piece := range []int{1, 7} {
				p := m.NewState(batch)
				e := RelErr(forwardInPieces(m, dev, x, batch, length, piece, p), whole)
				if !(e <= tol) {
					t.Errorf("%s L=%d: pieces of %d differ by %.3g > %g", dev.Name(), length, piece, e, tol)
				}
				w.Note("steps "+dev.Name(), e)
				if e := stateErr(t, p.Export(), s.Export()); !(e <= tol) || countNumbers(s.Export()) == 0 {
					t.Errorf("%s L=%d: state after pieces of %d differs by %.3g > %g", dev.Name(), length, piece, e, tol)
				}
			}
		}
		checkGate(t, l, m, dev)
	}
}

// checkGate compares ForwardGated with Forward ⊙ SiLU(z).
func checkGate(t *testing.T, l Layer, m nn.Mixer, dev *tensor.Device) {
	g, ok := m.(nn.GatedMixer)
	if !ok {
		return
	}
	tp := NewTape(dev)
	x, z := tensor.From(dev, Noise(3, 9*l.D), 1, 9, l.D), tensor.From(dev, Noise(4, 9*l.D), 1, 9, l.D)
	got := g.ForwardGated(tp, x, z, nil).Data()
	want := tp.SiLUMul(m.Forward(tp, x, nil), z).Data()
	// One rounding of each of D terms, in two orders.
	if e := RelErr(got, want); !(e <= 8*dev.Eps()*float64(l.D)) {
		t.Errorf("%s: the fused gate differs by %.3g", dev.Name(), e)
	}
}

// forwardInPieces runs x (B,L,D) through m in pieces of the given length.
func forwardInPieces(m nn.Mixer, dev *tensor.Device, x []float64, batch, length, piece int, s *nn.State) []float64 {
	return InPieces(x, batch, length, Cuts(length, piece), func(part []float64, steps int) []float64 {
		return Forward(m, dev, part, batch, steps, s)
	})
}

// stateErr returns the largest relative error of any tensor of a state.
func stateErr(t *testing.T, got, want *nn.Snapshot) float64 {
	t.Helper()
	if got.Position != want.Position {
		t.Errorf("position is %d, want %d", got.Position, want.Position)
	}
	worst := 0.0
	for name, w := range want.Tensors {
		worst = max(worst, golden.RelErr(got.Tensors[name], w))
	}
	for name, w := range want.Parts {
		worst = max(worst, stateErr(t, got.Parts[name], w))
	}
	return worst
}

// countNumbers returns how many numbers a state holds.
func countNumbers(s *nn.Snapshot) int {
	n := 0
	for _, data := range s.Tensors {
		n += len(data)
	}
	for _, part := range s.Parts {
		n += countNumbers(part)
	}
	return n
}

// checkExport stops in the middle, writes the state as JSON, and goes on from it
// in a layer made anew: the bits must be those of not having stopped.
func checkExport(t *testing.T, l Layer, _ Worst) {
	const batch, length, at = 2, 9, 4
	for _, dev := range Devices(t) {
		m, _ := l.Build(t, dev, 1)
		x := Noise(6, batch*length*l.D)
		s := m.NewState(batch)
		want := forwardInPieces(m, dev, x, batch, length, 1, s)

		first := m.NewState(batch)
		forwardInPieces(m, dev, Part(x, batch, length, 0, at), batch, at, 1, first)
		again, _ := l.Build(t, dev, 1)
		second := again.NewState(batch)
		if err := second.Import(ThroughJSON(t, first.Export())); err != nil {
			t.Fatal(err)
		}
		if second.Position != at {
			t.Errorf("position is %d, want %d", second.Position, at)
		}
		got := forwardInPieces(again, dev, Part(x, batch, length, at, length), batch, length-at, 1, second)
		if !slices.Equal(got, Part(want, batch, length, at, length)) {
			t.Errorf("%s: outputs after the import differ", dev.Name())
		}
		if e := stateErr(t, second.Export(), s.Export()); e != 0 {
			t.Errorf("%s: the state at the end differs by %.3g", dev.Name(), e)
		}
	}
}

// evaluate runs a new layer, its parameters moved off their start if asked.
func (l Layer) evaluate(t *testing.T, dev *tensor.Device, seed uint64, moved bool) Evaluation {
	t.Helper()
	const batch, length = 3, 70
	m, params := l.Build(t, dev, seed)
	if moved {
		Perturb(params, 0.05)
	}
	x := tensor.Variable(dev, Noise(8, batch*length*l.D), batch, length, l.D)
	wrt := ByName(params)
	wrt["the input"] = x
	return Evaluate(dev, func(tp *tensor.Tape) *tensor.Tensor { return m.Forward(tp, x, nil) }, wrt)
}

// checkSeed: the same seed gives the same bits, with any number of workers;
// another seed gives others.
func checkSeed(t *testing.T, l Layer, _ Worst) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(8))
	ref := l.evaluate(t, tensor.Reference(), 5, false)
	if !ref.Equal(l.evaluate(t, tensor.Reference(), 5, false)) {
		t.Error("reference: the same seed gives other bits")
	}
	if ref.Equal(l.evaluate(t, tensor.Reference(), 6, false)) {
		t.Error("another seed gives the same bits")
	}
	one := l.evaluate(t, tensor.CPU(1), 5, false)
	for _, workers := range []int{1, 2, 8} {
		if !one.Equal(l.evaluate(t, tensor.CPU(workers), 5, false)) {
			t.Errorf("cpu: %d workers give other bits than one", workers)
		}
	}
}

// checkCPU holds cpu against reference.
func checkCPU(t *testing.T, l Layer, w Worst) {
	forward, grad := Compare(t, l.evaluate(t, tensor.CPU(2), 5, true), l.evaluate(t, tensor.Reference(), 5, true))
	w.Note("cpu forward", forward)
	w.Note("cpu gradient", grad)
}

// checkShape: a wrong width panics with got and want.
func checkShape(t *testing.T, l Layer, _ Worst) {
	dev := tensor.Reference()
	m, _ := l.Build(t, dev, 1)
	if m.Name() == "" {
		t.Error("no name")
	}
	x := tensor.New(dev, 2, 3, l.D+1)
	MustPanic(t, "a wrong width", func() { m.Forward(NewTape(dev), x, nil) },
		fmt.Sprintf("(2, 3, %d)", l.D+1), fmt.Sprintf("want (B, L, %d)", l.D), "Forward")
}
