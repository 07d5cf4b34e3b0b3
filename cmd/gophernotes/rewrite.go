//go:build gophernotes

package main

import (
	"go/ast"
	"go/token"
)

// rewrite changes the syntax tree of a cell so that the interpreter does what
// Go does: range over integers, loop variables of their own for every
// iteration, and that neither a panic in a goroutine of a cell nor a recursion
// without end takes the kernel with it.
// It returns an error for what it cannot make right.
func rewrite(n ast.Node) (problem error) {
	ast.Inspect(n, func(n ast.Node) bool {
		if problem != nil {
			return false
		}
		switch n := n.(type) {
		case *ast.FuncDecl:
			rewriteBody(n.Body)
		case *ast.FuncLit:
			rewriteBody(n.Body)
		case *ast.RangeStmt:
			rewriteRange(n)
		case *ast.ForStmt:
			problem = rewriteFor(n)
		case *ast.GoStmt:
			rewriteGo(n)
		case *ast.CallExpr:
			rewriteCall(n)
		case *ast.CommClause:
			rewriteSend(n)
		}
		return true
	})
	return problem
}

// rewriteCall keeps the only argument of a call from counting as two: to the
// interpreter an index, a receive and a type assertion always have their ok.
func rewriteCall(n *ast.CallExpr) {
	if len(n.Args) != 1 {
		return
	}
	if f, ok := n.Fun.(*ast.Ident); ok && (builtinNames[f.Name] || token.IsKeyword(f.Name)) {
		return // these take one value
	}
	switch x := ast.Unparen(n.Args[0]).(type) {
	case *ast.IndexExpr, *ast.TypeAssertExpr:
		n.Args[0] = hiddenCall(oneName, x)
	case *ast.UnaryExpr:
		if x.Op == token.ARROW {
			n.Args[0] = hiddenCall(oneName, x)
		}
	}
}

// hiddenCall calls one of our builtins, at the place of its last argument.
func hiddenCall(name string, args ...ast.Expr) *ast.CallExpr {
	x := args[len(args)-1]
	return &ast.CallExpr{Fun: &ast.Ident{NamePos: x.Pos(), Name: name}, Lparen: x.Pos(), Args: args, Rparen: x.End()}
}

// rewriteBody has a function look how deep it is, if it calls anything.
func rewriteBody(body *ast.BlockStmt) {
	calls := false
	if body != nil {
		ast.Inspect(body, func(n ast.Node) bool {
			if c, ok := n.(*ast.CallExpr); ok {
				id, named := c.Fun.(*ast.Ident)
				calls = calls || !named || !builtinNames[id.Name]
			}
			return !calls
		})
	}
	if calls {
		at := body.Lbrace
		look := &ast.CallExpr{Fun: &ast.Ident{NamePos: at, Name: depthName}, Lparen: at, Rparen: at}
		body.List = append([]ast.Stmt{&ast.ExprStmt{X: look}}, body.List...)
	}
}

func rewriteSend(n *ast.CommClause) {
	if s, ok := n.Comm.(*ast.SendStmt); ok {
		s.Value = hiddenCall(sendName, s.Chan, s.Value)
	}
}

func rewriteRange(n *ast.RangeStmt) {
	if n.Value == nil {
		switch x := n.X.(type) {
		case *ast.CompositeLit:
		case *ast.BasicLit:
			if x.Kind == token.INT || x.Kind == token.CHAR {
				n.X = hiddenCall(rangeName, x)
			}
		default:
			n.X = hiddenCall(rangeName, x)
		}
	}
	if n.Tok == token.DEFINE && captures(n.Body) {
		copyVariables(n.Body, names(n.Key, n.Value))
	}
}

// rewriteFor copies the variables of a three-clause loop, which is what Go does
// as long as the body does not change them.
func rewriteFor(n *ast.ForStmt) error {
	init, ok := n.Init.(*ast.AssignStmt)
	if !ok || init.Tok != token.DEFINE || !captures(n.Body) {
		return nil
	}
	vars := names(init.Lhs...)
	if name := assigned(n.Body, vars); name != "" {
		return &rewriteError{n.Pos(), "the loop variable " + name + " is changed in the loop's body, which also has a closure, & or go: the notebook cannot give every iteration its own " + name + "; change a copy (k := " + name + ")"}
	}
	copyVariables(n.Body, vars)
	return nil
}

// rewriteError is a mistake at a place in the cell.
type rewriteError struct {
	pos  token.Pos
	text string
}

func (e *rewriteError) Error() string { return e.text }

// names returns the identifiers among the left-hand sides, without _.
func names(lhs ...ast.Expr) []string {
	var vars []string
	for _, x := range lhs {
		if id, ok := x.(*ast.Ident); ok && id.Name != "_" {
			vars = append(vars, id.Name)
		}
	}
	return vars
}

// captures reports whether a body may keep variables beyond its iteration.
func captures(body *ast.BlockStmt) (found bool) {
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit, *ast.GoStmt, *ast.DeferStmt:
			found = true
		case *ast.UnaryExpr:
			found = found || n.Op == token.AND
		}
		return !found
	})
	return found
}

// copyVariables puts v := v in front of a body.
func copyVariables(body *ast.BlockStmt, vars []string) {
	if len(vars) == 0 {
		return
	}
	at := body.Lbrace
	def := &ast.AssignStmt{Tok: token.DEFINE, TokPos: at}
	for _, v := range vars {
		def.Lhs = append(def.Lhs, &ast.Ident{NamePos: at, Name: v})
		def.Rhs = append(def.Rhs, &ast.Ident{NamePos: at, Name: v})
	}
	body.List = []ast.Stmt{def, &ast.BlockStmt{Lbrace: at, List: body.List, Rbrace: body.Rbrace}}
}

// assigned returns the first of vars that a body assigns to or takes the
// address of; a variable of the same name declared inside counts too, which
// only makes the check stricter.
func assigned(body *ast.BlockStmt, vars []string) (name string) {
	is := func(x ast.Expr) {
		if id, ok := ast.Unparen(x).(*ast.Ident); ok {
			for _, v := range vars {
				if v == id.Name && name == "" {
					name = v
				}
			}
		}
	}
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if n.Tok != token.DEFINE {
				for _, x := range n.Lhs {
					is(x)
				}
			}
		case *ast.IncDecStmt:
			is(n.X)
		}
		return true
	})
	return name
}

// builtinNames have no function value that a guard could be put around.
var builtinNames = map[string]bool{
	"append": true, "cap": true, "clear": true, "close": true, "complex": true, "copy": true, "delete": true, "imag": true,
	"len": true, "make": true, "max": true, "min": true, "new": true, "panic": true, "print": true, "println": true,
	"real": true, "recover": true,
}

func rewriteGo(n *ast.GoStmt) {
	if id, ok := n.Call.Fun.(*ast.Ident); ok && builtinNames[id.Name] {
		at := n.Call.Pos() // the interpreter cannot go a builtin
		body := &ast.BlockStmt{Lbrace: at, List: []ast.Stmt{&ast.ExprStmt{X: n.Call}}, Rbrace: n.End()}
		lit := &ast.FuncLit{Type: &ast.FuncType{Func: at, Params: &ast.FieldList{Opening: at, Closing: at}}, Body: body}
		n.Call = &ast.CallExpr{Fun: lit, Lparen: n.End(), Rparen: n.End()}
	}
	n.Call.Fun = hiddenCall(guardName, n.Call.Fun)
}
