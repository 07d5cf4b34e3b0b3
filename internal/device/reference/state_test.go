package reference

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/gophersnake/gophersnake/internal/device"
)

// stateTol bounds step by step against whole sequence: the same operations in
// the same order, so really 0.
const stateTol = 1e-12

// cuts are the ways to cut a sequence of 7 steps.
var cuts = [][]int{{7}, {1, 1, 1, 1, 1, 1, 1}, {2, 5}, {1, 3, 3}, {5, 1, 1}}

const cutLen = 7

// steps returns time steps lo to hi of x (b,cutLen,d).
func steps(x []float64, b, d, lo, hi int) device.Buf {
	if x == nil {
		return device.Buf{}
	}
	var y []float64
	for i := range b {
		y = append(y, x[(i*cutLen+lo)*d:(i*cutLen+hi)*d]...)
	}
	return buf(y)
}

// paste is the inverse of steps: it writes y (b,hi−lo,d) into x (b,cutLen,d).
func paste(x []float64, y device.Buf, b, d, lo, hi int) {
	for i := range b {
		copy(x[(i*cutLen+lo)*d:(i*cutLen+hi)*d], y.F64[i*(hi-lo)*d:])
	}
}

// sameAtEveryCut runs a sequence in each cut and compares the results with the
// uncut one. start returns a fresh function that computes steps lo to hi into
// out, going on from the state which it left.
func sameAtEveryCut(t *testing.T, name string, n int, start func(out []float64) func(lo, hi int)) {
	t.Run(name, func(t *testing.T) {
		var whole []float64
		for _, cut := range cuts {
			out := dev.Alloc(n).F64
			run, lo := start(out), 0
			for _, k := range cut {
				run(lo, lo+k)
				lo += k
			}
			if whole == nil {
				whole = out
			}
			for i := range out {
				if !(math.Abs(out[i]-whole[i]) <= stateTol*max(1, math.Abs(whole[i]))) {
					t.Fatalf("cut %v: out[%d] is %v, uncut %v", cut, i, out[i], whole[i])
				}
			}
		}
	})
}

func TestStepsConv1D(t *testing.T) {
	const b, d = 2, 3
	r := newRand(20)
	for _, k := range []int{1, 2, 4, 6} {
		x, w, state := random(r, b*cutLen*d), random(r, d*k), random(r, b*(k-1)*d)
		sameAtEveryCut(t, fmt.Sprint("K=", k), b*cutLen*d, func(out []float64) func(lo, hi int) {
			s := buf(slices.Clone(state)) // in and out
			return func(lo, hi int) {
				c := device.Conv1D{B: b, L: hi - lo, D: d, K: k, SiLU: true, X: steps(x, b, d, lo, hi), W: buf(w),
					State: s, StateOut: s, Y: dev.Alloc(b * (hi - lo) * d)}
				dev.Conv1D(&c)
				paste(out, c.Y, b, d, lo, hi)
			}
		})
	}
}

func TestStepsLinearScan(t *testing.T) {
	const b, d = 2, 3
	r := newRand(21)
	a, aIm, x, xIm := random(r, b*cutLen*d), random(r, b*cutLen*d), random(r, b*cutLen*d), random(r, b*cutLen*d)
	h0, h0Im := random(r, b*d), random(r, b*d)
	const n = b * cutLen * d
	sameAtEveryCut(t, "complex", 2*n, func(out []float64) func(lo, hi int) {
		h, hIm := buf(h0), buf(h0Im)
		return func(lo, hi int) {
			s := device.LinearScan{B: b, L: hi - lo, D: d, Varying: true, A: steps(a, b, d, lo, hi), AIm: steps(aIm, b, d, lo, hi),
				X: steps(x, b, d, lo, hi), XIm: steps(xIm, b, d, lo, hi), H0: h, H0Im: hIm}
			s.H, s.HIm = s.X, s.XIm // in place
			dev.LinearScan(&s)
			paste(out[:n], s.H, b, d, lo, hi)
			paste(out[n:], s.HIm, b, d, lo, hi)
			h, hIm = buf(last(s.H, b, hi-lo, d)), buf(last(s.HIm, b, hi-lo, d))
		}
	})
}

func TestStepsSelectiveScan(t *testing.T) {
	for _, k := range scanKinds {
		for mode := range 1 << 8 {
			if !bit(mode, 2) && !bit(mode, 3) || !bit(mode, 7) { // no Δ, or no state to begin with
				continue
			}
			whole, in := newSelectiveScan(k, mode, cutLen, 3)
			b, d, n := whole.B, whole.D, whole.N
			width := make([]int, len(in)) // of the inputs that vary with t
			width[0], width[1], width[10] = d, d, d
			if whole.BVarying {
				width[5], width[6] = n, n
			}
			if whole.CVarying {
				width[7], width[8] = n, n
			}
			sameAtEveryCut(t, fmt.Sprintf("%s,%b", k.name, mode), b*cutLen*d, func(out []float64) func(lo, hi int) {
				h, hIm := buf(slices.Clone(whole.H0.F64)), buf(slices.Clone(whole.H0Im.F64))
				return func(lo, hi int) {
					part := make([]device.Buf, len(in))
					for i := range in {
						part[i] = buf(in[i].x)
						if width[i] > 0 {
							part[i] = steps(in[i].x, b, width[i], lo, hi)
						}
					}
					s := withInputs(whole, part)
					s.L, s.Y = hi-lo, dev.Alloc(b*(hi-lo)*d)
					s.H0, s.HT, s.H0Im, s.HTIm = h, h, hIm, hIm
					dev.SelectiveScan(&s)
					paste(out, s.Y, b, d, lo, hi)
				}
			})
		}
	}
}

func TestStepsRecurrent(t *testing.T) {
	const b, h = 2, 3
	r := newRand(22)
	x, w, bias, h0, c0 := random(r, b*cutLen*4*h), random(r, 4*h*h), random(r, 3*h), random(r, b*h), random(r, b*h)
	const n = b * cutLen * h
	for _, linear := range []bool{false, true} {
		sameAtEveryCut(t, fmt.Sprint("Elman,linear=", linear), n, func(out []float64) func(lo, hi int) {
			s := buf(h0)
			return func(lo, hi int) {
				e := device.Elman{B: b, L: hi - lo, H: h, Linear: linear, X: steps(x[:n], b, h, lo, hi), W: buf(w[:h*h]), H0: s}
				e.Out = e.X // in place
				dev.Elman(&e)
				paste(out, e.Out, b, h, lo, hi)
				s = buf(last(e.Out, b, hi-lo, h))
			}
		})
	}
	sameAtEveryCut(t, "GRU", n, func(out []float64) func(lo, hi int) {
		s := buf(h0)
		return func(lo, hi int) {
			g := device.GRU{B: b, L: hi - lo, H: h, X: steps(x[:3*n], b, 3*h, lo, hi), W: buf(w[:3*h*h]), Bias: buf(bias), H0: s,
				Out: dev.Alloc(b * (hi - lo) * h)}
			dev.GRU(&g)
			paste(out, g.Out, b, h, lo, hi)
			s = buf(last(g.Out, b, hi-lo, h))
		}
	})
	sameAtEveryCut(t, "LSTM", 2*n, func(out []float64) func(lo, hi int) {
		s, c := buf(h0), buf(c0)
		return func(lo, hi int) {
			m := device.LSTM{B: b, L: hi - lo, H: h, X: steps(x, b, 4*h, lo, hi), W: buf(w), H0: s, C0: c,
				Out: dev.Alloc(b * (hi - lo) * h), C: dev.Alloc(b * (hi - lo) * h)}
			dev.LSTM(&m)
			paste(out[:n], m.Out, b, h, lo, hi)
			paste(out[n:], m.C, b, h, lo, hi)
			s, c = buf(last(m.Out, b, hi-lo, h)), buf(last(m.C, b, hi-lo, h))
		}
	})
}

// TestStepsAttention fills a cache with room for more steps than there are; what
// lies behind the filled part is NaN.
func TestStepsAttention(t *testing.T) {
	const b, h, dh = 2, 2, 4
	const d, stride = h * dh, (cutLen+2)*h*dh + 3
	r := newRand(23)
	q, k, v := random(r, b*cutLen*d), random(r, b*cutLen*d), random(r, b*cutLen*d)
	sameAtEveryCut(t, "cache", b*cutLen*d, func(out []float64) func(lo, hi int) {
		kc, vc := dev.Alloc(b*stride), dev.Alloc(b*stride)
		return func(lo, hi int) {
			l := hi - lo
			rot := device.Rotary{B: b, L: l, H: h, Dh: dh, Offset: lo, Base: 10000}
			qs, ks := steps(q, b, d, lo, hi), steps(k, b, d, lo, hi)
			dev.Rotary(rot, qs, qs, false, false)
			dev.Rotary(rot, ks, ks, false, false)
			dev.CopyBlock(b, l*d, ks, 0, l*d, kc, lo*d, stride, false)
			dev.CopyBlock(b, l*d, steps(v, b, d, lo, hi), 0, l*d, vc, lo*d, stride, false)
			a := device.Attention{B: b, Lq: l, Lk: hi, H: h, Dh: dh, Q: qs, K: kc, V: vc, KVStride: stride, Y: dev.Alloc(b * l * d)}
			dev.Attention(&a)
			paste(out, a.Y, b, d, lo, hi)
		}
	})
}

// TestStateOutShort: fewer new inputs than K−1 leave old ones in the state.
func TestStateOutShort(t *testing.T) {
	c := device.Conv1D{B: 1, L: 1, D: 1, K: 4, X: buf([]float64{9}), W: buf(make([]float64, 4)), State: buf([]float64{1, 2, 3}),
		Y: dev.Alloc(1), StateOut: dev.Alloc(3)}
	dev.Conv1D(&c)
	if want := []float64{2, 3, 9}; !slices.Equal(c.StateOut.F64, want) {
		t.Errorf("state is %v, want %v", c.StateOut.F64, want)
	}
}

// TestSelectiveScanGradAfterHTOverwroteH0: the gradient reads states from Saved,
// so HT may be H0 in training too.
func TestSelectiveScanGradAfterHTOverwroteH0(t *testing.T) {
	grads := func(alias bool) []float64 {
		s, in := newSelectiveScan(scanKinds[5], 255, 4, 3)
		var b []device.Buf
		for _, v := range in {
			b = append(b, buf(v.x))
		}
		s = withInputs(s, b)
		s.Y = dev.Alloc(s.B * s.L * s.D)
		s.HT, s.HTIm = s.H0, s.H0Im
		if !alias {
			s.HT, s.HTIm = device.Buf{}, device.Buf{}
		}
		s.Saved = dev.Alloc(dev.SelectiveScanSaved(&s))
		dev.SelectiveScan(&s)
		da := zeros(s.A)
		dev.SelectiveScanGrad(&s, &device.SelectiveScanGrad{DY: buf(constant(s.Y.Len(), 1)), DA: da})
		return da.F64
	}
	if got, want := grads(true), grads(false); !slices.Equal(got, want) {
		t.Errorf("dA is %v, want %v", got, want)
	}
}
