//go:build amd64 && !noasm

package fused

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/gophersnake/gophersnake/internal/kernel/isa"
	"github.com/gophersnake/gophersnake/internal/kernel/vec"
)

// convCase are the arrays of one convolution. In x, dy and dx, step t is
// row t+3, of step floats.
type convCase struct {
	channels, steps, step       int
	w, bias, x, dy, y, dx, sums []float32
}

func newConvCase(channels, steps int) *convCase {
	rng := rand.New(rand.NewPCG(uint64(channels), uint64(steps)))
	uniform := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = 6*rng.Float32() - 3
		}
		return x
	}
	c := &convCase{channels: channels, steps: steps, step: channels + 3}
	rows := (steps + Taps - 1) * c.step
	c.w, c.bias = uniform(channels*Taps), uniform(channels)
	c.x, c.dy, c.dx, c.y = uniform(rows), uniform(rows), uniform(rows), uniform(rows)
	c.sums = uniform((Taps + 1) * channels)
	return c
}

// at is the row of step t.
func (c *convCase) at(x []float32, t int) []float32 { return x[(t+Taps-1)*c.step:] }

// calls is the convolution by calls of package vec.
func (c *convCase) calls(silu bool) {
	n := c.channels
	clear(c.sums)
	s, slope := make([]float32, n), make([]float32, n)
	w := make([][]float32, Taps)
	for j := range w {
		w[j] = make([]float32, n)
		for i := range n {
			w[j][i] = c.w[i*Taps+j]
		}
	}
	past := make([][]float32, Taps)
	for j := range past {
		past[j] = make([]float32, n)
	}
	for t := range c.steps {
		copy(s, c.bias)
		for j := range Taps {
			vec.MulAdd(s, w[j], c.at(c.x, t-Taps+1+j)[:n])
		}
		d := make([]float32, n)
		vec.SiLUGrad(d, s, c.at(c.dy, t)[:n])
		past = append(past[1:], d)
		for j := range Taps {
			vec.MulAdd(c.sums[j*n:][:n], d, c.at(c.x, t-Taps+1+j)[:n])
			vec.MulAdd(c.at(c.dx, t-Taps+1)[:n], w[Taps-1-j], past[j])
		}
		vec.AddTo(c.sums[Taps*n:][:n], d)
		copy(slope, s)
		if silu {
			vec.SiLU(slope, slope)
		}
		copy(c.at(c.y, t)[:n], slope)
	}
}

// walk is the same by a Conv that takes a few steps at a time.
func (c *convCase) walk(silu bool, atATime int) {
	forward := NewConv(c.channels, c.w, c.bias, make([]float32, ConvState(c.channels)))
	for lag := 1; lag < Taps; lag++ {
		forward.Saw(lag, c.at(c.x, -lag))
	}
	gradient := forward.CopyTo(make([]float32, ConvState(c.channels)))
	for t := 0; t < c.steps; t += atATime {
		n := min(atATime, c.steps-t)
		forward.Forward(silu, n, c.step, 0, c.at(c.y, t), c.at(c.x, t))
		gradient.Gradient(n, c.step, 64, c.at(c.dx, t-Taps+1), c.at(c.dy, t), c.at(c.x, t))
	}
	gradient.Sums(c.sums)
}

// TestConv: a Conv has the bits of package vec's functions, with either
// instruction set, and however its steps are cut.
func TestConv(t *testing.T) {
	if !HasConv() {
		t.Skip("no AVX2")
	}
	defer func(wide bool) { isa.UseAVX512 = wide }(isa.UseAVX512)
	wide := isa.UseAVX512
	for _, channels := range []int{1, 7, 8, 15, 16, 17, 40, 64} {
		for _, steps := range []int{1, 2, 3, 4, 9, 33} {
			for _, silu := range []bool{false, true} {
				want := newConvCase(channels, steps)
				want.calls(silu)
				for _, isa.UseAVX512 = range []bool{false, wide} {
					for _, atATime := range []int{1, 5, steps} {
						got := newConvCase(channels, steps)
						got.walk(silu, atATime)
						if err := got.equal(want); err != nil {
							t.Errorf("%d channels, %d steps, %d at a time, SiLU %v, AVX-512 %v: %v",
								channels, steps, atATime, silu, isa.UseAVX512, err)
						}
					}
				}
			}
		}
	}
}

func (c *convCase) equal(want *convCase) error {
	for _, a := range []struct {
		name      string
		got, want []float32
	}{{"y", c.y, want.y}, {"dx", c.dx, want.dx}, {"sums", c.sums, want.sums}} {
		for i, v := range a.got {
			if v != a.want[i] {
				return fmt.Errorf("%s: element %d is %v, want %v", a.name, i, v, a.want[i])
			}
		}
	}
	return nil
}

// TestConvWeightGradient: without dx, the sums are the same.
func TestConvWeightGradient(t *testing.T) {
	if !HasConv() {
		t.Skip("no AVX2")
	}
	defer func(wide bool) { isa.UseAVX512 = wide }(isa.UseAVX512)
	for _, isa.UseAVX512 = range []bool{false, isa.UseAVX512} {
		c := newConvCase(21, 13)
		want := make([]float32, len(c.sums))
		for _, dx := range [][]float32{c.dx, nil} {
			k := NewConv(c.channels, c.w, nil, make([]float32, ConvState(c.channels)))
			k.Gradient(c.steps, c.step, 0, dx, c.at(c.dy, 0), c.at(c.x, 0))
			k.Sums(c.sums)
			if dx != nil {
				copy(want, c.sums)
			}
		}
		for i, v := range c.sums {
			if v != want[i] || v == 0 {
				t.Fatalf("AVX-512 %v: sum %d is %v without dx, %v with it, want them equal and not 0", isa.UseAVX512, i, v, want[i])
			}
		}
	}
}

// TestConvShort: a slice that is too short panics before the assembly runs.
func TestConvShort(t *testing.T) {
	if !HasConv() {
		t.Skip("no AVX2")
	}
	c := newConvCase(20, 5)
	k := NewConv(c.channels, c.w, c.bias, make([]float32, ConvState(c.channels)))
	whole := 4*c.step + c.channels
	for i := range 3 {
		n := [3]int{whole, whole, whole}
		n[i]--
		if i < 2 && !panics(func() { k.Forward(true, 5, c.step, 0, c.y[:n[0]:n[0]], c.x[:n[1]:n[1]]) }) {
			t.Errorf("Forward does not panic when slice %d is too short", i)
		}
		if !panics(func() { k.Gradient(5, c.step, 0, c.dx[:n[0]:n[0]], c.dy[:n[1]:n[1]], c.x[:n[2]:n[2]]) }) {
			t.Errorf("Gradient does not panic when slice %d is too short", i)
		}
	}
}
