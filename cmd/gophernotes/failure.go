//go:build gophernotes

package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"maps"
	"os"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/cosmos72/gomacro/base"
	"github.com/cosmos72/gomacro/imports"

	"github.com/gophersnake/gophersnake/internal/bindings"
)

// failure is an error as a cell shows it.
type failure struct {
	name, value string
	trace       []string
}

func (f *failure) content() object {
	return object{"ename": f.name, "evalue": f.value, "traceback": f.trace}
}

func red(s string) string { return "\x1b[31m" + s + "\x1b[0m" }

// phase is what the kernel did with a statement when it failed.
type phase string

const (
	compiling phase = "compile error"
	running   phase = "panic"
)

// place is where in a cell it failed.
type place struct {
	cell, code string
	phase      phase
	node       ast.Node
	line       int
}

func (p *place) set(fset interface {
	Position(token.Pos) token.Position
}) {
	if p.node != nil {
		p.line = fset.Position(p.node.Pos()).Line
	}
}

// explain turns what a cell panicked with into what its reader sees: the
// message, the line of the cell, compiled frames, and what to write instead.
func explain(p any, stack []byte, at place) *failure {
	if p == base.SigInterrupt {
		return &failure{"interrupted", "the cell was stopped", []string{red("interrupted") + ": the cell was stopped; variables are kept."}}
	}
	text := strings.TrimSpace(fmt.Sprint(p))
	if err, ok := p.(error); ok {
		text = strings.TrimSpace(err.Error())
	}
	f := &failure{name: string(at.phase), value: text, trace: []string{red(string(at.phase)) + ": " + text}}
	if at.phase == running {
		if lines := strings.Split(at.code, "\n"); at.line >= 1 && at.line <= len(lines) {
			f.trace = append(f.trace, fmt.Sprintf("  in %s, line %d: %s", at.cell, at.line, strings.TrimSpace(lines[at.line-1])))
		}
		f.trace = append(f.trace, frames(stack)...)
	}
	if h := hint(text, at.code); h != "" {
		f.trace = append(f.trace, "hint: "+h)
	}
	return f
}

// frames returns the compiled frames between a panic and the interpreter.
func frames(stack []byte) []string {
	lines := strings.Split(string(stack), "\n")
	start := len(lines)
	for i, l := range lines {
		if strings.HasPrefix(l, "panic(") {
			start = i + 2 // the innermost panic is the last one in the trace
		}
	}
	var out []string
	for i := start; i+1 < len(lines); i += 2 {
		f := lines[i]
		if strings.HasPrefix(f, "reflect.") || strings.HasPrefix(f, "main.") || strings.Contains(f, "cosmos72/gomacro") {
			break
		}
		if !strings.HasPrefix(f, "runtime.") {
			out = append(out, "  "+f, "    "+strings.TrimSpace(lines[i+1]))
		}
	}
	return out
}

// reportGoroutine is deferred in goroutines that cells start.
func reportGoroutine() {
	p := recover()
	if p == nil || p == base.SigInterrupt {
		return
	}
	text := fmt.Sprintf("panic in a goroutine: %v\n", p)
	if lines := frames(debug.Stack()); len(lines) > 0 {
		text += strings.Join(lines, "\n") + "\n"
	}
	fmt.Fprint(os.Stderr, text+"The goroutine has ended; the kernel goes on.\n")
}

// checkImports refuses packages that are not compiled in. The interpreter
// would try to build a plugin, which needs a Go toolchain and minutes.
func checkImports(n ast.Node) error {
	decl, ok := n.(*ast.GenDecl)
	if !ok || decl.Tok != token.IMPORT {
		return nil
	}
	for _, s := range decl.Specs {
		path := strings.Trim(s.(*ast.ImportSpec).Path.Value, "\"`")
		if _, ok := imports.Packages[path]; !ok {
			return unknownPackage(path)
		}
	}
	return nil
}

func unknownPackage(path string) error {
	last := path[strings.LastIndex(path, "/")+1:]
	var near, ours []string
	for p := range imports.Packages {
		if strings.HasSuffix("/"+p, "/"+last) {
			near = append(near, p)
		}
		if strings.HasPrefix(p, "github.com/gophersnake/") {
			ours = append(ours, p)
		}
	}
	if len(near) == 0 {
		near = ours
	}
	slices.Sort(near)
	text := fmt.Sprintf("package %q is not compiled into this kernel", path)
	if len(near) > 0 {
		text += "; there is " + strings.Join(near, ", ")
	}
	return fmt.Errorf("%s", text)
}

// advice pairs what the interpreter says with what a reader can do.
var advice = []struct {
	says *regexp.Regexp
	do   string
}{
	{regexp.MustCompile(`has no symbol (\w+)|not a type: `), "if it is generic: generic functions cannot be called in a notebook; use its form for your type (sort.Float64s for slices.Sort), or write the loop"},
	{regexp.MustCompile(`expected ';', found '\['|(?i)type parameter|generic`), "generics cannot be used in a notebook: write the function or type for the types you need, func SumFloats(xs []float64) float64"},
	{regexp.MustCompile(`interface conversion: .* is not .*: missing method`), "methods of types declared in cells are not seen through any: keep the value in a variable of its own type or of the interface"},
}

var (
	genericDecl = regexp.MustCompile(`(?m)^\s*(func\s+\w+\s*\[\s*\w+[^\]]*\]\s*\(|type\s+\w+\s*\[\s*\w+\s+[\w~.|]+[^\]]*\])`)
	missingName = regexp.MustCompile(`(?:not a type: |package )(\w+)(?:\.| ".*" has no symbol )(\w+)`)
	unknownName = regexp.MustCompile(`undefined (?:identifier: |")(\w+)`)
)

// hint says what to write instead, "" if nothing is known.
func hint(text, code string) string {
	if genericDecl.MatchString(code) {
		return "generics cannot be declared in a notebook: write the function or type for the types you need, func SumFloats(xs []float64) float64"
	}
	if m := unknownName.FindStringSubmatch(text); m != nil {
		if strings.Contains(code, "func "+m[1]+"(") {
			return fmt.Sprintf("functions that call each other need one of them as a variable: var %[1]s func(…) …, and after the others %[1]s = func(…) … { … }", m[1])
		}
		for _, p := range slices.Sorted(packagePaths) {
			if strings.HasSuffix("/"+p, "/"+m[1]) {
				return fmt.Sprintf("import %q", p)
			}
		}
	}
	if m := missingName.FindStringSubmatch(text); m != nil {
		for _, path := range slices.Sorted(maps.Keys(bindings.Skipped)) {
			if why := bindings.Skipped[path][m[2]]; why != "" && strings.HasSuffix("/"+path, "/"+m[1]) {
				return m[1] + "." + m[2] + " " + why
			}
		}
	}
	for _, a := range advice {
		if a.says.MatchString(text) {
			return a.do
		}
	}
	return ""
}

// packagePaths yields what can be imported.
func packagePaths(yield func(string) bool) {
	for p := range imports.Packages {
		if !yield(p) {
			return
		}
	}
}
