package tracker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// VerifyReport is what Verify found. A problem means that something is wrong or lost; a warning is worth knowing.
type VerifyReport struct {
	Path      string
	Schema    int
	Commits   int64    // transactions since the database has a ledger
	Runs      int64    // deleted ones included
	Points    int64    // values of metrics
	Objects   int64    // texts, histograms, images, …
	Database  []string // problems of the database, one sentence each
	Journals  []JournalCheck
	Artifacts ArtifactCheck
	Warnings  []string
	Elapsed   time.Duration
}

// JournalCheck is about the journal of one run.
type JournalCheck struct {
	Run          string
	Live         bool // somebody is logging to the run
	Unknown      bool // the run is not in this database
	Frames       int
	Values       int // in the frames
	Waiting      int // of these, not yet in the database; a crashed run's come in at the next open for writing
	Missing      int // accepted, and neither in the journal nor in the database
	DamagedBytes int
	Problem      string // why it could not be read, "" if it could
}

// ArtifactCheck is about the contents of artifacts.
type ArtifactCheck struct {
	Blobs             int64 // contents that the database knows of
	Bytes             int64 // of them
	Missing           []string
	Damaged           []string // SHA-256 of contents that do not fit it
	Unreferenced      int64    // contents that no run has any more; GC removes them
	UnreferencedBytes int64
	Strays            []string // files among the contents that the database knows nothing of; GC removes them
}

// Problems lists everything that is wrong, one sentence each.
func (r VerifyReport) Problems() []string {
	list := append([]string(nil), r.Database...)
	for _, j := range r.Journals {
		switch {
		case j.Problem != "":
			list = append(list, fmt.Sprintf("the journal of run %s cannot be read: %s", j.Run, j.Problem))
		case j.DamagedBytes > 0 || j.Missing > 0:
			list = append(list, fmt.Sprintf("the journal of run %s has %d damaged bytes, and lacks %d records", j.Run, j.DamagedBytes, j.Missing))
		}
	}
	for _, sum := range r.Artifacts.Missing {
		list = append(list, "the content "+sum+" of an artifact is missing")
	}
	for _, sum := range r.Artifacts.Damaged {
		list = append(list, "the content "+sum+" of an artifact is damaged")
	}
	return list
}

// OK reports that there is no problem; there may be warnings.
func (r VerifyReport) OK() bool { return len(r.Problems()) == 0 }

// String gives several lines for a terminal.
func (r VerifyReport) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (schema version %d)\n", r.Path, r.Schema)
	fmt.Fprintf(&b, "database   %d runs, %d values, %d objects, %d commits\n", r.Runs, r.Points, r.Objects, r.Commits)
	frames, waiting, live := 0, 0, 0
	for _, j := range r.Journals {
		frames, waiting = frames+j.Frames, waiting+j.Waiting
		if j.Live {
			live++
		}
	}
	fmt.Fprintf(&b, "journals   %d runs, %d of them live, %d frames, %d values waiting\n", len(r.Journals), live, frames, waiting)
	fmt.Fprintf(&b, "artifacts  %d contents, %d bytes, %d unreferenced\n", r.Artifacts.Blobs, r.Artifacts.Bytes, r.Artifacts.Unreferenced)
	for _, w := range r.Warnings {
		fmt.Fprintf(&b, "warning    %s\n", w)
	}
	problems := r.Problems()
	for _, p := range problems {
		fmt.Fprintf(&b, "PROBLEM    %s\n", p)
	}
	if len(problems) == 0 {
		b.WriteString("no problems\n")
	}
	return b.String()
}

// Verify reads everything that the store holds and reports what is wrong: the database (SQLite's integrity check,
// references, ledger, summaries against values), the journals and the contents of artifacts. It changes nothing, and may
// run while others log. progress, which may be nil, is told how far it is. err is about the check itself.
func (s *Store) Verify(ctx context.Context, progress func(Progress)) (VerifyReport, error) {
	begin := time.Now()
	r := VerifyReport{Path: s.paths.db, Schema: s.schema}
	if err := s.checkOpen("verify", false); err != nil {
		return r, err
	}
	if progress == nil {
		progress = func(Progress) {}
	}
	for _, check := range []func(context.Context, *VerifyReport, func(Progress)) error{
		s.verifyDatabase, s.verifyJournals, s.verifyArtifacts} {
		if err := check(ctx, &r, progress); err != nil {
			return r, explain("verify", s.paths.db, err)
		}
	}
	r.Elapsed = time.Since(begin)
	return r, nil
}

func (s *Store) verifyDatabase(ctx context.Context, r *VerifyReport, progress func(Progress)) error {
	progress(Progress{"database", 0, 1})
	side, haveSide := s.outsideLedger() // before the database, which must not be behind
	problems, err := s.structureProblems(ctx)
	if err != nil || len(problems) > 0 {
		r.Database = problems
		return err // nothing further can be asked of a malformed file
	}
	if r.Database, err = s.referenceProblems(ctx); err != nil {
		return err
	}
	if _, err := s.gate(ctx, s.rdb); err != nil { // application_id and user_version
		r.Database = append(r.Database, err.Error())
	}
	db, err := s.loadLedger(ctx, s.rdb)
	if err != nil {
		return err
	}
	r.Commits = int64(db.commits)
	var d damage
	if d.compare(side, db); haveSide && d.commits > 0 {
		r.Database = append(r.Database, fmt.Sprintf("%d commits with %d values are missing: the WAL was damaged, or an older copy "+
			"is in the database's place", d.commits, d.records))
	}
	if err := s.rdb.QueryRowContext(ctx, "SELECT (SELECT count(*) FROM runs), (SELECT count(*) FROM points), (SELECT count(*) FROM objects)").
		Scan(&r.Runs, &r.Points, &r.Objects); err != nil {
		return err
	}
	past, err := s.strings(ctx, "SELECT message FROM events WHERE run_id IS NULL AND kind = 'damaged' ORDER BY id")
	for _, message := range past {
		r.Warnings = append(r.Warnings, "earlier: "+message)
	}
	if err != nil {
		return err
	}
	progress(Progress{"database", 1, 1})
	wrong, names, err := s.summaryProblems(ctx, func(done, total int64) { progress(Progress{"metrics", done, total}) })
	for id, metrics := range wrong {
		r.Database = append(r.Database, fmt.Sprintf("run %s: the summaries of %s do not fit the values", names[id], strings.Join(metrics, ", ")))
	}
	return err
}

// outsideLedger reads the copy from the side file.
func (s *Store) outsideLedger() (l ledger, ok bool) {
	f, err := os.Open(s.paths.lock)
	if err != nil {
		return l, false
	}
	defer f.Close()
	return readLedger(f)
}

func (s *Store) verifyJournals(ctx context.Context, r *VerifyReport, progress func(Progress)) error {
	uids, err := journaledRuns(s.paths.journal)
	if err != nil {
		return err
	}
	for i, uid := range uids {
		check, err := s.verifyJournal(ctx, uid)
		if err != nil {
			return err
		}
		if check != nil {
			r.Journals = append(r.Journals, *check)
		}
		progress(Progress{"journals", int64(i + 1), int64(len(uids))})
	}
	aside, err := s.asideFiles()
	for _, path := range aside {
		r.Warnings = append(r.Warnings, "kept from earlier damage: "+path)
	}
	return err
}

// asideFiles lists what was put aside as evidence of damage.
func (s *Store) asideFiles() ([]string, error) {
	journals, err := filesIn(s.paths.journal, "", ".damaged-")
	wals, err2 := filesIn(s.paths.dir, filepath.Base(s.paths.db)+"-wal.damaged-", "")
	return append(journals, wals...), errors.Join(err, err2)
}

// filesIn lists the files of a folder whose names begin with prefix and contain part after it. No folder, no files.
func filesIn(dir, prefix, part string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var list []string
	for _, e := range entries {
		if rest, ok := strings.CutPrefix(e.Name(), prefix); ok && strings.Contains(rest, part) {
			list = append(list, filepath.Join(dir, e.Name()))
		}
	}
	return list, err
}

// verifyJournal reads a journal, nil if it has gone meanwhile. That of a living run may be caught in the middle of
// a write or a trim: what looks wrong is looked at again.
func (s *Store) verifyJournal(ctx context.Context, uid string) (*JournalCheck, error) {
	for try := 0; ; try++ {
		c := JournalCheck{Run: uid}
		state := s.journalState(uid)
		if state == journalMissing {
			return nil, nil
		}
		c.Live = state == journalLocked
		frames, content, err := readSegments(segmentPaths(s.paths.journal, uid))
		if err != nil {
			c.Problem = err.Error()
			return &c, nil
		}
		if err := s.compareJournal(ctx, &c, frames, content); err != nil {
			return nil, err
		}
		if !c.Live || try == 5 || (c.DamagedBytes == 0 && c.Missing == 0) {
			return &c, nil
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// compareJournal fills in what the frames hold beyond the database. The database is read after the files, and so cannot
// lag behind them.
func (s *Store) compareJournal(ctx context.Context, c *JournalCheck, frames []frame, content [2]journalContent) error {
	rows, err := s.strings(ctx, `SELECT h.journal_seq || ' ' || r.status FROM runs r JOIN heartbeats h ON h.run_id = r.id
		WHERE r.uid = ?`, c.Run)
	if err != nil {
		return err
	}
	var committed uint64
	var status string
	if c.Unknown = len(rows) == 0; !c.Unknown {
		if _, err := fmt.Sscan(rows[0], &committed, &status); err != nil {
			return err
		}
	}
	for _, f := range frames {
		c.Frames, c.Values = c.Frames+1, c.Values+len(f.records)
	}
	found := count(frames, committed, max(content[0].accepted, content[1].accepted))
	found.forgive(&content)
	c.DamagedBytes, c.Waiting = damagedBytes(&content, Status(status) == StatusRunning), len(found.records)
	if !c.Unknown {
		c.Missing = found.missing
	}
	return nil
}

func (s *Store) verifyArtifacts(ctx context.Context, r *VerifyReport, progress func(Progress)) error {
	blobs, err := s.blobs(ctx)
	if err != nil {
		return err
	}
	a := &r.Artifacts
	known := map[string]bool{}
	done, total := int64(0), int64(0)
	for _, b := range blobs {
		total += b.size
	}
	for _, b := range blobs {
		if err := ctx.Err(); err != nil {
			return err
		}
		known[b.sum] = true
		a.Blobs, a.Bytes, done = a.Blobs+1, a.Bytes+b.size, done+b.size
		if !b.used {
			a.Unreferenced, a.UnreferencedBytes = a.Unreferenced+1, a.UnreferencedBytes+b.size
		}
		switch err := verifyFile(s.blobPath(b.sum), b.sum); {
		case err == nil || !b.used:
		case errors.Is(err, fs.ErrNotExist):
			a.Missing = append(a.Missing, b.sum)
		default:
			a.Damaged = append(a.Damaged, b.sum)
		}
		progress(Progress{"artifacts", done, total})
	}
	a.Strays, err = s.strayFiles(known)
	return err
}

type blob struct {
	id   int64
	sum  string
	size int64
	used bool // some artifact has it
}

func (s *Store) blobs(ctx context.Context) ([]blob, error) {
	rows, err := s.rdb.QueryContext(ctx, `SELECT id, sha256, size, EXISTS (SELECT 1 FROM artifacts WHERE blob_id = blobs.id)
		FROM blobs ORDER BY sha256`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []blob
	for rows.Next() {
		var b blob
		if err := rows.Scan(&b.id, &b.sum, &b.size, &b.used); err != nil {
			return nil, err
		}
		list = append(list, b)
	}
	return list, rows.Err()
}

// strayFiles lists the files under <db>.artifacts that are no known content.
func (s *Store) strayFiles(known map[string]bool) ([]string, error) {
	var strays []string
	err := filepath.WalkDir(s.paths.artifacts, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil && !d.IsDir() && !(known[d.Name()] && path == s.blobPath(d.Name())) {
			strays = append(strays, path)
		}
		return err
	})
	return strays, err
}
