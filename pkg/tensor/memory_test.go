package tensor_test

import (
	"math"
	"testing"

	"github.com/gophersnake/gophersnake/internal/mixertest"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// small is a model with one of everything that keeps memory for its gradient.
type small struct {
	p      map[string]*tensor.Tensor
	params []*tensor.Param
	tokens []int32
}

const (
	smallB, smallL, smallD = 2, 9, 8
)

func newSmall(d *tensor.Device) *small {
	s := &small{p: map[string]*tensor.Tensor{}}
	for name, shape := range map[string][]int{
		"embed": {5, smallD}, "norm": {smallD}, "bias": {smallD}, "in": {4 * smallD, smallD}, "conv": {smallD, 4},
		"A": {smallD, 3}, "BC": {6, smallD}, "gru": {3 * smallD, smallD}, "wx": {3 * smallD, smallD},
		"elman": {smallD, smallD}, "lstm": {smallD, smallD / 4}, "out": {5, smallD},
	} {
		x := in(name, gauss(0.3), shape...)
		if name == "A" {
			for i, v := range x.data {
				x.data[i] = -math.Abs(v) - 0.1
			}
		}
		p := tensor.NewParam(d, name, tensor.Decay, x.data, shape...)
		s.p[name] = p.Tensor
		s.params = append(s.params, p)
	}
	for i := range smallB * smallL {
		s.tokens = append(s.tokens, int32(i*i%5))
	}
	return s
}

// step is forward and gradient of one training step; it returns the loss.
func (s *small) step(tp *tensor.Tape) float64 {
	p := s.p
	tp.Reset()
	tp.SetSeed(3)
	x := tp.Embedding(s.tokens, p["embed"], smallB, smallL)
	n := tp.RMSNorm(x, p["norm"], 1e-5)
	parts := tp.Split(tp.Linear(n, p["in"], nil), smallD, smallD, smallD, smallD)
	u := tp.Conv1D(parts[0], p["conv"], p["bias"], true, nil)
	bc := tp.Split(tp.Linear(u, p["BC"], nil), 3, 3)
	y := tp.SelectiveScan(tensor.SelectiveScan{U: u, Delta: parts[1], Softplus: true, A: p["A"], B: bc[0], C: bc[1], Z: parts[2]})
	x = tp.Add(x, tp.Dropout(0.1, y))
	x = tp.Add(x, tp.Attention(tp.Rotary(x, 2, 0), tp.Rotary(parts[3], 2, 0), x, 2))
	x = tp.LayerNorm(tp.GRU(tp.Linear(x, p["wx"], nil), p["gru"], nil, nil), p["norm"], p["bias"], 1e-5)
	x = tp.Add(x, tp.Elman(x, p["elman"], false, nil))
	h := tp.LSTM(x, p["lstm"], nil, nil)
	re, im := tp.ComplexScan(tp.Map(tensor.Tanh, p["bias"]), p["bias"], x, x, nil, nil)
	x = tp.Add(tp.Add(re, im), tp.Concat(h, h, h, h))
	x = tp.Apply(hypot, [][]int{x.Shape(), x.Shape()}, x, parts[3])[0]
	loss := tp.CrossEntropy(tp.Linear(x, p["out"], nil), s.tokens)
	tp.Backward(loss)
	v := loss.Item()
	tensor.ZeroGrad(s.params)
	return v
}

// TestMemoryDoesNotGrow: after the first step a step takes no more memory, and
// allocates (closures, shapes) no more than any other.
func TestMemoryDoesNotGrow(t *testing.T) {
	for _, d := range mixertest.Devices(t) {
		s, tp := newSmall(d), tensor.NewTape(d)
		loss := s.step(tp)
		first := tp.Bytes()
		for i := range 20 {
			if got := s.step(tp); got != loss || math.IsNaN(got) {
				t.Fatalf("%s: step %d: loss %v, want %v as in the first", d, i, got, loss)
			}
			if tp.Bytes() != first {
				t.Fatalf("%s: step %d: the tape holds %d bytes, %d after the first", d, i, tp.Bytes(), first)
			}
		}
		early := testing.AllocsPerRun(10, func() { s.step(tp) })
		late := testing.AllocsPerRun(10, func() { s.step(tp) })
		if late > early+1 { // a sync.Pool or the runtime may take one by chance
			t.Errorf("%s: %.0f allocations per step, %.0f before: they grow", d, late, early)
		}
		if first == 0 || early == 0 {
			t.Errorf("%s: nothing was measured", d)
		}
		t.Logf("%s: %d bytes, %.0f allocations per step", d, first, early)
	}
}

// TestMemoryOfGeneration: without gradients nothing is kept from step to step.
func TestMemoryOfGeneration(t *testing.T) {
	for _, d := range mixertest.Devices(t) {
		tp := tensor.NewTape(d)
		tp.SetGrad(false)
		x, w := tensor.From(d, make([]float64, 8), 1, 8), tensor.Variable(d, make([]float64, 64), 8, 8)
		held := 0
		for i := range 10 {
			tp.Reset()
			y := x
			for range 4 {
				y = tp.Linear(y, w, nil)
			}
			if i == 0 {
				held = tp.Bytes()
			}
			if tp.Bytes() != held || held == 0 {
				t.Fatalf("%s: step %d holds %d bytes, the first %d", d, i, tp.Bytes(), held)
			}
		}
	}
}

// TestBackwardGivesMemoryBack: without Reset, the next forward pass runs in what
// Backward gave back; only the loss and its gradient, one number each, are kept.
func TestBackwardGivesMemoryBack(t *testing.T) {
	const rounds = 5
	for _, d := range mixertest.Devices(t) {
		tp := tensor.NewTape(d)
		x, w := tensor.Variable(d, random(6*8), 2, 3, 8), tensor.Variable(d, random(8*8), 8, 8)
		round := func() {
			y := tp.RMSNorm(tp.Linear(x, w, nil), w.Rows(0, 1).Reshape(8), 1e-5)
			y = tp.Elman(y, w, false, tensor.New(d, 2, 8))
			tp.Backward(tp.CrossEntropy(y, []int32{0, 1, 2, 3, 4, 5}))
		}
		round()
		first := tp.Bytes()
		for range rounds {
			round()
		}
		if grown := tp.Bytes() - first; first == 0 || grown > rounds*2*8 {
			t.Errorf("%s: %d bytes after one round, %d more after %d others", d, first, grown, rounds)
		}
	}
}

// TestDone: what no gradient reads is given back at once, changes no gradient,
// and cannot be read any more; what one reads, or what was retained, stays.
func TestDone(t *testing.T) {
	for _, d := range mixertest.Devices(t) {
		grads := func(done bool) (g []float64, bytes int) {
			tp := tensor.NewTape(d)
			tp.Poison(true)
			x, w := tensor.Variable(d, random(2*3*8), 2, 3, 8), tensor.Variable(d, random(24*8), 24, 8)
			end := func(y *tensor.Tensor) {
				if done {
					tp.Done(y)
				}
			}
			u := tp.Linear(x, w, nil)
			h := tp.GRU(u, w, nil, nil)
			end(u)
			v := tp.Linear(h, w, nil)
			parts := tp.Split(v, 8, 8, 8)
			end(v)
			e := tp.Elman(parts[0], w.Rows(0, 8), false, nil)
			end(parts[0])
			s := tp.Sub(tp.Rotary(e, 2, 0), parts[1])
			end(e) // needed by Elman's gradient: must stay
			end(parts[1])
			y := tp.Add(tp.Map(tensor.Tanh, s), parts[2])
			end(s) // needed by that of Tanh on some devices: must stay
			end(parts[2])
			tp.Backward(tp.Sum(tp.Map(tensor.Square, y)))
			return append(x.Grad(), w.Grad()...), tp.Bytes()
		}
		want, kept := grads(false)
		got, bytes := grads(true)
		for i, v := range got {
			if v != want[i] || v == 0 {
				t.Errorf("%s: gradient %d is %v, want %v as without Done", d, i, v, want[i])
			}
		}
		if bytes >= kept {
			t.Errorf("%s: the tape holds %d bytes with Done, %d without", d, bytes, kept)
		}
	}
}

// TestDoneKeeps: nothing happens to what Done may not give back.
func TestDoneKeeps(t *testing.T) {
	d := tensor.Reference()
	tp := tensor.NewTape(d)
	x, w := tensor.Variable(d, random(8), 1, 8), tensor.Variable(d, random(64), 8, 8)
	linear := func() *tensor.Tensor { return tp.Linear(x, w, nil) }
	view, retained, read, ofFunction := linear().Reshape(8), linear().Retain(), linear(), tp.Map(tensor.Exp, x)
	tp.Mul(read, read)
	for name, y := range map[string]*tensor.Tensor{"a parameter": w, "a view": view, "retained": retained, "read": read, "a function's result": ofFunction} {
		tp.Done(y)
		if len(y.Data()) != y.Len() {
			t.Errorf("%s was given back", name)
		}
	}
	y := linear()
	tp.Done(y)
	tp.Done(y)
	mixertest.MustPanic(t, "reading after Done", func() { y.Data() }, "tensor: Data", "given back", "Done")
	tp.SetGrad(false)
	z := linear()
	tp.Done(z)
	z.Data() // without gradient nothing is given back before Reset
}

func random(n int) []float64 { return in("random", gauss(1), n).data }
