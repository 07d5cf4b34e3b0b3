//go:build amd64 && !noasm

package scan

import "github.com/gophersnake/gophersnake/internal/kernel/scan/spec"

// avx512Engine runs pairs of channel groups, never one alone, in registers of
// sixteen lanes, and all else as the AVX2 engine does, whose bits it computes.
// The frame of a pair is one frame whose fields have sixteen lanes.
type avx512Engine struct{ asmEngine }

type (
	pairScanKernel     = func(steps int, frame *float32, states int, a, h, b, c *float32, bStep, cStep, group int)
	pairScanBackKernel = func(steps int, frame *float32, states int, a, h, carry, da, b, c, db, dc *float32,
		bStep, cStep, dbStep, dcStep int, tmp *float32, group int,
		rows **float32, rowStep, ahead, pass int)
)

// pairScanKernels are indexed by constant B, constant C, signed.
var pairScanKernels = [2][2][2]pairScanKernel{
	{{avx512ScanVV, avx512ScanVVSigned}, {avx512ScanVC, avx512ScanVCSigned}},
	{{avx512ScanCV, avx512ScanCVSigned}, {avx512ScanCC, avx512ScanCCSigned}},
}

// pairScanBackKernels are indexed by gated, constant B, constant C, signed.
var pairScanBackKernels = [2][2][2][2]pairScanBackKernel{
	{
		{{avx512ScanBackVV, avx512ScanBackVVSigned}, {avx512ScanBackVC, avx512ScanBackVCSigned}},
		{{avx512ScanBackCV, avx512ScanBackCVSigned}, {avx512ScanBackCC, avx512ScanBackCCSigned}},
	},
	{
		{{avx512ScanBackVVGated, avx512ScanBackVVGatedSigned}, {avx512ScanBackVCGated, avx512ScanBackVCGatedSigned}},
		{{avx512ScanBackCVGated, avx512ScanBackCVGatedSigned}, {avx512ScanBackCCGated, avx512ScanBackCCGatedSigned}},
	},
}

// rowsAhead is how many bytes ahead the kernels ask that work row by row: nothing
// where the scan does it for them.
func (x extent) rowsAhead() int {
	if x.next != nil {
		return 0
	}
	return inBytes(x.ahead)
}

// nowhere is a row that is always near.
var nowhere float32

// noRows has the scan ask for nothing.
var noRows = [spec.Rows]*float32{&nowhere, &nowhere, &nowhere, &nowhere, &nowhere, &nowhere, &nowhere, &nowhere}

// asked is what the scan asks for: rows, the bytes from one to the next, and
// those to the next window.
func (x extent) asked() (rows *[spec.Rows]*float32, step, ahead int) {
	if x.next == nil {
		return &noRows, 0, 0
	}
	return &x.next.rows, inBytes(x.next.step), inBytes(x.ahead)
}

func (avx512Engine) prepare(mode prepareMode, x extent, frame []float32, u, delta plane, bias []float32) {
	kernel := [prepareModes]func(steps, halves, ahead int, frame, u, delta, bias *float32, uStep, deltaStep int){
		avx512PrepareRaw, avx512PrepareSoftplus, avx512PrepareSoftplusSig,
	}[mode]
	kernel(x.steps, x.halves, x.rowsAhead(), &frame[0], &u.v[0], &delta.v[0], &bias[0], inBytes(u.ld), inBytes(delta.ld))
}

func (avx512Engine) scan(x extent, frame []float32, s system, h []float32) {
	pairScanKernels[bit(s.b.lanes)][bit(s.c.lanes)][bit(s.signed)](
		x.steps, &frame[0], s.n, &s.a[0], &h[0], &s.b.v[0], &s.c.v[0], inBytes(s.b.ld), inBytes(s.c.ld), inBytes(s.group))
}

func (avx512Engine) finish(x extent, frame []float32, y, z plane, dskip []float32) {
	if z.v == nil {
		avx512Finish(x.steps, x.halves, x.rowsAhead(), &frame[0], &y.v[0], &dskip[0], inBytes(y.ld))
		return
	}
	avx512FinishGated(x.steps, x.halves, x.rowsAhead(), &frame[0], &y.v[0], &z.v[0], &dskip[0], inBytes(y.ld), inBytes(z.ld))
}

func (avx512Engine) seed(x extent, frame []float32, dy, z plane) {
	if z.v == nil {
		avx512Seed(x.steps, x.halves, x.rowsAhead(), &frame[0], &dy.v[0], inBytes(dy.ld))
		return
	}
	avx512SeedGated(x.steps, x.halves, x.rowsAhead(), &frame[0], &dy.v[0], &z.v[0], inBytes(dy.ld), inBytes(z.ld))
}

func (avx512Engine) scanBack(x extent, frame []float32, s system, h []float32, adj adjoint, gated bool) {
	rows, rowStep, ahead := x.asked()
	pairScanBackKernels[bit(gated)][bit(s.b.lanes)][bit(s.c.lanes)][bit(s.signed)](
		x.steps, &frame[0], s.n, &s.a[0], &h[0], &adj.carry[0], &adj.da[0], &s.b.v[0], &s.c.v[0],
		&adj.db[0], &adj.dc[0], inBytes(s.b.ld), inBytes(s.c.ld), inBytes(adj.dbLd), inBytes(adj.dcLd), &adj.tmp[0], inBytes(s.group),
		&rows[0], rowStep, ahead, 0)
}

func (avx512Engine) finishBack(x extent, frame []float32, du, ddelta, dz plane, dskip, dbias, ddskip []float32, gated bool) {
	kernel := avx512FinishBack
	if gated {
		kernel = avx512FinishBackGated
	}
	kernel(x.steps, x.halves, x.rowsAhead(), &frame[0], &du.v[0], &ddelta.v[0], &dz.v[0], &dskip[0], &dbias[0], &ddskip[0],
		inBytes(du.ld), inBytes(ddelta.ld), inBytes(dz.ld))
}

func (e avx512Engine) sumLanes(dst, src []float32) {
	n := len(dst) &^ (2*lanes - 1)
	if n > 0 {
		avx512SumLanes(n, &dst[0], &src[0])
	}
	e.asmEngine.sumLanes(dst[n:], src[n*lanes:])
}

func (avx512Engine) scanComplex(x extent, frame []float32, s system, h []float32) {
	kernel := [2][2]func(steps int, frame *float32, states int, a, h, b, bIm, c, cIm *float32,
		bStep, bImStep, cStep, cImStep, plane, group int){
		{avx512ComplexVV, avx512ComplexVC}, {avx512ComplexCV, avx512ComplexCC},
	}[bit(s.b.lanes)][bit(s.c.lanes)]
	kernel(x.steps, &frame[0], s.n, &s.a[0], &h[0], &s.b.v[0], &s.b.im[0], &s.c.v[0], &s.c.im[0],
		inBytes(s.b.ld), inBytes(s.b.imLd), inBytes(s.c.ld), inBytes(s.c.imLd), inBytes(s.n*lanes), inBytes(s.group))
}

func (avx512Engine) scanBackComplex(x extent, frame []float32, s system, h []float32, adj adjoint) {
	kernel := [2][2]func(steps int, frame *float32, states int, a, h, carry, da, b, bIm, c, cIm, db, dbIm, dc, dcIm *float32,
		bStep, bImStep, cStep, cImStep, dbStep, dbImStep, dcStep, dcImStep int, tmp *float32, plane, group int){
		{avx512ComplexBackVV, avx512ComplexBackVC}, {avx512ComplexBackCV, avx512ComplexBackCC},
	}[bit(s.b.lanes)][bit(s.c.lanes)]
	kernel(x.steps, &frame[0], s.n, &s.a[0], &h[0], &adj.carry[0], &adj.da[0],
		&s.b.v[0], &s.b.im[0], &s.c.v[0], &s.c.im[0], &adj.db[0], &adj.dbIm[0], &adj.dc[0], &adj.dcIm[0],
		inBytes(s.b.ld), inBytes(s.b.imLd), inBytes(s.c.ld), inBytes(s.c.imLd),
		inBytes(adj.dbLd), inBytes(adj.dbLd), inBytes(adj.dcLd), inBytes(adj.dcLd), &adj.tmp[0], inBytes(s.n*lanes), inBytes(s.group))
}

// aligned reports whether rows of n channels are whole registers, none of which
// straddles two cache lines when the array does not: otherwise each step would
// wait for the stores of the one before, and the AVX2 kernels are faster.
func (r strided) aligned(n int) bool {
	const register = spec.Halves * lanes
	return n%register == 0 && r.off%register == 0 && r.step%register == 0
}

func (e avx512Engine) linear(steps, n int, v linearRows) {
	if !v.x.aligned(n) {
		e.asmEngine.linear(steps, n, v)
		return
	}
	avx512Linear(steps, n, v.a.at(), v.prev.at(), v.x.at(), v.h.at(),
		inBytes(v.a.step), inBytes(v.prev.step), inBytes(v.x.step), inBytes(v.h.step))
}

func (e avx512Engine) linearBack(steps, n int, v linearBackRows) {
	if !v.dh.aligned(n) {
		e.asmEngine.linearBack(steps, n, v)
		return
	}
	avx512LinearBack(steps, n, v.a.at(), v.prev.at(), v.dh.at(), v.dx.at(), v.da.at(), v.carry.at(),
		inBytes(v.a.step), inBytes(v.prev.step), inBytes(v.dh.step), inBytes(v.dx.step), inBytes(v.da.step), inBytes(v.carry.step))
}

func (e avx512Engine) linearComplex(steps, n int, re, im linearRows) {
	if !re.x.aligned(n) {
		e.asmEngine.linearComplex(steps, n, re, im)
		return
	}
	avx512LinearComplex(steps, n,
		re.a.at(), im.a.at(), re.prev.at(), im.prev.at(), re.x.at(), im.x.at(), re.h.at(), im.h.at(),
		inBytes(re.a.step), inBytes(im.a.step), inBytes(re.prev.step), inBytes(im.prev.step),
		inBytes(re.x.step), inBytes(im.x.step), inBytes(re.h.step), inBytes(im.h.step))
}

func (e avx512Engine) linearComplexBack(steps, n int, re, im linearBackRows) {
	if !re.dh.aligned(n) {
		e.asmEngine.linearComplexBack(steps, n, re, im)
		return
	}
	avx512LinearComplexBack(steps, n,
		re.a.at(), im.a.at(), re.prev.at(), im.prev.at(), re.dh.at(), im.dh.at(),
		re.dx.at(), im.dx.at(), re.da.at(), im.da.at(), re.carry.at(), im.carry.at(),
		inBytes(re.a.step), inBytes(im.a.step), inBytes(re.prev.step), inBytes(im.prev.step), inBytes(re.dh.step), inBytes(im.dh.step),
		inBytes(re.dx.step), inBytes(im.dx.step), inBytes(re.da.step), inBytes(im.da.step), inBytes(re.carry.step), inBytes(im.carry.step))
}
