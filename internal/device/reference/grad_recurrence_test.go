package reference

import (
	"fmt"
	"math"
	"math/bits"

	"github.com/gophersnake/gophersnake/internal/device"
)

// bit reports whether bit i of mode is set; a mode counts through all switches.
func bit(mode, i int) bool { return mode>>i&1 != 0 }

// when returns x if on, and nil, an absent input, otherwise.
func when(on bool, x []float64) []float64 {
	if on {
		return x
	}
	return nil
}

// negative returns −|x| − 0.1, a decay rate.
func negative(x []float64) []float64 {
	for i := range x {
		x[i] = -math.Abs(x[i]) - 0.1
	}
	return x
}

func linearScanCases() (cases []gradCase) {
	const b, ch = 2, 3
	r := newRand(10)
	for _, l := range []int{1, 5} {
		for mode := range 8 {
			cplx, varying, state := bit(mode, 0), bit(mode, 1), bit(mode, 2)
			s := device.LinearScan{B: b, L: l, D: ch, Varying: varying}
			if state {
				s.H0, s.H0Im = buf(random(r, b*ch)), buf(when(cplx, random(r, b*ch)))
			}
			na := ch
			if varying {
				na = b * l * ch
			}
			in := []input{{"a", random(r, na)}, {"aIm", when(cplx, random(r, na))},
				{"x", random(r, b*l*ch)}, {"xIm", when(cplx, random(r, b*l*ch))}}
			name := fmt.Sprintf("L=%d,complex=%t,varying=%t,state=%t", l, cplx, varying, state)
			cases = append(cases, gradCase{"LinearScanGrad", name, in, linearScanCase(s, cplx)})
		}
	}
	return cases
}

func linearScanCase(s device.LinearScan, cplx bool) func(in []device.Buf, dy device.Buf, d []device.Buf) device.Buf {
	n := s.B * s.L * s.D
	return func(in []device.Buf, dy device.Buf, d []device.Buf) device.Buf {
		s := s
		s.A, s.AIm, s.X, s.XIm = in[0], in[1], in[2], in[3]
		y := dev.Alloc(n)
		s.H = y
		if cplx {
			y = dev.Alloc(2 * n)
			s.H, s.HIm = y.Slice(0, n), y.Slice(n, 2*n)
		}
		dev.LinearScan(&s)
		if !dy.IsNil() {
			g := device.LinearScanGrad{DH: dy.Slice(0, n), DA: d[0], DAIm: d[1], DX: d[2], DXIm: d[3]}
			if cplx {
				g.DHIm = dy.Slice(n, 2*n)
			}
			dev.LinearScanGrad(&s, &g)
		}
		return y
	}
}

// scanKind says which of A, B and C are complex.
type scanKind struct {
	name       string
	signed     bool
	a, bm, cm  bool
	deltaShift float64 // added to DeltaBias
	scaleA     float64
	l          int // length of the long sequences
}

var scanKinds = []scanKind{
	{name: "real", scaleA: 1, l: 4},
	{name: "signed", signed: true, scaleA: 1, l: 4},
	{name: "A", a: true, scaleA: 1, l: 4},
	{name: "AB", a: true, bm: true, scaleA: 1, l: 4},
	{name: "AC", a: true, cm: true, scaleA: 1, l: 4},
	{name: "ABC", a: true, bm: true, cm: true, scaleA: 1, l: 4},
	// Δ about 25, where softplus is the identity. Two steps, since the error of
	// a difference along A grows as (LΔ)⁴.
	{name: "large", deltaShift: 25, scaleA: 0.01, l: 2},
}

// selectiveScanCases is the whole product of kinds and switches.
func selectiveScanCases() (cases []gradCase) {
	for _, k := range scanKinds {
		for mode := range 1 << 8 {
			if !bit(mode, 2) && !bit(mode, 3) { // neither delta nor its bias
				continue
			}
			for _, l := range []int{1, k.l} {
				s, in := newSelectiveScan(k, mode, l, 1+2*(bits.OnesCount(uint(mode))%2)) // N = 1 or 3
				name := fmt.Sprintf("%s,L=%d,N=%d,varyB=%t,varyC=%t,delta=%t,bias=%t,softplus=%t,skip=%t,gate=%t,state=%t", k.name, s.L, s.N,
					s.BVarying, s.CVarying, bit(mode, 2), bit(mode, 3), s.Softplus, bit(mode, 5), bit(mode, 6), bit(mode, 7))
				cases = append(cases, gradCase{"SelectiveScanGrad", name, in, selectiveScanCase(s)})
			}
		}
	}
	return cases
}

// newSelectiveScan returns a scan of kind k without its inputs, and its inputs;
// the bits of mode are varying B, varying C, delta, bias, softplus, Dskip, z, h0.
func newSelectiveScan(k scanKind, mode, l, n int) (device.SelectiveScan, []input) {
	const b, ch = 2, 3
	r := newRand(uint64(mode))
	s := device.SelectiveScan{B: b, L: l, D: ch, N: n, Signed: k.signed,
		BVarying: bit(mode, 0), CVarying: bit(mode, 1), Softplus: bit(mode, 4)}
	if bit(mode, 7) {
		s.H0, s.H0Im = buf(random(r, b*ch*n)), buf(when(k.a, random(r, b*ch*n)))
	}
	size := func(varying bool) int {
		if varying {
			return b * l * n
		}
		return ch * n
	}
	nb, nc := size(s.BVarying), size(s.CVarying)
	in := []input{
		{"u", random(r, b*l*ch)},
		{"delta", when(bit(mode, 2), random(r, b*l*ch))},
		{"deltaBias", when(bit(mode, 3), random(r, ch))},
		{"A", negative(random(r, ch*n))}, {"AIm", when(k.a, random(r, ch*n))},
		{"B", random(r, nb)}, {"BIm", when(k.bm, random(r, nb))},
		{"C", random(r, nc)}, {"CIm", when(k.cm, random(r, nc))},
		{"Dskip", when(bit(mode, 5), random(r, ch))},
		{"z", when(bit(mode, 6), random(r, b*l*ch))},
	}
	if !s.Softplus { // a step is positive, as softplus would make it
		for _, d := range in[1:3] {
			for i := range d.x {
				d.x[i] = math.Abs(d.x[i]) / 2
			}
		}
	}
	shifted := in[2].x
	if shifted == nil {
		shifted = in[1].x
	}
	for i := range shifted {
		shifted[i] += k.deltaShift
	}
	for i := range in[3].x {
		in[3].x[i] *= k.scaleA
	}
	return s, in
}

// withInputs returns s with the inputs in the order of newSelectiveScan.
func withInputs(s device.SelectiveScan, in []device.Buf) device.SelectiveScan {
	s.U, s.Delta, s.DeltaBias, s.A, s.AIm, s.Bm, s.BIm, s.Cm, s.CIm, s.Dskip, s.Z =
		in[0], in[1], in[2], in[3], in[4], in[5], in[6], in[7], in[8], in[9], in[10]
	return s
}

func selectiveScanCase(s device.SelectiveScan) func(in []device.Buf, dy device.Buf, d []device.Buf) device.Buf {
	return func(in []device.Buf, dy device.Buf, d []device.Buf) device.Buf {
		s := withInputs(s, in)
		s.Y = dev.Alloc(s.B * s.L * s.D)
		if dy.IsNil() {
			dev.SelectiveScan(&s)
			return s.Y
		}
		s.Saved = dev.Alloc(dev.SelectiveScanSaved(&s))
		dev.SelectiveScan(&s)
		dev.SelectiveScanGrad(&s, &device.SelectiveScanGrad{DY: dy, DU: d[0], DDelta: d[1], DDeltaBias: d[2],
			DA: d[3], DAIm: d[4], DB: d[5], DBIm: d[6], DC: d[7], DCIm: d[8], DDskip: d[9], DZ: d[10]})
		return s.Y
	}
}

// recurrentSizes are the (L, H) of the dense recurrences.
var recurrentSizes = [][2]int{{1, 1}, {1, 3}, {5, 1}, {5, 3}}

func elmanCases() (cases []gradCase) {
	const b = 2
	r := newRand(11)
	for _, s := range recurrentSizes {
		for mode := range 4 {
			l, h := s[0], s[1]
			e := device.Elman{B: b, L: l, H: h, Linear: bit(mode, 0), H0: buf(when(bit(mode, 1), random(r, b*h)))}
			in := []input{{"x", random(r, b*l*h)}, {"w", random(r, h*h)}}
			cases = append(cases, gradCase{"ElmanGrad", fmt.Sprintf("L=%d,H=%d,linear=%t,state=%t", l, h, e.Linear, bit(mode, 1)), in,
				func(in []device.Buf, dy device.Buf, d []device.Buf) device.Buf {
					e := e
					e.X, e.W, e.Out = in[0], in[1], dev.Alloc(b*l*h)
					dev.Elman(&e)
					if !dy.IsNil() {
						dev.ElmanGrad(&e, dy, d[0], d[1])
					}
					return e.Out
				}})
		}
	}
	return cases
}

func gruCases() (cases []gradCase) {
	const b = 2
	r := newRand(12)
	for _, s := range recurrentSizes {
		for mode := range 4 {
			l, h := s[0], s[1]
			g := device.GRU{B: b, L: l, H: h, H0: buf(when(bit(mode, 0), random(r, b*h)))}
			in := []input{{"x", random(r, b*l*3*h)}, {"w", random(r, 3*h*h)}, {"bias", when(bit(mode, 1), random(r, 3*h))}}
			cases = append(cases, gradCase{"GRUGrad", fmt.Sprintf("L=%d,H=%d,state=%t,bias=%t", l, h, bit(mode, 0), bit(mode, 1)), in,
				func(in []device.Buf, dy device.Buf, d []device.Buf) device.Buf {
					g := g
					g.X, g.W, g.Bias, g.Out = in[0], in[1], in[2], dev.Alloc(b*l*h)
					if !dy.IsNil() {
						g.Saved = dev.Alloc(b * l * 4 * h)
					}
					dev.GRU(&g)
					if !dy.IsNil() {
						dev.GRUGrad(&g, dy, d[0], d[1], d[2])
					}
					return g.Out
				}})
		}
	}
	return cases
}

func lstmCases() (cases []gradCase) {
	const b = 2
	r := newRand(13)
	for _, s := range recurrentSizes {
		for mode := range 4 {
			l, h := s[0], s[1]
			m := device.LSTM{B: b, L: l, H: h, H0: buf(when(bit(mode, 0), random(r, b*h))), C0: buf(when(bit(mode, 1), random(r, b*h)))}
			in := []input{{"x", random(r, b*l*4*h)}, {"w", random(r, 4*h*h)}}
			cases = append(cases, gradCase{"LSTMGrad", fmt.Sprintf("L=%d,H=%d,h0=%t,c0=%t", l, h, bit(mode, 0), bit(mode, 1)), in,
				func(in []device.Buf, dy device.Buf, d []device.Buf) device.Buf {
					m := m
					m.X, m.W, m.Out, m.C = in[0], in[1], dev.Alloc(b*l*h), dev.Alloc(b*l*h)
					if !dy.IsNil() {
						m.Saved = dev.Alloc(b * l * 4 * h)
					}
					dev.LSTM(&m)
					if !dy.IsNil() {
						dev.LSTMGrad(&m, dy, d[0], d[1])
					}
					return m.Out
				}})
		}
	}
	return cases
}
