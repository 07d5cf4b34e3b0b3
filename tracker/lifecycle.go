package tracker

import (
	"context"
	"errors"
	"fmt"
)

// Finish commits what is pending, sets the final status (finished, failed, diverged or interrupted) and ends the run.
// If the commit fails the run stays open: nothing is lost, and Finish can be called again. Tags, notes and artifacts can
// still be added afterwards.
func (r *Run) Finish(status Status) error { return r.finish(status, "") }

// FinishWith is Finish with a sentence on why, e.g. "loss is NaN at step 312".
func (r *Run) FinishWith(status Status, detail string) error { return r.finish(status, detail) }

func (r *Run) finish(status Status, detail string) error {
	switch status {
	case StatusFinished, StatusFailed, StatusDiverged, StatusInterrupted:
	default:
		return invalid("finish", "status is %q, allowed are %q, %q, %q and %q", status, StatusFinished, StatusFailed,
			StatusDiverged, StatusInterrupted)
	}
	if msg := checkLong(detail, MaxTagLength); msg != "" {
		return invalid("finish", "detail %s", msg)
	}
	if over := r.isOver(); over {
		return r.overError("finish")
	}
	if err := r.Flush(); err != nil {
		return err
	}
	err := r.store.write(context.Background(), func(tx *writeTx) error {
		now := r.now().UnixMilli()
		if _, err := tx.exec("UPDATE runs SET status = ?, status_detail = ?, finished_ms = ? WHERE id = ?",
			string(status), detail, now, r.rowID); err != nil {
			return err
		}
		return tx.event(r.rowID, "finished", string(status)+": "+detail, "{}")
	})
	if err != nil {
		return explain("finish", r.store.paths.db, err)
	}
	return r.end()
}

// end closes the handle. Records that other goroutines logged between the last flush and now are committed by a last
// round before the journal goes.
func (r *Run) end() error {
	for {
		r.mu.Lock()
		if len(r.pending) == 0 && r.inflight == 0 {
			break
		}
		r.mu.Unlock()
		if err := r.Flush(); err != nil {
			return err
		}
	}
	defer r.mu.Unlock()
	if r.over {
		return nil
	}
	r.over = true
	r.room.Broadcast()
	r.store.mu.Lock()
	delete(r.store.runs, r.uid)
	r.store.mu.Unlock()
	return explain("finish", r.journal.paths[0], r.journal.remove())
}

func (r *Run) isOver() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.over
}

// SetStatus records a status and a sentence on it at once, without ending the run: "diverged" at the step where it
// happens, say. Finish sets the final one.
func (r *Run) SetStatus(status Status, detail string) error {
	if !status.valid() || status == StatusCrashed {
		return invalid("set status", "status is %q, allowed are %q without %q", status, Statuses(), StatusCrashed)
	}
	if msg := checkLong(detail, MaxTagLength); msg != "" {
		return invalid("set status", "detail %s", msg)
	}
	if r.isOver() {
		return r.overError("set status")
	}
	return r.store.change("set status", func(tx *writeTx) error {
		if _, err := tx.exec("UPDATE runs SET status = ?, status_detail = ? WHERE id = ?", string(status), detail,
			r.rowID); err != nil {
			return err
		}
		return tx.event(r.rowID, "status", string(status)+": "+detail, "{}")
	})
}

// TruncateAfter makes a resumed run equal to an uninterrupted one: it deletes every point, object and artifact of the
// run whose step is greater than step (but for keys under SystemPrefix), and recomputes the summaries, in one
// transaction. Call it after ResumeRun with
// the step of the checkpoint that training continues from, before logging anything. What was superseded is gone;
// the event "truncated" keeps the counts. It returns the number of points and objects deleted.
func (r *Run) TruncateAfter(step int64) (deleted int64, err error) {
	if r.isOver() {
		return 0, r.overError("truncate")
	}
	if err := r.Flush(); err != nil {
		return 0, err
	}
	err = r.store.change("truncate", func(tx *writeTx) error {
		deleted = 0
		for _, table := range []string{"points", "objects"} {
			res, err := tx.exec("DELETE FROM "+table+
				" WHERE step > ?2 AND series_id IN (SELECT s.id FROM series s WHERE s.run_id = ?1 AND "+notSystem+")", r.rowID, step)
			if err != nil {
				return err
			}
			n, err := res.RowsAffected()
			if err != nil {
				return err
			}
			deleted += n
		}
		if _, err := tx.exec("DELETE FROM artifacts WHERE run_id = ? AND step > ?", r.rowID, step); err != nil {
			return err
		}
		if err := tx.rebuild(r.rowID); err != nil {
			return err
		}
		return tx.event(r.rowID, "truncated", fmt.Sprintf("%d values after step %d", deleted, step),
			fmt.Sprintf(`{"after_step":%d,"deleted":%d}`, step, deleted))
	})
	if err != nil {
		return 0, err
	}
	return deleted, nil
}

// notSystem leaves out the series s of the machine.
const notSystem = "s.key_id NOT IN (SELECT id FROM keys WHERE name GLOB '" + SystemPrefix + "*')"

// rebuild recomputes latest and last_step of a run from its points and objects.
func (tx *writeTx) rebuild(run int64) error {
	for _, query := range []string{
		"DELETE FROM latest WHERE series_id IN (SELECT id FROM series WHERE run_id = ?1)",
		rebuildLatest,
		`UPDATE heartbeats SET last_step = (SELECT max(step) FROM (
			SELECT (SELECT max(step) FROM points WHERE series_id = s.id) AS step FROM series s WHERE s.run_id = ?1 AND ` + notSystem + `
			UNION ALL
			SELECT (SELECT max(step) FROM objects WHERE series_id = s.id) FROM series s WHERE s.run_id = ?1 AND ` + notSystem + `))
			WHERE run_id = ?1`,
	} {
		if _, err := tx.exec(query, run); err != nil {
			return err
		}
	}
	return nil
}

// ResumeRun opens an existing run for further logging: its journal is replayed, its status is "running" again, and what
// is logged from now on is added to what is there. Training that continues from a checkpoint calls TruncateAfter next.
// A run that somebody else is logging to gives ErrRunActive.
func (s *Store) ResumeRun(ref string) (*Run, error) {
	if err := s.checkOpen("resume", true); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.cfg.LockTimeout)
	defer cancel()
	info, err := s.Run(ctx, ref)
	if err != nil {
		return nil, err
	}
	if info.Deleted {
		return nil, &Error{Op: "resume", Path: s.paths.db, Err: ErrInvalid, Hint: "restore it first",
			Msg: fmt.Sprintf("run %s (%s) is deleted", info.ID, info.Name)}
	}
	j, err := s.claimJournal(ctx, info)
	if err != nil {
		return nil, err
	}
	r := s.newRun(info.RowID, info.ID, info.Name, j)
	err = s.write(ctx, func(tx *writeTx) error {
		var seq int64
		if err := tx.scan("SELECT journal_seq FROM heartbeats WHERE run_id = ?", []any{info.RowID}, &seq); err != nil {
			return err
		}
		r.seq = uint64(seq)
		return tx.restart(info)
	})
	if err != nil {
		return nil, errors.Join(explain("resume", s.paths.db, err), j.close())
	}
	return r, s.register(r)
}

// claimJournal takes the journal of an existing run, after replaying what a dead process left in it.
func (s *Store) claimJournal(ctx context.Context, info RunInfo) (*journal, error) {
	paths := segmentPaths(s.paths.journal, info.ID)
	for {
		lock, err := lockJournal(ctx, paths[0], journalPatience)
		if errors.Is(err, ErrRunActive) {
			return nil, &Error{Op: "resume", Path: s.paths.db, Err: ErrRunActive, Hint: "wait for it to end, or stop it",
				Msg: fmt.Sprintf("run %s (%s) is being logged to by process %d on %s", info.ID, info.Name, info.PID, info.Host)}
		}
		if err != nil {
			return nil, explain("resume", paths[0], err)
		}
		frames, content, err := readSegments(paths)
		if err == nil && (len(frames) > 0 || content[0].damaged+content[1].damaged > 0) {
			if err = s.replay(ctx, info.ID, paths, lock); err == nil {
				continue // the files are consumed: start afresh
			}
		}
		if err != nil {
			_ = lock.Close() // replay may have closed it
			return nil, explain("resume", paths[0], err)
		}
		var seq int64
		err = s.rdb.QueryRowContext(ctx, "SELECT journal_seq FROM heartbeats WHERE run_id = ?", info.RowID).Scan(&seq)
		if err != nil {
			return nil, errors.Join(explain("resume", s.paths.db, err), lock.Close())
		}
		j, err := openJournal(paths, info.RowID, uint64(seq), lock, s.hooks.openSegment)
		if err != nil {
			return nil, errors.Join(explain("resume", paths[0], err), lock.Close())
		}
		return j, nil
	}
}

// restart notes in the database that this process goes on with a run.
func (tx *writeTx) restart(info RunInfo) error {
	now := tx.s.cfg.Now().UnixMilli()
	if _, err := tx.exec(`UPDATE runs SET status = 'running', status_detail = '', finished_ms = NULL, started_ms = ?,
		resumes = resumes + 1 WHERE id = ?`, now, info.RowID); err != nil {
		return err
	}
	p := tx.s.self
	if _, err := tx.exec("UPDATE heartbeats SET host = ?, pid = ?, process_start = ?, beat_ms = ? WHERE run_id = ?",
		p.host, p.pid, p.start, now, info.RowID); err != nil {
		return err
	}
	return tx.event(info.RowID, "resumed", "was "+string(info.Status), "{}")
}
