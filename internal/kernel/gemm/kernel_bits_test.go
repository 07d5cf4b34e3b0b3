package gemm

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gophersnake/gophersnake/internal/kernel/isa"
)

// Every kernel with fused multiply-add has the same bits, on every processor:
// this hash of tiles of all sizes is the AVX2 kernels', and NEON's.
func TestFusedKernelsHaveTheSameBits(t *testing.T) {
	if !isa.UseAVX2 && !isa.UseNEON {
		t.Skip("the kernels round products by themselves")
	}
	rng, hash := rand.New(rand.NewPCG(31, 32)), fnv.New64a()
	for rows := 1; rows <= tileRows; rows++ {
		for width := 1; width <= tileCols; width++ {
			for k := 1; k <= 13; k++ {
				_, lanes := panelWidth(width)
				x := randomTiles(rng, rows, width, lanes, k, k%2, width%2 == 0)
				c := x.c // the kernels may move on in x
				multiply(rows, lanes, x)
				for _, v := range c {
					_ = binary.Write(hash, binary.LittleEndian, math.Float32bits(v))
				}
			}
		}
	}
	const want = "76edcc82ce758b38"
	if got := fmt.Sprintf("%016x", hash.Sum64()); got != want {
		t.Errorf("the hash is %s, want %s", got, want)
	}
}

// randomTiles are three tiles below each other; those of a transposed A have
// their rows beside each other.
func randomTiles(rng *rand.Rand, rows, width, lanes, k, add int, transposed bool) *tiles {
	const count, ldc = 3, 19
	x := &tiles{a: randoms(rng, count*rows*k), b: randoms(rng, k*lanes), c: randoms(rng, count*rows*ldc),
		start: randoms(rng, tileCols), count: count, k: k, aRow: k, aCol: 1, aStep: rows * k,
		cRow: ldc, cStep: rows * ldc, width: width, add: add}
	if transposed {
		x.aRow, x.aCol = 1, rows
	}
	return x
}

func randoms(rng *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = 2*rng.Float32() - 1
	}
	return x
}
