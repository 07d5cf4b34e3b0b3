// Tracker compares the tracker with others at the same work on this machine, and checks its own gates.
//
//	make bench-tracker
//	go run ./bench/tracker -venv FOLDER -rounds 3 -out out/bench-tracker.md
//
// Each tool works in a process of its own, in turns, through its client's API and without a server; the table shows the
// medians over the rounds. Without -venv only the gates are checked.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench/tracker:", err)
		os.Exit(1)
	}
}

// options of the program.
type options struct {
	venv, out, dir, peers string
	rounds                int
	scale                 float64
	large                 bool
}

func run(args []string, stdout io.Writer) error {
	var o options
	flags := flag.NewFlagSet("tracker", flag.ContinueOnError)
	flags.StringVar(&o.venv, "venv", "", "folder of a Python environment with requirements.txt installed; empty: no peers")
	flags.StringVar(&o.out, "out", "", "file for the tables, in Markdown; empty: only print them")
	flags.StringVar(&o.dir, "dir", "", "folder for the databases; empty: a temporary one")
	flags.StringVar(&o.peers, "peers", "bench/tracker/peers.py", "the program that drives the peers")
	flags.IntVar(&o.rounds, "rounds", 3, "how often each tool does each work")
	flags.Float64Var(&o.scale, "scale", 1, "factor on the amounts of work that are compared; the gates keep theirs")
	flags.BoolVar(&o.large, "large", false, "check the gate over 100,000 runs as well: minutes")
	worker := flags.String("worker", "", "do this work and print its cost: for the program's own use")
	n := flags.Int("n", 0, "amount for -worker")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *worker != "" {
		c, err := work(*worker, o.dir, *n)
		if err != nil {
			return err
		}
		return json.NewEncoder(stdout).Encode(c)
	}
	if o.rounds < 1 || o.scale <= 0 {
		return fmt.Errorf("-rounds is %d and -scale %g; allowed are at least 1 and more than 0", o.rounds, o.scale)
	}
	if o.dir == "" {
		dir, err := os.MkdirTemp("", "bench-tracker-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		o.dir = dir
	}
	return o.report(stdout)
}

// report measures and writes the tables.
func (o options) report(stdout io.Writer) error {
	var b bytes.Buffer
	if err := o.head(&b); err != nil {
		return err
	}
	if o.venv != "" {
		if err := o.compare(&b); err != nil {
			return err
		}
	}
	if err := o.checkGates(&b); err != nil {
		return err
	}
	if _, err := stdout.Write(b.Bytes()); err != nil || o.out == "" {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(o.out), 0o755); err != nil {
		return err
	}
	return os.WriteFile(o.out, b.Bytes(), 0o644)
}

// amounts of the pieces of work that are compared.
func (o options) amounts() []struct {
	work string
	n    int
} {
	scaled := func(n int) int { return max(50, int(float64(n)*o.scale)/50*50) }
	return []struct {
		work string
		n    int
	}{{workLog, scaled(1000)}, {workBatch, scaled(100_000)}, {workHistory, scaled(20_000)}, {workSearch, scaled(10_000)}}
}

const oursName = "gophersnake"

func toolsFor(work string) []string {
	switch work {
	case workSearch:
		return []string{oursName, "mlflow"} // the others have no search with a filter and an order
	case workHistory:
		return []string{oursName, "mlflow", "trackio"} // peers.py reads no history through Aim
	}
	return []string{oursName, "mlflow", "trackio", "aim"}
}

// compare lets the tools work in turns.
func (o options) compare(w io.Writer) error {
	for _, a := range o.amounts() {
		costs := map[string][]cost{}
		for round := range o.rounds {
			for _, tool := range toolsFor(a.work) {
				dir := filepath.Join(o.dir, a.work, tool, strconv.Itoa(round))
				if a.work == workSearch {
					dir = filepath.Dir(dir) // its runs are made once
				}
				c, err := o.one(tool, a.work, dir, a.n)
				if err != nil {
					return fmt.Errorf("%s, %s: %w", tool, a.work, err)
				}
				fmt.Fprintf(os.Stderr, "%s %s %d: %.3f s, CPU %.3f s\n", a.work, tool, round, c.Wall, c.CPU)
				costs[tool] = append(costs[tool], c)
			}
		}
		writeTable(w, a.work, a.n, costs)
	}
	return nil
}

// one runs a tool in a process of its own.
func (o options) one(tool, work, dir string, n int) (c cost, err error) {
	var cmd *exec.Cmd
	if tool == oursName {
		self, err := os.Executable()
		if err != nil {
			return c, err
		}
		cmd = exec.Command(self, "-worker", work, "-dir", dir, "-n", strconv.Itoa(n))
	} else {
		cmd = exec.Command(filepath.Join(o.venv, "bin", "python"), o.peers, tool, work, dir, strconv.Itoa(n))
	}
	return c, output(cmd, &c)
}

// output runs a command and reads the JSON that it prints. What it said besides is part of the error.
func output(cmd *exec.Cmd, into any) error {
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, into)
	}
	if err != nil {
		said := stderr.Bytes()
		return fmt.Errorf("%w: %s", err, said[max(0, len(said)-2000):])
	}
	return nil
}

// median of each figure by itself.
func median(costs []cost) cost {
	of := func(get func(cost) float64) float64 {
		var list []float64
		for _, c := range costs {
			list = append(list, get(c))
		}
		slices.Sort(list)
		return list[len(list)/2]
	}
	return cost{Wall: of(func(c cost) float64 { return c.Wall }), CPU: of(func(c cost) float64 { return c.CPU }),
		P50: of(func(c cost) float64 { return c.P50 }), P99: of(func(c cost) float64 { return c.P99 }),
		Bytes: int64(of(func(c cost) float64 { return float64(c.Bytes) }))}
}
