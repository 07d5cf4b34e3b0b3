// Command docs collects the signatures and doc comments of the standard library
// that the kernel shows when a notebook asks what a name is; those of other
// packages come with their binding tables. A kernel has no sources at run time,
// so they are collected when it is built.
//
//	go run ./cmd/gophernotes/docs -o bin/docs.json.gz
//
// The file is gzipped JSON: import path, then name ("" for the package itself,
// "T.M" for a method), then text.
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/doc"
	"go/format"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

func main() {
	out := flag.String("o", "bin/docs.json.gz", "write to this file")
	flag.Parse()
	if err := run(*out); err != nil {
		fmt.Fprintln(os.Stderr, "docs:", err)
		os.Exit(1)
	}
}

func run(out string) error {
	pkgs, err := list()
	if err != nil {
		return err
	}
	all := map[string]map[string]string{}
	for _, p := range pkgs {
		if hidden(p.ImportPath) {
			continue
		}
		if all[p.ImportPath], err = collect(p); err != nil {
			return fmt.Errorf("%s: %w", p.ImportPath, err)
		}
	}
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	if err := json.NewEncoder(z).Encode(all); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return err
	}
	return os.WriteFile(out, buf.Bytes(), 0o644)
}

// hidden reports whether a package cannot be imported from a notebook.
func hidden(path string) bool {
	return strings.Contains("/"+path+"/", "/internal/") || strings.HasPrefix(path, "vendor/") || strings.HasPrefix(path, "cmd/")
}

type pkg struct {
	ImportPath, Dir   string
	GoFiles, CgoFiles []string
}

func list() ([]pkg, error) {
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,GoFiles,CgoFiles", "std")
	cmd.Stderr = os.Stderr
	data, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	var pkgs []pkg
	for d := json.NewDecoder(bytes.NewReader(data)); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs, nil
		} else if err != nil {
			return nil, err
		}
		pkgs = append(pkgs, p)
	}
}

func collect(p pkg) (map[string]string, error) {
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range append(p.GoFiles, p.CgoFiles...) {
		f, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	d, err := doc.NewFromFiles(fset, files, p.ImportPath)
	if err != nil {
		return nil, err
	}
	b := book{fset, map[string]string{"": d.Synopsis(d.Doc)}}
	b.funcs("", d.Funcs)
	b.values(d.Consts, d.Vars)
	for _, t := range d.Types {
		b.add(t.Name, t.Decl, t.Doc)
		b.funcs("", t.Funcs)
		b.funcs(t.Name+".", t.Methods)
		b.values(t.Consts, t.Vars)
	}
	return b.entries, nil
}

type book struct {
	fset    *token.FileSet
	entries map[string]string
}

func (b book) funcs(prefix string, fs []*doc.Func) {
	for _, f := range fs {
		decl := *f.Decl
		decl.Body = nil
		b.add(prefix+f.Name, &decl, f.Doc)
	}
}

// values adds constants and variables; each name of a group gets the group.
func (b book) values(groups ...[]*doc.Value) {
	for _, g := range groups {
		for _, v := range g {
			for _, name := range v.Names {
				b.add(name, v.Decl, v.Doc)
			}
		}
	}
}

// longest is where a declaration is cut: the constants of syscall would not
// fit a tooltip.
const longest = 2000

func (b book) add(name string, decl ast.Decl, comment string) {
	var text bytes.Buffer
	switch d := decl.(type) {
	case *ast.FuncDecl:
		d.Doc = nil
	case *ast.GenDecl:
		d.Doc = nil
	}
	if err := format.Node(&text, b.fset, decl); err != nil {
		return // what go/doc made of it cannot be printed: no entry
	}
	s := text.String()
	if len(s) > longest {
		s = s[:longest] + "\n…"
	}
	if comment != "" {
		s += "\n\n" + strings.TrimRight(comment, "\n")
	}
	b.entries[name] = s
}
