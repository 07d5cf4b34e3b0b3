// Command mutants holds the tests to account: it puts a mistake into the code,
// one at a time, and runs the tests that must notice.
//
//	go run ./internal/mutants            all of them
//	go run ./internal/mutants -run lab   those whose name has a match
//	go run ./internal/mutants -list
//
// The tree is not touched: the compiler is shown the changed file in the place of
// the true one (go build's -overlay). First every test runs without a mistake. A
// mutant is
//
//	killed     a test failed or hung: as it should be
//	survived   all tests passed: one is missing
//	broken     its text is not in the file exactly once, or is no Go any more, or
//	           its pattern runs no test: the table is out of date
//
// The exit status is 1 unless all were killed, 2 for a wrong flag. Go keeps what
// it has built and the tests that pass, so that a second run, or one after an
// interruption, is quicker.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
)

func main() { os.Exit(run(os.Args[1:], table(), os.Stdout, os.Stderr)) }

// run is main without the process. It works in the current folder, which is the
// root of a module.
func run(args []string, all []mutant, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("mutants", flag.ContinueOnError)
	flags.SetOutput(stderr)
	pattern := flags.String("run", "", "only mutants whose name matches this `REGEXP`")
	list := flags.Bool("list", false, "list the mutants and stop")
	if flags.Parse(args) != nil {
		return 2
	}
	match, err := regexp.Compile(*pattern)
	if err != nil {
		fmt.Fprintf(stderr, "mutants: -run is %q: %v\n", *pattern, err)
		return 2
	}
	var chosen []mutant
	for _, m := range all {
		if match.MatchString(m.name) {
			chosen = append(chosen, m)
		}
	}
	if len(chosen) == 0 {
		fmt.Fprintf(stderr, "mutants: -run %q matches none of %d; -list shows them\n", *pattern, len(all))
		return 2
	}
	if *list {
		for _, m := range chosen {
			fmt.Fprintf(stdout, "%-28s %s\n", m.name, m.file)
		}
		return 0
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := judge(ctx, ".", chosen, stdout); err != nil {
		fmt.Fprintln(stderr, "mutants:", err)
		return 1
	}
	return 0
}
