package main

import (
	"fmt"
	"reflect"
	"sort"
	"time"
	"unsafe"

	"github.com/gophersnake/gophersnake/internal/device"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// OpTime is how long the calls of one operation took in a step.
type OpTime struct {
	Name    string  `json:"name"`
	Calls   int     `json:"calls"`   // a step
	Seconds float64 `json:"seconds"` // a step, all calls together, waiting for the workers included
}

// timed is a device that takes the time of every call.
type timed struct {
	device.Device
	sum map[string]*OpTime
}

// timeOperations puts a timed device between d and its implementation. The
// field is not exported, and nothing but this measurement needs it to be.
func timeOperations(d *tensor.Device) *timed {
	field := reflect.ValueOf(d).Elem().FieldByName("impl")
	impl := (*device.Device)(unsafe.Pointer(field.UnsafeAddr()))
	t := &timed{Device: *impl, sum: map[string]*OpTime{}}
	*impl = t
	return t
}

// note starts the time of a call and returns what ends it.
func (t *timed) note(name string) func() {
	start := time.Now()
	return func() {
		o := t.sum[name]
		if o == nil {
			o = &OpTime{Name: name}
			t.sum[name] = o
		}
		o.Calls++
		o.Seconds += time.Since(start).Seconds()
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
		out = append(out, OpTime{o.Name, o.Calls / steps, o.Seconds / float64(steps)})
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
