//go:build amd64 && !noasm

package scan

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gophersnake/gophersnake/internal/kernel/isa"
)

// withAVX2 runs f with the AVX2 kernels.
func withAVX2(f func()) {
	defer func(old bool) { isa.UseAVX512 = old }(isa.UseAVX512)
	isa.UseAVX512 = false
	f()
}

func needAVX512(t testing.TB) {
	if !isa.UseAVX512 {
		t.Skip("no AVX-512")
	}
}

// outputs are all arrays that a scan forward and backward writes, by name.
func outputs(p *Selective, g *SelectiveGrad) map[string][]float32 {
	m := map[string][]float32{"Y": p.Y, "HT": p.HT, "Checkpoints": p.Checkpoints,
		"DU": g.DU, "DDelta": g.DDelta, "DDeltaBias": g.DDeltaBias, "DA": g.DA, "DBm": g.DBm, "DCm": g.DCm,
		"DDskip": g.DDskip, "DZ": g.DZ, "DH0": g.DH0,
		"Im.DA": g.Im.DA, "Im.DBm": g.Im.DBm, "Im.DCm": g.Im.DCm, "Im.DH0": g.Im.DH0}
	if p.Im != nil {
		m["Im.HT"] = p.Im.HT
	}
	return m
}

// agree runs the same scan with both instruction sets and compares all bits.
func agree(t *testing.T, name string, make func() (*Selective, *SelectiveGrad)) {
	t.Helper()
	p, g := make()
	q, h := make()
	p.Forward(nil)
	p.Backward(nil, g)
	withAVX2(func() {
		q.Forward(nil)
		q.Backward(nil, h)
	})
	want := outputs(q, h)
	for array, got := range outputs(p, g) {
		sameBits(t, name+": "+array, got, want[array])
	}
}

// randomOptions is one combination of all options.
func randomOptions(r *rand.Rand) options {
	b := func() bool { return r.IntN(2) == 0 }
	return options{softplus: b(), signed: b(), constB: b(), constC: b(),
		static: r.IntN(4) == 0, noBias: b(), noSkip: b(), noGate: r.IntN(3) == 0, noH0: b()}
}

// TestAVX512Selective: every width about a pair of groups, every count of
// states about the kernels' blocks of 8, 4, 2 and 1, lengths about a chunk.
func TestAVX512Selective(t *testing.T) {
	needAVX512(t)
	r := rand.New(rand.NewPCG(5, 12))
	try := func(s Shape, o options) {
		seed := r.Uint64()
		agree(t, fmt.Sprint(s, o), func() (*Selective, *SelectiveGrad) {
			return problem(rand.New(rand.NewPCG(seed, 2)), s, o)
		})
	}
	for _, d := range []int{1, 8, 15, 16, 17, 24, 31, 32, 33, 48, 67} {
		for _, l := range []int{1, 2, 3, 31, 32, 33, 64, 70, 130} {
			try(Shape{1 + r.IntN(3), l, d, 1 + r.IntN(20)}, randomOptions(r))
		}
	}
	for n := 1; n <= 64; n++ {
		try(Shape{1, 1 + r.IntN(70), 16 + r.IntN(33), n}, randomOptions(r))
	}
	for i := range 1 << 9 {
		bit := func(k int) bool { return i>>k&1 != 0 }
		o := options{softplus: bit(0), signed: bit(1), constB: bit(2), constC: bit(3), static: bit(4),
			noBias: bit(5), noSkip: bit(6), noGate: bit(7), noH0: bit(8)}
		if !(o.static && o.noBias) {
			try(Shape{1, 35, 40, 7}, o)
		}
	}
	try(Shape{2, 256, 128, 16}, options{softplus: true}) // several blocks of channels
}

// TestAVX512SelectiveExtremes: infinities, NaN, denormals and values far past
// the clamps of the exponentials.
func TestAVX512SelectiveExtremes(t *testing.T) {
	needAVX512(t)
	odd := []float32{float32(math.Inf(1)), float32(math.Inf(-1)), nan, 0, float32(math.Copysign(0, -1)),
		1e-42, -1e-42, 3e38, -3e38, 1e6, -1e6, 88, -88, 524288, -524289, 1e10}
	r := rand.New(rand.NewPCG(5, 13))
	for range 200 {
		seed, o := r.Uint64(), randomOptions(r)
		s := Shape{1, 1 + r.IntN(40), 16 * (1 + r.IntN(2)), 1 + r.IntN(9)}
		agree(t, fmt.Sprint(s, o, seed), func() (*Selective, *SelectiveGrad) {
			r := rand.New(rand.NewPCG(seed, 3))
			p, g := problem(r, s, o)
			for _, x := range [][]float32{p.U, p.Delta, p.DeltaBias, p.A, p.Bm, p.Cm, p.Dskip, p.Z, p.H0, g.DY, g.DHT} {
				for range r.IntN(3) {
					if len(x) > 0 {
						x[r.IntN(len(x))] = odd[r.IntN(len(odd))]
					}
				}
			}
			return p, g
		})
	}
}

func TestAVX512Complex(t *testing.T) {
	needAVX512(t)
	r := rand.New(rand.NewPCG(5, 14))
	for range 150 {
		seed, o := r.Uint64(), randomOptions(r)
		o.signed = false
		realB, realC := r.IntN(2) == 0, r.IntN(2) == 0
		s := Shape{1 + r.IntN(2), 1 + r.IntN(70), 1 + r.IntN(40), 1 + r.IntN(9)}
		agree(t, fmt.Sprint(s, o, realB, realC), func() (*Selective, *SelectiveGrad) {
			return complexProblem(rand.New(rand.NewPCG(seed, 2)), s, o, realB, realC)
		})
	}
}

func TestAVX512Linear(t *testing.T) {
	needAVX512(t)
	r := rand.New(rand.NewPCG(5, 15))
	eachLinear(func(isComplex, constA, h0 bool) {
		for range 60 {
			b, l, d, seed := 1+r.IntN(3), 1+r.IntN(40), 1+r.IntN(150), r.Uint64()
			make := func() (*Linear, *LinearGrad) {
				return linearProblem(rand.New(rand.NewPCG(seed, 2)), b, l, d, isComplex, constA, h0)
			}
			p, g := make()
			q, h := make()
			p.Forward(nil)
			p.Backward(nil, g)
			withAVX2(func() {
				q.Forward(nil)
				q.Backward(nil, h)
			})
			name := fmt.Sprint(b, l, d, isComplex, constA, h0)
			for i, pair := range [][2][]float32{{p.H, q.H}, {p.HIm, q.HIm}, {g.DX, h.DX}, {g.DXIm, h.DXIm},
				{g.DA, h.DA}, {g.DAIm, h.DAIm}, {g.DH0, h.DH0}, {g.DH0Im, h.DH0Im}} {
				sameBits(t, fmt.Sprint(name, " array ", i), pair[0], pair[1])
			}
		}
	})
}
