// Command torture tries to make the tracker lose values. It starts several processes that log to one database, kills
// them at random moments, damages journals and WAL between trials, lets disks run full, and compares what the store
// holds afterwards with what it had acknowledged.
//
//	go run ./internal/torture -trials 200 -seed 1
//	go run ./internal/torture -load 10s -processes 8
//
// # What is held against the store
//
//	kill      every acknowledged value, object, tag and artifact is there, bit for bit, exactly once; of the call under
//	          way at most one is, whole or not at all; nothing else is; nothing is reported as damaged or missing
//	journal   a journal file is cut or garbled: only runs whose journal was touched may lack something, and as many
//	          records as they lack are reported missing; the database is sound
//	wal       the WAL is cut or garbled: the store opens sound and reports no fewer commits and values than it lacks, or
//	          refuses to open with ErrCorrupt; nothing is lost in silence
//	both      journal and wal at once: whatever is lost is reported
//	full      the disk runs full and is given room again: what a call refused is not there, what it accepted is
//
// In the last trial on each database half of its runs were deleted, and one more process collects them while the others
// log: no other run may lack anything. In every trial the store then passes its own Verify, SQLite's integrity check included. The exit status is 1 if any
// trial failed.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"
)

func main() {
	if spec := os.Getenv(childVariable); spec != "" {
		os.Exit(childMain(spec))
	}
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run is main without the process.
func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("torture", flag.ContinueOnError)
	flags.SetOutput(stderr)
	var cfg config
	flags.IntVar(&cfg.Trials, "trials", 200, "number of trials")
	flags.Uint64Var(&cfg.Seed, "seed", 1, "seed: decides what is logged, when processes are killed, and what is damaged")
	flags.IntVar(&cfg.Processes, "processes", 4, "logging processes at once")
	flags.StringVar(&cfg.Dir, "dir", "", "folder for the databases (default: a temporary one)")
	flags.BoolVar(&cfg.Verbose, "v", false, "a line for every trial")
	load := flags.Duration("load", 0, "instead: every process logs 10 batches of 1,000 rows a second for so long")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	cfg.Out = stdout
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	begin := time.Now()
	var failed int
	var err error
	if *load > 0 {
		failed, err = cfg.runLoad(ctx, *load)
	} else {
		failed, err = cfg.torture(ctx)
	}
	if err != nil {
		fmt.Fprintln(stderr, "torture:", err)
		return 1
	}
	fmt.Fprintf(stdout, "took %v\n", time.Since(begin).Round(100*time.Millisecond))
	if failed > 0 {
		return 1
	}
	return 0
}
