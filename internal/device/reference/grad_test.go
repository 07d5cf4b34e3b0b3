package reference

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/gophersnake/gophersnake/internal/device"
)

// gradTol bounds the relative error between a gradient and the central
// difference of fourth order, whose own error is gradStep⁴ = 8e-15 times the
// fifth derivative (large for long products) plus the rounding 2⁻⁵²/gradStep =
// 7e-13 times the loss. Measured: below 1e-8, and 2e-7 in SelectiveScan.
const (
	gradTol  = 1e-6
	gradStep = 3e-4
	// gradFloor is the size below which an error counts as absolute: there the
	// rounding of the difference exceeds gradTol times the gradient.
	gradFloor = 1e-3
)

// input is one differentiable argument; nil x means that it is absent.
type input struct {
	name string
	x    []float64
}

// gradCase is one mode of one operation.
type gradCase struct {
	op   string // name of the device's method
	name string
	in   []input
	// run computes the operation's outputs (one after the other, if several)
	// for inputs in. If dy is not nil it then adds the gradients to d, of which
	// every element may be nil.
	run func(in []device.Buf, dy device.Buf, d []device.Buf) device.Buf
}

func buf(x []float64) device.Buf { return device.Buf{F64: x} }

// random returns n standard normal numbers.
func random(r *rand.Rand, n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = r.NormFloat64()
	}
	return x
}

// constant returns n numbers v.
func constant(n int, v float64) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = v
	}
	return x
}

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

// bufs returns the inputs as buffers.
func (c gradCase) bufs() []device.Buf {
	b := make([]device.Buf, len(c.in))
	for i := range b {
		b[i] = buf(c.in[i].x)
	}
	return b
}

// gradients returns start + gradient for the inputs in want; the others are not
// asked for.
func (c gradCase) gradients(dy []float64, start float64, want func(i int) bool) [][]float64 {
	d, b := make([][]float64, len(c.in)), make([]device.Buf, len(c.in))
	for i, in := range c.in {
		if in.x != nil && want(i) {
			d[i] = constant(len(in.x), start)
			b[i] = buf(d[i])
		}
	}
	c.run(c.bufs(), buf(dy), b)
	return d
}

// check compares the gradients of c with central differences of the loss
// dy·output and returns the number of elements compared and the largest error.
func (c gradCase) check(t *testing.T) (checked int, worst float64) {
	t.Helper()
	in := c.bufs()
	y := c.run(in, device.Buf{}, nil).F64
	for i, v := range y { // Alloc gave NaNs: every element must be overwritten
		if math.IsNaN(v) || math.IsInf(v, 0) {
			t.Fatalf("output %d is %v", i, v)
		}
	}
	dy := random(newRand(99), len(y))
	loss := func() float64 {
		s := 0.0
		for i, v := range c.run(in, device.Buf{}, nil).F64 {
			s += dy[i] * v
		}
		return s
	}
	const start = 0.5 // a gradient is added to what is there
	d := c.gradients(dy, start, func(int) bool { return true })
	for i, in := range c.in {
		for j := range in.x {
			got, want := d[i][j]-start, difference(loss, &in.x[j])
			e := math.Abs(got-want) / max(math.Abs(got), math.Abs(want), gradFloor)
			if !(e <= gradTol) {
				t.Fatalf("d%s[%d] is %.12g, central difference %.12g, relative error %.2g", in.name, j, got, want, e)
			}
			worst = max(worst, e)
			checked++
		}
	}
	c.checkSubsets(t, dy)
	return checked, worst
}

// checkSubsets asks for each gradient alone, for all but one, and for none, and
// wants the same bits.
func (c gradCase) checkSubsets(t *testing.T, dy []float64) {
	t.Helper()
	full := c.gradients(dy, 0, func(int) bool { return true })
	c.gradients(dy, 0, func(int) bool { return false })
	for k := range c.in {
		for _, alone := range []bool{true, false} {
			part := c.gradients(dy, 0, func(i int) bool { return (i == k) == alone })
			for i := range part {
				if part[i] != nil && !slices.Equal(part[i], full[i]) {
					t.Fatalf("d%s changes when other gradients are not wanted", c.in[i].name)
				}
			}
		}
	}
}

// difference returns the central difference of fourth order of f along x:
// (8 (f(x+h) − f(x−h)) − (f(x+2h) − f(x−2h))) / 12h.
func difference(f func() float64, x *float64) float64 {
	old := *x
	at := func(h float64) float64 { *x = old + h; return f() }
	near := at(gradStep) - at(-gradStep)
	far := at(2*gradStep) - at(-2*gradStep)
	*x = old
	return (8*near - far) / (12 * gradStep)
}

// gradCases returns the table: every mode of every operation with a gradient.
func gradCases() []gradCase {
	return slices.Concat(
		applyCases(), pointwiseCases(), denseCases(), normCases(), lossCases(),
		convCases(), rotaryCases(), attentionCases(), meanPoolCases(),
		linearScanCases(), selectiveScanCases(), elmanCases(), gruCases(), lstmCases())
}

func TestGradients(t *testing.T) {
	checked, worst := map[string]int{}, map[string]float64{}
	for _, c := range gradCases() {
		t.Run(c.op+"/"+c.name, func(t *testing.T) {
			n, e := c.check(t)
			checked[c.op] += n
			worst[c.op] = max(worst[c.op], e)
		})
	}
	names := 0
	for m := range reflect.TypeFor[device.Device]().NumMethod() {
		name := reflect.TypeFor[device.Device]().Method(m).Name
		if strings.HasSuffix(name, "Grad") {
			names++
			if checked[name] == 0 {
				t.Errorf("%s: no gradient was checked", name)
			}
		}
	}
	if names == 0 {
		t.Error("device.Device has no method that ends in Grad")
	}
	for op, n := range checked {
		t.Logf("%-18s %6d elements, largest relative error %.1e", op, n, worst[op])
	}
}
