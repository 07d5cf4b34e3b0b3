package matvec

// kernelSet names the kernels that a Matrix is laid out for.
type kernelSet int

const (
	portable kernelSet = iota
	avx2
	avx512
	neon
)

// rows is the number of rows of a block.
func (s kernelSet) rows() int { return [...]int{portable: 1, avx2: 2, avx512: 8, neon: 2}[s] }

// lanes is the number of float32 in a register; plain Go keeps the order of
// columns.
func (s kernelSet) lanes() int { return [...]int{portable: 1, avx2: 8, avx512: 16, neon: 4}[s] }

// blocksGo is blocks in plain Go, a row a block.
func (m *Matrix) blocksGo(lo, blocks int, x, y []float32) {
	for i := range blocks {
		at := m.at(lo+i, 0)
		switch width := m.Width(); m.format {
		case Float32:
			y[i] = dot(m.floats()[at:at+width], x, func(v float32) float32 { return v })
		case BF16:
			y[i] = dot(m.halves()[at:at+width], x, fromBF16)
		default:
			y[i] = dot(m.bytes()[at:at+width], x, func(v int8) float32 { return float32(v) })
		}
	}
}

// dot is Σ w·x in the order of vec.Dot.
func dot[T float32 | uint16 | int8](w []T, x []float32, value func(T) float32) float32 {
	var acc [group]float32
	for i, v := range w {
		acc[i%group] += value(v) * x[i]
	}
	for i := range 8 {
		acc[i] = (acc[i] + acc[8+i]) + (acc[16+i] + acc[24+i])
	}
	for half := 4; half > 0; half /= 2 {
		for i := range half {
			acc[i] += acc[i+half]
		}
	}
	return acc[0]
}
