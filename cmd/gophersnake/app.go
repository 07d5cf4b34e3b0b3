package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// App is the command line; what it reads and writes comes from outside.
type App struct {
	Name     string // how it was called, for the commands that it suggests
	In       io.Reader
	Out, Err io.Writer

	db    string // --db
	quiet bool   // --quiet
}

// defaultDB is the database that is used when --db names none.
const defaultDB = "gophersnake.db"

// Exit codes, as the help of the root command documents them.
const (
	exitError       = 1
	exitUsage       = 2
	exitDiverged    = 3
	exitDifferent   = 4
	exitInterrupted = 130
)

// Main runs one command line and returns its exit code. A panic is an error of
// this program: its code must not be taken for that of a wrong command line.
func (a *App) Main(ctx context.Context, args []string) (code int) {
	defer func() {
		if p := recover(); p != nil {
			fmt.Fprintf(a.Err, "gophersnake: this is a mistake in gophersnake, please report it: %v\n%s", p, debug.Stack())
			code = exitError
		}
	}()
	root := a.root()
	root.SetArgs(args)
	root.SetIn(a.In)
	root.SetOut(a.Out)
	root.SetErr(a.Err)
	return a.report(root.ExecuteContext(ctx))
}

func (a *App) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "gophersnake",
		Short: "a laboratory for recurrent sequence models",
		Long: `gophersnake trains sequence models from the nonlinear RNN to Mamba, one change at
a time, and keeps every run in an SQLite database that answers questions and can
be replayed to the last bit.

Start with the ladder; minutes on two cores:

  gophersnake ladder
  gophersnake runs list --best test/accuracy
  gophersnake replay RUN

A RUN is the id of a run, the beginning of its id, its name if only one run has
it, or # and its number.

Exit codes:
  0    all went well
  1    an error, or a check that found a problem (verify, backup); what was logged
       before it is in the database
  2    the command line is wrong
  3    the run diverged (command run)
  4    the replay differs (command replay)
  130  interrupted; runs under way have written checkpoints`,
		SilenceErrors: true, SilenceUsage: true,
		Args: func(cmd *cobra.Command, args []string) error { return unknownCommand(cmd, args) },
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			if a.db == "" {
				return usage(cmd, errors.New("--db is empty, want the name of a file"))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(flagError)
	flags := root.PersistentFlags()
	flags.StringVar(&a.db, "db", defaultDB, "database of runs")
	flags.BoolVarP(&a.quiet, "quiet", "q", false, "no progress, results only")
	root.AddCommand(a.ladderCommand(), a.runCommand(), a.runsCommand(), a.replayCommand(), a.generateCommand(),
		a.topCommand(), a.exportCommand(), a.importCommand(), a.backupCommand(), a.verifyCommand(), a.queryCommand(), a.sqlCommand(),
		a.listCommand(), a.benchCommand(), a.speedCommand(), a.kernelCommand(), a.versionCommand())
	return root
}

// unknownCommand refuses arguments of a command that only has subcommands.
func unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if cmd.SuggestionsMinimumDistance <= 0 {
		cmd.SuggestionsMinimumDistance = 2
	}
	err := fmt.Errorf("unknown command %q for %q", args[0], cmd.CommandPath())
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		err = fmt.Errorf("%w; did you mean \"%s\"?", err, strings.Join(near, `" or "`))
	}
	return usage(cmd, err)
}

// takes refuses any other number of arguments than those named.
func takes(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == len(names) {
			return nil
		}
		want := "no arguments"
		if len(names) > 0 {
			want = strings.Join(names, " ")
		}
		return usage(cmd, fmt.Errorf("%s takes %s, got %s", cmd.CommandPath(), want, counted(len(args), "argument")))
	}
}

// atLeast refuses fewer arguments than n.
func atLeast(n int, want string) cobra.PositionalArgs { return between(n, 1<<30, want) }

// between refuses any other number of arguments than least to most.
func between(least, most int, want string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) >= least && len(args) <= most {
			return nil
		}
		return usage(cmd, fmt.Errorf("%s takes %s, got %s", cmd.CommandPath(), want, counted(len(args), "argument")))
	}
}

// counted is "1 argument", "2 arguments".
func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// command is a command line of this program on the same database, for hints.
func (a *App) command(words string) string {
	if a.db == defaultDB {
		return a.Name + " " + words
	}
	return fmt.Sprintf("%s %s --db %s", a.Name, words, a.db)
}

// width returns the columns of the terminal that w is, 0 if it is none.
func width(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0
	}
	n, _, err := term.GetSize(int(f.Fd()))
	if err != nil || n < 20 {
		return 80
	}
	return n
}
