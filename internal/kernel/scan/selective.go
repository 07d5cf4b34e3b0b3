package scan

import (
	"fmt"
	"math"

	"github.com/gophersnake/gophersnake/internal/kernel/scan/spec"
)

// Selective is the selective scan with real A,
//
//	Δ = softplus(Delta + DeltaBias)
//	h_t = exp(Δ_t A) h_{t-1} + Δ_t B_t u_t
//	y_t = (Σ_n C_t h_t + Dskip u_t) SiLU(z_t)
//
// with all arrays row-major. Mamba §3.2; the discretisation is the official
// code's (see the package comment). Delta nil is the static mode: Δ comes from
// DeltaBias alone and is the same at every step; then DeltaBias is required.
//
// With Im the eigenvalues, and if given B, C and the states, are complex, and
// y_t = (2 Re Σ_n C_t h_t + Dskip u_t) SiLU(z_t) as in the official reference:
// the states stand for one of each conjugate pair.
//
// Buffers may not overlap, except that HT may be H0 and that Y may be U, Delta
// or Z when there will be no backward pass.
type Selective struct {
	Shape

	Softplus bool // Δ = softplus(Delta + DeltaBias), else Δ = Delta + DeltaBias
	Signed   bool // Ā = 2 exp(ΔA) − 1, eigenvalues in [−1, 1] (Grazzi et al. 2024)
	ConstB   bool // Bm is (D, N), the same at every step, else (B, L, N)
	ConstC   bool // Cm is (D, N), the same at every step, else (B, L, N)

	U         []float32 // (B, L, D)
	Delta     []float32 // (B, L, D), or nil: static Δ
	DeltaBias []float32 // (D), may be nil unless Delta is
	A         []float32 // (D, N), the negative reals themselves, not A_log
	Bm        []float32 // (B, L, N) or (D, N)
	Cm        []float32 // (B, L, N) or (D, N)
	Dskip     []float32 // (D), may be nil
	Z         []float32 // (B, L, D), may be nil: no gate
	H0        []float32 // (B, D, N), may be nil: zero

	Y           []float32 // (B, L, D), overwritten
	HT          []float32 // (B, D, N), overwritten, may be nil
	Checkpoints []float32 // Checkpoints(B, L, D, N) values (complex: twice), written; nil outside training

	Im *Imaginary // nil: all real

	// Alloc returns scratch of n floats that stays valid until Forward or
	// Backward returns; its contents do not matter. It is called once per
	// call, on the caller's goroutine. Nil means make.
	Alloc func(n int) []float32

	pureGo bool // tests and benchmarks: use the portable engine
}

// Imaginary are the imaginary parts of the arrays of the same names and shapes
// in a Selective.
type Imaginary struct {
	A  []float32 // (D, N)
	Bm []float32 // nil: B is real
	Cm []float32 // nil: C is real
	H0 []float32 // given when Selective.H0 is
	HT []float32 // given when Selective.HT is
}

// Checkpoints is the number of float32 values that Forward keeps for Backward,
// the state at every 32nd step; a complex scan needs twice that. Nothing else
// is kept besides the inputs: Backward recomputes Δ, the states and the output
// before the gate.
func Checkpoints(b, l, d, n int) int {
	s := Shape{b, l, d, n}
	return b * s.chunks() * s.groups() * n * lanes
}

// planes is 2 for a complex scan, 1 for a real one.
func (s *Selective) planes() int {
	if s.Im != nil {
		return 2
	}
	return 1
}

// im is s.Im, or empty arrays.
func (s *Selective) im() Imaginary {
	if s.Im != nil {
		return *s.Im
	}
	return Imaginary{}
}

// width is the floats of one group's states: (planes, N, 8).
func (s *Selective) width() int { return s.planes() * s.N * lanes }

// checkpoints is the length of Checkpoints.
func (s *Selective) checkpoints() int { return s.planes() * Checkpoints(s.B, s.L, s.D, s.N) }

// operandDims are the shapes of Bm and Cm.
func (s *Selective) operandDims() (b, c dims) {
	b, c = s.bln(), s.bln()
	if s.ConstB {
		b = s.dn()
	}
	if s.ConstC {
		c = s.dn()
	}
	return b, c
}

// check panics, naming the buffer, when a length does not fit the shape.
func (s *Selective) check(who string) {
	who = "Selective." + who
	s.Shape.check(who)
	bDims, cDims := s.operandDims()
	s.want(who, "U", s.U, s.bld(), false)
	s.want(who, "Delta", s.Delta, s.bld(), true)
	s.want(who, "DeltaBias", s.DeltaBias, s.dOnly(), s.Delta != nil)
	s.want(who, "A", s.A, s.dn(), false)
	s.want(who, "Bm", s.Bm, bDims, false)
	s.want(who, "Cm", s.Cm, cDims, false)
	s.want(who, "Dskip", s.Dskip, s.dOnly(), true)
	s.want(who, "Z", s.Z, s.bld(), true)
	s.want(who, "H0", s.H0, s.bdn(), true)
	s.want(who, "HT", s.HT, s.bdn(), true)
	if n := s.checkpoints(); s.Checkpoints != nil && len(s.Checkpoints) != n {
		panic(fmt.Sprintf("scan: %s: Checkpoints has %d values, want %d·Checkpoints(%d, %d, %d, %d) = %d",
			who, len(s.Checkpoints), s.planes(), s.B, s.L, s.D, s.N, n))
	}
	if s.Im != nil {
		s.checkImaginary(who, bDims, cDims)
	}
}

func (s *Selective) checkImaginary(who string, bDims, cDims dims) {
	if s.Signed {
		panic("scan: " + who + ": Signed given with Im, want real A")
	}
	s.want(who, "Im.A", s.Im.A, s.dn(), false)
	s.want(who, "Im.Bm", s.Im.Bm, bDims, true)
	s.want(who, "Im.Cm", s.Im.Cm, cDims, true)
	s.want(who, "Im.H0", s.Im.H0, s.bdn(), s.H0 == nil)
	s.want(who, "Im.HT", s.Im.HT, s.bdn(), s.HT == nil)
}

// params are the parameters in the kernels' lane layout, groups of eight
// channels one after the other, zero past D.
type params struct {
	a     []float32 // (G, planes, N, 8): A log2(e), and Im A / 2π
	bm    []float32 // (G, planes, N, 8) when ConstB
	cm    []float32 // (G, planes, N, 8) when ConstC
	bias  []float32 // (G, 8); in static mode Δ itself
	dskip []float32 // (G, 8)
	zero  []float32 // the static mode's delta (2, 8), or the imaginary part of a real operand (N, 8)
}

func (s *Selective) layParams(ar *arena) (p params) {
	matrix, vector := s.groups()*s.width(), s.groups()*lanes
	p.a = ar.take(matrix)
	if s.ConstB {
		p.bm = ar.take(matrix)
	}
	if s.ConstC {
		p.cm = ar.take(matrix)
	}
	p.bias, p.dskip, p.zero = ar.take(vector), ar.take(vector), ar.take(max(spec.Halves, s.N)*lanes)
	return p
}

func (s *Selective) packParams(p params) {
	im := s.im()
	s.packPlanes(p.a, s.A, im.A, spec.Log2E, 1/(2*math.Pi))
	if s.ConstB {
		s.packPlanes(p.bm, s.Bm, im.Bm, 1, 1)
	}
	if s.ConstC {
		s.packPlanes(p.cm, s.Cm, im.Cm, 1, 1)
	}
	for k := range s.groups() {
		packGroup(p.bias[k*lanes:], s.DeltaBias, k, s.D, 1, 1)
		packGroup(p.dskip[k*lanes:], s.Dskip, k, s.D, 1, 1)
	}
	clear(p.zero)
	if s.Delta == nil && s.Softplus {
		for i, v := range p.bias {
			p.bias[i] = softplus(v)
		}
	}
}

// packPlanes packs (D, N) matrices as (G, planes, N, 8).
func (s *Selective) packPlanes(dst, re, im []float32, scaleRe, scaleIm float32) {
	for k := range s.groups() {
		group := dst[k*s.width():][:s.width()]
		packGroup(group, re, k, s.D, s.N, scaleRe)
		if s.Im != nil {
			packGroup(group[s.N*lanes:], im, k, s.D, s.N, scaleIm)
		}
	}
}

// mode is how prepare gets Δ; a static Δ is already in params.bias.
func (s *Selective) mode(backward bool) prepareMode {
	switch {
	case s.Delta == nil || !s.Softplus:
		return deltaRaw
	case backward:
		return deltaSoftplusSig
	}
	return deltaSoftplus
}

// prepare fills the frames of the window.
func (s *Selective) prepare(e engine, mode prepareMode, w *window, p *params, frame []float32) {
	delta := plane{p.zero, 0}
	if s.Delta != nil {
		delta = w.in(s.Delta, slotDelta)
	}
	e.prepare(mode, w.extent, frame, w.in(s.U, slotU), delta, p.bias[w.k*lanes:])
}

// gate is the plane of Z, empty when there is no gate.
func (s *Selective) gate(w *window) plane {
	if s.Z == nil {
		return plane{}
	}
	return w.in(s.Z, slotZ)
}

// system is the recurrence of the window's groups over its steps.
func (s *Selective) system(w *window, p *params) system {
	im := s.im()
	return system{n: s.N, group: s.width(), signed: s.Signed, a: p.a[w.k*s.width():],
		b: s.operand(w, s.ConstB, p.bm, s.Bm, im.Bm, p.zero),
		c: s.operand(w, s.ConstC, p.cm, s.Cm, im.Cm, p.zero)}
}

// operand is the window's view of B or C.
func (s *Selective) operand(w *window, constant bool, packed, re, im, zero []float32) operand {
	if constant {
		groups := packed[w.k*s.width():]
		return operand{v: groups, im: groups[s.width()-s.N*lanes:], lanes: true}
	}
	row := (w.b*s.L + w.t) * s.N
	o := operand{v: re[row:], ld: s.N, im: zero}
	if im != nil {
		o.im, o.imLd = im[row:], s.N
	}
	return o
}

// checkpoint is the saved state of the window's groups at its start.
func (s *Selective) checkpoint(w *window) []float32 {
	i := (w.b*s.chunks()+w.t/chunk)*s.groups() + w.k
	return s.Checkpoints[i*s.width():][:w.halves*s.width()]
}

// forwardScratch is what one task of Forward works on.
type forwardScratch struct{ frame, edge, h []float32 }

// Forward computes Y, and HT and Checkpoints unless they are nil. It panics
// when a buffer's length does not fit the shape.
func (s *Selective) Forward(run Runner) {
	s.check("Forward")
	s.want("Selective.Forward", "Y", s.Y, s.bld(), false)
	if s.L == 1 && s.Checkpoints == nil && s.Im == nil {
		s.step(run)
		return
	}
	var p params
	var each pieces
	scratch(s.Alloc, func(ar *arena) {
		var one arena
		s.layForward(&one)
		p, each = s.layParams(ar), ar.pieces(s.tasks(), one.off)
	})
	s.packParams(p)
	run.do(s.tasks(), func(i int) {
		ar := each.of(i)
		b, block := s.task(i)
		s.forwardTask(&p, s.layForward(&ar), b, block)
	})
}

func (s *Selective) layForward(ar *arena) forwardScratch {
	return forwardScratch{ar.take(spec.Pair), ar.take(edgeSize), ar.take(s.widest() * s.width())}
}

// forwardTask scans one block of channel groups of batch row b.
func (s *Selective) forwardTask(p *params, f forwardScratch, b, block int) {
	mode := s.mode(false)
	lo, hi := split(s.groups(), s.blocks(), block)
	w := window{Shape: s.Shape, b: b, edge: f.edge}
	s.loadState(f.h, s.H0, s.im().H0, b, lo, hi)
	for t := 0; t < s.L; t += chunk {
		w.seekTime(t)
		for k := lo; k < hi; k += w.halves {
			w.seekGroup(k, lo, hi, chunk)
			e := engineFor(s.pureGo, w.halves)
			s.prepare(e, mode, &w, p, f.frame)
			s.scanGroups(e, &w, p, f.frame, f.h[(k-lo)*s.width():][:w.halves*s.width()])
			y := w.out(s.Y, slotY)
			e.finish(w.extent, f.frame, y, s.gate(&w), p.dskip[k*lanes:])
			w.settle(s.Y, y, true)
		}
	}
	if s.HT != nil {
		s.eachState(f.h, b, lo, hi, s.HT, s.im().HT, unpackGroup)
	}
}

// scanGroups keeps the state of the window's groups when training and advances
// it.
func (s *Selective) scanGroups(e engine, w *window, p *params, frame, h []float32) {
	if s.Checkpoints != nil {
		copy(s.checkpoint(w), h)
	}
	if s.Im != nil {
		e.scanComplex(w.extent, frame, s.system(w, p), h)
		return
	}
	e.scan(w.extent, frame, s.system(w, p), h)
}

// loadState puts re and im, (B, D, N), of groups lo … hi−1 of batch row b into
// h, (groups, planes, N, 8), or zero.
func (s *Selective) loadState(h, re, im []float32, b, lo, hi int) {
	if re == nil {
		clear(h)
		return
	}
	s.eachState(h, b, lo, hi, re, im, func(row, h []float32, k, d, n int) { packGroup(h, row, k, d, n, 1) })
}

// eachState calls f with batch row b of re and im, and the lanes of h that
// belong to it, for groups lo … hi−1.
func (s *Selective) eachState(h []float32, b, lo, hi int, re, im []float32, f func(row, h []float32, k, d, n int)) {
	row := s.D * s.N
	for k := lo; k < hi; k++ {
		group := h[(k-lo)*s.width():][:s.width()]
		f(re[b*row:][:row], group, k, s.D, s.N)
		if s.Im != nil {
			f(im[b*row:][:row], group[s.N*lanes:], k, s.D, s.N)
		}
	}
}
