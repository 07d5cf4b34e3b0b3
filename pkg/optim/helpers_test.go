package optim_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// devices opens every device.
func devices(t *testing.T) []*tensor.Device {
	t.Helper()
	var all []*tensor.Device
	for _, name := range tensor.DeviceNames() {
		d, err := tensor.OpenDevice(name, 2)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, d)
	}
	return all
}

// setGrad makes g the gradient of p: that of Σ g ⊙ p.
func setGrad(p *tensor.Param, g []float64) {
	tensor.ZeroGrad([]*tensor.Param{p})
	tp := tensor.NewTape(p.Device())
	tp.Backward(tp.Sum(tp.Mul(p.Tensor, tensor.From(p.Device(), g, p.Shape()...))))
}

// near fails unless every element of got is within tol·(1+|want|) of want.
func near(t *testing.T, what string, got, want []float64, tol float64) {
	t.Helper()
	if len(got) != len(want) || len(want) == 0 {
		t.Fatalf("%s: %d elements, want %d", what, len(got), len(want))
	}
	for i := range want {
		if !(math.Abs(got[i]-want[i]) <= tol*(1+math.Abs(want[i]))) {
			t.Errorf("%s[%d] is %v, want %v within %g", what, i, got[i], want[i], tol)
		}
	}
}

// wantErrors fails unless err consists of exactly one error for each text.
func wantErrors(t *testing.T, err error, texts ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want %q", texts)
		return
	}
	n := 1
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		n = len(joined.Unwrap())
	}
	if n != len(texts) {
		t.Errorf("%d errors, want %d: %v", n, len(texts), err)
	}
	for _, s := range texts {
		if !strings.Contains(err.Error(), s) {
			t.Errorf("error %q, want one with %q", err, s)
		}
	}
}
