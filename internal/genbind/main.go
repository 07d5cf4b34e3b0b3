// Command genbind writes the tables through which notebooks reach compiled
// packages: package bindings in ../bindings.
//
//	genbind -packages packages.txt -out DIR
//
// packages.txt names one import path per line; "#" begins a comment. An
// indented line "Name: hint" under a path says what to write in a cell instead
// of a name that cannot be bound. For every path DIR receives one file
// zz_<path>.go, and for all of them zz_packages.go (the list of tables),
// zz_skipped.go (what is missing, and why) and zz_docs.txt (signatures and doc
// comments). Files zz_* that are no longer written are removed.
//
// A generic has no value to put into a table and is skipped, unless the package
// that declares it asks for an instance by a directive on a line of its own,
//
//	//notebook:instantiate Sum[float64] SumF
//
// which makes Sum[float64] known to notebooks as SumF. It works for types, too.
//
// The output depends on the packages and, for those of the standard library, on
// the Go release; not on GOFLAGS, build tags, or where Go and modules lie.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("genbind: ")
	list := flag.String("packages", "packages.txt", "`file` that lists the packages")
	out := flag.String("out", ".", "`directory` to write to")
	flag.Parse()
	if err := run(*list, *out); err != nil {
		log.Fatal(err)
	}
}

// run generates everything that list asks for and brings dir up to date.
func run(list, dir string) error {
	files, err := generate(list)
	if err != nil {
		return err
	}
	old, err := filepath.Glob(filepath.Join(dir, "zz_*"))
	if err != nil {
		return err
	}
	for _, name := range old {
		if _, ok := files[filepath.Base(name)]; !ok {
			if err := os.Remove(name); err != nil {
				return err
			}
		}
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// generate returns the contents of the files by name.
func generate(list string) (map[string][]byte, error) {
	data, err := os.ReadFile(list)
	if err != nil {
		return nil, err
	}
	wants, err := parseList(string(data))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", list, err)
	}
	pkgs, err := load(filepath.Dir(list), wants)
	if err != nil {
		return nil, err
	}
	docs := newDocs(pkgs)
	var tables []*table
	for i, p := range pkgs {
		t, err := newTable(p, wants[i].hints)
		if err != nil {
			return nil, err
		}
		t.docs = docs.of(p.Types, t.aliases)
		tables = append(tables, t)
	}
	return render(tables)
}
