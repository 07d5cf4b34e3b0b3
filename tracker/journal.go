package tracker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"
)

// journalFile is what a journal needs of a file; tests put a disk that fills up behind it.
type journalFile interface {
	io.WriterAt
	io.Closer
	Truncate(size int64) error
}

// journal is the writing side of a run's pair of journal files. Its run's mutex guards it.
//
// Both files are in one of these states: empty (header only), or holding records. Records go to the active file. The
// flusher calls rotate when it takes what is pending, so that the records being committed and the new ones lie in
// different files, and trim after the commit. The header of the file that is not active says how many records were
// accepted, so that the loss of a file's end is noticed.
type journal struct {
	paths  [2]string
	files  [2]journalFile
	sizes  [2]int64
	active int
	lock   *os.File // descriptor of file 0 that carries the flock
	count  [12]byte // scratch of write
	broken error    // a write failed and could not be undone: nothing more is written until trim empties the file
}

// journalPatience is how long a run's owner-to-be waits for somebody who only looks at its journal or replays it.
const journalPatience = time.Second

// segmentPaths names a run's two journal files.
func segmentPaths(dir, uid string) [2]string {
	return [2]string{filepath.Join(dir, uid+".0"), filepath.Join(dir, uid+".1")}
}

// lockJournal opens or makes a run's file 0 and locks it. It waits up to patience for a holder that is only replaying,
// and returns ErrRunActive if the lock stays taken.
func lockJournal(ctx context.Context, path string, patience time.Duration) (*os.File, error) {
	deadline := time.Now().Add(patience)
	for {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
		if err != nil {
			return nil, err
		}
		ok, err := tryFlock(f, false)
		if err != nil {
			f.Close()
			return nil, &os.PathError{Op: "flock", Path: path, Err: err}
		}
		if ok && samePath(f, path) {
			return f, nil
		}
		f.Close() // taken, or removed by a replayer between open and lock
		if !ok && !time.Now().Before(deadline) {
			return nil, ErrRunActive
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// openJournal prepares both files for a run whose lock is held and whose last record is accepted. What they held must
// have been replayed: it is cut.
func openJournal(paths [2]string, run int64, accepted uint64, lock *os.File, open func(string) (journalFile, error)) (*journal, error) {
	j := &journal{paths: paths, lock: lock}
	header := appendHeader(nil, run, accepted)
	for i, path := range paths {
		f, err := open(path)
		if err != nil {
			j.closeFiles()
			return nil, err
		}
		j.files[i], j.sizes[i] = f, int64(headerSize)
		if _, err = f.WriteAt(header, 0); err == nil {
			err = f.Truncate(int64(headerSize))
		}
		if err != nil {
			j.closeFiles()
			return nil, err
		}
	}
	return j, nil
}

// openSegment is the openJournal opener of real life.
func openSegment(path string) (journalFile, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// write appends frames whose last record is number accepted: one write(2) for the frames, and one for the count. On
// failure the file is cut back to where it was: a record whose write failed was not accepted, and must not turn up at
// the next replay.
func (j *journal) write(frames []byte, accepted uint64) error {
	if j.broken != nil {
		return j.broken
	}
	n, err := j.files[j.active].WriteAt(frames, j.sizes[j.active])
	if err == nil {
		_, err = j.files[1-j.active].WriteAt(appendAccepted(j.count[:0], accepted), int64(acceptedAt))
	}
	if err == nil {
		j.sizes[j.active] += int64(n)
		return nil
	}
	// os.File.WriteAt does not say how much of a refused write was done.
	if cut := j.files[j.active].Truncate(j.sizes[j.active]); cut != nil {
		j.broken = fmt.Errorf("%w (and cutting the torn record off: %v)", err, cut)
	}
	return err
}

// rotate makes the other file active if it is empty.
func (j *journal) rotate() {
	if other := 1 - j.active; j.sizes[other] == int64(headerSize) {
		j.active, j.broken = other, nil
	}
}

// trim empties the files whose records are all committed: the inactive one, and the active one too if drained says
// that nothing has been written since.
func (j *journal) trim(drained bool) error {
	var errs []error
	for i, f := range j.files {
		if (i == j.active && !drained) || j.sizes[i] == int64(headerSize) {
			continue
		}
		if err := f.Truncate(int64(headerSize)); err != nil {
			errs = append(errs, err)
			continue
		}
		j.sizes[i] = int64(headerSize)
		if i == j.active {
			j.broken = nil
		}
	}
	return errors.Join(errs...)
}

// remove deletes the files of a run that is over, file 0 and with it the lock last.
func (j *journal) remove() error {
	err := removeSegments(j.paths)
	return errors.Join(err, j.close())
}

// close lets go of the files and of the lock, leaving the content for a replay.
func (j *journal) close() error {
	return errors.Join(j.closeFiles(), j.lock.Close())
}

func (j *journal) closeFiles() error {
	var errs []error
	for _, f := range j.files {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}

func removeSegments(paths [2]string) error {
	var errs []error
	for _, path := range []string{paths[1], paths[0]} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// journaledRuns lists the ids of the runs that have journal files.
func journaledRuns(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var uids []string
	for _, e := range entries {
		uid, isZero := strings.CutSuffix(e.Name(), ".0")
		if !isZero {
			var isOne bool
			if uid, isOne = strings.CutSuffix(e.Name(), ".1"); !isOne {
				continue
			}
		}
		if validID(uid) && (len(uids) == 0 || uids[len(uids)-1] != uid) { // ReadDir sorts: .0 and .1 are neighbours
			uids = append(uids, uid)
		}
	}
	return uids, nil
}

// tally is what a journal holds beyond what is committed.
type tally struct {
	records []frameRecord // not yet committed
	next    uint64        // number of the record that would follow
	missing int           // accepted, and neither here nor committed
}

// count sorts out the frames of a journal. accepted is the number of the last record that its headers know of.
func count(frames []frame, committed, accepted uint64) tally {
	t := tally{next: committed + 1}
	for _, f := range frames {
		if f.last() < t.next {
			continue // committed before the files could be trimmed
		}
		if f.seq > t.next {
			t.missing += int(f.seq - t.next)
			t.next = f.seq
		}
		t.records = append(t.records, f.records[t.next-f.seq:]...)
		t.next = f.last() + 1
	}
	if accepted >= t.next {
		t.missing += int(accepted - t.next + 1)
		t.next = accepted + 1
	}
	return t
}

// forgive takes the torn end of a file for no damage if every accepted record is there all the same: the process was
// killed in the middle of a write that was never acknowledged.
func (t tally) forgive(content *[2]journalContent) {
	if t.missing > 0 || content[0].short || content[1].short || max(content[0].accepted, content[1].accepted) == 0 {
		return
	}
	for i := range content {
		if c := &content[i]; c.damaged > 0 && c.firstAt >= headerSize && c.firstAt+c.damaged == c.size {
			c.damaged, c.firstAt = 0, -1
		}
	}
}

// readSegments reads both files of a run and returns their frames in the order of logging.
func readSegments(paths [2]string) (frames []frame, damaged [2]journalContent, err error) {
	for i, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, damaged, err
		}
		damaged[i] = decodeJournal(data)
		damaged[i].missing = err != nil
		frames = append(frames, damaged[i].frames...)
	}
	sort.SliceStable(frames, func(a, b int) bool { return frames[a].seq < frames[b].seq })
	return frames, damaged, nil
}

// keepAside renames journal files to <name>.damaged-<time> (a rename needs no space on a full disk) and returns the new
// paths.
func keepAside(paths [2]string, keep [2]bool, now time.Time) ([]string, error) {
	var kept []string
	for i, path := range paths {
		if !keep[i] {
			continue
		}
		aside := path + ".damaged-" + now.UTC().Format("20060102T150405.000Z")
		if err := os.Rename(path, aside); errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			return kept, err
		}
		kept = append(kept, aside)
	}
	return kept, nil
}
