package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/tools/go/packages"
)

// An entry is one element of a map literal: a name and a Go expression.
type entry struct{ name, expr string }

// A table holds what is known of one package, as Go expressions.
type table struct {
	pkg     *packages.Package
	imports *importSet
	hints   map[string]string

	binds, types, proxies, untypeds, wrappers []entry
	declarations                              []string          // of proxies
	aliases                                   map[string]*alias // instances by the name they are given
	skipped                                   map[string]string // name → reason
	docs                                      []doc
}

// newTable collects the exported names of p.
func newTable(p *packages.Package, hints map[string]string) (*table, error) {
	t := &table{
		pkg: p, imports: newImportSet(), hints: hints,
		aliases: map[string]*alias{}, skipped: map[string]string{},
	}
	if err := t.instantiate(); err != nil {
		return nil, err
	}
	scope := p.Types.Scope()
	for _, name := range scope.Names() {
		if o := scope.Lookup(name); o.Exported() {
			t.add(o)
		}
	}
	for name := range hints {
		if _, ok := t.skipped[name]; !ok {
			return nil, fmt.Errorf("%s: there is a hint for %s, which is not skipped", p.PkgPath, name)
		}
	}
	byName := func(a, b entry) int { return cmp.Compare(a.name, b.name) }
	for _, s := range [][]entry{t.binds, t.types, t.proxies, t.untypeds, t.wrappers} {
		slices.SortFunc(s, byName)
	}
	slices.Sort(t.declarations)
	return t, nil
}

func (t *table) add(o types.Object) {
	switch o := o.(type) {
	case *types.Const:
		t.constant(o)
	case *types.Var:
		t.bind(o.Name(), "&%s).Elem()", t.name(o))
	case *types.Func:
		if o.Type().(*types.Signature).TypeParams().Len() > 0 {
			t.skipGeneric(o)
			return
		}
		t.bind(o.Name(), "%s)", t.name(o))
	case *types.TypeName:
		t.typeName(o)
	}
}

// name returns o qualified as the generated file writes it.
func (t *table) name(o types.Object) string { return t.imports.name(o.Pkg()) + "." + o.Name() }

func (t *table) bind(name, format, expr string) {
	t.binds = append(t.binds, entry{name, "r.ValueOf(" + fmt.Sprintf(format, expr)})
}

// constant binds a constant. The interpreter takes an untyped one from its exact
// text; the value beside it is for those who list names.
func (t *table) constant(o *types.Const) {
	name := t.name(o)
	basic, ok := o.Type().(*types.Basic)
	if !ok || basic.Info()&types.IsUntyped == 0 {
		t.bind(o.Name(), "%s)", name)
		return
	}
	t.untypeds = append(t.untypeds, entry{o.Name(), strconv.Quote(marshal(basic.Kind(), o.Val()))})
	switch typ, ok := conversion(o.Val()); {
	case !ok:
		t.binds = append(t.binds, entry{o.Name(), "r.Value{}"})
	case typ != "":
		t.bind(o.Name(), "%s))", typ+"("+name)
	default:
		t.bind(o.Name(), "%s)", name)
	}
}

func (t *table) typeName(o *types.TypeName) {
	if generic(o) {
		t.skipGeneric(o)
		return
	}
	if it, ok := o.Type().Underlying().(*types.Interface); ok && !it.IsMethodSet() {
		t.skip(o.Name(), "is a constraint for type parameters, which cells cannot declare")
		return
	}
	t.addType(o.Name(), t.name(o), o.Type())
}

// addType binds a type, its proxy if it is an interface, and its promoted
// methods if it is a struct.
func (t *table) addType(name, expr string, typ types.Type) {
	t.types = append(t.types, entry{name, typeOf(expr)})
	if it, ok := typ.Underlying().(*types.Interface); ok && it.NumMethods() > 0 {
		if reason := t.proxy(name, it); reason != "" {
			t.skip(name, "cannot be satisfied by a type declared in a cell: "+reason)
		}
	}
	if named, ok := types.Unalias(typ).(*types.Named); ok {
		if w := promoted(named); len(w) > 0 {
			t.wrappers = append(t.wrappers, entry{name, "{" + strings.Join(w, ", ") + "}"})
		}
	}
}

func typeOf(expr string) string { return "r.TypeOf((*" + expr + ")(nil)).Elem()" }

// generic reports whether a type, or an alias, has parameters.
func generic(o *types.TypeName) bool {
	switch typ := o.Type().(type) {
	case *types.Alias:
		return typ.TypeParams().Len() > 0
	case *types.Named:
		return typ.TypeParams().Len() > 0 && typ.TypeArgs().Len() == 0
	}
	return false
}

// promoted lists the methods that a struct has from exported embedded structs.
// The interpreter must be told: reflection shows them as the type's own.
func promoted(named *types.Named) []string {
	st, ok := named.Underlying().(*types.Struct)
	if !ok {
		return nil
	}
	var names []string
	set := types.NewMethodSet(types.NewPointer(named))
	for sel := range set.Methods() {
		if len(sel.Index()) > 1 && sel.Obj().Exported() && plainPath(st, sel.Index()) {
			names = append(names, strconv.Quote(sel.Obj().Name()))
		}
	}
	slices.Sort(names)
	return names
}

// plainPath reports whether the interpreter can walk the embedded fields that
// lead to a method: all exported, none an interface.
func plainPath(st *types.Struct, index []int) bool {
	for _, i := range index[:len(index)-1] {
		if st == nil || !st.Field(i).Exported() {
			return false
		}
		typ := st.Field(i).Type()
		if p, ok := types.Unalias(typ).(*types.Pointer); ok {
			typ = p.Elem()
		}
		if types.IsInterface(typ) {
			return false
		}
		st, _ = typ.Underlying().(*types.Struct)
	}
	return true
}

// skip notes why a name is missing or of limited use.
func (t *table) skip(name, reason string) {
	if hint := t.hints[name]; hint != "" {
		reason += "; " + hint
	}
	t.skipped[name] = reason
}

func (t *table) skipGeneric(o types.Object) {
	reason := "is generic, and cells cannot use generics"
	if _, ok := o.(*types.TypeName); ok {
		reason = "is a generic type, and cells cannot use generics"
	}
	var use []string
	for _, name := range slices.Sorted(maps.Keys(t.aliases)) {
		if a := t.aliases[name]; a.generic == o {
			use = append(use, fmt.Sprintf("%s.%s (%s)", t.pkg.Name, name, a.text))
		}
	}
	if len(use) > 0 {
		reason += "; use " + strings.Join(use, " or ")
	}
	t.skip(o.Name(), reason)
}

// An alias is an instance of a generic under a name of its own.
type alias struct {
	generic types.Object
	text    string     // "Sum[float64]"
	typ     types.Type // of the instance
}

var directive = regexp.MustCompile(`^//notebook:instantiate\s+(\S.*\])\s+(\w+)\s*$`)

// instantiate carries out the package's directives.
func (t *table) instantiate() error {
	for _, f := range t.pkg.Syntax {
		for _, group := range f.Comments {
			for _, c := range group.List {
				if !strings.HasPrefix(c.Text, "//notebook:") {
					continue
				}
				if err := t.instance(f, c); err != nil {
					pos := t.pkg.Fset.Position(c.Pos())
					return fmt.Errorf("%s:%d: %s: %w", pos.Filename, pos.Line, c.Text, err)
				}
			}
		}
	}
	return nil
}

// instance binds the instance that one directive asks for.
func (t *table) instance(f *ast.File, c *ast.Comment) error {
	m := directive.FindStringSubmatch(c.Text)
	if m == nil {
		return fmt.Errorf("want //notebook:instantiate Name[types] Alias")
	}
	text, name := m[1], m[2]
	if !token.IsExported(name) || t.pkg.Types.Scope().Lookup(name) != nil || t.aliases[name] != nil {
		return fmt.Errorf("%s is not a free exported name", name)
	}
	tv, err := types.Eval(t.pkg.Fset, t.pkg.Types, f.Name.End(), text)
	if err != nil {
		return err
	}
	expr, err := parser.ParseExpr(text)
	if err != nil {
		return err
	}
	base, args, err := t.index(f, expr)
	if err != nil {
		return err
	}
	o := t.pkg.Types.Scope().Lookup(base)
	if o == nil || !o.Exported() {
		return fmt.Errorf("%s is not an exported generic of this package", base)
	}
	t.aliases[name] = &alias{generic: o, text: text, typ: tv.Type}
	written := t.name(o) + "[" + strings.Join(args, ", ") + "]"
	if tv.IsType() {
		t.addType(name, written, tv.Type)
	} else {
		t.bind(name, "%s)", written)
	}
	return nil
}

// index takes Name[A, B] apart; the arguments are returned as another package
// writes them.
func (t *table) index(f *ast.File, expr ast.Expr) (base string, args []string, err error) {
	var x ast.Expr
	var indices []ast.Expr
	switch e := expr.(type) {
	case *ast.IndexExpr:
		x, indices = e.X, []ast.Expr{e.Index}
	case *ast.IndexListExpr:
		x, indices = e.X, e.Indices
	}
	id, ok := x.(*ast.Ident)
	if !ok {
		return "", nil, fmt.Errorf("want Name[types]")
	}
	for _, e := range indices {
		tv, err := types.Eval(t.pkg.Fset, t.pkg.Types, f.Name.End(), types.ExprString(e))
		if err != nil {
			return "", nil, err
		}
		if why := unnameable(tv.Type); why != "" {
			return "", nil, fmt.Errorf("%s: %s", types.ExprString(e), why)
		}
		args = append(args, types.TypeString(tv.Type, t.imports.name))
	}
	return id.Name, args, nil
}
