package tracker

import (
	"context"
	"fmt"
)

// DeleteMetric removes every value and object that a run logged under key and context, for good, and returns how many
// there were. An unknown metric is a *NotFoundError with near names. What a living run logs under the same name later
// is kept. The event "metric deleted" stays as a trace.
func (s *Store) DeleteMetric(ctx context.Context, ref, key, context string) (values int64, err error) {
	const op = "delete metric"
	if err := s.checkOpen(op, true); err != nil {
		return 0, err
	}
	if err := s.Flush(ctx); err != nil {
		return 0, err
	}
	info, err := s.Run(ctx, ref)
	if err != nil {
		return 0, err
	}
	err = s.change(op, func(tx *writeTx) error {
		values, err = tx.deleteMetric(info, key, context)
		return err
	})
	if err == nil && values == 0 {
		return 0, s.unknownMetric(ctx, info, key, context)
	}
	return values, err
}

func (tx *writeTx) deleteMetric(info RunInfo, key, context string) (values int64, err error) {
	const series = `(SELECT id FROM series WHERE run_id = ?1 AND key_id = (SELECT id FROM keys WHERE name = ?2)
		AND context_id = (SELECT id FROM contexts WHERE name = ?3))`
	for _, table := range []string{"points", "objects"} {
		res, err := tx.exec("DELETE FROM "+table+" WHERE series_id IN "+series, info.RowID, key, context)
		if err != nil {
			return 0, err
		}
		n, err := res.RowsAffected()
		if err != nil {
			return 0, err
		}
		values += n
	}
	if values == 0 {
		return 0, nil
	}
	// Whoever is logging to the run remembers the id of the series; only a run at rest can do without the row.
	if tx.s.journalState(info.ID) == journalMissing {
		if _, err := tx.exec("DELETE FROM series WHERE id IN "+series, info.RowID, key, context); err != nil {
			return 0, err
		}
	}
	if err := tx.rebuild(info.RowID); err != nil {
		return 0, err
	}
	name := key
	if context != "" {
		name += " in context " + context
	}
	return values, tx.event(info.RowID, "metric deleted", fmt.Sprintf("%d values of %s", values, name), "{}")
}
