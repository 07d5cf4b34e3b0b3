package tracker

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
)

// ledger counts what was committed. It stands in the database (table ledger), and after each commit in <db>.lock, with
// the length of the WAL. SQLite itself takes a damaged WAL for a shorter one, without a word; the copy outside tells.
//
// The order that makes it exact: COMMIT, copy, and only then checkpoint and acknowledgement. So nothing that was
// acknowledged is missing in the copy, the copy is never ahead of a sound database, and no checkpoint has mixed pages of
// a commit into the database that the copy does not know of. The copy is not synced: after a power loss it may be behind.
type ledger struct {
	uid              string // of the database
	commits, records uint64
	salt             uint64 // of the WAL
	frames           uint32 // in the WAL; 0: there was none
}

const (
	ledgerMagic = "GSNKLDG\x01"
	ledgerUID   = 16
	ledgerSize  = len(ledgerMagic) + ledgerUID + 8 + 8 + 8 + 4 + 4

	// checkpointFrames is the length of the WAL at which a commit is followed by a checkpoint: SQLite's own default.
	checkpointFrames = 1000
)

func (l ledger) encode() []byte {
	b := append(make([]byte, 0, ledgerSize), ledgerMagic...)
	b = append(b, fmt.Sprintf("%-*.*s", ledgerUID, ledgerUID, l.uid)...)
	b = binary.LittleEndian.AppendUint64(b, l.commits)
	b = binary.LittleEndian.AppendUint64(b, l.records)
	b = binary.LittleEndian.AppendUint64(b, l.salt)
	b = binary.LittleEndian.AppendUint32(b, l.frames)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// readLedger reads the copy; ok is false if there is none, or it is damaged.
func readLedger(f io.ReaderAt) (l ledger, ok bool) {
	var b [ledgerSize]byte
	if _, err := f.ReadAt(b[:], 0); err != nil || string(b[:len(ledgerMagic)]) != ledgerMagic ||
		crc32.Checksum(b[:ledgerSize-4], castagnoli) != binary.LittleEndian.Uint32(b[ledgerSize-4:]) {
		return ledger{}, false
	}
	at := len(ledgerMagic)
	l.uid = string(b[at : at+ledgerUID])
	at += ledgerUID
	l.commits, l.records = binary.LittleEndian.Uint64(b[at:]), binary.LittleEndian.Uint64(b[at+8:])
	l.salt, l.frames = binary.LittleEndian.Uint64(b[at+16:]), binary.LittleEndian.Uint32(b[at+24:])
	return l, true
}

// damage is what opening a database found wrong before any journal was replayed.
type damage struct {
	suspect string // why the database should be examined; "" if nothing is wrong
	aside   []string
	commits int64 // that the copy knows of and the database does not have
	records int64
}

// inspectWAL looks at the WAL before SQLite does. The lock is held, and hence nobody commits.
func (s *Store) inspectWAL() (side ledger, d damage, err error) {
	side, ok := readLedger(s.lock.held)
	if !ok || side.frames == 0 {
		return side, d, nil
	}
	path := s.paths.db + "-wal"
	w, err := readWAL(path)
	if err != nil {
		return side, d, err
	}
	switch {
	case !w.present:
		// Another program may have folded it in and removed it, which is fine: the examination decides.
		d.suspect = "the WAL is missing"
	case !w.valid:
		d.suspect = "the header of the WAL is damaged"
	case w.salt == side.salt && w.frames < side.frames:
		d.suspect = fmt.Sprintf("the WAL is damaged after frame %d of %d", w.frames, side.frames)
	}
	if w.present && d.suspect != "" {
		aside := path + ".damaged-" + s.cfg.Now().UTC().Format("20060102T150405.000Z")
		if err := copyTo(path, aside); err != nil {
			os.Remove(aside) // evidence is welcome, and not worth refusing to open for
		} else {
			d.aside = append(d.aside, aside)
		}
	}
	return side, d, nil
}

// compareLedger completes the damage with the commits that are missing from the database.
func (d *damage) compare(side, db ledger) {
	if side.uid == db.uid && side.commits > db.commits {
		d.commits = int64(side.commits - db.commits)
		d.records = max(0, int64(side.records-db.records))
		if d.suspect == "" {
			d.suspect = "the database is older than its last commit"
		}
	}
}

// loadLedger reads the table.
func (s *Store) loadLedger(ctx context.Context, db querier) (l ledger, err error) {
	err = db.QueryRowContext(ctx, "SELECT uid, commits, records FROM ledger").Scan(&l.uid, &l.commits, &l.records)
	return l, err
}

// count adds one commit with so many records to the table, and returns the new counts.
func (tx *writeTx) count() (l ledger, err error) {
	err = tx.scan("UPDATE ledger SET commits = commits + 1, records = records + ? RETURNING uid, commits, records",
		[]any{tx.records}, &l.uid, &l.commits, &l.records)
	return l, err
}

// noteCommit writes the copy, then lets SQLite checkpoint a long WAL. The lock is held. Nothing here can undo the commit:
// a copy that could not be written is behind, and a checkpoint that failed comes with the next commit.
func (s *Store) noteCommit(l ledger) {
	l.frames = s.walFrames("NOOP")
	l.salt = s.walSalt()
	_, _ = s.lock.held.WriteAt(l.encode(), 0)
	s.hooks.afterLedger()
	if l.frames >= checkpointFrames {
		s.walFrames("PASSIVE")
	}
}

// walFrames runs a checkpoint of a mode (NOOP only looks) and returns the length of the WAL.
func (s *Store) walFrames(mode string) uint32 {
	tx := writeTx{s: s, ctx: context.Background()}
	var busy, frames, done int64
	if err := tx.scan("PRAGMA wal_checkpoint("+mode+")", nil, &busy, &frames, &done); err != nil || frames < 0 {
		return 0
	}
	return uint32(frames)
}

// walSalt reads the salts from the WAL, which stays the same file while the writing connection is open.
func (s *Store) walSalt() uint64 {
	if s.wal == nil {
		f, err := os.Open(s.paths.db + "-wal")
		if err != nil {
			return 0
		}
		s.wal = f
	}
	return readSalt(s.wal)
}

// noteClosed says in the copy that there is no WAL any more, if SQLite has removed it. The lock is held. After damage that
// kept the store shut the copy stays as it is: the next open has to find the same.
func (s *Store) noteClosed() {
	if s.wal != nil {
		_ = s.wal.Close()
		s.wal = nil
	}
	l, ok := readLedger(s.lock.held)
	if _, err := os.Stat(s.paths.db + "-wal"); ok && !s.malformed && errors.Is(err, fs.ErrNotExist) {
		l.salt, l.frames = 0, 0
		_, _ = s.lock.held.WriteAt(l.encode(), 0)
	}
}

// copyTo copies a file and syncs the copy, which must not exist.
func copyTo(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}
