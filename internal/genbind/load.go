package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

// want is a package to bind.
type want struct {
	path  string
	hints map[string]string // name → what to write instead
}

// parseList reads the list of packages.
func parseList(text string) ([]want, error) {
	var wants []want
	seen := map[string]bool{}
	for i, line := range strings.Split(text, "\n") {
		line, _, _ = strings.Cut(line, "#")
		word := strings.TrimSpace(line)
		switch {
		case word == "":
		case line[0] != ' ' && line[0] != '\t':
			if seen[word] {
				return nil, fmt.Errorf("line %d: %s is there twice", i+1, word)
			}
			seen[word] = true
			wants = append(wants, want{path: word, hints: map[string]string{}})
		default:
			name, hint, ok := strings.Cut(word, ":")
			if !ok || len(wants) == 0 {
				return nil, fmt.Errorf("line %d: %q is not an indented \"Name: hint\" under a package", i+1, word)
			}
			wants[len(wants)-1].hints[name] = strings.TrimSpace(hint)
		}
	}
	return wants, nil
}

// load type-checks the wanted packages from source, in the order of wants. Flags
// of the caller's environment that could change what is seen are taken out.
func load(dir string, wants []want) ([]*packages.Package, error) {
	env := slices.DeleteFunc(os.Environ(), func(s string) bool {
		return strings.HasPrefix(s, "GOFLAGS=") || strings.HasPrefix(s, "GOWORK=")
	})
	cfg := &packages.Config{
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports |
			packages.NeedTypes | packages.NeedTypesInfo | packages.NeedSyntax | packages.NeedExportFile | packages.NeedDeps,
		Dir: dir,
		Env: append(env, "GOFLAGS=", "GOWORK=off"),
	}
	paths := make([]string, len(wants))
	for i, w := range wants {
		paths[i] = w.path
	}
	found, err := packages.Load(cfg, paths...)
	if err != nil {
		return nil, err
	}
	byPath := map[string]*packages.Package{}
	for _, p := range found {
		if len(p.Errors) > 0 {
			return nil, fmt.Errorf("%s: %w", p.PkgPath, p.Errors[0])
		}
		byPath[p.PkgPath] = p
	}
	pkgs := make([]*packages.Package, len(wants))
	for i, path := range paths {
		if pkgs[i] = byPath[path]; pkgs[i] == nil {
			return nil, fmt.Errorf("%s: no such package", path)
		}
	}
	return pkgs, nil
}
