package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/gophersnake/gophersnake/internal/near"
	"github.com/gophersnake/gophersnake/tracker"
)

// errInterrupted is the cause with which a signal ends the context.
var errInterrupted = errors.New("interrupted")

// failure is an error with what the user can do about it and the exit code.
type failure struct {
	err  error
	hint string
	code int
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// hinted adds a hint to an error; nil stays nil.
func hinted(err error, hint string) error {
	if err == nil {
		return nil
	}
	return &failure{err: err, hint: hint, code: exitError}
}

// usage marks an error of the command line.
func usage(cmd *cobra.Command, err error) error {
	if err == nil {
		return nil
	}
	return &failure{err: err, hint: cmd.CommandPath() + " --help", code: exitUsage}
}

// flagError names the flag that may have been meant.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) {
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		if near := near.Name(unknown.GetSpecifiedName(), names); near != "" {
			err = fmt.Errorf("%w; did you mean --%s?", err, near)
		}
	}
	var invalid *pflag.InvalidValueError
	if errors.As(err, &invalid) {
		want := map[string]string{"int": "a whole number", "uint64": "a whole number of 0 or more", "float64": "a number",
			"bool": "true or false"}[invalid.GetFlag().Value.Type()]
		if want != "" {
			err = fmt.Errorf("--%s is %q, want %s", invalid.GetFlag().Name, invalid.GetValue(), want)
		}
	}
	return usage(cmd, err)
}

// notNegative refuses a value below 0 of flags that are whole numbers.
func notNegative(cmd *cobra.Command, flags ...string) error {
	var errs []error
	for _, name := range flags {
		if n, err := cmd.Flags().GetInt(name); err != nil || n < 0 {
			errs = append(errs, fmt.Errorf("--%s is %d, want 0 or more", name, n))
		}
	}
	return usage(cmd, errors.Join(errs...))
}

// oneOf refuses a flag's value that is not among names.
func oneOf(cmd *cobra.Command, flag, value string, names []string) error {
	for _, n := range names {
		if n == value {
			return nil
		}
	}
	err := fmt.Errorf("--%s is %q, want one of %s", flag, value, strings.Join(names, ", "))
	if near := near.Name(value, names); near != "" {
		err = fmt.Errorf("--%s is %q; did you mean %q?", flag, value, near)
	}
	return usage(cmd, err)
}

// interrupted reports whether a command ended because it was told to.
func interrupted(err error) bool {
	return errors.Is(err, errInterrupted) || errors.Is(err, context.Canceled)
}

// libraryHint is how the libraries append a hint to a line of an error, or put
// it on a line of its own.
var libraryHint = regexp.MustCompile(`(?:^| )\(hint: (.*)\)$|; hint: (.*)$`)

// splitHint takes the hint of a library's error out of its text, and the
// library's name and lines that say the same again.
func splitHint(err error) (text, hint string) {
	var lines []string
	for _, line := range strings.Split(err.Error(), "\n") {
		line = strings.TrimPrefix(strings.TrimPrefix(line, "tracker: "), "lab: ")
		line = strings.TrimPrefix(line, "search: query: ")
		if m := libraryHint.FindStringSubmatch(line); m != nil {
			line = strings.TrimSuffix(line, m[0])
			if hint == "" {
				hint = m[1] + m[2]
			}
			if line == "" {
				continue
			}
		}
		if !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n"), hint
}

// report writes an error and its hint, and returns the exit code.
func (a *App) report(err error) int {
	if err == nil {
		return 0
	}
	code, hint := exitError, ""
	var f *failure
	if errors.As(err, &f) {
		code, hint = f.code, f.hint
	}
	if interrupted(err) {
		code = exitInterrupted
	}
	text, own := splitHint(err)
	if hint == "" {
		hint = own
	}
	var missing *tracker.NotFoundError
	if hint == "" && errors.As(err, &missing) && (missing.Kind == "run" || missing.Kind == "experiment") {
		hint = a.command("runs list --limit 0") + " shows what there is"
	}
	fmt.Fprintf(a.Err, "gophersnake: %s\n", strings.ReplaceAll(text, "\n", "\n  "))
	if hint != "" {
		fmt.Fprintf(a.Err, "hint: %s\n", hint)
	}
	return code
}
