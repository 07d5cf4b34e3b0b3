package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/gophersnake/gophersnake/tracker"
)

// childVariable holds the childSpec, as JSON, of a process that is to log.
const childVariable = "GOPHERSNAKE_TORTURE_CHILD"

// childSpec says what a child does.
type childSpec struct {
	Path      string
	Name      string
	Seed      uint64
	Resume    string // id of the run to go on with first
	From      int64  // its next call
	OpsPerRun int64  // calls after which a run is finished and the next begun
	Patient   bool   // go on after a refused call
	FileLimit uint64 // bytes that a file may have, 0 without limit
	Collect   bool   // collect garbage instead of logging
	Batches   int    // for -load: so many batches of 1,000 rows, 10 a second
}

// childMain logs until it is killed. On standard output it says what it does:
//
//	run ID SEED NEXT   a run has begun, and NEXT is its next call
//	ok N               call N and all before it (but refused ones) were acknowledged
//	no N               call N was refused
//	end                the run was finished
func childMain(text string) int {
	var spec childSpec
	if err := json.Unmarshal([]byte(text), &spec); err != nil {
		fmt.Println("error", err)
		return 1
	}
	work := spec.logRuns
	if spec.Batches > 0 {
		work = spec.logBatches
	} else if spec.Collect {
		work = spec.collect
	}
	if err := work(); err != nil {
		fmt.Println("error", err)
		return 1
	}
	return 0
}

func (c childSpec) logRuns() error {
	if c.FileLimit > 0 {
		signal.Ignore(syscall.SIGXFSZ)
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: c.FileLimit, Max: c.FileLimit}); err != nil {
			return err
		}
	}
	store, err := tracker.Open(c.Path)
	for c.Patient && errors.Is(err, tracker.ErrDiskFull) {
		time.Sleep(20 * time.Millisecond)
		store, err = tracker.Open(c.Path)
	}
	if err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(c.Seed, 0))
	if c.Resume != "" {
		run, err := store.ResumeRun(c.Resume)
		if err != nil {
			return err
		}
		if err := c.log(run, c.Seed, c.From, rng); err != nil {
			return err
		}
	}
	for n := uint64(1); ; n++ {
		run, err := store.StartRun(tracker.RunConfig{Experiment: "torture", Name: fmt.Sprintf("%s-%d", c.Name, n)})
		if err != nil {
			if c.Patient {
				time.Sleep(20 * time.Millisecond)
				continue
			}
			return err
		}
		if err := c.log(run, c.Seed+n, 0, rng); err != nil {
			return err
		}
	}
}

// log makes the calls of one run from number first on, and finishes it.
func (c childSpec) log(run *tracker.Run, seed uint64, first int64, rng *rand.Rand) error {
	fmt.Println("run", run.ID(), seed, first)
	for i := first; i < first+c.OpsPerRun; i++ {
		err := opAt(seed, i).perform(run, i)
		switch {
		case err == nil:
			fmt.Println("ok", i)
		case c.Patient:
			fmt.Println("no", i)
			time.Sleep(time.Millisecond)
		default:
			return err
		}
		if rng.IntN(20) == 0 {
			time.Sleep(time.Duration(rng.IntN(2000)) * time.Microsecond)
		}
	}
	err := run.Finish(tracker.StatusFinished)
	for c.Patient && err != nil {
		time.Sleep(20 * time.Millisecond)
		err = run.Finish(tracker.StatusFinished)
	}
	if err == nil {
		fmt.Println("end")
	}
	return err
}

// collect removes what the parent has deleted, again and again, and every other time compacts the database.
func (c childSpec) collect() error {
	store, err := tracker.Open(c.Path)
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		if _, err := store.GC(context.Background(), tracker.GCOptions{Compact: n%2 == 1}); err != nil {
			return err
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// logBatches is the work of -load: it prints how long each call of LogBatch took, in microseconds.
func (c childSpec) logBatches() error {
	store, err := tracker.Open(c.Path)
	if err != nil {
		return err
	}
	run, err := store.StartRun(tracker.RunConfig{Experiment: "load", Name: c.Name})
	if err != nil {
		return err
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for b := range c.Batches {
		batch := make([]tracker.Point, 1000)
		for i := range batch {
			batch[i] = tracker.Point{Key: metricKeys[i%2], Step: int64(b*500 + i/2), Value: float64(i)}
		}
		begin := time.Now()
		if err := run.LogBatch(batch); err != nil {
			return err
		}
		fmt.Println("took", time.Since(begin).Microseconds())
		<-tick.C
	}
	return errors.Join(run.Finish(tracker.StatusFinished), store.Close())
}

// command is the environment of a child.
func (c childSpec) environment() []string {
	text, err := json.Marshal(c)
	if err != nil {
		panic(err) // a struct of strings and numbers
	}
	return append(os.Environ(), childVariable+"="+string(text))
}
