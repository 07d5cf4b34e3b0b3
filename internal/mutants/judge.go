package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A mutant is a mistake in one place and where it must be noticed.
type mutant struct {
	name     string // package/what
	file     string // from the root of the module, with slashes
	old, new string // old stands in the file exactly once
	tests    string // packages and patterns: "./pkg/lab TestA|TestB"
}

// An outcome says what became of a mutant.
type outcome string

const (
	killed   outcome = "killed"
	survived outcome = "survived"
	broken   outcome = "broken"
)

// judge tries every mutant and writes a line for each. It returns an error unless
// all were killed.
func judge(ctx context.Context, root string, all []mutant, out io.Writer) error {
	seen := map[string]bool{}
	for _, m := range all {
		if seen[m.tests] {
			continue
		}
		seen[m.tests] = true
		o, why := runTests(ctx, root, m.tests, "")
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if o != survived {
			return fmt.Errorf("the tests of %s fail without a mutant: %s", m.name, why)
		}
	}
	count := map[outcome]int{}
	for _, m := range all {
		o, why := try(ctx, root, m)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		count[o]++
		fmt.Fprintf(out, "%-9s %-28s %s\n", o, m.name, why)
	}
	fmt.Fprintf(out, "%d mutants: %d killed, %d survived, %d broken\n", len(all), count[killed], count[survived], count[broken])
	if count[killed] < len(all) {
		return errors.New("not all mutants were killed")
	}
	return nil
}

// try runs a mutant's tests over the changed file. why is the test that failed,
// or what is wrong.
func try(ctx context.Context, root string, m mutant) (o outcome, why string) {
	text, err := m.apply(root)
	if err != nil {
		return broken, err.Error()
	}
	dir, err := os.MkdirTemp("", "mutant")
	if err != nil {
		return broken, err.Error()
	}
	defer os.RemoveAll(dir)
	path, err := filepath.Abs(filepath.Join(root, m.file))
	if err != nil {
		return broken, err.Error()
	}
	changed, overlay := filepath.Join(dir, filepath.Base(m.file)), filepath.Join(dir, "overlay.json")
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{path: changed}})
	if err != nil {
		return broken, err.Error()
	}
	if err := errors.Join(os.WriteFile(changed, []byte(text), 0o600), os.WriteFile(overlay, replace, 0o600)); err != nil {
		return broken, err.Error()
	}
	return runTests(ctx, root, m.tests, overlay)
}

// apply returns the mutant's file with the mistake in it.
func (m mutant) apply(root string) (string, error) {
	data, err := os.ReadFile(filepath.Join(root, m.file))
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(data), m.old); n != 1 {
		return "", fmt.Errorf("%q stands in %s %d times, want once", m.old, m.file, n)
	}
	return strings.Replace(string(data), m.old, m.new, 1), nil
}

// runTests runs the tests of one package by a pattern, over the true tree or an
// overlay.
func runTests(ctx context.Context, root, tests, overlay string) (o outcome, why string) {
	pkg, pattern, _ := strings.Cut(tests, " ")
	whole := "^(" + strings.ReplaceAll(pattern, "/", ")$/^(") + ")$" // each level by itself
	args := []string{"test", "-failfast", "-timeout", "5m", "-run", whole}
	if overlay != "" {
		args = append(args, "-overlay", overlay)
	}
	cmd := exec.CommandContext(ctx, "go", append(args, pkg)...)
	cmd.Dir = root
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // go ends the test, too
	data, err := cmd.CombinedOutput()
	text := string(data)
	switch {
	case strings.Contains(text, "no tests to run"):
		return broken, fmt.Sprintf("no test of %s matches %q", pkg, pattern)
	case err == nil:
		return survived, ""
	case strings.Contains(text, "--- FAIL"), strings.Contains(text, "panic:"):
		return killed, failed(text)
	}
	return broken, strings.TrimSpace(text)
}

// failed returns the name of the first test that failed.
func failed(text string) string {
	_, rest, found := strings.Cut(text, "--- FAIL: ")
	if !found {
		return "panic"
	}
	name, _, _ := strings.Cut(rest, " ")
	return name
}
