package mixertest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/gophersnake/gophersnake/pkg/nn"
	"github.com/gophersnake/gophersnake/pkg/tensor"
)

// Layer is one entry of a package's table: a layer in one config.
type Layer struct {
	Name string
	D    int
	Make func(b *nn.Builder) (nn.Mixer, error)
	// PerTensor bounds how many elements of a tensor the gradient check tries,
	// for layers of real size; 0 is all.
	PerTensor int
}

// Build makes the layer and its parameters, of which there must be some, each
// in a known group.
func (l Layer) Build(t testing.TB, d *tensor.Device, seed uint64) (nn.Mixer, []*tensor.Param) {
	t.Helper()
	b := nn.NewBuilder(d, seed)
	m, err := l.Make(b)
	if err != nil {
		t.Fatal(err)
	}
	if len(b.Params()) == 0 {
		t.Fatal("no parameters")
	}
	for _, p := range b.Params() {
		if !slices.Contains([]tensor.Group{tensor.Decay, tensor.NoDecay, tensor.Recurrent}, p.Group) {
			t.Fatalf("%s is in group %q", p.Name, p.Group)
		}
	}
	return m, b.Params()
}

// Run runs every check on every layer and logs the largest errors.
func Run(t *testing.T, layers []Layer) {
	if len(layers) == 0 {
		t.Fatal("no layers")
	}
	worst := Worst{}
	for _, l := range layers {
		t.Run(l.Name, func(t *testing.T) {
			for _, c := range []struct {
				name string
				run  func(t *testing.T, l Layer, w Worst)
			}{
				{"gradient", checkGradient},
				{"steps", checkSteps},
				{"export", checkExport},
				{"seed", checkSeed},
				{"cpu", checkCPU},
				{"shape", checkShape},
			} {
				t.Run(c.name, func(t *testing.T) { c.run(t, l, worst) })
			}
		})
	}
	worst.Log(t)
}

// Complete fails for a constructor New… of the package under test, whose files
// are in the working directory, that makes a layer no entry of layers does.
func Complete(t *testing.T, layers []Layer) {
	have := map[string]bool{}
	for _, l := range layers {
		m, _ := l.Build(t, tensor.Reference(), 1)
		have["New"+reflect.TypeOf(m).Elem().Name()] = true
	}
	found := constructors(t)
	for _, name := range found {
		if !have[name] {
			t.Errorf("%s makes a layer that no entry of the table does", name)
		}
	}
	if len(found) == 0 {
		t.Fatal("found no constructor")
	}
}

// constructors returns the functions New… of the working directory's files.
func constructors(t *testing.T) (names []string) {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range f.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if ok && fn.Recv == nil && strings.HasPrefix(fn.Name.Name, "New") {
				names = append(names, fn.Name.Name)
			}
		}
	}
	return names
}
