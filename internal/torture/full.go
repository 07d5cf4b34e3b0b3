package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gophersnake/gophersnake/tracker"
)

// trialFull lets the disk run full under the children, gives room again (before or after the kill), and judges as after
// any kill: what was refused must not be there.
func (b *bench) trialFull(ctx context.Context, n int) error {
	b.path = ""
	if err := b.prepare(n); err != nil {
		return err
	}
	defer func() { b.path = "" }()
	size := 1<<20 + b.rng.IntN(2<<20)
	disk, err := mountSmall(filepath.Dir(b.path), size)
	if err != nil {
		b.sum.fullBy = "RLIMIT_FSIZE, since a file system cannot be mounted (" + err.Error() + ")"
		return b.limited(ctx, n)
	}
	defer disk.unmount()
	b.sum.fullBy = "a tmpfs of 1 to 3 MiB"
	children, err := b.spawnPatient(ctx, n)
	if err != nil {
		return err
	}
	time.Sleep(time.Duration(50+b.rng.IntN(100)) * time.Millisecond)
	ballast := filepath.Join(filepath.Dir(b.path), "ballast")
	if err := fill(ballast, size); err != nil {
		return err
	}
	b.awaitRefusals(children)
	relief := b.rng.IntN(2) == 0
	if relief {
		os.Remove(ballast)
		time.Sleep(time.Duration(20+b.rng.IntN(150)) * time.Millisecond)
	}
	for _, p := range children {
		p.kill()
		b.collect(n, modeFull, p)
	}
	if !relief {
		if store, err := tracker.Open(b.path); err == nil {
			_ = store.Close() // it may say that the disk is full
		} else if !errors.Is(err, tracker.ErrDiskFull) {
			b.fail(n, modeFull, "open on the full disk: %v", err)
		}
	}
	if err := disk.grow(); err != nil { // with room again the children have filled the disk by themselves
		return err
	}
	return b.examine(ctx, n, modeFull, nil)
}

// limited does the same with a limit of the size of files, which does not need to be root.
func (b *bench) limited(ctx context.Context, n int) error {
	children, err := b.spawn(ctx, n, uint64(200<<10+b.rng.IntN(200<<10)))
	if err != nil {
		return err
	}
	b.awaitRefusals(children)
	for _, p := range children {
		p.kill()
		b.collect(n, modeFull, p)
	}
	return b.examine(ctx, n, modeFull, nil)
}

func (b *bench) spawnPatient(ctx context.Context, n int) ([]*process, error) {
	var children []*process
	for i := range b.cfg.Processes {
		p, err := start(ctx, childSpec{Path: b.path, Name: fmt.Sprintf("t%d-c%d", n, i), Seed: b.rng.Uint64(), OpsPerRun: 1 << 40,
			Patient: true}, nil)
		if err != nil {
			return children, err
		}
		children = append(children, p)
	}
	return children, nil
}

// awaitRefusals waits until every child was refused something, or for 3 s.
func (b *bench) awaitRefusals(children []*process) {
	for deadline := time.Now().Add(3 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		waiting := false
		for _, p := range children {
			waiting = waiting || (p.refusals() < 3 && p.saidError() == "")
		}
		if !waiting {
			return
		}
	}
}

// fill writes a file until no more fits.
func fill(path string, size int) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	for block := 64 << 10; block >= 512; block /= 2 {
		for range size / block {
			if _, err := f.Write(make([]byte, block)); err != nil {
				break
			}
		}
	}
	return nil
}
