package sysmon

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"sync"
	"time"

	"github.com/gophersnake/gophersnake/tracker"
)

// Options says what is sampled and how often. The zero value is good.
type Options struct {
	// Every is the time between two samples. Default 5 s; allowed 10 ms to 1 h.
	Every time.Duration
	// Source of the samples. Default: this machine, by NewMachine.
	Source Source
	// Tick replaces the clock's ticker: a sample is taken for every value received. Default: one every Every.
	Tick <-chan time.Time
	// Now is the clock. Default time.Now.
	Now func() time.Time
}

// Source gives samples. Its methods are called by one goroutine at a time.
type Source interface {
	// Sample returns values by key, without the prefix "system/".
	Sample() (map[string]float64, error)
	// Close lets go of what the source holds.
	Close() error
}

// Monitor samples in the background until Stop.
type Monitor struct {
	run     *tracker.Run
	source  Source
	created time.Time
	now     func() time.Time
	stop    chan struct{}
	once    sync.Once
	done    chan struct{}
	err     error // set before done is closed
}

// The bounds of Options.Every.
const (
	minEvery = 10 * time.Millisecond
	maxEvery = time.Hour
)

// Start takes a first sample, and goes on in the background. Monitoring ends with Stop, or by itself when the run is over.
func Start(run *tracker.Run, opts Options) (*Monitor, error) {
	if run == nil {
		return nil, errors.New("sysmon: run is nil")
	}
	if opts.Every == 0 {
		opts.Every = 5 * time.Second
	}
	if opts.Every < minEvery || opts.Every > maxEvery {
		return nil, fmt.Errorf("sysmon: Every is %v, allowed %v to %v", opts.Every, minEvery, maxEvery)
	}
	info, err := run.Info(context.Background())
	if err != nil {
		return nil, err
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Source == nil {
		opts.Source = NewMachine(run.Store().Path())
	}
	m := &Monitor{run: run, source: opts.Source, created: info.Created, now: opts.Now, stop: make(chan struct{}), done: make(chan struct{})}
	go m.watch(opts)
	return m, nil
}

// watch samples on every tick. A source that fails misses its sample, and the last failure is reported by Stop; when the
// run takes no more values, monitoring is over.
func (m *Monitor) watch(opts Options) {
	defer close(m.done)
	tick := opts.Tick
	if tick == nil {
		ticker := time.NewTicker(opts.Every)
		defer ticker.Stop()
		tick = ticker.C
	}
	var failure error
	for {
		err := m.sample()
		if errors.Is(err, tracker.ErrRunOver) || errors.Is(err, tracker.ErrClosed) {
			break
		}
		if err != nil {
			failure = err
		}
		select {
		case <-tick:
			continue
		case <-m.stop:
		}
		break
	}
	m.err = errors.Join(failure, m.source.Close())
}

// sample logs one batch. A panic of a source does not end the program.
func (m *Monitor) sample() (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("sysmon: the source failed: %v", p)
		}
	}()
	values, err := m.source.Sample()
	now := m.now()
	step := int64(max(0, now.Sub(m.created)) / time.Second)
	points := make([]tracker.Point, 0, len(values))
	for key, v := range values {
		points = append(points, tracker.Point{Key: tracker.SystemPrefix + key, Step: step, Value: v, Time: now})
	}
	sort.Slice(points, func(i, j int) bool { return points[i].Key < points[j].Key })
	return errors.Join(err, m.run.LogBatch(points))
}

// Stop ends monitoring and returns the last error that sampling or logging gave. It may be called twice, and after the
// run is over.
func (m *Monitor) Stop() error {
	m.once.Do(func() { close(m.stop) })
	<-m.done
	return m.err
}
