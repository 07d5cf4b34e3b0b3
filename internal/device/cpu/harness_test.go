package cpu_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gophersnake/gophersnake/internal/device"
)

// The tolerances of float32 against float64, as max|difference| over
// max|reference| of an array: a sum of some hundred terms loses about ten
// units of 6e-8; a gradient passes through several such sums.
const (
	forwardTol = 1e-5
	gradTol    = 1e-4
)

// A testCase runs one operation on any device. This file and the table of
// cases know nothing of package cpu: another device can take them as they are.
type testCase struct {
	op   string // the method of device.Device
	mode string // shape and switches
	run  func(e *env)

	tol  float64 // instead of the tolerances above, with
	why  string  // the reason
	zero bool    // a result may be all zeros
}

func (c testCase) String() string { return c.op + "/" + c.mode }

// env gives a case its inputs, the same on every device, and collects its
// results.
type env struct {
	device.Device
	rng     *rand.Rand
	results []result
}

// result is one array that a case computes.
type result struct {
	name   string
	buf    device.Buf
	before []float64 // gradients: the values to which the gradient was added
	values []float64 // set by collect, for gradients less before
}

func newEnv(d device.Device) *env {
	return &env{Device: d, rng: rand.New(rand.NewPCG(1, 2))}
}

// numbers draws n float32-representable numbers.
func (e *env) numbers(n int, draw func() float64) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = float64(float32(draw()))
	}
	return x
}

// upload returns a new buffer with the given content.
func (e *env) upload(x []float64) device.Buf {
	b := e.Alloc(len(x))
	e.Upload(b, x)
	return b
}

// normal returns n normal numbers of standard deviation s.
func (e *env) normal(n int, s float64) device.Buf {
	return e.upload(e.numbers(n, func() float64 { return s * e.rng.NormFloat64() }))
}

// uniform returns n numbers between lo and hi.
func (e *env) uniform(n int, lo, hi float64) device.Buf {
	return e.upload(e.numbers(n, func() float64 { return lo + (hi-lo)*e.rng.Float64() }))
}

// in returns n standard normal numbers.
func (e *env) in(n int) device.Buf { return e.normal(n, 1) }

// maybe returns x, or nil.
func maybe(want bool, x device.Buf) device.Buf {
	if want {
		return x
	}
	return device.Buf{}
}

// nan returns n NaNs that are not compared.
func (e *env) nan(n int) device.Buf {
	b := e.Alloc(n)
	e.Fill(b, math.NaN())
	return b
}

// out returns n NaNs to be overwritten and compared.
func (e *env) out(name string, n int) device.Buf { return e.result(name, e.nan(n)) }

// result makes b one of the results.
func (e *env) result(name string, b device.Buf) device.Buf {
	e.results = append(e.results, result{name: name, buf: b})
	return b
}

// grad returns n numbers to which a gradient is to be added.
func (e *env) grad(name string, n int) device.Buf {
	before := e.numbers(n, func() float64 { return e.rng.Float64() - 0.5 })
	b := e.upload(before)
	e.results = append(e.results, result{name: name, buf: b, before: before})
	return b
}

// gradIf is grad, or nil.
func (e *env) gradIf(want bool, name string, n int) device.Buf {
	if !want {
		return device.Buf{}
	}
	return e.grad(name, n)
}

// values adds numbers that an operation returned to the results.
func (e *env) values(name string, x ...float64) {
	e.results = append(e.results, result{name: name, values: x})
}

// ints returns n integers in [lo, hi).
func (e *env) ints(n, lo, hi int) []int32 {
	x := make([]int32, n)
	for i := range x {
		x[i] = int32(lo + e.rng.IntN(hi-lo))
	}
	return x
}

// collect runs the case on d and returns its results.
func (c testCase) collect(d device.Device) []result {
	e := newEnv(d)
	c.run(e)
	for i := range e.results {
		r := &e.results[i]
		if r.buf.IsNil() {
			continue
		}
		r.values = make([]float64, r.buf.Len())
		e.Download(r.values, r.buf)
		for j, v := range r.before {
			r.values[j] -= v
		}
	}
	return e.results
}

// distance returns max|x−ref| and max|ref|. What is not finite must agree.
func distance(x, ref []float64) (diff, size float64) {
	for i, r := range ref {
		switch {
		case x[i] == r || math.IsNaN(x[i]) && math.IsNaN(r):
		case math.IsNaN(x[i]) || math.IsNaN(r):
			diff = math.Inf(1)
		default:
			diff = max(diff, math.Abs(x[i]-r))
		}
		if !math.IsNaN(r) && !math.IsInf(r, 0) {
			size = max(size, math.Abs(r))
		}
	}
	return diff, size
}

// check compares the results of a device with those of the truth.
func (c testCase) check(t *testing.T, got, truth []result) {
	t.Helper()
	checked := 0
	for i, ref := range truth {
		tol := forwardTol
		if ref.before != nil {
			tol = gradTol
		}
		if c.tol != 0 {
			tol = c.tol
		}
		diff, size := distance(got[i].values, ref.values)
		checked += len(ref.values)
		if size == 0 && len(ref.values) > 0 && !c.zero {
			t.Errorf("%s: the reference is all zeros: nothing was checked", ref.name)
		}
		if !(diff <= tol*size) {
			t.Errorf("%s: max|diff| %.3g, max|ref| %.3g, ratio %.3g, want <= %g", ref.name, diff, size, diff/size, tol)
		}
	}
	if checked == 0 {
		t.Error("nothing was checked")
	}
	if (c.tol != 0) != (c.why != "") {
		t.Error("an exceptional tolerance needs a reason, and a reason a tolerance")
	}
}

// cases is the whole table.
func cases() []testCase {
	var all []testCase
	for _, family := range [][]testCase{
		memoryCases(), denseCases(), pointwiseCases(), normCases(),
		sequenceCases(), attentionCases(), scanCases(), recurrentCases(), lossCases(),
	} {
		all = append(all, family...)
	}
	return all
}

// sameBits reports the first difference.
func sameBits(a, b []result) error {
	for i := range b {
		for j, v := range b[i].values {
			if w := a[i].values[j]; math.Float64bits(v) != math.Float64bits(w) {
				return fmt.Errorf("%s[%d] is %v, want %v", a[i].name, j, w, v)
			}
		}
	}
	return nil
}
