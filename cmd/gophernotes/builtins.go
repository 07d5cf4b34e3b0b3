//go:build gophernotes

package main

import (
	"cmp"
	"go/ast"
	"math"
	r "reflect"

	"github.com/cosmos72/gomacro/base"
	"github.com/cosmos72/gomacro/base/untyped"
	interp "github.com/cosmos72/gomacro/fast"
	xr "github.com/cosmos72/gomacro/xreflect"
)

// Names of builtins that only rewrite.go can write: keywords are no identifiers.
const (
	rangeName = "range"  // range(x): x, or for an int n a slice of length n without elements' cost
	guardName = "go"     // go(f): f, with a panic reported instead of ending the process
	oneName   = "if"     // if(x): x without its ok, for an index, a receive or a type assertion
	depthName = "return" // return(): nothing, or a panic if calls are nested too deep
	sendName  = "chan"   // chan(c, x): x as c's elements are, for a send in a select
)

// declareBuiltins adds what Go has had since 1.21 and the interpreter lacks.
func declareBuiltins(ir *interp.Interp) {
	add := func(name string, most uint16, compile func(*interp.Comp, interp.Symbol, *ast.CallExpr) *interp.Call) {
		ir.DeclBuiltin(name, interp.Builtin{Compile: compile, ArgMin: 1, ArgMax: most})
	}
	add("min", base.MaxUint16, func(c *interp.Comp, s interp.Symbol, n *ast.CallExpr) *interp.Call { return extreme(c, n, -1) })
	add("max", base.MaxUint16, func(c *interp.Comp, s interp.Symbol, n *ast.CallExpr) *interp.Call { return extreme(c, n, +1) })
	add("clear", 1, clearCall)
	add(rangeName, 1, rangeCall)
	add(guardName, 1, guardCall)
	add(oneName, 1, oneCall)
	ir.DeclBuiltin(depthName, interp.Builtin{Compile: depthCall})
	add(sendName, 2, sendCall)
	if original, ok := ir.Comp.TryResolve("append").Bind.Value.(interp.Builtin); ok {
		add("append", base.MaxUint16, appendCall(original.Compile))
	}
}

// call is a call of f, a function of type t known when the cell is compiled.
func call(t xr.Type, f any, args ...*interp.Expr) *interp.Call {
	v := xr.ValueOf(f)
	if rv, ok := f.(r.Value); ok {
		v = xr.ValueOf(rv.Interface())
	}
	outs := make([]xr.Type, t.NumOut())
	for i := range outs {
		outs[i] = t.Out(i)
	}
	fun := &interp.Expr{Lit: interp.Lit{Type: t}, Fun: func(*interp.Env) xr.Value { return v }}
	return &interp.Call{Fun: fun, Args: args, OutTypes: outs}
}

// extreme compiles min (sign −1) and max (sign +1).
func extreme(c *interp.Comp, node *ast.CallExpr, sign int) *interp.Call {
	args, t := sameType(c, node)
	ins := make([]xr.Type, len(args))
	for i := range ins {
		ins[i] = t
	}
	ft := c.Universe.FuncOf(ins, []xr.Type{t}, false)
	switch rt := t.ReflectType(); {
	case len(args) == 2 && rt == r.TypeFor[float64]():
		return call(ft, pick[float64](sign), args...)
	case len(args) == 2 && rt == r.TypeFor[int]():
		return call(ft, pick[int](sign), args...)
	}
	f := r.MakeFunc(ft.ReflectType(), func(vs []r.Value) []r.Value {
		best := vs[0]
		for _, v := range vs[1:] {
			if !isNaN(best) && (isNaN(v) || compare(v, best) == sign) {
				best = v
			}
		}
		return []r.Value{best}
	})
	return call(ft, f, args...)
}

// pick returns the fast forms for the types that cells use most.
func pick[T int | float64](sign int) func(a, b T) T {
	if sign < 0 {
		return func(a, b T) T { return min(a, b) }
	}
	return func(a, b T) T { return max(a, b) }
}

// sameType compiles the arguments of min and max, all of one ordered type.
func sameType(c *interp.Comp, node *ast.CallExpr) ([]*interp.Expr, xr.Type) {
	name := node.Fun.(*ast.Ident).Name
	var t xr.Type
	real := false
	args := make([]*interp.Expr, len(node.Args))
	for i, n := range node.Args {
		e := c.Expr1(n, nil)
		args[i] = e
		switch {
		case e.Untyped():
			l, ok := e.Value.(interp.UntypedLit)
			real = real || ok && l.Kind == untyped.Float
		case t == nil:
			t = e.Type
		case !t.IdenticalTo(e.Type):
			c.Errorf("invalid argument: mismatched types %v and %v in %s", t, e.Type, name)
		}
	}
	if t == nil {
		t = args[0].DefaultType()
		if real {
			t = c.TypeOfFloat64()
		}
	}
	if k := t.Kind(); !ordered(k) {
		c.Errorf("invalid argument: %v cannot be ordered by %s", t, name)
	}
	for _, e := range args {
		if e.Const() {
			e.ConstTo(t)
		}
	}
	return args, t
}

func ordered(k r.Kind) bool {
	return k >= r.Int && k <= r.Float64 || k == r.String
}

// isNaN reports whether v beats all others, as NaN does in min and in max.
func isNaN(v r.Value) bool { return v.CanFloat() && math.IsNaN(v.Float()) }

func compare(a, b r.Value) int {
	switch {
	case a.CanInt():
		return cmp.Compare(a.Int(), b.Int())
	case a.CanUint():
		return cmp.Compare(a.Uint(), b.Uint())
	case a.CanFloat():
		return cmp.Compare(a.Float(), b.Float())
	}
	return cmp.Compare(a.String(), b.String())
}

func clearCall(c *interp.Comp, _ interp.Symbol, node *ast.CallExpr) *interp.Call {
	e := c.Expr1(node.Args[0], nil)
	if e.Type == nil || e.Type.Kind() != r.Map && e.Type.Kind() != r.Slice {
		c.Errorf("invalid argument: clear wants a map or a slice, got %v", e.Type)
	}
	ft := c.Universe.FuncOf([]xr.Type{e.Type}, nil, false)
	return call(ft, r.MakeFunc(ft.ReflectType(), func(vs []r.Value) []r.Value { vs[0].Clear(); return nil }), e)
}

// appendCall is the interpreter's own append, which forgets to convert what is
// appended when the elements are interfaces.
func appendCall(original func(*interp.Comp, interp.Symbol, *ast.CallExpr) *interp.Call) func(*interp.Comp, interp.Symbol, *ast.CallExpr) *interp.Call {
	return func(c *interp.Comp, sym interp.Symbol, node *ast.CallExpr) *interp.Call {
		slice := c.Expr1(node.Args[0], nil)
		t := slice.Type
		if t == nil || t.Kind() != r.Slice || t.Elem().Kind() != r.Interface || node.Ellipsis.IsValid() {
			return original(c, sym, node)
		}
		args := []*interp.Expr{slice}
		for _, n := range node.Args[1:] {
			args = append(args, element(c, n, t.Elem()))
		}
		ft := c.Universe.FuncOf([]xr.Type{t, c.Universe.SliceOf(t.Elem())}, []xr.Type{t}, true)
		sym.Type = ft
		fun := &interp.Expr{Lit: interp.Lit{Type: ft, Value: xr.Append}, Sym: &sym, EFlags: interp.EFlag4Value(xr.Append)}
		return &interp.Call{Fun: fun, Args: args, OutTypes: []xr.Type{t}}
	}
}

// element compiles a value that becomes an interface of type t.
func element(c *interp.Comp, n ast.Expr, t xr.Type) *interp.Expr {
	e := c.Expr1(n, nil)
	switch {
	case e.Const():
		e.ConstTo(t)
	case e.Type == nil || !e.Type.AssignableTo(t):
		c.Errorf("cannot use %v <%v> as %v", n, e.Type, t)
	default:
		e.To(c, t)
	}
	return e
}

func rangeCall(c *interp.Comp, _ interp.Symbol, node *ast.CallExpr) *interp.Call {
	e := c.Expr1(node.Args[0], nil)
	if l, ok := e.Value.(interp.UntypedLit); ok {
		if l.Kind == untyped.Int {
			e.ConstTo(c.TypeOfInt())
		} else {
			e.ConstTo(e.DefaultType())
		}
	}
	t := e.Type
	switch {
	case t == nil:
		c.Errorf("cannot range over %v", node.Args[0])
	case t.ReflectType() == r.TypeFor[int]():
		ft := c.Universe.FuncOf([]xr.Type{t}, []xr.Type{c.TypeOf([]struct{}{})}, false)
		return call(ft, func(n int) []struct{} { return make([]struct{}, max(n, 0)) }, e)
	case t.Kind() >= r.Int && t.Kind() <= r.Uintptr:
		c.Errorf("range over %v does not work in a notebook: write range int(…) and convert inside", t)
	case t.Kind() == r.Func:
		c.Errorf("range over a function does not work in a notebook: call it, seq(func(v T) bool { …; return true }), or take the slice or Each form")
	}
	ft := c.Universe.FuncOf([]xr.Type{t}, []xr.Type{t}, false)
	return call(ft, r.MakeFunc(ft.ReflectType(), func(vs []r.Value) []r.Value { return vs }), e)
}

// guardCall compiles go(f): a function like f whose panic ends its goroutine
// and is printed, instead of ending the kernel.
func guardCall(c *interp.Comp, _ interp.Symbol, node *ast.CallExpr) *interp.Call {
	e := c.Expr1(node.Args[0], nil)
	t := e.Type
	if t == nil || t.Kind() != r.Func {
		c.Errorf("go needs a function call, got %v", node.Args[0])
	}
	ft := c.Universe.FuncOf([]xr.Type{t}, []xr.Type{t}, false)
	rt := t.ReflectType()
	return call(ft, r.MakeFunc(ft.ReflectType(), func(fs []r.Value) []r.Value {
		f := fs[0]
		return []r.Value{r.MakeFunc(rt, func(args []r.Value) []r.Value {
			defer reportGoroutine()
			if rt.IsVariadic() {
				return f.CallSlice(args)
			}
			return f.Call(args)
		})}
	}), e)
}

// oneCall compiles if(x): the value of x alone.
func oneCall(c *interp.Comp, sym interp.Symbol, node *ast.CallExpr) *interp.Call {
	e := c.Expr1(node.Args[0], nil)
	if e.Untyped() {
		e.ConstTo(e.DefaultType())
	}
	return sameCall(c, sym, e)
}

// sendCall compiles chan(c, x): the interpreter converts what is sent by a
// statement, and forgets it in a select.
func sendCall(c *interp.Comp, sym interp.Symbol, node *ast.CallExpr) *interp.Call {
	t := c.Expr1(node.Args[0], nil).Type
	if t == nil || t.Kind() != r.Chan {
		c.Errorf("cannot send to %v <%v>", node.Args[0], t)
	}
	return sameCall(c, sym, element(c, node.Args[1], t.Elem()))
}

// sameCall compiles a call that returns the value of e.
func sameCall(c *interp.Comp, sym interp.Symbol, e *interp.Expr) *interp.Call {
	t := e.Type
	ft := c.Universe.FuncOf([]xr.Type{t}, []xr.Type{t}, false)
	if f := sameOf[t.ReflectType()]; f != nil {
		return call(ft, f, e)
	}
	if k := t.Kind(); k >= r.Bool && k <= r.Complex128 || k == r.String { // these are not passed as reflection's values
		return call(ft, r.MakeFunc(ft.ReflectType(), func(vs []r.Value) []r.Value { return vs }), e)
	}
	same := func(v xr.Value) xr.Value { return v }
	sym.Type = ft
	fun := &interp.Expr{Lit: interp.Lit{Type: ft, Value: same}, Sym: &sym, EFlags: interp.EFlag4Value(same)}
	return &interp.Call{Fun: fun, Args: []*interp.Expr{e}, OutTypes: []xr.Type{t}}
}

// sameOf has the fast forms of sameCall for the types that cells use most.
var sameOf = map[r.Type]any{
	r.TypeFor[bool]():    same[bool],
	r.TypeFor[int]():     same[int],
	r.TypeFor[int32]():   same[int32],
	r.TypeFor[int64]():   same[int64],
	r.TypeFor[uint8]():   same[uint8],
	r.TypeFor[float32](): same[float32],
	r.TypeFor[float64](): same[float64],
	r.TypeFor[string]():  same[string],
}

func same[T any](x T) T { return x }

// recorder returns a function that gives the interpreter's record of the
// calling goroutine: a call of any interpreted function makes one.
func recorder(ir *interp.Interp) func() *interp.Run {
	var run *interp.Run
	ir.DeclBuiltin("func", interp.Builtin{Compile: func(c *interp.Comp, _ interp.Symbol, _ *ast.CallExpr) *interp.Call {
		ft := c.Universe.FuncOf(nil, nil, false)
		nop := xr.ValueOf(func() {})
		fun := &interp.Expr{Lit: interp.Lit{Type: ft}, Fun: func(env *interp.Env) xr.Value { run = env.Run; return nop }}
		return &interp.Call{Fun: fun}
	}})
	body := &ast.BlockStmt{List: []ast.Stmt{&ast.ExprStmt{X: &ast.CallExpr{Fun: &ast.Ident{Name: "func"}}}}}
	v, _ := ir.RunExpr1(ir.CompileNode(&ast.FuncLit{Type: &ast.FuncType{Params: &ast.FieldList{}}, Body: body}))
	f := v.Interface().(func())
	return func() *interp.Run {
		run = nil
		f()
		return run
	}
}
