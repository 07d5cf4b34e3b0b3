package main

import (
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
)

// head says what was measured with what.
func (o options) head(w io.Writer) error {
	version := "this work tree"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				version = s.Value[:min(12, len(s.Value))]
			}
		}
	}
	fmt.Fprintf(w, "# Tracker, compared\n\n%s, %d cores, %s/%s. gophersnake: %s", runtime.Version(), runtime.NumCPU(), runtime.GOOS,
		runtime.GOARCH, version)
	if o.venv != "" {
		for _, tool := range toolsFor(workLog)[1:] {
			var v struct{ Version string }
			cmd := exec.Command(filepath.Join(o.venv, "bin", "python"), o.peers, tool, "version", filepath.Join(o.dir, "version", tool), "0")
			if err := output(cmd, &v); err != nil {
				return fmt.Errorf("%s: %w", tool, err)
			}
			fmt.Fprintf(w, "; %s: %s", tool, v.Version)
		}
		fmt.Fprintf(w, ". Medians of %d rounds, in turns, each tool in a process of its own, through its client's API, "+
			"without a server.", o.rounds)
	}
	fmt.Fprint(w, "\n\n")
	return nil
}

// title says what a piece of work is.
func title(work string, n int) string {
	switch work {
	case workLog:
		return fmt.Sprintf("One run, %d calls with one value each, durable at the end", n)
	case workBatch:
		return fmt.Sprintf("Ten runs with five metrics, %d values in all, in the largest calls that the tool has, durable at the end", n)
	case workHistory:
		return fmt.Sprintf("All %d values of one metric read", n)
	}
	return fmt.Sprintf("%d runs: loss < 0.5, ordered by loss, the first 1,000", n)
}

// writeTable writes a piece of work as a table; ratios are to our own figures.
func writeTable(w io.Writer, work string, n int, costs map[string][]cost) {
	fmt.Fprintf(w, "## %s\n\n", title(work, n))
	perItem := work != workSearch
	if perItem {
		fmt.Fprint(w, "| tool | values/s | wall, ratio | CPU µs a value | CPU, ratio | bytes a value |\n|---|---:|---:|---:|---:|---:|\n")
	} else {
		fmt.Fprint(w, "| tool | wall ms | wall, ratio | CPU ms | CPU, ratio |\n|---|---:|---:|---:|---:|\n")
	}
	ours := median(costs[oursName])
	for _, tool := range toolsFor(work) {
		c := median(costs[tool])
		wall, cpu := figure(c.Wall/ours.Wall), figure(c.CPU/ours.CPU)
		if !perItem {
			fmt.Fprintf(w, "| %s | %s | %s | %s | %s |\n", tool, figure(1e3*c.Wall), wall, figure(1e3*c.CPU), cpu)
			continue
		}
		size := "–"
		if c.Bytes > 0 {
			size = figure(float64(c.Bytes) / float64(n))
		}
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s | %s |\n", tool, figure(float64(n)/c.Wall), wall, figure(1e6*c.CPU/float64(n)), cpu, size)
	}
	fmt.Fprintln(w)
}

// figure writes a number with about three digits.
func figure(v float64) string {
	switch {
	case v >= 10_000:
		return strings.TrimSpace(fmt.Sprintf("%.0f k", v/1000))
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}
