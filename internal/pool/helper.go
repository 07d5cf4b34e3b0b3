package pool

import (
	"runtime"
	"sync/atomic"
	"time"
)

// How long a goroutine waits at full speed before it gives its thread away.
const (
	// spinTime is about ten times what the scheduler needs to wake a parked
	// goroutine (some 5 µs), so that spinning costs little against the
	// sleeps it avoids, and an idle process uses no processor at all.
	spinTime = 50 * time.Microsecond
	// spinLoads is the number of loads between two looks at the clock, less
	// than a microsecond's worth.
	spinLoads = 256
	// yieldLooks is the number of looks at the clock between two calls of
	// the scheduler: other goroutines wait some microseconds at the most.
	yieldLooks = 16
)

// The states of a helper. The arrows are atomic and marked with who makes
// them: the caller of Run (c) or the helper (h).
//
//	parked  → invited  c  wakes the helper
//	idle    → invited  c
//	idle    → parked   h  after spinTime without an invitation
//	invited → idle     c  withdraws: all tasks were taken by others
//	invited → working  h  joins
//	working → idle     h  no task is left
//	working → awaited  c  goes to sleep until the helper has finished
//	awaited → idle     h  wakes the caller
const (
	idle uint32 = iota
	parked
	invited
	working
	awaited
)

// A helper is one persistent goroutine of a team.
type helper struct {
	team  *team
	wake  chan struct{} // capacity 1: parked → invited
	done  chan struct{} // capacity 1: awaited → idle
	_     [64]byte      // state is polled: it has its cache lines to itself
	state atomic.Uint32
	_     [124]byte
}

func newHelper(t *team) *helper {
	return &helper{team: t, wake: make(chan struct{}, 1), done: make(chan struct{}, 1)}
}

// invite asks the helper to join the team's job.
func (p *helper) invite() {
	if p.state.Swap(invited) == parked {
		p.wake <- struct{}{}
	}
}

// dismiss takes the invitation back or, when the helper has joined, waits
// until it has finished.
func (p *helper) dismiss() {
	if p.state.CompareAndSwap(invited, idle) {
		return
	}
	if p.spinUntil(idle) {
		return
	}
	if p.state.CompareAndSwap(working, awaited) {
		<-p.done
	}
}

// spinUntil polls the state for spinTime and reports whether it was seen to
// be want.
func (p *helper) spinUntil(want uint32) bool {
	var start time.Time
	for look := 0; ; look++ {
		for range spinLoads {
			if p.state.Load() == want {
				return true
			}
		}
		switch {
		case look == 0:
			start = time.Now()
		case time.Since(start) > spinTime:
			return false
		case look%yieldLooks == 0:
			runtime.Gosched()
		}
	}
}

// loop is the helper's life.
func (p *helper) loop() {
	for {
		if !p.spinUntil(invited) {
			if p.state.CompareAndSwap(idle, parked) {
				<-p.wake
			}
			continue
		}
		if p.state.CompareAndSwap(invited, working) {
			p.work()
		}
	}
}

// work does tasks until none is left. A panic, or a call of runtime.Goexit,
// in a task is kept for the caller of Run.
func (p *helper) work() {
	completed := false
	defer func() {
		if !completed {
			p.fail(recover())
		}
		if p.state.Swap(idle) == awaited {
			p.done <- struct{}{}
		}
	}()
	p.team.work()
	completed = true
}

// fail records why a task did not complete; a nil reason is a Goexit, which
// ends this goroutine, so another one takes its place.
func (p *helper) fail(reason any) {
	if reason == nil {
		reason = "pool: Run: a task called runtime.Goexit"
		go p.loop()
	}
	p.team.next.Store(p.team.n)
	p.team.failure.record(reason)
}
