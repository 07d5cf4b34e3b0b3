package main

import (
	"fmt"
	"go/types"
	"slices"
	"strings"
)

// module is the path whose internal packages the generated code may import.
const module = "github.com/gophersnake/gophersnake/"

// proxy declares a struct that satisfies an interface by calling functions, one
// for each method: what the interpreter fills in when a value of a cell's type
// becomes that interface. The layout is gomacro's: Object first, then the
// functions in the order of the methods' names, each with Object as its first
// argument. If there can be no proxy, proxy returns why.
func (t *table) proxy(name string, it *types.Interface) (reason string) {
	methods := slices.Collect(it.Methods())
	slices.SortFunc(methods, func(a, b *types.Func) int { return strings.Compare(a.Name(), b.Name()) })
	for _, m := range methods {
		if !m.Exported() {
			return fmt.Sprintf("its method %s is unexported", m.Name())
		}
		if why := unnameable(m.Type()); why != "" {
			return fmt.Sprintf("its method %s: %s", m.Name(), why)
		}
	}
	id := "proxy_" + identifier(t.pkg.PkgPath) + "_" + name
	var fields, funcs strings.Builder
	for _, m := range methods {
		s := t.signature(m.Type().(*types.Signature))
		fmt.Fprintf(&fields, "\t%s_ func(%s) %s\n", m.Name(), strings.Join(append([]string{"any"}, s.types...), ", "), s.results)
		fmt.Fprintf(&funcs, "\nfunc (p *%s) %s(%s) %s { %s p.%s_(%s) }\n", id, m.Name(), strings.Join(s.params, ", "), s.results,
			s.ret, m.Name(), strings.Join(append([]string{"p.Object"}, s.args...), ", "))
	}
	t.proxies = append(t.proxies, entry{name, typeOf(id)})
	t.declarations = append(t.declarations, fmt.Sprintf("\n// %s is a %s.%s by functions.\ntype %s struct {\n\tObject any\n%s}\n%s",
		id, t.pkg.Name, name, id, &fields, &funcs))
	return ""
}

// written is a signature as source text.
type written struct {
	types   []string // of the parameters
	params  []string // with names
	args    []string // the parameters, handed on
	results string
	ret     string // "return" if there are results
}

func (t *table) signature(sig *types.Signature) written {
	var w written
	for v := range sig.Params().Variables() {
		i := len(w.args)
		typ, arg := types.TypeString(v.Type(), t.imports.name), fmt.Sprintf("a%d", i)
		name := arg
		if sig.Variadic() && i == sig.Params().Len()-1 {
			typ, arg = "..."+types.TypeString(v.Type().(*types.Slice).Elem(), t.imports.name), arg+"..."
		}
		w.types = append(w.types, typ)
		w.params = append(w.params, name+" "+typ)
		w.args = append(w.args, arg)
	}
	var results []string
	for v := range sig.Results().Variables() {
		results = append(results, types.TypeString(v.Type(), t.imports.name))
	}
	if len(results) > 0 {
		w.results, w.ret = "("+strings.Join(results, ", ")+")", "return"
	}
	return w
}

// unnameable says why a type cannot be written in another package, "" if it can.
func unnameable(t types.Type) string {
	switch t := t.(type) {
	case *types.Alias:
		return unnameableObject(t.Obj(), t.TypeArgs())
	case *types.Named:
		return unnameableObject(t.Obj(), t.TypeArgs())
	case *types.Signature:
		for _, tuple := range []*types.Tuple{t.Params(), t.Results()} {
			for v := range tuple.Variables() {
				if why := unnameable(v.Type()); why != "" {
					return why
				}
			}
		}
	case *types.Map:
		if why := unnameable(t.Key()); why != "" {
			return why
		}
		return unnameable(t.Elem())
	case interface{ Elem() types.Type }: // pointer, slice, array, channel
		return unnameable(t.Elem())
	case *types.Struct:
		for f := range t.Fields() {
			if !f.Exported() {
				return fmt.Sprintf("a struct with the unexported field %s", f.Name())
			}
			if why := unnameable(f.Type()); why != "" {
				return why
			}
		}
	case *types.Interface:
		for m := range t.Methods() {
			if !m.Exported() {
				return fmt.Sprintf("an interface with the unexported method %s", m.Name())
			}
			if why := unnameable(m.Type()); why != "" {
				return why
			}
		}
	case *types.TypeParam:
		return fmt.Sprintf("type parameter %s", t)
	}
	return ""
}

func unnameableObject(o *types.TypeName, args *types.TypeList) string {
	if o.Pkg() != nil && (!o.Exported() || !importable(o.Pkg().Path())) {
		return fmt.Sprintf("%s.%s cannot be named elsewhere", o.Pkg().Name(), o.Name())
	}
	for t := range args.Types() {
		if why := unnameable(t); why != "" {
			return why
		}
	}
	return ""
}

// importable reports whether package bindings may import path.
func importable(path string) bool {
	i := strings.LastIndex("/"+path+"/", "/internal/")
	return i < 0 || i > 0 && strings.HasPrefix(module+"internal/bindings", path[:i])
}

// identifier makes an import path part of an identifier or a file name.
func identifier(path string) string {
	path = strings.TrimPrefix(path, module)
	return strings.NewReplacer("/", "_", ".", "_", "-", "_").Replace(path)
}

// An importSet gives the packages that a file mentions distinct names.
type importSet struct {
	names map[string]string // path → name
	taken map[string]bool
}

func newImportSet() *importSet {
	return &importSet{names: map[string]string{}, taken: map[string]bool{"r": true, "p": true, "any": true, "error": true}}
}

// name returns the name of a package; it is a types.Qualifier.
func (s *importSet) name(p *types.Package) string {
	if name, ok := s.names[p.Path()]; ok {
		return name
	}
	name := p.Name()
	for i := 2; s.taken[name] || types.Universe.Lookup(name) != nil; i++ {
		name = fmt.Sprint(p.Name(), "_", i)
	}
	s.names[p.Path()], s.taken[name] = name, true
	return name
}
