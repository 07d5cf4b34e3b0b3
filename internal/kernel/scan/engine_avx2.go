//go:build amd64 && !noasm

package scan

import (
	"github.com/gophersnake/gophersnake/internal/kernel/isa"
	"github.com/gophersnake/gophersnake/internal/kernel/scan/spec"
)

func native(halves int) engine {
	switch {
	case isa.UseAVX512 && halves == spec.Halves:
		return avx512Engine{}
	case isa.UseAVX2:
		return avx2Engine{}
	}
	return goEngine{}
}

// avx2Engine calls the generated assembly.
type avx2Engine struct{}

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
	{{avx2ScanVV, avx2ScanVVSigned}, {avx2ScanVC, avx2ScanVCSigned}},
	{{avx2ScanCV, avx2ScanCVSigned}, {avx2ScanCC, avx2ScanCCSigned}},
}

// scanBackKernels are indexed by gated, constant B, constant C, signed.
var scanBackKernels = [2][2][2][2]scanBackKernel{
	{
		{{avx2ScanBackVV, avx2ScanBackVVSigned}, {avx2ScanBackVC, avx2ScanBackVCSigned}},
		{{avx2ScanBackCV, avx2ScanBackCVSigned}, {avx2ScanBackCC, avx2ScanBackCCSigned}},
	},
	{
		{{avx2ScanBackVVGated, avx2ScanBackVVGatedSigned}, {avx2ScanBackVCGated, avx2ScanBackVCGatedSigned}},
		{{avx2ScanBackCVGated, avx2ScanBackCVGatedSigned}, {avx2ScanBackCCGated, avx2ScanBackCCGatedSigned}},
	},
}

func (avx2Engine) prepare(mode prepareMode, x extent, frame []float32, u, delta plane, bias []float32) {
	kernel := [prepareModes]func(steps, halves, ahead int, frame, u, delta, bias *float32, uStep, deltaStep int){
		avx2PrepareRaw, avx2PrepareSoftplus, avx2PrepareSoftplusSig,
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

func (avx2Engine) scan(x extent, frame []float32, s system, h []float32) {
	kernel := scanKernels[bit(s.b.lanes)][bit(s.c.lanes)][bit(s.signed)]
	for i := range x.halves {
		at := i * s.group
		kernel(x.steps, &frame[i*frameSize], s.n, &s.a[at], &h[at], s.b.of(at), s.c.of(at), inBytes(s.b.ld), inBytes(s.c.ld))
	}
}

func (avx2Engine) scanComplex(x extent, frame []float32, s system, h []float32) {
	kernel := [2][2]func(steps int, frame *float32, states int, a, h, b, bIm, c, cIm *float32, bStep, bImStep, cStep, cImStep, plane int){
		{avx2ComplexVV, avx2ComplexVC}, {avx2ComplexCV, avx2ComplexCC},
	}[bit(s.b.lanes)][bit(s.c.lanes)]
	s.eachHalf(x, frame, h, func(_ int, frame []float32, s system, h []float32) {
		kernel(x.steps, &frame[0], s.n, &s.a[0], &h[0], &s.b.v[0], &s.b.im[0], &s.c.v[0], &s.c.im[0],
			inBytes(s.b.ld), inBytes(s.b.imLd), inBytes(s.c.ld), inBytes(s.c.imLd), inBytes(s.n*lanes))
	})
}

func (avx2Engine) scanBackComplex(x extent, frame []float32, s system, h []float32, adj adjoint) {
	kernel := [2][2]func(steps int, frame *float32, states int, a, h, carry, da, b, bIm, c, cIm, db, dbIm, dc, dcIm *float32,
		bStep, bImStep, cStep, cImStep, dbStep, dbImStep, dcStep, dcImStep int, tmp *float32, plane int){
		{avx2ComplexBackVV, avx2ComplexBackVC}, {avx2ComplexBackCV, avx2ComplexBackCC},
	}[bit(s.b.lanes)][bit(s.c.lanes)]
	s.eachHalf(x, frame, h, func(half int, frame []float32, s system, h []float32) {
		adj := adj.half(half * s.group)
		kernel(x.steps, &frame[0], s.n, &s.a[0], &h[0], &adj.carry[0], &adj.da[0],
			&s.b.v[0], &s.b.im[0], &s.c.v[0], &s.c.im[0], &adj.db[0], &adj.dbIm[0], &adj.dc[0], &adj.dcIm[0],
			inBytes(s.b.ld), inBytes(s.b.imLd), inBytes(s.c.ld), inBytes(s.c.imLd),
			inBytes(adj.dbLd), inBytes(adj.dbLd), inBytes(adj.dcLd), inBytes(adj.dcLd), &adj.tmp[0], inBytes(s.n*lanes))
	})
}

func (avx2Engine) step(channels int, frame []float32, r stepRows) {
	rows := channels / lanes
	if rows > 0 {
		kernel := avx2Step
		if r.signed {
			kernel = avx2StepSigned
		}
		kernel(rows, &frame[0], r.n, &r.a[0], &r.h[0], &r.b[0], &r.c[0], &r.dskip[0], inBytes(r.bLd), inBytes(r.cLd))
	}
	if left := channels % lanes; left > 0 {
		goEngine{}.step(left, frame[rows*frameRow:], r.from(rows*lanes))
	}
}

func (avx2Engine) finish(x extent, frame []float32, y, z plane, dskip []float32) {
	if z.v == nil {
		avx2Finish(x.steps, x.halves, inBytes(x.ahead), &frame[0], &y.v[0], &dskip[0], inBytes(y.ld))
		return
	}
	avx2FinishGated(x.steps, x.halves, inBytes(x.ahead), &frame[0], &y.v[0], &z.v[0], &dskip[0], inBytes(y.ld), inBytes(z.ld))
}

func (avx2Engine) seed(x extent, frame []float32, dy, z plane) {
	if z.v == nil {
		avx2Seed(x.steps, x.halves, inBytes(x.ahead), &frame[0], &dy.v[0], inBytes(dy.ld))
		return
	}
	avx2SeedGated(x.steps, x.halves, inBytes(x.ahead), &frame[0], &dy.v[0], &z.v[0], inBytes(dy.ld), inBytes(z.ld))
}

func (avx2Engine) scanBack(x extent, frame []float32, s system, h []float32, adj adjoint, gated bool) {
	kernel := scanBackKernels[bit(gated)][bit(s.b.lanes)][bit(s.c.lanes)][bit(s.signed)]
	for i := range x.halves {
		at := i * s.group
		adj := adj.half(at)
		kernel(x.steps, &frame[i*frameSize], s.n, &s.a[at], &h[at], &adj.carry[0], &adj.da[0], s.b.of(at), s.c.of(at),
			&adj.db[0], &adj.dc[0], inBytes(s.b.ld), inBytes(s.c.ld), inBytes(adj.dbLd), inBytes(adj.dcLd), &adj.tmp[0])
	}
}

func (avx2Engine) finishBack(x extent, frame []float32, du, ddelta, dz plane, dskip, dbias, ddskip []float32, gated bool) {
	kernel := avx2FinishBack
	if gated {
		kernel = avx2FinishBackGated
	}
	kernel(x.steps, x.halves, inBytes(x.ahead), &frame[0], &du.v[0], &ddelta.v[0], &dz.v[0], &dskip[0], &dbias[0], &ddskip[0],
		inBytes(du.ld), inBytes(ddelta.ld), inBytes(dz.ld))
}

func (avx2Engine) sumLanes(dst, src []float32) {
	n := len(dst) &^ (lanes - 1)
	if n > 0 {
		avx2SumLanes(n, &dst[0], &src[0])
	}
	goEngine{}.sumLanes(dst[n:], src[n*lanes:])
}

// at is the first row's address.
func (r strided) at() *float32 { return &r.v[r.off] }

func (avx2Engine) linear(steps, n int, v linearRows) {
	avx2Linear(steps, n, v.a.at(), v.prev.at(), v.x.at(), v.h.at(),
		inBytes(v.a.step), inBytes(v.prev.step), inBytes(v.x.step), inBytes(v.h.step))
}

func (avx2Engine) linearBack(steps, n int, v linearBackRows) {
	avx2LinearBack(steps, n, v.a.at(), v.prev.at(), v.dh.at(), v.dx.at(), v.da.at(), v.carry.at(),
		inBytes(v.a.step), inBytes(v.prev.step), inBytes(v.dh.step), inBytes(v.dx.step), inBytes(v.da.step), inBytes(v.carry.step))
}

func (avx2Engine) linearComplex(steps, n int, re, im linearRows) {
	avx2LinearComplex(steps, n,
		re.a.at(), im.a.at(), re.prev.at(), im.prev.at(), re.x.at(), im.x.at(), re.h.at(), im.h.at(),
		inBytes(re.a.step), inBytes(im.a.step), inBytes(re.prev.step), inBytes(im.prev.step),
		inBytes(re.x.step), inBytes(im.x.step), inBytes(re.h.step), inBytes(im.h.step))
}

func (avx2Engine) linearComplexBack(steps, n int, re, im linearBackRows) {
	avx2LinearComplexBack(steps, n,
		re.a.at(), im.a.at(), re.prev.at(), im.prev.at(), re.dh.at(), im.dh.at(),
		re.dx.at(), im.dx.at(), re.da.at(), im.da.at(), re.carry.at(), im.carry.at(),
		inBytes(re.a.step), inBytes(im.a.step), inBytes(re.prev.step), inBytes(im.prev.step), inBytes(re.dh.step), inBytes(im.dh.step),
		inBytes(re.dx.step), inBytes(im.dx.step), inBytes(re.da.step), inBytes(im.da.step), inBytes(re.carry.step), inBytes(im.carry.step))
}
