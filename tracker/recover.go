package tracker

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"time"
)

// recoverAll replays the journals of dead processes and marks their runs crashed.
func (s *Store) recoverAll(ctx context.Context) error {
	uids, err := journaledRuns(s.paths.journal)
	if err != nil {
		return err
	}
	for _, uid := range uids {
		if err := s.recoverRun(ctx, uid); err != nil {
			s.reportProblem(uid, err)
		}
	}
	return s.markCrashed(ctx)
}

// reportProblem notes that a journal could not be replayed. It stays where it is, the store opens all the same, and the
// next open tries again.
func (s *Store) reportProblem(uid string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.recovered {
		if s.recovered[i].Run == uid && s.recovered[i].Problem != nil {
			s.recovered[i].Problem = err
			return
		}
	}
	s.recovered = append(s.recovered, Recovery{Run: uid, Problem: err})
}

// recoverRun replays one journal unless its owner is alive.
func (s *Store) recoverRun(ctx context.Context, uid string) error {
	paths := segmentPaths(s.paths.journal, uid)
	lock, err := lockJournal(ctx, paths[0], 0)
	if errors.Is(err, ErrRunActive) {
		return nil
	}
	if err != nil {
		return explain("replay", paths[0], err)
	}
	if err := s.replay(ctx, uid, paths, lock); err != nil {
		_ = lock.Close() // replay may have closed it
		return explain("replay", paths[0], err)
	}
	return nil
}

// replay commits what a run's journal files hold beyond the committed position, marks the run crashed if it was
// running, moves damaged files aside and removes the others. It consumes the lock, whose holder the caller is.
func (s *Store) replay(ctx context.Context, uid string, paths [2]string, lock *os.File) error {
	frames, content, err := readSegments(paths)
	if err != nil {
		return err
	}
	rec := Recovery{Run: uid}
	err = s.write(ctx, func(tx *writeTx) error {
		rec.Points, rec.Missing = 0, 0
		var run, committed int64
		var status string
		err := tx.scan("SELECT r.id, h.journal_seq, r.status FROM runs r JOIN heartbeats h ON h.run_id = r.id WHERE r.uid = ?",
			[]any{uid}, &run, &committed, &status)
		if errors.Is(err, sql.ErrNoRows) {
			// The process died between making the journal and adding the run (then the journal is empty), or the
			// database was replaced (then its records are kept aside).
			rec.Unknown = true
			rec.DamagedBytes = damagedBytes(&content, false)
			return nil
		}
		if err != nil {
			return err
		}
		found := count(frames, uint64(committed), max(content[0].accepted, content[1].accepted))
		found.forgive(&content)
		rec.DamagedBytes, rec.Missing = damagedBytes(&content, Status(status) == StatusRunning), found.missing
		return tx.replayRecords(run, uint64(committed), found, &rec)
	})
	if err != nil {
		return err
	}
	return s.consume(paths, content, &rec, lock)
}

// damagedBytes sums the damage up. A file that lacks even its header was cut if the run got as far as running: both are
// whole before it does. No file at all is no damage: the database was copied without its journals.
func damagedBytes(content *[2]journalContent, running bool) int {
	none := content[0].size == 0 && content[1].missing
	for i := range content {
		if c := &content[i]; running && c.short && c.damaged == 0 && !none {
			c.damaged, c.firstAt = headerSize-c.size, c.size
		}
	}
	return content[0].damaged + content[1].damaged
}

// replayRecords commits what a journal held and writes down what happened to the run.
func (tx *writeTx) replayRecords(run int64, committed uint64, found tally, rec *Recovery) error {
	known := map[seriesName]*series{}
	records := make([]record, len(found.records))
	for i, fr := range found.records {
		name := seriesName{fr.key, fr.context}
		if known[name] == nil {
			known[name] = newSeries(fr.key, fr.context)
		}
		records[i] = record{series: known[name], step: fr.step, ts: fr.ts, value: fr.value, object: fr.object}
	}
	if err := tx.addRecords(run, records); err != nil {
		return err
	}
	rec.Points = len(records)
	if found.next > committed+1 {
		if err := tx.moveTo(run, found.next-1, maxStep(records)); err != nil {
			return err
		}
	}
	if rec.Points > 0 || rec.DamagedBytes > 0 || rec.Missing > 0 {
		if err := tx.event(run, "replayed", rec.message(), fmt.Sprintf(`{"points":%d,"damaged_bytes":%d,"missing":%d}`,
			rec.Points, rec.DamagedBytes, rec.Missing)); err != nil {
			return err
		}
	}
	return tx.crash(run)
}

// moveTo moves the journal position. The heartbeat stays what it was: the run is not alive.
func (tx *writeTx) moveTo(run int64, seq uint64, lastStep *int64) error {
	var step any
	if lastStep != nil {
		step = *lastStep
	}
	_, err := tx.exec(`UPDATE heartbeats SET journal_seq = ?2,
		last_step = CASE WHEN last_step IS NULL OR ?3 > last_step THEN ?3 ELSE last_step END WHERE run_id = ?1`,
		run, int64(seq), step)
	return err
}

// crash sets the status of a run that was running until its process died.
func (tx *writeTx) crash(run int64) error {
	res, err := tx.exec(`UPDATE runs SET status = 'crashed', status_detail = 'the process ended without finishing the run',
		finished_ms = (SELECT beat_ms FROM heartbeats WHERE run_id = ?1) WHERE id = ?1 AND status = 'running'`, run)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return err
	}
	return tx.event(run, "crashed", "the process ended without finishing the run", "{}")
}

// consume puts the files of a replayed journal away and releases the lock: damaged files, and those of a run that is
// not in this database, are kept under another name.
func (s *Store) consume(paths [2]string, content [2]journalContent, rec *Recovery, lock *os.File) error {
	var keep [2]bool
	for i, c := range content {
		keep[i] = c.damaged > 0 || (rec.Unknown && len(c.frames) > 0)
	}
	aside, err := keepAside(paths, keep, s.cfg.Now())
	rec.Aside = aside
	if err == nil {
		err = removeSegments(paths)
	}
	err = errors.Join(err, lock.Close())
	if rec.Points > 0 || rec.Missing > 0 || len(aside) > 0 || rec.DamagedBytes > 0 {
		s.mu.Lock()
		s.recovered = append(s.recovered, *rec)
		s.mu.Unlock()
	}
	return err
}

// markCrashed sets the status of runs that are "running" in the database only. Their journals, if any, are replayed.
func (s *Store) markCrashed(ctx context.Context) error {
	dead, err := s.deadRuns(ctx)
	if err != nil || len(dead) == 0 {
		return err
	}
	for _, d := range dead {
		if err := s.recoverRun(ctx, d.uid); err != nil {
			s.reportProblem(d.uid, err)
		}
	}
	return s.write(ctx, func(tx *writeTx) error {
		for _, d := range dead {
			// recoverRun has marked the others; one with a journal now was resumed, or could not be replayed.
			if s.journalState(d.uid) == journalMissing {
				if err := tx.crash(d.id); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

type deadRun struct {
	id  int64
	uid string
}

// deadRuns finds the runs with status running whose process is gone.
func (s *Store) deadRuns(ctx context.Context) ([]deadRun, error) {
	rows, err := s.rdb.QueryContext(ctx, `SELECT r.id, r.uid, h.host, h.pid, h.process_start, h.beat_ms
		FROM runs r JOIN heartbeats h ON h.run_id = r.id WHERE r.status = 'running'`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var dead []deadRun
	for rows.Next() {
		var d deadRun
		var p process
		var beat int64
		if err := rows.Scan(&d.id, &d.uid, &p.host, &p.pid, &p.start, &beat); err != nil {
			return nil, err
		}
		if !s.alive(d.uid, p, time.UnixMilli(beat)) {
			dead = append(dead, d)
		}
	}
	return dead, rows.Err()
}

// change runs a small transaction on behalf of a caller who waits for it.
func (s *Store) change(op string, fn func(tx *writeTx) error) error {
	if err := s.checkOpen(op, true); err != nil {
		return err
	}
	return explain(op, s.paths.db, s.write(context.Background(), fn))
}
