package tensor_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// A spoiled case is an attention with numbers that are not finite at some steps
// of one input, or of the gradient of its result.
type spoiled struct {
	b, lq, lk, h, dh int
	input            string // "q", "k", "v" or "dy"
	value            float64
	from, to         int // steps
	q                dist
}

func (c spoiled) String() string {
	return fmt.Sprintf("B=%d Lq=%d Lk=%d H=%d Dh=%d, %s is %g at %d to %d", c.b, c.lq, c.lk, c.h, c.dh, c.input, c.value, c.from, c.to-1)
}

// spoiledCases has NaN and infinities at the first, a middle and the last step,
// below and above what a device may do in one tile; the scores of the first 200
// keys all −Inf; and a key whose scores are +Inf and −Inf in turn.
func spoiledCases() []spoiled {
	var cs []spoiled
	above := uniform(0.5, 1.5)
	for _, s := range []spoiled{{b: 2, lq: 3, lk: 3, h: 1, dh: 4}, {b: 1, lq: 8, lk: 8, h: 2, dh: 3}, {b: 2, lq: 9, lk: 20, h: 1, dh: 8},
		{b: 1, lq: 70, lk: 70, h: 3, dh: 5}, {b: 1, lq: 300, lk: 300, h: 1, dh: 4}, {b: 3, lq: 140, lk: 140, h: 3, dh: 2}} {
		s.q = above
		for _, s.input = range []string{"q", "k", "v", "dy"} {
			steps := s.lk
			if s.input == "q" || s.input == "dy" {
				steps = s.lq
			}
			for _, s.value = range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
				for _, s.from = range []int{0, steps / 2, steps - 1} {
					s.to = s.from + 1
					cs = append(cs, s)
				}
			}
		}
	}
	return append(cs, spoiled{b: 1, lq: 300, lk: 300, h: 1, dh: 4, q: above, input: "k", value: math.Inf(-1), to: 200},
		spoiled{b: 1, lq: 40, lk: 40, h: 1, dh: 1, q: listed(0.7, -0.9), input: "k", value: math.Inf(1), from: 7, to: 8})
}

// evaluate returns the result and the gradients.
func (c spoiled) evaluate(d *tensor.Device) []result {
	nq, nk := []int{c.b, c.lq, c.h * c.dh}, []int{c.b, c.lk, c.h * c.dh}
	inputs := []input{in("q", c.q, nq...), in("k", gauss(1), nk...), in("v", gauss(1), nk...), in("dy", gauss(1), nq...)}
	var x []*tensor.Tensor
	for _, i := range inputs {
		if i.name == c.input {
			width := i.shape[2]
			for j := c.from * width; j < c.to*width; j++ { // of the first sequence
				i.data[j] = c.value
			}
		}
		x = append(x, tensor.Variable(d, i.data, i.shape...))
	}
	tp := tensor.NewTape(d)
	y := tp.Attention(x[0], x[1], x[2], c.h)
	all := []result{{name: "y", values: y.Data()}}
	tp.Backward(tp.Sum(tp.Mul(y, x[3])))
	for i, name := range []string{"q", "k", "v"} {
		all = append(all, result{name: "d" + name, grad: true, values: x[i].Grad()})
	}
	return all
}

// TestConformanceNotFinite: on every device a NaN or an infinity reaches what
// depends on it, and nothing else. A query depends on no later key, and a key on
// no earlier query.
func TestConformanceNotFinite(t *testing.T) {
	for _, name := range tensor.DeviceNames() {
		if name == "reference" {
			continue
		}
		d, err := tensor.OpenDevice(name, 2)
		if err != nil {
			t.Fatal(err)
		}
		kept := 0
		for _, c := range spoiledCases() {
			truth := c.evaluate(tensor.Reference())
			for i, got := range c.evaluate(d) {
				kept += got.agree(t, fmt.Sprintf("%s: %v: %s", name, c, got.name), truth[i])
			}
		}
		if kept == 0 {
			t.Errorf("%s: nothing finite was compared", name)
		}
	}
}

// agree fails unless x is finite where the truth is, and near it there. It
// returns the number of finite elements.
func (x result) agree(t *testing.T, what string, truth result) int {
	t.Helper()
	finite := func(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
	var got, want []float64
	for i, w := range truth.values {
		if finite(x.values[i]) != finite(w) {
			t.Errorf("%s[%d] is %g, want %g", what, i, x.values[i], w)
			return 0
		}
		if finite(w) {
			got, want = append(got, x.values[i]), append(want, w)
		}
	}
	if len(want) == 0 {
		return 0
	}
	tol := forwardTol
	if x.grad {
		tol = gradTol
	}
	diff, size := relErr(got, want)
	if bound := max(tol*size, zeroTol); !(diff <= bound) {
		t.Errorf("%s: max|diff| %.3g where finite, want <= %.3g", what, diff, bound)
	}
	return len(want)
}
