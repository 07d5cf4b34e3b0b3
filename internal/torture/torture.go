package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/gophersnake/gophersnake/tracker"
)

// config says how much torture there is.
type config struct {
	Trials    int
	Seed      uint64
	Processes int
	Dir       string
	Verbose   bool
	Out       io.Writer
}

// mode is what happens to the store besides the kill.
type mode string

const (
	modeKill    mode = "kill"
	modeJournal mode = "journal"
	modeWAL     mode = "wal"
	modeBoth    mode = "both"
	modeFull    mode = "full"
)

// modes are the modes of 20 trials, in turn.
var modes = []mode{
	modeKill, modeJournal, modeKill, modeWAL, modeKill, modeFull, modeKill, modeJournal, modeKill, modeBoth,
	modeKill, modeJournal, modeKill, modeWAL, modeKill, modeJournal, modeKill, modeWAL, modeKill, modeFull,
}

// trialsPerDatabase: runs of earlier trials are looked at again in each one, which takes longer the more there are.
const trialsPerDatabase = 5

// summary counts what happened.
type summary struct {
	trials     map[mode]int
	failures   []string
	kills      int
	runs       int
	values     int // acknowledged, in all comparisons of the trial in which they were logged
	underway   int // calls that the kill met and that are there
	refusedOps int // calls refused on a full disk
	replayed   int // values that came back from journals
	harmed     int // files
	lost       int // values that damage took, all of them reported
	lostOther  int // tags, artifacts and runs, likewise
	deleted    int // runs deleted, and collected while the others were logging
	corrupt    int // databases that the store refused to open after damage to the WAL
	fullBy     string
}

// bench is one database after another and what they should hold.
type bench struct {
	cfg     config
	rng     *rand.Rand
	dir     string // for all
	path    string // of the present database, "" if the next trial begins a new one
	trials  int    // on it
	records []*record
	sum     summary
}

// torture runs all trials and returns how many failed.
func (cfg config) torture(ctx context.Context) (failed int, err error) {
	dir := cfg.Dir
	if dir == "" {
		if dir, err = os.MkdirTemp("", "torture-"); err != nil {
			return 0, err
		}
	}
	b := &bench{cfg: cfg, dir: dir, rng: rand.New(rand.NewPCG(cfg.Seed, 7)), sum: summary{trials: map[mode]int{}}}
	for n := range cfg.Trials {
		if ctx.Err() != nil {
			fmt.Fprintln(cfg.Out, "interrupted")
			break
		}
		m := modes[n%len(modes)]
		begin := time.Now()
		before := len(b.sum.failures)
		if err := b.trial(ctx, n, m); err != nil {
			return len(b.sum.failures), fmt.Errorf("trial %d (%s) in %s: %w", n, m, b.path, err)
		}
		b.sum.trials[m]++
		if cfg.Verbose {
			fmt.Fprintf(cfg.Out, "trial %d %s: %d failures, %v\n", n, m, len(b.sum.failures)-before, time.Since(begin).Round(time.Millisecond))
		}
	}
	b.sum.print(cfg)
	if len(b.sum.failures) > 0 {
		fmt.Fprintln(cfg.Out, "the databases are left in", dir)
	} else if cfg.Dir == "" {
		err = os.RemoveAll(dir)
	}
	return len(b.sum.failures), err
}

func (s *summary) print(cfg config) {
	n := 0
	for _, count := range s.trials {
		n += count
	}
	fmt.Fprintf(cfg.Out, "seed %d: %d trials (%d kill, %d journal, %d wal, %d both, %d full), %d processes killed, %d runs\n",
		cfg.Seed, n, s.trials[modeKill], s.trials[modeJournal], s.trials[modeWAL], s.trials[modeBoth], s.trials[modeFull], s.kills, s.runs)
	fmt.Fprintf(cfg.Out, "%d acknowledged values, %d of all values came back from journals, %d calls met by the kill are there whole\n",
		s.values, s.replayed, s.underway)
	fmt.Fprintf(cfg.Out, "%d files harmed on purpose: %d values and %d tags, artifacts or runs gone with them, all reported; "+
		"%d databases refused as corrupt\n", s.harmed, s.lost, s.lostOther, s.corrupt)
	if s.fullBy != "" {
		fmt.Fprintf(cfg.Out, "disk full by %s: %d calls refused\n", s.fullBy, s.refusedOps)
	}
	if s.deleted > 0 {
		fmt.Fprintf(cfg.Out, "%d runs deleted, their data collected by processes that were killed as well\n", s.deleted)
	}
	for _, f := range s.failures {
		fmt.Fprintln(cfg.Out, "FAILED", f)
	}
	fmt.Fprintf(cfg.Out, "%d failures\n", len(s.failures))
}

func (b *bench) fail(trial int, m mode, format string, args ...any) {
	b.sum.failures = append(b.sum.failures, fmt.Sprintf("trial %d (%s) %s: ", trial, m, b.path)+fmt.Sprintf(format, args...))
}

// trial is one round: log, kill, harm, open, compare.
func (b *bench) trial(ctx context.Context, n int, m mode) error {
	if m == modeFull {
		return b.trialFull(ctx, n)
	}
	if err := b.prepare(n); err != nil {
		return err
	}
	collector, err := b.collector(ctx)
	if err != nil {
		return err
	}
	children, err := b.spawn(ctx, n, 0)
	if err != nil {
		return err
	}
	b.killAll(n, m, append(children, collector...))
	hurt, err := b.harm(m)
	if err != nil {
		return err
	}
	return b.examine(ctx, n, m, hurt)
}

// prepare begins a new database if it is time.
func (b *bench) prepare(n int) error {
	if b.trials++; b.path != "" && b.trials <= trialsPerDatabase {
		return nil
	}
	dir := filepath.Join(b.dir, fmt.Sprint("trial", n))
	b.path, b.trials, b.records = filepath.Join(dir, "t.db"), 1, nil
	return os.MkdirAll(dir, 0o755)
}

// spawn starts the children; some go on with runs that an earlier kill has left.
func (b *bench) spawn(ctx context.Context, n int, fileLimit uint64) ([]*process, error) {
	var crashed []*record
	for _, r := range b.records {
		if !r.over && !r.retired {
			crashed = append(crashed, r)
		}
	}
	var children []*process
	for i := range b.cfg.Processes {
		spec := childSpec{Path: b.path, Name: fmt.Sprintf("t%d-c%d", n, i), Seed: b.rng.Uint64(), OpsPerRun: 20 + int64(b.rng.IntN(2000)),
			Patient: fileLimit > 0, FileLimit: fileLimit}
		var resumed *record
		if len(crashed) > 0 && b.rng.IntN(2) == 0 {
			resumed, crashed = crashed[0], crashed[1:]
			spec.Resume, spec.Seed, spec.From = resumed.id, resumed.seed, resumed.next
		}
		p, err := start(ctx, spec, resumed)
		if err != nil {
			return children, err
		}
		children = append(children, p)
	}
	return children, nil
}

// collector deletes half of the runs in the last trial on a database, and starts a child that removes them for good while
// the others log.
func (b *bench) collector(ctx context.Context) ([]*process, error) {
	if b.trials < trialsPerDatabase {
		return nil, nil
	}
	store, err := tracker.Open(b.path)
	if err != nil {
		return nil, err
	}
	defer store.Close()
	for _, r := range b.records {
		if _, err := store.Run(ctx, r.id); err == nil && b.rng.IntN(2) == 0 {
			if err := store.DeleteRun(ctx, r.id); err != nil {
				return nil, err
			}
			r.retired = true
			b.sum.deleted++
		}
	}
	p, err := start(ctx, childSpec{Path: b.path, Name: "collector", Collect: true}, nil)
	return []*process{p}, err
}

// killAll kills one child after the other at random moments.
func (b *bench) killAll(n int, m mode, children []*process) {
	time.Sleep(time.Duration(20+b.rng.IntN(150)) * time.Millisecond)
	for _, p := range children {
		time.Sleep(time.Duration(b.rng.IntN(60)) * time.Millisecond)
		p.kill()
		b.collect(n, m, p)
	}
}

// collect takes over what a killed child said.
func (b *bench) collect(n int, m mode, p *process) {
	b.sum.kills++
	b.sum.refusedOps += p.refusals()
	if msg := p.saidError(); msg != "" {
		b.fail(n, m, "%s ended by itself: %s", p.spec.Name, msg)
	}
	for _, r := range p.runs {
		known := false
		for _, old := range b.records {
			known = known || old == r
		}
		if !known {
			b.records = append(b.records, r)
			b.sum.runs++
		}
	}
}

// harm damages files as the mode says and returns the runs whose journals it touched.
func (b *bench) harm(m mode) (hurt map[string]bool, err error) {
	hurt = map[string]bool{}
	var targets []string
	if m == modeJournal || m == modeBoth {
		files, err := journals(b.path)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return hurt, err
		}
		b.rng.Shuffle(len(files), func(i, j int) { files[i], files[j] = files[j], files[i] })
		for _, f := range files {
			if !hurt[runOf(f)] && len(targets) < 3 { // one file of a pair: the other knows how many records there were
				hurt[runOf(f)] = true
				targets = append(targets, f)
			}
		}
	}
	if m == modeWAL || m == modeBoth {
		targets = append(targets, b.path+"-wal")
	}
	for _, f := range targets {
		what, err := harm(b.rng, f)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return hurt, err
		}
		if what != "" {
			b.sum.harmed++
		}
		if b.cfg.Verbose {
			fmt.Fprintln(b.cfg.Out, "  ", what)
		}
	}
	return hurt, nil
}

// examine opens the store and judges it.
func (b *bench) examine(ctx context.Context, n int, m mode, hurt map[string]bool) error {
	store, err := tracker.Open(b.path)
	if errors.Is(err, tracker.ErrCorrupt) && (m == modeWAL || m == modeBoth) {
		b.sum.corrupt++
		b.path = ""
		return nil
	}
	if err != nil {
		b.fail(n, m, "open: %v", err)
		b.path = ""
		return nil
	}
	defer store.Close()
	if err := b.judge(ctx, store, n, m, hurt); err != nil {
		return err
	}
	report, err := store.Verify(ctx, nil)
	if err != nil {
		return err
	}
	for _, problem := range report.Problems() {
		b.fail(n, m, "verify: %s", problem)
	}
	return store.Close()
}
