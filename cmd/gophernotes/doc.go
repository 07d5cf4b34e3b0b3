// Command gophernotes is the Jupyter kernel of gophersnake: Go in notebook
// cells, with this module's packages compiled in.
//
// It is built from two parts: the genuine sources of gophernotes v0.7.5
// (interpreter set-up, rendering, wire format), which `go build -overlay` lays
// into this directory as gn_*.go straight from the module cache, and the files
// here, which are a message loop of our own. Nothing is copied. The build tag
// gophernotes keeps all of it out of `go build ./...`; `make kernel` builds it.
//
//	main.go       flags, what is mended in gophernotes
//	kernel.go     sockets, who is parent of what is shown, interrupt
//	shell.go      one method per request of Jupyter's protocol
//	execute.go    a cell: run, reply, abort what is queued
//	program.go    a cell compiled as a whole, what holds again when it fails
//	evaluator.go  the goroutine that runs cells, and what happens if it hangs
//	stream.go     what Go and C print, as messages
//	failure.go    an error as the cell shows it
//	rewrite.go    syntax that the interpreter lacks
//	types.go      compiled types that the interpreter takes for approximate
//	builtins.go   min, max, clear, append, range over int
//	inspect.go    signatures and documentation; docs/ collects them at build time
//	crash.go      the trace of a crash, shown after the restart
//
// Protocol: https://jupyter-client.readthedocs.io/en/stable/messaging.html (5.3).
package main
