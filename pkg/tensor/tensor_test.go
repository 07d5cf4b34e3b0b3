package tensor_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gophersnake/gophersnake/internal/mixertest"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

func TestDevices(t *testing.T) {
	for _, name := range tensor.DeviceNames() {
		d, err := tensor.OpenDevice(name, 1)
		if err != nil || d.Name() != name || !strings.HasPrefix(d.String(), name+" (") || d.Kernels() == "" {
			t.Errorf("OpenDevice(%q): %v, %v", name, d, err)
		}
		// Eps is the rounding error of a sum.
		sum := func(a, b float64) float64 {
			return tensor.NewTape(d).Add(tensor.From(d, []float64{a}, 1), tensor.From(d, []float64{b}, 1)).Item()
		}
		if e := d.Eps(); sum(1, 4*e) == 1 || sum(1, e/2) != 1 {
			t.Errorf("%s: Eps %g is not the unit round-off", name, e)
		}
	}
	if _, err := tensor.OpenDevice("gpu", 1); err == nil || !strings.Contains(err.Error(), `"gpu"`) || !strings.Contains(err.Error(), "reference, cpu") {
		t.Errorf("OpenDevice of an unknown name: %v", err)
	}
}

func TestViews(t *testing.T) {
	for _, d := range mixertest.Devices(t) {
		a := tensor.From(d, []float64{0, 1, 2, 3, 4, 5}, 3, 2)
		for _, tt := range []struct {
			v     *tensor.Tensor
			shape []int
			want  []float64
		}{
			{a.Rows(1, 3), []int{2, 2}, []float64{2, 3, 4, 5}},
			{a.Rows(1, 3).Rows(1, 2), []int{1, 2}, []float64{4, 5}},
			{a.Reshape(2, -1), []int{2, 3}, []float64{0, 1, 2, 3, 4, 5}},
			{a.Rows(1, 2).Reshape(-1), []int{2}, []float64{2, 3}},
			{a.Reshape(1, 6, 1), []int{1, 6, 1}, []float64{0, 1, 2, 3, 4, 5}},
		} {
			if !slices.Equal(tt.v.Shape(), tt.shape) || !slices.Equal(tt.v.Data(), tt.want) || tt.v.Len() != len(tt.want) {
				t.Errorf("%s: view %v holds %v, want %v of shape %v", d, tt.v, tt.v.Data(), tt.want, tt.shape)
			}
		}
		a.Rows(2, 3).SetData([]float64{7, 8})
		a.Rows(0, 1).CopyFrom(a.Rows(2, 3))
		a.Reshape(6).Rows(2, 4).Zero()
		if got := a.Data(); !slices.Equal(got, []float64{7, 8, 0, 0, 7, 8}) {
			t.Errorf("%s: writes through views gave %v", d, got)
		}
		if a.Dim(-1) != 2 || a.Dim(0) != 3 || a.Grad() != nil || a.NeedsGrad() || a.Device() != d {
			t.Errorf("%s: Dim, Grad, NeedsGrad or Device of %v", d, a)
		}
	}
}

// TestGradientsOfViews: a view shows its part of the gradient.
func TestGradientsOfViews(t *testing.T) {
	for _, d := range mixertest.Devices(t) {
		w := tensor.Variable(d, []float64{1, 2, 3, 4, 5, 6}, 3, 2)
		if got := w.Grad(); !slices.Equal(got, make([]float64, 6)) {
			t.Errorf("%s: gradient %v before any, want zeros", d, got)
		}
		tp := tensor.NewTape(d)
		tp.Poison(true)
		tp.Backward(tp.Sum(tp.Map(tensor.Square, w.Rows(1, 2))))
		if got := w.Grad(); !slices.Equal(got, []float64{0, 0, 6, 8, 0, 0}) {
			t.Errorf("%s: gradient %v, want only row 1", d, got)
		}
		if got := w.Rows(1, 3).Grad(); !slices.Equal(got, []float64{6, 8, 0, 0}) {
			t.Errorf("%s: gradient of a view %v", d, got)
		}
	}
}

func TestTensorMistakes(t *testing.T) {
	d := tensor.Reference()
	a := tensor.New(d, 2, 3)
	for _, tt := range []struct {
		name string
		call func()
		says []string
	}{
		{"From", func() { tensor.From(d, make([]float64, 5), 2, 3) }, []string{"5 elements", "(2, 3)", "want 6"}},
		{"From", func() { tensor.From(d, make([]float64, 1), -1, -1) }, []string{"[-1 -1]", "want extents of at least 1"}},
		{"New", func() { tensor.New(d, 2, 0) }, []string{"[2 0]", "want extents of at least 1"}},
		{"SetData", func() { a.SetData(make([]float64, 5)) }, []string{"5 elements", "want 6"}},
		{"CopyFrom", func() { a.CopyFrom(tensor.New(d, 5)) }, []string{"src is (5)", "want (2, 3)"}},
		{"CopyFrom", func() { a.CopyFrom(tensor.New(tensor.CPU(1), 2, 3)) }, []string{"src is on cpu", "want reference"}},
		{"Item", func() { a.Item() }, []string{"(2, 3)", "want one element"}},
		{"Reshape", func() { a.Reshape(4, -1) }, []string{"(2, 3) to (4, _)", "want 6"}},
		{"Reshape", func() { a.Reshape(-1, -1, -1) }, []string{"want extents of at least 1"}},
		{"Rows", func() { a.Rows(1, 3) }, []string{"1 to 3 of (2, 3)", "want"}},
		{"Rows", func() { a.Rows(1, 1) }, []string{"1 to 1 of (2, 3)", "want at least one"}},
		{"Rows", func() { tensor.New(d).Rows(0, 1) }, []string{"0 to 1 of ()", "want"}},
	} {
		mixertest.MustPanic(t, tt.name, tt.call, append(tt.says, "tensor: "+tt.name+": ")...)
	}
	if got := tensor.New(d).Item(); got != 0 {
		t.Errorf("a tensor without axes holds %v, want 0", got)
	}
}

// TestGradCheckFindsMistakes: the judge of all gradients can say no.
func TestGradCheckFindsMistakes(t *testing.T) {
	d := tensor.Reference()
	a := tensor.Variable(d, []float64{0.5, 1.5}, 2)
	b := tensor.Variable(d, []float64{1, 2}, 2)
	scaled := func(factor float64) tensor.Function {
		return tensor.Function{Name: "wrong",
			Forward: func(in, out [][]float64) {
				for i, v := range in[0] {
					out[0][i] = v * v
				}
			},
			Backward: func(in, out, dout, din [][]float64) {
				for i, v := range in[0] {
					din[0][i] += factor * v * dout[0][i]
				}
			}}
	}
	check := func(factor float64) tensor.GradReport {
		rep, err := tensor.GradCheck(d, func(tp *tensor.Tape) *tensor.Tensor {
			return tp.Add(tp.Apply(scaled(factor), [][]int{{2}}, a)[0], tp.Map(tensor.Exp, b))
		}, []*tensor.Tensor{a, b}, 0)
		if err != nil || rep.Checked != 4 {
			t.Fatalf("%v, %d checked, want 4", err, rep.Checked)
		}
		return rep
	}
	if rep := check(2); !(rep.MaxError < 1e-8) {
		t.Errorf("a right gradient has error %g", rep.MaxError)
	}
	for _, wrong := range []float64{2.001, 0, -2, math.NaN()} {
		if rep := check(wrong); rep.MaxError <= 1e-6 || math.IsNaN(rep.MaxError) || !strings.Contains(rep.Where, "tensor 0") {
			t.Errorf("a gradient wrong by factor %g/2: error %g at %q", wrong, rep.MaxError, rep.Where)
		}
	}
	if got := a.Data(); !slices.Equal(got, []float64{0.5, 1.5}) {
		t.Errorf("GradCheck left the variable at %v", got)
	}
}

// TestApplyChecksOutputs: a Forward that replaces its output by another slice
// would otherwise leave elements unwritten.
func TestApplyChecksOutputs(t *testing.T) {
	f := tensor.Function{Name: "short", Forward: func(in, out [][]float64) { out[0] = in[0][:1] }}
	tp := tensor.NewTape(tensor.Reference())
	mixertest.MustPanic(t, "a short output", func() { tp.Apply(f, [][]int{{2}}, x(2)) }, "tensor: Apply: short: 1 elements of output 0", "want 2")
}

func TestGradCheckRefuses(t *testing.T) {
	d := tensor.Reference()
	f := func(tp *tensor.Tape) *tensor.Tensor { return tp.Map(tensor.Exp, tensor.Variable(d, []float64{1}, 1)) }
	if _, err := tensor.GradCheck(d, f, nil, 0); err == nil || !strings.Contains(err.Error(), "nothing to check") {
		t.Errorf("nothing to check: %v", err)
	}
	if _, err := tensor.GradCheck(d, f, []*tensor.Tensor{tensor.New(d, 1)}, 0); err == nil || !strings.Contains(err.Error(), "not a variable") {
		t.Errorf("a constant: %v", err)
	}
}
