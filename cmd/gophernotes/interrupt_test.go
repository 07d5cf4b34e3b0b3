//go:build gophernotes

package main

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"
)

// hang is how long a test waits for what takes milliseconds before it calls it a
// hang. It is no measurement: machines that run tests are busy.
const hang = 30 * time.Second

// soon runs a cell that must not hang.
func soon(t *testing.T, code string) outcome {
	t.Helper()
	ch := make(chan outcome, 1)
	go func() { ch <- shared.evaluate("In[1]", code) }()
	select {
	case got := <-ch:
		return got
	case <-time.After(hang):
		b := make([]byte, 1<<20)
		t.Fatalf("not over after %v: %q\n%s", hang, code, b[:runtime.Stack(b, true)])
		return outcome{}
	}
}

// TestInterruptAnyTime interrupts cells at random moments, those that hang in
// compiled calls too, which are let go later.
func TestInterruptAnyTime(t *testing.T) {
	const times = 200
	want(t, "", "import \"time\"\nkept := 41\nfrom, to := make(chan int), make(chan int)\nletGo := func() { for i := 0; i < 9; i++ { select { case from <- 1: case <-to: default: } } }")
	codes := []struct {
		code  string
		hangs bool
	}{
		{"for { }", true},
		{"1 + 1", false},
		{"<-from\nkept = 0", true},
		{"letGo()\ntime.Sleep(5 * time.Millisecond)\nkept", false}, // lets go what hangs
		{"fun := func(n int) int { return n + 1 }\nfun(fun(fun(1)))", false},
		{"for i := 0; i < 50; i++ { go func() { own := 1; _ = own }() }", false},
		{"to <- 1\nkept = 0", true},
		{"letGo()\ntime.Sleep(3 * time.Millisecond)", false},
		{"select { case <-from: kept = 0 }", true},
	}
	for i := range times {
		c := codes[i%len(codes)]
		if c.hangs && c.code != "for { }" && i >= 4*len(codes) {
			continue // each costs the whole grace
		}
		wait := time.Duration(rand.Int64N(int64(10 * time.Millisecond)))
		shared.arrived()
		asked := make(chan struct{})
		time.AfterFunc(wait, func() {
			shared.evaluator.interrupt()
			close(asked)
		})
		got := soon(t, c.code)
		shared.over()
		if c.hangs && (got.failed == nil || got.failed.name != "interrupted") {
			t.Errorf("%d: %q, interrupted after %v: %v, %v", i, c.code, wait, got.values, got.failed)
		}
		<-asked
		if got := soon(t, "kept + 1"); got.failed != nil || fmt.Sprint(got.values) != "[42]" {
			t.Fatalf("%d: after %q, interrupted after %v: %v, %v", i, c.code, wait, got.values, got.failed)
		}
	}
}

// TestInterruptGivenUp has cells given up and lets their goroutines go on. It
// once ended the process: a goroutine that took over was taken for one that
// had ended, and was stopped by the interrupt that one had been sent.
func TestInterruptGivenUp(t *testing.T) {
	want(t, "", "import \"time\"\nvar wait chan int\nkept := 41")
	for i := range 8 {
		soon(t, "wait = make(chan int)")
		time.AfterFunc(100*time.Millisecond, shared.evaluator.interrupt)
		if got := soon(t, "<-wait\nkept = 0"); got.failed == nil || got.failed.name != "interrupted" {
			t.Fatalf("%d: %v, %v, want interrupted", i, got.values, got.failed)
		}
		if got := soon(t, "close(wait)\ntime.Sleep(30 * time.Millisecond)\nkept + 1"); got.failed != nil || fmt.Sprint(got.values) != "[42]" {
			t.Fatalf("%d: %v, %v, want 42", i, got.values, got.failed)
		}
	}
}

// TestInterruptEarly: an interrupt that overtakes the start of its cell counts,
// one that comes when nothing runs does not.
func TestInterruptEarly(t *testing.T) {
	shared.arrived()
	shared.evaluator.interrupt()
	if got := soon(t, "for { }"); got.failed == nil || got.failed.name != "interrupted" {
		t.Errorf("%v, want interrupted", got.failed)
	}
	shared.evaluator.interrupt() // while its reply is written
	shared.over()
	shared.evaluator.interrupt() // after it
	if got := soon(t, "1 + 1"); got.failed != nil {
		t.Errorf("the next cell: %v", got.failed)
	}
}
