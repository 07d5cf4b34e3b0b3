package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
)

// process is a child as its parent sees it.
type process struct {
	spec childSpec
	cmd  *exec.Cmd
	done chan struct{} // closed when its output has ended

	mu      sync.Mutex
	runs    []*record // what it did, in order
	refused int
	micros  []int64 // of -load
	failure string  // what it said before it ended by itself
}

// record is what a run should hold.
type record struct {
	id      string
	seed    uint64
	next    int64 // calls before it were acknowledged or refused
	refused map[int64]bool
	over    bool // finished
	retired bool // damage took something: no longer compared
}

// start runs this program again as a child.
func start(ctx context.Context, spec childSpec, resumed *record) (*process, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{spec: spec, done: make(chan struct{}), cmd: exec.CommandContext(ctx, exe)}
	p.cmd.Env = spec.environment()
	p.cmd.Stderr = os.Stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.done)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			p.hear(lines.Text(), resumed)
		}
	}()
	return p, nil
}

// hear takes in one line; one that the kill has cut is not understood, and means nothing.
func (p *process) hear(line string, resumed *record) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var id string
	var seed uint64
	var n int64
	last := func() *record { return p.runs[len(p.runs)-1] }
	switch word, rest, _ := strings.Cut(line, " "); word {
	case "run":
		if _, err := fmt.Sscan(rest, &id, &seed, &n); err == nil {
			if resumed == nil || resumed.id != id {
				resumed = &record{id: id, seed: seed, refused: map[int64]bool{}}
			}
			resumed.next, resumed.over = n, false
			p.runs = append(p.runs, resumed)
		}
	case "ok":
		if _, err := fmt.Sscan(rest, &n); err == nil && n >= last().next {
			last().next = n + 1
		}
	case "no":
		if _, err := fmt.Sscan(rest, &n); err == nil && n >= last().next {
			last().next, last().refused[n] = n+1, true
			p.refused++
		}
	case "end":
		last().over = true
	case "took":
		if _, err := fmt.Sscan(rest, &n); err == nil {
			p.micros = append(p.micros, n)
		}
	case "error":
		p.failure = rest
	}
}

// kill ends the child as kill -9 does, and waits until all that it said was heard.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
	_ = p.cmd.Wait()
}

// saidError returns what the child complained about, "" if nothing.
func (p *process) saidError() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.failure
}

// refusals returns how many calls were refused so far.
func (p *process) refusals() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.refused
}
