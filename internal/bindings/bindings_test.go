package bindings

import (
	"reflect"
	"strings"
	"testing"
)

// TestDocs checks that every package has a doc comment, and every name that is
// bound or skipped a signature.
func TestDocs(t *testing.T) {
	n := 0
	for _, path := range Paths() {
		table, ok := Table(path)
		if !ok {
			t.Fatalf("no table for %s", path)
		}
		if sig, doc, ok := Doc(path, ""); !ok || doc == "" || !strings.HasPrefix(sig, "package "+table.Name+" ") {
			t.Errorf("%s: package doc (%q, %q, %v)", path, sig, doc, ok)
		}
		for name := range table.Binds {
			n += signed(t, path, name)
		}
		for name := range table.Types {
			n += signed(t, path, name)
		}
		for name := range Skipped[path] {
			n += signed(t, path, name)
		}
	}
	if n < 1000 {
		t.Errorf("only %d names were checked", n) // gonum/mat and ours alone have more
	}
}

func signed(t *testing.T, path, name string) int {
	t.Helper()
	if sig, _, ok := Doc(path, name); !ok || sig == "" {
		t.Errorf("%s: no signature for %s", path, name)
	}
	return 1
}

func TestDocMembers(t *testing.T) {
	const ours = "github.com/gophersnake/gophersnake/pkg/"
	for _, c := range []struct{ path, name, signature, doc string }{
		{ours + "nn", "Mixer.NewState", "func NewState(batch int) *State", "NewState returns the state before the first step of a batch."},
		{ours + "nn", "GatedMixer.Name", "func Name() string", "Name says what it is, for tables."},
		{ours + "tensor", "Ignore", "const Ignore = -100", ""},
		{"gonum.org/v1/gonum/mat", "Dense.Mul", "func (m *Dense) Mul(a, b Matrix)", "Mul takes the matrix product"},
		{"gonum.org/v1/plot", "Plot.Title", "", ""},
		{"slices", "Sort", "func Sort[S ~[]E, E cmp.Ordered](x S)", "Sort sorts a slice"},
	} {
		sig, doc, ok := Doc(c.path, c.name)
		if !ok || !strings.HasPrefix(sig, c.signature) || !strings.HasPrefix(doc, c.doc) {
			t.Errorf("Doc(%q, %q) = %q, %q, %v", c.path, c.name, sig, doc, ok)
		}
	}
	for _, c := range [][2]string{{"no/such/package", "X"}, {"slices", "NoSuchName"}} {
		if sig, doc, ok := Doc(c[0], c[1]); sig != "" || doc != "" || ok {
			t.Errorf("Doc(%q, %q) = %q, %q, %v", c[0], c[1], sig, doc, ok)
		}
	}
	if _, ok := Table("no/such/package"); ok {
		t.Error("there is a table for no/such/package")
	}
}

// TestProxies checks that every proxy satisfies its interface in the way that
// the interpreter relies on: Object, then one function per method, by name.
func TestProxies(t *testing.T) {
	n := 0
	for _, path := range Paths() {
		table, _ := Table(path)
		for name, typ := range table.Types {
			proxy := table.Proxies[name]
			if typ.Kind() != reflect.Interface || typ.NumMethod() == 0 {
				continue
			}
			if proxy == nil {
				if Skipped[path][name] == "" {
					t.Errorf("%s.%s has neither a proxy nor a reason", path, name)
				}
				continue
			}
			n++
			if !reflect.PointerTo(proxy).Implements(typ) || proxy.NumField() != typ.NumMethod()+1 || proxy.Field(0).Name != "Object" {
				t.Errorf("%s.%s: %v does not fit %v", path, name, proxy, typ)
				continue
			}
			for i := range typ.NumMethod() {
				if got, want := proxy.Field(i+1).Name, typ.Method(i).Name+"_"; got != want {
					t.Errorf("%s.%s: field %d of the proxy is %s, want %s", path, name, i+1, got, want)
				}
			}
		}
	}
	if n < 50 {
		t.Errorf("only %d proxies were checked", n)
	}
}
