//go:build arm64 && !noasm

package gemm

import (
	"math/rand/v2"
	"testing"
)

// The compiler for arm64 fuses the multiply-adds of the plain Go kernels, which
// add in the same order: every tile has the same bits, whether the terms of A's
// rows lie together or its columns, with every way to end k and the columns.
func TestNEONSameBitsAsGo(t *testing.T) {
	rng := rand.New(rand.NewPCG(21, 22))
	for rows := 1; rows <= tileRows; rows++ {
		for width := 1; width <= tileCols; width++ {
			for _, k := range []int{1, 2, 3, 4, 5, 7, 8, 13} {
				for q := range 4 {
					_, lanes := panelWidth(width)
					x := randomTiles(rng, rows, width, lanes, k, q&1, q&2 != 0)
					y := *x
					y.c = append([]float32(nil), x.c...)
					multiply(rows, lanes, x)
					multiplyGo(rows, lanes, &y)
					sameBits(t, "tile", x.c, y.c)
				}
			}
		}
	}
}

// The kernels that take several panels at a time, for every number of panels.
func TestNEONAcrossSameBitsAsGo(t *testing.T) {
	rng := rand.New(rand.NewPCG(23, 24))
	for rows := 1; rows < tileRows; rows++ {
		for panels := 1; panels <= 9; panels++ {
			for q := range 4 {
				k := 1 + rng.IntN(20)
				x := randomTiles(rng, rows, tileCols, tileCols, k, q&1, q&2 != 0)
				x.count, x.aStep, x.bStep, x.cStep, x.startStep = panels, 0, tileCols*k, tileCols, tileCols
				x.cRow = tileCols*panels + 3
				x.b, x.start = randoms(rng, panels*x.bStep), randoms(rng, panels*tileCols)
				got := randoms(rng, rows*x.cRow)
				want := append([]float32(nil), got...)
				y := *x
				x.c, y.c = got, want
				multiplyAcross(rows, x)
				multiplyGo(rows, tileCols, &y)
				sameBits(t, "panels", got, want)
			}
		}
	}
}
