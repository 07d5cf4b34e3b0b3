package optim_test

import (
	"math"
	"testing"

	"github.com/gophersnake/gophersnake/pkg/tensor"
)

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
