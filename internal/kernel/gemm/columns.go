package gemm

import "fmt"

// Columns returns the columns lo to hi of p, sharing its memory. lo is a
// multiple of 16, hi too unless it is p.N, and p has at most 256 rows.
func (p *Packed) Columns(lo, hi int) Packed {
	if lo < 0 || lo > hi || hi > p.N || lo%tileCols != 0 || hi != p.N && hi%tileCols != 0 || p.K > kBlock {
		panic(fmt.Sprintf("gemm: Columns: %d to %d of (%d, %d), want multiples of %d within it or its end, and at most %d rows",
			lo, hi, p.K, p.N, tileCols, kBlock))
	}
	return Packed{K: p.K, N: hi - lo, panels: p.panels[lo*p.K:]}
}
