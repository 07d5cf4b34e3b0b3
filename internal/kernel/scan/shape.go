package scan

import (
	"fmt"
	"unsafe"
)

// Runner calls f(0) … f(n−1), in any order and on any goroutines, and returns
// when all calls have returned. A nil Runner runs them in order.
type Runner func(n int, f func(task int))

func (r Runner) do(n int, f func(task int)) {
	if r != nil && n > 1 {
		r(n, f)
		return
	}
	for i := range n {
		f(i)
	}
}

// Shape is the size of a scan.
type Shape struct {
	B int // batch rows
	L int // steps
	D int // channels
	N int // states of a channel; 1 in a Linear recurrence
}

func (s Shape) groups() int { return (s.D + lanes - 1) / lanes }
func (s Shape) chunks() int { return (s.L + chunk - 1) / chunk }
func (s Shape) tasks() int  { return s.B * s.blocks() }

const (
	// enoughTasks keeps 16 cores busy; more tasks only add partial sums.
	enoughTasks = 16
	// minBlockGroups is 64 channels: below it the per-block sums of dB and dC
	// over lanes cost more than a tenth of the scan.
	minBlockGroups = 8
	// minTaskWork is about 30 µs of scan; smaller tasks are not worth waking
	// a worker for.
	minTaskWork = 1 << 17
)

// blocks is the number of channel blocks that a batch row is split into. It
// depends on the shape only, never on the number of workers.
func (s Shape) blocks() int {
	want := (enoughTasks + s.B - 1) / s.B
	want = min(want, s.groups()/minBlockGroups, s.L*s.D*s.N/minTaskWork)
	return max(want, 1)
}

// widest is the most groups of a block.
func (s Shape) widest() int {
	pairs := (s.groups() + 1) / 2
	return (pairs + s.blocks() - 1) / s.blocks() * 2
}

// task is the batch row and the channel block of task i: first halves and second
// halves of all in turn. So two workers are always half the arrays apart, and each
// comes to a row's next block while the addresses of the row are still known.
func (s Shape) task(i int) (b, block int) {
	half := (s.tasks() + 1) / 2
	i = i/2 + i%2*half
	return i / s.blocks(), i % s.blocks()
}

// split is the half-open range of groups of block i of n: whole pairs, but for
// the last group of an odd number.
func split(groups, n, i int) (lo, hi int) {
	pairs := (groups + 1) / 2
	return i * pairs / n * 2, min((i+1)*pairs/n*2, groups)
}

// check panics unless every size is positive.
func (s Shape) check(who string) {
	if s.B < 1 || s.L < 1 || s.D < 1 || s.N < 1 {
		panic(fmt.Sprintf("scan: %s: shape B=%d L=%d D=%d N=%d, want all ≥ 1", who, s.B, s.L, s.D, s.N))
	}
}

// dims is the expected shape of a buffer, with its letters for the message.
type dims struct {
	letters string
	n       int
}

func (s Shape) bld() dims   { return dims{"(B, L, D)", s.B * s.L * s.D} }
func (s Shape) bln() dims   { return dims{"(B, L, N)", s.B * s.L * s.N} }
func (s Shape) bdn() dims   { return dims{"(B, D, N)", s.B * s.D * s.N} }
func (s Shape) dn() dims    { return dims{"(D, N)", s.D * s.N} }
func (s Shape) dOnly() dims { return dims{"(D)", s.D} }

// want panics unless x has the length of d; a nil x passes when it may be nil.
func (s Shape) want(who, name string, x []float32, d dims, mayBeNil bool) {
	if x == nil && mayBeNil {
		return
	}
	if len(x) != d.n {
		panic(fmt.Sprintf("scan: %s: %s has %d values, want %s = %d at B=%d L=%d D=%d N=%d",
			who, name, len(x), d.letters, d.n, s.B, s.L, s.D, s.N))
	}
}

// cacheLine is 64 bytes of float32: scratch pieces start on such a boundary,
// so that no vector load straddles two lines.
const cacheLine = 16

// arena hands out pieces of one scratch buffer. With a nil buffer it only
// counts; layouts therefore run twice, first to learn the size.
type arena struct {
	buf []float32
	off int
}

func (a *arena) take(n int) []float32 {
	lo := a.off
	a.off += (n + cacheLine - 1) / cacheLine * cacheLine
	if a.buf == nil {
		return nil
	}
	return a.buf[lo : lo+n : lo+n]
}

// guard is how many floats lie unused between the scratch of two tasks. A core
// that walks through its rows asks ahead for some 16 more, past the end too, and
// would take lines from a core that is writing them: measured, a backward pass
// on two cores without a cache in common took 2.2 times as long.
const guard = 4096

// pieces are equal parts of one scratch buffer, one for each task.
type pieces struct {
	buf  []float32
	each int
}

// pieces takes n parts of so many floats.
func (a *arena) pieces(n, each int) pieces {
	if n > 1 {
		each += guard
	}
	return pieces{a.take(n * each), each}
}

// of is the arena of task i.
func (p pieces) of(i int) arena { return arena{buf: p.buf[i*p.each:][:p.each]} }

// scratch runs lay on memory from alloc (make when nil), aligned to a cache
// line. The memory may hold anything at first.
func scratch(alloc func(n int) []float32, lay func(*arena)) {
	var size arena
	lay(&size)
	n := size.off + cacheLine
	if alloc == nil {
		alloc = func(n int) []float32 { return make([]float32, n) }
	}
	buf := alloc(n)
	skew := int(uintptr(unsafe.Pointer(&buf[0])) / 4 % cacheLine)
	buf = buf[(cacheLine-skew)%cacheLine:]
	lay(&arena{buf: buf[:size.off:size.off]})
}
