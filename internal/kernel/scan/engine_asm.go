//go:build (amd64 || arm64) && !noasm

package scan

// inBytes is the size of n float32.
func inBytes(n int) int { return n * 4 }

// bit is the place of b in a table.
func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// The kernels of which there are several; the steps of arrays are in bytes.
type (
	scanKernel     = func(steps int, frame *float32, states int, a, h, b, c *float32, bStep, cStep int)
	scanBackKernel = func(steps int, frame *float32, states int, a, h, carry, da, b, c, db, dc *float32,
		bStep, cStep, dbStep, dcStep int, tmp *float32)

	complexKernel = func(steps int, frame *float32, states int, a, h, b, bIm, c, cIm *float32,
		bStep, bImStep, cStep, cImStep, plane int)
	complexBackKernel = func(steps int, frame *float32, states int, a, h, carry, da, b, bIm, c, cIm, db, dbIm, dc, dcIm *float32,
		bStep, bImStep, cStep, cImStep, dbStep, dbImStep, dcStep, dcImStep int, tmp *float32, plane int)

	stepKernel       = func(rows int, frame *float32, states int, a, h, b, c, dskip *float32, bStep, cStep int)
	prepareKernel    = func(steps, halves, ahead int, frame, u, delta, bias *float32, uStep, deltaStep int)
	finishBackKernel = func(steps, halves, ahead int, frame, du, ddelta, dz, dskip, dbias, ddskip *float32,
		duStep, ddeltaStep, dzStep int)
)

// kernels are the functions of one instruction set. Behind a table is what it is
// indexed by, bit by bit.
type kernels struct {
	scans        [2][2][2]scanKernel        // constant B, constant C, signed
	scanBacks    [2][2][2][2]scanBackKernel // gated, constant B, constant C, signed
	complexes    [2][2]complexKernel        // constant B, constant C
	complexBacks [2][2]complexBackKernel    // constant B, constant C
	steps        [2]stepKernel              // signed
	prepares     [prepareModes]prepareKernel
	finish       func(steps, halves, ahead int, frame, y, dskip *float32, yStep int)
	finishGated  func(steps, halves, ahead int, frame, y, z, dskip *float32, yStep, zStep int)
	seed         func(steps, halves, ahead int, frame, dy *float32, dyStep int)
	seedGated    func(steps, halves, ahead int, frame, dy, z *float32, dyStep, zStep int)
	finishBacks  [2]finishBackKernel // gated

	sums     int // sumLanes takes a multiple of it
	sumLanes func(n int, dst, src *float32)

	linear        func(steps, n int, a, prev, x, h *float32, aStep, prevStep, xStep, hStep int)
	linearBack    func(steps, n int, a, prev, dh, dx, da, carry *float32, aStep, prevStep, dhStep, dxStep, daStep, carryStep int)
	linearComplex func(steps, n int, ar, ai, pr, pi, xr, xi, hr, hi *float32,
		arStep, aiStep, prStep, piStep, xrStep, xiStep, hrStep, hiStep int)
	linearComplexBack func(steps, n int, ar, ai, pr, pi, gr, gi, dxr, dxi, dar, dai, cr, ci *float32,
		arStep, aiStep, prStep, piStep, grStep, giStep, dxrStep, dxiStep, darStep, daiStep, crStep, ciStep int)
}

// asmEngine calls the generated assembly of an instruction set with registers of
// eight lanes or less. A pair of groups is run as one group after the other.
type asmEngine struct{ kernels *kernels }

// of is the address of the values of the group whose arrays lie at floats on.
func (o *operand) of(at int) *float32 {
	if o.lanes {
		return &o.v[at]
	}
	return &o.v[0]
}

// at is the first row's address.
func (r strided) at() *float32 { return &r.v[r.off] }

// from is r without its first d channels.
func (r stepRows) from(d int) stepRows {
	r.a, r.h, r.dskip = r.a[d*r.n:], r.h[d*r.n:], r.dskip[d:]
	r.b, r.c = r.b[d*r.bLd:], r.c[d*r.cLd:]
	return r
}

func (e asmEngine) prepare(mode prepareMode, x extent, frame []float32, u, delta plane, bias []float32) {
	e.kernels.prepares[mode](x.steps, x.halves, inBytes(x.ahead), &frame[0], &u.v[0], &delta.v[0], &bias[0],
		inBytes(u.ld), inBytes(delta.ld))
}

func (e asmEngine) scan(x extent, frame []float32, s system, h []float32) {
	kernel := e.kernels.scans[bit(s.b.lanes)][bit(s.c.lanes)][bit(s.signed)]
	for i := range x.halves {
		at := i * s.group
		kernel(x.steps, &frame[i*frameSize], s.n, &s.a[at], &h[at], s.b.of(at), s.c.of(at), inBytes(s.b.ld), inBytes(s.c.ld))
	}
}

func (e asmEngine) scanComplex(x extent, frame []float32, s system, h []float32) {
	kernel := e.kernels.complexes[bit(s.b.lanes)][bit(s.c.lanes)]
	s.eachHalf(x, frame, h, func(_ int, frame []float32, s system, h []float32) {
		kernel(x.steps, &frame[0], s.n, &s.a[0], &h[0], &s.b.v[0], &s.b.im[0], &s.c.v[0], &s.c.im[0],
			inBytes(s.b.ld), inBytes(s.b.imLd), inBytes(s.c.ld), inBytes(s.c.imLd), inBytes(s.n*lanes))
	})
}

func (e asmEngine) scanBackComplex(x extent, frame []float32, s system, h []float32, adj adjoint) {
	kernel := e.kernels.complexBacks[bit(s.b.lanes)][bit(s.c.lanes)]
	s.eachHalf(x, frame, h, func(half int, frame []float32, s system, h []float32) {
		adj := adj.half(half * s.group)
		kernel(x.steps, &frame[0], s.n, &s.a[0], &h[0], &adj.carry[0], &adj.da[0],
			&s.b.v[0], &s.b.im[0], &s.c.v[0], &s.c.im[0], &adj.db[0], &adj.dbIm[0], &adj.dc[0], &adj.dcIm[0],
			inBytes(s.b.ld), inBytes(s.b.imLd), inBytes(s.c.ld), inBytes(s.c.imLd),
			inBytes(adj.dbLd), inBytes(adj.dbLd), inBytes(adj.dcLd), inBytes(adj.dcLd), &adj.tmp[0], inBytes(s.n*lanes))
	})
}

func (e asmEngine) step(channels int, frame []float32, r stepRows) {
	rows := channels / lanes
	if rows > 0 {
		e.kernels.steps[bit(r.signed)](rows, &frame[0], r.n, &r.a[0], &r.h[0], &r.b[0], &r.c[0], &r.dskip[0],
			inBytes(r.bLd), inBytes(r.cLd))
	}
	if left := channels % lanes; left > 0 {
		goEngine{}.step(left, frame[rows*frameRow:], r.from(rows*lanes))
	}
}

func (e asmEngine) finish(x extent, frame []float32, y, z plane, dskip []float32) {
	if z.v == nil {
		e.kernels.finish(x.steps, x.halves, inBytes(x.ahead), &frame[0], &y.v[0], &dskip[0], inBytes(y.ld))
		return
	}
	e.kernels.finishGated(x.steps, x.halves, inBytes(x.ahead), &frame[0], &y.v[0], &z.v[0], &dskip[0],
		inBytes(y.ld), inBytes(z.ld))
}

func (e asmEngine) seed(x extent, frame []float32, dy, z plane) {
	if z.v == nil {
		e.kernels.seed(x.steps, x.halves, inBytes(x.ahead), &frame[0], &dy.v[0], inBytes(dy.ld))
		return
	}
	e.kernels.seedGated(x.steps, x.halves, inBytes(x.ahead), &frame[0], &dy.v[0], &z.v[0], inBytes(dy.ld), inBytes(z.ld))
}

func (e asmEngine) scanBack(x extent, frame []float32, s system, h []float32, adj adjoint, gated bool) {
	kernel := e.kernels.scanBacks[bit(gated)][bit(s.b.lanes)][bit(s.c.lanes)][bit(s.signed)]
	for i := range x.halves {
		at := i * s.group
		adj := adj.half(at)
		kernel(x.steps, &frame[i*frameSize], s.n, &s.a[at], &h[at], &adj.carry[0], &adj.da[0], s.b.of(at), s.c.of(at),
			&adj.db[0], &adj.dc[0], inBytes(s.b.ld), inBytes(s.c.ld), inBytes(adj.dbLd), inBytes(adj.dcLd), &adj.tmp[0])
	}
}

func (e asmEngine) finishBack(x extent, frame []float32, du, ddelta, dz plane, dskip, dbias, ddskip []float32, gated bool) {
	e.kernels.finishBacks[bit(gated)](x.steps, x.halves, inBytes(x.ahead), &frame[0],
		&du.v[0], &ddelta.v[0], &dz.v[0], &dskip[0], &dbias[0], &ddskip[0], inBytes(du.ld), inBytes(ddelta.ld), inBytes(dz.ld))
}

func (e asmEngine) sumLanes(dst, src []float32) {
	n := len(dst) &^ (e.kernels.sums - 1)
	if n > 0 {
		e.kernels.sumLanes(n, &dst[0], &src[0])
	}
	goEngine{}.sumLanes(dst[n:], src[n*lanes:])
}

func (e asmEngine) linear(steps, n int, v linearRows) {
	e.kernels.linear(steps, n, v.a.at(), v.prev.at(), v.x.at(), v.h.at(),
		inBytes(v.a.step), inBytes(v.prev.step), inBytes(v.x.step), inBytes(v.h.step))
}

func (e asmEngine) linearBack(steps, n int, v linearBackRows) {
	e.kernels.linearBack(steps, n, v.a.at(), v.prev.at(), v.dh.at(), v.dx.at(), v.da.at(), v.carry.at(),
		inBytes(v.a.step), inBytes(v.prev.step), inBytes(v.dh.step),
		inBytes(v.dx.step), inBytes(v.da.step), inBytes(v.carry.step))
}

func (e asmEngine) linearComplex(steps, n int, re, im linearRows) {
	e.kernels.linearComplex(steps, n,
		re.a.at(), im.a.at(), re.prev.at(), im.prev.at(), re.x.at(), im.x.at(), re.h.at(), im.h.at(),
		inBytes(re.a.step), inBytes(im.a.step), inBytes(re.prev.step), inBytes(im.prev.step),
		inBytes(re.x.step), inBytes(im.x.step), inBytes(re.h.step), inBytes(im.h.step))
}

func (e asmEngine) linearComplexBack(steps, n int, re, im linearBackRows) {
	e.kernels.linearComplexBack(steps, n,
		re.a.at(), im.a.at(), re.prev.at(), im.prev.at(), re.dh.at(), im.dh.at(),
		re.dx.at(), im.dx.at(), re.da.at(), im.da.at(), re.carry.at(), im.carry.at(),
		inBytes(re.a.step), inBytes(im.a.step), inBytes(re.prev.step), inBytes(im.prev.step),
		inBytes(re.dh.step), inBytes(im.dh.step),
		inBytes(re.dx.step), inBytes(im.dx.step), inBytes(re.da.step), inBytes(im.da.step),
		inBytes(re.carry.step), inBytes(im.carry.step))
}
