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
	rec := Recovery{Run: uid, DamagedBytes: content[0].damaged + content[1].damaged}
	err = s.write(ctx, func(tx *writeTx) error {
		rec.Points, rec.Missing = 0, 0
		var run, committed int64
		err := tx.scan("SELECT r.id, h.journal_seq FROM runs r JOIN heartbeats h ON h.run_id = r.id WHERE r.uid = ?",
			[]any{uid}, &run, &committed)
		if errors.Is(err, sql.ErrNoRows) {
			// The process died between making the journal and adding the run (then the journal is empty), or the
			// database was replaced (then its records are kept aside).
			rec.Unknown = true
			return nil
		}
		if err != nil {
			return err
		}
		return tx.replayFrames(run, uint64(committed), frames, &rec)
	})
	if err != nil {
		return err
	}
	return s.consume(paths, content, &rec, lock)
}

// replayFrames commits the records after committed and writes down what happened to the run.
func (tx *writeTx) replayFrames(run int64, committed uint64, frames []frame, rec *Recovery) error {
	next := committed + 1
	known := map[seriesName]*series{}
	var records []record
	for _, f := range frames {
		if f.last() < next {
			continue // committed before the files could be trimmed
		}
		if f.seq > next {
			rec.Missing += int(f.seq - next)
			next = f.seq
		}
		fresh := f.records[next-f.seq:]
		next = f.last() + 1
		for _, fr := range fresh {
			name := seriesName{fr.key, fr.context}
			if known[name] == nil {
				known[name] = &series{key: fr.key, context: fr.context}
			}
			records = append(records, record{series: known[name], step: fr.step, ts: fr.ts, value: fr.value, object: fr.object})
		}
	}
	if err := tx.addRecords(run, records); err != nil {
		return err
	}
	rec.Points = len(records)
	if len(records) > 0 {
		// The heartbeat stays what it was: the run is not alive.
		if _, err := tx.exec(`UPDATE heartbeats SET journal_seq = ?2,
			last_step = CASE WHEN last_step IS NULL OR ?3 > last_step THEN ?3 ELSE last_step END WHERE run_id = ?1`,
			run, int64(next-1), *maxStep(records)); err != nil {
			return err
		}
	}
	if rec.Points > 0 || rec.DamagedBytes > 0 {
		if err := tx.event(run, "replayed", rec.message(), fmt.Sprintf(`{"points":%d,"damaged_bytes":%d,"missing":%d}`,
			rec.Points, rec.DamagedBytes, rec.Missing)); err != nil {
			return err
		}
	}
	return tx.crash(run)
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

func (rec Recovery) message() string {
	msg := fmt.Sprintf("%d values brought back from the journal", rec.Points)
	if rec.DamagedBytes > 0 {
		msg += fmt.Sprintf("; %d bytes were damaged", rec.DamagedBytes)
	}
	if rec.Missing > 0 {
		msg += fmt.Sprintf("; %d records are missing", rec.Missing)
	}
	return msg
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
	if rec.Points > 0 || len(aside) > 0 {
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
