package cpu

import (
	"runtime"
	"sync/atomic"
	"time"

	"github.com/gophersnake/gophersnake/internal/pool"
)

// program implements device.Program. A worker does the steps of its shares, the
// same rows of the same matrices every time, so that they stay in its caches. All
// shares of a segment are done before one of the next begins.
//
// A share that its worker has not begun is done by one that waits for it: the
// step goes on at its pace while the machine is busy elsewhere. What a share
// computes does not depend on who does it.
type program struct {
	segments [][][]func() // by share
	shares   []share
	workers  int
	base     int64 // segments of all runs before this one
	broken   atomic.Bool
	work     func(worker int)
	bytes    int
}

// share is how far a share has come, in segments of all runs: begun is taken
// before the work, done told after it. They have cache lines to themselves,
// since others look at done all the time.
type share struct {
	begun atomic.Int64
	_     [120]byte
	done  atomic.Int64
	_     [120]byte
}

// newProgram returns a program of some shares for each worker.
func newProgram(segments [][][]func(), workers int) *program {
	p := &program{segments: segments, shares: make([]share, len(segments)), workers: workers}
	p.work = p.worker
	return p
}

// Run implements device.Program.
func (p *program) Run() {
	if p.broken.Load() {
		panic("cpu: Program.Run: an earlier run has panicked")
	}
	if len(p.shares) == 1 {
		for _, segment := range p.segments[0] {
			for _, step := range segment {
				step()
			}
		}
		return
	}
	pool.Run(p.workers, p.workers, p.work)
	p.base += int64(len(p.segments[0]))
}

// WeightBytes implements device.Program.
func (p *program) WeightBytes() int { return p.bytes }

// worker does its shares of every segment, those of others that they have not
// begun if each has several, and waits for all. At the end only the first waits.
func (p *program) worker(w int) {
	finished, alone := false, false
	defer func() {
		if !finished {
			p.broken.Store(true) // nobody waits for a share that panicked
		}
	}()
	last := len(p.segments[0]) - 1
	for segment := range last + 1 {
		for share := w; share < len(p.shares); share += p.workers {
			p.try(share, segment)
		}
		if alone || len(p.shares) > p.workers {
			for share := range p.shares {
				p.try(share, segment)
			}
		}
		if segment == last && w > 0 {
			break
		}
		for share := range p.shares {
			mine, ok := p.wait(share, segment)
			if !ok {
				return
			}
			alone = alone || mine
		}
	}
	finished = true
}

// try does a share of a segment unless somebody has begun it, and says whether it
// did.
func (p *program) try(share, segment int) bool {
	s, at := &p.shares[share], p.base+int64(segment)
	if s.begun.Load() != at || !s.begun.CompareAndSwap(at, at+1) {
		return false
	}
	for _, step := range p.segments[share][segment] {
		step()
	}
	s.done.Store(at + 1)
	return true
}

const (
	// waitLoads is the loads between two looks at other things than the share:
	// less than a microsecond.
	waitLoads = 512
	// waitLooks is the looks before a worker sleeps, some twenty microseconds:
	// the one it waits for has lost its processor, and may need this one.
	waitLooks = 64
	// waitSleep is shorter than any system's time slice.
	waitSleep = 20 * time.Microsecond
)

// wait returns when a share of a segment is done. mine says that this worker did
// it because nobody had begun it for a while: it does not wait again in this run.
// ok is false if the share never will be done.
func (p *program) wait(share, segment int) (mine, ok bool) {
	s, want := &p.shares[share], p.base+int64(segment)+1
	for look := 0; ; look++ {
		for range waitLoads {
			if s.done.Load() >= want {
				return false, true
			}
		}
		switch {
		case p.broken.Load():
			return false, false
		case p.try(share, segment):
			return true, true
		case look > waitLooks:
			time.Sleep(waitSleep)
		default:
			runtime.Gosched()
		}
	}
}
