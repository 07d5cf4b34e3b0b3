//go:build gophernotes

package main

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/format"
	"go/token"
	"log"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	interp "github.com/cosmos72/gomacro/fast"
	"github.com/cosmos72/gomacro/xreflect"

	"github.com/gophersnake/gophersnake/internal/bindings"
)

//go:embed docs.json.gz
var packedDocs []byte

// library holds signatures and doc comments of the standard library: import path,
// then "F", "T" or "T.M", then text. It is unpacked when first asked.
type library struct {
	once  sync.Once
	books map[string]map[string]string
}

// text returns signature and documentation of a name, "" if nothing is known.
// The binding tables have their own; the library has the standard library's.
func (l *library) text(path, name string) string {
	if signature, doc, ok := bindings.Doc(path, name); ok {
		return strings.TrimSpace(signature + "\n\n" + doc)
	}
	l.once.Do(func() {
		z, err := gzip.NewReader(bytes.NewReader(packedDocs))
		if err == nil {
			err = json.NewDecoder(z).Decode(&l.books)
		}
		if err != nil {
			log.Printf("documentation: %v", err)
		}
	})
	return l.books[path][name]
}

func (k *kernel) inspectReply(code string, pos int) object {
	reply := object{"status": "ok", "found": false, "data": object{}, "metadata": object{}}
	if t := k.inspect(code, byteOffset(code, pos)); t != "" {
		reply["found"], reply["data"] = true, object{MIMETypeText: t}
	}
	return reply
}

// inspect says what the name at pos is: its signature or type, and its
// documentation or, for what a cell declared, its source.
func (k *kernel) inspect(code string, pos int) (found string) {
	defer func() {
		if p := recover(); p != nil {
			log.Printf("inspect: %v", p) // the interpreter's look-ups panic on half-typed code
		}
	}()
	words := nameAt(code, pos)
	if len(words) == 0 {
		return ""
	}
	c := k.ir.Comp
	sym := c.TryResolve(words[0])
	if sym == nil {
		if t := c.TryResolveType(words[0]); t != nil && len(words) == 1 {
			return k.describeType(t)
		}
		return ""
	}
	if imp, ok := sym.Bind.Value.(*interp.Import); ok {
		return k.inspectPackage(imp, words)
	}
	if source := k.decls[words[0]]; source != "" && len(words) == 1 {
		return source
	}
	return k.member(words[0], sym.Bind.Type, words[1:])
}

func (k *kernel) inspectPackage(imp *interp.Import, words []string) string {
	if len(words) == 1 {
		about := k.docs.text(imp.Path, "")
		if strings.HasPrefix(about, "package ") { // the tables' entries begin with it
			return about
		}
		return strings.TrimSpace(fmt.Sprintf("package %s // import %q\n\n%s", imp.Name, imp.Path, about))
	}
	if b := imp.Binds[words[1]]; b != nil {
		if len(words) > 2 {
			return k.member(words[0]+"."+words[1], b.Type, words[2:])
		}
		if t := k.docs.text(imp.Path, words[1]); t != "" {
			return t
		}
		return strings.Join(words, ".") + " " + b.Type.String()
	}
	t := imp.Types[words[1]]
	if t == nil { // not in the table, yet perhaps described: generics are
		return k.docs.text(imp.Path, words[1])
	}
	if len(words) > 2 {
		return k.member(words[0]+"."+words[1], t, words[2:])
	}
	return k.describeType(t)
}

// member follows fields and methods from a value of type t.
func (k *kernel) member(name string, t xreflect.Type, path []string) string {
	for i, p := range path {
		field, isField, method, isMethod, err := k.ir.Comp.TryLookupFieldOrMethod(t, p)
		if err != nil {
			return ""
		}
		name += "." + p
		switch {
		case isField:
			t = field.Type
		case isMethod && i == len(path)-1:
			if d := k.methodDoc(t, p); d != "" {
				return d
			}
			return name + " " + method.Type.String()
		default:
			return ""
		}
	}
	head := name + " " + t.String()
	if d := k.describeType(t); d != "" && d != "type "+t.String() {
		return head + "\n\n" + d
	}
	return head
}

// owner returns the named type behind pointers.
func owner(t xreflect.Type) xreflect.Type {
	for t.Name() == "" && t.Kind().String() == "ptr" {
		t = t.Elem()
	}
	return t
}

func (k *kernel) methodDoc(t xreflect.Type, method string) string {
	t = owner(t)
	if source := k.decls[t.Name()+"."+method]; source != "" {
		return source
	}
	return k.docs.text(t.PkgPath(), t.Name()+"."+method)
}

func (k *kernel) describeType(t xreflect.Type) string {
	named := owner(t)
	if source := k.decls[named.Name()]; source != "" {
		return source
	}
	if d := k.docs.text(named.PkgPath(), named.Name()); d != "" {
		return d
	}
	return "type " + t.String()
}

// nameAt returns the dotted name that pos is in or behind, also when pos is
// in the arguments of its call: there Shift-Tab asks for the function.
func nameAt(code string, pos int) []string {
	part := func(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }
	end := pos
	for end < len(code) {
		r, n := utf8.DecodeRuneInString(code[end:])
		if !part(r) {
			break
		}
		end += n
	}
	start := pos
	for start > 0 {
		r, n := utf8.DecodeLastRuneInString(code[:start])
		if !part(r) && r != '.' {
			break
		}
		start -= n
	}
	if name := strings.Trim(code[start:end], "."); name != "" {
		return strings.Split(name, ".")
	}
	if open := openCall(code[:pos]); open > 0 {
		return nameAt(code, open)
	}
	return nil
}

// openCall returns where the innermost parenthesis is that is open at the end
// of code, -1 if there is none.
func openCall(code string) int {
	depth := 0
	for i := len(code) - 1; i >= 0; i-- {
		switch code[i] {
		case ')':
			depth++
		case '(':
			if depth == 0 {
				return i
			}
			depth--
		}
	}
	return -1
}

// remember keeps the source of a cell's functions and types.
func (e *evaluator) remember(n ast.Node) {
	switch n := n.(type) {
	case *ast.FuncDecl:
		name := n.Name.Name
		if n.Recv != nil && len(n.Recv.List) == 1 {
			name = receiver(n.Recv.List[0].Type) + "." + name
		}
		decl := *n
		decl.Body = nil
		e.decls[name] = source(&decl)
	case *ast.GenDecl:
		for _, s := range n.Specs {
			if t, ok := s.(*ast.TypeSpec); ok {
				e.decls[t.Name.Name] = "type " + source(t)
			}
		}
	}
}

func receiver(x ast.Expr) string {
	switch x := x.(type) {
	case *ast.StarExpr:
		return receiver(x.X)
	case *ast.Ident:
		return x.Name
	}
	return ""
}

func source(n ast.Node) string {
	var b bytes.Buffer
	if err := format.Node(&b, token.NewFileSet(), n); err != nil {
		return ""
	}
	return b.String()
}
