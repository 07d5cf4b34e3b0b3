// Package pool runs the tasks of one numeric operation on a few persistent
// goroutines.
//
// A training step is thousands of operations of some microseconds each.
// Starting goroutines and waiting on a WaitGroup for every one of them costs
// as much as the work, so the helpers here live on: after a job a helper
// spins for a short while, since the next operation usually follows at once,
// and then parks until it is called.
//
// There is one set of helpers in the process, however many models train at
// the same time. A caller that finds the helpers at work for somebody else
// does its tasks by itself, and so does a task that calls Run again. Nobody
// ever waits for a helper that has not yet begun: an invitation which was not
// taken up by the time the tasks run out is withdrawn. So Run cannot deadlock,
// not even with GOMAXPROCS=1.
//
// Which goroutine does which task is left to chance. Results that must not
// depend on the number of workers give every task its own place to write to,
// and combine those places in a fixed order after Run.
package pool

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Run calls f(i) once for each i in [0, n) and returns when all calls have
// returned. The calls are spread over at most workers goroutines, of which the
// caller is one; never more than GOMAXPROCS are used. Each goroutine takes the
// lowest task not yet taken. With workers <= 1 or n <= 1 the calls are made in
// order on the caller's goroutine with no synchronisation at all.
//
// If a call panics, the tasks not yet begun are dropped and Run panics with
// the same value on the caller's goroutine after all helpers have let go of f.
func Run(workers, n int, f func(i int)) {
	if workers > n {
		workers = n
	}
	if workers > 1 && crew.busy.CompareAndSwap(false, true) {
		if h := min(workers, runtime.GOMAXPROCS(0)) - 1; h > 0 {
			crew.run(h, n, f)
			return
		}
		crew.busy.Store(false)
	}
	for i := range n {
		f(i)
	}
}

// crew is the process's one set of helpers. It is shared because the cores
// are.
var crew team

// A team is a job and the helpers that may be invited to it. Whoever has set
// busy owns every other field until it clears busy again.
type team struct {
	busy    atomic.Bool
	helpers []*helper

	f       func(i int)
	n       int64
	next    atomic.Int64 // the lowest task not yet taken
	failure failure
}

// A failure is the first panic among the helpers of a job.
type failure struct {
	mu     sync.Mutex
	set    bool
	reason any
}

func (p *failure) record(reason any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.set {
		p.set, p.reason = true, reason
	}
}

// run does the job (n, f) with the first h helpers. The caller has set busy.
func (t *team) run(h, n int, f func(i int)) {
	for len(t.helpers) < h {
		p := newHelper(t)
		t.helpers = append(t.helpers, p)
		go p.loop()
	}
	t.f, t.n = f, int64(n)
	t.next.Store(0)
	defer t.finish(h) // also when f panics right here
	for _, p := range t.helpers[:h] {
		p.invite()
	}
	t.work()
}

// work takes tasks until none is left.
func (t *team) work() {
	for {
		i := t.next.Add(1) - 1
		if i >= t.n {
			return
		}
		t.f(int(i))
	}
}

// finish dismisses the helpers, gives the team free, and raises the panic of
// a helper, if there was one, on the caller's goroutine.
func (t *team) finish(h int) {
	t.next.Store(t.n) // after a panic: nobody begins another task
	for _, p := range t.helpers[:h] {
		p.dismiss()
	}
	failed, reason := t.failure.set, t.failure.reason
	t.failure.set, t.failure.reason = false, nil
	t.f = nil
	t.busy.Store(false)
	if failed {
		panic(reason)
	}
}
