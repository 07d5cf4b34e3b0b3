package ceiling

import "time"

// Work is what a piece of code does.
type Work struct {
	Workers int
	FLOPs   float64 // floating-point operations, a multiply-add being 2
	Reads   float64 // bytes
	Writes  float64 // bytes
	Set     float64 // bytes that are touched, where some are touched more than once; 0: Reads and Writes
}

// Floor returns the seconds that the machine needs for w at least, its operands
// lying where w.Set fits.
func (m *Machine) Floor(w Work) float64 { return max(m.arithmetic(w), m.traffic(w)) }

func (m *Machine) arithmetic(w Work) float64 {
	if w.FLOPs == 0 {
		return 0
	}
	return w.FLOPs / m.FLOPs(w.Workers)
}

// traffic returns the seconds for the bytes.
func (m *Machine) traffic(w Work) float64 {
	bytes := w.Reads + w.Writes
	if bytes == 0 {
		return 0
	}
	pattern, set := Mixed, w.Set
	if w.Writes == 0 {
		pattern = Read
	}
	if set == 0 {
		set = bytes
	}
	return bytes / m.Bytes(w.Workers, pattern, set)
}

// Metrics is what of a testing.B takes figures.
type Metrics interface {
	ReportMetric(value float64, unit string)
}

// Report reports GFLOP/s and GB/s of w done in the given time, as far as it has
// any, and %peak: 100 times the least possible time over this.
func (m *Machine) Report(b Metrics, w Work, seconds float64) {
	if w.FLOPs > 0 {
		b.ReportMetric(w.FLOPs/seconds/1e9, "GFLOP/s")
	}
	if bytes := w.Reads + w.Writes; bytes > 0 {
		b.ReportMetric(bytes/seconds/1e9, "GB/s")
	}
	b.ReportMetric(100*m.Floor(w)/seconds, "%peak")
}

// Fastest returns the seconds of the fastest run of f while loop, a testing.B's Loop,
// goes on: on a machine shared with others the mean says more about them. Short
// functions are timed in bundles of at least 20 µs, against which reading the clock
// costs nothing.
func Fastest(loop func() bool, f func()) float64 {
	bundle := 1
	for timed(bundle, f) < 20*time.Microsecond {
		bundle *= 2
	}
	best := timed(bundle, f)
	for loop() {
		best = min(best, timed(bundle, f))
	}
	return best.Seconds() / float64(bundle)
}

func timed(runs int, f func()) time.Duration {
	start := time.Now()
	for range runs {
		f()
	}
	return time.Since(start)
}
