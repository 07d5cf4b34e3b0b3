package tensor_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/gophersnake/gophersnake/internal/mixertest"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

const (
	stepB, stepD = 2, 5
	// One sum in two orders at float32, over a memory of some ten steps; the
	// reference runs the same loop in the same order, so nothing may differ.
	stepTolCPU, stepTolReference = 1e-5, 0
)

// steppable is an operation that goes on from a state, which it overwrites.
type steppable struct {
	name   string
	states [][]int // shapes
	run    func(e stepEnv) *tensor.Tensor
}

// stepEnv is what one call sees: a stretch of the inputs, and the states.
type stepEnv struct {
	tp     *tensor.Tape
	lo, hi int // the stretch
	l      int // the whole length
	state  []*tensor.Tensor
	grad   bool // inputs are variables
}

func (e stepEnv) tensor(data []float64, shape ...int) *tensor.Tensor {
	if e.grad {
		return tensor.Variable(e.tp.Device(), data, shape...)
	}
	return tensor.From(e.tp.Device(), data, shape...)
}

// along is steps lo to hi of the input called name (B,L,width).
func (e stepEnv) along(name string, q dist, width int) *tensor.Tensor {
	all := in(name, q, stepB, e.l, width).data
	var part []float64
	for b := range stepB {
		part = append(part, all[(b*e.l+e.lo)*width:(b*e.l+e.hi)*width]...)
	}
	return e.tensor(part, stepB, e.hi-e.lo, width)
}

// weight is a constant input.
func (e stepEnv) weight(name string, q dist, shape ...int) *tensor.Tensor {
	return e.tensor(in(name, q, shape...).data, shape...)
}

func steppables() []steppable {
	const d, n = stepD, 3
	one, two := [][]int{{stepB, d}}, [][]int{{stepB, d}, {stepB, d}}
	all := []steppable{
		{name: "Conv1D", states: [][]int{{stepB, 3, d}}, run: func(e stepEnv) *tensor.Tensor {
			return e.tp.Conv1D(e.along("x", gauss(1), d), e.weight("w", gauss(1), d, 4), e.weight("b", gauss(1), d), true, e.state[0])
		}},
		{name: "Scan constant", states: one, run: func(e stepEnv) *tensor.Tensor {
			return e.tp.Scan(e.weight("a", uniform(-0.95, 0.95), d), e.along("x", gauss(1), d), e.state[0])
		}},
		{name: "Scan varying", states: one, run: func(e stepEnv) *tensor.Tensor {
			return e.tp.Scan(e.along("a", uniform(-0.95, 0.95), d), e.along("x", gauss(1), d), e.state[0])
		}},
		{name: "ComplexScan", states: two, run: func(e stepEnv) *tensor.Tensor {
			re, im := e.tp.ComplexScan(e.weight("aRe", uniform(-0.6, 0.6), d), e.weight("aIm", uniform(-0.6, 0.6), d),
				e.along("xRe", gauss(1), d), e.along("xIm", gauss(1), d), e.state[0], e.state[1])
			return e.tp.Concat(re, im)
		}},
		{name: "Elman", states: one, run: func(e stepEnv) *tensor.Tensor {
			return e.tp.Elman(e.along("x", gauss(1), d), e.weight("w", gauss(0.4), d, d), false, e.state[0])
		}},
		{name: "GRU", states: one, run: func(e stepEnv) *tensor.Tensor {
			return e.tp.GRU(e.along("x", gauss(1), 3*d), e.weight("w", gauss(0.4), 3*d, d), e.weight("b", gauss(0.4), 3*d), e.state[0])
		}},
		{name: "LSTM", states: two, run: func(e stepEnv) *tensor.Tensor {
			return e.tp.LSTM(e.along("x", gauss(1), 4*d), e.weight("w", gauss(0.4), 4*d, d), e.state[0], e.state[1])
		}},
	}
	for _, kind := range []string{"real", "signed", "complex"} {
		for groups := 1; groups <= 3; groups++ {
			d := d * groups
			s := steppable{name: fmt.Sprintf("SelectiveScan %s G=%d", kind, groups), states: [][]int{{stepB, d, n}}, run: selectiveStep(kind, d, n, groups)}
			if kind == "complex" {
				s.states = append(s.states, s.states[0])
			}
			all = append(all, s)
		}
	}
	return all
}

func selectiveStep(kind string, d, n, groups int) func(e stepEnv) *tensor.Tensor {
	return func(e stepEnv) *tensor.Tensor {
		coefficient := func(name string) *tensor.Tensor {
			x := e.along(name, gauss(1), groups*n)
			if groups > 1 {
				return x.Reshape(stepB, -1, groups, n)
			}
			return x
		}
		s := tensor.SelectiveScan{U: e.along("u", gauss(1), d), Delta: e.along("delta", gauss(1), d), Softplus: true,
			Signed: kind == "signed", A: e.weight("A", uniform(-2, -0.1), d, n), B: coefficient("B"), C: coefficient("C"),
			Dskip: e.weight("skip", gauss(1), d), Z: e.along("z", gauss(1), d), State: e.state[0]}
		if kind == "complex" {
			s.AIm, s.StateIm = e.weight("AIm", uniform(-3, 3), d, n), e.state[1]
		}
		return e.tp.SelectiveScan(s)
	}
}

// start returns the states before the first step, not zero.
func (s steppable) start(d *tensor.Device) []*tensor.Tensor {
	state := make([]*tensor.Tensor, len(s.states))
	for i, shape := range s.states {
		state[i] = tensor.From(d, in(fmt.Sprint("state", i), gauss(1), shape...).data, shape...)
	}
	return state
}

// inParts runs s over length l cut at the given points, and returns its output
// (B,L,·) and the final states.
func (s steppable) inParts(d *tensor.Device, l int, cuts []int) [][]float64 {
	state, tp := s.start(d), tensor.NewTape(d)
	tp.Poison(true)
	var rows [stepB][]float64
	lo := 0
	for _, hi := range append(cuts, l) {
		y := s.run(stepEnv{tp: tp, lo: lo, hi: hi, l: l, state: state}).Data()
		for b := range rows {
			n := len(y) / stepB
			rows[b] = append(rows[b], y[b*n:(b+1)*n]...)
		}
		tp.Reset()
		lo = hi
	}
	out := [][]float64{slices.Concat(rows[:]...)}
	for _, st := range state {
		out = append(out, st.Data())
	}
	return out
}

// TestStepsEqualWhole: token by token and in uneven stretches, outputs and
// final states are those of the whole sequence.
func TestStepsEqualWhole(t *testing.T) {
	for _, d := range mixertest.Devices(t) {
		tol, worst := float64(stepTolCPU), 0.0
		if d.Name() == "reference" {
			tol = stepTolReference
		}
		for _, s := range steppables() {
			for _, l := range []int{1, 2, 63, 64, 65} {
				whole := s.inParts(d, l, nil)
				for name, cuts := range stretches(l) {
					for i, got := range s.inParts(d, l, cuts) {
						diff, size := relErr(got, whole[i])
						worst = max(worst, diff/size)
						if !(diff <= tol*size) || size == 0 {
							t.Errorf("%s: %s: L=%d %s: result %d is off by %.2g, want <= %g", d, s.name, l, name, i, diff/size, tol)
						}
					}
				}
			}
		}
		t.Logf("%s: worst %.2g", d, worst)
	}
}

// stretches are ways to cut length l.
func stretches(l int) map[string][]int {
	var steps, uneven []int
	for i := 1; i < l; i++ {
		steps = append(steps, i)
	}
	for i, width := 1, 2; i < l; i, width = i+width, width+3 {
		uneven = append(uneven, i)
	}
	return map[string][]int{"one by one": steps, "in stretches": uneven}
}

// TestStateIsTheSameWithAndWithoutGradient: recording keeps a copy of the state,
// which must not change what is computed.
func TestStateIsTheSameWithAndWithoutGradient(t *testing.T) {
	for _, d := range mixertest.Devices(t) {
		for _, s := range steppables() {
			run := func(grad bool) [][]float64 {
				e := stepEnv{tp: tensor.NewTape(d), hi: 7, l: 7, state: s.start(d), grad: grad}
				y := s.run(e)
				if y.NeedsGrad() != grad {
					t.Fatalf("%s: NeedsGrad is %t, want %t", s.name, !grad, grad)
				}
				out := [][]float64{y.Data()}
				for _, st := range e.state {
					out = append(out, st.Data())
				}
				return out
			}
			with, without := run(true), run(false)
			for i := range with {
				if diff, _ := relErr(with[i], without[i]); diff != 0 {
					t.Errorf("%s: %s: result %d differs by %g", d, s.name, i, diff)
				}
			}
		}
	}
}

// TestCachedAttentionEqualsWhole: keys and values stored step by step, in a
// cache with room to spare, give the attention of the whole sequence.
func TestCachedAttentionEqualsWhole(t *testing.T) {
	const b, l, h, dh = 2, 13, 2, 4
	for _, d := range mixertest.Devices(t) {
		tol := float64(stepTolCPU)
		if d.Name() == "reference" {
			tol = stepTolReference
		}
		e := stepEnv{tp: tensor.NewTape(d), hi: l, l: l}
		whole := e.tp.Attention(e.along("q", gauss(1), h*dh), e.along("k", gauss(1), h*dh), e.along("v", gauss(1), h*dh), h)
		keys, values := tensor.New(d, b, l+3, h*dh), tensor.New(d, b, l+3, h*dh)
		tp := tensor.NewTape(d)
		tp.Poison(true)
		for at, hi := range map[int]int{0: 1, 1: 6, 6: 7, 7: l} { // in any order
			s := stepEnv{tp: tp, lo: at, hi: hi, l: l}
			tp.StoreSteps(s.along("k", gauss(1), h*dh), keys, at)
			tp.StoreSteps(s.along("v", gauss(1), h*dh), values, at)
		}
		lo := 0
		for _, hi := range []int{1, 6, 7, l} {
			s := stepEnv{tp: tp, lo: lo, hi: hi, l: l}
			got := tp.AttentionCached(s.along("q", gauss(1), h*dh), keys, values, hi, h).Data()
			var want []float64
			for i := range b {
				want = append(want, whole.Data()[(i*l+lo)*h*dh:(i*l+hi)*h*dh]...)
			}
			if diff, size := relErr(got, want); !(diff <= tol*size) {
				t.Errorf("%s: queries %d to %d are off by %.2g", d, lo, hi, diff/size)
			}
			lo = hi
		}
	}
}
