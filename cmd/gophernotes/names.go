//go:build gophernotes

package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	interp "github.com/cosmos72/gomacro/fast"
	"github.com/cosmos72/gomacro/xreflect"

	"github.com/gophersnake/gophersnake/internal/near"
)

// What the interpreter says of x.name if x has no such name; it takes what is
// called for a conversion, and looks for a package.
var (
	noSymbol = regexp.MustCompile(`^(\S+ )?package (\w+) ".*" has no symbol (\w+)$`)
	noType   = regexp.MustCompile(`^(\S+ )?not a type: (\w+)\.(\w+) <\*ast\.SelectorExpr>$`)
	noName   = regexp.MustCompile(`(?s)^(\S+ )?undefined "(\w+)" in .*<\*ast\.SelectorExpr>$`)
	noMember = regexp.MustCompile(`(?s)^(\S+ )?(?:not a package: "\w+" in|invalid qualified type, expecting packagename\.identifier, found:|type \S+ has no field(?: or method)? "\w+":) (.+)\.(\w+)(?: <\*ast\.SelectorExpr>)?$`)
)

// correct puts what the interpreter says of a name that is not there into Go's
// words, with the name that was meant, if one is near. members says what an
// expression has.
func correct(text string, members func(expr string) (string, []string)) (better string, meant bool) {
	if members == nil || skipped(text) != "" {
		return text, false
	}
	if m := noName.FindStringSubmatch(text); m != nil {
		return m[1] + "undefined identifier: " + m[2], false
	}
	for _, says := range []*regexp.Regexp{noSymbol, noType, noMember} {
		m := says.FindStringSubmatch(text)
		if m == nil {
			continue
		}
		at, expr, name := m[1], m[2], m[3]
		what, names := members(expr)
		if slices.Contains(names, name) || what == "" && says != noMember {
			return text, false // it is there, and something else is wrong
		}
		if what == "" && strings.HasPrefix(text, at+"type ") {
			return text, false // it names the type
		}
		if what == "" {
			what = expr + " has no field or method "
		}
		better = at + what + name
		if n := near.Name(name, names); n != "" {
			return fmt.Sprintf("%s; did you mean %s.%s?", better, expr, n), true
		}
		return better, says == noMember
	}
	return text, false
}

// membersIn is members for an expression of a cell, of which nothing can be told
// if it has a name that the cell declares inside a function or block.
func (e *evaluator) membersIn(nodes []ast.Node) func(expr string) (string, []string) {
	local := localNames(nodes)
	return func(expr string) (string, []string) {
		for _, word := range regexp.MustCompile(`\w+`).FindAllString(expr, -1) {
			if local[word] {
				return "", nil
			}
		}
		return e.members(expr)
	}
}

// localNames returns the names that are declared below the top level.
func localNames(nodes []ast.Node) map[string]bool {
	local := map[string]bool{}
	add := func(lhs ...ast.Expr) {
		for _, name := range names(lhs...) {
			local[name] = true
		}
	}
	for _, top := range nodes {
		ast.Inspect(top, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				if n != top && n.Tok == token.DEFINE {
					add(n.Lhs...)
				}
			case *ast.RangeStmt:
				add(n.Key, n.Value)
			case *ast.Field:
				for _, id := range n.Names {
					add(id)
				}
			case *ast.DeclStmt:
				for _, spec := range n.Decl.(*ast.GenDecl).Specs {
					if v, ok := spec.(*ast.ValueSpec); ok {
						for _, id := range v.Names {
							add(id)
						}
					}
				}
			}
			return true
		})
	}
	return local
}

// members returns the names that can follow an expression's dot and how to say
// that one is not among them, "" if the expression cannot be told: it may have
// variables of a function.
func (e *evaluator) members(expr string) (what string, names []string) {
	defer func() {
		if recover() != nil {
			what, names = "", nil
		}
	}()
	c := e.ir.Comp
	if s := c.TryResolve(expr); s != nil {
		if imp, ok := s.Bind.Value.(*interp.Import); ok {
			names = append(slices.Collect(maps.Keys(imp.Binds)), slices.Collect(maps.Keys(imp.Types))...)
			return "package " + imp.Path + " has no ", sorted(names)
		}
	}
	x, ok := c.ParseBytes([]byte(expr))[0].(ast.Expr)
	if !ok {
		return "", nil
	}
	t := c.Expr1(x, nil).Type
	return fmt.Sprintf("type %v has no field or method ", t), memberNames(t)
}

// memberNames lists the fields and methods of a type and of what it points to.
func memberNames(t xreflect.Type) []string {
	var names []string
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	for i := range t.NumMethod() { // those that cells declare
		names = append(names, t.Method(i).Name)
	}
	rt := t.ReflectType()
	for _, r := range []reflect.Type{rt, reflect.PointerTo(rt)} {
		for i := range r.NumMethod() {
			names = append(names, r.Method(i).Name)
		}
	}
	if rt.Kind() == reflect.Struct {
		for _, f := range reflect.VisibleFields(rt) {
			names = append(names, f.Name)
		}
	}
	return sorted(names)
}

func sorted(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}
