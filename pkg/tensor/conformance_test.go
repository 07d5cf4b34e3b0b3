package tensor_test

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"testing"

	"github.com/gophersnake/gophersnake/pkg/tensor"
)

const (
	// A central difference with step ε^(1/3) is good to about ε^(2/3) = 2e-11
	// times third derivatives of size up to 1e3; the project promises 1e-6.
	diffTol = 1e-6
	// The project's promise for a float32 device against reference, as
	// max|difference| / max|reference| of an array: a sum of some hundred terms
	// loses about ten units of 6e-8, a gradient passes through several such sums.
	forwardTol, gradTol = 1e-5, 1e-4
	// Where the truth is exactly 0, float32 may leave rounding of terms of size 1.
	zeroTol = 1e-6
)

// opCase builds one operation from named inputs. It knows nothing of devices.
type opCase struct {
	op   string // the method of Tape
	mode string // shape and switches
	in   []input
	run  func(r *run) []*tensor.Tensor

	noGrad string   // why the results have no gradient
	noDiff string   // why central differences say nothing
	zero   []string // results and inputs whose value or gradient is exactly 0
	// Exceptional tolerances for float32 devices, with the reason.
	forward, grad float64
	why           string
}

func (c opCase) String() string { return c.op + "/" + c.mode }

// dist draws one number.
type dist func(r *rand.Rand) float64

func gauss(s float64) dist { return func(r *rand.Rand) float64 { return s * r.NormFloat64() } }

func uniform(lo, hi float64) dist {
	return func(r *rand.Rand) float64 { return lo + (hi-lo)*r.Float64() }
}

// away draws from ±[lo, hi], to keep off a kink at 0.
func away(lo, hi float64) dist {
	return func(r *rand.Rand) float64 { return (lo + (hi-lo)*r.Float64()) * float64(2*r.IntN(2)-1) }
}

// listed draws the given numbers in turn.
func listed(x ...float64) dist {
	i := -1
	return func(*rand.Rand) float64 { i++; return x[i%len(x)] }
}

// input is one named array.
type input struct {
	name  string
	data  []float64 // float32-representable: every device sees the same
	shape []int
	fixed bool // without gradient
}

// in is an input with a gradient.
func in(name string, d dist, shape ...int) input {
	n := 1
	for _, s := range shape {
		n *= s
	}
	h := fnv.New64a()
	fmt.Fprint(h, name, shape)
	rng := rand.New(rand.NewPCG(h.Sum64(), 1))
	data := make([]float64, n)
	for i := range data {
		data[i] = float64(float32(d(rng)))
	}
	return input{name: name, data: data, shape: shape}
}

// fixed is an input without gradient.
func fixed(name string, d dist, shape ...int) input {
	x := in(name, d, shape...)
	x.fixed = true
	return x
}

// run is one evaluation of a case on one tape.
type run struct {
	tp   *tensor.Tape
	c    opCase
	in   map[string]*tensor.Tensor
	kept []named
}

type named struct {
	name   string
	tensor *tensor.Tensor
	values []float64
}

func newRun(c opCase, d *tensor.Device) *run {
	r := &run{c: c, in: map[string]*tensor.Tensor{}}
	for _, x := range c.in {
		make := tensor.Variable
		if x.fixed || c.noGrad != "" {
			make = tensor.From
		}
		r.in[x.name] = make(d, x.data, x.shape...)
	}
	return r
}

// v returns an input, nil if the case has none of that name.
func (r *run) v(name string) *tensor.Tensor { return r.in[name] }

// state returns a fresh copy of an input, to be overwritten, and compares what
// is in it at the end. It returns nil if the case has none of that name.
func (r *run) state(name string) *tensor.Tensor {
	for _, x := range r.c.in {
		if x.name == name {
			t := tensor.From(r.tp.Device(), x.data, x.shape...)
			r.kept = append(r.kept, named{name: "state " + name, tensor: t})
			return t
		}
	}
	return nil
}

// keep compares numbers that are not a tensor.
func (r *run) keep(name string, values []float64) {
	r.kept = append(r.kept, named{name: name, values: values})
}

// flat joins the results in one tensor of one axis.
func flat(tp *tensor.Tape, outs []*tensor.Tensor) *tensor.Tensor {
	parts := make([]*tensor.Tensor, len(outs))
	for i, o := range outs {
		parts[i] = o.Reshape(-1)
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return tp.Concat(parts...)
}

// result is one array that a case computes.
type result struct {
	name   string
	grad   bool
	values []float64
}

// evaluate runs the case on d in poisoned memory: results, states, gradients.
func (c opCase) evaluate(d *tensor.Device) []result {
	r := newRun(c, d)
	r.tp = tensor.NewTape(d)
	r.tp.Poison(true)
	outs := c.run(r)
	var all []result
	for i, o := range outs {
		all = append(all, result{name: fmt.Sprintf("out %d", i), values: o.Data()})
	}
	for _, k := range r.kept {
		if k.tensor != nil {
			k.values = k.tensor.Data()
		}
		all = append(all, result{name: k.name, values: k.values})
	}
	if c.noGrad != "" {
		return all
	}
	y := flat(r.tp, outs)
	dy := in("direction", away(0.5, 1.5), y.Len())
	r.tp.Backward(r.tp.Sum(r.tp.Mul(y, tensor.From(d, dy.data, y.Len()))))
	for _, x := range c.in {
		if !x.fixed {
			all = append(all, result{name: x.name, grad: true, values: r.in[x.name].Grad()})
		}
	}
	return all
}

// relErr returns max|got−want| and max|want|, +Inf for what is not finite.
func relErr(got, want []float64) (diff, size float64) {
	if len(got) != len(want) || len(want) == 0 {
		return math.Inf(1), 1
	}
	for i, w := range want {
		d := math.Abs(got[i] - w)
		if math.IsNaN(d) || math.IsInf(w, 0) {
			return math.Inf(1), 1
		}
		diff, size = max(diff, d), max(size, math.Abs(w))
	}
	return diff, size
}

// worst collects the largest errors of a test.
type worst struct{ diff, forward, grad float64 }

// checkTruth fails on numbers that are not finite and on zeros that the case
// does not declare: they would hide an error.
func (c opCase) checkTruth(t *testing.T, truth []result) {
	t.Helper()
	for _, x := range truth {
		_, size := relErr(x.values, x.values)
		if math.IsInf(size, 0) || slices.ContainsFunc(x.values, func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }) {
			t.Errorf("%s on reference is not finite", x.name)
		}
		if zero := slices.Contains(c.zero, x.name); (size == 0) != zero {
			t.Errorf("%s on reference: max| | = %g, declared zero: %t", x.name, size, zero)
		}
	}
	if len(truth) == 0 {
		t.Error("nothing was checked")
	}
}

// checkDifferences compares the gradients on reference with central
// differences: all of a small case, some elements per tensor of a large one.
func (c opCase) checkDifferences(t *testing.T, w *worst) {
	t.Helper()
	d := tensor.Reference()
	r := newRun(c, d)
	var wrt []*tensor.Tensor
	total, perTensor := 0, 0
	for _, x := range c.in {
		if !x.fixed {
			wrt = append(wrt, r.in[x.name])
			total += len(x.data)
		}
	}
	switch {
	case total > 3000:
		perTensor = 2
	case total > 250:
		perTensor = 4
	}
	rep, err := tensor.GradCheck(d, func(tp *tensor.Tape) *tensor.Tensor {
		r.tp, r.kept = tp, nil
		return flat(tp, c.run(r))
	}, wrt, perTensor)
	if err != nil {
		t.Fatal(err)
	}
	w.diff = max(w.diff, rep.MaxError)
	if !(rep.MaxError <= diffTol) || rep.Checked == 0 {
		t.Errorf("central differences: %.2g in %d elements, want <= %g; %s", rep.MaxError, rep.Checked, diffTol, rep.Where)
	}
}

// compare holds the results of a float32 device against the truth.
func (c opCase) compare(t *testing.T, device string, got, truth []result, w *worst) {
	t.Helper()
	if len(got) != len(truth) {
		t.Fatalf("%s: %d results, want %d", device, len(got), len(truth))
	}
	for i, want := range truth {
		tol, exception, seen := forwardTol, c.forward, &w.forward
		if want.grad {
			tol, exception, seen = gradTol, c.grad, &w.grad
		}
		diff, size := relErr(got[i].values, want.values)
		if slices.Contains(c.zero, want.name) {
			tol, size = zeroTol, 1
		} else if exception == 0 {
			*seen = max(*seen, diff/size)
		}
		if exception > 0 {
			tol = exception
		}
		if !(diff <= tol*size) {
			t.Errorf("%s: %s: max|diff| %.3g, max|ref| %.3g, ratio %.3g, want <= %g", device, want.name, diff, size, diff/size, tol)
		}
	}
}

// TestConformance is the suite: every operation on every device.
func TestConformance(t *testing.T) {
	var w worst
	for _, c := range cases() {
		t.Run(c.String(), func(t *testing.T) {
			if (c.forward != 0 || c.grad != 0) != (c.why != "") {
				t.Error("an exceptional tolerance needs a reason, and a reason a tolerance")
			}
			truth := c.evaluate(tensor.Reference())
			c.checkTruth(t, truth)
			if c.noGrad == "" && c.noDiff == "" {
				c.checkDifferences(t, &w)
			}
			for _, name := range tensor.DeviceNames() {
				if name == "reference" {
					continue
				}
				d, err := tensor.OpenDevice(name, 2)
				if err != nil {
					t.Fatal(err)
				}
				c.compare(t, name, c.evaluate(d), truth, &w)
			}
		})
	}
	t.Logf("worst: central differences %.2g, forward %.2g, gradients %.2g", w.diff, w.forward, w.grad)
}

// TestSameBitsOnAnyNumberOfWorkers runs every case on 1, 2, 3 and 8 cores.
func TestSameBitsOnAnyNumberOfWorkers(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(8)) // no more workers than that
	for _, c := range cases() {
		one := c.evaluate(tensor.CPU(1))
		for _, workers := range []int{2, 3, 8} {
			for i, x := range c.evaluate(tensor.CPU(workers)) {
				for j, v := range x.values {
					if want := one[i].values[j]; math.Float64bits(v) != math.Float64bits(want) {
						t.Errorf("%v: %s[%d] is %v on %d workers, %v on 1", c, x.name, j, v, workers, want)
						break
					}
				}
			}
		}
	}
}

// TestEveryOperationHasACase walks the exported methods of Tape.
func TestEveryOperationHasACase(t *testing.T) {
	covered, names := map[string]bool{}, map[string]bool{}
	for _, c := range cases() {
		covered[c.op] = true
		if names[c.String()] {
			t.Errorf("two cases are called %v", c)
		}
		names[c.String()] = true
	}
	ops := operations()
	for _, op := range ops {
		if !covered[op] {
			t.Errorf("Tape.%s has no case", op)
		}
		delete(covered, op)
	}
	for op := range covered {
		t.Errorf("cases for %q, which is no operation of Tape", op)
	}
	if len(ops) < 30 {
		t.Errorf("found only %d operations", len(ops))
	}
}

// mechanics are the methods of Tape that compute nothing.
var mechanics = []string{"Device", "SetGrad", "SetTraining", "SetSeed", "Poison", "Bytes", "Reset", "Backward", "Done", "Kept"}

// operations returns the exported methods of Tape that are not mechanics.
func operations() []string {
	var ops []string
	tape := reflect.TypeFor[*tensor.Tape]()
	for i := range tape.NumMethod() {
		if name := tape.Method(i).Name; !slices.Contains(mechanics, name) {
			ops = append(ops, name)
		}
	}
	return ops
}
