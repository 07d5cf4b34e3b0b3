//go:build gophernotes

package main

import (
	"errors"
	"go/ast"
	"go/token"
	"maps"

	"github.com/cosmos72/gomacro/ast2"
	interp "github.com/cosmos72/gomacro/fast"
	"github.com/cosmos72/gomacro/xreflect"
)

// program is a compiled cell. A cell is compiled as a whole before any of it
// runs: a mistake in its last line leaves everything as it was. Imports, types,
// constants and functions are declared first, as in a Go file, so they may name
// each other and what the cell declares further down; statements follow in
// their order.
type program struct {
	steps []step
}

// step is one statement of a cell.
type step struct {
	node   ast.Node
	expr   *interp.Expr
	before scope // what was declared before it: it holds again if the step fails
}

// scope is what cells have declared, by name.
type scope struct {
	binds map[string]*interp.Bind
	types map[string]xreflect.Type
}

func (e *evaluator) scope() scope {
	c := e.ir.Comp
	return scope{maps.Clone(c.Binds), maps.Clone(c.Types)}
}

// restore forgets what was declared since s was taken.
func (e *evaluator) restore(s scope) {
	if s.binds == nil {
		return
	}
	c := e.ir.Comp
	c.Code.Clear() // half-compiled code would run before the next cell
	c.Binds, c.Types = s.binds, s.types
	e.before = scope{}
}

// compile compiles the statements of a cell. It panics with what is wrong.
func (e *evaluator) compile(nodes []ast.Node) program {
	e.ir.PrepareEnv() // tells the compiler which variables may move no more
	for _, n := range nodes {
		e.prepare(n)
	}
	var p program
	var imported, declared, functions, statements []ast.Node
	for _, n := range nodes {
		switch kindOf(n) {
		case token.IMPORT:
			imported = append(imported, n)
		case token.TYPE, token.CONST:
			declared = append(declared, n)
		case token.FUNC:
			functions = append(functions, n)
		default:
			statements = append(statements, n)
		}
	}
	before := e.scope()
	for _, n := range imported {
		p.steps = append(p.steps, e.step(before, n))
	}
	if len(declared) > 0 {
		p.steps = append(p.steps, e.step(before, declared...))
	}
	for _, n := range functions {
		e.announce(n.(*ast.FuncDecl))
	}
	var rest []step
	for _, n := range statements {
		rest = append(rest, e.step(e.scope(), n))
	}
	for _, n := range functions { // all that they name is known by now
		p.steps = append(p.steps, e.step(before, n))
	}
	p.steps = append(p.steps, rest...)
	return p
}

// kindOf returns how a declaration that is made ahead begins, or ILLEGAL for a
// statement.
func kindOf(n ast.Node) token.Token {
	switch n := n.(type) {
	case *ast.FuncDecl:
		return token.FUNC
	case *ast.GenDecl:
		return n.Tok
	}
	return token.ILLEGAL
}

// step compiles one statement, or declarations that may name each other.
func (e *evaluator) step(before scope, nodes ...ast.Node) step {
	s := step{node: nodes[0], before: before}
	c := e.ir.Comp
	e.exact = exactTypes(c.Universe, e.exact)
	tree := ast2.AnyToAst(nodes, c.Filepath)
	if tree == nil {
		return s
	}
	old := maps.Clone(c.Binds)
	s.expr = e.ir.CompileAst(tree)
	if names := retyped(old, c.Binds); len(names) > 0 {
		for _, name := range names {
			delete(old, name)
		}
		c.Binds = old
		s.expr = e.ir.CompileAst(tree)
	}
	return s
}

// retyped returns the names that were declared anew with another type. The
// interpreter would give them the place of the old variable or function, and
// what was compiled before would read it as what it was.
func retyped(old, now map[string]*interp.Bind) (names []string) {
	for name, b := range now {
		was := old[name]
		if was == nil || was == b || was.Desc != b.Desc || b.Desc.Class() == interp.ConstBind || was.Type == nil || b.Type == nil {
			continue
		}
		if !was.Type.IdenticalTo(b.Type) {
			names = append(names, name)
		}
	}
	return names
}

// announce declares a function or method without its body.
func (e *evaluator) announce(f *ast.FuncDecl) {
	head := *f
	head.Body = nil
	e.step(scope{}, &head)
}

// prepare checks and rewrites a statement before it is compiled.
func (e *evaluator) prepare(n ast.Node) {
	if err := checkImports(n); err != nil {
		panic(err)
	}
	if err := rewrite(n); err != nil {
		var mistake *rewriteError
		if errors.As(err, &mistake) {
			e.ir.Comp.Pos = mistake.pos
		}
		e.ir.Comp.Errorf("%s", err)
	}
	e.remember(n)
}
