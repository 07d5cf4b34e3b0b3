package nb

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/gophersnake/gophersnake/internal/logbook"
	"github.com/gophersnake/gophersnake/pkg/lab"
	"github.com/gophersnake/gophersnake/pkg/task"
	"github.com/gophersnake/gophersnake/tracker"
)

// Book is an open store of runs, in a notebook or in any other program. It is a
// lab.Book, so lab.RunStudy takes it too. Runs, Past and Result read until Context
// is cancelled: on a terminal the first ^C does that instead of ending the program.
type Book struct {
	path    string
	store   *tracker.Store
	log     *logbook.Book
	corpora *task.Cache
}

// Open opens the store at path, made if there is none, and makes it the one that
// Train and Study log to. Opening a store again returns the same Book, so a cell
// that does it can be run twice.
func Open(path string) (*Book, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("nb: %w", err)
	}
	here.mu.Lock()
	defer here.mu.Unlock()
	if b := here.books[path]; b != nil {
		here.book = b
		return b, nil
	}
	store, err := tracker.Open(path)
	if err != nil {
		return nil, err
	}
	log, err := logbook.New(context.Background(), store) // a Book outlives the cell
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	b := &Book{path: path, store: store, log: log, corpora: task.NewCache()}
	here.books[path], here.book = b, b
	return b, nil
}

// currentBook returns the store that was opened last, nil if none is open.
func currentBook() *Book {
	here.mu.Lock()
	defer here.mu.Unlock()
	return here.book
}

// Close closes the store; Train and Study then log nowhere until one is opened.
func (b *Book) Close() error {
	here.mu.Lock()
	if here.books[b.path] == b {
		delete(here.books, b.path)
	}
	if here.book == b {
		here.book = nil
	}
	here.mu.Unlock()
	return b.store.Close()
}

// Store returns the tracker's store, for queries.
func (b *Book) Store() *tracker.Store { return b.store }

// String is "store of runs PATH".
func (b *Book) String() string { return "store of runs " + b.path }

// Start opens a new run. It implements lab.Book.
func (b *Book) Start(spec lab.RunSpec) (lab.Recorder, error) { return b.log.Start(spec) }

// Find returns an earlier run of the same spec. It implements lab.Book.
func (b *Book) Find(spec lab.RunSpec) (*lab.PastRun, error) { return b.log.Find(spec) }

// Resume opens a past run again. It implements lab.Book.
func (b *Book) Resume(past *lab.PastRun, step int64) (lab.Recorder, error) {
	return b.log.Resume(past, step)
}

// Runs lists all runs, the newest first. Store has queries of every other kind.
func (b *Book) Runs() ([]tracker.RunInfo, error) {
	return b.store.Runs(Context(), tracker.Filter{})
}

// Past reads a run back as the lab takes it, with its experiment; ref is as for
// Result. What is missing is missing in it: Checkpoint is nil if the run left
// none. A checkpoint that is damaged is an error beside the rest.
//
//	past, e, err := book.Past("RUN")
//	report, err := lab.Replay(ctx, e, past, lab.Options{})
//	err = lab.Generate(ctx, past.Checkpoint, lab.GenerateOptions{Prompt: prompt, Tokens: 100}, each)
//
// For a run with a mixer of one's own, Options and GenerateOptions take its
// constructor as NewMixer.
func (b *Book) Past(ref string) (*lab.PastRun, lab.Experiment, error) {
	return logbook.Past(Context(), b.store, ref)
}

// Result reads back what a run came to; ref is its id, the beginning of its id,
// its name or "#" and its number.
func (b *Book) Result(ref string) (*lab.Result, error) {
	past, e, err := logbook.Past(Context(), b.store, ref)
	if err != nil {
		return nil, err
	}
	n, err := past.Params(e)
	if err != nil {
		return nil, err
	}
	info, err := b.store.Run(Context(), past.ID)
	if err != nil {
		return nil, err
	}
	r := &lab.Result{Experiment: e, Status: past.Status, Steps: int(max(0, info.LastStep)), Params: n, Final: past.Final,
		Curves: past.Curves, TokensPerSecond: past.Final[lab.KeySpeed], Checkpoint: past.Checkpoint}
	if !info.Finished.IsZero() {
		r.Seconds = info.Finished.Sub(info.Created).Seconds()
	}
	return r, nil
}
