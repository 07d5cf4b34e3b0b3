//go:build tools

package main

// The kernel is compiled from this module's files (see doc.go); the import
// keeps its version in go.mod.
import _ "github.com/gopherdata/gophernotes"
