package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/gophersnake/gophersnake/pkg/lab"
)

// progress shows how runs move on: bars on a terminal, a line a finished run
// everywhere. Its methods may be called from several goroutines.
type progress struct {
	w     io.Writer // nil shows nothing
	bars  *mpb.Progress
	start time.Time

	mu      sync.Mutex
	running map[string]*runBar
	total   *mpb.Bar
	weight  int64 // work of a step; 1, or what sets the steps of different tasks in relation
	// Bars read these while they are drawn, where waiting for mu would lock up.
	work  atomic.Int64  // of all runs: steps times weight
	done  atomic.Int64  // of it
	found atomic.Int64  // of that, in runs that were reused
	loss  atomic.Uint64 // of a single run, as bits
	title atomic.Value  // string
}

// runBar is the bar of one run under way.
type runBar struct {
	bar  *mpb.Bar
	loss atomic.Uint64
	step int
}

// newProgress shows progress on w, steps training steps of weight 1 in all. With
// bars, w is a terminal, and title names the bar of all runs.
func newProgress(w io.Writer, bars bool, title string, steps int64) *progress {
	p := &progress{w: w, start: time.Now(), running: map[string]*runBar{}, weight: 1}
	p.work.Store(steps)
	p.title.Store(title)
	if w == nil || !bars {
		return p
	}
	p.bars = mpb.New(mpb.WithOutput(w), mpb.WithWidth(40), mpb.WithAutoRefresh())
	p.total = p.bars.New(max(1, steps), barStyle(), mpb.BarPriority(math.MaxInt32), mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Any(func(decor.Statistics) string { return p.title.Load().(string) }, decor.WCSyncSpaceR)),
		mpb.AppendDecorators(decor.NewPercentage("%d"), decor.Any(func(decor.Statistics) string { return p.remaining() })))
	return p
}

func barStyle() mpb.BarStyleComposer {
	return mpb.BarStyle().Lbound("▕").Filler("█").Tip("█").Padding(" ").Rbound("▏")
}

// remaining tells how long the rest will take at the speed so far.
func (p *progress) remaining() string {
	done := p.done.Load()
	worked, left := done-p.found.Load(), p.work.Load()-done
	spent := time.Since(p.start)
	text := ""
	if loss := p.loss.Load(); loss != 0 {
		text = fmt.Sprintf("  loss %.4g", math.Float64frombits(loss))
	}
	if worked == 0 || spent < time.Second {
		return text
	}
	d := time.Duration(float64(spent) / float64(worked) * float64(left))
	return fmt.Sprintf("%s  %s gone, about %s to go", text, clock(spent), clock(d))
}

// turn goes on to runs of another kind, whose steps are so much work each.
func (p *progress) turn(title string, weight int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.weight = weight
	p.title.Store(title)
}

// grow adds work that was not known of before.
func (p *progress) grow(work int64) {
	p.work.Add(work)
	if p.total != nil {
		p.total.SetTotal(p.work.Load(), false)
	}
}

// clock is a duration to the second.
func clock(d time.Duration) string { return d.Round(time.Second).String() }

// say writes a line, above the bars if there are any.
func (p *progress) say(format string, args ...any) {
	if p.w == nil {
		return
	}
	line := []byte(fmt.Sprintf(format, args...) + "\n")
	if p.bars != nil {
		if _, err := p.bars.Write(line); err == nil {
			return
		}
	}
	p.w.Write(line)
}

// announceInterrupt says what happens when ctx ends, until the returned
// function is called.
func (p *progress) announceInterrupt(ctx context.Context) (stop func() bool) {
	return context.AfterFunc(ctx, func() {
		if p.bars != nil {
			io.WriteString(p.w, "\r") // the terminal has echoed ^C where the bars begin
		}
		p.say("stopping: runs under way write checkpoints (once more to stop at once)")
	})
}

// step moves a run on, and makes its bar when it is new.
func (p *progress) step(label string, s lab.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.running[label]
	if r == nil {
		r = &runBar{step: s.Step - 1}
		p.running[label] = r
		p.done.Add(p.weight * int64(r.step)) // of a run that goes on from a checkpoint
		p.found.Add(p.weight * int64(r.step))
		if p.bars != nil {
			r.bar = p.newBar(label, r, s)
		}
	}
	p.done.Add(p.weight * int64(s.Step-r.step))
	r.step = s.Step
	r.loss.Store(math.Float64bits(s.Loss))
	if r.bar != nil {
		r.bar.SetCurrent(int64(s.Step))
		p.total.SetCurrent(p.done.Load())
	}
}

func (p *progress) newBar(label string, r *runBar, s lab.Progress) *mpb.Bar {
	return p.bars.New(int64(s.Steps), barStyle(), mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Name(label, decor.WCSyncSpaceR)),
		mpb.AppendDecorators(decor.CountersNoUnit("%d/%d"), decor.Any(func(decor.Statistics) string {
			return fmt.Sprintf("  loss %.4g", math.Float64frombits(r.loss.Load()))
		})))
}

// end removes a run's bar and counts the steps that it did not need.
func (p *progress) end(label string, steps int, reused bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := 0
	if r := p.running[label]; r != nil {
		at = r.step
		if r.bar != nil {
			r.bar.Abort(true)
		}
		delete(p.running, label)
	}
	p.done.Add(p.weight * int64(max(0, steps-at)))
	if reused {
		p.found.Add(p.weight * int64(steps))
	}
	if p.total != nil {
		p.total.SetCurrent(p.done.Load())
	}
}

// close removes the bars.
func (p *progress) close() {
	if p.bars == nil {
		return
	}
	p.mu.Lock()
	for _, r := range p.running {
		r.bar.Abort(true)
	}
	p.mu.Unlock()
	p.total.Abort(true)
	p.bars.Wait()
}

// single moves on the only run there is: its bar is that of all runs.
func (p *progress) single(s lab.Progress) {
	if p.done.Load() == 0 {
		p.found.Store(int64(s.Step - 1)) // of a run that goes on from a checkpoint
	}
	p.done.Store(int64(s.Step))
	p.loss.Store(math.Float64bits(s.Loss))
	p.total.SetCurrent(int64(s.Step))
}
