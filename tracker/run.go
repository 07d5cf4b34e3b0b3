package tracker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Status says how a run stands.
type Status string

// The statuses of a run.
const (
	StatusRunning     Status = "running"
	StatusFinished    Status = "finished"    // reached its end
	StatusFailed      Status = "failed"      // ended by an error
	StatusDiverged    Status = "diverged"    // ended because the training diverged
	StatusInterrupted Status = "interrupted" // ended by the user; can be resumed
	StatusCrashed     Status = "crashed"     // the process died without a word; can be resumed
)

// Statuses lists them all.
func Statuses() []Status {
	return []Status{StatusRunning, StatusFinished, StatusFailed, StatusDiverged, StatusInterrupted, StatusCrashed}
}

func (s Status) valid() bool {
	for _, v := range Statuses() {
		if s == v {
			return true
		}
	}
	return false
}

// Point is one value of a metric.
type Point struct {
	Key     string
	Context string // "" when there is only one
	Step    int64
	Value   float64   // NaN and ±Inf included
	Time    time.Time // millisecond precision; the zero time means now
}

// Object is a value that is no number: text, a histogram, a small image. Data is at most MaxObjectBytes; more belongs
// into an artifact.
type Object struct {
	Key     string
	Context string
	Step    int64
	Kind    string // "text", "histogram", "image/png", …: tells readers how to show Data
	Data    []byte
	Time    time.Time // the zero time means now
}

// Run is a run that this process is logging to. Its methods may be called from many goroutines at once.
type Run struct {
	store    *Store
	rowID    int64
	uid      string
	name     string
	now      func() time.Time
	capacity int

	mu       sync.Mutex
	room     *sync.Cond // signalled when pending shrank, a commit failed, or the run ended
	journal  *journal
	series   map[seriesName]*series
	pending  []record // journaled, waiting for the flusher
	spare    []record // the slice before, for reuse
	inflight int      // records at the flusher
	seq      uint64   // number of the last journaled record
	lastTS   int64
	over     bool
	scratch  []byte
}

type seriesName struct{ key, context string }

// ID returns the run's text id: 10 characters, unique, also across databases.
func (r *Run) ID() string { return r.uid }

// RowID returns the run's integer id in this database (column "run" of the views).
func (r *Run) RowID() int64 { return r.rowID }

// Name returns the run's name, which need not be unique.
func (r *Run) Name() string { return r.name }

// Store returns the store that the run is logged to.
func (r *Run) Store() *Store { return r.store }

// Info returns what the database says about the run.
func (r *Run) Info(ctx context.Context) (RunInfo, error) { return r.store.Run(ctx, r.uid) }

// Log records one value of a metric. When it returns nil the value survives a kill of the process; see the package
// comment. An error means that this value was not accepted, and that everything accepted before is safe.
func (r *Run) Log(key string, step int64, value float64) error {
	return r.LogContext("", key, step, value)
}

// LogContext is Log with a context label such as "train" or "eval".
func (r *Run) LogContext(context, key string, step int64, value float64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.waitForRoom("log"); err != nil {
		return err
	}
	s, err := r.lookup("log", key, context)
	if err != nil {
		return err
	}
	rec := record{series: s, step: step, ts: r.timestamp(time.Time{}), value: value}
	b := beginFrame(r.scratch[:0], r.seq+1, kindPoints)
	b = append(b, 1) // uvarint(1): one point
	b = appendPoint(b, &rec)
	return r.accept("log", endFrame(b, 0), rec)
}

// LogBatch records many values with one write: all of them are accepted, or none.
func (r *Run) LogBatch(points []Point) error {
	if len(points) == 0 {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.waitForRoom("log"); err != nil {
		return err
	}
	recs := make([]record, len(points))
	for i, p := range points {
		s, err := r.lookup("log", p.Key, p.Context)
		if err != nil {
			return fmt.Errorf("point %d of %d: %w", i, len(points), err)
		}
		recs[i] = record{series: s, step: p.Step, ts: r.timestamp(p.Time), value: p.Value}
	}
	return r.accept("log", appendFrames(r.scratch[:0], r.seq+1, recs), recs...)
}

// LogObject records a value that is no number.
func (r *Run) LogObject(o Object) error {
	if msg := checkName(o.Kind); msg != "" {
		return invalid("log", "Kind %q of object %q %s", o.Kind, o.Key, msg)
	}
	if len(o.Data) > MaxObjectBytes {
		return &Error{Op: "log", Err: ErrInvalid, Hint: "use LogArtifactBytes",
			Msg: fmt.Sprintf("Data of object %q has %d bytes, allowed are %d", o.Key, len(o.Data), MaxObjectBytes)}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.waitForRoom("log"); err != nil {
		return err
	}
	s, err := r.lookup("log", o.Key, o.Context)
	if err != nil {
		return err
	}
	rec := record{series: s, step: o.Step, ts: r.timestamp(o.Time),
		object: &objectData{kind: o.Kind, data: append([]byte{}, o.Data...)}}
	return r.accept("log", appendObject(r.scratch[:0], r.seq+1, &rec), rec)
}

// LogText records a text under a key.
func (r *Run) LogText(key string, step int64, text string) error {
	return r.LogObject(Object{Key: key, Step: step, Kind: "text", Data: []byte(text)})
}

// LogSync is Log that returns only when the value is committed and synced: it survives a power loss. If only the commit
// failed, the value is in the journal, as after Log.
func (r *Run) LogSync(key string, step int64, value float64) error {
	if err := r.Log(key, step, value); err != nil {
		return err
	}
	return r.Flush()
}

// Flush returns when everything logged so far is committed and synced.
func (r *Run) Flush() error { return r.store.requestFlush(context.Background()) }

// accept writes frames to the journal and queues their records. r.mu is held.
func (r *Run) accept(op string, frames []byte, recs ...record) error {
	if cap(frames) <= 1<<20 {
		r.scratch = frames[:0]
	}
	if err := r.journal.write(frames, r.seq+uint64(len(recs))); err != nil {
		return explain(op, r.journal.paths[r.journal.active], err)
	}
	r.seq += uint64(len(recs))
	r.pending = append(r.pending, recs...)
	r.store.flush.noticed(len(recs), r.store.cfg.FlushRows)
	return nil
}

// waitForRoom blocks while too much is pending, and returns an error if the run takes nothing any more. r.mu is held.
func (r *Run) waitForRoom(op string) error {
	for {
		if r.over {
			return r.overError(op)
		}
		full := len(r.pending)+r.inflight >= r.capacity
		if failure := r.store.failure.Load(); failure != nil && (full || !transient(*failure)) {
			e := &Error{Op: op, Path: r.store.paths.db, Err: *failure,
				Msg: "this value was not accepted, earlier ones are safe in the journal; the last commit failed"}
			var commit *Error
			if errors.As(*failure, &commit) {
				e.Err, e.Hint = commit.Err, commit.Hint
				if commit.Msg != "" {
					e.Msg += ": " + commit.Path + " " + commit.Msg
				}
			}
			return e
		}
		if !full {
			return nil
		}
		r.room.Wait()
	}
}

func (r *Run) overError(op string) error {
	if err := r.store.checkOpen(op, true); err != nil {
		return err
	}
	return &Error{Op: op, Path: r.store.paths.db, Err: ErrRunOver, Hint: "Store.ResumeRun reopens a run",
		Msg: fmt.Sprintf("run %s (%s) was finished", r.uid, r.name)}
}

// lookup finds the series of a metric, checking its names at first sight. r.mu is held.
func (r *Run) lookup(op, key, context string) (*series, error) {
	if s := r.series[seriesName{key, context}]; s != nil {
		return s, nil
	}
	if msg := checkKey(key); msg != "" {
		return nil, invalid(op, "metric key %q %s", key, msg)
	}
	if msg := checkContext(context); msg != "" {
		return nil, invalid(op, "context %q of metric %q %s", context, key, msg)
	}
	s := newSeries(key, context)
	r.series[seriesName{key, context}] = s
	return s, nil
}

// timestamp returns t, or the clock, in Unix milliseconds. The clock's times never go back within a run, so that the
// last value logged at a step stays the last one when the clock is set back.
func (r *Run) timestamp(t time.Time) int64 {
	if !t.IsZero() {
		return t.UnixMilli()
	}
	r.lastTS = max(r.lastTS, r.now().UnixMilli())
	return r.lastTS
}

// take hands the pending records to the flusher; ok is false if there is nothing to do.
func (r *Run) take(beat bool) (b batch, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over || (len(r.pending) == 0 && !beat) {
		return batch{}, false
	}
	b = batch{run: r, records: r.pending, seq: r.seq}
	r.pending, r.spare = r.spare[:0], nil
	r.inflight = len(b.records)
	r.journal.rotate()
	return b, true
}

// giveBack returns the records of a failed commit to the head of the queue.
func (r *Run) giveBack(b batch) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pending = append(b.records, r.pending...)
	r.inflight = 0
	r.store.flush.waiting.Add(int64(len(b.records)))
	r.room.Broadcast()
}

// committed trims the journal after a commit.
func (r *Run) committed(b batch) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.inflight = 0
	clear(b.records)
	r.spare = b.records[:0]
	r.room.Broadcast()
	return explain("trim", r.journal.paths[0], r.journal.trim(r.seq == b.seq))
}

// abandon ends a run whose last commit failed: the journal stays for the next open.
func (r *Run) abandon() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.over {
		r.over = true
		_ = r.journal.close() // nothing is buffered: every record was written when it was accepted
		r.room.Broadcast()
	}
}
