package tensor

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/gophersnake/gophersnake/internal/device"
)

// GradReport is what GradCheck found.
type GradReport struct {
	Checked  int     // elements compared
	MaxError float64 // largest |numeric − analytic| / scale, see GradCheck
	Where    string  // the element of the largest error
}

// GradCheck compares the gradients of f with central differences. f builds its
// result on the tape from the given tensors and whatever it captures; a result
// of several elements is projected on a fixed random direction. At most
// perTensor elements of each tensor are tried (0: all), chosen by a fixed seed.
//
// The step is ε^(1/3)·max(1,|x|) with ε the device's unit round-off. The error
// of an element is |numeric − analytic| divided by the largest of 1e-3 and the
// magnitude of any gradient element of that tensor, so that elements near zero
// do not count their round-off as error. Nothing to check is an error.
func GradCheck(d *Device, f func(tp *Tape) *Tensor, wrt []*Tensor, perTensor int) (GradReport, error) {
	rep := GradReport{}
	value := func(backward bool) float64 {
		tp := NewTape(d)
		tp.Poison(true)
		y := f(tp)
		loss := tp.Sum(tp.Mul(y, From(d, direction(y.Len()), y.shape...)))
		if backward {
			tp.Backward(loss)
		}
		return loss.Item()
	}
	for _, t := range wrt {
		if !t.needs || t.tape != nil {
			return rep, fmt.Errorf("tensor: GradCheck: %s is not a variable or parameter of its own", t)
		}
		t.grad = device.Buf{}
	}
	value(true)
	rng := rand.New(rand.NewPCG(1, 2))
	for ti, t := range wrt {
		grad, data := t.Grad(), t.Data()
		scale := 1e-3
		for _, g := range grad {
			scale = math.Max(scale, math.Abs(g))
		}
		for k, i := range rng.Perm(t.Len()) {
			if perTensor > 0 && k >= perTensor {
				break
			}
			num := centralDifference(t, data, i, d.Eps(), func() float64 { return value(false) })
			e := errorOf(num, grad[i], scale)
			rep.Checked++
			if e > rep.MaxError {
				rep.MaxError, rep.Where = e, fmt.Sprintf("tensor %d element %d: numeric %.9g, analytic %.9g", ti, i, num, grad[i])
			}
		}
	}
	if rep.Checked == 0 {
		return rep, fmt.Errorf("tensor: GradCheck: nothing to check")
	}
	return rep, nil
}

// errorOf returns |numeric − analytic| / scale, +Inf for what is not a number.
func errorOf(numeric, analytic, scale float64) float64 {
	if e := math.Abs(numeric-analytic) / scale; !math.IsNaN(e) {
		return e
	}
	return math.Inf(1)
}

// centralDifference returns (f(x+h) − f(x−h)) / 2h in element i of t.
func centralDifference(t *Tensor, data []float64, i int, eps float64, f func() float64) float64 {
	h := math.Cbrt(eps) * math.Max(1, math.Abs(data[i]))
	x := data[i]
	data[i] = x + h
	t.SetData(data)
	up := f()
	data[i] = x - h
	t.SetData(data)
	down := f()
	data[i] = x
	t.SetData(data)
	return (up - down) / (2 * h)
}

// direction returns n fixed numbers in ±[0.5, 1.5].
func direction(n int) []float64 {
	rng := rand.New(rand.NewPCG(3, 5))
	out := make([]float64, n)
	for i := range out {
		out[i] = (0.5 + rng.Float64()) * float64(2*rng.IntN(2)-1)
	}
	return out
}
