package cpu_test

import (
	"fmt"
	"math"

	"github.com/gophersnake/gophersnake/internal/device"
)

func lossCases() []testCase {
	var cs []testCase
	for _, s := range [][2]int{{1, 1}, {1, 7}, {5, 33}, {300, 256}, {40, 1003}} {
		for _, ignore := range []bool{false, true} {
			cs = append(cs, crossEntropyCases(s[0], s[1], ignore)...)
		}
		cs = append(cs, argmaxCase(s[0], s[1]))
	}
	cs = append(cs, testCase{op: "CrossEntropy", mode: "no scored row", zero: true, run: func(e *env) {
		x, targets, lse, loss, dx := e.in(6), []int32{-1, -1}, e.out("lse", 2), e.out("loss", 1), e.grad("dx", 6)
		e.CrossEntropy(2, 3, x, targets, lse, loss)
		e.CrossEntropyGrad(2, 3, x, targets, lse, loss, dx)
	}})
	cs = append(cs, testCase{op: "CrossEntropyGrad", mode: "large logits", run: func(e *env) {
		x, targets, lse, loss, dx := e.normal(70*9, 1e4), e.ints(70, 0, 9), e.out("lse", 70), e.out("loss", 1), e.grad("dx", 70*9)
		e.CrossEntropy(70, 9, x, targets, lse, loss)
		e.CrossEntropyGrad(70, 9, x, targets, lse, e.upload([]float64{70}), dx)
	}})
	for _, n := range sizes {
		cs = append(cs, optimiserCases(n)...)
	}
	return cs
}

func crossEntropyCases(m, v int, ignore bool) []testCase {
	mode := fmt.Sprintf("m=%d v=%d ignore=%v", m, v, ignore)
	forward := func(e *env) (x device.Buf, targets []int32, lse device.Buf) {
		x, targets, lse = e.normal(m*v, 5), e.ints(m, 0, v), e.out("lse", m)
		if ignore {
			for i := 1; i < m; i += 3 {
				targets[i] = -1
			}
		}
		e.CrossEntropy(m, v, x, targets, lse, e.out("loss", 1))
		return x, targets, lse
	}
	cs := []testCase{{op: "CrossEntropy", mode: mode, zero: v == 1, run: func(e *env) { forward(e) }}}
	if v == 1 {
		return cs // the gradient is 0 by cancellation
	}
	return append(cs, testCase{op: "CrossEntropyGrad", mode: mode, run: func(e *env) {
		x, targets, lse := forward(e)
		// The gradient of a mean is small: dloss makes it large enough to be
		// told from what it is added to.
		e.CrossEntropyGrad(m, v, x, targets, lse, e.upload([]float64{float64(m)}), e.grad("dx", m*v))
	}}, testCase{op: "CrossEntropyGrad", mode: mode + " over x", run: func(e *env) {
		x, targets, lse := forward(e)
		e.CrossEntropyGrad(m, v, x, targets, lse, e.upload([]float64{float64(m)}), e.result("dx", x))
	}})
}

// argmaxCase draws from few integers, so that there are ties, and from NaN.
func argmaxCase(m, v int) testCase {
	return testCase{op: "Argmax", mode: fmt.Sprintf("m=%d v=%d", m, v), zero: true, run: func(e *env) {
		x := e.upload(e.numbers(m*v, func() float64 {
			if n := e.rng.IntN(7); n > 0 {
				return float64(n)
			}
			return math.NaN()
		}))
		for i, j := range e.Argmax(m, v, x) {
			e.values(fmt.Sprint("row ", i), float64(j))
		}
	}}
}

func optimiserCases(n int) []testCase {
	mode := fmt.Sprintf("n=%d", n)
	adamw := func(e *env, h device.AdamW) {
		w, g, m := e.result("w", e.in(n)), e.in(n), e.result("m", e.normal(n, 0.1))
		v := e.result("v", e.uniform(n, 0, 0.1))
		for range 3 {
			e.AdamW(h, w, g, m, v)
		}
	}
	return []testCase{
		{op: "AdamW", mode: mode, run: func(e *env) {
			adamw(e, device.AdamW{LR: 0.01, Beta1: 0.9, Beta2: 0.99, Eps: 1e-8, Decay: 0.1, C1: 0.3, C2: 0.02, GradScale: 0.5})
		}},
		{op: "AdamW", mode: mode + " late", run: func(e *env) {
			adamw(e, device.AdamW{LR: 0.3, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, C1: 1, C2: 1, GradScale: 1})
		}},
		{op: "SGD", mode: mode, run: func(e *env) {
			w, g, buf := e.result("w", e.in(n)), e.in(n), e.result("buf", e.in(n))
			e.SGD(0.1, 0.9, 0.01, 0.5, w, g, buf)
		}},
		{op: "SGD", mode: mode + " plain", run: func(e *env) {
			e.SGD(0.1, 0, 0.01, 0.5, e.result("w", e.in(n)), e.in(n), device.Buf{})
		}},
	}
}
