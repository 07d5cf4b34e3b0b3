// Command peers measures gophersnake against PyTorch, JAX and llama.cpp on this
// machine and writes what it found, with the targets, to a page:
//
//	go run ./bench/peers -out docs/PERFORMANCE.md
//
// It installs PyTorch with mambapy, JAX, and llama.cpp (from its sources) from
// PyPI into environments of their own under -dir (several GB, once). Each
// measurement is a process of its own; ours and the peer's take turns, so that a
// change of the machine's speed meets both. Both sides start from the same weights
// and tokens and must find the same losses and gradients.
//
// Every row and curve is kept in results.json under -dir as soon as it is
// measured. The same command goes on where an interrupted one stopped; after one
// that came to its end it measures everything again. -only adds to what is there.
package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"syscall"
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
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := execute(ctx, o, os.Stderr); err != nil {
		fail(err)
	}
}

func parse(args []string) (o options, err error) {
	f := flag.NewFlagSet("bench/peers", flag.ContinueOnError)
	f.StringVar(&o.out, "out", "docs/PERFORMANCE.md", "the `page` to write; figures go beside it")
	f.StringVar(&o.dir, "dir", "out/bench", "`folder` for the peers' environments and the results")
	f.StringVar(&o.python, "python", "", "`interpreter` that has PyTorch, numpy and mambapy, instead of installing them")
	only := f.String("only", "", "measure only what matches this `expression`: rows of the tables, ceilings, states, "+
		"scaling, profile; none with ^$")
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
	if o.only, err = regexp.Compile(*only); err != nil {
		return o, fmt.Errorf("-only is %q, want a regular expression: %w", *only, err)
	}
	return o, nil
}

// execute measures what is asked for and writes the page, also when it was
// interrupted.
func execute(ctx context.Context, o options, progress io.Writer) error {
	if err := os.MkdirAll(o.dir, 0o755); err != nil {
		return err
	}
	p, err := torchKit.install(ctx, o.dir, o.python, progress)
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
	what, err := o.what()
	if err != nil {
		return err
	}
	r.begin(what)
	b := &bench{peers: map[string]peer{p.name: p}, dir: o.dir, rounds: o.rounds, turn: o.turn, progress: progress,
		commit: commit(ctx)}
	err = b.everything(ctx, o.only, b.parts(ctx, o, r), r, func() error { return r.write(path) })
	if err == nil {
		r.Open = nil
		err = r.write(path)
	}
	if err != nil && ctx.Err() == nil {
		return errors.Join(err, r.page(o.out))
	}
	if werr := r.page(o.out); werr != nil || ctx.Err() == nil {
		return werr
	}
	return fmt.Errorf("interrupted: %s has what was measured; the same command goes on", o.out)
}

// what names the program, by its contents, and the settings: a run of another
// program or with others cannot go on.
func (o options) what() (string, error) {
	exe, err := os.Executable()
	if err != nil {
		return "", err
	}
	data, err := os.ReadFile(exe)
	return fmt.Sprintf("%x %s %d %g %t", sha256.Sum256(data), o.only, o.rounds, o.turn, o.quick), err
}

// part is something to measure: a row, a curve.
type part struct {
	name    string
	measure func() error
}

// parts lists everything, in the order of measuring.
func (b *bench) parts(ctx context.Context, o options, r *Results) []part {
	all := []part{{"ceilings", func() (err error) { r.Tops, err = askCeilings(ctx); return }}}
	for _, w := range everyWorkload() {
		all = append(all, part{w.Name, func() error {
			row, err := b.measure(ctx, w)
			if err == nil {
				r.put(row)
			}
			return err
		}})
	}
	all = append(all, part{"states", func() (err error) { r.States, err = b.measureStates(ctx); return }})
	for _, k := range curves() {
		all = append(all, part{"scaling " + k.name(), func() error {
			err := b.measureCurve(ctx, &k, defaultScaling(o.quick))
			if err == nil {
				r.putCurve(k)
			}
			return err
		}})
	}
	return append(all, part{"profile", func() (err error) {
		r.Profile, err = b.measureProfile(ctx, profileJob(o.quick))
		return
	}})
}

// everything measures the parts that are wanted and not done, and keeps each. One
// that fails is named and does not stop the others.
func (b *bench) everything(ctx context.Context, only *regexp.Regexp, parts []part, r *Results,
	keep func() error) error {
	var failed []error
	var todo []part
	for _, p := range parts {
		if only.MatchString(p.name) && !slices.Contains(r.Open.Done, p.name) {
			todo = append(todo, p)
		}
	}
	for i, p := range todo {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		fmt.Fprintf(b.progress, "%d of %d: %s\n", i+1, len(todo), p.name)
		b.patience = patience
		err := p.measure()
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			failed = append(failed, fmt.Errorf("%s: %w", p.name, err))
			continue
		}
		r.Open.Done = append(r.Open.Done, p.name)
		if err := keep(); err != nil {
			return err
		}
	}
	return errors.Join(failed...)
}
