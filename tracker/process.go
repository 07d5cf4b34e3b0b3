package tracker

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"time"
)

// process identifies who logs to a run.
type process struct {
	host  string
	pid   int
	start string // see processStart; "" where the system does not tell
}

func currentProcess() process {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	pid := os.Getpid()
	return process{host: host, pid: pid, start: processStart(pid)}
}

// gone reports whether p surely no longer exists. It can tell only for this host and, where known, this boot and this
// process namespace.
func (p process) gone(self process) bool {
	if p.host != self.host {
		return false
	}
	if p.start == "" || self.start == "" {
		return !pidExists(p.pid)
	}
	boot, rest, _ := strings.Cut(p.start, "/")
	selfBoot, selfRest, _ := strings.Cut(self.start, "/")
	if boot != selfBoot {
		return true // the machine has been restarted since
	}
	namespace, _, _ := strings.Cut(rest, "/")
	selfNamespace, _, _ := strings.Cut(selfRest, "/")
	return namespace == selfNamespace && processStart(p.pid) != p.start
}

// alive decides about a run whose status is "running". The lock on its journal is proof of life, since the kernel drops
// it with the process, and nothing else does: a process that is stopped, or waits for a full disk, is alive. A journal
// without a lock is proof of death. Where there is no journal (a copied database), the run has crashed as soon as its
// process is gone or its heartbeat is stale.
func (s *Store) alive(uid string, p process, beat time.Time) bool {
	switch s.journalState(uid) {
	case journalLocked:
		return true
	case journalFree:
		return false
	}
	return !p.gone(s.self) && s.cfg.Now().Sub(beat) <= s.cfg.StaleAfter
}

type journalState int

const (
	journalMissing journalState = iota
	journalFree
	journalLocked
)

// journalState reports whether somebody, this process included, holds the run's journal.
func (s *Store) journalState(uid string) journalState {
	path := segmentPaths(s.paths.journal, uid)[0]
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return journalMissing
	}
	if err != nil {
		return journalLocked // not ours to read: assume the best
	}
	defer f.Close()
	switch free, err := tryFlock(f, true); {
	case err != nil:
		return journalMissing // no locks here: the heartbeat decides
	case !free:
		return journalLocked
	case !samePath(f, path):
		return journalMissing // its owner has just finished
	}
	return journalFree
}
