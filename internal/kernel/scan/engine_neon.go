//go:build arm64 && !noasm

package scan

func native(int) engine { return neonEngine{} }

// neonEngine calls the generated assembly. A pair of groups is run as one
// group after the other.
type neonEngine struct{}

// inBytes is the size of n float32.
func inBytes(n int) int { return n * 4 }

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

type (
	scanKernel     = func(steps int, frame *float32, states int, a, h, b, c *float32, bStep, cStep int)
	scanBackKernel = func(steps int, frame *float32, states int, a, h, carry, da, b, c, db, dc *float32,
		bStep, cStep, dbStep, dcStep int, tmp *float32)
)

// scanKernels are indexed by constant B, constant C, signed.
var scanKernels = [2][2][2]scanKernel{
	{{neonScanVV, neonScanVVSigned}, {neonScanVC, neonScanVCSigned}},
	{{neonScanCV, neonScanCVSigned}, {neonScanCC, neonScanCCSigned}},
}

// scanBackKernels are indexed by gated, constant B, constant C, signed.
var scanBackKernels = [2][2][2][2]scanBackKernel{
	{
		{{neonScanBackVV, neonScanBackVVSigned}, {neonScanBackVC, neonScanBackVCSigned}},
		{{neonScanBackCV, neonScanBackCVSigned}, {neonScanBackCC, neonScanBackCCSigned}},
	},
	{
		{{neonScanBackVVGated, neonScanBackVVGatedSigned}, {neonScanBackVCGated, neonScanBackVCGatedSigned}},
		{{neonScanBackCVGated, neonScanBackCVGatedSigned}, {neonScanBackCCGated, neonScanBackCCGatedSigned}},
	},
}

func (neonEngine) prepare(mode prepareMode, x extent, frame []float32, u, delta plane, bias []float32) {
	kernel := [prepareModes]func(steps, halves, ahead int, frame, u, delta, bias *float32, uStep, deltaStep int){
		neonPrepareRaw, neonPrepareSoftplus, neonPrepareSoftplusSig,
	}[mode]
	kernel(x.steps, x.halves, inBytes(x.ahead), &frame[0], &u.v[0], &delta.v[0], &bias[0], inBytes(u.ld), inBytes(delta.ld))
}

// of is the address of the values of the group whose arrays lie at floats on.
func (o *operand) of(at int) *float32 {
	if o.lanes {
		return &o.v[at]
	}
	return &o.v[0]
}

func (neonEngine) scan(x extent, frame []float32, s system, h []float32) {
	kernel := scanKernels[bit(s.b.lanes)][bit(s.c.lanes)][bit(s.signed)]
	for i := range x.halves {
		at := i * s.group
		kernel(x.steps, &frame[i*frameSize], s.n, &s.a[at], &h[at], s.b.of(at), s.c.of(at), inBytes(s.b.ld), inBytes(s.c.ld))
	}
}

func (neonEngine) scanComplex(x extent, frame []float32, s system, h []float32) {
	kernel := [2][2]func(steps int, frame *float32, states int, a, h, b, bIm, c, cIm *float32,
		bStep, bImStep, cStep, cImStep, plane int){
		{neonComplexVV, neonComplexVC}, {neonComplexCV, neonComplexCC},
	}[bit(s.b.lanes)][bit(s.c.lanes)]
	s.eachHalf(x, frame, h, func(_ int, frame []float32, s system, h []float32) {
		kernel(x.steps, &frame[0], s.n, &s.a[0], &h[0], &s.b.v[0], &s.b.im[0], &s.c.v[0], &s.c.im[0],
			inBytes(s.b.ld), inBytes(s.b.imLd), inBytes(s.c.ld), inBytes(s.c.imLd), inBytes(s.n*lanes))
	})
}

func (neonEngine) scanBackComplex(x extent, frame []float32, s system, h []float32, adj adjoint) {
	kernel := [2][2]func(steps int, frame *float32, states int, a, h, carry, da, b, bIm, c, cIm, db, dbIm, dc, dcIm *float32,
		bStep, bImStep, cStep, cImStep, dbStep, dbImStep, dcStep, dcImStep int, tmp *float32, plane int){
		{neonComplexBackVV, neonComplexBackVC}, {neonComplexBackCV, neonComplexBackCC},
	}[bit(s.b.lanes)][bit(s.c.lanes)]
	s.eachHalf(x, frame, h, func(half int, frame []float32, s system, h []float32) {
		adj := adj.half(half * s.group)
		kernel(x.steps, &frame[0], s.n, &s.a[0], &h[0], &adj.carry[0], &adj.da[0],
			&s.b.v[0], &s.b.im[0], &s.c.v[0], &s.c.im[0], &adj.db[0], &adj.dbIm[0], &adj.dc[0], &adj.dcIm[0],
			inBytes(s.b.ld), inBytes(s.b.imLd), inBytes(s.c.ld), inBytes(s.c.imLd),
			inBytes(adj.dbLd), inBytes(adj.dbLd), inBytes(adj.dcLd), inBytes(adj.dcLd), &adj.tmp[0], inBytes(s.n*lanes))
	})
}

func (neonEngine) step(channels int, frame []float32, r stepRows) {
	rows := channels / lanes
	if rows > 0 {
		kernel := neonStep
		if r.signed {
			kernel = neonStepSigned
		}
		kernel(rows, &frame[0], r.n, &r.a[0], &r.h[0], &r.b[0], &r.c[0], &r.dskip[0], inBytes(r.bLd), inBytes(r.cLd))
	}
	if left := channels % lanes; left > 0 {
		goEngine{}.step(left, frame[rows*frameRow:], r.from(rows*lanes))
	}
}

func (neonEngine) finish(x extent, frame []float32, y, z plane, dskip []float32) {
	if z.v == nil {
		neonFinish(x.steps, x.halves, inBytes(x.ahead), &frame[0], &y.v[0], &dskip[0], inBytes(y.ld))
		return
	}
	neonFinishGated(x.steps, x.halves, inBytes(x.ahead), &frame[0], &y.v[0], &z.v[0], &dskip[0], inBytes(y.ld), inBytes(z.ld))
}

func (neonEngine) seed(x extent, frame []float32, dy, z plane) {
	if z.v == nil {
		neonSeed(x.steps, x.halves, inBytes(x.ahead), &frame[0], &dy.v[0], inBytes(dy.ld))
		return
	}
	neonSeedGated(x.steps, x.halves, inBytes(x.ahead), &frame[0], &dy.v[0], &z.v[0], inBytes(dy.ld), inBytes(z.ld))
}

func (neonEngine) scanBack(x extent, frame []float32, s system, h []float32, adj adjoint, gated bool) {
	kernel := scanBackKernels[bit(gated)][bit(s.b.lanes)][bit(s.c.lanes)][bit(s.signed)]
	for i := range x.halves {
		at := i * s.group
		adj := adj.half(at)
		kernel(x.steps, &frame[i*frameSize], s.n, &s.a[at], &h[at], &adj.carry[0], &adj.da[0], s.b.of(at), s.c.of(at),
			&adj.db[0], &adj.dc[0], inBytes(s.b.ld), inBytes(s.c.ld), inBytes(adj.dbLd), inBytes(adj.dcLd), &adj.tmp[0])
	}
}

func (neonEngine) finishBack(x extent, frame []float32, du, ddelta, dz plane, dskip, dbias, ddskip []float32, gated bool) {
	kernel := neonFinishBack
	if gated {
		kernel = neonFinishBackGated
	}
	kernel(x.steps, x.halves, inBytes(x.ahead), &frame[0], &du.v[0], &ddelta.v[0], &dz.v[0], &dskip[0], &dbias[0], &ddskip[0],
		inBytes(du.ld), inBytes(ddelta.ld), inBytes(dz.ld))
}

func (neonEngine) sumLanes(dst, src []float32) {
	n := len(dst) &^ 3
	if n > 0 {
		neonSumLanes(n, &dst[0], &src[0])
	}
	goEngine{}.sumLanes(dst[n:], src[n*lanes:])
}

// at is the first row's address.
func (r strided) at() *float32 { return &r.v[r.off] }

func (neonEngine) linear(steps, n int, v linearRows) {
	neonLinear(steps, n, v.a.at(), v.prev.at(), v.x.at(), v.h.at(),
		inBytes(v.a.step), inBytes(v.prev.step), inBytes(v.x.step), inBytes(v.h.step))
}

func (neonEngine) linearBack(steps, n int, v linearBackRows) {
	neonLinearBack(steps, n, v.a.at(), v.prev.at(), v.dh.at(), v.dx.at(), v.da.at(), v.carry.at(),
		inBytes(v.a.step), inBytes(v.prev.step), inBytes(v.dh.step),
		inBytes(v.dx.step), inBytes(v.da.step), inBytes(v.carry.step))
}

func (neonEngine) linearComplex(steps, n int, re, im linearRows) {
	neonLinearComplex(steps, n,
		re.a.at(), im.a.at(), re.prev.at(), im.prev.at(), re.x.at(), im.x.at(), re.h.at(), im.h.at(),
		inBytes(re.a.step), inBytes(im.a.step), inBytes(re.prev.step), inBytes(im.prev.step),
		inBytes(re.x.step), inBytes(im.x.step), inBytes(re.h.step), inBytes(im.h.step))
}

func (neonEngine) linearComplexBack(steps, n int, re, im linearBackRows) {
	neonLinearComplexBack(steps, n,
		re.a.at(), im.a.at(), re.prev.at(), im.prev.at(), re.dh.at(), im.dh.at(),
		re.dx.at(), im.dx.at(), re.da.at(), im.da.at(), re.carry.at(), im.carry.at(),
		inBytes(re.a.step), inBytes(im.a.step), inBytes(re.prev.step), inBytes(im.prev.step),
		inBytes(re.dh.step), inBytes(im.dh.step),
		inBytes(re.dx.step), inBytes(im.dx.step), inBytes(re.da.step), inBytes(im.da.step),
		inBytes(re.carry.step), inBytes(im.carry.step))
}
