package cpu_test

import (
	"fmt"
	"math"

	"github.com/gophersnake/gophersnake/internal/device"
)

// recurrentShapes are (B,L,H).
var recurrentShapes = [][3]int{{1, 1, 1}, {1, 5, 16}, {3, 1, 7}, {2, 24, 17}, {5, 33, 33}, {16, 12, 64}, {13, 9, 40}}

func recurrentCases() []testCase {
	var cs []testCase
	for _, s := range recurrentShapes {
		for _, state := range []bool{false, true} {
			cs = append(cs, elmanCases(s[0], s[1], s[2], state)...)
			cs = append(cs, gruCases(s[0], s[1], s[2], state)...)
			cs = append(cs, lstmCases(s[0], s[1], s[2], state)...)
		}
	}
	return cs
}

// weight returns g dense (h,h) matrices of spectral radius about ½, so that
// linear recurrences stay bounded.
func weight(e *env, g, h int) device.Buf { return e.normal(g*h*h, 0.5/math.Sqrt(float64(h))) }

// projection is the input of a recurrence: m rows of width d, n columns of sums.
func (e *env) projection(m, d, n int, bias bool) *device.Projection {
	return &device.Projection{D: d, U: e.in(m * d), W: e.normal(n*d, 0.5/math.Sqrt(float64(d))), Bias: maybe(bias, e.in(n))}
}

func elmanCases(b, l, h int, state bool) []testCase {
	var cs []testCase
	n := b * l * h
	for _, linear := range []bool{false, true} {
		mode := fmt.Sprintf("B=%d L=%d H=%d linear=%v state=%v", b, l, h, linear, state)
		forward := func(e *env) *device.Elman {
			s := &device.Elman{B: b, L: l, H: h, Linear: linear, X: e.in(n), W: weight(e, 1, h),
				H0: maybe(state, e.in(b*h)), Out: e.out("h", n)}
			e.Elman(s)
			return s
		}
		cs = append(cs,
			testCase{op: "Elman", mode: mode, run: func(e *env) { forward(e) }},
			testCase{op: "ElmanGrad", mode: mode, zero: !state && l == 1, run: func(e *env) {
				e.ElmanGrad(forward(e), e.in(n), e.grad("dx", n), e.grad("dw", h*h))
			}},
			testCase{op: "ElmanGrad", mode: mode + " only x", run: func(e *env) {
				e.ElmanGrad(forward(e), e.in(n), e.grad("dx", n), device.Buf{})
			}})
		if state {
			cs = append(cs, testCase{op: "Elman", mode: mode + " in steps", run: func(e *env) {
				s := &device.Elman{B: b, L: 1, H: h, Linear: linear, W: weight(e, 1, h), H0: e.in(b * h)}
				stepwise(e, b, l, e.in(n), h, e.out("h", n), h, func(x, y device.Buf) {
					s.X, s.Out = x, y
					e.Elman(s)
					e.Copy(s.H0, y)
				})
			}})
		}
	}
	return cs
}

func gruCases(b, l, h int, state bool) []testCase {
	var cs []testCase
	n := b * l * h
	for _, bias := range []bool{false, true} {
		mode := fmt.Sprintf("B=%d L=%d H=%d bias=%v state=%v", b, l, h, bias, state)
		forward := func(e *env, saved device.Buf) *device.GRU {
			s := &device.GRU{B: b, L: l, H: h, X: e.in(3 * n), W: weight(e, 3, h),
				Bias: maybe(bias, e.in(3*h)), H0: maybe(state, e.in(b*h)), Out: e.out("h", n), Saved: saved}
			e.GRU(s)
			return s
		}
		zero := !state && l == 1 // h_{−1} = 0: W meets nothing
		cs = append(cs,
			testCase{op: "GRU", mode: mode, run: func(e *env) { forward(e, device.Buf{}) }},
			testCase{op: "GRU", mode: mode + " saved", run: func(e *env) { forward(e, e.out("saved", 4*n)) }},
			testCase{op: "GRUGrad", mode: mode, zero: zero, run: func(e *env) {
				e.GRUGrad(forward(e, e.nan(4*n)), e.in(n), e.grad("dx", 3*n), e.grad("dw", 3*h*h), e.gradIf(bias, "dbias", 3*h))
			}},
			testCase{op: "GRUGrad", mode: mode + " only w", zero: zero, run: func(e *env) {
				e.GRUGrad(forward(e, e.nan(4*n)), e.in(n), device.Buf{}, e.grad("dw", 3*h*h), device.Buf{})
			}})
	}
	return cs
}

func lstmCases(b, l, h int, state bool) []testCase {
	n := b * l * h
	mode := fmt.Sprintf("B=%d L=%d H=%d state=%v", b, l, h, state)
	forward := func(e *env, saved device.Buf) *device.LSTM {
		s := &device.LSTM{B: b, L: l, H: h, X: e.in(4 * n), W: weight(e, 4, h),
			H0: maybe(state, e.in(b*h)), C0: maybe(state, e.in(b*h)), Out: e.out("h", n), C: e.out("c", n), Saved: saved}
		e.LSTM(s)
		return s
	}
	zero := !state && l == 1
	return []testCase{
		{op: "LSTM", mode: mode, run: func(e *env) { forward(e, device.Buf{}) }},
		{op: "LSTM", mode: mode + " projected", run: func(e *env) {
			e.LSTM(&device.LSTM{B: b, L: l, H: h, In: e.projection(b*l, h+3, 4*h, state), W: weight(e, 4, h),
				H0: maybe(state, e.in(b*h)), C0: maybe(state, e.in(b*h)), Out: e.out("h", n), C: e.out("c", n)})
		}},
		{op: "LSTM", mode: mode + " saved", run: func(e *env) { forward(e, e.out("saved", 4*n)) }},
		{op: "LSTMGrad", mode: mode, zero: zero, run: func(e *env) {
			e.LSTMGrad(forward(e, e.nan(4*n)), e.in(n), e.grad("dx", 4*n), e.grad("dw", 4*h*h))
		}},
		{op: "LSTMGrad", mode: mode + " in place", zero: zero, run: func(e *env) {
			s := forward(e, e.nan(4*n))
			e.LSTMGrad(s, e.in(n), e.result("dx", s.Saved), e.grad("dw", 4*h*h))
		}},
		{op: "LSTMGrad", mode: mode + " only w", zero: zero, run: func(e *env) {
			e.LSTMGrad(forward(e, e.nan(4*n)), e.in(n), device.Buf{}, e.grad("dw", 4*h*h))
		}},
	}
}
