//go:build gophernotes

package main

import (
	"errors"
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
	"github.com/gophersnake/gophersnake/internal/near"
)

// failure is an error as a cell shows it.
type failure struct {
	name, value string
	trace       []string
}

func (f *failure) content() object {
	return object{"ename": f.name, "evalue": f.value, "traceback": f.trace}
}

func (f *failure) reply() object {
	c := f.content()
	c["status"] = "error"
	return c
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
	members    func(expr string) (what string, names []string) // may be nil; see evaluator.members
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
	said := message(p)
	text, meant := correct(said, at.members)
	f := &failure{name: string(at.phase), value: text, trace: []string{red(string(at.phase)) + ": " + text}}
	if at.phase == running {
		if lines := strings.Split(at.code, "\n"); at.line >= 1 && at.line <= len(lines) {
			f.trace = append(f.trace, fmt.Sprintf("  in %s, line %d: %s", at.cell, at.line, strings.TrimSpace(lines[at.line-1])))
		}
		f.trace = append(f.trace, frames(stack)...)
	}
	if h := hint(said, at.code); h != "" && !meant {
		f.trace = append(f.trace, "hint: "+h)
	}
	return f
}

// message is what a panic said. A panic in its own Error or String, and one in
// the value of that panic, does no harm.
func message(p any) (text string) {
	defer func() {
		if recover() != nil {
			text = fmt.Sprintf("%T, whose message panics", p)
		}
	}()
	return strings.TrimSpace(fmt.Sprint(p))
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
	text := "panic in a goroutine: " + message(p) + "\n"
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

// unknownPackage says what can be imported instead.
func unknownPackage(path string) error {
	text := fmt.Sprintf("package %q is not compiled into this kernel", path)
	if names := nearPackages(path); len(names) > 0 {
		text += "; did you mean " + strings.Join(names, ", ") + "?"
	}
	return errors.New(text + "\nA cell can import the standard library, " + strings.Join(families(), ", ") +
		" by their full paths; other modules cannot be added while the kernel runs (internal/bindings/packages.txt lists what is compiled in).")
}

// nearPackages returns the import paths that path may have meant, the likeliest
// first: the same last element, then the nearest one.
func nearPackages(path string) []string {
	const most = 6
	byName := map[string][]string{}
	for _, p := range slices.Sorted(packagePaths) {
		byName[lastElement(p)] = append(byName[lastElement(p)], p)
	}
	last := lastElement(path)
	found := byName[last]
	names := slices.Sorted(maps.Keys(byName))
	if n := near.Name(last, names); len(found) == 0 && len(last) > 2 && n != "" {
		found = append(found, byName[n]...)
	}
	return found[:min(len(found), most)]
}

// lastElement returns the name that a package most likely has.
func lastElement(path string) string {
	name := path[strings.LastIndexByte(path, '/')+1:]
	if rest, ok := strings.CutSuffix(path, "/"+name); ok && len(name) > 1 && name[0] == 'v' && strings.Trim(name[1:], "0123456789") == "" {
		return lastElement(rest) // math/rand/v2
	}
	return name
}

// families names what is compiled in beside the standard library: the
// repositories, with how many of their packages.
func families() []string {
	count := map[string]int{}
	for _, p := range bindings.Paths() {
		if parts := strings.SplitN(p, "/", 4); strings.Contains(parts[0], ".") {
			count[strings.Join(parts[:min(3, len(parts))], "/")]++
		}
	}
	var names []string
	for _, root := range slices.Sorted(maps.Keys(count)) {
		names = append(names, fmt.Sprintf("%s (%d packages)", root, count[root]))
	}
	return names
}

// advice pairs what the interpreter says with what a reader can do.
var advice = []struct {
	says *regexp.Regexp
	do   string
}{
	{regexp.MustCompile(`has no symbol (\w+)|not a type: `), "if it is generic: generic functions cannot be called in a notebook; use its form for your type (sort.Float64s for slices.Sort), or write the loop"},
	{regexp.MustCompile(`expected ';', found '\['|(?i)type parameter|generic`), "generics cannot be used in a notebook: write the function or type for the types you need, func SumFloats(xs []float64) float64"},
	{regexp.MustCompile(`non-integer \w+ index|invalid slice index|as int in builtin make`), "the interpreter takes only an int there: write int(…) around the index or length"},
	{regexp.MustCompile(`Value\.Addr of unaddressable value`), "a method with a pointer receiver needs a variable: v := m[key], then v.Method()"},
	{regexp.MustCompile(`expected 'IDENT', found '\{'`), "a statement of a cell cannot begin with func() {…}(): write (func() {…})()"},
	{regexp.MustCompile(`method type is nil`), "methods of a type declared in a cell that refers to itself do not work in a notebook: write a function that takes it, func sum(n *node) int"},
	{regexp.MustCompile(`on zero Value$`), "a nil pointer or interface was used as if it held something"},
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
		if regexp.MustCompile(`\b` + m[1] + `\s*:?=\s*func\(`).MatchString(code) {
			return fmt.Sprintf("a function that calls itself or a later one is declared as func %[1]s(…), or as a variable first: var %[1]s func(…) …, then %[1]s = func(…) …", m[1])
		}
		if regexp.MustCompile(`(?m)^\s*(var\s+)?([\w, ]+,\s*)?` + m[1] + `\b[^=\n]*:?=[^=]`).MatchString(code) {
			return fmt.Sprintf("statements of a cell run from top to bottom: declare %s above its first use (functions may use what is declared below them)", m[1])
		}
		for _, p := range slices.Sorted(packagePaths) {
			if lastElement(p) == m[1] {
				return fmt.Sprintf("import %q", p)
			}
		}
	}
	if why := skipped(text); why != "" {
		return why
	}
	for _, a := range advice {
		if a.says.MatchString(text) {
			return a.do
		}
	}
	return ""
}

// skipped says why a package's name is not compiled in, "" if that is not the
// mistake.
func skipped(text string) string {
	m := missingName.FindStringSubmatch(text)
	if m == nil {
		return ""
	}
	for _, path := range slices.Sorted(maps.Keys(bindings.Skipped)) {
		if why := bindings.Skipped[path][m[2]]; why != "" && strings.HasSuffix("/"+path, "/"+m[1]) {
			return m[1] + "." + m[2] + " " + why
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
