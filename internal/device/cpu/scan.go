package cpu

import (
	"github.com/gophersnake/gophersnake/internal/device"
	"github.com/gophersnake/gophersnake/internal/kernel/scan"
)

// runner runs the tasks into which a scan has cut itself, by shape; work is in
// elements, as in Device.tasks.
func (d *Device) runner(work int) scan.Runner {
	return func(n int, f func(task int)) { d.tasks(n, work, f) }
}

// borrow returns an allocator of scratch for one call of a scan, and the
// function that gives it back.
func (d *Device) borrow() (alloc func(n int) []float32, giveBack func()) {
	var taken []float32
	alloc = func(n int) []float32 {
		taken = d.free.get(n)
		return taken
	}
	return alloc, func() { d.free.put(taken) }
}

// LinearScan is the diagonal linear recurrence h_t = a_t ⊙ h_{t−1} + x_t.
func (d *Device) LinearScan(s *device.LinearScan) {
	alloc, giveBack := d.borrow()
	defer giveBack()
	linear(s, alloc).Forward(d.runner(s.B * s.L * s.D))
}

// LinearScanGrad adds its gradients.
func (d *Device) LinearScanGrad(s *device.LinearScan, g *device.LinearScanGrad) {
	alloc, giveBack := d.borrow()
	defer giveBack()
	linear(s, alloc).Backward(d.runner(s.B*s.L*s.D), &scan.LinearGrad{
		DH: g.DH.F32, DHIm: g.DHIm.F32, DX: g.DX.F32, DXIm: g.DXIm.F32, DA: g.DA.F32, DAIm: g.DAIm.F32,
	})
}

// linear is s in the words of the kernel.
func linear(s *device.LinearScan, alloc func(n int) []float32) *scan.Linear {
	return &scan.Linear{
		B: s.B, L: s.L, D: s.D, ConstA: !s.Varying, Alloc: alloc,
		A: s.A.F32, AIm: s.AIm.F32, X: s.X.F32, XIm: s.XIm.F32,
		H0: s.H0.F32, H0Im: s.H0Im.F32, H: s.H.F32, HIm: s.HIm.F32,
	}
}

// SelectiveScanSaved returns the size of the checkpoints, the states every so
// many steps, from which the gradient computes the others again.
func (*Device) SelectiveScanSaved(s *device.SelectiveScan) int {
	n := scan.Checkpoints(s.B, s.L, s.D, s.N)
	if !s.AIm.IsNil() {
		n *= 2
	}
	return n
}

// SelectiveScan is the recurrence of S6.
func (d *Device) SelectiveScan(s *device.SelectiveScan) {
	alloc, giveBack := d.borrow()
	defer giveBack()
	selective(s, alloc).Forward(d.runner(s.B * s.L * s.D * s.N))
}

// SelectiveScanGrad adds its gradients.
func (d *Device) SelectiveScanGrad(s *device.SelectiveScan, g *device.SelectiveScanGrad) {
	alloc, giveBack := d.borrow()
	defer giveBack()
	selective(s, alloc).Backward(d.runner(s.B*s.L*s.D*s.N), &scan.SelectiveGrad{
		DY: g.DY.F32, DU: g.DU.F32, DDelta: g.DDelta.F32, DDeltaBias: g.DDeltaBias.F32, DDskip: g.DDskip.F32, DZ: g.DZ.F32, Y: g.Y.F32,
		DA: g.DA.F32, DBm: g.DB.F32, DCm: g.DC.F32,
		Im: scan.ImaginaryGrad{DA: g.DAIm.F32, DBm: g.DBIm.F32, DCm: g.DCIm.F32},
	})
}

// selective is s in the words of the kernel.
func selective(s *device.SelectiveScan, alloc func(n int) []float32) *scan.Selective {
	k := &scan.Selective{
		Shape:    scan.Shape{B: s.B, L: s.L, D: s.D, N: s.N},
		Softplus: s.Softplus, Signed: s.Signed, ConstB: !s.BVarying, ConstC: !s.CVarying,
		U: s.U.F32, Delta: s.Delta.F32, DeltaBias: s.DeltaBias.F32, A: s.A.F32, Bm: s.Bm.F32, Cm: s.Cm.F32,
		Dskip: s.Dskip.F32, Z: s.Z.F32, H0: s.H0.F32, Y: s.Y.F32, HT: s.HT.F32, Checkpoints: s.Saved.F32,
		Alloc: alloc,
	}
	if !s.AIm.IsNil() {
		k.Im = &scan.Imaginary{A: s.AIm.F32, Bm: s.BIm.F32, Cm: s.CIm.F32, H0: s.H0Im.F32, HT: s.HTIm.F32}
	}
	return k
}
