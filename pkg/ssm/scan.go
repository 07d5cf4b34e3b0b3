package ssm

import (
	"fmt"
	"math/bits"
	"runtime"

	"github.com/gophersnake/gophersnake/internal/pool"
)

// Algorithm names a way to compute the scan h_t = a_t h_{t−1} + b_t.
type Algorithm string

// The scan algorithms. All use the same operator on pairs, with the earlier
// pair on the left (Blelloch 1990, §1.4; minimal-LRU):
//
//	(a₁,b₁) • (a₂,b₂) = (a₂a₁, a₂b₁ + b₂)
const (
	AlgSequential   Algorithm = "sequential"
	AlgHillisSteele Algorithm = "hillis_steele"
	AlgBlelloch     Algorithm = "blelloch"
	AlgChunked      Algorithm = "chunked"
)

// Algorithms lists the scan algorithms.
func Algorithms() []Algorithm {
	return []Algorithm{AlgSequential, AlgHillisSteele, AlgBlelloch, AlgChunked}
}

// Cost says what a scan did, counted while it ran.
type Cost struct {
	Work  int `json:"work"`  // uses of the operator •
	Depth int `json:"depth"` // uses of • that had to wait for each other
}

// ChunkLen is the chunk length of Scan's "chunked": long enough that a chunk
// outweighs handing it to another core, short enough to stay in its L1 cache
// (256 pairs and results of complex128 are 12 KiB).
const ChunkLen = 256

// Scan returns h with h_t = a_t h_{t−1} + b_t, h_{−1} = 0, for a and b of equal
// length, and what it cost. It panics on an unknown algorithm and on lengths
// that differ.
func Scan(alg Algorithm, a, b []float64) (h []float64, c Cost) { return scanBy(alg, a, b) }

// ScanComplex is Scan over ℂ.
func ScanComplex(alg Algorithm, a, b []complex128) (h []complex128, c Cost) { return scanBy(alg, a, b) }

func scanBy[T number](alg Algorithm, a, b []T) ([]T, Cost) {
	switch alg {
	case AlgSequential:
		return sequential(a, b)
	case AlgHillisSteele:
		return hillisSteele(a, b)
	case AlgBlelloch:
		return blelloch(a, b)
	case AlgChunked:
		return chunked(a, b, ChunkLen)
	}
	panic(fmt.Sprintf("ssm: Scan: algorithm %q, want one of %v", alg, Algorithms()))
}

// Sequential is the loop over t: n−1 combines, each waiting for the last.
func Sequential(a, b []float64) (h []float64, c Cost) { return sequential(a, b) }

// HillisSteele doubles the reach of every element in each of ⌈log₂ n⌉ rounds
// (Hillis & Steele 1986): little depth, but n·log₂ n − n + 1 combines when n is
// a power of two.
func HillisSteele(a, b []float64) (h []float64, c Cost) { return hillisSteele(a, b) }

// Blelloch sums pairs up a binary tree and hands prefixes down it again
// (Blelloch 1990): 2(n−1) combines in a depth of 2⌈log₂ n⌉.
func Blelloch(a, b []float64) (h []float64, c Cost) { return blelloch(a, b) }

// Chunked scans chunks of the given length on all cores, then carries each
// chunk's end into the next: at most 2n combines in a depth of about
// chunk + n/chunk. The chunk length alone decides the result, not the number of
// cores. It panics unless chunk ≥ 1.
func Chunked(a, b []float64, chunk int) (h []float64, c Cost) { return chunked(a, b, chunk) }

type number interface{ float64 | complex128 }

// pair is an element of the scan: the map h ↦ a h + b.
type pair[T number] struct{ a, b T }

// then returns p • q: first p, then q.
func (p pair[T]) then(q pair[T]) pair[T] { return pair[T]{q.a * p.a, q.a*p.b + q.b} }

func pairs[T number](a, b []T) []pair[T] {
	if len(a) != len(b) {
		panic(fmt.Sprintf("ssm: Scan: b has %d elements, want %d as a", len(b), len(a)))
	}
	x := make([]pair[T], len(a))
	for i := range x {
		x[i] = pair[T]{a[i], b[i]}
	}
	return x
}

func results[T number](x []pair[T]) []T {
	h := make([]T, len(x))
	for i := range h {
		h[i] = x[i].b
	}
	return h
}

// inclusive replaces each pair by the product of all up to and with it.
func inclusive[T number](x []pair[T]) (c Cost) {
	for i := 1; i < len(x); i++ {
		x[i] = x[i-1].then(x[i])
		c.Work++
		c.Depth++
	}
	return c
}

func sequential[T number](a, b []T) ([]T, Cost) {
	x := pairs(a, b)
	c := inclusive(x)
	return results(x), c
}

func hillisSteele[T number](a, b []T) ([]T, Cost) {
	x := pairs(a, b)
	y := make([]pair[T], len(x))
	var c Cost
	for reach := 1; reach < len(x); reach *= 2 {
		copy(y[:reach], x)
		for i := reach; i < len(x); i++ {
			y[i] = x[i-reach].then(x[i])
			c.Work++
		}
		x, y = y, x
		c.Depth++
	}
	return results(x), c
}

// blelloch keeps the tree in place: after the way up, x[i] at the last place of
// a subtree holds that subtree's product. Places from n on are empty; a subtree
// that lies there takes no part.
func blelloch[T number](a, b []T) ([]T, Cost) {
	n := len(a)
	x := pairs(a, b)
	if n == 0 {
		return results(x), Cost{}
	}
	size := 1 << bits.Len(uint(n-1)) // n rounded up to a power of two
	x = append(x, make([]pair[T], size-n)...)
	var c Cost
	for half := 1; half < size; half *= 2 {
		for left := half - 1; left < size; left += 2 * half {
			right := left + half
			if left+1 >= n { // the right subtree is empty
				x[right] = x[left]
				continue
			}
			x[right] = x[left].then(x[right])
			c.Work++
		}
		c.Depth++
	}
	total := x[size-1]
	x[size-1] = pair[T]{a: 1}
	for half := size / 2; half >= 1; half /= 2 {
		for left := half - 1; left < size; left += 2 * half {
			right := left + half
			before, sum := x[right], x[left]
			x[left] = before
			if left+1 < n {
				x[right] = before.then(sum)
				c.Work++
			}
		}
		c.Depth++
	}
	// x[i] is now the product of all before i: the inclusive scan is one place on.
	return results(append(x[1:n:n], total)), c
}

// chunked runs each chunk by itself, then the chunks' ends one after the other,
// then adds to each chunk what came before it.
func chunked[T number](a, b []T, chunk int) ([]T, Cost) {
	if chunk < 1 {
		panic(fmt.Sprintf("ssm: Chunked: chunk is %d, want at least 1", chunk))
	}
	x := pairs(a, b)
	var parts [][]pair[T]
	for lo := 0; lo < len(x); lo += chunk {
		parts = append(parts, x[lo:min(lo+chunk, len(x))])
	}
	inside := onCores(parts, func(_ int, p []pair[T]) Cost { return inclusive(p) })
	if len(parts) < 2 {
		return results(x), inside
	}
	before := make([]pair[T], len(parts)-1) // before[k] is the product of chunks 0 to k
	for k := range before {
		before[k] = parts[k][chunk-1]
	}
	across := inclusive(before)
	add := onCores(parts[1:], func(k int, p []pair[T]) Cost {
		for i := range p {
			p[i] = before[k].then(p[i])
		}
		return Cost{Work: len(p), Depth: 1}
	})
	return results(x), Cost{inside.Work + across.Work + add.Work, inside.Depth + across.Depth + add.Depth}
}

// onCores calls f for every part, side by side: work adds up, the deepest part
// counts. A panic in f reaches the caller.
func onCores[T number](parts [][]pair[T], f func(k int, p []pair[T]) Cost) (c Cost) {
	cost := make([]Cost, len(parts))
	pool.Run(runtime.GOMAXPROCS(0), len(parts), func(k int) { cost[k] = f(k, parts[k]) })
	for _, one := range cost {
		c.Work += one.Work
		c.Depth = max(c.Depth, one.Depth)
	}
	return c
}
