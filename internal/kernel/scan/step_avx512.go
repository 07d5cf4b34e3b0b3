//go:build amd64 && !noasm

package scan

import "github.com/gophersnake/gophersnake/internal/kernel/isa"

// stepSixteen is stepChannels for as many channels from lo on as it has a kernel
// for, and returns the first that is left; h is their state already. It takes
// what Mamba has: sixteen states, B and C of the step, softplus, and everything
// else given but perhaps the gate.
func (s *Selective) stepSixteen(f stepScratch, h []float32, b, lo, hi int) int {
	const n = 16
	rows := (hi - lo) / n
	if !isa.UseAVX512 || s.pureGo || rows == 0 || s.N != n || s.ConstB || s.ConstC || s.Signed ||
		!s.Softplus || s.Delta == nil || s.DeltaBias == nil || s.Dskip == nil {
		return lo
	}
	at := b*s.D + lo
	var z *float32
	if s.Z != nil {
		z = &s.Z[at]
	}
	avx512StepSixteen(rows, &s.Delta[at], &s.DeltaBias[lo], &s.U[at], &s.A[lo*n], &h[0], &s.Bm[b*n], &s.Cm[b*n],
		&s.Dskip[lo], z, &s.Y[at], &f.delta[0], &f.u[0])
	return lo + rows*n
}
