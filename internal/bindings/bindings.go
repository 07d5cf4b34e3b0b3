// Package bindings holds the tables by which cells of a notebook reach compiled
// packages, and what can be said about them: signatures, doc comments, and why
// a name is missing.
//
//	for _, path := range bindings.Paths() {
//		table, _ := bindings.Table(path)
//		imports.Packages.MergePackage(path, table) // gomacro/imports
//	}
//
// All files zz_* are written by internal/genbind from packages.txt; a test of
// that package fails when they are out of date. The tests that need the
// interpreter are behind the build tag gophernotes, as the kernel is:
//
//	go test -tags gophernotes ./internal/bindings
//
// This package does not depend on the interpreter,
// and only cmd/gophernotes should import it: whoever does links every package
// that notebooks can use, whole.
package bindings

//go:generate go run ../genbind

import (
	_ "embed"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
)

// Package is the table of one package. It is the same type as gomacro's
// imports.PackageUnderlying, which explains its fields.
type Package = struct {
	Name     string                   // the package clause
	Binds    map[string]reflect.Value // constants, functions; variables, addressable
	Types    map[string]reflect.Type
	Proxies  map[string]reflect.Type // interfaces → structs of functions that satisfy them
	Untypeds map[string]string       // untyped constants, exactly
	Wrappers map[string][]string     // types → methods promoted from embedded structs
}

// Paths lists the import paths that have a table.
func Paths() []string { return slices.Sorted(maps.Keys(tables)) }

// Table returns the table of a package, made anew at every call.
func Table(path string) (Package, bool) {
	table, ok := tables[path]
	if !ok {
		return Package{}, false
	}
	return table(), true
}

// Doc returns the signature and the doc comment of a name: "Func", "Type",
// "Type.Method", "Type.Field", or "" for the package itself. Skipped names have
// docs, too.
func Doc(path, name string) (signature, doc string, ok bool) {
	e, ok := docs()[path][name]
	return strings.TrimSuffix(e.signature, "\n"), strings.TrimSuffix(e.doc, "\n"), ok
}

type docEntry struct{ signature, doc string }

//go:embed zz_docs.txt
var docText string

var docs = sync.OnceValue(func() map[string]map[string]docEntry { return parseDocs(docText) })

// parseDocs reads lines that begin with what they are: P package, N name, S
// signature, D doc comment.
func parseDocs(text string) map[string]map[string]docEntry {
	all := map[string]map[string]docEntry{}
	var path, name string
	for line := range strings.Lines(text) {
		rest := strings.TrimSuffix(line[1:], "\n")
		switch line[0] {
		case 'P':
			path = rest
			all[path] = map[string]docEntry{}
		case 'N':
			name = rest
			all[path][name] = docEntry{}
		default:
			e := all[path][name]
			if line[0] == 'S' {
				e.signature += line[1:]
			} else {
				e.doc += line[1:]
			}
			all[path][name] = e
		}
	}
	return all
}
