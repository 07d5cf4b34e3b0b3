//go:build arm64 && !noasm

package matvec

func native() kernelSet { return neon }

// blocks sets y to the product of whole blocks from row lo on.
func (m *Matrix) blocks(lo, blocks int, x, y []float32) {
	if m.set == portable {
		m.blocksGo(lo, blocks, x, y)
		return
	}
	w := &m.data[m.at(lo, 0)*m.format.size()]
	switch m.format {
	case Float32:
		neonMulFloat32(blocks, m.groups, w, &x[0], &y[0])
	case BF16:
		neonMulBF16(blocks, m.groups, w, &x[0], &y[0])
	default:
		neonMulInt8(blocks, m.groups, w, &x[0], &y[0])
	}
}
