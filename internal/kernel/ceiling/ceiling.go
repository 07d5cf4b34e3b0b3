package ceiling

import (
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Access is a pattern of reading and writing.
type Access string

// The patterns.
const (
	Read  Access = "read"
	Write Access = "write"
	Copy  Access = "copy" // one array read, one written
	Add   Access = "add"  // two arrays read, one written

	Update Access = "update" // one array read and written in place
	Mixed  Access = "mixed"  // the fastest of all that write
)

// Machine is what the machine can do. Each figure is measured when it is first
// asked for, in some milliseconds, tenths of a second for the memory. It is safe
// for concurrent use, but measures well only alone.
type Machine struct {
	kernels
	levels []Level
	mu     sync.Mutex
	known  map[figure]float64
}

// figure names a figure: multiply-adds if the access is "".
type figure struct {
	workers int
	access  Access
	level   int
}

// New returns a Machine that has measured nothing yet.
func New() *Machine {
	return &Machine{kernels: native(), levels: levels("/sys/devices/system/cpu/cpu0/cache"), known: map[figure]float64{}}
}

// FLOPs returns the floating-point operations a second that multiply-adds reach
// on the given number of workers, at most as many as Go may use cores.
func (m *Machine) FLOPs(workers int) float64 {
	return m.get(figure{workers: workers}, func() float64 {
		const turns = 1 << 18 // some tenths of a millisecond
		seconds := best(workers, func(int) { m.fma(turns) })
		return float64(workers) * turns * m.flops / seconds
	})
}

// Bytes returns the bytes a second that arrays of set bytes together are read
// and written with, on the given number of workers that share them evenly.
func (m *Machine) Bytes(workers int, a Access, set float64) float64 {
	if a == Mixed {
		var fastest float64
		for _, part := range []Access{Write, Copy, Add, Update} {
			fastest = max(fastest, m.Bytes(workers, part, set))
		}
		return fastest
	}
	level := m.level(workers, set)
	return m.get(figure{workers, a, level}, func() float64 { return m.stream(workers, a, m.levels[level]) })
}

// Levels returns the caches from the smallest on, then the memory.
func (m *Machine) Levels() []Level { return slices.Clone(m.levels) }

// Level names the level of the memory that holds set bytes.
func (m *Machine) Level(workers int, set float64) string { return m.levels[m.level(workers, set)].Name }

func (m *Machine) get(f figure, measure func() float64) float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := m.known[f]
	if !ok {
		v = measure()
		m.known[f] = v
	}
	return v
}

// level returns the index of the first level that holds set bytes.
func (m *Machine) level(workers int, set float64) int {
	for i, l := range m.levels {
		share := set
		if !l.Shared {
			share /= float64(workers)
		}
		if share <= float64(l.Size) {
			return i
		}
	}
	return len(m.levels) - 1
}

// stream measures an access at a level.
func (m *Machine) stream(workers int, a Access, l Level) float64 {
	size := l.set(workers) / 4 // float32
	streams := map[Access]int{Read: 1, Write: 1, Update: 1, Copy: 2, Add: 3}[a]
	n := max(turn, size/streams/turn*turn)
	sets := make([][][]float32, workers)
	for w := range sets {
		sets[w] = arrays(streams, n)
	}
	run := func(w int) {
		switch s := sets[w]; a {
		case Read:
			m.read(s[0])
		case Write:
			m.write(s[0])
		case Update:
			m.update(s[0])
		case Copy:
			m.copy(s[0], s[1])
		case Add:
			m.add(s[0], s[1], s[2])
		}
	}
	repeat := max(1, 1<<24/(n*streams)) // some tenths of a millisecond
	seconds := best(workers, func(w int) {
		for range repeat {
			run(w)
		}
	})
	bytes := float64(4 * streams * n * repeat * workers)
	if a == Update {
		bytes *= 2
	}
	return bytes / seconds
}

// skew is the float32 between arrays, so that no two begin at the same place of
// a page.
const skew = 80

// arrays returns arrays of n ones, one after the other in memory.
func arrays(count, n int) (out [][]float32) {
	all := make([]float32, count*(n+skew))
	for i := range all {
		all[i] = 1
	}
	for i := range count {
		out = append(out, all[i*(n+skew):][:n])
	}
	return out
}

// best returns the seconds of the fastest of some runs of f(0) to f(workers-1) at
// the same time. Package pool would let the caller do everything by itself when
// its helpers come late, and threads that sleep between runs may wake on one core:
// here they meet before every run without sleeping, until they have had a core each
// in enough runs, or for half a second.
func best(workers int, f func(w int)) float64 {
	const runs, limit = 12, time.Second / 2
	var wait sync.WaitGroup
	var rounds barrier
	var stop atomic.Bool
	fastest, begin := time.Duration(math.MaxInt64), time.Now()
	took, together := make([]span, workers), 0
	for w := range workers {
		wait.Go(func() {
			for !stop.Load() {
				rounds.meet(workers)
				start := time.Since(begin)
				f(w)
				took[w] = span{start, time.Since(begin)}
				rounds.meet(workers)
				if w == 0 {
					all, shared := whole(took)
					fastest = min(fastest, all)
					if 4*shared >= 3*all {
						together++
					}
					stop.Store(together >= runs || time.Since(begin) > limit)
				}
				rounds.meet(workers)
			}
		})
	}
	wait.Wait()
	return fastest.Seconds()
}

// span is when a worker's part of a run began and ended.
type span struct{ start, end time.Duration }

// whole returns the time from the first start to the last end, and how much of it all
// were at work, below 0 if they never were at the same time. One worker's clock would
// not do: one that the system holds up at the barrier starts when the others have
// finished, and its part alone would count as the work of all.
func whole(took []span) (all, shared time.Duration) {
	first, last, inner := took[0].start, took[0].end, took[0]
	for _, s := range took[1:] {
		first, last = min(first, s.start), max(last, s.end)
		inner = span{max(inner.start, s.start), min(inner.end, s.end)}
	}
	return last - first, inner.end - inner.start
}

// barrier is where goroutines wait for each other.
type barrier struct{ arrived atomic.Int64 }

// meet returns when a multiple of workers goroutines have come.
func (b *barrier) meet(workers int) {
	n := int64(workers)
	for want := (b.arrived.Add(1) + n - 1) / n * n; b.arrived.Load() < want; {
		for range 1000 { // then the others get this thread, should there be too few
			if b.arrived.Load() >= want {
				return
			}
		}
		runtime.Gosched()
	}
}
