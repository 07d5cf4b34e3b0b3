package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/gophersnake/gophersnake/tracker"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"gophersnake": func() { os.Exit(realMain()) }})
}

// TestScripts runs the command line as users do, in processes of its own. The
// scripts in testdata/script know these commands besides testscript's:
//
//	capture VAR REGEXP     sets VAR to the first group of REGEXP in the last output
//	garble GLOB            changes a byte in the middle of every file that fits
//	tamper DB RUN KEY STEP changes a logged value to 7
//	exits CODE PROGRAM …   runs a program that must end with this exit code
//	stops SIGNAL CODE DB STEP PROGRAM …
//	                       runs a program, sends it SIGNAL when a run in DB has come to STEP, and
//	                       wants this exit code (-1: killed); its output goes to stopped.txt.
//	                       TERM+TERM sends two
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"capture": capture, "garble": garble, "tamper": tamper, "exits": exits, "stops": stops,
		},
	})
}

func capture(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: capture VAR REGEXP")
	}
	found := regexp.MustCompile("(?m)" + args[1]).FindStringSubmatch(ts.ReadFile("stdout"))
	if len(found) < 2 {
		ts.Fatalf("no match for %q", args[1])
	}
	ts.Setenv(args[0], found[1])
}

func garble(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: garble GLOB")
	}
	files, err := filepath.Glob(ts.MkAbs(args[0]))
	ts.Check(err)
	if len(files) == 0 {
		ts.Fatalf("no file fits %s", args[0])
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		ts.Check(err)
		data[len(data)/2] ^= 0xff
		ts.Check(os.Chmod(f, 0o644))
		ts.Check(os.WriteFile(f, data, 0o644))
	}
}

func tamper(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: tamper DB RUN KEY STEP")
	}
	step, err := strconv.ParseInt(args[3], 10, 64)
	ts.Check(err)
	store, err := tracker.Open(ts.MkAbs(args[0]))
	ts.Check(err)
	run, err := store.ResumeRun(args[1])
	ts.Check(err)
	ts.Check(run.Log(args[2], step, 7)) // a later value of the same step counts
	ts.Check(run.Finish(tracker.StatusFinished))
	ts.Check(store.Close())
}

// stops runs a program until a run in DB has logged a value at STEP or later,
// sends it a signal, and compares its exit code.
func stops(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 5 {
		ts.Fatalf("usage: stops SIGNAL CODE DB STEP PROGRAM ARGS…")
	}
	signals := map[string]os.Signal{"INT": os.Interrupt, "TERM": syscall.SIGTERM, "KILL": os.Kill}
	step, err := strconv.ParseInt(args[3], 10, 64)
	ts.Check(err)
	program, err := exec.LookPath(args[4])
	if err != nil {
		program = filepath.Join(strings.Split(ts.Getenv("PATH"), string(os.PathListSeparator))[0], args[4])
	}
	cmd := exec.Command(program, args[5:]...)
	var output bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = ts.MkAbs("."), &output, &output
	cmd.Env = append(os.Environ(), "HOME="+ts.Getenv("HOME"))
	ts.Check(cmd.Start())
	arrived := waitForStep(ts.MkAbs(args[2]), step)
	for i, name := range strings.Split(args[0], "+") {
		if i > 0 {
			time.Sleep(5 * time.Millisecond) // two at once arrive as one
		}
		ts.Check(cmd.Process.Signal(signals[name]))
	}
	cmd.Wait()
	ts.Logf("[output]\n%s", &output)
	ts.Check(os.WriteFile(ts.MkAbs("stopped.txt"), output.Bytes(), 0o644))
	if !arrived {
		ts.Fatalf("no run in %s got to step %d", args[2], step)
	}
	if code := strconv.Itoa(cmd.ProcessState.ExitCode()); code != args[1] {
		ts.Fatalf("exit code %s, want %s", code, args[1])
	}
}

// waitForStep waits until a run that is under way has come to a step.
func waitForStep(db string, step int64) bool {
	for start := time.Now(); time.Since(start) < 30*time.Second; time.Sleep(20 * time.Millisecond) {
		store, err := tracker.Open(db, tracker.WithReadOnly())
		if err != nil {
			continue // not there yet
		}
		runs, err := store.Runs(context.Background(), tracker.Filter{})
		store.Close()
		for _, r := range runs {
			if err == nil && r.LastStep >= step {
				return true
			}
		}
	}
	return false
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARGS…")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := "0"
	if err != nil {
		code = regexp.MustCompile(`\d+$`).FindString(err.Error())
	}
	if code != args[0] {
		ts.Fatalf("exit code %q (%v), want %s", code, err, args[0])
	}
}
