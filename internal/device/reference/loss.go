package reference

import (
	"math"

	"github.com/gophersnake/gophersnake/internal/device"
)

// logSumExp returns the two parts of log Σ_j exp(x_j) = m + log Σ_j exp(x_j − m),
// m = max x: no exponential overflows, and m − x_j + log Σ keeps the digits that
// the sum m + log Σ would lose for large m.
func logSumExp(x []float64) (m, logSum float64) {
	m = math.Inf(-1)
	for _, v := range x {
		m = max(m, v)
	}
	if math.IsInf(m, 0) {
		return m, 0 // x_j − m would be NaN
	}
	s := 0.0
	for _, v := range x {
		s += math.Exp(v - m)
	}
	return m, math.Log(s)
}

// scored returns how many rows have a target.
func scored(targets []int32) float64 {
	n := 0.0
	for _, v := range targets {
		if v >= 0 {
			n++
		}
	}
	return n
}

// CrossEntropy returns the mean over the scored rows i (those with a target
// that is not negative), or 0 if there are none, of
//
//	−log softmax(x_i)[target_i] = lse_i − x_i[target_i],  lse_i = log Σ_j exp(x_ij)
//
// for logits x (m,v), targets (m), lse (m), loss (1).
func (*Device) CrossEntropy(m, v int, x device.Buf, targets []int32, lse, loss device.Buf) {
	sum := 0.0
	for i := range m {
		xi := x.Slice(i*v, (i+1)*v).F64
		top, logSum := logSumExp(xi)
		set(lse, i, top+logSum)
		if targets[i] >= 0 {
			sum += top - xi[targets[i]] + logSum
		}
	}
	loss.F64[0] = sum / max(scored(targets[:m]), 1)
}

// CrossEntropyGrad adds, for scored rows,
//
//	dx_ij += dloss (softmax(x_i)_j − [j = target_i]) / scored,  softmax(x_i)_j = exp(x_ij − lse_i)
//
// or, if dx is x, overwrites it with that.
func (*Device) CrossEntropyGrad(m, v int, x device.Buf, targets []int32, lse, dloss, dx device.Buf) {
	g := dloss.F64[0] / max(scored(targets[:m]), 1)
	over := dx.Same(x)
	for i := range m {
		xi := row(x, i*v, v)
		if over {
			clear(dx.F64[i*v : (i+1)*v])
		}
		if targets[i] < 0 {
			continue
		}
		for j := range v {
			add(dx, i*v+j, g*math.Exp(xi[j]-lse.F64[i]))
		}
		add(dx, i*v+int(targets[i]), -g)
	}
}

// Argmax returns the index of each row's largest element, the first of equals;
// NaN counts as smallest, so a row of NaNs gives 0.
func (*Device) Argmax(m, v int, x device.Buf) []int32 {
	best := make([]int32, m)
	for i := range best {
		xi := x.Slice(i*v, (i+1)*v).F64
		for j, a := range xi {
			b := xi[best[i]]
			if a > b || math.IsNaN(b) && !math.IsNaN(a) {
				best[i] = int32(j)
			}
		}
	}
	return best
}
