package tracker

import (
	"context"
	"encoding/json"
)

func checkTag(op, key, value string) error {
	if msg := checkKey(key); msg != "" {
		return invalid(op, "tag key %q %s", key, msg)
	}
	if msg := checkLong(value, MaxTagLength); msg != "" {
		return invalid(op, "value of tag %q %s", key, msg)
	}
	return nil
}

func (tx *writeTx) setTag(run int64, key, value string) error {
	id, err := tx.keyID(key)
	if err != nil {
		return err
	}
	_, err = tx.exec(`INSERT INTO tags (run_id, key_id, value) VALUES (?, ?, ?)
		ON CONFLICT (run_id, key_id) DO UPDATE SET value = excluded.value`, run, id, value)
	return err
}

// SetTag sets a tag of the run, replacing an earlier value.
func (r *Run) SetTag(key, value string) error { return r.store.setTag(r.rowID, key, value) }

// SetNote replaces the run's note.
func (r *Run) SetNote(note string) error { return r.store.setNote(r.rowID, note) }

// LogParam adds one param to those from the config. value is a string, bool, integer, float or nil, or anything that
// marshals to JSON. A param never changes: the same value again is fine, another one is an error. RunInfo.ArmSHA256 stays
// what the config made it.
func (r *Run) LogParam(key string, value any) error {
	text, err := json.Marshal(map[string]any{key: value})
	if err != nil {
		return invalid("log param", "value of %q is no JSON: %v", key, err)
	}
	params, err := flattenConfig(text)
	if err != nil {
		return err
	}
	return r.store.change("log param", func(tx *writeTx) error {
		for _, p := range params {
			if err := tx.addParam(r.rowID, p); err != nil {
				return err
			}
		}
		return nil
	})
}

func (tx *writeTx) addParam(run int64, p Param) error {
	id, err := tx.keyID(p.Key)
	if err != nil {
		return err
	}
	var kind string
	var value any
	if tx.scan("SELECT type, value FROM params WHERE run_id = ? AND key_id = ?", []any{run, id}, &kind, &value) == nil {
		if old := loadParam(p.Key, kind, value); old.Text != p.Text {
			return &Error{Op: "log param", Err: ErrInvalid, Hint: "params are fixed; use a tag for what changes",
				Msg: "param \"" + p.Key + "\" is " + old.Text + " already, and cannot become " + p.Text}
		}
		return nil
	}
	return tx.insertParams(run, []Param{p})
}

// SetTag sets a tag of any run.
func (s *Store) SetTag(ctx context.Context, ref, key, value string) error {
	info, err := s.Run(ctx, ref)
	if err != nil {
		return err
	}
	return s.setTag(info.RowID, key, value)
}

// SetNote replaces the note of any run.
func (s *Store) SetNote(ctx context.Context, ref, note string) error {
	info, err := s.Run(ctx, ref)
	if err != nil {
		return err
	}
	return s.setNote(info.RowID, note)
}

// DeleteTag removes a tag of any run; a tag that is not there is no error.
func (s *Store) DeleteTag(ctx context.Context, ref, key string) error {
	info, err := s.Run(ctx, ref)
	if err != nil {
		return err
	}
	return s.change("delete tag", func(tx *writeTx) error {
		_, err := tx.exec("DELETE FROM tags WHERE run_id = ? AND key_id = (SELECT id FROM keys WHERE name = ?)",
			info.RowID, key)
		return err
	})
}

// DeleteRun hides a run from listings; RestoreRun brings it back. Its data stay.
func (s *Store) DeleteRun(ctx context.Context, ref string) error { return s.setDeleted(ctx, ref, true) }

// RestoreRun undoes DeleteRun.
func (s *Store) RestoreRun(ctx context.Context, ref string) error {
	return s.setDeleted(ctx, ref, false)
}

func (s *Store) setDeleted(ctx context.Context, ref string, deleted bool) error {
	info, err := s.Run(ctx, ref)
	if err != nil {
		return err
	}
	kind := "restored"
	if deleted {
		kind = "deleted"
	}
	return s.change("delete run", func(tx *writeTx) error {
		if _, err := tx.exec("UPDATE runs SET deleted_ms = ? WHERE id = ?",
			nullIf(s.cfg.Now().UnixMilli(), !deleted), info.RowID); err != nil {
			return err
		}
		return tx.event(info.RowID, kind, "", "{}")
	})
}

func (s *Store) setTag(run int64, key, value string) error {
	if err := checkTag("set tag", key, value); err != nil {
		return err
	}
	return s.change("set tag", func(tx *writeTx) error { return tx.setTag(run, key, value) })
}

func (s *Store) setNote(run int64, note string) error {
	if msg := checkLong(note, MaxNoteLength); msg != "" {
		return invalid("set note", "the note %s", msg)
	}
	return s.change("set note", func(tx *writeTx) error {
		_, err := tx.exec("UPDATE runs SET note = ? WHERE id = ?", note, run)
		return err
	})
}
