package scan

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
)

// options are the optional inputs and modes of a Selective.
type options struct {
	softplus, signed, constB, constC     bool
	static, noBias, noSkip, noGate, noH0 bool
}

func (o options) String() string {
	s := ""
	for _, f := range []struct {
		on   bool
		name string
	}{{o.softplus, "softplus"}, {o.signed, "signed"}, {o.constB, "constB"}, {o.constC, "constC"}, {o.static, "static"},
		{o.noBias, "noBias"}, {o.noSkip, "noSkip"}, {o.noGate, "noGate"}, {o.noH0, "noH0"}} {
		if f.on {
			s += "," + f.name
		}
	}
	return s
}

// problem is a Selective with random inputs as at a Mamba layer's start, NaN
// in all that Forward must overwrite, and gradients that start at one.
func problem(r *rand.Rand, s Shape, o options) (*Selective, *SelectiveGrad) {
	bld, bdn, dn := s.B*s.L*s.D, s.B*s.D*s.N, s.D*s.N
	p := &Selective{Shape: s, Softplus: o.softplus, Signed: o.signed, ConstB: o.constB, ConstC: o.constC,
		U: normal(r, bld), Delta: normal(r, bld), DeltaBias: normal(r, s.D), A: normal(r, dn),
		Bm: normal(r, s.B*s.L*s.N), Cm: normal(r, s.B*s.L*s.N),
		Dskip: normal(r, s.D), Z: normal(r, bld), H0: normal(r, bdn),
		Y: filled(bld, nan), HT: filled(bdn, nan), Checkpoints: filled(Checkpoints(s.B, s.L, s.D, s.N), nan),
	}
	for i, v := range p.A {
		p.A[i] = -.1 - 4*abs32(v)
	}
	if !o.softplus {
		for i, v := range p.Delta {
			p.Delta[i] = abs32(v) / 4
		}
		for i, v := range p.DeltaBias {
			p.DeltaBias[i] = abs32(v) / 4
		}
	}
	g := &SelectiveGrad{DY: normal(r, bld), DHT: normal(r, bdn), DU: filled(bld, 1), DDelta: filled(bld, 1),
		DDeltaBias: filled(s.D, 1), DA: filled(dn, 1), DBm: filled(s.B*s.L*s.N, 1), DCm: filled(s.B*s.L*s.N, 1),
		DDskip: filled(s.D, 1), DZ: filled(bld, 1), DH0: filled(bdn, 1)}
	o.drop(r, p, g)
	return p, g
}

// drop removes what the options do not have.
func (o options) drop(r *rand.Rand, p *Selective, g *SelectiveGrad) {
	dn := p.D * p.N
	if o.constB {
		p.Bm, g.DBm = normal(r, dn), filled(dn, 1)
	}
	if o.constC {
		p.Cm, g.DCm = normal(r, dn), filled(dn, 1)
	}
	if o.static {
		p.Delta, g.DDelta = nil, nil
	} else if o.noBias {
		p.DeltaBias = nil
	}
	if o.noSkip {
		p.Dskip = nil
	}
	if o.noGate {
		p.Z, g.DZ = nil, nil
	}
	if o.noH0 {
		p.H0, g.DHT = nil, nil
	}
}

// Tolerances, relative to the largest value of an array. An output or the
// gradient of one step has few terms: 80 float32 roundings. A parameter's
// gradient sums some hundred terms of either sign, whose roundings add up while
// the terms cancel.
const (
	stepTolerance  = 5e-6
	paramTolerance = 3e-5
)

// checkSelective compares outputs and gradients with the naive float64 scan.
func checkSelective(t *testing.T, p *Selective, g *SelectiveGrad, run Runner) {
	t.Helper()
	p.Forward(run)
	p.Backward(run, g)
	want := reference(p).run(wide(g.DY), wide(g.DHT))
	near(t, "Y", p.Y, want.y, stepTolerance)
	near(t, "HT", p.HT, want.hT, stepTolerance)
	for _, c := range []struct {
		name string
		got  []float32
		want []float64
	}{
		{"DU", g.DU, want.du}, {"DDelta", g.DDelta, want.ddelta}, {"DDeltaBias", g.DDeltaBias, want.dbias},
		{"DA", g.DA, want.da}, {"DBm", g.DBm, want.dbm}, {"DCm", g.DCm, want.dcm},
		{"DDskip", g.DDskip, want.ddskip}, {"DZ", g.DZ, want.dz}, {"DH0", g.DH0, want.dh0},
	} {
		if c.got == nil {
			continue
		}
		for i := range c.want { // the gradients started at one
			c.want[i]++
		}
		near(t, c.name, c.got, c.want, allowed(c.name, want))
	}
}

// allowed is the tolerance of a gradient. DDeltaBias may cancel to far less
// than its terms, DDelta, and can be no more precise than they are.
func allowed(name string, want trace) float64 {
	switch name {
	case "DDeltaBias":
		return paramTolerance * math.Max(1, largest(want.ddelta)/largest(want.dbias))
	case "DA", "DDskip", "DBm", "DCm":
		return paramTolerance
	}
	return stepTolerance
}

// TestSelectiveShapes walks odd lengths, widths and state counts.
func TestSelectiveShapes(t *testing.T) {
	eachEngine(t, func(t *testing.T, pureGo bool) {
		r := rand.New(rand.NewPCG(1, 2))
		for _, l := range []int{1, 2, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100} {
			for _, d := range []int{1, 7, 8, 9, 16, 24} {
				for _, n := range []int{1, 2, 3, 8, 16, 17, 64} {
					s := Shape{1 + r.IntN(3), l, d, n}
					o := options{softplus: r.IntN(4) > 0, constB: r.IntN(4) == 0, constC: r.IntN(4) == 0, signed: r.IntN(4) == 0}
					p, g := problem(r, s, o)
					p.pureGo = pureGo
					checkSelective(t, p, g, nil)
					if t.Failed() {
						t.Fatalf("at %+v %v", s, o)
					}
				}
			}
		}
	})
}

// TestSelectiveOptions walks all combinations of modes and missing inputs.
func TestSelectiveOptions(t *testing.T) {
	eachEngine(t, func(t *testing.T, pureGo bool) {
		r := rand.New(rand.NewPCG(3, 4))
		for i := range 1 << 9 {
			bit := func(k int) bool { return i>>k&1 != 0 }
			o := options{bit(0), bit(1), bit(2), bit(3), bit(4), bit(5), bit(6), bit(7), bit(8)}
			p, g := problem(r, Shape{2, 19, 11, 5}, o)
			p.pureGo = pureGo
			checkSelective(t, p, g, nil)
			if t.Failed() {
				t.Fatalf("at %v", o)
			}
		}
	})
}

// TestSelectiveUnwanted leaves out each gradient in turn and all outputs that
// may be nil: the others must not change by a bit.
func TestSelectiveUnwanted(t *testing.T) {
	eachEngine(t, func(t *testing.T, pureGo bool) {
		fields := func(g *SelectiveGrad) []*[]float32 {
			return []*[]float32{&g.DU, &g.DDelta, &g.DDeltaBias, &g.DA, &g.DBm, &g.DCm, &g.DDskip, &g.DZ, &g.DH0}
		}
		build := func() (*Selective, *SelectiveGrad) {
			p, g := problem(rand.New(rand.NewPCG(5, 6)), Shape{1, 130, 1030, 3}, options{softplus: true})
			p.pureGo = pureGo
			p.Forward(nil)
			return p, g
		}
		p, all := build()
		p.Backward(nil, all)
		if p.blocks() < 2 {
			t.Fatal("want a shape with several blocks")
		}
		for i := range fields(all) {
			q, g := build()
			*fields(g)[i] = nil
			q.HT, q.Y = nil, filled(len(q.Y), nan)
			q.Backward(nil, g)
			for j, f := range fields(g) {
				if j != i {
					sameBits(t, fmt.Sprintf("without %d, gradient %d", i, j), *f, *fields(all)[j])
				}
			}
		}
		q, _ := build()
		y := q.Y
		q.HT, q.Checkpoints, q.Y = nil, nil, filled(len(y), nan)
		q.Forward(nil)
		sameBits(t, "Y without HT and Checkpoints", q.Y, y)
	})
}

// TestSelectiveExtremes: step sizes that vanish or that underflow exp, A = 0.
func TestSelectiveExtremes(t *testing.T) {
	eachEngine(t, func(t *testing.T, pureGo bool) {
		for _, c := range []struct {
			name           string
			delta, bias, a float32
		}{
			{"tiny step", 0, -60, -1}, {"small step", 0, -12, -1}, {"underflow", 1e4, 0, -50}, {"mixed", 30, -10, -8},
			{"zero A", 1, 0, 0}, {"subnormal decay", 3, 80, -1}, {"growing", 1, -4, .5},
		} {
			r := rand.New(rand.NewPCG(7, 8))
			p, g := problem(r, Shape{2, 33, 9, 6}, options{softplus: true})
			p.pureGo = pureGo
			for i := range p.Delta {
				p.Delta[i] *= c.delta
			}
			for i := range p.DeltaBias {
				p.DeltaBias[i] = c.bias
			}
			for i := range p.A {
				p.A[i] = c.a
			}
			t.Run(c.name, func(t *testing.T) { checkSelective(t, p, g, nil) })
		}
	})
}

// TestSelectiveNaN: a NaN input must reach the output, not be clamped away.
func TestSelectiveNaN(t *testing.T) {
	eachEngine(t, func(t *testing.T, pureGo bool) {
		for i := range 6 {
			p, _ := problem(rand.New(rand.NewPCG(9, 10)), Shape{1, 17, 8, 4}, options{softplus: true})
			p.pureGo = pureGo
			in := [][]float32{p.U, p.Delta, p.A, p.Bm, p.Cm, p.Z}[i]
			in[0] = nan
			p.Forward(nil)
			if !math.IsNaN(float64(p.Y[0])) {
				t.Errorf("input %d is NaN but y is %g", i, p.Y[0])
			}
		}
	})
}

// TestSelectiveStep: the path for L = 1, for all modes and state counts.
func TestSelectiveStep(t *testing.T) {
	eachEngine(t, func(t *testing.T, pureGo bool) {
		r := rand.New(rand.NewPCG(23, 24))
		for i := range 1 << 9 {
			bit := func(k int) bool { return i>>k&1 != 0 }
			o := options{bit(0), bit(1), bit(2), bit(3), bit(4), bit(5), bit(6), bit(7), bit(8)}
			s := Shape{1 + r.IntN(3), 1, []int{1, 7, 8, 9, 24, 256, 300}[r.IntN(7)], []int{1, 2, 3, 8, 9, 16, 23, 64}[r.IntN(8)]}
			p, _ := problem(r, s, o)
			p.pureGo, p.Checkpoints = pureGo, nil
			want := reference(p).run(nil, nil)
			p.Forward(nil)
			near(t, "Y", p.Y, want.y, stepTolerance)
			near(t, "HT", p.HT, want.hT, stepTolerance)
			y := p.Y
			p.HT, p.Y = nil, filled(len(y), nan)
			p.Forward(workers(2))
			sameBits(t, "Y without HT", p.Y, y)
			if t.Failed() {
				t.Fatalf("at %+v %v", s, o)
			}
		}
	})
}

// TestSelectiveSteps: one step at a time, HT feeding H0, is the whole scan.
func TestSelectiveSteps(t *testing.T) {
	eachEngine(t, func(t *testing.T, pureGo bool) {
		s := Shape{1, 37, 13, 6}
		p, _ := problem(rand.New(rand.NewPCG(11, 12)), s, options{softplus: true})
		p.pureGo = pureGo
		p.Forward(nil)
		q := *p
		q.L, q.Checkpoints, q.HT = 1, nil, append([]float32(nil), p.H0...)
		q.H0 = q.HT
		for i := range s.L {
			at := func(x []float32, n int) []float32 { return x[i*n : i*n+n] }
			q.U, q.Delta, q.Z = at(p.U, s.D), at(p.Delta, s.D), at(p.Z, s.D)
			q.Bm, q.Cm = at(p.Bm, s.N), at(p.Cm, s.N)
			q.Y = filled(s.D, nan)
			q.Forward(nil)
			near(t, fmt.Sprintf("y at step %d", i), q.Y, wide(at(p.Y, s.D)), 1e-6)
		}
		near(t, "HT", q.HT, wide(p.HT), 1e-6)
	})
}

// TestSelectiveInPlace: without a backward pass Y may be U, Delta or Z.
func TestSelectiveInPlace(t *testing.T) {
	eachEngine(t, func(t *testing.T, pureGo bool) {
		for i := range 6 {
			s := Shape{2, 1 + 40*(i/3), 29, 3}
			p, _ := problem(rand.New(rand.NewPCG(25, 26)), s, options{softplus: true})
			p.pureGo, p.Checkpoints = pureGo, nil
			p.Forward(nil)
			q := *p
			into := [...]*[]float32{&q.U, &q.Delta, &q.Z}[i%3]
			*into = append([]float32(nil), *into...)
			q.Y = *into
			q.Forward(nil)
			sameBits(t, fmt.Sprintf("Y in place of input %d", i%3), q.Y, p.Y)
		}
	})
}

// workers is a Runner of n goroutines that take tasks in turn.
func workers(n int) Runner {
	return func(tasks int, f func(int)) {
		var next atomic.Int64
		var wg sync.WaitGroup
		for range n {
			wg.Go(func() {
				for i := int(next.Add(1) - 1); i < tasks; i = int(next.Add(1) - 1) {
					f(i)
				}
			})
		}
		wg.Wait()
	}
}

// TestSelectiveWorkers: the same bits for any number of workers, with and
// without several channel blocks.
func TestSelectiveWorkers(t *testing.T) {
	eachEngine(t, func(t *testing.T, pureGo bool) {
		for _, s := range []Shape{{3, 20, 24, 5}, {1, 200, 300, 16}, {5, 100, 130, 16}} {
			for _, o := range []options{{softplus: true}, {softplus: true, constB: true, static: true}} {
				var want *Selective
				var wantGrad *SelectiveGrad
				for _, n := range []int{1, 2, 3, 8} {
					p, g := problem(rand.New(rand.NewPCG(13, 14)), s, o)
					p.pureGo = pureGo
					p.Forward(workers(n))
					p.Backward(workers(n), g)
					if want == nil {
						want, wantGrad = p, g
						continue
					}
					for i, pair := range [][2][]float32{{p.Y, want.Y}, {p.HT, want.HT}, {g.DU, wantGrad.DU},
						{g.DDelta, wantGrad.DDelta}, {g.DDeltaBias, wantGrad.DDeltaBias}, {g.DA, wantGrad.DA},
						{g.DBm, wantGrad.DBm}, {g.DCm, wantGrad.DCm}, {g.DDskip, wantGrad.DDskip}, {g.DZ, wantGrad.DZ}, {g.DH0, wantGrad.DH0}} {
						sameBits(t, fmt.Sprintf("%+v %v, %d workers, array %d", s, o, n, i), pair[0], pair[1])
					}
				}
			}
		}
	})
}

// TestSelectiveBlocks compares a scan of several channel blocks with float64.
func TestSelectiveBlocks(t *testing.T) {
	eachEngine(t, func(t *testing.T, pureGo bool) {
		s := Shape{2, 150, 333, 16}
		if s.blocks() < 2 {
			t.Fatal("want a shape with several blocks")
		}
		p, g := problem(rand.New(rand.NewPCG(15, 16)), s, options{softplus: true})
		p.pureGo = pureGo
		checkSelective(t, p, g, workers(2))
	})
}

// TestSelectiveScratch: scratch of any content and alignment gives the same
// bits, is asked for once, and the calls allocate nothing that grows.
func TestSelectiveScratch(t *testing.T) {
	eachEngine(t, func(t *testing.T, pureGo bool) {
		s := Shape{2, 40, 20, 5}
		want, wantGrad := problem(rand.New(rand.NewPCG(17, 18)), s, options{softplus: true, constC: true})
		want.pureGo = pureGo
		want.Forward(nil)
		want.Backward(nil, wantGrad)
		for skew := range 4 {
			p, g := problem(rand.New(rand.NewPCG(17, 18)), s, options{softplus: true, constC: true})
			p.pureGo = pureGo
			calls := 0
			p.Alloc = func(n int) []float32 { calls++; return filled(n+skew, nan)[skew:] }
			p.Forward(nil)
			p.Backward(nil, g)
			sameBits(t, "Y", p.Y, want.Y)
			sameBits(t, "DA", g.DA, wantGrad.DA)
			sameBits(t, "DBm", g.DBm, wantGrad.DBm)
			sameBits(t, "DCm", g.DCm, wantGrad.DCm)
			if calls != 2 {
				t.Errorf("Alloc was called %d times, want 2", calls)
			}
		}
		buf := make([]float32, 1<<20)
		want.Alloc = func(n int) []float32 { return buf[:n] }
		perCall := testing.AllocsPerRun(5, func() {
			want.Forward(nil)
			want.Backward(nil, wantGrad)
		})
		if perCall > 20 { // closures of the two calls; must not depend on L
			t.Errorf("%v allocations a call", perCall)
		}
	})
}

// TestNaiveGradient checks the float64 backward itself by central differences
// of a random projection, for every input.
func TestNaiveGradient(t *testing.T) {
	checked := 0
	for i := range 16 {
		r := rand.New(rand.NewPCG(19, uint64(i)))
		o := options{softplus: i&1 != 0, signed: i&2 != 0, constB: i&4 != 0, constC: i&4 != 0, static: i&8 != 0}
		p, g := problem(r, Shape{2, 5, 3, 2}, o)
		ref := reference(p)
		dy, dhT := wide(g.DY), wide(g.DHT)
		tr := ref.run(dy, dhT)
		loss := func() (sum float64) {
			out := ref.run(nil, nil)
			for i, v := range out.y {
				sum += v * dy[i]
			}
			for i, v := range out.hT {
				sum += v * dhT[i]
			}
			return sum
		}
		for name, c := range map[string][2][]float64{"u": {ref.u, tr.du}, "delta": {ref.delta, tr.ddelta}, "bias": {ref.bias, tr.dbias},
			"a": {ref.a, tr.da}, "bm": {ref.bm, tr.dbm}, "cm": {ref.cm, tr.dcm}, "dskip": {ref.dskip, tr.ddskip}, "z": {ref.z, tr.dz}, "h0": {ref.h0, tr.dh0}} {
			for j := range c[0] {
				const h = 1e-5 // cube root of float64's epsilon
				x := c[0][j]
				c[0][j] = x + h
				up := loss()
				c[0][j] = x - h
				down := loss()
				c[0][j] = x
				diff := (up - down) / (2 * h)
				if math.Abs(diff-c[1][j]) > 1e-6*(1+math.Abs(diff)) {
					t.Errorf("%v: d%s[%d] = %g, differences give %g", o, name, j, c[1][j], diff)
				}
				checked++
			}
		}
	}
	if checked == 0 {
		t.Fatal("nothing was checked")
	}
}

// TestSelectivePanics: a wrong length names the buffer and the shape.
func TestSelectivePanics(t *testing.T) {
	for name, spoil := range map[string]func(p *Selective, g *SelectiveGrad){
		"scan: Selective.Forward: U has 23 values, want (B, L, D) = 24 at B=2 L=4 D=3 N=2":       func(p *Selective, _ *SelectiveGrad) { p.U = p.U[1:] },
		"scan: Selective.Forward: DeltaBias has 0 values, want (D) = 3 at B=2 L=4 D=3 N=2":       func(p *Selective, _ *SelectiveGrad) { p.Delta, p.DeltaBias = nil, nil },
		"scan: Selective.Forward: Bm has 16 values, want (D, N) = 6 at B=2 L=4 D=3 N=2":          func(p *Selective, _ *SelectiveGrad) { p.ConstB = true },
		"scan: Selective.Forward: shape B=2 L=0 D=3 N=2, want all ≥ 1":                           func(p *Selective, _ *SelectiveGrad) { p.L = 0 },
		"scan: Selective.Backward: DZ given but Z is nil":                                        func(p *Selective, _ *SelectiveGrad) { p.Z = nil },
		"scan: Selective.Backward: DY has 0 values, want (B, L, D) = 24 at B=2 L=4 D=3 N=2":      func(_ *Selective, g *SelectiveGrad) { g.DY = nil },
		"scan: Selective.Forward: Checkpoints has 1 values, want 1·Checkpoints(2, 4, 3, 2) = 32": func(p *Selective, _ *SelectiveGrad) { p.Checkpoints = make([]float32, 1) },
	} {
		p, g := problem(rand.New(rand.NewPCG(21, 22)), Shape{2, 4, 3, 2}, options{softplus: true})
		spoil(p, g)
		func() {
			defer func() {
				if got := recover(); got != name {
					t.Errorf("panic %v, want %s", got, name)
				}
			}()
			p.Forward(nil)
			p.Backward(nil, g)
		}()
	}
}
