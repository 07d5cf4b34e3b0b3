package archive

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"

	"github.com/gophersnake/gophersnake/tracker"
)

// Small runs come in together: a transaction of each its own would wait for the disk thousands of times.
const (
	batchRuns  = 200     // runs of a transaction
	batchBytes = 4 << 20 // of lines, about, that wait in memory
)

// batch brings the runs of an archive in.
type batch struct {
	ctx    context.Context
	store  *tracker.Store
	in     *lineReader
	opts   ImportOptions
	report *Report
	total  int // runs of the archive

	waiting []*waitingRun
	bytes   int // of their lines
}

// waitingRun is a run whose lines, or the first of them, have been read.
type waitingRun struct {
	head  *runLine
	lines []any
	at    []int // line numbers
	whole bool  // the end line is among them
	end   *endLine
}

// readRuns reads up to the end of the archive.
func (b *batch) readRuns() error {
	for {
		l := &runLine{}
		err := b.in.expect("run", l)
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = b.take(l)
		}
		if err != nil {
			return err
		}
	}
}

// take reads the run whose first line was read, or compares it with the one that is there.
func (b *batch) take(l *runLine) error {
	sum := sha256.Sum256([]byte(l.Config))
	if l.ConfigSHA256 != hex.EncodeToString(sum[:]) {
		return b.in.error("config_sha256", l.ConfigSHA256, "does not fit config, which has "+hex.EncodeToString(sum[:]))
	}
	if err := l.checkTimes(b.in); err != nil {
		return err
	}
	l.settle()
	for _, w := range b.waiting {
		if w.head.ID == l.ID { // twice in the file: the second is compared with the first
			if err := b.flush(); err != nil {
				return err
			}
			break
		}
	}
	there, err := b.store.HasRun(b.ctx, l.ID)
	if err != nil {
		return err
	}
	if there {
		if err := compareRun(b.ctx, b.store, b.in, l); err != nil {
			return err
		}
		b.report.Skipped++
		b.opts.tell(l.ID, *b.report, b.total)
		return nil
	}
	return b.gather(l)
}

// gather reads the lines of a run until it is whole or the batch is full.
func (b *batch) gather(l *runLine) error {
	w := &waitingRun{head: l}
	for !w.whole && b.bytes < batchBytes {
		line, err := b.in.next()
		if err == io.EOF {
			return b.in.error("run", l.ID, "has no end line: the file is cut off")
		}
		if err != nil {
			return err
		}
		w.lines, w.at = append(w.lines, line), append(w.at, b.in.line)
		b.bytes += len(b.in.buf)
		_, w.whole = line.(*endLine)
	}
	if !w.whole || len(b.waiting) == batchRuns {
		if err := b.flush(); err != nil {
			return err
		}
	}
	if !w.whole {
		return b.alone(w)
	}
	b.waiting = append(b.waiting, w)
	return nil
}

// flush brings in what waits, in one transaction or, if that fails, run by run up to the one that cannot come in.
func (b *batch) flush() error {
	waiting := b.waiting
	b.waiting, b.bytes = nil, 0
	if len(waiting) == 0 {
		return nil
	}
	line := b.in.line
	runs := make([]tracker.ImportedRun, len(waiting))
	for i, w := range waiting {
		runs[i] = tracker.ImportedRun{Record: w.head.record(), Fill: func(im *tracker.RunImport) (err error) {
			w.end, err = b.fill(im, w)
			return err
		}}
	}
	if _, err := b.store.ImportRuns(b.ctx, runs); err != nil {
		for _, w := range waiting {
			if err := b.alone(w); err != nil {
				return err
			}
		}
		b.in.line = line
		return nil
	}
	b.in.line = line
	for _, w := range waiting {
		b.report.count(w.end)
		b.opts.tell(w.head.ID, *b.report, b.total)
	}
	return nil
}

// alone brings in one run, reading on if it is not whole.
func (b *batch) alone(w *waitingRun) error {
	end, err := importRun(b.ctx, b.store, w.head.record(), func(im *tracker.RunImport) (*endLine, error) {
		return b.fill(im, w)
	}, b.in.wrap)
	if err != nil {
		return err
	}
	b.report.count(end)
	b.opts.tell(w.head.ID, *b.report, b.total)
	return nil
}

// fill hands over the lines that were read, and then those that follow in the file if the run is not whole.
func (b *batch) fill(im *tracker.RunImport, w *waitingRun) (*endLine, error) {
	i, resume := 0, b.in.line
	next := func() (any, error) {
		if i < len(w.lines) {
			i++
			b.in.line = w.at[i-1]
			return w.lines[i-1], nil
		}
		if w.whole {
			return nil, errors.New("a line follows the end line")
		}
		if i == len(w.lines) {
			i++
			b.in.line = resume
		}
		return b.in.next()
	}
	return fillRun(next, b.in, im, b.store, w.head.ID, b.opts)
}
