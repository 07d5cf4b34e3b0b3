//go:build gophernotes

package main

import (
	"io"
	"log"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cosmos72/gomacro/base"
	interp "github.com/cosmos72/gomacro/fast"
	"github.com/cosmos72/gomacro/xreflect"
)

const (
	// grace is what an interrupted cell gets to end by itself. A training step
	// on a course's model takes some 10 ms; the user shall wait under a second.
	grace = 700 * time.Millisecond
	// again is how often the interrupt is repeated: the interpreter forgets
	// one that arrives between two statements of a cell.
	again = 20 * time.Millisecond
)

// evaluator owns the interpreter and the goroutine that cells run on. The
// interpreter ties its state to a goroutine, so all cells run on the same one,
// until one hangs in a compiled call that cannot be interrupted: then that
// goroutine is given up and another takes over, with all variables.
type evaluator struct {
	Kernel                    // interpreter and renderers, gophernotes' own
	jobs   chan func()        // to the goroutine
	decls  map[string]string  // functions and types of cells, as written
	record func() *interp.Run // the interpreter's record of the goroutine that calls it

	guard   sync.Mutex
	running *job // nil between cells
}

// job is one cell's run.
type job struct {
	done      chan struct{} // closed when it ended
	abandoned chan struct{} // closed when it is given up
	asked     atomic.Bool   // to end
}

func newEvaluator(show func(Data) error) *evaluator {
	e := &evaluator{decls: map[string]string{}}
	ready := make(chan struct{})
	e.jobs = make(chan func())
	go work(e.jobs)
	e.jobs <- func() {
		defer close(ready)
		e.setUp(show)
	}
	<-ready
	return e
}

func work(jobs <-chan func()) {
	for j := range jobs {
		j()
	}
}

// setUp makes the interpreter, as gophernotes does.
func (e *evaluator) setUp(show func(Data) error) {
	ir := interp.New()
	ir.Comp.Universe.Importer = &xreflect.Importer{} // always fails: types come from reflection
	ir.Comp.Stdout, ir.Comp.Stderr = io.Discard, io.Discard
	ir.Comp.Options &^= base.OptShowPrompt | base.OptTrapPanic
	declareBuiltins(ir)
	e.record = recorder(ir)
	e.Kernel = Kernel{ir: ir, display: importPackage(ir, "display", "display")}
	e.initRenderers()
	ir.DeclVar("Display", nil, stubDisplay)
	ir.ValueOf("Display").Set(xreflect.ValueOf(show))
}

// do runs f on the evaluator's goroutine. It returns false when f was
// interrupted and did not end in time; f then goes on by itself until its
// compiled call returns.
func (e *evaluator) do(f func(*job)) bool {
	j := &job{done: make(chan struct{}), abandoned: make(chan struct{})}
	e.guard.Lock()
	e.running = j
	e.guard.Unlock()
	e.jobs <- func() {
		defer close(j.done)
		f(j)
	}
	ended := true
	select {
	case <-j.done:
	case <-j.abandoned:
		ended = false
	}
	e.guard.Lock()
	e.running = nil
	e.guard.Unlock()
	if !ended {
		e.moveOn(j)
	}
	return ended
}

// interrupt asks the running cell to end: compiled code that listens to the
// cell's context ends by itself, interpreted code at its next statement.
func (e *evaluator) interrupt() {
	e.guard.Lock()
	defer e.guard.Unlock()
	j := e.running
	if j == nil || j.asked.Swap(true) {
		return
	}
	ir := e.ir
	go func() {
		ticks, late := time.NewTicker(again), time.After(grace)
		defer ticks.Stop()
		for {
			ir.Interrupt(nil)
			select {
			case <-j.done:
				return
			case <-late:
				close(j.abandoned)
				return
			case <-ticks.C:
			}
		}
	}()
}

// moveOn gives the interpreter to a new goroutine. The old one keeps its own
// run-time record, in which an interrupt is pending: it ends at the first
// interpreted statement after its compiled call.
func (e *evaluator) moveOn(j *job) {
	env := e.ir.PrepareEnv()
	old := env.Run
	close(e.jobs)
	e.jobs = make(chan func())
	go work(e.jobs)
	ready := make(chan struct{})
	e.jobs <- func() {
		defer close(ready)
		if run := e.record(); run != nil {
			env.Run = run
		} else {
			log.Print("no record for a new goroutine")
		}
	}
	<-ready
	go func() {
		for {
			old.Signals.Async = base.SigInterrupt
			select {
			case <-j.done:
				return
			case <-time.After(again):
			}
		}
	}()
}
