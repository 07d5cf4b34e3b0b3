package tracker

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// flusher moves journaled records into the database: one goroutine per store, one transaction for all runs.
type flusher struct {
	waiting atomic.Int64    // records logged and not yet taken
	wake    chan struct{}   // a first record, or FlushRows of them, are waiting
	request chan chan error // commit now and tell
	stop    chan struct{}
	done    chan struct{}
}

func (f *flusher) init() {
	f.wake = make(chan struct{}, 1)
	f.request = make(chan chan error)
	f.stop = make(chan struct{})
	f.done = make(chan struct{})
}

// noticed is called after n records were journaled.
func (f *flusher) noticed(n, rows int) {
	after := f.waiting.Add(int64(n))
	before := after - int64(n)
	if before <= 0 || (before < int64(rows) && after >= int64(rows)) {
		select {
		case f.wake <- struct{}{}:
		default: // the loop has a wake-up to handle, and reads the count when it does
		}
	}
}

// flushLoop runs until Close.
func (s *Store) flushLoop() {
	defer close(s.flush.done)
	heartbeat := time.NewTicker(s.cfg.HeartbeatInterval)
	defer heartbeat.Stop()
	window := time.NewTimer(time.Hour)
	defer window.Stop()
	window.Stop()
	armed, pause := false, s.cfg.FlushInterval
	for {
		var waiters []chan error
		beat := false
		select {
		case <-s.flush.stop:
			return
		case <-heartbeat.C:
			beat = true
		case waiter := <-s.flush.request:
			waiters = append(waiters, waiter)
		case <-window.C:
			armed = false
		case <-s.flush.wake:
			if s.flush.waiting.Load() < int64(s.cfg.FlushRows) || pause > s.cfg.FlushInterval {
				if !armed {
					window.Reset(pause)
					armed = true
				}
				continue
			}
		}
		err := s.commitPending(beat)
		for _, w := range waiters {
			w <- err
		}
		// After a failure the records wait in memory and in the journal; try again, less and less often.
		if err != nil {
			pause = min(2*pause, max(2*time.Second, s.cfg.FlushInterval))
		} else {
			pause = s.cfg.FlushInterval
		}
		if !armed && s.flush.waiting.Load() > 0 {
			window.Reset(pause)
			armed = true
		}
	}
}

// batch is what one run contributes to a commit.
type batch struct {
	run     *Run
	records []record
	seq     uint64 // journal position after records
}

// commitPending commits what all runs have waiting, and their heartbeats if beat is set, then trims the journals.
func (s *Store) commitPending(beat bool) error {
	batches := s.takeBatches(beat)
	if len(batches) == 0 {
		return nil
	}
	err := s.write(context.Background(), func(tx *writeTx) error {
		for _, b := range batches {
			if err := tx.addRecords(b.run.rowID, b.records); err != nil {
				return err
			}
			if err := tx.advance(b.run.rowID, b.seq, maxStep(b.records)); err != nil {
				return err
			}
			if beat {
				if err := tx.revive(b.run.rowID); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		err = explain("commit", s.paths.db, err)
		s.failure.Store(&err)
		for _, b := range batches {
			b.run.giveBack(b)
		}
		return err
	}
	s.failure.Store(nil)
	s.hooks.afterCommit()
	var errs []error
	for _, b := range batches {
		errs = append(errs, b.run.committed(b))
	}
	return errors.Join(errs...)
}

// revive undoes a verdict of "crashed" that hit a run which is alive after all (its journal was on a file system
// without locks, say).
func (tx *writeTx) revive(run int64) error {
	_, err := tx.exec("UPDATE runs SET status = 'running' WHERE id = ? AND status = 'crashed'", run)
	return err
}

// takeBatches collects the runs that have something to commit, or all of them for a heartbeat.
func (s *Store) takeBatches(beat bool) []batch {
	s.mu.Lock()
	runs := make([]*Run, 0, len(s.runs))
	for _, r := range s.runs {
		runs = append(runs, r)
	}
	s.mu.Unlock()
	var batches []batch
	taken := 0
	for _, r := range runs {
		if b, ok := r.take(beat); ok {
			batches = append(batches, b)
			taken += len(b.records)
		}
	}
	s.flush.waiting.Add(-int64(taken))
	return batches
}

// Flush commits everything that is waiting, of all runs, and returns when it is on the disk.
func (s *Store) Flush(ctx context.Context) error {
	if err := s.checkOpen("flush", true); err != nil {
		return err
	}
	return s.requestFlush(ctx)
}

func (s *Store) requestFlush(ctx context.Context) error {
	answer := make(chan error, 1)
	select {
	case s.flush.request <- answer:
	case <-s.flush.done:
		return &Error{Op: "flush", Path: s.paths.db, Msg: "the store is closed", Err: ErrClosed}
	case <-ctx.Done():
		return explain("flush", s.paths.db, ctx.Err())
	}
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return explain("flush", s.paths.db, ctx.Err())
	}
}
