//go:build gophernotes

//go:debug gotypesalias=0

package main

import (
	"flag"
	"fmt"
	"go/build"
	"os"
	"reflect"

	"github.com/cosmos72/gomacro/imports"

	"github.com/gophersnake/gophersnake/internal/bindings"
)

// Version and ProtocolVersion are what gophernotes' own main.go defines.
const (
	Version         = "0.7.5+gophersnake"
	ProtocolVersion = "5.3"
)

func main() {
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: gophernotes CONNECTION_FILE\n\nJupyter starts this program; 'gophersnake kernel install' tells it how.")
		flag.PrintDefaults()
	}
	version := flag.Bool("version", false, "say which version this is")
	flag.Parse()
	if *version {
		fmt.Println("gophernotes", Version)
		return
	}
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	mend()
	if err := serve(flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, "gophernotes:", err)
		os.Exit(1)
	}
}

// mend sets right what keeps gophernotes v0.7.5 and its interpreter from
// working with today's Go, and adds our packages to its own. It runs before the interpreter exists.
func mend() {
	// Without a GOROOT the interpreter takes types from reflection, not from the
	// toolchain's export data, where it panics on type parameters and aliases. Not
	// "": that would look for ./bin/go.
	build.Default.GOROOT = "/nonexistent-goroot"
	display.Proxies["JSONer"] = reflect.TypeFor[proxyJSON]()
	for _, path := range bindings.Paths() {
		table, _ := bindings.Table(path)
		imports.Packages.MergePackage(path, table)
	}
	replaceBinds()
}

// proxyJSON lets interpreted types be display.JSONer. The proxy of v0.7.5 does
// not have the form that this gomacro fills in.
type proxyJSON struct {
	Object any
	JSON_  func(any) map[string]any
}

func (p *proxyJSON) JSON() map[string]any { return p.JSON_(p.Object) }
