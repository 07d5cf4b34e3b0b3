package scan

import "github.com/gophersnake/gophersnake/internal/kernel/scan/spec"

// SelectiveGrad holds the gradients of a Selective scan. DY is read; all the
// others but Y are added to (+=), and nil means not wanted. Shapes are those of the
// corresponding inputs.
type SelectiveGrad struct {
	DY  []float32 // (B, L, D)
	DHT []float32 // (B, D, N): gradient of HT, may be nil: zero

	DU         []float32 // (B, L, D)
	DDelta     []float32 // (B, L, D); must be nil in static mode
	DDeltaBias []float32 // (D)
	DA         []float32 // (D, N)
	DBm        []float32 // (B, L, N) or (D, N)
	DCm        []float32 // (B, L, N) or (D, N)
	DDskip     []float32 // (D)
	DZ         []float32 // (B, L, D)
	DH0        []float32 // (B, D, N)

	// Y, if not nil, is overwritten with the Y of Forward, which only a scan with
	// a gate computes again. It may be DY.
	Y []float32 // (B, L, D)

	Im ImaginaryGrad // of a complex scan
}

// ImaginaryGrad holds the derivatives with respect to the imaginary parts.
type ImaginaryGrad struct {
	DHT, DA, DBm, DCm, DH0 []float32
}

func (s *Selective) checkGrad(g *SelectiveGrad) {
	const who = "Selective.Backward"
	s.check("Backward")
	if s.Checkpoints == nil {
		panic("scan: " + who + ": Checkpoints is nil, want what Forward wrote")
	}
	if s.Delta == nil && g.DDelta != nil {
		panic("scan: " + who + ": DDelta given but Delta is nil (static Δ), want DDeltaBias only")
	}
	if s.Z == nil && g.DZ != nil {
		panic("scan: " + who + ": DZ given but Z is nil")
	}
	bDims, cDims := s.operandDims()
	if s.Z == nil && g.Y != nil {
		panic("scan: " + who + ": Y wanted but Z is nil")
	}
	s.want(who, "DY", g.DY, s.bld(), false)
	s.want(who, "Y", g.Y, s.bld(), true)
	s.want(who, "DHT", g.DHT, s.bdn(), true)
	s.want(who, "DU", g.DU, s.bld(), true)
	s.want(who, "DDelta", g.DDelta, s.bld(), true)
	s.want(who, "DDeltaBias", g.DDeltaBias, s.dOnly(), true)
	s.want(who, "DA", g.DA, s.dn(), true)
	s.want(who, "DBm", g.DBm, bDims, true)
	s.want(who, "DCm", g.DCm, cDims, true)
	s.want(who, "DDskip", g.DDskip, s.dOnly(), true)
	s.want(who, "DZ", g.DZ, s.bld(), true)
	s.want(who, "DH0", g.DH0, s.bdn(), true)
	s.checkImaginaryGrad(who, g, bDims, cDims)
}

func (s *Selective) checkImaginaryGrad(who string, g *SelectiveGrad, bDims, cDims dims) {
	im := s.im()
	for _, c := range []struct {
		name   string
		grad   []float32
		exists bool
	}{
		{"DHT", g.Im.DHT, s.Im != nil}, {"DA", g.Im.DA, s.Im != nil}, {"DH0", g.Im.DH0, s.Im != nil},
		{"DBm", g.Im.DBm, im.Bm != nil}, {"DCm", g.Im.DCm, im.Cm != nil},
	} {
		if c.grad != nil && !c.exists {
			panic("scan: " + who + ": Im." + c.name + " given for a real array")
		}
	}
	s.want(who, "Im.DHT", g.Im.DHT, s.bdn(), s.Im == nil || g.DHT == nil)
	s.want(who, "Im.DA", g.Im.DA, s.dn(), true)
	s.want(who, "Im.DBm", g.Im.DBm, bDims, true)
	s.want(who, "Im.DCm", g.Im.DCm, cDims, true)
	s.want(who, "Im.DH0", g.Im.DH0, s.bdn(), s.Im == nil || g.DH0 == nil)
}

// partials are the sums that tasks must not share: one copy for each batch row
// (parameters) or channel block (B and C of each step).
type partials struct {
	da, db, dc  []float32    // (B, G, planes, N, 8); db and dc only for constant B, C
	bias, dskip []float32    // (B, G, 8)
	bt, ct      [2][]float32 // for each plane (blocks, B, L, N); only with several blocks
}

func (s *Selective) layPartials(ar *arena, g *SelectiveGrad) (q partials) {
	matrix, vector, steps := s.B*s.groups()*s.width(), s.B*s.groups()*lanes, s.blocks()*s.B*s.L*s.N
	q.da, q.bias, q.dskip = ar.take(matrix), ar.take(vector), ar.take(vector)
	if s.ConstB {
		q.db = ar.take(matrix)
	}
	if s.ConstC {
		q.dc = ar.take(matrix)
	}
	if s.blocks() == 1 {
		return q
	}
	for i := range 2 {
		if g.dbm(i) != nil && !s.ConstB {
			q.bt[i] = ar.take(steps)
		}
		if g.dcm(i) != nil && !s.ConstC {
			q.ct[i] = ar.take(steps)
		}
	}
	return q
}

// dbm is the gradient of plane i of B.
func (g *SelectiveGrad) dbm(i int) []float32 { return [2][]float32{g.DBm, g.Im.DBm}[i] }

// dcm is the gradient of plane i of C.
func (g *SelectiveGrad) dcm(i int) []float32 { return [2][]float32{g.DCm, g.Im.DCm}[i] }

// backwardScratch is what one task of Backward works on.
type backwardScratch struct {
	frame, edge, tmp []float32
	carry            []float32 // (groups, planes, N, 8)
	db, dc           []float32 // (planes, chunk, N, 8), summed over the groups
}

func (s *Selective) layBackward(ar *arena) (f backwardScratch) {
	f.frame, f.edge, f.tmp = ar.take(spec.Pair), ar.take(edgeSize), ar.take(tmpSize)
	f.carry = ar.take(s.widest() * s.width())
	f.db, f.dc = ar.take(chunk*s.width()), ar.take(chunk*s.width())
	return f
}

// Backward adds the gradients of Σ Y·DY + Σ HT·DHT to g. It reads the inputs
// and Checkpoints of the preceding Forward, which must be unchanged; Y and HT
// are not read. It panics when a buffer's length does not fit the shape.
func (s *Selective) Backward(run Runner, g *SelectiveGrad) {
	s.checkGrad(g)
	var (
		p    params
		q    partials
		each pieces
	)
	scratch(s.Alloc, func(ar *arena) {
		var one arena
		s.layBackward(&one)
		p, q, each = s.layParams(ar), s.layPartials(ar, g), ar.pieces(s.tasks(), one.off)
	})
	s.packParams(p)
	run.do(s.tasks(), func(i int) {
		ar := each.of(i)
		b, block := s.task(i)
		s.backwardTask(g, &p, &q, s.layBackward(&ar), b, block)
	})
	s.reduceSteps(run, g, &q)
	s.reduceParams(g, &q)
}

// backwardTask runs one block of channel groups of batch row b, last chunk
// first.
func (s *Selective) backwardTask(g *SelectiveGrad, p *params, q *partials, f backwardScratch, b, block int) {
	mode := s.mode(true)
	lo, hi := split(s.groups(), s.blocks(), block)
	s.clearPartials(q, b, lo, hi)
	s.loadState(f.carry, g.DHT, g.Im.DHT, b, lo, hi)
	w := window{Shape: s.Shape, b: b, edge: f.edge}
	for c := s.chunks() - 1; c >= 0; c-- {
		w.seekTime(c * chunk)
		s.clearSteps(&f, w.steps)
		for k := lo; k < hi; k += w.halves {
			w.seekGroup(k, lo, hi, -chunk)
			if s.Im == nil {
				w.lookAhead(s.U, s.Delta, g.DY, s.Z, g.DU, g.DDelta, g.DZ, g.Y)
			}
			e := engineFor(s.pureGo, w.halves)
			s.prepare(e, mode, &w, p, f.frame)
			e.seed(w.extent, f.frame, w.in(g.DY, slotY), s.gate(&w))
			adj := s.adjoint(q, &f, b, k, f.carry[(k-lo)*s.width():])
			s.scanGroupsBack(e, &w, p, f.frame, adj, g.DZ != nil || g.Y != nil)
			s.finishBack(e, g, p, q, &w, f.frame)
			if g.Y != nil {
				y := w.out(g.Y, slotY)
				e.finish(w.extent, f.frame, y, s.gate(&w), p.dskip[k*lanes:])
				w.settle(g.Y, y, true)
			}
		}
		s.storeSteps(engineFor(s.pureGo, spec.Halves), g, q, &f, &w, block)
	}
	if g.DH0 != nil {
		s.eachState(f.carry, b, lo, hi, g.DH0, g.Im.DH0, addGroup)
	}
}

// scanGroupsBack runs the window's groups back through its steps.
func (s *Selective) scanGroupsBack(e engine, w *window, p *params, frame []float32, adj adjoint, gated bool) {
	sys, h := s.system(w, p), s.checkpoint(w)
	if s.Im != nil {
		e.scanBackComplex(w.extent, frame, sys, h, adj)
		return
	}
	e.scanBack(w.extent, frame, sys, h, adj, gated)
}

// clearPartials zeroes this task's share of the per-row sums.
func (s *Selective) clearPartials(q *partials, b, lo, hi int) {
	lo, hi = b*s.groups()+lo, b*s.groups()+hi
	clear(q.da[lo*s.width() : hi*s.width()])
	clear(q.bias[lo*lanes : hi*lanes])
	clear(q.dskip[lo*lanes : hi*lanes])
	if s.ConstB {
		clear(q.db[lo*s.width() : hi*s.width()])
	}
	if s.ConstC {
		clear(q.dc[lo*s.width() : hi*s.width()])
	}
}

// clearSteps zeroes the chunk's sums of dB and dC.
func (s *Selective) clearSteps(f *backwardScratch, steps int) {
	for i := range s.planes() {
		from, n := i*chunk*s.N*lanes, steps*s.N*lanes
		clear(f.db[from : from+n])
		clear(f.dc[from : from+n])
	}
}

// adjoint points the kernel at the sums of the groups from k on of batch row b.
func (s *Selective) adjoint(q *partials, f *backwardScratch, b, k int, carry []float32) adjoint {
	at, plane := (b*s.groups()+k)*s.width(), s.N*lanes
	adj := adjoint{carry: carry, da: q.da[at:], tmp: f.tmp}
	adj.db, adj.dbIm, adj.dbLd = f.db, f.db[len(f.db)-chunk*plane:], plane
	adj.dc, adj.dcIm, adj.dcLd = f.dc, f.dc[len(f.dc)-chunk*plane:], plane
	if s.ConstB {
		adj.db, adj.dbIm, adj.dbLd = q.db[at:], q.db[at+s.width()-plane:], 0
	}
	if s.ConstC {
		adj.dc, adj.dcIm, adj.dcLd = q.dc[at:], q.dc[at+s.width()-plane:], 0
	}
	return adj
}

// finishBack adds what the chunk gives to the arrays of each step and channel.
func (s *Selective) finishBack(e engine, g *SelectiveGrad, p *params, q *partials, w *window, frame []float32) {
	at := (w.b*s.groups() + w.k) * lanes
	du, ddelta, dz := w.out(g.DU, slotDU), w.out(g.DDelta, slotDDelta), w.out(g.DZ, slotDZ)
	e.finishBack(w.extent, frame, du, ddelta, dz, p.dskip[w.k*lanes:], q.bias[at:], q.dskip[at:], g.DZ != nil)
	w.settle(g.DU, du, false)
	w.settle(g.DDelta, ddelta, false)
	w.settle(g.DZ, dz, false)
}

// storeSteps sums dB and dC of the chunk over the lanes: straight into the
// result when this task has all channels, else into this block's copy.
func (s *Selective) storeSteps(e engine, g *SelectiveGrad, q *partials, f *backwardScratch, w *window, block int) {
	store := func(total, part, src []float32) {
		row, n := (w.b*s.L+w.t)*s.N, w.steps*s.N
		if part == nil {
			e.sumLanes(total[row:][:n], src)
			return
		}
		dst := part[block*s.B*s.L*s.N+row:][:n]
		clear(dst)
		e.sumLanes(dst, src)
	}
	for i := range s.planes() {
		from := i * chunk * s.N * lanes
		if g.dbm(i) != nil && !s.ConstB {
			store(g.dbm(i), q.bt[i], f.db[from:])
		}
		if g.dcm(i) != nil && !s.ConstC {
			store(g.dcm(i), q.ct[i], f.dc[from:])
		}
	}
}

// reduceGrain is how many sums a task of reduceSteps adds up.
const reduceGrain = 1 << 12

// reduceSteps adds the blocks' copies of dB and dC in block order.
func (s *Selective) reduceSteps(run Runner, g *SelectiveGrad, q *partials) {
	if s.blocks() == 1 {
		return
	}
	size := s.B * s.L * s.N
	sum := func(dst, part []float32, lo, hi int) {
		if part == nil {
			return
		}
		for block := range s.blocks() {
			addTo(dst[lo:hi], part[block*size+lo:][:hi-lo])
		}
	}
	run.do((size+reduceGrain-1)/reduceGrain, func(i int) {
		lo := i * reduceGrain
		hi := min(lo+reduceGrain, size)
		for i := range s.planes() {
			sum(g.dbm(i), q.bt[i], lo, hi)
			sum(g.dcm(i), q.ct[i], lo, hi)
		}
	})
}

func addTo(dst, src []float32) {
	for i, v := range src {
		dst[i] += v
	}
}

// reduceParams adds the batch rows' sums of the parameter gradients in row
// order: first into row 0, which is then added to the results.
func (s *Selective) reduceParams(g *SelectiveGrad, q *partials) {
	matrix, plane := s.width(), s.N*lanes
	for _, r := range []struct {
		part   []float32
		size   int // floats of a group
		n      int
		re, im []float32
	}{
		{q.da, matrix, s.N, g.DA, g.Im.DA},
		{q.db, matrix, s.N, g.DBm, g.Im.DBm},
		{q.dc, matrix, s.N, g.DCm, g.Im.DCm},
		{q.dskip, lanes, 1, g.DDskip, nil},
		{q.bias, lanes, 1, s.biasGrad(g, q), nil},
	} {
		if r.part == nil {
			continue
		}
		row := s.groups() * r.size
		for b := 1; b < s.B; b++ {
			addTo(r.part[:row], r.part[b*row:][:row])
		}
		for k := range s.groups() {
			if r.re != nil {
				addGroup(r.re, r.part[k*r.size:], k, s.D, r.n)
			}
			if r.im != nil {
				addGroup(r.im, r.part[k*r.size+plane:], k, s.D, r.n)
			}
		}
	}
}

// biasGrad is g.DDeltaBias; in static mode, where the kernels see Δ only, it
// first multiplies the sums of dΔ by σ(bias).
func (s *Selective) biasGrad(g *SelectiveGrad, q *partials) []float32 {
	if s.Delta != nil || !s.Softplus {
		return g.DDeltaBias
	}
	width := s.groups() * lanes
	for d, v := range s.DeltaBias {
		sig := sigmoid(v)
		for b := range s.B {
			q.bias[b*width+d] *= sig
		}
	}
	return g.DDeltaBias
}
