// Command gophersnake trains the ladder from the nonlinear RNN to Mamba, keeps
// every run in an SQLite database, and replays, lists and samples from them.
// `gophersnake --help` is its documentation; every subcommand is a file of this
// package and calls what a notebook can call too.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// sameSignal is how long after a signal another one is taken for the same:
// timeout(1) and batch systems send one to the process and one to its group.
const sameSignal = 300 * time.Millisecond

func main() { os.Exit(realMain()) }

// realMain runs the command line of this process.
func realMain() int {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // under nohup it stays ignored
		signal.Notify(signals, syscall.SIGHUP)
	}
	go func() {
		<-signals
		cancel(errInterrupted) // runs under way write checkpoints and end
		for at := time.Now(); time.Since(at) < sameSignal; {
			<-signals
		}
		os.Exit(exitInterrupted)
	}()
	app := &App{Name: os.Args[0], In: os.Stdin, Out: os.Stdout, Err: os.Stderr}
	return app.Main(ctx, os.Args[1:])
}
