package cpu_test

import (
	"runtime"
	"sync"
	"testing"

	"github.com/gophersnake/gophersnake/internal/device/cpu"
)

// TestConcurrentUse runs the table on one device by several goroutines, each
// of which takes other cases.
func TestConcurrentUse(t *testing.T) {
	const goroutines = 3
	one, shared := cpu.New(1), cpu.New(2)
	var wg sync.WaitGroup
	all := cases()
	for g := range goroutines {
		wg.Go(func() {
			for i := g; i < len(all); i += goroutines {
				if err := sameBits(all[i].collect(shared), all[i].collect(one)); err != nil {
					t.Errorf("%v: %v", all[i], err)
				}
			}
		})
	}
	wg.Wait()
}

// TestSteadyStateAllocatesLittle: closures, no arrays, once every piece of
// scratch has met its largest use on every core.
func TestSteadyStateAllocatesLittle(t *testing.T) {
	const runs, limit, patience = 20, 4096, 20 // limit: bytes an operation may leave behind
	if raceDetector {
		t.Skip("sync.Pool, in the kernels, drops some of what it is given when the race detector runs")
	}
	for _, bench := range benchmarks(3, 100, 32) {
		f := bench.setup(newEnv(cpu.New(2)))
		var each uint64
		for range patience {
			if each = allocated(runs, f); each <= limit {
				break
			}
		}
		if each > limit {
			t.Errorf("%s allocates %d bytes each time, want at most %d", bench.name, each, limit)
		}
	}
}

// allocated returns how many bytes a call of f allocates, over some calls.
func allocated(calls int, f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range calls {
		f()
	}
	runtime.ReadMemStats(&after)
	return (after.TotalAlloc - before.TotalAlloc) / uint64(calls)
}

func TestScratchIsReused(t *testing.T) {
	for _, n := range []int{1, 63, 64, 65, 1 << 20} {
		dev := cpu.New(1)
		first := cpu.Borrow(dev, n)
		cpu.GiveBack(dev, first)
		if again := cpu.Borrow(dev, n); len(again) != n || &again[0] != &first[0] {
			t.Errorf("n = %d: got other memory the second time", n)
		}
	}
}
