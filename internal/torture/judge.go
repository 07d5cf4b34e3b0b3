package main

import (
	"context"

	"github.com/gophersnake/gophersnake/tracker"
)

// reports is what the store said when it was opened.
type reports struct {
	database tracker.Recovery
	runs     map[string]tracker.Recovery
}

func readReports(store *tracker.Store) reports {
	r := reports{runs: map[string]tracker.Recovery{}}
	for _, rec := range store.Recovered() {
		if rec.Run == "" {
			r.database = rec
		} else {
			r.runs[rec.Run] = rec
		}
	}
	return r
}

// judge compares every run with its record, and what is missing with what was reported.
func (b *bench) judge(ctx context.Context, store *tracker.Store, n int, m mode, hurt map[string]bool) error {
	said := readReports(store)
	b.judgeReports(n, m, said, hurt)
	lost, accounted, other := 0, 0, 0
	for _, r := range b.records {
		if r.retired {
			continue
		}
		v, err := compare(ctx, store, r)
		if err != nil {
			return err
		}
		for _, w := range v.wrong[:min(3, len(v.wrong))] {
			b.fail(n, m, "run %s: %s", r.id, w)
		}
		rec := said.runs[r.id]
		b.judgeRun(n, m, r, v, said, hurt[r.id])
		if !rec.Unknown {
			lost += v.missing
			accounted += rec.Missing
		}
		other += len(v.other)
		b.account(r, v)
	}
	if most := accounted + int(said.database.LostValues); lost > most && (m == modeWAL || m == modeJournal) {
		b.fail(n, m, "%d values are missing, reported are %d", lost, most)
	}
	if other > 0 && said.database.LostCommits == 0 {
		b.fail(n, m, "%d tags, artifacts or runs are missing, and no lost commit is reported", other)
	}
	return nil
}

// judgeReports: nothing is reported that did not happen.
func (b *bench) judgeReports(n int, m mode, said reports, hurt map[string]bool) {
	for id, rec := range said.runs {
		b.sum.replayed += rec.Points
		bad := rec.DamagedBytes > 0 || rec.Missing > 0 || rec.Unknown || rec.Problem != nil
		if bad && (m == modeKill || m == modeFull || (m == modeJournal && !hurt[id])) {
			b.fail(n, m, "run %s was not harmed, and the store says: %v", id, rec)
		}
	}
	d := said.database
	if (d.LostCommits > 0 || d.Repaired > 0 || d.Problem != nil) && m != modeWAL && m != modeBoth {
		b.fail(n, m, "the database was not harmed, and the store says: %v", d)
	}
}

// judgeRun: what a run lacks was reported, for the run or for the database.
func (b *bench) judgeRun(n int, m mode, r *record, v verdict, said reports, hurt bool) {
	if v.missing == 0 {
		return
	}
	rec := said.runs[r.id]
	switch m {
	case modeKill, modeFull:
		b.fail(n, m, "run %s lacks %d of %d acknowledged values", r.id, v.missing, v.acknowledged)
	case modeJournal:
		if !hurt {
			b.fail(n, m, "run %s lacks %d values, and its journal was not touched", r.id, v.missing)
		} else if rec.Missing < v.missing {
			b.fail(n, m, "run %s lacks %d values, reported missing are %d", r.id, v.missing, rec.Missing)
		}
	default:
		if said.database.LostCommits == 0 && rec.Missing == 0 && rec.DamagedBytes == 0 && !rec.Unknown {
			b.fail(n, m, "run %s lacks %d values, and nobody says so", r.id, v.missing)
		}
	}
}

// account adds a run to the summary and notes from which call on a resume goes on.
func (b *bench) account(r *record, v verdict) {
	b.sum.values += v.acknowledged
	b.sum.lost += v.missing
	b.sum.lostOther += len(v.other)
	if v.underway {
		b.sum.underway++
		r.next++
	}
	if v.missing > 0 || len(v.other) > 0 {
		r.retired = true
	}
}
