// Command torch measures gophersnake against PyTorch on this machine and writes
// what it found, with the targets, to a page:
//
//	go run ./bench/torch -out docs/PERFORMANCE.md
//
// It installs PyTorch and mambapy from PyPI into an environment of its own under
// -dir (several GB, once). Each measurement is a process of its own; ours and
// the peer's take turns, so that a change of the machine's speed meets both.
// Both sides start from the same weights and tokens and must find the same
// losses and gradients.
//
// Every row is kept in results.json under -dir as soon as it is measured: an
// interrupted run loses only the row under way, and -only adds to what is there.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
)

// options are the flags.
type options struct {
	out, dir, python string
	only             *regexp.Regexp
	quick, fresh     bool
	rounds           int
	turn             float64
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == "child" {
		if err := child(os.Args[2], os.Stdin, os.Stdout); err != nil {
			fail(err)
		}
		return
	}
	o, err := parse(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fail(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := execute(ctx, o, os.Stderr); err != nil {
		fail(err)
	}
}

func parse(args []string) (o options, err error) {
	f := flag.NewFlagSet("bench/torch", flag.ContinueOnError)
	f.StringVar(&o.out, "out", "docs/PERFORMANCE.md", "the `page` to write; figures go beside it")
	f.StringVar(&o.dir, "dir", "out/bench", "`folder` for PyTorch's environment and the results")
	f.StringVar(&o.python, "python", "", "`interpreter` that has torch, numpy and mambapy, instead of installing them")
	only := f.String("only", "", "measure only what matches this `expression`: rows of the tables, states, scaling, profile; none with ^$")
	f.BoolVar(&o.quick, "quick", false, "two short rounds: a look, not a measurement")
	f.BoolVar(&o.fresh, "fresh", false, "forget what was measured before")
	f.IntVar(&o.rounds, "rounds", 6, "rounds of each race")
	f.Float64Var(&o.turn, "turn", 0.4, "`seconds` that each side runs in a round, at least one step")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		return o, fmt.Errorf("what is %q for? The arguments are flags; -only chooses what is measured", f.Arg(0))
	}
	if o.quick {
		o.rounds, o.turn = 2, 0.1
	}
	if o.rounds < 1 || !(o.turn > 0) {
		return o, fmt.Errorf("-rounds is %d and -turn %g, want at least 1 and above 0", o.rounds, o.turn)
	}
	o.only, err = regexp.Compile(*only)
	return o, err
}

// execute measures what is asked for and writes the page, also when it was
// interrupted.
func execute(ctx context.Context, o options, progress io.Writer) error {
	if err := os.MkdirAll(o.dir, 0o755); err != nil {
		return err
	}
	p, err := installPeer(ctx, o.dir, o.python, progress)
	if err != nil {
		return err
	}
	m, err := thisMachine(ctx, p)
	if err != nil {
		return err
	}
	path := filepath.Join(o.dir, "results.json")
	if o.fresh {
		if err := os.RemoveAll(path); err != nil {
			return err
		}
	}
	r, err := readResults(path, m)
	if err != nil {
		return err
	}
	b := &bench{peer: p, dir: o.dir, rounds: o.rounds, turn: o.turn, progress: progress, commit: commit(ctx)}
	err = b.everything(ctx, o, r, func() error { return r.write(path) })
	if err != nil && ctx.Err() == nil {
		return errors.Join(err, r.page(o.out))
	}
	if werr := r.page(o.out); werr != nil || ctx.Err() == nil {
		return werr
	}
	return fmt.Errorf("interrupted: %s has what was measured; the same command goes on if -only names the rest", o.out)
}

// everything measures the rows and curves that the options choose, and keeps
// each. A row that fails is named and does not stop the others.
func (b *bench) everything(ctx context.Context, o options, r *Results, keep func() error) error {
	var failed []error
	try := func(name string, measure func() error) error {
		if !o.only.MatchString(name) || ctx.Err() != nil {
			return context.Cause(ctx)
		}
		fmt.Fprintf(b.progress, "%s\n", name)
		b.patience = patience
		if err := measure(); err != nil {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			failed = append(failed, fmt.Errorf("%s: %w", name, err))
			return nil
		}
		return keep()
	}
	for _, w := range workloads() {
		if err := try(w.Name, func() error {
			row, err := b.measure(ctx, w)
			if err == nil {
				r.put(row)
			}
			return err
		}); err != nil {
			return err
		}
	}
	for _, part := range []struct {
		name    string
		measure func() (err error)
	}{
		{"states", func() (err error) { r.States, err = b.measureStates(ctx); return }},
		{"scaling", func() (err error) { r.Curves, err = b.measureCurves(ctx, defaultScaling(o.quick)); return }},
		{"profile", func() (err error) { r.Profile, err = b.measureProfile(ctx, profileJob(o.quick)); return }},
	} {
		if err := try(part.name, part.measure); err != nil {
			return err
		}
	}
	return errors.Join(failed...)
}
