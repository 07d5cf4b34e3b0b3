package tracker

import (
	"errors"
	"math"
	"strings"

	"github.com/mattn/go-sqlite3"
)

// series is one metric of one run in memory. key and context never change; the rest belongs to whoever commits.
type series struct {
	key, context string
	system       bool // the key begins with SystemPrefix

	run, id, keyID, contextID int64 // rows in the database; id is 0 if not yet known

	agg aggregate
}

// SystemPrefix begins the keys of what a machine did while a run took place (see package sysmon). They have no part in
// what the run computed: their steps do not count for its last step, and Run.TruncateAfter keeps them.
const SystemPrefix = "system/"

func newSeries(key, context string) *series {
	return &series{key: key, context: context, system: strings.HasPrefix(key, SystemPrefix)}
}

// aggregate sums up the points of a series within one transaction; it is merged into the table latest.
type aggregate struct {
	touched          bool // some point was added
	count, nan       int64
	lastStep, lastTS int64
	last             float64
	prev             position // of the point added before
	minStep, maxStep int64
	min, max, sum    float64
}

// position is the key of a point within its series.
type position struct{ step, ts, seq int64 }

// next returns the key for a point that follows in the same transaction: seq counts on while step and time repeat.
// insertPoints copes when such a point is in the database already.
func (a *aggregate) next(step, ts int64) position {
	p := position{step: step, ts: ts}
	if a.touched && a.prev.step == step && a.prev.ts == ts {
		p.seq = a.prev.seq + 1
	}
	a.prev, a.touched = p, true
	return p
}

// add takes one more point into account, with the rules that the SQL below applies between transactions: the last
// value is the one with the greatest (step, time), the later one winning a tie; of equal extremes the smallest step
// is kept; NaN is counted and otherwise left out.
func (a *aggregate) add(step, ts int64, value float64) {
	if a.count == 0 || step > a.lastStep || (step == a.lastStep && ts >= a.lastTS) {
		a.lastStep, a.lastTS, a.last = step, ts, value
	}
	a.count++
	if math.IsNaN(value) {
		a.nan++
		return
	}
	first := a.count-a.nan == 1
	if first || value < a.min || (value == a.min && step < a.minStep) {
		a.min, a.minStep = value, step
	}
	if first || value > a.max || (value == a.max && step < a.maxStep) {
		a.max, a.maxStep = value, step
	}
	a.sum += value
}

const insertOne = "INSERT INTO points (series_id, step, ts_ms, seq, value) VALUES (?, ?, ?, ?, ?)"

// insertNext finds seq by itself. It takes 10 µs where a row of insertMany takes 1.5: SQLite 3.54 under
// mattn/go-sqlite3 1.14.53 parses every statement with "column = ?" again at each execution.
const insertNext = `INSERT INTO points (series_id, step, ts_ms, seq, value) VALUES (?1, ?2, ?3,
	(SELECT coalesce(max(seq) + 1, 0) FROM points WHERE series_id = ?1 AND step = ?2 AND ts_ms = ?3), ?4)`

// chunkRows is the number of rows of one INSERT: beyond about 50 the time per row no longer falls.
const chunkRows = 50

var insertMany = "INSERT INTO points (series_id, step, ts_ms, seq, value) VALUES " +
	strings.TrimSuffix(strings.Repeat("(?, ?, ?, ?, ?), ", chunkRows), ", ")

const insertObject = `INSERT INTO objects (series_id, step, ts_ms, seq, kind, data) VALUES (?1, ?2, ?3,
	(SELECT coalesce(max(seq) + 1, 0) FROM objects WHERE series_id = ?1 AND step = ?2 AND ts_ms = ?3), ?4, ?5)`

const mergeLatest = `INSERT INTO latest (series_id, run_id, key_id, context_id, count, nan_count,
		last_step, last_ts_ms, last_value, min_step, min_value, max_step, max_value, sum_value)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
	ON CONFLICT (series_id) DO UPDATE SET
		last_value = CASE WHEN (excluded.last_step, excluded.last_ts_ms) >= (last_step, last_ts_ms)
			THEN excluded.last_value ELSE last_value END,
		last_ts_ms = CASE WHEN (excluded.last_step, excluded.last_ts_ms) >= (last_step, last_ts_ms)
			THEN excluded.last_ts_ms ELSE last_ts_ms END,
		last_step = max(last_step, excluded.last_step),
		min_step = CASE WHEN min_value IS NULL OR excluded.min_value < min_value
				OR (excluded.min_value = min_value AND excluded.min_step < min_step)
			THEN excluded.min_step ELSE min_step END,
		min_value = CASE WHEN min_value IS NULL OR excluded.min_value < min_value
			THEN excluded.min_value ELSE min_value END,
		max_step = CASE WHEN max_value IS NULL OR excluded.max_value > max_value
				OR (excluded.max_value = max_value AND excluded.max_step < max_step)
			THEN excluded.max_step ELSE max_step END,
		max_value = CASE WHEN max_value IS NULL OR excluded.max_value > max_value
			THEN excluded.max_value ELSE max_value END,
		sum_value = CASE WHEN count = nan_count THEN excluded.sum_value
			WHEN excluded.count = excluded.nan_count THEN sum_value
			ELSE sum_value + excluded.sum_value END,
		count = count + excluded.count,
		nan_count = nan_count + excluded.nan_count`

// rebuildLatest computes the rows of a run's latest from its points, by the same rules.
const rebuildLatest = `INSERT INTO latest (series_id, run_id, key_id, context_id, count, nan_count,
		last_step, last_ts_ms, last_value, min_step, min_value, max_step, max_value, sum_value)
	SELECT s.id, s.run_id, s.key_id, s.context_id, a.count, a.nan_count, l.step, l.ts_ms, l.value,
		(SELECT min(step) FROM points WHERE series_id = s.id AND value = a.min_value), a.min_value,
		(SELECT min(step) FROM points WHERE series_id = s.id AND value = a.max_value), a.max_value, a.sum_value
	FROM series s
	JOIN (SELECT series_id, count(*) AS count, sum(value IS NULL) AS nan_count, min(value) AS min_value,
			max(value) AS max_value, sum(value) AS sum_value
		FROM points WHERE series_id IN (SELECT id FROM series WHERE run_id = ?1) GROUP BY series_id) a ON a.series_id = s.id
	JOIN points l ON (l.series_id, l.step, l.ts_ms, l.seq) =
		(SELECT series_id, step, ts_ms, seq FROM points WHERE series_id = s.id ORDER BY step DESC, ts_ms DESC, seq DESC LIMIT 1)
	WHERE s.run_id = ?1`

// addRecords inserts a run's records in order and brings latest up to date.
func (tx *writeTx) addRecords(run int64, records []record) error {
	var touched []*series
	defer func() {
		for _, s := range touched {
			s.agg = aggregate{}
		}
	}()
	tx.records += int64(len(records))
	args := make([]any, 0, 5*chunkRows)
	for i := range records {
		r := &records[i]
		if r.series.id == 0 {
			if err := tx.resolveSeries(run, r.series); err != nil {
				return err
			}
		}
		if r.object != nil {
			if _, err := tx.exec(insertObject, r.series.id, r.step, r.ts, r.object.kind, r.object.data); err != nil {
				return err
			}
			continue
		}
		if !r.series.agg.touched {
			touched = append(touched, r.series)
		}
		at := r.series.agg.next(r.step, r.ts)
		r.series.agg.add(r.step, r.ts, r.value)
		args = append(args, r.series.id, at.step, at.ts, at.seq, nullIfNaN(r.value))
		if len(args) == cap(args) {
			if err := tx.insertPoints(args); err != nil {
				return err
			}
			args = args[:0]
		}
	}
	if err := tx.insertPoints(args); err != nil {
		return err
	}
	for _, s := range touched {
		if err := tx.mergeAggregate(s); err != nil {
			return err
		}
	}
	return nil
}

// insertPoints inserts rows of five arguments each. If a row's step and time are taken by an earlier transaction, it is
// inserted with the next free seq.
func (tx *writeTx) insertPoints(args []any) error {
	if len(args) == 5*chunkRows {
		// A statement that fails is undone as a whole; the transaction goes on.
		if _, err := tx.exec(insertMany, args...); !isTaken(err) {
			return err
		}
	}
	for ; len(args) > 0; args = args[5:] {
		_, err := tx.exec(insertOne, args[:5]...)
		if isTaken(err) {
			_, err = tx.exec(insertNext, args[0], args[1], args[2], args[4])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// isTaken reports whether an insert failed because its primary key exists.
func isTaken(err error) bool {
	var se sqlite3.Error
	return errors.As(err, &se) && se.ExtendedCode == sqlite3.ErrConstraintPrimaryKey
}

func (tx *writeTx) mergeAggregate(s *series) error {
	a := &s.agg
	var minStep, minValue, maxStep, maxValue, sum any
	if a.count > a.nan {
		minStep, minValue, maxStep, maxValue, sum = a.minStep, a.min, a.maxStep, a.max, nullIfNaN(a.sum)
	}
	_, err := tx.exec(mergeLatest, s.id, s.run, s.keyID, s.contextID, a.count, a.nan, a.lastStep, a.lastTS, nullIfNaN(a.last),
		minStep, minValue, maxStep, maxValue, sum)
	return err
}

// resolveSeries finds or makes the row of a series. If the transaction fails, the id is forgotten again.
func (tx *writeTx) resolveSeries(run int64, s *series) error {
	key, err := tx.keyID(s.key)
	if err != nil {
		return err
	}
	context, err := tx.contextID(s.context)
	if err != nil {
		return err
	}
	s.run, s.keyID, s.contextID = run, key, context
	s.id, err = tx.getOrInsert("SELECT id FROM series WHERE run_id = ? AND key_id = ? AND context_id = ?",
		[]any{run, key, context}, "INSERT INTO series (run_id, key_id, context_id) VALUES (?, ?, ?)", run, key, context)
	if err != nil {
		s.id = 0
		return err
	}
	tx.onRollback = append(tx.onRollback, func() { s.id = 0 })
	return nil
}

// advance moves the run's journal position and heartbeat. last_step never goes back here; TruncateAfter does that.
func (tx *writeTx) advance(run int64, seq uint64, lastStep *int64) error {
	var step any
	if lastStep != nil {
		step = *lastStep
	}
	_, err := tx.exec(`UPDATE heartbeats SET beat_ms = ?2, journal_seq = ?3,
		last_step = CASE WHEN last_step IS NULL OR ?4 > last_step THEN ?4 ELSE last_step END WHERE run_id = ?1`,
		run, tx.s.cfg.Now().UnixMilli(), int64(seq), step)
	return err
}

// nullIfNaN: SQLite stores NaN as NULL anyway; saying so keeps it independent of the driver.
func nullIfNaN(v float64) any {
	if math.IsNaN(v) {
		return nil
	}
	return v
}

// maxStep is the greatest step among records other than the system's, nil if there are none.
func maxStep(records []record) *int64 {
	var m *int64
	for i := range records {
		if r := &records[i]; !r.series.system && (m == nil || r.step > *m) {
			m = &r.step
		}
	}
	if m == nil {
		return nil
	}
	step := *m
	return &step
}
