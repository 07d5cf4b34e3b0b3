//go:build amd64 && !noasm

package ceiling

import "github.com/gophersnake/gophersnake/internal/kernel/isa"

// Registers that a turn of the loops handles, and independent sums of fma, as in
// gen.
const unroll, chains = 8, 12

// native returns the widest loops that this processor has.
func native() kernels {
	switch {
	case isa.UseAVX512:
		return wide(16, fmaAVX512, readAVX512, writeAVX512, updateAVX512, copyAVX512, addAVX512)
	case isa.UseAVX2:
		return wide(8, fmaAVX2, readAVX2, writeAVX2, updateAVX2, copyAVX2, addAVX2)
	}
	return portable
}

// wide makes kernels of loops over registers of the given number of float32.
func wide(lanes int, fma func(int), read, write, update func(int, *float32), move func(int, *float32, *float32),
	add func(int, *float32, *float32, *float32)) kernels {
	step := lanes * unroll
	return kernels{
		flops:  float64(2 * chains * lanes),
		fma:    fma,
		read:   func(a []float32) { read(len(a)/step, &a[0]) },
		write:  func(dst []float32) { write(len(dst)/step, &dst[0]) },
		copy:   func(dst, a []float32) { move(len(dst)/step, &dst[0], &a[0]) },
		update: func(dst []float32) { update(len(dst)/step, &dst[0]) },
		add:    func(dst, a, b []float32) { add(len(dst)/step, &dst[0], &a[0], &b[0]) },
	}
}
