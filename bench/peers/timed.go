package main

import (
	"fmt"
	"sort"
	"time"

	"github.com/gophersnake/gophersnake/internal/device"
	"github.com/gophersnake/gophersnake/internal/device/cpu"
	"github.com/gophersnake/gophersnake/internal/kernel/ceiling"
)

// OpTime is how long the calls of one operation took in a step, and how long
// they had to take.
type OpTime struct {
	Name       string  `json:"name"`
	Class      string  `json:"class"`      // products, scans or passes
	Calls      int     `json:"calls"`      // a step
	Seconds    float64 `json:"seconds"`    // a step, all calls together, waiting for the workers included
	Arithmetic float64 `json:"arithmetic"` // seconds a step that what is counted of the arithmetic takes at the peak
	Floor      float64 `json:"floor"`      // the same with the operands moved once, call by call the greater of the two
}

// The classes of operations.
const (
	classProducts = "products" // matrix products, attention and dense recurrences
	classScans    = "scans"    // selective and linear scans
	classPasses   = "passes"   // whatever reads and writes activations or weights element by element
)

// timed is a device that takes the time of every call.
type timed struct {
	device.Device
	workers int
	machine *ceiling.Machine
	sum     map[string]*OpTime
}

// timeOperations returns the CPU on the given number of workers with every call
// timed.
func timeOperations(workers int) *timed {
	return &timed{Device: cpu.New(workers), workers: workers, machine: ceiling.New(), sum: map[string]*OpTime{}}
}

// note starts the time of a call and returns what ends it.
func (t *timed) note(name string, c cost) func() {
	work := ceiling.Work{Workers: t.workers, FLOPs: c.flops, Reads: 4 * c.read, Writes: 4 * c.written}
	floor, arithmetic := t.machine.Floor(work), t.machine.Floor(ceiling.Work{Workers: t.workers, FLOPs: c.flops})
	start := time.Now()
	return func() {
		seconds := time.Since(start).Seconds()
		o := t.sum[name]
		if o == nil {
			o = &OpTime{Name: name, Class: c.class}
			t.sum[name] = o
		}
		o.Calls++
		o.Seconds, o.Arithmetic, o.Floor = o.Seconds+seconds, o.Arithmetic+arithmetic, o.Floor+floor
	}
}

// reset forgets what was timed. A nil timed has nothing to forget.
func (t *timed) reset() {
	if t != nil {
		clear(t.sum)
	}
}

// times returns what was timed over the given number of steps, the longest
// first.
func (t *timed) times(steps int) []OpTime {
	if t == nil {
		return nil
	}
	var out []OpTime
	for _, o := range t.sum {
		n := float64(steps)
		out = append(out, OpTime{o.Name, o.Class, o.Calls / steps, o.Seconds / n, o.Arithmetic / n, o.Floor / n})
	}
	sort.Slice(out, func(i, k int) bool { return out[i].Seconds > out[k].Seconds })
	return out
}

// matmulName tells products of different shapes apart: the layout of both
// operands, n as stored or t transposed, and (m,k)·(k,n).
func matmulName(transA, transB bool, m, n, k int) string {
	layout := map[bool]string{false: "n", true: "t"}
	return fmt.Sprintf("MatMul %s%s (%d,%d)·(%d,%d)", layout[transA], layout[transB], m, k, k, n)
}
