//go:build (!amd64 && !arm64) || noasm

package matvec

func native() kernelSet { return portable }

// blocks sets y to the product of whole blocks from row lo on.
func (m *Matrix) blocks(lo, blocks int, x, y []float32) { m.blocksGo(lo, blocks, x, y) }
