package main

import (
	"bytes"
	"flag"
	"go/ast"
	"go/constant"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/go/packages"
)

var update = flag.Bool("update", false, "rewrite the fixture's tables")

// TestFixture compares with tables that are compiled, and imported by the
// interpreter's tests in package bindings.
func TestFixture(t *testing.T) {
	const list, dir = "testdata/packages.txt", "testdata/bindings"
	if *update {
		if err := run(list, dir); err != nil {
			t.Fatal(err)
		}
	}
	upToDate(t, list, dir, "go test ./internal/genbind -update")
}

// TestBindings fails when regenerating would change anything, whatever flags the
// caller has set.
func TestBindings(t *testing.T) {
	t.Setenv("GOFLAGS", "-tags=noasm -trimpath")
	upToDate(t, "../bindings/packages.txt", "../bindings", "go generate ./internal/bindings")
}

func upToDate(t *testing.T, list, dir, command string) {
	t.Helper()
	files, err := generate(list)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is out of date: run %s", name, command)
		}
	}
	old, err := filepath.Glob(filepath.Join(dir, "zz_*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range old {
		if files[filepath.Base(name)] == nil {
			t.Errorf("%s is generated no longer: run %s", name, command)
		}
	}
}

// TestRunRemoves checks that a package taken off the list leaves no file.
func TestRunRemoves(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"zz_gone.go", "kept.go"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := run("testdata/packages.txt", dir); err != nil {
		t.Fatal(err)
	}
	found, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range found {
		found[i] = filepath.Base(found[i])
	}
	want := []string{"kept.go", "zz_docs.txt", "zz_internal_genbind_testdata_fixture.go", "zz_packages.go", "zz_skipped.go"}
	if !slices.Equal(found, want) {
		t.Errorf("directory holds %v, want %v", found, want)
	}
}

func TestParseList(t *testing.T) {
	wants, err := parseList("# all\na/b # one\n\tSort: use: x\n\nc\n")
	if err != nil {
		t.Fatal(err)
	}
	if len(wants) != 2 || wants[0].path != "a/b" || wants[0].hints["Sort"] != "use: x" || wants[1].path != "c" {
		t.Errorf("parsed %+v", wants)
	}
	for text, want := range map[string]string{
		"a\na\n":        "line 2: a is there twice",
		"\tSort: x\n":   `line 1: "Sort: x" is not`,
		"a\n\tSort x\n": `line 2: "Sort x" is not`,
	} {
		if _, err := parseList(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", text, err, want)
		}
	}
}

// check type-checks a package of one file that imports nothing.
func check(t *testing.T, src string) *packages.Package {
	t.Helper()
	p := &packages.Package{PkgPath: "example.com/p", Name: "p", Fset: token.NewFileSet(), TypesInfo: &types.Info{
		Defs: map[*ast.Ident]types.Object{},
	}}
	f, err := parser.ParseFile(p.Fset, "p.go", "package p\n"+src, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	p.Syntax = []*ast.File{f}
	config := types.Config{Importer: importer.Default()}
	if p.Types, err = config.Check(p.PkgPath, p.Fset, p.Syntax, p.TypesInfo); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestBadDirectives(t *testing.T) {
	const decls = "func Sum[T any](x T) T { return x }\nfunc low[T any]() {}\nfunc Plain() {}\ntype hidden int\n"
	for line, want := range map[string]string{
		"//notebook:instantiate Sum[int]":              "want //notebook:instantiate",
		"//notebook:bind Sum[int] S":                   "want //notebook:instantiate",
		"//notebook:instantiate Sum[int] s":            "not a free exported name",
		"//notebook:instantiate Sum[int] Plain":        "not a free exported name",
		"//notebook:instantiate Sum[int, int] S":       "got 2 type arguments",
		"//notebook:instantiate Sum[nowhere] S":        "undefined: nowhere",
		"//notebook:instantiate Sum[hidden] S":         "p.hidden cannot be named elsewhere",
		"//notebook:instantiate low[int] S":            "not an exported generic",
		"//notebook:instantiate func(){}()+Sum[int] S": "",
	} {
		_, err := newTable(check(t, decls+line+"\n"), nil)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "p.go:6: ") {
			t.Errorf("%s: error %v, want %q", line, err, want)
		}
	}
}

func TestHintWithoutNeed(t *testing.T) {
	_, err := newTable(check(t, "func Plain() {}"), map[string]string{"Plain": "use it"})
	if err == nil || !strings.Contains(err.Error(), "hint for Plain, which is not skipped") {
		t.Errorf("error %v", err)
	}
}

func TestMarshal(t *testing.T) {
	big := constant.Shift(constant.MakeInt64(1), token.SHL, 70)
	for _, c := range []struct {
		kind types.BasicKind
		val  constant.Value
		want string
	}{
		{types.UntypedInt, big, "int:1180591620717411303424"},
		{types.UntypedFloat, constant.MakeInt64(3), "float:3"},
		{types.UntypedFloat, constant.BinaryOp(constant.MakeInt64(1), token.QUO, constant.MakeInt64(3)), "float:1/3"},
		{types.UntypedRune, constant.MakeInt64('x'), "rune:120"},
		{types.UntypedComplex, constant.MakeImag(constant.MakeInt64(2)), "complex:0:2"},
		{types.UntypedBool, constant.MakeBool(false), "bool:false"},
		{types.UntypedString, constant.MakeString("a:b"), "string:a:b"},
	} {
		if got := marshal(c.kind, c.val); got != c.want {
			t.Errorf("marshal(%v) = %q, want %q", c.val, got, c.want)
		}
	}
}

// TestSignatures checks what inspection is told.
func TestSignatures(t *testing.T) {
	p := check(t, `
type inner struct{}
// T is a type.
type T struct {
	inner
	*U
	A, b int // shown
	c int
}
// U is embedded.
type U struct{}
// M is promoted.
func (*U) M(x ...int) (err error) { return nil }
// I is an interface.
type I interface { error; J; hide() }
type J interface {
	// N is asked for.
	N()
}
const (
	// C is a constant.
	C = 1 << 70
	D int8 = 2
)
var V map[string][]int
`)
	got := map[string]doc{}
	for _, d := range newDocs([]*packages.Package{p}).of(p.Types, nil) {
		got[d.name] = d
	}
	for name, want := range map[string]doc{
		"":    {signature: `package p // import "example.com/p"`},
		"T":   {signature: "type T struct {\n\t*U\n\tA int // shown\n}", text: "T is a type.\n"},
		"T.A": {signature: "A int", text: "shown\n"},
		"T.M": {signature: "func (*U) M(x ...int) (err error)", text: "M is promoted.\n"},
		"T.U": {signature: "U *U"},
		"I.N": {signature: "func N()", text: "N is asked for.\n"},
		"C":   {signature: "const C = 1180591620717411303424", text: "C is a constant.\n"},
		"D":   {signature: "const D int8 = 2"},
		"V":   {signature: "var V map[string][]int"},
	} {
		want.name = name
		if got[name] != want {
			t.Errorf("%s: got %+v, want %+v", name, got[name], want)
		}
	}
	for _, name := range []string{"T.b", "T.c", "inner", "I.hide"} {
		if _, ok := got[name]; ok {
			t.Errorf("%s has a doc; names: %v", name, slices.Sorted(maps.Keys(got)))
		}
	}
}

func TestImportable(t *testing.T) {
	for path, want := range map[string]bool{
		"fmt": true, "internal/abi": false, "example.com/internal/x": false,
		module + "pkg/nn": true, module + "internal/device": true, module + "pkg/nn/internal/x": false,
	} {
		if got := importable(path); got != want {
			t.Errorf("importable(%q) = %v", path, got)
		}
	}
}
