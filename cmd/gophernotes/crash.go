//go:build gophernotes

package main

import (
	"fmt"
	"log"
	"os"
	"runtime/debug"
	"strings"
)

// crashFile holds the trace while the process dies. It belongs to the
// connection file, which a restarted kernel gets again.
var crashFile string

// watchCrash has the runtime write the trace of a fatal panic to a file, and
// returns the one that the run before has left.
func watchCrash(connectionFile string) (before string) {
	crashFile = strings.TrimSuffix(connectionFile, ".json") + ".crash"
	if data, err := os.ReadFile(crashFile); err == nil {
		before = string(data)
	}
	f, err := os.OpenFile(crashFile, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		log.Printf("a crash will leave no trace: %v", err)
		return before
	}
	defer f.Close() // the runtime keeps its own descriptor
	if err := debug.SetCrashOutput(f, debug.CrashOptions{}); err != nil {
		log.Printf("a crash will leave no trace: %v", err)
	}
	return before
}

// forgetCrash removes the file when the kernel ends as it should.
func forgetCrash() { os.Remove(crashFile) }

// crashNote says above the first cell after a restart why the restart was.
func crashNote(trace string) string {
	const most = 24 // lines: the panic and the frames near it
	lines := lastWords(trace)
	if len(lines) > most {
		lines = append(lines[:most], "…")
	}
	why := "A panic in a goroutine of compiled code ends the process."
	if strings.Contains(trace, "fatal error: stack overflow") {
		why = "Stack overflow: a recursion without end, in compiled code that a cell called."
	}
	return "The kernel crashed and was started anew; what cells had defined is gone. Its last words:\n\n    " +
		strings.Join(lines, "\n    ") + "\n\n" + why + " The terminal that runs Jupyter has the whole trace.\n"
}

// lastWords returns what a crash said and the frames of the goroutine it was in.
// Those of the interpreter, of reflection and of the runtime are counted.
func lastWords(trace string) (lines []string) {
	said, stack, _ := strings.Cut(strings.TrimSpace(trace), "\n\n")
	for _, l := range strings.Split(said, "\n") {
		if !strings.HasPrefix(l, "runtime: sp=") {
			lines = append(lines, l)
		}
	}
	for _, block := range strings.Split(stack, "\n\n") {
		if strings.HasPrefix(block, "goroutine ") {
			return append(lines, foldFrames(strings.Split(block, "\n")[1:])...)
		}
	}
	return lines
}

// foldFrames keeps the frames that a reader can do something about, of pairs of
// a function's line and its place's.
func foldFrames(frames []string) (lines []string) {
	folded := 0
	for i := 0; i+1 < len(frames); i += 2 {
		if foreign(frames[i]) {
			folded++
			continue
		}
		lines = append(lines, frames[i], "  "+strings.TrimSpace(frames[i+1]))
	}
	if folded > 0 {
		lines = append(lines, fmt.Sprintf("(and %d frames of the interpreter and the runtime)", folded))
	}
	return lines
}

// foreign reports whether a frame is the interpreter's or below it.
func foreign(frame string) bool {
	frame = strings.TrimPrefix(frame, "created by ")
	for _, of := range []string{"runtime.", "reflect.", "panic(", "main.", "time.goFunc"} {
		if strings.HasPrefix(frame, of) {
			return true
		}
	}
	return strings.Contains(frame, "cosmos72/gomacro")
}
