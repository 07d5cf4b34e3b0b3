package tracker

import (
	"context"
	"os"
)

// writerLock takes turns between all writers of a store: goroutines of this process through a channel, processes
// through flock on a side file. SQLite's own waiting is a sleep-and-retry that starves some writers for seconds; a
// blocking flock queues them.
type writerLock struct {
	path string
	turn chan struct{} // capacity 1; holding its token is holding the in-process lock
	held *os.File      // the locked side file, while the lock is held
}

func newWriterLock(path string) *writerLock {
	return &writerLock{path: path, turn: make(chan struct{}, 1)}
}

// acquire waits for the lock or for ctx, and returns the function that gives it back.
func (l *writerLock) acquire(ctx context.Context) (release func(), err error) {
	select {
	case l.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	f, err := lockFile(ctx, l.path)
	if err != nil {
		<-l.turn
		return nil, err
	}
	l.held = f
	return func() {
		l.held = nil
		f.Close() // drops the flock: the descriptor is this acquisition's own
		<-l.turn
	}, nil
}

// lockFile opens the side file and locks it. Every acquisition opens its own descriptor, so that a wait that was
// given up can end later, in its goroutine, without touching anybody else's lock.
func lockFile(ctx context.Context, path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	if ok, err := tryFlock(f, false); ok || err != nil {
		if err != nil {
			f.Close()
			return nil, &os.PathError{Op: "flock", Path: path, Err: err}
		}
		return f, nil
	}
	locked := make(chan error, 1)
	go func() { locked <- flock(f) }()
	select {
	case err := <-locked:
		if err != nil {
			f.Close()
			return nil, &os.PathError{Op: "flock", Path: path, Err: err}
		}
		return f, nil
	case <-ctx.Done():
		go func() { <-locked; f.Close() }()
		return nil, ctx.Err()
	}
}
