package cpu

import (
	"fmt"
	"math"

	"github.com/gophersnake/gophersnake/internal/device"
	"github.com/gophersnake/gophersnake/internal/kernel/vec"
)

// elementwise is a function and its gradient.
type elementwise struct {
	value func(y, x []float32) // y = f(x)
	grad  func(dx, x, dy []float32)
	// ofY says that grad, which adds dy f'(x) to dx, takes y = f(x) for x.
	ofY bool
}

// function returns the kernels of f. The ones that no layer computes in its
// inner loop are plain Go, in float64.
func function(f device.Func) elementwise {
	switch f {
	case device.Tanh:
		return elementwise{value: vec.Tanh, grad: vec.TanhGrad, ofY: true}
	case device.Sigmoid:
		return elementwise{value: vec.Sigmoid, grad: vec.SigmoidGrad, ofY: true}
	case device.SiLU:
		return elementwise{value: vec.SiLU, grad: vec.SiLUGrad}
	case device.GELU:
		return elementwise{value: vec.GELUExact, grad: vec.GELUExactGrad}
	case device.GELUTanh:
		return elementwise{value: vec.GELU, grad: vec.GELUGrad}
	case device.Softplus:
		return elementwise{value: vec.Softplus, grad: vec.SoftplusGrad}
	case device.Exp:
		return elementwise{value: vec.Exp, grad: vec.MulAdd, ofY: true}
	case device.Neg:
		return elementwise{
			value: func(y, x []float32) { vec.Scale(y, -1, x) },
			grad:  func(dx, _, dy []float32) { vec.Axpy(dx, -1, dy) },
		}
	case device.Square:
		return elementwise{
			value: func(y, x []float32) { vec.Mul(y, x, x) },
			grad: func(dx, x, dy []float32) {
				vec.MulAdd(dx, x, dy)
				vec.MulAdd(dx, x, dy)
			},
		}
	case device.ReLU:
		return elementwise{value: relu, grad: reluGrad}
	case device.MinG:
		return elementwise{value: minG, grad: minGGrad}
	case device.Log:
		return loop(math.Log, func(x float64) float64 { return 1 / x })
	case device.Sin:
		return loop(math.Sin, math.Cos)
	case device.Cos:
		return loop(math.Cos, func(x float64) float64 { return -math.Sin(x) })
	case device.Recip:
		return loop(func(x float64) float64 { return 1 / x }, func(x float64) float64 { return -1 / (x * x) })
	}
	panic(fmt.Sprintf("cpu: unknown function %q, want one of %v", f, device.Funcs()))
}

// loop makes kernels of a function of one number and its derivative.
func loop(f, slope func(float64) float64) elementwise {
	return elementwise{
		value: func(y, x []float32) {
			for i, v := range x {
				y[i] = float32(f(float64(v)))
			}
		},
		grad: func(dx, x, dy []float32) {
			for i, v := range x {
				dx[i] += dy[i] * float32(slope(float64(v)))
			}
		},
	}
}

func relu(y, x []float32) {
	for i, v := range x {
		y[i] = max(v, 0)
	}
}

// reluGrad: the derivative at 0 is 0, as in PyTorch.
func reluGrad(dx, x, dy []float32) {
	for i, v := range x {
		if v > 0 {
			dx[i] += dy[i]
		}
	}
}

// minG is x + ½ for x ≥ 0 and σ(x) otherwise.
func minG(y, x []float32) {
	const block = 1024 // keeps x, which y may overwrite
	var positive [block]float32
	for len(x) > 0 {
		n := min(len(x), block)
		copy(positive[:n], x)
		vec.Sigmoid(y[:n], x[:n])
		for i, v := range positive[:n] {
			if v >= 0 {
				y[i] = v + 0.5
			}
		}
		x, y = x[n:], y[n:]
	}
}

// minGGrad: the derivative is 1 for x ≥ 0 and σ(x)(1 − σ(x)) otherwise.
func minGGrad(dx, x, dy []float32) {
	const block = 1024
	var slope, y [block]float32
	for len(x) > 0 {
		n := min(len(x), block)
		vec.Sigmoid(y[:n], x[:n])
		clear(slope[:n])
		vec.SigmoidGrad(slope[:n], y[:n], ones[:n])
		for i, v := range x[:n] {
			if v >= 0 {
				slope[i] = 1
			}
		}
		vec.MulAdd(dx[:n], slope[:n], dy[:n])
		dx, x, dy = dx[n:], x[n:], dy[n:]
	}
}
