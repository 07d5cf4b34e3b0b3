package matvec

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/gophersnake/gophersnake/internal/kernel/ceiling"
)

// machine is what the machine can do, measured as far as benchmarks ask.
var machine = sync.OnceValue(ceiling.New)

// BenchmarkMul reads matrices that lie in the first two caches and in memory, and
// reports the speed of the fastest run.
func BenchmarkMul(b *testing.B) {
	for _, s := range []struct{ n, k int }{{128, 64}, {512, 128}, {1024, 256}, {50280, 768}} {
		for _, f := range Formats() {
			b.Run(fmt.Sprintf("%dx%d/%s", s.n, s.k, f), func(b *testing.B) {
				m := New(f, s.n, s.k, random(s.n*s.k, 1))
				x, y := random(s.k, 2), make([]float32, s.n)
				fastest := time.Hour
				for b.Loop() {
					start := time.Now()
					m.Mul(0, s.n, x, y)
					fastest = min(fastest, time.Since(start))
				}
				work := ceiling.Work{Workers: 1, FLOPs: 2 * float64(s.n*s.k), Reads: float64(m.Bytes())}
				machine().Report(b, work, fastest.Seconds())
			})
		}
	}
}
