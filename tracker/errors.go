package tracker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"github.com/mattn/go-sqlite3"
)

// Sentinel errors, for errors.Is. What callers see is usually an *Error or one of the types below that wraps them.
var (
	// ErrClosed: the store was closed.
	ErrClosed = errors.New("the store is closed")
	// ErrRunOver: the run was finished through this handle and takes no more points.
	ErrRunOver = errors.New("the run is over")
	// ErrRunActive: another handle, here or in another process, is logging to the run.
	ErrRunActive = errors.New("the run is being logged to by someone else")
	// ErrNotFound: no such run, experiment, metric or artifact.
	ErrNotFound = errors.New("not found")
	// ErrAmbiguous: a reference fits several runs.
	ErrAmbiguous = errors.New("ambiguous")
	// ErrInvalid: an argument is outside what is allowed.
	ErrInvalid = errors.New("invalid argument")
	// ErrNewerSchema: the database was written by a newer gophersnake.
	ErrNewerSchema = errors.New("newer schema")
	// ErrOlderSchema: a read-only store cannot migrate an older database.
	ErrOlderSchema = errors.New("older schema")
	// ErrNotTracker: the file is no gophersnake database.
	ErrNotTracker = errors.New("not a gophersnake database")
	// ErrNetworkFS: the file lies on a network file system.
	ErrNetworkFS = errors.New("network file system")
	// ErrReadOnly: the store, its file or its directory cannot be written.
	ErrReadOnly = errors.New("read-only")
	// ErrDiskFull: no space, quota or file size left.
	ErrDiskFull = errors.New("no space left")
	// ErrCorrupt: stored content does not match its checksum, or SQLite found its file malformed.
	ErrCorrupt = errors.New("corrupt")
)

// Error says what was being done, to which file, what went wrong and what to do about it.
type Error struct {
	Op   string // "open", "log", "flush", …
	Path string // file or directory concerned, "" if none
	Msg  string // what went wrong, with field, value and what is allowed
	Hint string // what to do about it, "" if there is nothing to say
	Err  error  // cause, nil if Msg says everything; errors.Is sees it
}

// Error gives "tracker: OP PATH: MSG: CAUSE (hint: HINT)".
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("tracker: " + e.Op)
	if e.Path != "" {
		b.WriteString(" " + e.Path)
	}
	if e.Msg != "" {
		b.WriteString(": " + e.Msg)
	}
	if e.Err != nil && !isSentinel(e.Err) {
		b.WriteString(": " + e.Err.Error())
	}
	if e.Hint != "" {
		b.WriteString(" (hint: " + e.Hint + ")")
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// isSentinel reports whether err is only there for errors.Is: the message has said it already.
func isSentinel(err error) bool {
	switch err {
	case ErrNotFound, ErrAmbiguous, ErrInvalid, ErrNewerSchema, ErrOlderSchema, ErrNotTracker, ErrNetworkFS, ErrReadOnly,
		ErrCorrupt, ErrRunActive, ErrRunOver, ErrClosed, ErrDiskFull:
		return true
	}
	return false
}

// NotFoundError names what was looked for and the nearest names there are.
type NotFoundError struct {
	Kind   string   // "run", "experiment", "metric", "artifact"
	Ref    string   // what was asked for
	Within string   // where, e.g. `run k3v9…`, "" if the whole store
	Near   []string // near names, nearest first
}

// Error gives `tracker: no metric "los" in run k3v9qa81mz (did you mean "loss"?)`.
func (e *NotFoundError) Error() string {
	s := fmt.Sprintf("tracker: no %s %q", e.Kind, e.Ref)
	if e.Within != "" {
		s += " in " + e.Within
	}
	if len(e.Near) > 0 {
		s += " (did you mean " + quoteList(e.Near) + "?)"
	}
	return s
}

// Is makes errors.Is(err, ErrNotFound) true.
func (e *NotFoundError) Is(target error) bool { return target == ErrNotFound }

// AmbiguousError lists the runs that a reference fits.
type AmbiguousError struct {
	Ref        string
	Candidates []RunInfo // at most 10, newest first
	More       int       // how many further ones there are
}

// Error lists the candidates, one a line.
func (e *AmbiguousError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "tracker: %q fits %d runs; name one of them by its id:", e.Ref, len(e.Candidates)+e.More)
	for _, c := range e.Candidates {
		fmt.Fprintf(&b, "\n  %s  %s  %s/%s  %s", c.ID, c.Created.UTC().Format("2006-01-02 15:04:05"), c.Experiment, c.Name,
			c.Status)
	}
	if e.More > 0 {
		fmt.Fprintf(&b, "\n  … and %d more", e.More)
	}
	return b.String()
}

// Is makes errors.Is(err, ErrAmbiguous) true.
func (e *AmbiguousError) Is(target error) bool { return target == ErrAmbiguous }

func quoteList(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = fmt.Sprintf("%q", n)
	}
	return strings.Join(quoted, ", ")
}

// invalid builds the error of a bad argument.
func invalid(op, format string, args ...any) error {
	return &Error{Op: op, Msg: fmt.Sprintf(format, args...), Err: ErrInvalid}
}

// cause joins a sentinel (for errors.Is) and the original error (for the reader) into one.
type cause struct {
	kind error
	err  error
}

func (c *cause) Error() string   { return c.err.Error() }
func (c *cause) Unwrap() []error { return []error{c.kind, c.err} }

// explain wraps an error of the operating system or of SQLite with path, sentinel and hint. nil stays nil, and errors
// that are explained already pass through.
func explain(op, path string, err error) error {
	if err == nil {
		return nil
	}
	var done *Error
	var missing *NotFoundError
	var many *AmbiguousError
	if errors.As(err, &done) || errors.As(err, &missing) || errors.As(err, &many) {
		return err
	}
	hint, kind := diagnose(err)
	if kind != nil {
		err = &cause{kind, err}
	}
	return &Error{Op: op, Path: path, Err: err, Hint: hint}
}

// diagnose finds the sentinel and the hint that fit an error.
func diagnose(err error) (hint string, kind error) {
	const (
		full     = "free some space or raise the quota, then call again: what was logged before is kept in the journal"
		readonly = "make the file and its directory writable, or open with ReadOnly"
		corrupt  = "keep the file, restore the newest backup (<db>.backup-*), and see `PRAGMA integrity_check`"
	)
	var se sqlite3.Error
	if errors.As(err, &se) {
		switch se.Code {
		case sqlite3.ErrFull:
			return full, ErrDiskFull
		case sqlite3.ErrReadonly:
			return readonly, ErrReadOnly
		case sqlite3.ErrCorrupt:
			return corrupt, ErrCorrupt
		case sqlite3.ErrNotADB:
			return "choose another path: this file is not an SQLite database", ErrNotTracker
		case sqlite3.ErrBusy, sqlite3.ErrLocked:
			return "another program holds the database; close it, or raise LockTimeout", nil
		case sqlite3.ErrCantOpen:
			return "check that the directory exists and may be written", nil
		case sqlite3.ErrIoErr:
			if isFull(se.SystemErrno) {
				return full, ErrDiskFull
			}
			return "the disk reported an error; look at the system's log", nil
		}
		return "", nil
	}
	switch {
	case isFull(err):
		return full, ErrDiskFull
	case errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrPermission):
		return readonly, ErrReadOnly
	case errors.Is(err, fs.ErrNotExist):
		return "check the path; directories are not made for you", nil
	case errors.Is(err, context.DeadlineExceeded):
		return "another process has been writing for long; call again, or raise LockTimeout", nil
	}
	return "", nil
}

// transient reports whether trying the same commit again later can help without anybody doing anything.
func transient(err error) bool {
	var se sqlite3.Error
	if errors.As(err, &se) {
		return se.Code == sqlite3.ErrBusy || se.Code == sqlite3.ErrLocked
	}
	return errors.Is(err, context.DeadlineExceeded)
}
