package main

import (
	"bytes"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTableFitsTheTree: every text is in its file once, the mutant is Go, and the
// names differ. Whether it is killed takes minutes: make mutants.
func TestTableFitsTheTree(t *testing.T) {
	names := map[string]bool{}
	for _, m := range table() {
		if names[m.name] {
			t.Errorf("two mutants are called %s", m.name)
		}
		names[m.name] = true
		text, err := m.apply("../..")
		if err != nil {
			t.Errorf("%s: %v", m.name, err)
			continue
		}
		if m.old == m.new {
			t.Errorf("%s: changes nothing", m.name)
		}
		if _, err := parser.ParseFile(token.NewFileSet(), m.file, text, 0); err != nil {
			t.Errorf("%s: %v", m.name, err)
		}
	}
	if len(names) == 0 {
		t.Error("the table is empty")
	}
}

// tree writes a module of one function and its test, and goes there.
func tree(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module tree\n\ngo 1.21\n",
		"add.go": "package tree\n\nfunc add(a, b int) int { return a + b }\n\nfunc unused(a int) int { return a - 1 }\n",
		"a_test.go": "package tree\n\nimport \"testing\"\n\nfunc TestAdd(t *testing.T) {\n\tif add(2, 3) != 5 {\n\t\tt.Error(add(2, 3))\n\t}\n}\n\n" +
			"func TestBad(t *testing.T) { t.Error(\"always\") }\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
}

// TestRun: what is noticed is killed, what is not survives, and a table that does
// not fit the tree is told; only the first ends with 0.
func TestRun(t *testing.T) {
	tree(t)
	good := mutant{"tree/minus", "add.go", "a + b", "a - b", ". TestAdd"}
	for _, tt := range []struct {
		m    mutant
		code int
		says string
	}{
		{good, 0, "killed    tree/minus                   TestAdd\n1 mutants: 1 killed, 0 survived, 0 broken\n"},
		{mutant{"tree/panics", "add.go", "return a + b", "panic(a)", ". TestAdd"}, 0, "killed    tree/panics"},
		{mutant{"tree/unused", "add.go", "a - 1", "a - 2", ". TestAdd"}, 1, "survived  tree/unused"},
		{mutant{"tree/gone", "add.go", "a * b", "a", ". TestAdd"}, 1, `broken    tree/gone                    "a * b" stands in add.go 0 times, want once`},
		{mutant{"tree/twice", "add.go", "int {", "int64 {", ". TestAdd"}, 1, `"int {" stands in add.go 2 times, want once`},
		{mutant{"tree/no-file", "sub.go", "a", "b", ". TestAdd"}, 1, "broken    tree/no-file"},
		{mutant{"tree/no-go", "add.go", "a + b", "a + c", ". TestAdd"}, 1, "undefined: c"},
		{mutant{"tree/no-test", "add.go", "a + b", "a", ". TestSub"}, 1, `no test of . matches "TestSub"`},
		{mutant{"tree/fails-anyway", "add.go", "a + b", "a", ". TestBad"}, 1, "the tests of tree/fails-anyway fail without a mutant: TestBad"},
	} {
		var out, errs bytes.Buffer
		if code := run(nil, []mutant{tt.m}, &out, &errs); code != tt.code || !strings.Contains(out.String()+errs.String(), tt.says) {
			t.Errorf("%s: exit status %d, said %q %q, want %d and %q", tt.m.name, code, out.String(), errs.String(), tt.code, tt.says)
		}
	}
	if text, err := os.ReadFile("add.go"); err != nil || !strings.Contains(string(text), "a + b") {
		t.Errorf("the tree was changed: %s, %v", text, err)
	}
	checkFlags(t, good)
}

// checkFlags: -run chooses, -list runs nothing, a wrong flag is told.
func checkFlags(t *testing.T, m mutant) {
	t.Helper()
	other := m
	other.name = "tree/other"
	for _, tt := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"-list"}, 0, "tree/minus                   add.go\ntree/other                   add.go\n"},
		{[]string{"-list", "-run", "other$"}, 0, "tree/other                   add.go\n"},
		{[]string{"-run", "nothing"}, 2, `mutants: -run "nothing" matches none of 2; -list shows them`},
		{[]string{"-run", "("}, 2, `mutants: -run is "("`},
		{[]string{"-nothing"}, 2, "flag provided but not defined"},
	} {
		var out, errs bytes.Buffer
		code := run(tt.args, []mutant{m, other}, &out, &errs)
		if all := out.String() + errs.String(); code != tt.code || !strings.HasPrefix(all, tt.says) {
			t.Errorf("%v: exit status %d, said %q, want %d and %q", tt.args, code, all, tt.code, tt.says)
		}
	}
}
