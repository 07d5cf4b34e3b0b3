// Package tracker keeps every run of an experiment in one SQLite file: config, environment, metrics by step, tags,
// notes, artifacts and status. Go code, notebooks and the command line share the file, several processes at once, and
// any SQLite client can read it through documented views (SCHEMA.md).
//
//	store, err := tracker.Open("gophersnake.db")
//	run, err := store.StartRun(tracker.RunConfig{Experiment: "ladder", Name: "lru-1", Seed: 1, Config: json})
//	for step := range steps {
//		err = run.Log("loss", step, loss)
//	}
//	err = run.Finish(tracker.StatusFinished)
//	err = store.Close()
//
// # What is promised
//
//   - A point is acknowledged when Log returns nil. A kill -9 after that loses nothing: Log appends the point to the
//     run's journal with write(2), and whoever opens the store next replays the journal.
//   - A power loss loses at most the last window: a flusher commits every Config.FlushInterval (100 ms) or
//     Config.FlushRows (1,000 rows) with synchronous=FULL. [Run.LogSync] returns only after such a commit.
//   - Nothing is dropped. Log blocks when too much is waiting for the flusher, and returns an error when the point
//     cannot be kept; an error means that this point was not accepted and that all earlier ones are still safe.
//   - A point is stored exactly once: the journal position is committed in the same transaction as the points.
//   - What damage to the files takes away is reported: by [Store.Recovered] when the store is opened, and by an event. A
//     cut or garbled journal loses the records that were hit, and no others. A cut or garbled WAL loses the commits
//     that SQLite can no longer read; how many, and with how many values, is known. If it leaves a malformed database,
//     Open refuses it with ErrCorrupt. [Store.Verify] examines everything at any time. (Not noticed is the loss of
//     all of a run's journal, or of WAL and <db>.lock together.)
//   - A resumed run equals an uninterrupted one: see [Run.TruncateAfter].
//   - NaN and ±Inf come back as they were logged (NaN is NULL in SQL).
//   - A process that dies leaves no run "running": the next open or listing marks it crashed.
//
// # How a point travels
//
//	Log ──write(2)──▶ <db>.journal/<run>.0|1     one frame per call, CRC-32C; survives kill -9
//	 │                                           lock (flock) on .0 = "this run is alive"
//	 ▼
//	pending ──every 100 ms or 1,000 rows──▶ flock(<db>.lock) ▶ BEGIN IMMEDIATE ▶ points, latest, journal_seq ▶ COMMIT
//	                                                                                                    │
//	       journal file trimmed  ◀─  checkpoint, if the WAL is long  ◀─  counts written to <db>.lock  ◀─┘
//
// The journal is a pair of files: while the points of one are being committed, new ones go to the other. The header of
// each says how many records were accepted while the other was written to, so that a lost end is noticed.
//
// # Files
//
//	<db>, <db>-wal, <db>-shm   SQLite, WAL mode
//	<db>.lock                  fair turn-taking between writing processes; counts of what was committed, no data
//	<db>.journal/              points logged and not yet committed; empty when nothing runs; *.damaged-* is evidence
//	<db>.artifacts/            artifacts by content: ab/ab12….  (SHA-256, never changed once written)
//	<db>.backup-v1-…           copy made before a migration
//	<db>-wal.damaged-…         a WAL that was found damaged; evidence
//
// [Store.GC] removes what is no longer needed; [Store.Backup] makes copies.
//
// # What happens when
//
//	disk full                    Log, Flush, Finish give ErrDiskFull; what was refused is nowhere, what was accepted is safe
//	folder or file read-only     Open gives ErrReadOnly; with ReadOnly it works
//	not a database, another's    ErrNotTracker; the file is not touched
//	written by a newer program   ErrNewerSchema; the file is not touched
//	network file system          ErrNetworkFS, unless AllowNetworkFS is set
//	the clock goes back          times within a run do not; steps decide what is last
//	journal cut or garbled       the other records are replayed; Recovery.Missing, DamagedBytes; the file is put aside
//	WAL cut or garbled           Recovery.LostCommits, LostValues; a copy is put aside; ErrCorrupt if SQLite says so
//	database replaced by an      Recovery.LostCommits
//	older copy of itself
//
// # Words
//
//	run       one execution: RowID (integer), ID (10 characters, random), Name (not necessarily unique)
//	ref       how a caller names a run: ID, unambiguous prefix of an ID, name, or "#" and the RowID
//	arm       runs whose configs differ only in the seed; they share RunInfo.ArmSHA256
//	key       name of a metric, param or tag, e.g. "loss" or "model.width"
//	context   where a metric was taken, e.g. "train", "eval"; "" when there is only one
//	step      the caller's own counter, any int64; out of order and repeated steps are kept
//	seq       in points: order among values of one step and millisecond; in the journal: count of records of the run
package tracker
