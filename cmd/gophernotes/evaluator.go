//go:build gophernotes

package main

import (
	"io"
	"log"
	"sync"
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
	before scope              // what holds again if the statement that runs fails
	exact  int                // how many types exactTypes has seen

	guard   sync.Mutex
	running *job // nil between runs
	waiting int  // cells that have arrived and are not over
	early   bool // an interrupt came for a cell that has arrived and does not run yet
}

// job is one run of the interpreter.
type job struct {
	done      chan struct{} // closed when it ended
	abandoned chan struct{} // closed when it is given up

	mu     sync.Mutex
	asked  bool // to end
	inside bool // in code that may hang; only there can it be given up
	left   bool // it was given up: what is shared belongs to others now
}

// call runs f, a part of the job that may hang, and panics with an interrupt
// if the job was asked to end. The rest of a job works on the compiler, which
// one goroutine alone may use: a job is not given up there.
func (j *job) call(f func()) {
	j.enter()
	defer j.leave()
	f()
}

func (j *job) enter() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.asked {
		panic(base.SigInterrupt)
	}
	j.inside = true
}

func (j *job) leave() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.inside = false
	if j.asked { // a compiled call may have ended early without a word
		panic(base.SigInterrupt)
	}
}

// gone reports whether the job was given up and must leave all alone.
func (j *job) gone() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.left
}

// ask reports whether the job is asked to end for the first time.
func (j *job) ask() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	first := !j.asked
	j.asked = true
	return first
}

// stop interrupts what the job calls. If it is late the job is given up.
func (j *job) stop(ir *interp.Interp, late bool) (left bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.inside { // it looks by itself; an interrupt now would hit the next cell
		return false
	}
	ir.Interrupt(nil)
	if late {
		j.left = true
		close(j.abandoned)
	}
	return late
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
	j.asked, e.early = e.early, false
	e.guard.Unlock()
	e.jobs <- func() {
		f(j)
		close(j.done)
		if j.gone() {
			// The interpreter knows goroutines by the address of their record in
			// Go's runtime, which the next goroutine gets when one ends. This one
			// keeps its address for ever: a goroutine that came after it would be
			// taken for it and stopped by the interrupts it was sent.
			select {}
		}
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

// arrived and over count the cells that interrupts are for: an interrupt may
// overtake a cell that was sent before it.
func (e *evaluator) arrived() {
	e.guard.Lock()
	defer e.guard.Unlock()
	e.waiting++
}

func (e *evaluator) over() {
	e.guard.Lock()
	defer e.guard.Unlock()
	e.waiting--
	e.early = e.early && e.waiting > 0
}

// interrupt asks the running cell to end: compiled code that listens to the
// cell's context ends by itself, interpreted code at its next statement.
func (e *evaluator) interrupt() {
	e.guard.Lock()
	defer e.guard.Unlock()
	j := e.running
	if j == nil {
		e.early = e.waiting > 0
		return
	}
	if !j.ask() {
		return
	}
	ir := e.ir
	go func() {
		ticks, start := time.NewTicker(again), time.Now()
		defer ticks.Stop()
		for !j.stop(ir, time.Since(start) > grace) {
			select {
			case <-j.done:
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
	e.restore(e.before)
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
