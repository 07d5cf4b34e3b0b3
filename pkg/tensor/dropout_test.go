package tensor_test

import (
	"math"
	"slices"
	"testing"

	"github.com/gophersnake/gophersnake/internal/mixertest"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// masks returns the kept elements of k dropouts of n ones in a row.
func masks(d *tensor.Device, seed uint64, p float64, n, k int) [][]float64 {
	ones := make([]float64, n)
	for i := range ones {
		ones[i] = 1
	}
	x, tp := tensor.From(d, ones, n), tensor.NewTape(d)
	tp.SetSeed(seed)
	out := make([][]float64, k)
	for i := range out {
		out[i] = tp.Dropout(p, x).Data()
	}
	return out
}

// TestDropoutStatistics: a share 1−p is kept, within five standard deviations
// of a binomial, and multiplied by 1/(1−p).
func TestDropoutStatistics(t *testing.T) {
	const n = 20000
	for _, d := range mixertest.Devices(t) {
		for _, p := range []float64{0.05, 0.5, 0.9} {
			kept := 0.0
			for _, v := range masks(d, 1, p, n, 1)[0] {
				if v == 0 {
					continue
				}
				kept++
				if math.Abs(v*(1-p)-1) > 4*d.Eps() {
					t.Fatalf("%s: p=%g: a kept element is %v, want 1/(1−p) = %v", d, p, v, 1/(1-p))
				}
			}
			if dev := math.Abs(kept-n*(1-p)) / math.Sqrt(n*p*(1-p)); dev > 5 {
				t.Errorf("%s: p=%g: kept %v of %d, %.1f standard deviations off", d, p, kept, n, dev)
			}
		}
	}
}

// agreement is the share of elements that a and b both keep or both drop.
func agreement(a, b []float64) float64 {
	same := 0.0
	for i := range a {
		if (a[i] == 0) == (b[i] == 0) {
			same++
		}
	}
	return same / float64(len(a))
}

// TestDropoutMasks: the same on all devices and for the same seed; independent,
// also when shifted against each other, for other seeds and for the next
// dropout. Two independent masks of p = 1/2 agree in half of the elements.
func TestDropoutMasks(t *testing.T) {
	const n = 10000
	const tol = 5 * 0.5 / 100 // five standard deviations of the share
	seeds := []uint64{0, 1, 2, 1 << 32, 0x9e3779b97f4a7c15, math.MaxUint64}
	var all [][]float64
	for _, s := range seeds {
		ref := masks(tensor.Reference(), s, 0.5, n, 3)
		for _, d := range mixertest.Devices(t) {
			for i, m := range masks(d, s, 0.5, n, 3) {
				if agreement(m, ref[i]) != 1 {
					t.Errorf("%s: seed %d: mask %d differs from reference", d, s, i)
				}
			}
		}
		all = append(all, ref...)
	}
	for i, a := range all {
		for j, b := range all {
			for shift := range 4 {
				if i == j && shift == 0 {
					continue
				}
				if g := agreement(a[shift:], b[:n-shift]); math.Abs(g-0.5) > tol {
					t.Errorf("masks %d of seed %d and %d of seed %d, shifted by %d, agree in a share of %.3f, want 0.5", i%3, seeds[i/3], j%3, seeds[j/3], shift, g)
				}
			}
		}
	}
}

// TestDropoutOff: without training and with p = 0 it is x itself, and counts
// for no mask. Reset starts again from the seed.
func TestDropoutOff(t *testing.T) {
	for _, d := range mixertest.Devices(t) {
		tp := tensor.NewTape(d)
		x := tensor.From(d, make([]float64, 5), 5)
		tp.SetTraining(false)
		if tp.Dropout(0.5, x) != x {
			t.Errorf("%s: dropout without training is not x", d)
		}
		tp.SetTraining(true)
		if tp.Dropout(0, x) != x {
			t.Errorf("%s: dropout with p = 0 is not x", d)
		}
		y := tensor.From(d, masks(d, 0, 0, 100, 1)[0], 100)
		tp.SetSeed(4)
		first := tp.Dropout(0.5, y).Data()
		second := tp.Dropout(0.5, y).Data()
		tp.Reset()
		if again := tp.Dropout(0.5, y).Data(); !slices.Equal(again, first) || slices.Equal(second, first) {
			t.Errorf("%s: masks do not start again at Reset, or do not change between", d)
		}
		want := masks(d, 4, 0.5, 100, 2)
		if !slices.Equal(first, want[0]) || !slices.Equal(second, want[1]) {
			t.Errorf("%s: dropouts that are off changed the masks that follow", d)
		}
	}
}
