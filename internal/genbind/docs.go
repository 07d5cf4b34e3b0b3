package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/printer"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

// A doc is what inspection shows of a name: "" for the package, "Func", "Type",
// "Type.Method", "Type.Field".
type doc struct{ name, signature, text string }

// docs knows the declarations of all loaded packages, so that a method promoted
// from another of them finds its comment.
type docs struct {
	text      map[types.Object]string
	signature map[types.Object]string // of types and functions, from source
	packages  map[*types.Package]string
}

func newDocs(pkgs []*packages.Package) *docs {
	d := &docs{map[types.Object]string{}, map[types.Object]string{}, map[*types.Package]string{}}
	for _, p := range pkgs {
		for _, f := range p.Syntax {
			if text := f.Doc.Text(); text != "" && d.packages[p.Types] == "" {
				d.packages[p.Types] = text
			}
			for _, decl := range f.Decls {
				d.declaration(p, decl)
			}
		}
	}
	return d
}

func (d *docs) declaration(p *packages.Package, decl ast.Decl) {
	switch decl := decl.(type) {
	case *ast.FuncDecl:
		o := p.TypesInfo.Defs[decl.Name]
		d.text[o] = decl.Doc.Text()
		d.signature[o] = source(p.Fset, &ast.FuncDecl{Recv: decl.Recv, Name: decl.Name, Type: decl.Type})
	case *ast.GenDecl:
		for _, spec := range decl.Specs {
			switch spec := spec.(type) {
			case *ast.ValueSpec:
				for _, name := range spec.Names {
					d.text[p.TypesInfo.Defs[name]] = first(spec.Doc, spec.Comment, decl.Doc)
				}
			case *ast.TypeSpec:
				d.typeSpec(p, decl, spec)
			}
		}
	}
}

func (d *docs) typeSpec(p *packages.Package, decl *ast.GenDecl, spec *ast.TypeSpec) {
	o := p.TypesInfo.Defs[spec.Name]
	d.text[o] = first(spec.Doc, spec.Comment, decl.Doc)
	shown := *spec
	shown.Doc, shown.Comment = nil, nil
	switch typ := spec.Type.(type) {
	case *ast.StructType:
		d.fields(p, typ.Fields)
		shown.Type = &ast.StructType{Struct: typ.Struct, Fields: exported(typ.Fields)}
	case *ast.InterfaceType:
		d.fields(p, typ.Methods)
		shown.Type = &ast.InterfaceType{Interface: typ.Interface, Methods: exported(typ.Methods)}
	}
	d.signature[o] = "type " + source(p.Fset, &shown)
}

func (d *docs) fields(p *packages.Package, list *ast.FieldList) {
	for _, f := range list.List {
		for _, name := range f.Names {
			d.text[p.TypesInfo.Defs[name]] = first(f.Doc, f.Comment)
		}
	}
}

// exported returns the fields or methods that other packages can use.
func exported(list *ast.FieldList) *ast.FieldList {
	out := &ast.FieldList{Opening: list.Opening, Closing: list.Closing}
	for _, f := range list.List {
		names := slices.DeleteFunc(slices.Clone(f.Names), func(n *ast.Ident) bool { return !n.IsExported() })
		if len(names) == 0 && (len(f.Names) > 0 || !visible(f.Type)) {
			continue
		}
		c := *f
		c.Names = names
		out.List = append(out.List, &c)
	}
	return out
}

// visible reports whether an embedded type has a name that others can see, or is
// no name at all but a term of a constraint.
func visible(expr ast.Expr) bool {
	switch e := expr.(type) {
	case *ast.Ident:
		return e.IsExported() || types.Universe.Lookup(e.Name) != nil
	case *ast.StarExpr:
		return visible(e.X)
	case *ast.IndexExpr:
		return visible(e.X)
	case *ast.IndexListExpr:
		return visible(e.X)
	}
	return true
}

// first returns the text of the first comment that is there.
func first(groups ...*ast.CommentGroup) string {
	for _, g := range groups {
		if text := g.Text(); text != "" {
			return text
		}
	}
	return ""
}

// source prints a declaration as gofmt would.
func source(fset *token.FileSet, node any) string {
	var b bytes.Buffer
	config := printer.Config{Mode: printer.TabIndent | printer.UseSpaces, Tabwidth: 4}
	if err := config.Fprint(&b, fset, node); err != nil {
		panic(err) // only a node of no syntax can fail
	}
	// What was left out leaves an empty line before the closing brace.
	return strings.ReplaceAll(b.String(), "\n\n}", "\n}")
}

// of lists the docs of a package and of the instances bound with it.
func (d *docs) of(p *types.Package, aliases map[string]*alias) []doc {
	list := []doc{{"", "package " + p.Name() + " // import \"" + p.Path() + "\"", d.packages[p]}}
	scope := p.Scope()
	for _, name := range scope.Names() {
		o := scope.Lookup(name)
		if !o.Exported() {
			continue
		}
		list = append(list, d.doc(name, o))
		if t, ok := o.(*types.TypeName); ok {
			list = append(list, d.members(name, t.Type())...)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(aliases)) {
		a := aliases[name]
		sig := "func " + name + strings.TrimPrefix(types.TypeString(a.typ, short(p)), "func")
		if _, ok := a.generic.(*types.TypeName); ok {
			sig = "type " + name + " = " + a.text
		}
		list = append(list, doc{name, sig, d.text[a.generic]})
		if _, ok := a.generic.(*types.TypeName); ok {
			list = append(list, d.members(name, a.typ)...)
		}
	}
	return list
}

func (d *docs) doc(name string, o types.Object) doc {
	sig := d.signature[o]
	switch o := o.(type) {
	case *types.Const:
		typ := ""
		if basic, ok := o.Type().(*types.Basic); !ok || basic.Info()&types.IsUntyped == 0 {
			typ = " " + types.TypeString(o.Type(), short(o.Pkg()))
		}
		sig = "const " + o.Name() + typ + " = " + o.Val().String()
	default:
		if sig == "" {
			sig = types.ObjectString(o, short(o.Pkg()))
		}
	}
	return doc{name, sig, d.text[o]}
}

// members lists methods, promoted ones included, and fields of a type.
func (d *docs) members(name string, t types.Type) []doc {
	var list []doc
	receiver := t
	if !types.IsInterface(t) {
		receiver = types.NewPointer(t)
	}
	for sel := range types.NewMethodSet(receiver).Methods() {
		if f := sel.Obj().(*types.Func); f.Exported() {
			m := d.doc(name+"."+f.Name(), f.Origin())
			if d.signature[f.Origin()] == "" { // an interface's method
				m.signature = "func " + f.Name() + strings.TrimPrefix(types.TypeString(f.Type(), short(f.Pkg())), "func")
			}
			list = append(list, m)
		}
	}
	if st, ok := t.Underlying().(*types.Struct); ok {
		for f := range st.Fields() {
			if f.Exported() {
				list = append(list, doc{name + "." + f.Name(), f.Name() + " " + types.TypeString(f.Type(), short(f.Pkg())), d.text[f.Origin()]})
			}
		}
	}
	return list
}

// short qualifies names of other packages by the package's name.
func short(p *types.Package) types.Qualifier {
	return func(q *types.Package) string {
		if q == p {
			return ""
		}
		return q.Name()
	}
}

// writeDocs writes the docs of all packages in lines that begin with what they
// are: P package, N name, S signature, D doc comment.
func writeDocs(tables []*table) []byte {
	var b bytes.Buffer
	lines := func(mark byte, text string) {
		if text = strings.TrimRight(text, "\n"); text == "" {
			return
		}
		for line := range strings.SplitSeq(text, "\n") {
			fmt.Fprintf(&b, "%c%s\n", mark, line)
		}
	}
	for _, t := range tables {
		lines('P', t.pkg.PkgPath)
		for _, e := range t.docs {
			fmt.Fprintf(&b, "N%s\n", e.name)
			lines('S', e.signature)
			lines('D', e.text)
		}
	}
	return b.Bytes()
}
