package cpu_test

import (
	"fmt"

	"github.com/gophersnake/gophersnake/internal/device"
)

// sizes are below, at and above the width of a vector, and above the size of a
// task.
var sizes = []int{1, 7, 8, 33, 40003}

// domain is where a function is tested.
func domain(f device.Func) (lo, hi float64) {
	switch f {
	case device.Log, device.Recip:
		return 0.1, 10
	case device.Exp:
		return -10, 3
	case device.Square, device.Sin, device.Cos:
		return -10, 10
	}
	return -30, 30
}

// extremes are where an exponential overflows, underflows or cancels. Each
// group is one array, measured against its largest value.
var extremes = [][]float64{{-100, -88, -20, -1e-8, 0, 1e-8, 20, 20.1, 88, 100}, {-1e4, -1e30}, {1e4}, {1e30}}

func pointwiseCases() []testCase {
	var cs []testCase
	for _, f := range device.Funcs() {
		lo, hi := domain(f)
		for _, n := range sizes {
			mode := fmt.Sprintf("%s n=%d", f, n)
			cs = append(cs,
				testCase{op: "Apply", mode: mode, run: func(e *env) { e.Apply(f, e.uniform(n, lo, hi), e.out("y", n)) }},
				testCase{op: "ApplyGrad", mode: mode, run: func(e *env) {
					// Near 0, where no slope is lost in what it is added to.
					x, y := e.uniform(n, max(lo, -3), min(hi, 3)), e.out("y", n)
					e.Apply(f, x, y)
					e.ApplyGrad(f, x, y, e.in(n), e.grad("dx", n))
				}, zero: f == device.ReLU && n == 1})
		}
	}
	for _, f := range []device.Func{device.Tanh, device.Sigmoid, device.SiLU, device.GELU, device.GELUTanh, device.Softplus, device.ReLU, device.MinG} {
		cs = append(cs, testCase{op: "ApplyGrad", mode: string(f) + " extremes", run: func(e *env) {
			for _, group := range extremes {
				n, mode := len(group), fmt.Sprint(group)
				x, y := e.upload(group), e.out("f"+mode, n)
				e.Apply(f, x, y)
				e.ApplyGrad(f, x, y, e.in(n), e.grad("f'"+mode, n))
			}
		}, zero: true})
	}
	for _, n := range sizes {
		cs = append(cs, binaryCases(n)...)
	}
	for _, s := range [][2]int{{1, 1}, {3, 7}, {17, 33}, {400, 65}} {
		cs = append(cs, rowCases(s[0], s[1])...)
	}
	return cs
}

func binaryCases(n int) []testCase {
	mode := fmt.Sprintf("n=%d", n)
	return []testCase{
		{op: "Add", mode: mode, run: func(e *env) { e.Add(e.in(n), e.in(n), e.out("y", n)) }},
		{op: "Sub", mode: mode, run: func(e *env) { e.Sub(e.in(n), e.in(n), e.out("y", n)) }},
		{op: "Mul", mode: mode, run: func(e *env) { e.Mul(e.in(n), e.in(n), e.out("y", n)) }},
		{op: "Mul", mode: mode + " in place", run: func(e *env) {
			x := e.result("y", e.in(n))
			e.Mul(x, x, x)
		}},
		{op: "MulGrad", mode: mode, run: func(e *env) {
			e.MulGrad(e.in(n), e.in(n), e.in(n), e.grad("da", n), e.grad("db", n))
		}},
		{op: "MulGrad", mode: mode + " square", run: func(e *env) {
			a, da := e.in(n), e.grad("da", n)
			e.MulGrad(a, a, e.in(n), da, da)
		}},
		{op: "MulGrad", mode: mode + " only a", run: func(e *env) {
			e.MulGrad(e.in(n), e.in(n), e.in(n), e.grad("da", n), device.Buf{})
		}},
		{op: "MulGrad", mode: mode + " only b", run: func(e *env) {
			e.MulGrad(e.in(n), e.in(n), e.in(n), device.Buf{}, e.grad("db", n))
		}},
		{op: "Axpy", mode: mode, run: func(e *env) { e.Axpy(-0.7, e.in(n), e.grad("y", n)) }},
		{op: "Scale", mode: mode, run: func(e *env) { e.Scale(-0.7, e.in(n), e.out("y", n)) }},
		{op: "SiLUMul", mode: mode, run: func(e *env) { e.SiLUMul(e.in(n), e.normal(n, 4), e.out("y", n)) }},
		{op: "SiLUMulGrad", mode: mode, run: func(e *env) {
			e.SiLUMulGrad(e.in(n), e.normal(n, 4), e.in(n), e.grad("da", n), e.grad("dz", n))
		}},
		{op: "SiLUMulGrad", mode: mode + " only a", run: func(e *env) {
			e.SiLUMulGrad(e.in(n), e.normal(n, 4), e.in(n), e.grad("da", n), device.Buf{})
		}},
		{op: "SiLUMulGrad", mode: mode + " only z", run: func(e *env) {
			e.SiLUMulGrad(e.in(n), e.normal(n, 4), e.in(n), device.Buf{}, e.grad("dz", n))
		}},
		{op: "Dropout", mode: mode, zero: n == 1, run: func(e *env) { e.Dropout(0.3, 5, e.in(n), e.out("y", n)) }},
		{op: "Dropout", mode: mode + " p=0", run: func(e *env) { e.Dropout(0, 5, e.in(n), e.out("y", n)) }},
		{op: "DropoutGrad", mode: mode, zero: n == 1, run: func(e *env) { e.DropoutGrad(0.3, 5, e.in(n), e.grad("dx", n)) }},
		{op: "Sum", mode: mode, run: func(e *env) { e.Sum(e.uniform(n, -1, 2), e.out("y", 1)) }},
		{op: "SumGrad", mode: mode, run: func(e *env) { e.SumGrad(e.in(1), e.grad("dx", n)) }},
		{op: "Sum", mode: mode + " of nothing", zero: true, run: func(e *env) { e.Sum(e.in(0), e.out("y", 1)) }},
		{op: "SumSquares", mode: mode, run: func(e *env) { e.values("sum", e.SumSquares(e.in(n))) }},
	}
}

func rowCases(m, n int) []testCase {
	mode := fmt.Sprintf("m=%d n=%d", m, n)
	return []testCase{
		{op: "AddRow", mode: mode, run: func(e *env) { e.AddRow(m, n, e.in(m*n), e.in(n), e.out("y", m*n)) }},
		{op: "MulRow", mode: mode, run: func(e *env) { e.MulRow(m, n, e.in(m*n), e.in(n), e.out("y", m*n)) }},
		{op: "MulRowGrad", mode: mode, run: func(e *env) {
			e.MulRowGrad(m, n, e.in(m*n), e.in(n), e.in(m*n), e.grad("dx", m*n), e.grad("drow", n))
		}},
		{op: "MulRowGrad", mode: mode + " only row", run: func(e *env) {
			e.MulRowGrad(m, n, e.in(m*n), e.in(n), e.in(m*n), device.Buf{}, e.grad("drow", n))
		}},
	}
}

// normCases: a mean far from zero must not cost LayerNorm its variance.
func normCases() []testCase {
	var cs []testCase
	const eps = 1e-5
	for _, s := range [][2]int{{1, 1}, {1, 3}, {3, 7}, {17, 33}, {64, 128}, {513, 100}} {
		m, n := s[0], s[1]
		mode := fmt.Sprintf("m=%d n=%d", m, n)
		cs = append(cs,
			testCase{op: "RMSNorm", mode: mode, run: func(e *env) {
				e.RMSNorm(m, n, eps, e.in(m*n), e.in(n), e.out("y", m*n), e.out("rstd", m))
			}},
			testCase{op: "LayerNorm", mode: mode, run: func(e *env) {
				e.LayerNorm(m, n, eps, e.uniform(m*n, 20, 23), e.in(n), e.in(n), e.out("y", m*n), e.out("mean", m), e.out("rstd", m))
			}})
		if n == 1 {
			continue // dx is 0 by cancellation
		}
		for _, dx := range []bool{true, false} {
			cs = append(cs,
				testCase{op: "RMSNormGrad", mode: fmt.Sprintf("%s dx=%v", mode, dx), run: func(e *env) {
					x, w, y, rstd := e.in(m*n), e.in(n), e.out("y", m*n), e.out("rstd", m)
					e.RMSNorm(m, n, eps, x, w, y, rstd)
					e.RMSNormGrad(m, n, x, w, rstd, e.in(m*n), e.gradIf(dx, "dx", m*n), e.grad("dw", n))
				}},
				testCase{op: "LayerNormGrad", mode: fmt.Sprintf("%s dx=%v", mode, dx), run: func(e *env) {
					x, w, b := e.uniform(m*n, 2, 5), e.in(n), e.in(n)
					y, mean, rstd := e.out("y", m*n), e.out("mean", m), e.out("rstd", m)
					e.LayerNorm(m, n, eps, x, w, b, y, mean, rstd)
					e.LayerNormGrad(m, n, x, w, mean, rstd, e.in(m*n), e.gradIf(dx, "dx", m*n), e.grad("dw", n), e.grad("db", n))
				}})
		}
	}
	return cs
}
