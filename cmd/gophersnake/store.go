package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gophersnake/gophersnake/tracker"
)

// openForRuns opens the database that new runs go to, and makes it if there is
// none.
func (a *App) openForRuns() (*tracker.Store, error) {
	store, err := tracker.Open(a.db)
	if errors.Is(err, tracker.ErrReadOnly) { // the library's hint is about its options
		err = hinted(err, "make the file and its directory writable; --db names another")
	}
	a.tellRecovered(store, err)
	return store, err
}

// tellRecovered says what opening the database changed in it: a migration, and
// what it brought back after a crash or could not.
func (a *App) tellRecovered(store *tracker.Store, err error) {
	if err != nil {
		return
	}
	if m := store.Migrated(); m.From != m.To {
		fmt.Fprintf(a.Err, "note: %s\n", m)
	}
	for _, r := range store.Recovered() {
		fmt.Fprintf(a.Err, "note: %s\n", r)
	}
}

// openForReading opens a database that must exist. One that cannot be written
// is opened read-only; otherwise runs whose process died are marked on the way.
func (a *App) openForReading() (*tracker.Store, error) {
	if _, err := os.Stat(a.db); errors.Is(err, os.ErrNotExist) {
		return nil, hinted(fmt.Errorf("there is no database %s", a.db), "gophersnake ladder makes one; --db names another")
	}
	store, err := tracker.Open(a.db)
	if errors.Is(err, tracker.ErrReadOnly) {
		store, err = tracker.Open(a.db, tracker.WithReadOnly())
	}
	a.tellRecovered(store, err)
	return store, err
}

// withStore opens the database for reading, runs f and closes it.
func (a *App) withStore(f func(*tracker.Store) error) error {
	store, err := a.openForReading()
	if err != nil {
		return err
	}
	return errors.Join(f(store), store.Close())
}

// withWritable opens an existing database for changes, runs f and closes it.
func (a *App) withWritable(f func(*tracker.Store) error) error {
	return a.withStore(func(s *tracker.Store) error {
		if s.ReadOnly() {
			return hinted(fmt.Errorf("%s cannot be written", a.db), "make the file and its directory writable")
		}
		return f(s)
	})
}

// damagedHint says what is left to do with a run whose checkpoint is damaged.
func (a *App) damagedHint(id string, err error) error {
	if !errors.Is(err, tracker.ErrCorrupt) {
		return err
	}
	return hinted(err, fmt.Sprintf("restore the file from a copy; or %s | gophersnake run - trains the run anew",
		a.command("runs show "+id+" --config")))
}

// writableDir makes a folder and proves that files can be written there, before
// hours of training find out that they cannot.
func writableDir(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return hinted(fmt.Errorf("results cannot be written: %w", err), "--out names another folder")
	}
	f, err := os.CreateTemp(dir, ".gophersnake-*")
	if err != nil {
		return hinted(fmt.Errorf("results cannot be written: %w", err), "--out names another folder")
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// writeFile writes a text file of dir.
func writeFile(dir, name, text string) error {
	return os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644)
}
