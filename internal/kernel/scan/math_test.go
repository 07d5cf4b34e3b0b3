package scan

import (
	"github.com/gophersnake/gophersnake/internal/kernel/scan/spec"
	"math"
	"testing"
)

// frameOf runs prepare on x, 32 steps of eight values, and returns the frame.
func frameOf(e engine, mode prepareMode, x []float32) []float32 {
	frame := make([]float32, frameSize)
	e.prepare(mode, extent{steps: len(x) / lanes, halves: 1}, frame, plane{filled(len(x), 1), lanes}, plane{x, lanes}, make([]float32, lanes))
	return frame
}

// sweep calls f with every chunk of a fine walk from lo to hi.
func sweep(lo, hi float64, f func(x []float32)) {
	const points = 1 << 17
	for i := 0; i < points; i += chunk * lanes {
		x := make([]float32, chunk*lanes)
		for j := range x {
			x[j] = float32(lo + (hi-lo)*float64(i+j)/points)
		}
		f(x)
	}
}

// TestSoftplusSigmoid: both within 4 roundings (2^-24 each) in relative terms.
func TestSoftplusSigmoid(t *testing.T) {
	const allowed = 2.4e-7
	eachEngine(t, func(t *testing.T, pureGo bool) {
		e := engineFor(pureGo, 1)
		worst := [2]float64{}
		sweep(-87, 100, func(x []float32) {
			frame := frameOf(e, deltaSoftplusSig, x)
			for i, v := range wide(x) {
				row := frame[i/lanes*frameRow:]
				want := math.Max(v, 0) + math.Log1p(math.Exp(-math.Abs(v)))
				worst[0] = math.Max(worst[0], math.Abs(float64(row[spec.Dt+i%lanes])/want-1))
				worst[1] = math.Max(worst[1], math.Abs(float64(row[spec.Sig+i%lanes])/logistic(v)-1))
			}
		})
		t.Logf("softplus %.2g, sigmoid %.2g", worst[0], worst[1])
		if worst[0] > allowed || worst[1] > allowed {
			t.Errorf("relative errors of softplus %.2g and sigmoid %.2g, allowed %.2g", worst[0], worst[1], allowed)
		}
	})
}

// TestDecay: Ā = exp(ΔA), seen as one step of the recurrence from h = 1 with
// u = 0, within 2.2 roundings from underflow to overflow.
func TestDecay(t *testing.T) {
	const allowed = 1.3e-7
	eachEngine(t, func(t *testing.T, pureGo bool) {
		e, worst := engineFor(pureGo, 1), 0.
		one, zero := filled(lanes, 1), make([]float32, lanes)
		sweep(-126, 127, func(x []float32) {
			frame := frameOf(e, deltaRaw, x)
			for i := range x {
				frame[i/lanes*frameRow+spec.DtU+i%lanes] = 0
			}
			for step := range len(x) / lanes {
				h := filled(lanes, 1)
				s := system{n: 1, a: one, b: operand{v: zero, lanes: true}, c: operand{v: one, lanes: true}}
				e.scan(extent{steps: 1, halves: 1}, frame[step*frameRow:], s, h)
				for i := range h {
					want := math.Exp2(float64(x[step*lanes+i]))
					worst = math.Max(worst, math.Abs(float64(h[i])/want-1))
				}
			}
		})
		t.Logf("exp2 %.2g", worst)
		if worst > allowed {
			t.Errorf("relative error %.2g, allowed %.2g", worst, allowed)
		}
	})
}

// TestDecayUnderflow: however negative a finite ΔA is, Ā vanishes.
func TestDecayUnderflow(t *testing.T) {
	eachEngine(t, func(t *testing.T, pureGo bool) {
		e, one := engineFor(pureGo, 1), filled(lanes, 1)
		for z := float32(-126); z > -math.MaxFloat32/1.1; z *= 1.01 {
			frame := frameOf(e, deltaRaw, filled(lanes, z))
			h := filled(lanes, 1)
			zero := operand{v: make([]float32, lanes), lanes: true}
			e.scan(extent{steps: 1, halves: 1}, frame, system{n: 1, a: one, b: zero, c: zero}, h)
			if !(math.Abs(float64(h[3])) < 1e-18) {
				t.Fatalf("2^%g = %g", z, h[3])
			}
		}
	})
}

// TestCosSin: absolute error within 2 roundings of one, for a few turns.
func TestCosSin(t *testing.T) {
	worst := 0.
	sweep(-4, 4, func(x []float32) {
		for _, v := range x {
			c, s := cosSin(v)
			wantS, wantC := math.Sincos(2 * math.Pi * float64(v))
			worst = math.Max(worst, math.Max(math.Abs(float64(c)-wantC), math.Abs(float64(s)-wantS)))
		}
	})
	if worst > 1.2e-7 {
		t.Errorf("error %.2g", worst)
	}
}
