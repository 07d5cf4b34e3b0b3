//go:build !gophernotes

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "gophernotes: this build has no kernel in it; build it with 'make kernel'")
	os.Exit(1)
}
