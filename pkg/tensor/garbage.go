package tensor

import (
	"runtime"
	"runtime/metrics"
	"time"
)

// Go lets as much garbage pile up as there is live memory. A tape's memory is
// live and may be most of it, while a step leaves some hundred kilobytes behind:
// after some hundred steps, twice the memory would be in use. So a tape that
// holds at least garbageFrom bytes sees to it that no more than its
// garbageShare-th part comes on top, unless that would take more than about a
// hundredth of the time: a collection costs some 0.4 ms.
const (
	garbageFrom  = 16 << 20
	garbageShare = 32
	garbageEvery = 50 * time.Millisecond
)

// garbage counts what the process has allocated since the last collection that
// a tape asked for.
type garbage struct {
	sample [1]metrics.Sample
	before uint64
	last   time.Time
}

// collect is called between two steps of a tape that holds the given number of
// bytes.
func (g *garbage) collect(held int) {
	if held < garbageFrom || time.Since(g.last) < garbageEvery {
		return
	}
	g.sample[0].Name = "/gc/heap/allocs:bytes"
	metrics.Read(g.sample[:])
	if g.sample[0].Value.Kind() != metrics.KindUint64 {
		return
	}
	total := g.sample[0].Value.Uint64()
	if total-g.before > uint64(held/garbageShare) {
		g.before, g.last = total, time.Now()
		runtime.GC()
	}
}
