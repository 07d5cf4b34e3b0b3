package scan

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// A Stepper has the bits of Forward, step after step, and allocates nothing.
func TestStepperIsForward(t *testing.T) {
	for _, signed := range []bool{false, true} {
		for _, d := range []int{3, 8, 300} {
			const b, n = 2, 5
			r := rand.New(rand.NewPCG(1, 2))
			random := func(n int) []float32 {
				x := make([]float32, n)
				for i := range x {
					x[i] = float32(r.NormFloat64())
				}
				return x
			}
			a := random(d * n)
			for i, v := range a {
				a[i] = -v * v
			}
			s := &Selective{Shape: Shape{B: b, L: 1, D: d, N: n}, Softplus: true, Signed: signed,
				U: random(b * d), Delta: random(b * d), DeltaBias: random(d), A: a, Bm: random(b * n), Cm: random(b * n),
				Dskip: random(d), Z: random(b * d), Y: make([]float32, b*d), HT: random(b * d * n)}
			s.H0 = s.HT
			twin := *s
			twin.Y, twin.HT = make([]float32, b*d), slices.Clone(s.HT)
			twin.H0 = twin.HT
			stepper := NewStepper(&twin)
			for step := range 3 {
				s.Forward(nil)
				stepper.Step(1, 0, d)
				stepper.Step(0, 0, d)
				if !slices.Equal(s.Y, twin.Y) || !slices.Equal(s.HT, twin.HT) {
					t.Fatalf("signed %t, D %d, step %d: another result than Forward's", signed, d, step)
				}
			}
			if got := testing.AllocsPerRun(5, func() { stepper.Step(0, 0, d) }); got != 0 {
				t.Errorf("a step allocates %v times, want 0", got)
			}
		}
	}
}

func TestNewStepperPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("two steps are accepted")
		}
	}()
	x := make([]float32, 2)
	NewStepper(&Selective{Shape: Shape{B: 1, L: 2, D: 1, N: 1}, U: x, Delta: x, A: x[:1], Bm: x, Cm: x, Y: x, HT: x[:1]})
}

func TestLinearStepperIsForward(t *testing.T) {
	for _, d := range []int{3, 8, 300} {
		const b = 2
		r := rand.New(rand.NewPCG(1, 2))
		random := func(n int) []float32 {
			x := make([]float32, n)
			for i := range x {
				x[i] = float32(r.NormFloat64())
			}
			return x
		}
		l := &Linear{B: b, L: 1, D: d, ConstA: true, A: random(d), AIm: random(d), X: random(b * d), XIm: random(b * d),
			H0: random(b * d), H0Im: random(b * d), H: make([]float32, b*d), HIm: make([]float32, b*d)}
		twin := *l
		twin.H, twin.HIm = make([]float32, b*d), make([]float32, b*d)
		l.Forward(nil)
		stepper := NewLinearStepper(&twin)
		stepper.Step(0, 0, d)
		stepper.Step(1, 0, d)
		if !slices.Equal(l.H, twin.H) || !slices.Equal(l.HIm, twin.HIm) {
			t.Fatalf("D %d: another result than Forward's", d)
		}
		if got := testing.AllocsPerRun(5, func() { stepper.Step(0, 0, d) }); got != 0 {
			t.Errorf("a step allocates %v times, want 0", got)
		}
	}
}
