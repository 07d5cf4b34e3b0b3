package pool_test

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gophersnake/gophersnake/internal/pool"
)

// withProcs sets GOMAXPROCS for one test, so that helpers really run beside
// each other (procs > cores) or can never do so (1).
func withProcs(t *testing.T, procs int) {
	t.Helper()
	old := runtime.GOMAXPROCS(procs)
	t.Cleanup(func() { runtime.GOMAXPROCS(old) })
}

func TestRunCallsEveryTaskOnce(t *testing.T) {
	for _, procs := range []int{1, 2, 8} {
		withProcs(t, procs)
		for _, workers := range []int{-1, 0, 1, 2, 3, 8, 100} {
			for _, n := range []int{0, 1, 2, 3, 7, 64, 1000} {
				calls := make([]atomic.Int32, n)
				pool.Run(workers, n, func(i int) { calls[i].Add(1) })
				for i := range calls {
					if got := calls[i].Load(); got != 1 {
						t.Fatalf("procs %d, workers %d, n %d: task %d was called %d times, want 1",
							procs, workers, n, i, got)
					}
				}
			}
		}
	}
}

// Writes of tasks are visible to the caller after Run, and those before Run
// to the tasks: the race detector is the judge.
func TestRunOrdersMemory(t *testing.T) {
	withProcs(t, 4)
	data := make([]int, 64)
	for round := range 2000 {
		data[0] = round
		base := data[0]
		pool.Run(4, len(data), func(i int) { data[i] = base + i })
		for i, got := range data {
			if got != round+i {
				t.Fatalf("round %d: data[%d] is %d, want %d", round, i, got, round+i)
			}
		}
	}
}

func TestRunInlineKeepsOrder(t *testing.T) {
	var order []int
	pool.Run(1, 5, func(i int) { order = append(order, i) })
	if got, want := fmt.Sprint(order), "[0 1 2 3 4]"; got != want {
		t.Errorf("order is %s, want %s", got, want)
	}
}

func TestRunNested(t *testing.T) {
	withProcs(t, 4)
	var sum atomic.Int64
	pool.Run(4, 8, func(int) {
		pool.Run(4, 8, func(i int) {
			pool.Run(4, 3, func(j int) { sum.Add(int64(i + j)) })
		})
	})
	if got, want := sum.Load(), int64(8*(3*28+8*3)); got != want {
		t.Errorf("sum is %d, want %d", got, want)
	}
}

// Several training runs at once, and more goroutines than processors.
func TestRunConcurrentCallers(t *testing.T) {
	for _, procs := range []int{1, 3} {
		withProcs(t, procs)
		var wg sync.WaitGroup
		for caller := range 5 {
			wg.Go(func() {
				out := make([]int, 33)
				for round := range 300 {
					pool.Run(3, len(out), func(i int) { out[i] = caller*round + i })
					for i, got := range out {
						if got != caller*round+i {
							t.Errorf("caller %d, round %d: out[%d] is %d", caller, round, i, got)
							return
						}
					}
				}
			})
		}
		wg.Wait()
	}
}

// A helper that parked between two calls is woken; one that is still asleep
// when the tasks are done is not waited for.
func TestRunAfterPark(t *testing.T) {
	withProcs(t, 2)
	for range 50 {
		time.Sleep(200 * time.Microsecond) // longer than the helpers spin
		var calls atomic.Int32
		pool.Run(2, 2, func(int) {
			calls.Add(1)
			time.Sleep(100 * time.Microsecond) // longer than a wake-up takes
		})
		if calls.Load() != 2 {
			t.Fatalf("%d calls, want 2", calls.Load())
		}
	}
}

// The caller itself goes to sleep when a helper's task is long.
func TestRunWaitsForLongTask(t *testing.T) {
	withProcs(t, 2)
	for range 20 {
		var finished atomic.Int32
		pool.Run(2, 2, func(int) {
			time.Sleep(time.Millisecond)
			finished.Add(1)
		})
		if finished.Load() != 2 {
			t.Fatalf("Run returned after %d of 2 tasks", finished.Load())
		}
	}
}

func TestRunRaisesPanicOnCaller(t *testing.T) {
	withProcs(t, 4)
	for bad := range 16 {
		got := func() (reason any) {
			defer func() { reason = recover() }()
			pool.Run(4, 16, func(i int) {
				if i == bad {
					panic("task " + fmt.Sprint(i))
				}
				time.Sleep(20 * time.Microsecond)
			})
			return nil
		}()
		if want := "task " + fmt.Sprint(bad); got != want {
			t.Errorf("Run panics with %v, want %q", got, want)
		}
		var calls atomic.Int32 // and the pool is as good as before
		pool.Run(4, 16, func(int) { calls.Add(1) })
		if calls.Load() != 16 {
			t.Fatalf("after the panic %d of 16 tasks ran", calls.Load())
		}
	}
}

// Goexit (t.FailNow in a task) must not take the helper, or Run, with it.
func TestRunSurvivesGoexit(t *testing.T) {
	withProcs(t, 4)
	for range 20 {
		returned := make(chan bool)
		go func() {
			defer close(returned)
			defer func() { _ = recover() }() // the task ran on a helper
			pool.Run(4, 8, func(int) {
				time.Sleep(50 * time.Microsecond)
				runtime.Goexit()
			})
		}()
		<-returned
	}
	var calls atomic.Int32
	pool.Run(4, 64, func(int) { calls.Add(1) })
	if calls.Load() != 64 {
		t.Errorf("%d calls, want 64", calls.Load())
	}
}

func TestRunDoesNotAllocate(t *testing.T) {
	var sum atomic.Int64
	f := func(i int) { sum.Add(int64(i)) }
	pool.Run(2, 8, f) // the first call starts the helpers
	if got := testing.AllocsPerRun(100, func() { pool.Run(2, 8, f) }); got != 0 {
		t.Errorf("Run allocates %v times, want 0", got)
	}
}

// BenchmarkRun is the price of one operation: empty tasks, back to back.
func BenchmarkRun(b *testing.B) {
	f := func(int) {}
	for _, workers := range []int{1, 2} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			for b.Loop() {
				pool.Run(workers, 2, f)
			}
		})
	}
}

// BenchmarkRunShared checks that helpers do join: two tasks of 10 µs take
// little more than 10 µs on two cores.
func BenchmarkRunShared(b *testing.B) {
	f := func(int) {
		for start := time.Now(); time.Since(start) < 10*time.Microsecond; {
		}
	}
	for b.Loop() {
		pool.Run(2, 2, f)
	}
}
