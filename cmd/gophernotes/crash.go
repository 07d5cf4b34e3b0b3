//go:build gophernotes

package main

import (
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
	const most = 12 // lines: the panic and the frames near it
	lines := strings.Split(strings.TrimSpace(trace), "\n")
	if len(lines) > most {
		lines = append(lines[:most], "… (the terminal that runs Jupyter has the whole trace)")
	}
	return "The kernel crashed and was started anew; what cells had defined is gone. Its last words:\n\n    " +
		strings.Join(lines, "\n    ") +
		"\n\nA panic in a goroutine of compiled code ends the process.\n"
}
