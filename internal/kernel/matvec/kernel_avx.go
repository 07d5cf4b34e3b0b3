//go:build amd64 && !noasm

package matvec

import "github.com/gophersnake/gophersnake/internal/kernel/isa"

// native is the widest set that the processor has.
func native() kernelSet {
	switch {
	case isa.UseAVX512:
		return avx512
	case isa.UseAVX2:
		return avx2
	}
	return portable
}

// blocks sets y to the product of whole blocks from row lo on.
func (m *Matrix) blocks(lo, blocks int, x, y []float32) {
	if m.set == portable {
		m.blocksGo(lo, blocks, x, y)
		return
	}
	w := &m.data[m.at(lo, 0)*m.format.size()]
	wide := m.set == avx512
	switch {
	case m.inPlace && wide:
		mulRowsAVX512(blocks, m.groups, w, &x[0], &y[0], 4*m.k)
	case m.inPlace:
		mulRowsAVX2(blocks, m.groups, w, &x[0], &y[0], 4*m.k)
	case m.format == Float32 && wide:
		mulFloat32AVX512(blocks, m.groups, w, &x[0], &y[0])
	case m.format == Float32:
		mulFloat32AVX2(blocks, m.groups, w, &x[0], &y[0])
	case m.format == BF16 && wide:
		mulBF16AVX512(blocks, m.groups, w, &x[0], &y[0])
	case m.format == BF16:
		mulBF16AVX2(blocks, m.groups, w, &x[0], &y[0])
	case wide:
		mulInt8AVX512(blocks, m.groups, w, &x[0], &y[0])
	default:
		mulInt8AVX2(blocks, m.groups, w, &x[0], &y[0])
	}
}
