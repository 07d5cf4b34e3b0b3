package optim_test

import (
	"math"
	"slices"
	"testing"

	"github.com/gophersnake/gophersnake/internal/mixertest"
	"github.com/gophersnake/gophersnake/pkg/optim"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// TestSGDFormula: u ← momentum·u + scale·g + decay·w; w ← w − lr·u, with the
// clipping of torch, against the formula in float64.
func TestSGDFormula(t *testing.T) {
	const lr, momentum, decay = 0.1, 0.9, 0.05
	grads := [][]float64{{3, -4}, {0.1, 0.2}, {-30, 1}, {0, 0}}
	for _, clip := range []float64{0, 2} {
		for _, d := range mixertest.Devices(t) {
			params := groups(d)[:2]
			opt, err := optim.NewSGD(params, momentum, decay, clip)
			if err != nil {
				t.Fatal(err)
			}
			w, u := [][]float64{{2, -3}, {2, -3}}, [][]float64{{0, 0}, {0, 0}}
			for _, g := range grads {
				setGrad(params[0], g)
				setGrad(params[1], []float64{-g[0], 2 * g[1]})
				all := []float64{g[0], g[1], -g[0], 2 * g[1]}
				norm := math.Sqrt(all[0]*all[0] + all[1]*all[1] + all[2]*all[2] + all[3]*all[3])
				near(t, d.Name()+" norm", []float64{opt.Step(lr)}, []float64{norm}, 1e-6)
				scale := 1.0
				if clip > 0 {
					scale = min(1, clip/(norm+1e-6))
				}
				for i := range all {
					p, j := i/2, i%2
					u[p][j] = momentum*u[p][j] + scale*all[i]
					if p == 0 { // group decay
						u[p][j] += decay * w[p][j]
					}
					w[p][j] -= lr * u[p][j]
				}
				for p := range params {
					near(t, d.Name()+" "+params[p].Name, params[p].Data(), w[p], tolerance(d))
				}
			}
		}
	}
}

func TestSGDRefuses(t *testing.T) {
	for _, bad := range [][3]float64{{1, 0, 0}, {-0.1, 0, 0}, {0, -1, 0}, {0, 0, -1}, {math.NaN(), 0, 0}, {0, math.NaN(), 0}, {0, 0, math.NaN()}} {
		if _, err := optim.NewSGD(nil, bad[0], bad[1], bad[2]); err == nil {
			t.Errorf("NewSGD accepts momentum, decay, clip %v", bad)
		}
	}
	params := groups(tensor.Reference())
	opt, err := optim.NewSGD(params, 0.9, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	setGrad(params[0], []float64{math.NaN(), 1})
	if norm := opt.Step(0.1); !math.IsNaN(norm) || !slices.Equal(params[0].Data(), []float64{2, -3}) {
		t.Errorf("a NaN gradient: norm %v, parameter %v", norm, params[0].Data())
	}
}
