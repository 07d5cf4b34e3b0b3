package cpu

import (
	"math"

	"github.com/gophersnake/gophersnake/internal/device"
	"github.com/gophersnake/gophersnake/internal/kernel/vec"
)

// scored returns how many targets count.
func scored(targets []int32) int {
	n := 0
	for _, t := range targets {
		if t >= 0 {
			n++
		}
	}
	return n
}

// CrossEntropy sets loss[0] to the mean over the scored rows of
// lse − x[target], lse = log Σ_j exp(x_j).
func (d *Device) CrossEntropy(m, v int, x device.Buf, targets []int32, lse, loss device.Buf) {
	each := d.free.get(m)
	defer d.free.put(each)
	d.rows(m, v, func(lo, hi int) {
		e := d.free.get(v)
		defer d.free.put(e)
		for i := lo; i < hi; i++ {
			x := x.F32[i*v:][:v]
			top, sum := vec.SoftmaxRow(e, x)
			s := float64(top) + math.Log(float64(sum))
			set(lse, i, float32(s))
			each[i] = 0
			if targets[i] >= 0 {
				each[i] = float32(s - float64(x[targets[i]]))
			}
		}
	})
	total := 0.0
	for _, l := range each {
		total += float64(l)
	}
	loss.F32[0] = float32(total / float64(max(1, scored(targets[:m]))))
}

// CrossEntropyGrad adds dloss[0]·(softmax(x) − onehot)/scored to dx. It computes
// the softmax anew, which costs no more than to make use of lse. If dx is x, it
// overwrites it.
func (d *Device) CrossEntropyGrad(m, v int, x device.Buf, targets []int32, _, dloss, dx device.Buf) {
	g := float32(float64(dloss.F32[0]) / float64(max(1, scored(targets[:m]))))
	over := dx.Same(x)
	d.rows(m, v, func(lo, hi int) {
		e := d.free.get(v)
		defer d.free.put(e)
		for i := lo; i < hi; i++ {
			dx := dx.F32[i*v:][:v]
			if targets[i] < 0 {
				if over {
					clear(dx)
				}
				continue
			}
			vec.SoftmaxRow(e, x.F32[i*v:][:v])
			if over {
				vec.Scale(dx, g, e)
			} else {
				vec.Axpy(dx, g, e)
			}
			dx[targets[i]] -= g
		}
	})
}

// Argmax returns the index of each row's largest element, the first of equals;
// NaN counts as smallest.
func (d *Device) Argmax(m, v int, x device.Buf) []int32 {
	best := make([]int32, m)
	d.rows(m, v, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			best[i] = int32(argmax(x.F32[i*v:][:v]))
		}
	})
	return best
}

func argmax(x []float32) int {
	best := 0
	for i, v := range x {
		if v > x[best] || x[best] != x[best] && v == v {
			best = i
		}
	}
	return best
}
