package tracker

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Config says how a store is opened. Start from DefaultConfig, or fill in Path alone: a zero field means its default.
type Config struct {
	// Path of the database file. It is made if it does not exist; its directory must exist. No default.
	Path string
	// ReadOnly opens for reading: nothing is created, migrated, replayed or marked. Points that a crashed run left in
	// its journal show up only after somebody opened the store for writing.
	ReadOnly bool
	// AllowNetworkFS accepts a database on NFS, SMB and the like, where locks and WAL are not reliable.
	AllowNetworkFS bool

	// FlushInterval is the longest time that a point waits for its commit. Default 100 ms; allowed 1 ms to 1 min.
	FlushInterval time.Duration
	// FlushRows is the number of waiting points that triggers a commit at once. Default 1,000; at least 1.
	FlushRows int
	// MaxPending is the number of uncommitted points of a run at which Log blocks. Default 100,000; at least FlushRows.
	MaxPending int
	// HeartbeatInterval is the time between two signs of life of a run. Default 2 s; allowed 10 ms to 1 min.
	HeartbeatInterval time.Duration
	// StaleAfter is the age of the last heartbeat beyond which a running run that has no journal here (the database was
	// copied, say) counts as crashed. Where there is a journal, its lock decides at once.
	// Default 15 s; at least twice HeartbeatInterval.
	StaleAfter time.Duration
	// LockTimeout bounds the wait for other writers. Default 60 s; at least 1 s.
	LockTimeout time.Duration

	// Now is the clock. Default time.Now.
	Now func() time.Time
	// Rand is where run ids come from. Default crypto/rand.
	Rand io.Reader
}

// DefaultConfig returns the settings described at each field.
func DefaultConfig(path string) Config {
	return Config{
		Path:              path,
		FlushInterval:     100 * time.Millisecond,
		FlushRows:         1000,
		MaxPending:        100_000,
		HeartbeatInterval: 2 * time.Second,
		StaleAfter:        15 * time.Second,
		LockTimeout:       60 * time.Second,
		Now:               time.Now,
		Rand:              rand.Reader,
	}
}

// Option changes one setting of Open.
type Option func(*Config)

// WithReadOnly opens for reading only; see Config.ReadOnly.
func WithReadOnly() Option { return func(c *Config) { c.ReadOnly = true } }

// WithNetworkFS accepts a network file system; see Config.AllowNetworkFS.
func WithNetworkFS() Option { return func(c *Config) { c.AllowNetworkFS = true } }

// WithClock sets the clock; see Config.Now.
func WithClock(now func() time.Time) Option { return func(c *Config) { c.Now = now } }

// withDefaults fills zero fields.
func (c Config) withDefaults() Config {
	d := DefaultConfig(c.Path)
	d.ReadOnly, d.AllowNetworkFS = c.ReadOnly, c.AllowNetworkFS
	setDuration(&d.FlushInterval, c.FlushInterval)
	setDuration(&d.HeartbeatInterval, c.HeartbeatInterval)
	setDuration(&d.StaleAfter, c.StaleAfter)
	setDuration(&d.LockTimeout, c.LockTimeout)
	setInt(&d.FlushRows, c.FlushRows)
	setInt(&d.MaxPending, c.MaxPending)
	if c.Now != nil {
		d.Now = c.Now
	}
	if c.Rand != nil {
		d.Rand = c.Rand
	}
	return d
}

func setDuration(dst *time.Duration, v time.Duration) {
	if v != 0 {
		*dst = v
	}
}

func setInt(dst *int, v int) {
	if v != 0 {
		*dst = v
	}
}

// validate checks ranges after withDefaults.
func (c Config) validate() error {
	duration := func(field string, v, lo, hi time.Duration) error {
		if v < lo || v > hi {
			return invalid("config", "%s is %v, allowed %v to %v", field, v, lo, hi)
		}
		return nil
	}
	checks := []error{
		duration("FlushInterval", c.FlushInterval, time.Millisecond, time.Minute),
		duration("HeartbeatInterval", c.HeartbeatInterval, 10*time.Millisecond, time.Minute),
		duration("StaleAfter", c.StaleAfter, 2*c.HeartbeatInterval, 24*time.Hour),
		duration("LockTimeout", c.LockTimeout, time.Second, time.Hour),
	}
	if c.FlushRows < 1 {
		checks = append(checks, invalid("config", "FlushRows is %d, allowed 1 and more", c.FlushRows))
	}
	if c.MaxPending < c.FlushRows {
		checks = append(checks, invalid("config", "MaxPending is %d, allowed FlushRows (%d) and more", c.MaxPending, c.FlushRows))
	}
	if c.Path == "" {
		checks = append(checks, invalid("config", "Path is empty; name the database file, e.g. gophersnake.db"))
	}
	for _, err := range checks {
		if err != nil {
			return err
		}
	}
	return nil
}

// paths are the files of one store.
type paths struct {
	db, dir, lock, journal, artifacts string
}

// resolvePaths follows symbolic links, so that every process finds the same lock and the same journals whatever name
// it used.
func resolvePaths(path string) (paths, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return paths{}, explain("open", path, err)
	}
	if real, err := filepath.EvalSymlinks(abs); err == nil {
		abs = real
	} else {
		dir, err := filepath.EvalSymlinks(filepath.Dir(abs))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return paths{}, explain("open", abs, err)
		}
		if err != nil {
			return paths{}, &Error{Op: "open", Path: abs, Msg: fmt.Sprintf("directory %s does not exist", filepath.Dir(abs)),
				Hint: "make it, or choose another path", Err: err}
		}
		abs = filepath.Join(dir, filepath.Base(abs))
	}
	if info, err := os.Stat(abs); err == nil && !info.Mode().IsRegular() {
		return paths{}, &Error{Op: "open", Path: abs, Msg: "is no regular file", Hint: "name a database file", Err: ErrInvalid}
	}
	return paths{
		db:        abs,
		dir:       filepath.Dir(abs),
		lock:      abs + ".lock",
		journal:   abs + ".journal",
		artifacts: abs + ".artifacts",
	}, nil
}
