package gemm

import (
	"fmt"
	"sync"
	"testing"

	top "github.com/gophersnake/gophersnake/internal/kernel/ceiling" // this package has a function of that name
)

// machine is what the machine can do, measured as far as benchmarks ask.
var machine = sync.OnceValue(top.New)

// A benchShape is a product to measure.
type benchShape struct {
	name           string
	transA, transB bool
	m, n, k        int
}

// product returns the operands as tensors are: without gaps.
func (s *benchShape) product() *product {
	p := &product{}
	p.a, p.b, p.c = ones(s.m*s.k), ones(s.k*s.n), ones(s.m*s.n)
	p.lda, p.ldb, p.ldc = s.k, s.n, s.n
	if s.transA {
		p.lda = s.m
	}
	if s.transB {
		p.ldb = s.k
	}
	return p
}

// benchShapes are the products of the project's models.
var benchShapes = []benchShape{
	{"forward 2048x128x128", false, true, 2048, 128, 128},
	{"dX 2048x128x128", false, false, 2048, 128, 128},
	{"weights dW d128", true, false, 128, 128, 2048},
	{"mamba in 2048x512x256", false, true, 2048, 512, 256},
	{"mamba dX 2048x256x512", false, false, 2048, 256, 512},
	{"mamba dW 512x256", true, false, 512, 256, 2048},
	{"lstm dW 512x128", true, false, 512, 128, 4096},
	{"weights dW d256x1024", true, false, 1024, 256, 4096},
	{"weights dW d64", true, false, 64, 64, 8192},
	{"tiny 2048x64x64", false, true, 2048, 64, 64},
	{"forward d256", false, true, 8192, 512, 256},
	{"x projection", false, true, 8192, 40, 256},
	{"square", false, false, 512, 512, 512},
	{"forward d64", false, true, 2048, 256, 64},
	{"forward d128", false, true, 8192, 512, 128},
	{"backward dX d128", false, false, 8192, 128, 512},
	{"weights dW d16", true, false, 16, 16, 8192},
	{"weights dW d64x256 short", true, false, 256, 64, 2048},
	{"dW 2048x512", true, false, 2048, 512, 1024},
	{"dW 3072x768", true, false, 3072, 768, 1024},
	{"dW 768x1536", true, false, 768, 1536, 1024},
	{"narrow n=24", false, true, 2048, 24, 128},
	{"d16 256x48x16", false, true, 256, 48, 16},
	{"d16 dW", true, false, 48, 16, 256},
	{"weights dW d128x512", true, false, 512, 128, 8192},
	{"weights dW d32", true, false, 32, 32, 8192},
	{"x projection dW wide", true, false, 256, 40, 8192},
	{"x projection dW", true, false, 40, 256, 8192},
	{"step projection", false, true, 8192, 256, 8},
	{"step projection dX", false, false, 8192, 8, 256},
	{"step projection dW", true, false, 256, 8, 8192},
	{"tiny 256x16x16", false, true, 256, 16, 16},
	{"tiny 1024x32x32", false, true, 1024, 32, 32},
	{"narrow n=1", false, false, 4096, 1, 64},
	{"narrow n=48", false, false, 8192, 48, 128},
	{"attention scores", false, true, 256, 256, 32},
	{"batch 16", false, true, 16, 768, 256},
}

// BenchmarkGemm reports GFLOP/s, GB/s of the operands and the share of the
// ceiling for 1 and 2 workers.
func BenchmarkGemm(b *testing.B) {
	for _, s := range benchShapes {
		for _, workers := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/workers=%d", s.name, workers), func(b *testing.B) {
				p := s.product()
				measure(b, workers, s.m, s.n, s.k, func() {
					Gemm(workers, s.transA, s.transB, s.m, s.n, s.k, p.a, p.lda, p.b, p.ldb, 0, p.c, p.ldc)
				})
			})
		}
	}
}

// measure runs f and reports the speed of its fastest run, f being some
// floating-point operations.
func measure(b *testing.B, workers, m, n, k int, f func()) {
	b.Helper()
	seconds := top.Fastest(b.Loop, f)
	work := top.Work{Workers: workers, FLOPs: 2 * float64(m) * float64(n) * float64(k),
		Reads: 4 * float64(m*k+k*n), Writes: 4 * float64(m*n)}
	machine().Report(b, work, seconds)
}

// packedShapes are (batch, gates·d, d) of recurrences.
var packedShapes = [][3]int{{1, 64, 64}, {1, 768, 256}, {1, 3072, 768}, {2, 256, 128}, {4, 384, 128}, {8, 512, 128}, {8, 1024, 256},
	{16, 192, 64}, {16, 384, 128}, {16, 768, 256}, {64, 512, 128}, {8, 16, 16}, {16, 48, 16}}

// BenchmarkMulPacked is a step of a recurrence: (batch, d) by (d, gates·d).
func BenchmarkMulPacked(b *testing.B) {
	for _, s := range packedShapes {
		m, n, k := s[0], s[1], s[2]
		b.Run(fmt.Sprintf("m=%d/n=%d/k=%d", m, n, k), func(b *testing.B) {
			var packed Packed
			Pack(true, k, n, ones(k*n), k, &packed)
			x, c := ones(m*k), ones(m*n)
			measure(b, 1, m, n, k, func() { MulPacked(m, x, k, &packed, 0, c, n) })
		})
	}
}

// BenchmarkKernel is the tile kernel alone, its operands in the first cache:
// the ceiling of everything above.
func BenchmarkKernel(b *testing.B) {
	const k, count = 256, 8
	t := tiles{a: ones(tileRows * k), b: ones(tileCols * k), c: ones(tileRows * tileCols), start: zeros[:],
		count: count, k: k, aRow: k, aCol: 1, cRow: tileCols, width: tileCols}
	measure(b, 1, count*tileRows, tileCols, k, func() { multiply(tileRows, tileCols, &t) })
}
